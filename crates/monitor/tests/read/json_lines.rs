//! JSON lines: columns, values, and lines that can't be read.

use super::*;

const JSON: Format = Format::JsonLines;

#[test]
fn columns_are_all_keys_by_name() {
    let text = "{\"b\":1,\"a\":\"x\"}\n{\"a\":\"y\",\"c\":true}\n{}\n{\"b\":null,\"a\":\"\"}\n";
    let profile = read(text, &JSON).unwrap();
    assert_eq!(profile.rows, 4);
    assert_eq!(
        shape(&profile),
        [
            ("a".to_owned(), InferredType::String, 3, 1),
            ("b".to_owned(), InferredType::Integral, 1, 3),
            ("c".to_owned(), InferredType::String, 1, 3),
        ]
    );
    assert!(counts(&profile, "a").contains(&(String::new(), 1)));
    assert_eq!(counts(&profile, "c"), [("true".to_owned(), 1)]);
    assert!(notes(&profile).is_empty());
}

#[test]
fn values_are_their_text() {
    let text = r#"{"n": 5, "f": 5.0, "e": 1e3, "s": "5", "t": "\u00e9\ud83d\ude00\n\"\\", "x": NaN}
{"n": -0, "f": -2.5e-1, "e": 1E+2, "s": "6", "t": "tab\there", "x": -Infinity}
"#;
    let profile = read(text, &JSON).unwrap();
    assert!(notes(&profile).is_empty());
    assert_eq!(numeric(&profile, "n").sum, 5.0);
    assert_eq!(feature(&profile, "n").inferred_type, InferredType::Integral);
    assert_eq!(numeric(&profile, "f").min, -0.25);
    assert_eq!(numeric(&profile, "e").sum, 1100.0);
    assert_eq!(feature(&profile, "s").inferred_type, InferredType::Integral);
    let texts: Vec<_> = counts(&profile, "t").into_iter().map(|(value, _)| value).collect();
    assert_eq!(texts, ["tab\there", "é😀\n\"\\"]);
    let texts: Vec<_> = counts(&profile, "x").into_iter().map(|(value, _)| value).collect();
    assert_eq!(texts, ["-Infinity", "NaN"]);
}

#[test]
fn objects_within_make_columns_and_lists_make_text() {
    let text =
        "{\"a\":{\"b\":1,\"c\":{\"d\":\"x\"}},\"l\":[1, {\"z\":[]}]}\n{\"a\":null,\"l\":[]}\n{\"a\":{},\"l\":3}\n";
    let profile = read(text, &JSON).unwrap();
    assert_eq!(names(&profile), ["a", "a.b", "a.c.d", "l"]);
    assert_eq!(notes(&profile), [(Oddity::List, 2, "data:1:1: a list")]);
    assert_eq!(
        counts(&profile, "l").into_iter().map(|it| it.0).collect::<Vec<_>>(),
        ["3", "[1, {\"z\":[]}]", "[]"]
    );
    assert_eq!(feature(&profile, "a").present, 0);
    assert_eq!(numeric(&profile, "a.b").sum, 1.0);
}

#[test]
fn lines_that_cannot_be_read_are_told_and_left_out() {
    for (line, what) in [
        ("{\"a\":1,}", "8: a key in quotes is expected"),
        ("{\"a\" 1}", "6: `:` is expected after a key"),
        ("{\"a\":1 \"b\":2}", "8: `,` or `}` is expected"),
        ("{\"a\":01}", "8: a number must not begin with 0"),
        ("{\"a\":1.}", "8: a digit is expected"),
        ("{\"a\":-}", "7: a digit is expected"),
        ("{\"a\":tru}", "6: a value is expected"),
        ("{\"a\":\"é", "8: this string is not closed"),
        ("{\"a\":\"x\ty\"}", "8: a control character in a string must be escaped"),
        ("{\"a\":\"\\x\"}", "7: this escape is none of JSON's"),
        ("{\"a\":1} x", "9: nothing is expected after the object of a line"),
        ("{\"a\":1", "7: `,` or `}` is expected"),
        ("[1,2]", "1: an object is expected: each line must be one"),
        ("12", "1: an object is expected: each line must be one"),
        ("{\"new\":1,\"a\":}", "14: a value is expected"),
    ] {
        let profile = read(format!("{{\"a\":1}}\n\n{line}\n{{\"a\":2}}\n"), &JSON).unwrap();
        assert_eq!(profile.rows, 2, "{line}");
        assert_eq!(names(&profile), ["a"], "{line}");
        assert_eq!(numeric(&profile, "a").sum, 3.0, "{line}");
        assert_eq!(
            notes(&profile),
            [(Oddity::Unreadable, 1, format!("data:3:{what}").as_str())]
        );
        assert_eq!(profile.notes.skipped_rows(), 1);
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let profile = read(format!("{deep}\n{{\"a\":2}}\n"), &JSON).unwrap();
    assert_eq!(profile.notes.skipped_rows(), 1);
    let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let profile = read(format!("{deep}\n{{\"a\":2}}\n"), &JSON).unwrap();
    assert_eq!(profile.notes.skipped_rows(), 1);
}

#[test]
fn when_no_line_can_be_read_it_is_an_error() {
    assert_eq!(
        read("[\n1,\n2\n]\n", &JSON).unwrap_err(),
        "none of the 4 lines can be read, where one JSON object a line is expected; the first: data:1:1: an object is \
         expected: each line must be one"
    );
}

#[test]
fn bytes_that_are_no_text_are_replaced_and_told() {
    let profile = read(b"{\"a\":\"x\xff\"}\n{\"a\":\"\0\"}\n{\"a\":\"\\u0000\"}\n", &JSON).unwrap();
    assert_eq!(
        notes(&profile),
        [
            (Oddity::InvalidUtf8, 1, "data:1: byte 0xff"),
            (
                Oddity::Unreadable,
                1,
                "data:2:7: a control character in a string must be escaped"
            )
        ]
    );
    let values: Vec<_> = counts(&profile, "a").into_iter().map(|(value, _)| value).collect();
    assert_eq!(values, ["\0", "x\u{fffd}"]);
}

#[test]
fn integers_beyond_64_bits_are_told() {
    let profile = read("{\"a\":99999999999999999999}\n{\"a\":2}\n", &JSON).unwrap();
    assert_eq!(
        notes(&profile),
        [(Oddity::WideInteger, 1, "data: column `a`, at or after line 1")]
    );
    assert_eq!(numeric(&profile, "a").max, 2.0);
}

#[test]
fn marks_of_order_line_ends_and_blank_lines_are_no_data() {
    let expected = read("{\"a\":1}\n{\"a\":2}\n", &JSON).unwrap();
    for same in [
        "\u{feff}{\"a\":1}\n{\"a\":2}\n",
        "{\"a\":1}\r\n{\"a\":2}\r\n",
        "{\"a\":1}\n\n  \n{\"a\":2}",
        " { \"a\" :\t1 } \n{\"\\u0061\":2}\n",
        "{\"a\":7,\"a\":1}\n{\"a\":2}\n",
    ] {
        assert_eq!(read(same, &JSON).unwrap(), expected, "{same:?}");
    }
}

#[test]
fn keys_may_come_late_and_in_any_order() {
    let mut text = String::new();
    for row in 0..3000 {
        text += &match row % 3 {
            0 => format!("{{\"a\":{row},\"b\":{row}}}\n"),
            1 => format!("{{\"b\":{row},\"a\":{row}}}\n"),
            _ => format!("{{\"b\":{row}}}\n"),
        };
    }
    text += "{\"late\":1,\"b\":0,\"B\":1}\n";
    let profile = read(text, &JSON).unwrap();
    assert_eq!(names(&profile), ["B", "a", "b", "late"]);
    assert_eq!(numeric(&profile, "b").sum, (0..3000).sum::<u64>() as f64);
    assert_eq!(feature(&profile, "a").missing, 1001);
    assert_eq!(feature(&profile, "late").missing, 3000);
    assert_eq!(profile.rows, 3001);
}

#[test]
fn keys_that_are_values_are_refused() {
    let text: String = (0..3_000).map(|it| format!("{{\"id-{it}\":1}}\n")).collect();
    let error = read(text, &JSON).unwrap_err();
    assert!(
        error.starts_with("data: more than 1000 keys come after the first 1000 lines"),
        "{error}"
    );
}

#[test]
fn a_line_that_does_not_end_is_an_error() {
    let text = format!("{{\"a\":1}}\n{{\"a\":\"{}\"}}\n", "x".repeat(65 << 20));
    let error = read(zstd(text.as_bytes()), &JSON).unwrap_err();
    assert!(
        error.starts_with("data:2:1: this record has not ended after"),
        "{error}"
    );
    assert!(error.ends_with("each line must be one record"), "{error}");
}
