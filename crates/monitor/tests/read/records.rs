//! Reading rows one by one.

use super::*;
use monitor::read::{Place, Record};

fn rows(content: &[u8], format: &Format, known: Option<&[String]>) -> (Vec<String>, Vec<(Oddity, u64)>) {
    let folder = folder(&[("data", content)]);
    let source = Source {
        path: folder.path().to_owned(),
        format: format.clone(),
    };
    let mut rows = Vec::new();
    let mut take = |record: Record<'_>, place: Place<'_>| {
        let row = match record {
            Record::Csv { names, fields } => format!("{names:?} {fields:?}"),
            Record::Json(line) => line.to_owned(),
        };
        if row.contains("refuse") {
            return Err("this word is refused".to_owned());
        }
        rows.push(format!("{}: {row}", relative(&place.to_string(), folder.path())));
        Ok(())
    };
    let notes = monitor::read::records(&source, known, &mut take).unwrap();
    (rows, notes.iter().map(|(oddity, count, _)| (oddity, count)).collect())
}

#[test]
fn rows_of_csv_come_with_names_and_lines() {
    let text = b"a,b\n1,\"x \"\"y\"\"\nz\"\n\n2\nrefuse,1\n3,\xff\n";
    let (found, notes) = rows(text, &CSV, None);
    let names = r#"Some(["a", "b"])"#;
    assert_eq!(
        found,
        [
            format!("data:2: {names} [\"1\", \"x \\\"y\\\"\\nz\"]"),
            format!("data:5: {names} [\"2\", \"\"]"),
            format!("data:7: {names} [\"3\", \"\u{fffd}\"]"),
        ]
    );
    assert_eq!(
        notes,
        [
            (Oddity::TooFewFields, 1),
            (Oddity::InvalidUtf8, 1),
            (Oddity::Unreadable, 1)
        ]
    );
    let headless = Format::Csv {
        header: false,
        delimiter: b',',
    };
    assert_eq!(rows(b"1,2\n", &headless, None).0, [r#"data:1: None ["1", "2"]"#]);
    let known = ["x".to_owned(), "y".to_owned()];
    assert_eq!(
        rows(b"1,2\n", &headless, Some(&known)).0,
        [r#"data:1: Some(["x", "y"]) ["1", "2"]"#]
    );
}

#[test]
fn lines_come_as_they_are() {
    let text = "{\"a\":1}\r\n\n  \nanything\n";
    let expected = ["data:1: {\"a\":1}", "data:4: anything"];
    assert_eq!(rows(text.as_bytes(), &Format::JsonLines, None).0, expected);
    assert_eq!(rows(&gzip(text.as_bytes()), &Format::captured(), None).0, expected);
    assert_eq!(rows(&zstd(text.as_bytes()), &Format::captured(), None).0, expected);
}

#[test]
fn many_rows_have_the_right_lines() {
    let text: String = (2..200_002).map(|line| format!("{line},\"a\nb\"\n")).collect();
    let text = format!("line,text\n{text}");
    assert!(text.len() > 2 << 20);
    let folder = folder(&[("1", text.as_bytes()), ("2", text.as_bytes())]);
    let source = Source {
        path: folder.path().to_owned(),
        format: CSV,
    };
    let mut count = 0;
    let mut take = |record: Record<'_>, place: Place<'_>| {
        let Record::Csv { fields, .. } = record else {
            return Err("no CSV".to_owned());
        };
        // Each record before it takes two lines.
        let row: u64 = fields[0].parse().unwrap();
        assert_eq!(place.line, 2 * row - 2);
        count += 1;
        Ok(())
    };
    monitor::read::records(&source, None, &mut take).unwrap();
    assert_eq!(count, 400_000);
}

#[test]
fn what_cannot_be_read_row_by_row_is_an_error() {
    let folder = folder(&[("data", b"\n")]);
    for (format, what) in [
        (Format::JsonLines, "there is no row to analyse"),
        (CSV, "there is no row to analyse"),
        (Format::Parquet, "can't be read row by row"),
    ] {
        let source = Source {
            path: folder.path().to_owned(),
            format,
        };
        let error = monitor::read::records(&source, None, &mut |_, _| Ok(())).unwrap_err();
        assert!(error.to_string().contains(what), "{error}");
    }
}
