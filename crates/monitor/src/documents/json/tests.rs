use proptest::prelude::*;

use super::*;
use crate::documents::text::{Json, compact, pretty};

fn value(text: &str) -> Value {
    parse(text, "f").unwrap().value
}

fn wrong(text: &str) -> (u64, u64, String) {
    let error = parse(text, "f").unwrap_err();
    (error.line, error.column, error.what)
}

#[test]
fn values() {
    assert_eq!(value(" null\n"), Value::Null);
    assert_eq!(value("\u{feff}true"), Value::Bool(true));
    assert_eq!(value("-12"), Value::Whole(-12));
    assert_eq!(value("-12.50"), Value::Double(-12.5));
    assert_eq!(value("1E+2"), Value::Double(100.0));
    assert_eq!(value("9223372036854775808"), Value::Double(9_223_372_036_854_775_808.0));
    assert!(matches!(value("-0"), Value::Double(zero) if zero.is_sign_negative()));
    assert!(matches!(value("NaN"), Value::Double(nan) if nan.is_nan()));
    assert_eq!(value("-Infinity"), Value::Double(f64::NEG_INFINITY));
    assert_eq!(
        value(r#""a\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00ä""#),
        Value::Text("a\"\\/\u{8}\u{c}\n\r\tä😀ä".to_owned())
    );
    assert_eq!(value("[ ]"), Value::Array(vec![]));
    assert_eq!(value("{ }"), Value::Object(vec![]));
}

#[test]
fn every_value_knows_its_place() {
    let text = "{\n  \"ä\" : [ 1,\n 2 ]\n}";
    let Value::Object(members) = value(text) else {
        panic!("no object")
    };
    assert_eq!(line_and_column(text, members[0].offset), (2, 3));
    assert_eq!(line_and_column(text, members[0].node.offset), (2, 9));
    let Value::Array(items) = &members[0].node.value else {
        panic!("no array")
    };
    assert_eq!(line_and_column(text, items[1].offset), (3, 2));
}

#[test]
fn what_is_broken_is_named_with_its_place() {
    for (text, line, column, what) in [
        ("", 1, 1, "the file is empty"),
        ("\n{", 2, 2, "the file ends within an object"),
        ("{\"a\": ", 1, 7, "the file ends in the middle"),
        ("{\"a\": 1\n \"b\": 2}", 2, 2, "a comma or a closing brace"),
        ("{\"ä\": 1,}", 1, 9, "a comma before this brace"),
        ("[1,\n]", 2, 1, "a comma before this bracket"),
        ("[1 2]", 1, 4, "a comma or a closing bracket"),
        ("{a: 1}", 1, 2, "a key in double quotes"),
        ("{\"a\" 1}", 1, 6, "a colon"),
        ("{'a': 1}", 1, 2, "a key in double quotes"),
        ("tru", 1, 1, "a value was expected"),
        ("nullx", 1, 1, "a value was expected"),
        ("01", 1, 2, "does not begin with a zero"),
        ("-", 1, 2, "a digit was expected"),
        ("1.", 1, 3, "a digit was expected"),
        ("1e999", 1, 1, "too large"),
        ("\"a", 1, 1, "does not end"),
        ("\"a\nb\"", 1, 3, "does not go over the end of a line"),
        ("\"\\x\"", 1, 2, "not an escape"),
        ("\"\\u12\"", 1, 2, "not an escape"),
        ("\"\\ud83d\"", 1, 2, "half a character"),
        ("\"\\ud83d\\u0041\"", 1, 2, "half a character"),
        ("1 2", 1, 3, "follows the end"),
        ("// a\n1", 1, 1, "a value was expected"),
    ] {
        let (at_line, at_column, found) = wrong(text);
        assert!(found.contains(what), "{text}: {found}");
        assert_eq!((at_line, at_column), (line, column), "{text}: {found}");
    }
}

#[test]
fn an_error_reads_like_a_compilers() {
    let error = parse("[1,\n 2,, 3]", "constraints.json").unwrap_err().to_string();
    assert!(
        error.starts_with("constraints.json:2:4: a value was expected here"),
        "{error}"
    );
}

#[test]
fn depth_is_bounded() {
    let deep = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&deep(MAX_DEPTH), "f").is_ok());
    assert!(wrong(&deep(MAX_DEPTH + 1)).2.contains("too deeply"));
    assert!(wrong(&"[{\"a\":".repeat(1_000_000)).2.contains("too deeply"));
}

#[test]
fn what_is_not_utf_8_is_named_with_its_place() {
    assert_eq!(utf8("{ä}".as_bytes(), "f").unwrap(), "{ä}");
    let error = utf8(b"{\n  \"a\xff\"}", "f").unwrap_err();
    assert_eq!((error.line, error.column), (2, 5));
}

/// The value that `json` is read as.
fn read(json: &Json) -> Value {
    let node = |json: &Json| Node {
        offset: 0,
        value: read(json),
    };
    let member = |key: &str, json: &Json| Member {
        key: key.to_owned(),
        offset: 0,
        node: node(json),
    };
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Whole(value) => Value::Whole(*value),
        Json::Double(value) => Value::Double(*value),
        Json::Text(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::Array(items.iter().map(node).collect()),
        Json::Object(members) => Value::Object(members.iter().map(|(key, json)| member(key, json)).collect()),
        Json::Map(members) => Value::Object(members.iter().map(|(key, json)| member(key, json)).collect()),
    }
}

/// Removes the places, which differ with the layout.
fn bare(value: &mut Value) {
    match value {
        Value::Array(items) => {
            for item in items {
                item.offset = 0;
                bare(&mut item.value);
            }
        }
        Value::Object(members) => {
            for member in members {
                (member.offset, member.node.offset) = (0, 0);
                bare(&mut member.node.value);
            }
        }
        _ => {}
    }
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(Json::Whole),
        any::<f64>()
            .prop_filter("a number", |value| value.is_finite())
            .prop_map(Json::Double),
        any::<String>().prop_map(Json::Text),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            prop::collection::vec((any::<String>(), inner), 0..6).prop_map(Json::Map),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(json in any_json()) {
        for text in [pretty(&json), compact(&json)] {
            let mut found = parse(&text, "f").unwrap().value;
            bare(&mut found);
            prop_assert_eq!(found, read(&json));
        }
    }

    /// Another parser agrees on what is valid JSON, and on its content.
    #[test]
    fn serde_json_agrees(json in any_json(), cut in any::<prop::sample::Index>(), by in "[\\[\\]{},:\"\\\\0-9eE.a-z -]?") {
        let mut text = compact(&json);
        let at = text.floor_char_boundary(cut.index(text.len()));
        text.insert_str(at, &by);
        let ours = parse(&text, "f");
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{}: {:?} {:?}", text, ours, theirs);
    }

    #[test]
    fn nothing_panics(bytes: Vec<u8>, text in "[\\[\\]{},:\"\\\\/0-9eE.ntu+aä\n -]{0,60}") {
        if let Ok(text) = utf8(&bytes, "f") {
            let _ = parse(text, "f");
        }
        if let Err(error) = parse(&text, "f") {
            let lines: Vec<&str> = text.split('\n').collect();
            prop_assert!(error.line as usize <= lines.len());
            prop_assert!(error.column as usize <= lines[error.line as usize - 1].chars().count() + 1);
        }
    }
}
