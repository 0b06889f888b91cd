//! Reads `models/<use-case>.yaml` and reports its mistakes with file, line and column.

mod mend;
mod said;
pub mod yaml;

use anyhow::{Result, bail};
use contracts::{UseCase, words};
use mend::Mended;
use serde::Serialize;
use std::fmt;
use std::path::Path;
use yaml::{Marked, Position};

/// A mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    /// The file's name, as it was given.
    pub file: String,
    /// The place of the mistake.
    #[serde(flatten)]
    pub at: Position,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.at.line, self.at.column, self.message)
    }
}

/// More mistakes than this are not looked for.
const MOST: usize = 100;

/// Reads a document; all complaints about it when it is invalid.
///
/// # Errors
/// Its mistakes of syntax, type and meaning, as far as they can be told at once: what follows bad syntax or a missing
/// field shows when that is mended.
pub fn read(path: &Path) -> Result<UseCase, Vec<Complaint>> {
    let file = path.display().to_string();
    let complaint = |message| {
        vec![Complaint {
            file: file.clone(),
            at: START,
            message,
        }]
    };
    match std::fs::read(path) {
        Ok(bytes) => match std::str::from_utf8(&bytes) {
            Ok(source) => parse(&file, source),
            Err(_) => Err(complaint(said::no_text(&bytes))),
        },
        Err(error) => Err(complaint(format!("cannot be read: {error}"))),
    }
}

/// Reads a document that must be valid.
///
/// # Errors
/// It is invalid; the text holds a line for each mistake.
pub fn sound(path: &Path) -> Result<UseCase> {
    match read(path) {
        Ok(document) => Ok(document),
        Err(complaints) => {
            let lines: Vec<String> = complaints.iter().map(ToString::to_string).collect();
            let count = words::counted(lines.len() as u64, "mistake", "mistakes");
            bail!("the use-case document has {count}:\n{}", lines.join("\n"))
        }
    }
}

/// Parses the text of a document; `file` is its name in complaints.
///
/// # Errors
/// As [`read`].
pub fn parse(file: &str, source: &str) -> Result<UseCase, Vec<Complaint>> {
    let complaint = |at, message| Complaint {
        file: file.to_owned(),
        at,
        message,
    };
    if let Some(message) = said::no_document(source) {
        return Err(vec![complaint(START, message)]);
    }
    let mut complaints: Vec<Complaint> = Vec::new();
    let mut mended = Mended::new(source);
    let document = loop {
        let error = match serde_saphyr::from_str::<UseCase>(&mended.source) {
            Ok(document) => break Some(document),
            Err(error) => error,
        };
        // Complaints begin with line and column, and show no excerpt: both would appear twice.
        let error = error.without_snippet();
        let (at, message) = mistake(&mended.source, error);
        let told = complaint(mended.restore(at), message);
        // Where mending doesn't help, the same place is found again.
        if complaints.iter().any(|known| known.at == told.at) {
            break None;
        }
        complaints.push(told);
        if complaints.len() >= MOST || !mended.mend(error, at) {
            break None;
        }
    };
    if let Some(document) = document {
        let mistakes = document.validate_new();
        if mistakes.is_empty() && complaints.is_empty() {
            return Ok(document);
        }
        // serde has read the text as YAML, so its places can be marked.
        let marked = Marked::parse(&mended.source).map_err(|error| vec![complaint(START, error.to_string())])?;
        let mistakes = mistakes.iter().filter(|mistake| !mended.is_unsure(&mistake.path));
        complaints.extend(
            mistakes.map(|mistake| complaint(mended.restore(marked.locate(&mistake.path)), mistake.to_string())),
        );
        complaints.sort_by_key(|it| (it.at.line, it.at.column));
    }
    Err(complaints)
}

const START: Position = Position { line: 1, column: 1 };

/// A mistake of syntax or type, and the place where the reader found it.
fn mistake(source: &str, error: &serde_saphyr::Error) -> (Position, String) {
    let at = error.location().and_then(|location| {
        Some(Position {
            line: usize::try_from(location.line()).ok()?,
            column: usize::try_from(location.column()).ok()?,
        })
    });
    let at = at
        .filter(|at| at.line > 0 && at.line <= source.lines().count().max(1))
        .unwrap_or(START);
    // "must be a number" alone says little: if the place is that of a value, name the value.
    let marked = Marked::parse(source).ok();
    let path = marked.as_ref().and_then(|marked| marked.path_at(at));
    let text = said::of(error, path);
    (at, path.map_or_else(|| text.clone(), |path| format!("{path}: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "\
use_case: cars
schema:
  columns:
    - {name: year, type: integer, required: true}
    - {name: fuel, type: category}
target: {name: price}
models:
  - name: xgboost
    algorithm: xgboost
    hyperparameters: {num_round: 100}
    metric: {name: 'validation:rmse'}
    threshold_rmse: 9000
";

    fn complaints(source: &str) -> Vec<String> {
        parse("cars.yaml", source)
            .unwrap_err()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_sound_document_is_read() {
        assert_eq!(parse("cars.yaml", SOUND).unwrap().columns(), ["year", "fuel"]);
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let cases = [
            (
                "a wrong type",
                SOUND.replace("threshold_rmse: 9000", "threshold_rmse: low"),
            ),
            (
                "an unknown field",
                SOUND.replace("algorithm: xgboost", "algorithm: xgboost\n    treshold: 1"),
            ),
            ("an unknown word", SOUND.replace("type: integer", "type: int")),
            ("a missing field", SOUND.replace("target: {name: price}\n", "")),
            ("no YAML", SOUND.replace("columns:\n", "columns: [\n")),
            (
                "two mistakes of meaning",
                SOUND.replace("9000", "-1").replace("name: fuel", "name: price"),
            ),
            (
                "a rule without a place",
                SOUND.replace("required: true", "required: false"),
            ),
        ];
        let told: Vec<String> = cases
            .iter()
            .map(|(case, source)| format!("{case}\n  {}", complaints(source).join("\n  ")))
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn mistakes_of_every_kind_are_told_at_once() {
        let source = SOUND
            .replace("use_case: cars\n", "use_case: cars\nfoo: {bar: 1}\nrecipients: [bob]\n")
            .replace(
                "fuel, type: category}",
                "fuel, type: date, requird: maybe, required: true}",
            )
            .replace("threshold_rmse: 9000", "treshold_rmse: -1\n    hyper: {}")
            .replace("algorithm: xgboost", "algorithm: xgbost\n    algorithm: xgboost");
        insta::assert_snapshot!(complaints(&source).join("\n"));
    }

    proptest::proptest! {
        #[test]
        fn mending_ends_and_never_panics(
            text in "((use_case|schema|columns|type|models|nmae|date|ä|x|1|true|[-:{}, \n]|: |- |\n  ){1,3}){0,25}"
        ) {
            if let Err(complaints) = parse("x.yaml", &text) {
                assert!(!complaints.is_empty(), "{text:?}");
            }
            let _ = parse("x.yaml", &SOUND.replace("hyperparameters", &text));
        }
    }

    #[test]
    fn what_is_no_document_is_told_with_what_to_do() {
        let told = |bytes: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("flats.csv");
            std::fs::write(&file, bytes).unwrap();
            let complaints = read(&file).unwrap_err();
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            complaints[0].message.clone()
        };
        for bytes in [
            &b"area,rooms,price\n50,2,900\n"[..],
            b"\"area\",rooms\n50,2\n",
            b"a: b,c\nd\n",
            b"- 1\n- 2\n",
            b"",
            b"# only a comment\n",
            b"\xff\xfe\0",
            b"PK\x03\x04\xff",
        ] {
            let told = told(bytes);
            assert!(told.contains("`drivetrain init FILE`"), "{told}");
        }
        let tabs = complaints(&SOUND.replace("  columns:", "\tcolumns:"));
        assert!(tabs[0].contains("a tab"), "{tabs:?}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let complaint = &read(Path::new("/nowhere/x.yaml")).unwrap_err()[0];
        assert!(
            complaint.to_string().starts_with("/nowhere/x.yaml:1:1: cannot be read"),
            "{complaint}"
        );
    }
}
