//! Detection of a file's format.

use super::*;

#[test]
fn formats_are_told_by_name_and_content() {
    let csv = |delimiter| Format::Csv {
        header: true,
        delimiter,
    };
    let captured = b"{\"captureData\":{},\"eventVersion\":\"0\"}\n";
    let cases: &[(&str, Vec<u8>, Format)] = &[
        ("a.csv", b"x,y;z,w\n1,2\n".to_vec(), csv(b',')),
        ("a.csv", b"\xef\xbb\xbf\n\"x;y\";\"a,b,c,d\"\n".to_vec(), csv(b';')),
        ("a.csv.gz", gzip(b"x|y\n"), csv(b'|')),
        ("a.csv.zst", zstd(b"x\ty\n"), csv(b'\t')),
        ("a.CSV", b"x\n1\n".to_vec(), csv(b',')),
        ("a.tsv", b"x\n".to_vec(), csv(b'\t')),
        ("a.txt", b"x;y\n".to_vec(), csv(b';')),
        ("a.csv", b"{\"x\":1}\n".to_vec(), csv(b',')),
        ("a.jsonl", b"{\"x\":1}\n".to_vec(), Format::JsonLines),
        ("a.ndjson.gz", gzip(b" {\"x\":1}\n"), Format::JsonLines),
        ("part-0", b"\n{\"x\":1}\n".to_vec(), Format::JsonLines),
        ("a.jsonl", captured.to_vec(), Format::captured()),
        ("a", gzip(captured), Format::captured()),
        ("a.parquet", b"".to_vec(), Format::Parquet),
        ("part-0", b"PAR1....".to_vec(), Format::Parquet),
    ];
    for (name, content, expected) in cases {
        let folder = folder(&[(name, content)]);
        assert_eq!(Format::detect(&folder.path().join(name)).unwrap(), *expected, "{name}");
        if !content.is_empty() {
            assert_eq!(Format::detect(folder.path()).unwrap(), *expected, "folder of {name}");
        }
    }
    assert_eq!(
        Format::detect(Path::new("nowhere")).unwrap_err().to_string(),
        "nowhere: no such file"
    );
}
