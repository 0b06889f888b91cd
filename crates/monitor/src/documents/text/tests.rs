use super::*;

#[test]
fn the_layout_is_that_of_jackson() {
    let json = Json::Object(vec![
        ("ea", Json::Array(vec![])),
        ("eo", Json::Object(vec![])),
        (
            "data",
            Json::Array(vec![
                Json::Array(vec![Json::Double(1.0), Json::Double(2.0)]),
                Json::Array(vec![Json::Double(f64::NAN)]),
                Json::Array(vec![]),
            ]),
        ),
        (
            "mix",
            Json::Array(vec![
                Json::Whole(1),
                Json::Null,
                Json::Bool(true),
                Json::Map(vec![(
                    "k".to_owned(),
                    Json::Array(vec![
                        Json::Object(vec![("z", Json::Whole(1))]),
                        Json::Object(vec![("y", Json::Null)]),
                    ]),
                )]),
            ]),
        ),
    ]);
    let expected = r#"{
  "ea" : [ ],
  "eo" : { },
  "data" : [ [ 1.0, 2.0 ], [ "NaN" ], [ ] ],
  "mix" : [ 1, null, true, {
    "k" : [ {
      "z" : 1
    }, {
      "y" : null
    } ]
  } ]
}"#;
    assert_eq!(pretty(&json), expected);
    assert_eq!(
        compact(&json),
        r#"{"ea":[],"eo":{},"data":[[1.0,2.0],["NaN"],[]],"mix":[1,null,true,{"k":[{"z":1},{"y":null}]}]}"#
    );
}

#[test]
fn strings_are_escaped_as_jackson_does() {
    let text = "\u{0}\u{8}\t\n\u{b}\u{c}\r\u{1f} \"\\/'<\u{7f}\u{80}ä\u{2028}😀";
    let expected = "\"\\u0000\\b\\t\\n\\u000B\\f\\r\\u001F \\\"\\\\/'<\u{7f}\u{80}ä\u{2028}😀\"";
    assert_eq!(pretty(&Json::text(text)), expected);
}
