//! Rows for queries: JSON lines in partitioned files, see [`crate::places::Table`].
//!
//! Use case and day are parts of a file's key, and thereby columns of the table. The model is part of the key too, but
//! also a field of every row: as a partition column, Athena would require every query to name a model.

use crate::drift::{Distance, Role, Status, Summary};
use crate::places::Table;
use crate::run::RunId;
use crate::{Decision, Window};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The model of rows that belong to no model.
pub const ALL: &str = "all";

/// The day of a partition, in UTC.
pub fn day(of: Timestamp) -> jiff::civil::Date {
    of.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// Prefix of the names of a window's files.
pub fn window_name(number: u64) -> String {
    format!("window-{number:06}")
}

/// Key of the drift rows of a window. A window that is made again overwrites them.
pub fn drift_rows(window: &Window) -> String {
    let name = window_name(window.number) + ".jsonl";
    Table::Drift.key(&window.run.use_case, &window.run.model, day(window.from), &name)
}

/// A feature, the prediction or a quality metric in one window. A window that could not be analysed has a single row,
/// with the outcome `error` and without a feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftRow {
    /// The model.
    pub model: String,
    /// Number of the window.
    pub window: u64,
    /// When the window was opened.
    pub window_from: Timestamp,
    /// When the window was made.
    pub window_to: Timestamp,
    /// The monitoring run.
    pub run_id: RunId,
    /// The champion that answered; null if unknown.
    pub champion: Option<RunId>,
    /// Its endpoint configuration.
    pub endpoint_config: String,
    /// `data`, `quality`, or `window` for one that could not be analysed.
    pub analysis: String,
    /// Outcome of the analysis: `clean`, `drifted`, `insufficient-data` or `error`.
    pub outcome: String,
    /// Reason for the outcome, in one sentence.
    pub reason: String,
    /// Name of the column, `prediction`, or null for a quality metric.
    pub feature: Option<String>,
    /// Role of the feature in the model; null for a quality metric.
    pub role: Option<Role>,
    /// The finding. A quality metric is `drifted` when its violation exceeds chance, otherwise `clean`; with too few
    /// rows to analyse it is `insufficient-data`.
    pub status: Option<Status>,
    /// Name of the decisive distance (`psi`, …) or of the quality metric (`rmse`, …).
    pub metric: Option<String>,
    /// Value of that distance or metric.
    pub distance: Option<f64>,
    /// The value at and beyond which it indicates drift.
    pub threshold: Option<f64>,
    /// The decisive distance divided by its threshold. For a quality metric, 1 at the threshold and more beyond it.
    pub severity: Option<f64>,
    /// The q-value, after false-discovery control.
    pub q_value: Option<f64>,
    /// All distances.
    pub distances: Vec<Distance>,
    /// Summary of the baseline.
    pub baseline: Option<Summary>,
    /// Summary of the window.
    pub current: Option<Summary>,
    /// Number of rows of the baseline.
    pub baseline_rows: u64,
    /// Number of rows analysed.
    pub current_rows: u64,
    /// Number of rows left out.
    pub skipped_rows: u64,
    /// Number of predictions within the document's days: those that ground truth could come for.
    pub predictions: u64,
    /// Number of labels joined in this window.
    pub labels_joined: u64,
    /// The consolidated rows that were analysed.
    pub data_uri: String,
    /// The list of capture files that the rows come from.
    pub sources_uri: String,
    /// The scoring runs among the rows.
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
    /// Time of the request.
    pub time: Timestamp,
    /// The inference id, which names one request to an endpoint or one scoring run.
    pub request: String,
    /// `endpoint` or `batch`.
    pub source: String,
    /// The capture file.
    pub file: String,
    /// The champion that answered.
    pub champion: RunId,
    /// Its endpoint configuration.
    pub endpoint_config: String,
    /// The predicted value.
    pub prediction: f64,
    /// The raw columns as they were sent, without missing values.
    pub features: BTreeMap<String, String>,
}

/// One prediction whose ground truth has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroundTruthRow {
    /// The model.
    pub model: String,
    /// `<inference_id>#<row>`.
    pub id: String,
    /// Time of the request.
    pub time: Timestamp,
    /// The champion that answered.
    pub champion: RunId,
    /// The predicted value.
    pub prediction: f64,
    /// The true value.
    pub label: f64,
    /// Number of the window in which both were joined.
    pub window: u64,
}

/// One model in one run, or a run that concerns no single model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// The model; `all` for a run that concerns no single model.
    pub model: String,
    /// The run.
    pub run_id: RunId,
    /// `training`, `promotion`, `scoring` or `monitoring`; `ground-truth` for a refused file. What a person says about a
    /// held candidate is a `promotion`.
    pub kind: String,
    /// What started the run: `drop`, `drift`, `tick` or `person`.
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
    /// Reason for the decision.
    pub reason: Option<String>,
    /// Value of the training metric in the target's unit.
    pub metric_rmse: Option<f64>,
    /// The threshold that it had to be under.
    pub threshold_rmse: Option<f64>,
    /// RMSE of the candidate on the holdout.
    pub candidate_rmse: Option<f64>,
    /// RMSE of the champion on the same rows.
    pub champion_rmse: Option<f64>,
    /// RMSE of the candidate on the champion's own holdout.
    #[serde(default)]
    pub candidate_rmse_on_champions: Option<f64>,
    /// RMSE of the champion on the same rows.
    #[serde(default)]
    pub champion_rmse_on_champions: Option<f64>,
    /// RMSE of the naive baseline on the holdout.
    #[serde(default)]
    pub naive_rmse: Option<f64>,
    /// The champion that it was compared with.
    pub champion: Option<RunId>,
    /// Number of rows scored, for a scoring run.
    pub scored_rows: Option<u64>,
    /// Number of rows set aside, for a scoring run.
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
