//! Reads `models/<use-case>.yaml` and reports every mistake with file, line and column.

pub mod yaml;

use anyhow::{Result, bail};
use contracts::{UseCase, words};
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

/// Reads a document; all complaints about it when it is invalid.
///
/// # Errors
/// The first mistake of syntax or type, or every mistake of meaning.
pub fn read(path: &Path) -> Result<UseCase, Vec<Complaint>> {
    let file = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(source) => parse(&file, &source),
        Err(error) => Err(vec![Complaint {
            file,
            at: Position { line: 1, column: 1 },
            message: format!("cannot be read: {error}"),
        }]),
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
    let document: UseCase =
        serde_saphyr::from_str(source).map_err(|error| vec![type_mistake(source, &error, &complaint)])?;
    let mistakes = document.validate_new();
    if mistakes.is_empty() {
        return Ok(document);
    }
    // serde has read the text as YAML, so its places can be marked.
    let marked = Marked::parse(source).map_err(|error| vec![complaint(START, error.to_string())])?;
    Err(mistakes
        .iter()
        .map(|mistake| complaint(marked.locate(&mistake.path), mistake.to_string()))
        .collect())
}

const START: Position = Position { line: 1, column: 1 };

/// A complaint about a mistake of syntax or type, at the place where the reader found it.
fn type_mistake(
    source: &str,
    error: &serde_saphyr::Error,
    complaint: &impl Fn(Position, String) -> Complaint,
) -> Complaint {
    // Complaints begin with line and column, and show the excerpt: both would appear twice.
    let text = error.without_snippet().to_string();
    let text = text.split(" at line ").next().unwrap_or_default().to_owned();
    let at = error.location().and_then(|location| {
        Some(Position {
            line: usize::try_from(location.line()).ok()?,
            column: usize::try_from(location.column()).ok()?,
        })
    });
    let at = at
        .filter(|at| at.line > 0 && at.line <= source.lines().count().max(1))
        .unwrap_or(START);
    // "invalid number" alone says little: if the place is that of a value, name the value.
    let path = Marked::parse(source)
        .ok()
        .and_then(|marked| marked.path_at(at).map(str::to_owned));
    complaint(at, path.map_or_else(|| text.clone(), |path| format!("{path}: {text}")))
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
    fn a_missing_file_is_named() {
        let complaint = &read(Path::new("/nowhere/x.yaml")).unwrap_err()[0];
        assert!(
            complaint.to_string().starts_with("/nowhere/x.yaml:1:1: cannot be read"),
            "{complaint}"
        );
    }
}
