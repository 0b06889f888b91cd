//! Rows for queries: JSON lines in partitioned files, see [`crate::places::Table`].
//!
//! Use case and day are parts of a file's key, and columns of the table by that. The model is a part of the key too, but a
//! field of every row: Athena would demand one model of every query otherwise.

use crate::drift::{Distance, Role, Status, Summary};
use crate::places::Table;
use crate::run::RunId;
use crate::{Decision, Window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The model of rows that are of none.
pub const ALL: &str = "all";

/// The day of a partition: that of UTC.
pub fn day(of: Timestamp) -> jiff::civil::Date {
    of.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// What the names of a window's files begin with.
pub fn window_name(number: u64) -> String {
    format!("window-{number:06}")
}

/// Where the drift rows of a window lie. The same window made again writes over them.
pub fn drift_rows(window: &Window) -> String {
    let name = window_name(window.number) + ".jsonl";
    Table::Drift.key(&window.run.use_case, &window.run.model, day(window.from), &name)
}

/// A feature, a prediction or a quality metric in one window. Windows that could not be analysed have one row, with the
/// outcome `error` and no feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftRow {
    /// The model.
    pub model: String,
    /// The window's number.
    pub window: u64,
    /// When it was opened.
    pub window_from: Timestamp,
    /// When it was made.
    pub window_to: Timestamp,
    /// The monitoring run.
    pub run_id: RunId,
    /// The champion that answered; null when it could not be told.
    pub champion: Option<RunId>,
    /// Its endpoint configuration.
    pub endpoint_config: String,
    /// `data`, `quality`, or `window` for one that could not be analysed.
    pub analysis: String,
    /// Of the analysis: `clean`, `drifted`, `insufficient-data`, `error`.
    pub outcome: String,
    /// Why, in one sentence.
    pub reason: String,
    /// The column, `prediction`, or null for a quality metric.
    pub feature: Option<String>,
    /// What it is to the model; null for a quality metric.
    pub role: Option<Role>,
    /// What was found; a quality metric that is violated by more than chance is `drifted`, the others `clean`; of an
    /// analysis of too few rows neither: `insufficient-data`.
    pub status: Option<Status>,
    /// The decisive distance (`psi`, …), or the quality metric's name (`rmse`, …).
    pub metric: Option<String>,
    /// Its value.
    pub distance: Option<f64>,
    /// The value from which on it speaks of drift.
    pub threshold: Option<f64>,
    /// The decisive distance over its threshold; of a quality metric 1 at the threshold and more beyond it.
    pub severity: Option<f64>,
    /// After false-discovery control.
    pub q_value: Option<f64>,
    /// All distances.
    pub distances: Vec<Distance>,
    /// Before.
    pub baseline: Option<Summary>,
    /// After.
    pub current: Option<Summary>,
    /// Rows behind the baseline.
    pub baseline_rows: u64,
    /// Rows analysed.
    pub current_rows: u64,
    /// Rows left out.
    pub skipped_rows: u64,
    /// Predictions within the document's days, and those of them that got ground truth in this window.
    pub predictions: u64,
    /// Labels joined in this window.
    pub labels_joined: u64,
    /// What was analysed: the consolidated rows.
    pub data_uri: String,
    /// The list of capture files that they come from.
    pub sources_uri: String,
    /// The scoring runs among them.
    pub scoring_runs: Vec<RunId>,
    /// The analyzer's report.
    pub report_uri: String,
}

/// One predicted row of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PredictionRow {
    /// The model.
    pub model: String,
    /// `<inference_id>#<row>`: what ground truth names.
    pub id: String,
    /// When it was asked.
    pub time: Timestamp,
    /// The inference id: one batch of rows that were asked at once, or one scoring run.
    pub request: String,
    /// `endpoint` or `batch`.
    pub source: String,
    /// The capture file.
    pub file: String,
    /// The champion that answered.
    pub champion: RunId,
    /// Its endpoint configuration.
    pub endpoint_config: String,
    /// What it answered.
    pub prediction: f64,
    /// The raw columns as they were sent; missing values are left out.
    pub features: BTreeMap<String, String>,
}

/// One prediction whose ground truth has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroundTruthRow {
    /// The model.
    pub model: String,
    /// `<inference_id>#<row>`.
    pub id: String,
    /// When the prediction was asked.
    pub time: Timestamp,
    /// The champion that answered.
    pub champion: RunId,
    /// What it answered.
    pub prediction: f64,
    /// What turned out to be true.
    pub label: f64,
    /// The window in which they were joined.
    pub window: u64,
}

/// One model in one run, or a run of no model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// The model; `all` for a run of no model.
    pub model: String,
    /// The run.
    pub run_id: RunId,
    /// `training`, `promotion`, `scoring`, `monitoring`; `ground-truth` of a refused file. What a person says of a held
    /// candidate is a `promotion`.
    pub kind: String,
    /// What it was started by: `drop`, `drift`, `tick`, `person`.
    pub started_by: String,
    /// The dropped file, the monitoring run whose drift started it, or the run of the candidate that a promotion is of.
    pub source: Option<String>,
    /// How its execution ended: `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED`; `REFUSED` when none was started.
    pub status: String,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
    /// `exported`, `rejected-threshold`, `held`, …; `refused` of what can't be used; null for runs that decide nothing.
    pub decision: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The training metric in the target's unit.
    pub metric_rmse: Option<f64>,
    /// What it had to be under.
    pub threshold_rmse: Option<f64>,
    /// The candidate's on the holdout.
    pub candidate_rmse: Option<f64>,
    /// The champion's on the same rows.
    pub champion_rmse: Option<f64>,
    /// The candidate's on the champion's own holdout.
    #[serde(default)]
    pub candidate_rmse_on_champions: Option<f64>,
    /// The champion's on the same rows.
    #[serde(default)]
    pub champion_rmse_on_champions: Option<f64>,
    /// The naive baseline's on the holdout.
    #[serde(default)]
    pub naive_rmse: Option<f64>,
    /// The champion that it was compared with.
    pub champion: Option<RunId>,
    /// Rows scored, of a scoring run.
    pub scored_rows: Option<u64>,
    /// Rows set aside, of a scoring run.
    pub rejected_rows: Option<u64>,
}

impl RunRow {
    /// A row of no model, without times, decision and figures.
    pub fn new(run_id: RunId, kind: &str, started_by: &str, status: &str) -> Self {
        Self {
            model: ALL.to_owned(),
            run_id,
            kind: kind.to_owned(),
            started_by: started_by.to_owned(),
            source: None,
            status: status.to_owned(),
            started_at: None,
            stopped_at: None,
            decision: None,
            reason: None,
            metric_rmse: None,
            threshold_rmse: None,
            candidate_rmse: None,
            champion_rmse: None,
            candidate_rmse_on_champions: None,
            champion_rmse_on_champions: None,
            naive_rmse: None,
            champion: None,
            scored_rows: None,
            rejected_rows: None,
        }
    }

    /// The same with the figures that a decision was made by.
    #[must_use]
    pub fn judged_by(self, decision: &Decision) -> Self {
        let threshold = decision.threshold.as_ref();
        let comparison = decision.comparison.as_ref();
        let own = comparison.and_then(|comparison| comparison.champions_holdout.as_ref());
        let promoted = decision.promoted.as_ref();
        Self {
            metric_rmse: threshold.and_then(|check| check.value_rmse),
            threshold_rmse: threshold.map(|check| check.threshold_rmse),
            candidate_rmse: comparison
                .and_then(|comparison| comparison.candidate_rmse)
                .or(promoted.map(|promoted| promoted.holdout_rmse)),
            champion_rmse: comparison.and_then(|comparison| comparison.champion_rmse),
            candidate_rmse_on_champions: own.map(|own| own.candidate_rmse),
            champion_rmse_on_champions: own.map(|own| own.champion_rmse),
            naive_rmse: comparison.and_then(|comparison| comparison.naive_rmse),
            champion: comparison.and_then(|comparison| comparison.champion_run_id.clone()),
            ..self
        }
    }
}
