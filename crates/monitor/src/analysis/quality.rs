//! Analysis of predictions against ground truth.

use super::Rules;
use super::baseline::Baseline;
use super::check::oddities;
use super::error::Error;
use super::folder;
use crate::documents::text::pretty;
use crate::documents::{Constraints, Statistics, Violations};
use crate::drift;
use crate::profile::{Column, Expected, Form, Profile};
use crate::quality::attribute::AttributeError;
use crate::quality::capture::CaptureRecord;
use crate::quality::constraints::{Chance, QualityConstraints, violations};
use crate::quality::merge::{GroundTruthIndex, Merge};
use crate::quality::metrics::Metrics;
use crate::quality::pair::{Attributes, Columns, Pair};
use crate::quality::statistics::QualityStatistics;
use crate::quality::{self, ProblemType};
use crate::read::{self, Format, Record, Source};
use drift_document::{Drift, GroundTruth, Outcome, Skipped};
use std::path::Path;

/// The column of `prediction_statistics.json`.
const PREDICTION: &str = "prediction";
/// Number of predictions that are added to the profile at a time.
const BATCH: usize = 4096;

/// The measured quality of predictions.
#[derive(Clone, Debug)]
pub struct Quality {
    /// The statistics, in the contract's form.
    pub statistics: QualityStatistics,
    /// Constraints suggested from the statistics.
    pub constraints: QualityConstraints,
    /// The model's predictions as a baseline.
    pub predictions: Baseline,
    /// How many records have ground truth; only for captured data.
    pub ground_truth: Option<GroundTruth>,
    skipped: Vec<Skipped>,
    odd: Vec<Skipped>,
}

/// The quality of earlier predictions.
#[derive(Clone, Debug)]
pub struct KnownQuality {
    /// Constraints, which people may have edited.
    pub constraints: QualityConstraints,
    /// Statistics of the model's predictions; without them, their drift can't be determined.
    pub predictions: Option<Statistics>,
    /// Number of rows that the constraints are based on; none if a person has set them.
    pub rows: Option<u64>,
}

impl KnownQuality {
    /// Reads `constraints.json`, and the number of its rows from the `statistics.json` next to it, if that has it.
    ///
    /// # Errors
    /// A file is missing or invalid.
    pub fn read(constraints_path: &Path, problem: ProblemType) -> Result<Self, Error> {
        let unusable = |what: String| Error::File {
            path: constraints_path.to_owned(),
            what,
        };
        let text = folder::read(constraints_path)?;
        let value = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        let constraints = QualityConstraints::from_value(&value, problem).map_err(|error| unusable(error.to_string()));
        Ok(Self {
            constraints: constraints?,
            predictions: None,
            rows: rows_behind(constraints_path),
        })
    }
}

/// The number of rows in the `statistics.json` next to the constraints. Constraints are valid without it; then only one
/// side is subject to chance.
fn rows_behind(constraints: &Path) -> Option<u64> {
    let text = folder::read(&constraints.with_file_name(folder::STATISTICS)).ok()?;
    let statistics: serde_json::Value = serde_json::from_str(&text).ok()?;
    statistics["dataset"]["item_count"].as_u64()
}

/// Reads predictions and their ground truth in a single pass. `ground_truth` is joined with captured data.
///
/// # Errors
/// The data can't be read, or an attribute is missing.
pub fn quality(
    source: &Source,
    problem: ProblemType,
    attributes: &Attributes,
    ground_truth: Option<&GroundTruthIndex>,
) -> Result<Quality, Error> {
    let nothing = GroundTruthIndex::default();
    let mut reader = Reader {
        attributes,
        columns: None,
        captured: matches!(source.format, Format::Capture { .. }),
        merge: Merge::new(ground_truth.unwrap_or(&nothing)),
        pairs: quality::Accumulator::new(problem),
        row: 0,
        predictions: Predictions::default(),
        broken: None,
    };
    let notes = read::records(source, None, &mut |record, _| reader.record(record))?;
    if let Some(error) = reader.broken {
        return Err(Error::Unusable(error.to_string()));
    }
    let (mut skipped, odd) = oddities(&notes);
    if let Some(index) = ground_truth {
        skipped.extend(index.skips().as_slice().iter().cloned());
    }
    if reader.pairs.rows() == 0 && !reader.captured {
        return Err(Error::Unusable(format!(
            "no row has both a prediction and ground truth{}",
            first_of(&skipped)
        )));
    }
    let metrics = reader.pairs.metrics();
    Ok(Quality {
        constraints: QualityConstraints::suggest(&metrics),
        statistics: QualityStatistics {
            metrics,
            start_time: None,
            end_time: None,
            evaluation_time: None,
        },
        predictions: Baseline::of_profile(reader.predictions.profile()),
        ground_truth: reader.captured.then(|| reader.merge.counts()),
        skipped,
        odd,
    })
}

struct Reader<'a> {
    attributes: &'a Attributes,
    columns: Option<Columns>,
    captured: bool,
    merge: Merge<'a>,
    pairs: quality::Accumulator,
    row: u64,
    predictions: Predictions,
    /// An error in the request that would be the same for every row.
    broken: Option<AttributeError>,
}

impl Reader<'_> {
    fn record(&mut self, record: Record<'_>) -> Result<(), String> {
        match record {
            Record::Csv { names, fields } => {
                let columns = match self.columns {
                    Some(columns) => columns,
                    None => match self.attributes.columns(names, fields.len()) {
                        Ok(columns) => *self.columns.insert(columns),
                        Err(error) => {
                            let text = error.to_string();
                            self.broken.get_or_insert(error);
                            return Err(text);
                        }
                    },
                };
                let pair = columns.pair(fields).map_err(|error| error.to_string())?;
                self.push(&pair)
            }
            Record::Json(line) if self.captured => {
                let mut record = CaptureRecord::parse(line.as_bytes()).map_err(|error| error.to_string())?;
                if !self.merge.join(&mut record) {
                    // Ground truth may come days later, so its absence is counted but not an error.
                    return Ok(());
                }
                let pairs = self.attributes.of_capture(&record).map_err(|error| error.to_string())?;
                pairs.iter().try_for_each(|pair| self.push(pair))
            }
            Record::Json(line) => {
                let value = serde_json::from_str(line).map_err(|error| error.to_string())?;
                let pairs = self.attributes.of_json(&value).map_err(|error| error.to_string())?;
                pairs.iter().try_for_each(|pair| self.push(pair))
            }
        }
    }

    fn push(&mut self, pair: &Pair<'_>) -> Result<(), String> {
        let row = self.row;
        self.row += 1;
        self.pairs.push(row, pair).map_err(|error| error.to_string())?;
        self.predictions
            .push(pair.inference.as_deref().or(pair.probability.as_deref()));
        Ok(())
    }
}

/// Collects predictions into a profile of one column.
#[derive(Default)]
struct Predictions {
    text: Vec<u8>,
    cells: Vec<(usize, usize)>,
    profile: Option<Profile>,
}

impl Predictions {
    fn push(&mut self, value: Option<&str>) {
        let start = self.text.len();
        self.text.extend_from_slice(value.unwrap_or_default().as_bytes());
        self.cells.push((start, self.text.len()));
        if self.cells.len() >= BATCH {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let form = Form {
            quotes: false,
            empty_is_missing: true,
        };
        let profile = self
            .profile
            .get_or_insert_with(|| Profile::new([(PREDICTION.to_owned(), Expected::default())]));
        self.text.resize(self.text.len() + crate::profile::number::PADDING, 0);
        let mut numbers = Vec::new();
        let rows = self.cells.len() as u64;
        for column in &mut profile.columns {
            Column::push(column, &self.text, self.cells.iter().copied(), form, &mut numbers);
        }
        profile.rows += rows;
        self.text.clear();
        self.cells.clear();
    }

    fn profile(mut self) -> Profile {
        self.flush();
        self.profile.unwrap_or_default()
    }
}

impl Quality {
    /// Rows that gave no pair, and ground truth that could not be read.
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// All metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.statistics.metrics
    }

    /// Judges the predictions by what is known of earlier ones.
    pub fn check(&self, known: &KnownQuality, rules: &Rules) -> (Violations, Drift) {
        let violations = Violations {
            violations: violations(&known.constraints, self.metrics()),
        };
        let nothing = Statistics::default();
        let before = known.predictions.as_ref();
        let asked = before.map_or_else(|| no_constraints(&self.predictions.constraints), crate::checks::suggest);
        let facts = self.predictions.profile.facts();
        let now = if before.is_some() {
            self.predictions.statistics.clone()
        } else {
            Statistics {
                rows: self.metrics().rows,
                features: Vec::new(),
            }
        };
        let mut drift = drift::judge(drift::Input {
            baseline: before.unwrap_or(&nothing),
            constraints: &asked,
            current: &now,
            facts: &facts,
            predictions: &[PREDICTION.to_owned()],
            skipped: self.skipped.clone(),
            segments: Vec::new(),
            violations: violations.violations.clone(),
            quality: Some(quality::constraints::quality(
                Some(&known.constraints),
                self.metrics(),
                Chance {
                    false_alarms: rules.settings.false_discovery_rate,
                    baseline_rows: known.rows.or(before.map(|it| it.rows)),
                },
            )),
            ground_truth: self.ground_truth.clone(),
            settings: rules.settings.clone(),
        });
        if before.is_none() {
            drift.samples.baseline_rows = known.rows.unwrap_or_default();
        }
        drift.samples.odd.clone_from(&self.odd);
        (violations, drift)
    }

    /// The texts of `statistics.json` and `constraints.json`.
    pub fn texts(&self) -> (String, String) {
        (pretty(&self.statistics.to_json()), pretty(&self.constraints.to_json()))
    }

    /// Writes the documents of a baseline.
    ///
    /// # Errors
    /// No record has ground truth, or a file can't be written.
    pub fn write_baseline(&self, target: &Path) -> Result<(), Error> {
        match &self.ground_truth {
            Some(truth) if self.metrics().rows == 0 => Err(Error::Unusable(format!(
                "none of the {} records has ground truth, and a baseline needs some: look at the ids of both{}",
                truth.records,
                first_of(&self.skipped),
            ))),
            _ => self.write(target),
        }
    }

    fn write(&self, target: &Path) -> Result<(), Error> {
        let (statistics, constraints) = self.texts();
        folder::write(target, folder::STATISTICS, statistics.as_bytes())?;
        folder::write(target, folder::CONSTRAINTS, constraints.as_bytes())?;
        if self.predictions.statistics.rows > 0 {
            let Baseline {
                statistics,
                constraints,
                ..
            } = &self.predictions;
            folder::write(target, folder::PREDICTION_STATISTICS, statistics.to_text().as_bytes())?;
            folder::write(target, folder::PREDICTION_CONSTRAINTS, constraints.to_text().as_bytes())?;
        }
        Ok(())
    }

    /// Writes the documents of a check.
    ///
    /// # Errors
    /// A file can't be written.
    pub fn write_checked(&self, target: &Path, violations: &Violations, drift: &Drift) -> Result<(), Error> {
        self.write(target)?;
        folder::write(target, folder::VIOLATIONS, violations.to_text().as_bytes())?;
        folder::write_drift(target, drift)
    }

    /// The outcome without a baseline, which says whether there are enough rows.
    pub fn outcome_alone(&self, rules: &Rules) -> Outcome {
        if self.metrics().rows < rules.settings.minimum_rows {
            Outcome::InsufficientData
        } else {
            Outcome::Clean
        }
    }
}

/// A note about the first row that was left out, for the end of a sentence.
fn first_of(skipped: &[Skipped]) -> String {
    let first = skipped.first();
    first
        .map(|it| format!("; the first that is left out: {}", it.first))
        .unwrap_or_default()
}

fn no_constraints(like: &Constraints) -> Constraints {
    Constraints {
        features: Vec::new(),
        monitoring: like.monitoring.clone(),
    }
}
