use super::*;
use proptest::prelude::*;

fn document() -> UseCase {
    serde_json::from_str(include_str!("../../tests/documents/used-car-price.json")).unwrap()
}

fn check(content: &[u8]) -> Result<(), Refusal> {
    let window = &content[..content.len().min(WINDOW_BYTES)];
    head(window, content.len() as u64, &Columns::of_training(&document()))
}

fn refusal(content: impl AsRef<[u8]>) -> String {
    check(content.as_ref()).unwrap_err().to_string()
}

const HEADER: &str = "price,year,model,odometer,title_status";

#[test]
fn a_csv_with_the_columns_it_needs_is_welcome() {
    for content in [
        format!("{HEADER}\n9000,2011,c300,80000,clean\n"),
        format!("\u{feff}{HEADER}\r\n9000,2011,c300,80000,clean"),
        "title_status,\"odometer\", model ,year,price,note,note\nclean,,c300,2011,9000,,\n".to_owned(),
    ] {
        assert_eq!(check(content.as_bytes()), Ok(()), "{content}");
    }
}

#[test]
fn sizes_are_bounded() {
    assert!(size(0, 10).unwrap_err().to_string().starts_with("is empty. "));
    assert_eq!(size(10, 10), Ok(()));
    assert!(
        size(11, 10)
            .unwrap_err()
            .to_string()
            .starts_with("has 11 bytes; the use case allows 10. ")
    );
}

fn document_with(input: serde_json::Value) -> UseCase {
    let mut document = serde_json::to_value(document()).unwrap();
    document["input"] = input;
    serde_json::from_value(document).unwrap()
}

/// How a file is judged by a document with that `input`.
fn by(input: serde_json::Value, content: &[u8]) -> Result<(), Refusal> {
    let window = &content[..content.len().min(WINDOW_BYTES)];
    head(
        window,
        content.len() as u64,
        &Columns::of_training(&document_with(input)),
    )
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, content).unwrap();
    packed.finish().unwrap()
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn what_is_no_text_is_named() {
    for (content, kind) in [
        (
            &b"PK\x03\x04rest"[..],
            "is a zip archive (an Excel workbook is one), not CSV.",
        ),
        (b"BZh91AY", "is compressed with bzip2, not CSV."),
        (b"\x1f\x8b\x08\x00rest", "ends before its compressed content does."),
        (
            b"\xff\xfep\x00r\x00",
            "is text in UTF-16. Add `input: { encoding: utf-16 }` to",
        ),
        (b"price,\x00year", "is binary, not text: it holds NUL bytes."),
        (
            b"price,mod\xe8le\n1,2\n",
            "is not text in UTF-8: byte 9 does not belong there. If it was saved in cp1252, add `input: { encoding: cp1252 }`",
        ),
        (b"price,mod\xc3", "is not text in UTF-8: byte 9 does not belong there."),
        (b"{\"price\": 1}\n", "is JSON, not CSV."),
        (b"[1]\n", "is JSON, not CSV."),
        (
            b"\xff\xfe\x00\x00p\x00\x00\x00",
            "is text in UTF-32, which is not read. Save it in UTF-8",
        ),
        (
            b"\x00\x00\xfe\xff\x00\x00\x00p",
            "is text in UTF-32, which is not read.",
        ),
        (
            b"9000,2011,c300,80000,clean\n9000,2011,c300,80000,clean\n",
            "has no header: its first line is a row. Put a line with the names of its columns above it, as year,model,",
        ),
        (
            b"Listings of October\n\nprice,year,model,odometer,title_status\n1,2,3,4,5\n",
            "has its header in line 3, below other lines.",
        ),
        (
            b"Report 2024,,,,\n,,,,\n\nprice,year,model,odometer,title_status\n1,2,3,4,5\n",
            "has its header in line 4, below other lines.",
        ),
        (b"sep=;\nprice;year;model;odometer;title_status\n", "lacks the columns"),
    ] {
        assert!(refusal(content).starts_with(kind), "{}", refusal(content));
    }
    assert!(refusal(utf_16(&format!("{HEADER}\n"))).starts_with("is text in UTF-16."));
    assert!(refusal(gzip(&gzip(HEADER.as_bytes()))).starts_with("is compressed twice, not CSV."));
    assert!(refusal(gzip(b"")).starts_with("is empty."));
    let array = format!("[{}{{}}]", "{\"price\": 1},".repeat(WINDOW_BYTES / 10));
    assert!(refusal(&array).starts_with("is JSON, not CSV."), "of one line");
    assert!(refusal(gzip(array.as_bytes())).starts_with("is JSON, not CSV."));
    let truth = Columns::of_ground_truth(&document());
    let told = head(&array.as_bytes()[..WINDOW_BYTES], array.len() as u64, &truth).unwrap_err();
    assert!(
        told.to_string()
            .starts_with("is JSON, not CSV. Drop CSV with the columns `id`")
    );
}

#[test]
fn what_is_declared_is_welcome_and_nothing_else() {
    let text = format!("{HEADER}\n9000,2011,żółw,80000,clean\n");
    let semicolons = text.replace(',', ";");
    let cp1250: Vec<u8> = semicolons
        .chars()
        .flat_map(|it| match it {
            'ż' => vec![0xbf],
            'ó' => vec![0xf3],
            'ł' => vec![0xb3],
            it => it.to_string().into_bytes(),
        })
        .collect();
    let declared = serde_json::json!({"delimiter": ";", "encoding": "cp1250"});
    assert_eq!(by(declared.clone(), &cp1250), Ok(()));
    assert_eq!(by(declared.clone(), &gzip(&cp1250)), Ok(()));
    assert_eq!(by(serde_json::json!({"encoding": "utf-16"}), &utf_16(&text)), Ok(()));
    assert_eq!(
        by(serde_json::json!({}), b"PAR1rest"),
        Ok(()),
        "Preprocess looks into it"
    );
    for (input, content, told) in [
        (
            declared.clone(),
            semicolons.as_bytes(),
            "is text in UTF-8, and the document's `input` names cp1250.",
        ),
        (
            serde_json::json!({"encoding": "utf-16"}),
            text.as_bytes(),
            "is text in UTF-8, and the document's `input` names utf-16. Save it in utf-16, or remove",
        ),
        (
            serde_json::json!({"encoding": "utf-16"}),
            HEADER.as_bytes(),
            "is text in UTF-8, and the document's `input` names utf-16.",
        ),
        (
            serde_json::json!({"encoding": "utf-16"}),
            &cp1250,
            "is not text in UTF-16: it holds no NUL bytes. If it was saved in cp1250, name that in",
        ),
        (
            serde_json::json!({"encoding": "utf-16"}),
            b"\xff\xfe\x00\x00p\x00\x00\x00",
            "is text in UTF-32,",
        ),
        (
            serde_json::json!({"delimiter": ";"}),
            text.as_bytes(),
            "is separated by commas. Add `input: { delimiter: \",\" }`",
        ),
        (
            serde_json::json!({}),
            &cp1250,
            "is not text in UTF-8: byte 49 does not belong there. If it was saved in cp1250,",
        ),
        (
            serde_json::json!({"format": "csv"}),
            b"PAR1",
            "is a Parquet file, and the use case takes CSV alone.",
        ),
        (
            serde_json::json!({"format": "parquet"}),
            text.as_bytes(),
            "is no Parquet file, and the use case takes no other.",
        ),
    ] {
        let refusal = by(input, content).unwrap_err().to_string();
        assert!(refusal.starts_with(told), "{refusal}");
    }
    let truth = Columns::of_ground_truth(&document_with(declared));
    assert_eq!(head(b"id;label\na#0;1\n", 15, &truth), Ok(()));
    assert!(
        head(b"PAR1", 4, &truth)
            .unwrap_err()
            .to_string()
            .starts_with("is a Parquet file, and ground truth")
    );
}

#[test]
fn a_character_that_the_window_cuts_does_no_harm() {
    for shift in 0..4 {
        let content = format!("{HEADER}\n{}{}", "x".repeat(shift), "é€🚗".repeat(WINDOW_BYTES / 9 + 1));
        assert_eq!(check(content.as_bytes()), Ok(()), "shift {shift}");
    }
}

#[test]
fn missing_columns_are_named_with_those_that_look_alike() {
    let text = refusal("Price,year,Title Status\n1,2,3\n");
    let expected =
        "lacks the columns `model`, `odometer`, `title_status` (it has `Title Status`), `price` (it has `Price`). ";
    assert!(text.starts_with(expected), "{text}");
    let text = refusal("year,model,odometer,title_status\n1,2,3,4\n");
    assert!(text.starts_with("lacks the column `price`. Name the columns"), "{text}");
}

#[test]
fn other_separators_are_recognised() {
    let text = refusal(HEADER.replace(',', ";") + "\n1;2;3;4;5\n");
    let told =
        "is separated by semicolons. Add `input: { delimiter: \";\" }` to the use case's document and store it, then";
    assert!(text.starts_with(told), "{text}");
    assert!(refusal(HEADER.replace(',', "\t") + "\n").contains("`input: { delimiter: \"\\t\" }`"));
}

#[test]
fn headers_must_be_whole_first_and_unambiguous() {
    assert!(refusal(format!("\n{HEADER}\n1,2,3,4,5\n")).starts_with("begins with an empty line."));
    assert!(refusal(" \n").starts_with("begins with an empty line."));
    assert!(refusal(format!("{HEADER},price\n1,2,3,4,5,6\n")).starts_with("names the column `price` more than once."));
    let endless = format!("\"{HEADER}\n{}", "1,2,3,4,5\n".repeat(WINDOW_BYTES / 8));
    assert!(refusal(endless).starts_with("has no end of its header within the first 65536 bytes."));
}

#[test]
fn there_must_be_a_row() {
    for content in [HEADER.to_owned(), format!("{HEADER}\n"), format!("{HEADER}\r\n\r\n\n")] {
        assert!(
            refusal(&content).starts_with("has a header and no rows."),
            "{content:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_bytes_are_judged(content in prop::collection::vec(any::<u8>(), 1..200), more in 0_u64..2) {
        let _ = head(&content, content.len() as u64 + more, &Columns::of_training(&document()));
    }

    #[test]
    fn any_text_is_judged(text in "[\\PC,\"\r\n]{1,80}", more in 0_u64..2) {
        let _ = head(text.as_bytes(), text.len() as u64 + more, &Columns::of_training(&document()));
    }
}

#[test]
fn ground_truth_made_of_a_scored_file_names_the_column_to_rename() {
    let truth = Columns::of_ground_truth(&document());
    let told = |text: &str| head(text.as_bytes(), text.len() as u64, &truth).map_err(|refusal| refusal.to_string());
    let id = told("inference_id,price\n20261122t183000z-ab12cd34#0,9000\n").unwrap_err();
    assert_eq!(
        id,
        "lacks the column `id` (it has `inference_id`). Rename the column `inference_id` to `id`: it holds the rows' ids."
    );
    let both = told("inference_id,cost\nr#0,9000\n").unwrap_err();
    assert!(both.contains("`id` (it has `inference_id`), `label` or"), "{both}");
    assert!(told("id,inference_id,price\nr#0,r#0,9000\n").is_ok());
}
