//! `quality DATA --prediction COLUMN --label COLUMN`.

use super::check::Judging;
use super::data::How;
use super::{Result, terminal};
use crate::analysis::{self, Error, KnownQuality, Quality, folder};
use crate::quality::ProblemType;
use crate::quality::merge::GroundTruthIndex;
use crate::quality::pair::{Attributes, Parameters};
use crate::read;
use drift_document::{Outcome, words};
use std::path::{Path, PathBuf};

/// Measure predictions against their ground truth
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  drivetrain-monitor quality scored.csv --prediction predicted --label price --output quality
  drivetrain-monitor quality today.csv --prediction predicted --label price --baseline quality
  drivetrain-monitor quality loans.csv --problem-type BinaryClassification --probability score --label defaulted
  drivetrain-monitor quality capture/ --ground-truth labels/ --prediction 0 --label 0

A column is named as in the header, or by its position from 0. Without --baseline the metrics are shown, and the output
folder can be the baseline of the next run.

Exit codes: 0 clean, 2 a metric is violated by more than chance or the predictions drifted, 3 insufficient data, 1 error.")]
pub struct Arguments {
    /// A file, or a folder of files
    data: PathBuf,
    /// The prediction: a number or a class
    #[arg(long, value_name = "COLUMN", required_unless_present = "probability")]
    prediction: Option<String>,
    /// The true value
    #[arg(long, value_name = "COLUMN")]
    label: String,
    /// Binary classification: the predicted probability of class 1
    #[arg(long, value_name = "COLUMN")]
    probability: Option<String>,
    /// Binary classification: from which probability on the class is 1; a number or a column [default: 0.5]
    #[arg(long, value_name = "VALUE")]
    threshold: Option<String>,
    /// Regression, BinaryClassification or MulticlassClassification
    #[arg(long, value_name = "TYPE", default_value = "Regression")]
    problem_type: ProblemType,
    /// Captured data: the ground truth to join it with, by inference id, then event id; a file or a folder
    #[arg(long, value_name = "PATH")]
    ground_truth: Option<PathBuf>,
    /// The output folder of an earlier `quality`
    #[arg(long, short, value_name = "DIR")]
    baseline: Option<PathBuf>,
    /// The output folder for all documents
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    judging: Judging,
    #[command(flatten)]
    how: How,
}

impl Arguments {
    pub fn run(self) -> Result<Outcome> {
        let rules = self.judging.rules()?;
        let attributes = Attributes::parse(
            self.problem_type,
            &Parameters {
                inference: self.prediction.as_deref(),
                probability: self.probability.as_deref(),
                threshold: self.threshold.as_deref(),
                ground_truth: Some(&self.label),
            },
        )
        .map_err(|error| Error::Unusable(in_arguments(&error.to_string())))?;
        if self.baseline.is_none() && self.judging.html.is_some() {
            return Err(Error::Unusable(
                "--html needs --baseline: without one there is nothing to compare with".to_owned(),
            ));
        }
        if let Some((baseline, output)) = self.baseline.as_ref().zip(self.output.as_ref()) {
            folder::apart(baseline, output)?;
        }
        let truth = self.ground_truth.as_deref().map(ground_truth).transpose()?;
        let source = self.how.source(&self.data)?;
        let found =
            analysis::quality(&source, self.problem_type, &attributes, truth.as_ref()).map_err(
                |error| match error {
                    Error::Unusable(text) => Error::Unusable(in_arguments(&text)),
                    other => other,
                },
            )?;
        for skipped in found.skipped() {
            let rows = words::counted(skipped.rows, "row", "rows");
            terminal::warn(format!("{rows}: {}; the first: {}", skipped.reason, skipped.first));
        }
        let Some(baseline) = &self.baseline else {
            if let Some(output) = &self.output {
                found.write_baseline(output)?;
            }
            if self.judging.json {
                let (statistics, constraints) = found.texts();
                terminal::say(super::both(&statistics, &constraints)?);
            } else {
                show(&found);
            }
            if let Some(output) = &self.output {
                terminal::note(format!("written to {}", output.display()));
            }
            let outcome = found.outcome_alone(&rules);
            if outcome == Outcome::InsufficientData {
                terminal::warn(format!(
                    "too few rows to rely on: at least {} are needed",
                    words::count(rules.settings.minimum_rows)
                ));
            }
            return Ok(outcome);
        };
        let known = KnownQuality::in_folder(baseline, self.problem_type)?;
        let (violations, drift) = found.check(&known, &rules);
        if let Some(output) = &self.output {
            found.write_checked(output, &violations, &drift)?;
        }
        let title = format!("{} against {}", self.data.display(), baseline.display());
        self.judging.show(&drift, &title, self.output.as_deref())
    }
}

/// Replaces the contract's parameter names by the names of the arguments.
fn in_arguments(text: &str) -> String {
    // The longer names come first, because one of them ends with another.
    [
        ("probability_threshold_attribute", "--threshold"),
        ("ground_truth_attribute", "--label"),
        ("probability_attribute", "--probability"),
        ("inference_attribute", "--prediction"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (name, argument)| text.replace(name, argument))
}

fn show(found: &Quality) {
    let metrics = found.metrics();
    let rows = metrics.values.iter().map(|it| {
        let spread = if it.standard_deviation.is_finite() {
            format!("± {}", words::number(it.standard_deviation))
        } else {
            String::new()
        };
        vec![it.name.to_owned(), words::number(it.value), spread]
    });
    terminal::say(terminal::table(&["metric", "value", ""], rows.collect()));
    terminal::say(format!("\n{}", words::counted(metrics.rows, "row", "rows")));
    if let Some(joined) = &found.ground_truth {
        terminal::say(format!(
            "{} of {} have ground truth ({})",
            words::count(joined.joined),
            words::counted(joined.records, "record", "records"),
            words::percent(joined.joined_share),
        ));
    }
}

fn ground_truth(path: &Path) -> Result<GroundTruthIndex> {
    let mut index = GroundTruthIndex::default();
    for file in read::files(path)? {
        index.read(&file.display().to_string(), &read::bytes(&file)?);
    }
    if index.is_empty() {
        let first = index
            .skips()
            .as_slice()
            .first()
            .map(|it| format!("; the first: {}", it.first));
        return Err(Error::Unusable(format!(
            "there is no ground truth in {}{}",
            path.display(),
            first.unwrap_or_default()
        )));
    }
    Ok(index)
}

impl KnownQuality {
    /// The baseline in a folder.
    ///
    /// # Errors
    /// A file is missing or invalid.
    fn in_folder(path: &Path, problem: ProblemType) -> Result<Self> {
        let mut known = Self::read(&path.join(folder::CONSTRAINTS), problem)?;
        let predictions = path.join(folder::PREDICTION_STATISTICS);
        if predictions.exists() {
            known.predictions = Some(analysis::read_statistics(&predictions)?);
        }
        Ok(known)
    }
}
