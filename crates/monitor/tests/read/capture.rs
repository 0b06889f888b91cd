//! Captured data: rows, names, and lines that can't be read.

use super::*;
use monitor::read::OutputPosition;

fn captured(position: OutputPosition, names: Option<&[&str]>) -> Format {
    Format::Capture {
        index_names: ["endpointInput", "endpointOutput"].map(str::to_owned).to_vec(),
        output_position: position,
        names: names.map(|it| it.iter().map(|&it| it.to_owned()).collect()),
    }
}

fn line(input: &str, output: &str) -> String {
    let part = |data: &str| serde_json::json!({"observedContentType": "text/csv", "data": data, "encoding": "CSV"});
    let line = serde_json::json!({
        "captureData": {"endpointInput": part(input), "endpointOutput": part(output)},
        "eventMetadata": {"eventId": "1"},
        "eventVersion": "0",
    });
    format!("{line}\n")
}

#[test]
fn captured_lines_of_every_encoding_are_rows() {
    let format = captured(OutputPosition::Start, Some(&["score", "n", "f", "kind"]));
    let profile = read_with(&golden("capture.jsonl"), &format, &Options::default()).unwrap();
    assert_eq!(
        shape(&profile),
        [
            ("score".to_owned(), InferredType::Fractional, 9, 1),
            ("n".to_owned(), InferredType::Integral, 10, 0),
            ("f".to_owned(), InferredType::Fractional, 8, 2),
            ("kind".to_owned(), InferredType::String, 10, 0),
        ]
    );
    assert_eq!(profile.rows, 10);
    assert_eq!(numeric(&profile, "n").sum, 55.0);
    assert_eq!(
        counts(&profile, "kind"),
        [("oak", 6), ("", 1), ("ash", 1), ("elm", 1), ("elm, old", 1)].map(|(value, count)| (value.to_owned(), count))
    );
    assert_eq!(
        notes(&profile),
        [
            (
                Oddity::TooFewFields,
                1,
                "capture.jsonl:7:1: the output has 0 values where 1 are expected"
            ),
            (
                Oddity::Unreadable,
                2,
                "capture.jsonl:8:2: not a line of captured data: key must be a string"
            ),
        ]
    );
}

#[test]
fn values_are_named_by_position() {
    let text = line("1,2", "0.5");
    for (position, given, expected) in [
        (OutputPosition::Start, None, ["_c0", "_c1", "_c2"]),
        (OutputPosition::Start, Some(&["y", "a", "b"] as &[_]), ["y", "a", "b"]),
        (OutputPosition::End, Some(&["a", "b", "y"]), ["a", "b", "y"]),
        (OutputPosition::Start, Some(&["a", "b"]), ["prediction", "a", "b"]),
        (OutputPosition::End, Some(&["a", "b"]), ["a", "b", "prediction"]),
        (OutputPosition::End, Some(&["a"]), ["a", "_c1", "prediction"]),
        (OutputPosition::Start, Some(&["y", "a", "b", "more"]), ["y", "a", "b"]),
    ] {
        let profile = read(&text, &captured(position, given)).unwrap();
        assert_eq!(names(&profile), expected, "{position:?} {given:?}");
        let (output, first) = match position {
            OutputPosition::Start => (0, 1),
            OutputPosition::End => (2, 0),
        };
        assert_eq!(numeric(&profile, expected[output]).sum, 0.5);
        assert_eq!(numeric(&profile, expected[first]).sum, 1.0);
    }
    let two = read(line("1", "0.5,0.25"), &captured(OutputPosition::End, Some(&["a"]))).unwrap();
    assert_eq!(names(&two), ["a", "prediction_0", "prediction_1"]);
    // The names of the baseline are also used when they are given in the options.
    let folder = folder(&[("data", text.as_bytes())]);
    let options = Options {
        names: Some(["y", "a", "b"].map(str::to_owned).to_vec()),
        ..Options::default()
    };
    let profile = read_with(folder.path(), &captured(OutputPosition::Start, None), &options).unwrap();
    assert_eq!(names(&profile), ["y", "a", "b"]);
}

#[test]
fn members_of_objects_keep_their_names() {
    let part = |data: &str| serde_json::json!({"data": data, "encoding": "JSON"});
    let rows = [
        (r#"{"age": 5, "home": {"city": "a"}, "tags": [1]}"#, r#"{"p": 0.5}"#),
        (r#"{"age": 6, "extra": "\"q"}"#, r#"{"p": 0.25}"#),
        ("{\"age\":7}\n{\"age\":8}", r#"{"predictions":[{"p":1},{"p":2}]}"#),
    ];
    let text: String = rows
        .map(|(input, output)| {
            format!(
                "{}\n",
                serde_json::json!({"captureData": {"endpointInput": part(input), "endpointOutput": part(output)}})
            )
        })
        .concat();
    let profile = read(text, &captured(OutputPosition::Start, None)).unwrap();
    assert_eq!(names(&profile), ["age", "extra", "home.city", "p", "tags"]);
    assert_eq!(profile.rows, 4);
    assert_eq!(numeric(&profile, "age").sum, 26.0);
    assert_eq!(numeric(&profile, "p").sum, 3.75);
    assert_eq!(counts(&profile, "extra"), [("\"q".to_owned(), 1)]);
    assert_eq!(notes(&profile), [(Oddity::List, 1, "data:1:1: a list")]);
}

#[test]
fn lines_that_cannot_be_read_are_told_and_left_out() {
    let good = line("1,2", "0.5");
    let base64 = good.replace("\"CSV\"", "\"BASE64\"");
    for (bad, what) in [
        ("[]".to_owned(), "not a line of captured data"),
        ("{}".to_owned(), "missing field `captureData`"),
        (
            "{\"captureData\":{}}".to_owned(),
            "captureData has none of endpointInput, endpointOutput",
        ),
        (
            good.replace("\"CSV\"", "\"TSV\""),
            "the encoding is TSV: only CSV, JSON and BASE64 are known",
        ),
        (base64, "the BASE64 data is not valid"),
        (
            line("1,2\n3,4", "0.5\n0.5\n0.5"),
            "the input has 2 rows, and the output has 3",
        ),
        (line("", " \n"), "there is no value"),
        (
            line("{\"a\":", "1").replace("\"CSV\"", "\"JSON\""),
            "the JSON data is broken at byte 5: a value is expected",
        ),
    ] {
        let profile = read(
            format!("{good}{}\n{good}", bad.trim_end()),
            &captured(OutputPosition::Start, None),
        )
        .unwrap();
        assert_eq!(profile.rows, 2, "{bad}");
        let notes = notes(&profile);
        let [(Oddity::Unreadable, 1, place)] = notes.as_slice() else {
            panic!("{bad}: {notes:?}");
        };
        assert!(place.starts_with("data:2:") && place.contains(what), "{place}");
    }
    let error = read("{\"a\":1}\n", &captured(OutputPosition::Start, None)).unwrap_err();
    assert!(
        error.starts_with("none of the 1 lines can be read, where one captured record a line"),
        "{error}"
    );
}

#[test]
fn rows_with_too_few_or_too_many_values_are_told() {
    let text = line("1,2", "0.5") + &line("1", "0.5") + &line("1,2,3", "0.5") + &line("1,", "0.5");
    let profile = read(text, &captured(OutputPosition::End, Some(&["a", "b", "y"]))).unwrap();
    assert_eq!(
        notes(&profile),
        [
            (
                Oddity::TooFewFields,
                1,
                "data:2:1: the input has 1 values where 2 are expected"
            ),
            (
                Oddity::TooManyFields,
                1,
                "data:3:1: the input has 3 values where 2 are expected"
            ),
        ]
    );
    assert_eq!(feature(&profile, "b").missing, 2);
    assert_eq!(profile.rows, 4);
}
