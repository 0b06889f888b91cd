//! Checks that the analyzer is right: compares missing values, means and standard deviations with those of polars.

use crate::data::DataFile;
use crate::peer::{Answer, Figures, Row, ask};
use crate::setup::{Layout, Setup};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Relative tolerance.
const TOLERANCE: f64 = 1e-9;
const REFERENCE: &str = "polars";

/// The result of the check.
pub struct Verdict {
    /// Whether the analyzer agrees, or was not selected.
    pub right: bool,
    /// Text for the table.
    pub text: String,
}

/// Compares the results; runs polars once more if it was not among the peers.
pub fn check(layout: &Layout, setup: &Setup, file: &DataFile, rows: &[Row]) -> Verdict {
    let Some(ours) = rows.iter().find(|row| row.peer.name == "drivetrain-monitor") else {
        return Verdict {
            right: true,
            text: "Cross-check: the analyzer was not asked for.".to_owned(),
        };
    };
    let Some(ours) = &ours.answer else {
        return Verdict {
            right: false,
            text: "Cross-check: **the analyzer did not run.**".to_owned(),
        };
    };
    let theirs = rows
        .iter()
        .find(|row| row.peer.name == REFERENCE)
        .and_then(|row| row.answer.clone());
    let theirs = match theirs {
        Some(answer) => Ok(answer),
        None => ask(layout, setup, REFERENCE, file, Duration::from_secs(3600)),
    };
    match theirs {
        Ok(theirs) => compare(ours, &theirs),
        Err(error) => Verdict {
            right: false,
            text: format!("Cross-check: **{REFERENCE} did not run: {error:#}**"),
        },
    }
}

fn compare(ours: &Answer, theirs: &Answer) -> Verdict {
    let mut wrong = Vec::new();
    let mut numeric = 0;
    if (ours.rows, ours.columns) != (theirs.rows, theirs.columns) {
        wrong.push(format!(
            "{} rows of {} columns against {} of {}",
            ours.rows, ours.columns, theirs.rows, theirs.columns
        ));
    }
    for (name, figures) in &theirs.statistics {
        numeric += usize::from(figures.mean.is_some());
        match ours.statistics.get(name) {
            Some(own) if own.agrees(figures) => {}
            Some(own) => wrong.push(format!("`{name}`: {own} against {figures}")),
            None => wrong.push(format!("`{name}` is not there")),
        }
    }
    let columns = theirs.statistics.len();
    let text = if wrong.is_empty() {
        format!(
            "Cross-check with {REFERENCE} {}: missing values of {columns} columns are equal, means and standard deviations \
             of {numeric} agree to {TOLERANCE:e}.",
            theirs.version
        )
    } else {
        format!(
            "Cross-check with {REFERENCE} {}: **wrong:** {}.",
            theirs.version,
            wrong.join("; ")
        )
    };
    Verdict {
        right: wrong.is_empty() && numeric > 0,
        text,
    }
}

impl Figures {
    fn agrees(&self, other: &Self) -> bool {
        self.missing == other.missing && near(self.mean, other.mean) && near(self.std, other.std)
    }
}

impl std::fmt::Display for Figures {
    fn fmt(&self, output: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(output, "{} missing", self.missing)?;
        match (self.mean, self.std) {
            (Some(mean), Some(std)) => write!(output, ", mean {mean}, std {std}"),
            _ => Ok(()),
        }
    }
}

/// Whether the numbers are close, or both are missing.
fn near(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= TOLERANCE * one.abs().max(other.abs()),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// The analyzer's result, read as any consumer of the file would read it.
///
/// # Errors
/// It is missing or invalid.
pub fn analyzer(output: &Path) -> Result<Answer> {
    let path = output.join("statistics.json");
    let text = std::fs::read(&path).context("it wrote no statistics.json")?;
    let document: Value = serde_json::from_slice(&text).context("statistics.json is not JSON")?;
    let features = document["features"]
        .as_array()
        .context("statistics.json has no features")?;
    let mut answer = Answer {
        rows: document["dataset"]["item_count"]
            .as_u64()
            .context("statistics.json has no item_count")?,
        columns: features.len(),
        ..Answer::default()
    };
    ensure!(output.join("constraints.json").exists(), "it wrote no constraints.json");
    for feature in features {
        let name = feature["name"].as_str().context("a feature has no name")?;
        let numbers = &feature["numerical_statistics"];
        let common = if numbers.is_object() {
            &numbers["common"]
        } else {
            &feature["string_statistics"]["common"]
        };
        let figures = Figures {
            missing: common["num_missing"]
                .as_u64()
                .with_context(|| format!("`{name}` has no num_missing"))?,
            mean: numbers["mean"].as_f64(),
            std: numbers["std_dev"].as_f64(),
        };
        answer.statistics.insert(name.to_owned(), figures);
    }
    Ok(answer)
}
