//! CSV: irregularities and errors.

use super::*;
use std::num::NonZero;

#[test]
fn fields_that_are_empty_are_missing_and_quoted_ones_are_not() {
    let profile = read("a,b\n1,x\n,\"\"\n2.5,\n", &CSV).unwrap();
    assert_eq!(profile.rows, 3);
    assert_eq!(
        shape(&profile),
        [
            ("a".to_owned(), InferredType::Fractional, 2, 1),
            ("b".to_owned(), InferredType::String, 2, 1)
        ]
    );
    assert_eq!(counts(&profile, "b"), [(String::new(), 1), ("x".to_owned(), 1)]);
    assert_eq!(numeric(&profile, "a").sum, 3.5);
}

#[test]
fn rows_with_too_few_or_too_many_fields_are_told() {
    let profile = read("a,b,c\n1,2,3\n4\n\n5,6,7,8\n9,10\n", &CSV).unwrap();
    assert_eq!(
        notes(&profile),
        [
            (Oddity::TooFewFields, 2, "data:3: 1 fields where 3 are expected"),
            (Oddity::TooManyFields, 1, "data:5: 4 fields where 3 are expected"),
        ]
    );
    assert_eq!(profile.rows, 4);
    assert_eq!(numeric(&profile, "b").sum, 18.0);
    assert_eq!(feature(&profile, "c").missing, 2);
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_told() {
    let profile = read(b"a,b\n1,x\xff\n2,caf\xc3\xa9\n3,\xc3\n", &CSV).unwrap();
    assert_eq!(notes(&profile), [(Oddity::InvalidUtf8, 2, "data:2: byte 0xff")]);
    let values: Vec<_> = counts(&profile, "b").into_iter().map(|(value, _)| value).collect();
    assert_eq!(values, ["café", "x\u{fffd}", "\u{fffd}"]);
}

#[test]
fn zero_bytes_are_text() {
    let profile = read(b"a,b\n\0,1\nx\0y,2\n1\0,3\n", &CSV).unwrap();
    assert_eq!(numeric(&profile, "b").sum, 6.0);
    let values: Vec<_> = counts(&profile, "a").into_iter().map(|(value, _)| value).collect();
    assert_eq!(values, ["\0", "1\0", "x\0y"]);
}

#[test]
fn what_is_not_a_number_is_text() {
    let profile = read("a,b,c\n1,1,1e400\n2,2,1\nNaN,inf,2\n", &CSV).unwrap();
    assert_eq!(feature(&profile, "a").inferred_type, InferredType::String);
    assert_eq!(feature(&profile, "b").inferred_type, InferredType::String);
    assert_eq!(feature(&profile, "c").inferred_type, InferredType::Fractional);
}

#[test]
fn integers_beyond_64_bits_are_in_no_figure_of_a_column_of_integers() {
    let profile = read("a,b\n99999999999999999999,1.5\n2,99999999999999999999\n", &CSV).unwrap();
    assert_eq!(
        notes(&profile),
        [(Oddity::WideInteger, 1, "data: column `a`, at or after line 1")]
    );
    assert_eq!(numeric(&profile, "a").max, 2.0);
    assert_eq!(feature(&profile, "a").present, 2);
    assert_eq!(numeric(&profile, "b").max, 1e20);
}

#[test]
fn files_that_are_read_together_have_the_same_header() {
    let same: &[(&str, &[u8])] = &[("1.csv", b"a,b\n1,2\n"), ("2.csv", b"a,b\n3,4\n")];
    assert_eq!(numeric(&read_all(same, &CSV).unwrap(), "a").sum, 4.0);
    let other: &[(&str, &[u8])] = &[("1.csv", b"a,b\n1,2\n"), ("2.csv", b"a,c\n3,4\n")];
    assert_eq!(
        read_all(other, &CSV).unwrap_err(),
        "2.csv:1:2: field 2 of the header is `c` where 1.csv has `b`: files that are read together must have the same \
         header"
    );
    let shorter: &[(&str, &[u8])] = &[("1.csv", b"a,b\n1,2\n"), ("2.csv", b"a\n3\n")];
    assert!(
        read_all(shorter, &CSV)
            .unwrap_err()
            .contains("2 of the header is no column where 1.csv has `b`")
    );
}

#[test]
fn without_rows_there_is_nothing_to_analyse() {
    for (content, format) in [
        ("", CSV),
        ("a,b\n", CSV),
        ("\n\n", CSV),
        ("", Format::JsonLines),
        ("\n \n", Format::JsonLines),
        ("", Format::captured()),
        ("\n", Format::captured()),
    ] {
        let error = read(content, &format).unwrap_err();
        assert!(error.contains("there is no"), "{content:?} as {format:?}: {error}");
    }
    // Empty files next to others are ignored.
    let some: &[(&str, &[u8])] = &[("1.csv", b""), ("2.csv", b"a\n1\n"), ("_SUCCESS", b"x"), (".crc", b"y")];
    assert_eq!(read_all(some, &CSV).unwrap().rows, 1);
    let missing = read_with(Path::new("nowhere/at-all"), &CSV, &Options::default()).unwrap_err();
    assert_eq!(missing.to_string(), "nowhere/at-all: no such file");
}

#[test]
fn compressed_files_that_end_early_are_told() {
    let text: String = (0..20_000).map(|it| format!("{it},{}\n", it * 7919 % 1009)).collect();
    let whole = format!("a,b\n{text}");
    for compressed in [gzip(whole.as_bytes()), zstd(whole.as_bytes())] {
        assert_eq!(read(&compressed, &CSV).unwrap().rows, 20_000);
        let cut = compressed.get(..compressed.len() / 2).unwrap();
        assert_eq!(
            read(cut, &CSV).unwrap_err(),
            "data: the compressed file ends in the middle: copy it again"
        );
        let mut damaged = compressed.clone();
        let middle = damaged.len() / 2;
        damaged.iter_mut().skip(middle).take(64).for_each(|it| *it ^= 0x55);
        let error = read(&damaged, &CSV).unwrap_err();
        assert!(error.starts_with("data: the compressed file"), "{error}");
    }
}

#[test]
fn quotes_that_are_never_closed_are_told() {
    let error = read("a,b\n1,2\n3,\"x\n4,5\n6,7\n", &CSV).unwrap_err();
    assert!(
        error.starts_with("data:3:1: this record has not ended after"),
        "{error}"
    );
    // A quote within a field is text.
    let profile = read("a,b\n1,2\" pipe\n3,5\" pipe\n", &CSV).unwrap();
    assert_eq!(counts(&profile, "b").len(), 2);
}

#[test]
fn marks_of_order_line_ends_and_blank_lines_are_no_data() {
    let expected = read("a,b\n1,x\n2,y\n", &CSV).unwrap();
    for same in [
        "\u{feff}a,b\n1,x\n2,y\n",
        "a,b\r\n1,x\r\n2,y\r\n",
        "a,b\n1,x\n2,y",
        "\n\na,b\n\n1,x\n   \n\t\n2,y\n\n",
        "a,b\r\n\r\n1,x\r\n2,y\r\n\r\n",
    ] {
        assert_eq!(
            read(same, &CSV).unwrap().statistics(),
            expected.statistics(),
            "{same:?}"
        );
    }
}

#[test]
fn columns_without_names_and_with_the_same_names_get_others() {
    let profile = read("a,,A,b\n1,2,3,4\n", &CSV).unwrap();
    assert_eq!(names(&profile), ["a0", "_c1", "A2", "b"]);
    let headless = Format::Csv {
        header: false,
        delimiter: b';',
    };
    assert_eq!(names(&read("1;2\n3;4\n", &headless).unwrap()), ["_c0", "_c1"]);
    let folder = folder(&[("data", b"1;2;3\n")]);
    let options = Options {
        names: Some(vec!["x".to_owned(), "y".to_owned()]),
        ..Options::default()
    };
    let profile = read_with(folder.path(), &headless, &options).unwrap();
    assert_eq!(names(&profile), ["x", "y", "_c2"]);
}

#[test]
fn lines_within_quotes_end_no_record_wherever_a_block_ends() {
    let text = "a,\"b\nb\",c\n1,\"x\ny\",\"2\"\n\"\n\n\",z,3\n5,\"q \"\"w\"\"\n\",\"\"\n6,say \"hi\",7\n";
    let folder = folder(&[("data", text.as_bytes())]);
    let whole = read_with(folder.path(), &CSV, &Options::default()).unwrap();
    assert_eq!(whole.rows, 4);
    for block in 1..=text.len() {
        let options = Options {
            block: NonZero::new(block),
            ..Options::default()
        };
        let cut = read_with(folder.path(), &CSV, &options).unwrap();
        assert_eq!((cut.rows, shape(&cut)), (whole.rows, shape(&whole)), "{block}");
        assert_eq!(counts(&cut, "b\nb"), counts(&whole, "b\nb"), "{block}");
    }
}

#[test]
fn a_block_of_blank_lines_is_no_header() {
    let folder = folder(&[("data", format!("{}a,b\n1,2\n", "\r\n".repeat(50)).as_bytes())]);
    let options = Options {
        block: NonZero::new(16),
        ..Options::default()
    };
    let profile = read_with(folder.path(), &CSV, &options).unwrap();
    assert_eq!((profile.rows, names(&profile)), (1, vec!["a", "b"]));
}
