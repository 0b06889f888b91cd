//! Monitoring: the plan of a run, the bookmark, and the result of consolidating a window.
//!
//! A *window* is what one monitoring run of one model looks at: the records captured under one endpoint configuration
//! since the last window, so that all of them were answered by one champion. Windows are numbered by the bookmark. A
//! run that fails leaves its window open; the next run makes the window again, together with the records that have
//! arrived since.

use crate::champion::Baselines;
use crate::plan::ModelRun;
use crate::run::{ObjectVersion, RunId};
use crate::use_case::{Input, UseCase};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The input of an execution of the monitoring machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MonitorPlan {
    /// Name of the stack that runs it.
    pub stack: String,
    /// The model and the monitoring run.
    pub run: ModelRun,
    /// Version of the document that the run uses.
    pub config_version: String,
    /// The time of the tick.
    pub tick: Timestamp,
    /// The rules for ConsolidateCaptures.
    pub rules: WindowRules,
    /// Names of the processing jobs, without the retry.
    pub names: MonitorNames,
    /// Image of the analyzer.
    pub image: String,
    /// ProcessingResources of the jobs.
    pub resources: Value,
    /// StoppingCondition of the jobs.
    pub stopping: Value,
    /// URI of the window's folder: `s3://bucket/<use-case>/monitoring/<model>/<run_id>`, without a slash at its end.
    pub folder_uri: String,
    /// `minimum_rows` as text, for the environment of a job.
    pub minimum_rows: String,
    /// Stack, use case, model and run, as AWS tags.
    pub tags: Value,
}

/// The rules by which a window is made; see [`crate::use_case::Monitoring`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowRules {
    /// Smallest number of new records to analyse: fewer wait for more.
    pub minimum_rows: u64,
    /// Longest time that they wait, in minutes.
    pub patience_minutes: u32,
    /// How long predictions and their ground truth wait for each other, in days.
    pub ground_truth_days: u32,
    /// Name of the target, which is the last column of labelled rows.
    pub target: String,
    /// How ground truth is read.
    #[serde(default)]
    pub labels: LabelRules,
}

/// How ground truth is read: in the file format that the document gives, within the same bounds as training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LabelRules {
    /// Format of the files.
    pub input: Input,
    /// The smallest label that is accepted.
    pub min: Option<f64>,
    /// The largest label that is accepted.
    pub max: Option<f64>,
    /// Size limit of a file in bytes, after decompression.
    pub max_bytes: u64,
}

impl Default for LabelRules {
    fn default() -> Self {
        Self {
            input: Input::default(),
            min: None,
            max: None,
            max_bytes: u64::MAX,
        }
    }
}

impl LabelRules {
    /// The rules that a document gives.
    pub fn of(document: &UseCase) -> Self {
        let rules = || {
            document
                .cleaning
                .rules
                .iter()
                .filter(|rule| rule.column == document.target.name)
        };
        Self {
            input: document.input.clone(),
            min: rules().filter_map(|rule| rule.min).reduce(f64::max),
            max: rules().filter_map(|rule| rule.max).reduce(f64::min),
            max_bytes: document.drops.max_bytes,
        }
    }

    /// Whether training would keep a row with this label.
    pub fn admit(&self, label: f64) -> bool {
        self.min.is_none_or(|min| label >= min) && self.max.is_none_or(|max| label <= max)
    }
}

/// The names of a monitoring run's jobs, without the retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorNames {
    /// The job that compares live data with its baseline.
    pub data_drift: String,
    /// The job that compares live errors with their baseline.
    pub model_drift: String,
}

/// What ConsolidateCaptures returns, and the content of `window.json`. Every key is always present, because the state
/// machine refers to each of them by path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The model and the monitoring run.
    pub run: ModelRun,
    /// The window's number, from 0.
    pub number: u64,
    /// When the window was opened, which is when the window before it was made. Its reporting files are stored under
    /// this day.
    pub from: Timestamp,
    /// When the window was made.
    pub to: Timestamp,
    /// Whether there is anything to analyse.
    pub payload: Payload,
    /// Whether the new captures are too large for the function, so that the Glue job consolidates `sources_uri`.
    pub oversize: bool,
    /// Whether there are new records, so that `data_uri` is written.
    pub has_data: bool,
    /// Whether there is new ground truth, so that `quality_uri` is written.
    pub has_ground_truth: bool,
    /// Whether `baselines` names folders.
    pub has_baselines: bool,
    /// The endpoint configuration that all records were answered under; empty when there are none.
    pub endpoint_config: String,
    /// The version of the champion of that configuration; null when there are no records.
    pub champion: Option<RunId>,
    /// The baselines that the records are compared with; empty texts when the champion has none.
    pub baselines: Baselines,
    /// Number of new capture files.
    pub files: u64,
    /// Their total size.
    pub bytes: u64,
    /// Number of new records, one for each predicted row.
    pub records: u64,
    /// Number of those records that scoring runs have made.
    pub batch_records: u64,
    /// Lines or rows that were left out: reason, kind, count and first place.
    pub skipped: Vec<crate::drift::Skipped>,
    /// What became of the ground truth.
    pub ground_truth: Joined,
    /// Folder of CSV files with a header: the raw columns and `prediction`.
    pub data_uri: String,
    /// Folder of CSV files without a header: id, label, prediction.
    pub quality_uri: String,
    /// The explicit list of capture files: see [`Sources`].
    pub sources_uri: String,
    /// The scoring runs among the records.
    pub scoring_runs: Vec<RunId>,
    /// Whether another endpoint configuration has new records, so that the next tick looks at once.
    pub more: bool,
}

/// Whether a window has anything to analyse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// No new records and no new ground truth.
    None,
    /// Too few records: they wait for more.
    Waiting,
    /// Enough records, or they have waited long enough.
    Ready,
}

/// What became of ground truth in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Labels that were processed: new ones, and those that had waited.
    pub labels: u64,
    /// Lines of new files that were read, including those that hold no label and those that were joined before.
    #[serde(default)]
    pub read: u64,
    /// Labels that were matched with their prediction: the rows of `quality_uri`.
    pub joined: u64,
    /// Labels among them that correct the label of an earlier window; the reporting row of that window is removed.
    #[serde(default)]
    pub corrected: u64,
    /// Labels that still wait for their prediction.
    pub waiting: u64,
    /// Labels that were discarded because their prediction didn't arrive within the document's time.
    pub expired: u64,
    /// Predictions of the model within the document's days, including this window: those that labels could come for.
    pub predictions: u64,
    /// Whether there are more labels than one window takes: the next window continues with them.
    #[serde(default)]
    pub more: bool,
}

/// A dropped version of ground truth and the verdict on it. It is kept in the folder of accepted or of refused
/// versions; once a version has a verdict, it gets no other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroundTruthFile {
    /// Version of the format, 1.
    pub format: u32,
    /// The object version that was dropped.
    pub object: ObjectVersion,
    /// Why it was refused; none if it was accepted.
    #[serde(default)]
    pub reason: Option<String>,
    /// What to do about a refusal.
    #[serde(default)]
    pub remedy: Option<String>,
    /// When the verdict was given.
    pub judged_at: Timestamp,
    /// For a refused version, whether people were notified; false while the notice is being sent.
    #[serde(default)]
    pub told: bool,
}

/// `sources.json`: the capture files of a window, in the order in which they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// Version of the format, 1.
    pub format: u32,
    /// The model that answered.
    pub model: String,
    /// The version of the champion that answered.
    pub champion: RunId,
    /// That champion's endpoint configuration.
    pub endpoint_config: String,
    /// The champion's raw columns, in the order of captured rows.
    pub columns: Vec<String>,
    /// The files.
    pub files: Vec<SourceFile>,
}

/// One capture file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// `s3://bucket/key`.
    pub uri: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written.
    pub last_modified: Timestamp,
}

/// `bookmark.json` of a model: what has been analysed. A run commits it only when it has succeeded, and only if the
/// bookmark is still as the run found it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bookmark {
    /// Version of the format, 1.
    pub format: u32,
    /// Number of the open window, which is the number of windows committed so far.
    pub next_window: u64,
    /// When that window was opened.
    pub opened_at: Timestamp,
    /// Files written at or before this time count as analysed; newer files count only if they are listed in `seen`.
    pub horizon: Timestamp,
    /// Capture files newer than the horizon that have been analysed, as keys relative to the folder
    /// `<use-case>/capture/`.
    pub seen: BTreeSet<String>,
    /// Ground truth newer than its horizon that has been analysed, as names of accepted [`GroundTruthFile`]s.
    pub ground_truth_seen: BTreeSet<String>,
    /// The horizon of ground truth.
    pub ground_truth_horizon: Timestamp,
    /// Whether `ground_truth_seen` holds names of accepted [`GroundTruthFile`]s; in older bookmarks it holds the
    /// dropped files themselves.
    #[serde(default)]
    pub ground_truth_accepted: bool,
    /// The file that had more labels than one window takes, and how far it has been read.
    #[serde(default)]
    pub ground_truth_begun: Option<Begun>,
    /// Key in the bucket of the labels that wait for their prediction; none when no label waits.
    #[serde(default)]
    pub waiting_labels: Option<String>,
    /// Whether some of the waiting labels are for predictions of committed windows that were made under another
    /// endpoint configuration than the last window. Only then are these windows searched again.
    #[serde(default)]
    pub labels_elsewhere: bool,
    /// Committed windows, oldest first, whose predictions may still get ground truth and that are not in `index`.
    /// Bookmarks from before there was an index have all such windows here.
    pub windows: Vec<PastWindow>,
    /// The index for finding the predictions and labels of committed windows.
    #[serde(default)]
    pub index: Vec<IndexPart>,
    /// Number of predictions of the windows in `index`, by the day (UTC) on which the window was made.
    #[serde(default)]
    pub predictions: BTreeMap<jiff::civil::Date, u64>,
    /// Whether another endpoint configuration has new records.
    pub more: bool,
    /// The run that committed the bookmark; none before the first commit.
    #[serde(default)]
    pub committed_by: Option<RunId>,
}

/// A file of ground truth whose labels are spread over more than one window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// Name, as in `ground_truth_seen`.
    pub name: String,
    /// Number of rows that have been read.
    pub rows: u64,
}

/// One part of a model's index, which says for some committed windows which rows are in which of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexPart {
    /// Key of its entries, sorted by hash.
    pub entries_key: String,
    /// Key of its windows: JSON lines of [`PastWindow`].
    pub windows_key: String,
    /// Number of entries.
    pub entries: u64,
    /// How many times its entries were merged from smaller parts.
    pub level: u32,
    /// When the newest of its windows was made.
    pub newest: Timestamp,
    /// Versions of the champions whose predictions are in it.
    pub champions: BTreeSet<RunId>,
}

/// A committed window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastWindow {
    /// Number of the window.
    pub number: u64,
    /// The run that committed it.
    pub run_id: RunId,
    /// When it was opened; its reporting files are stored under this day. None in bookmarks from before there was an
    /// index.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// When it was made.
    pub to: Timestamp,
    /// The endpoint configuration that its records were answered under.
    pub endpoint_config: String,
    /// The champion of that configuration.
    pub champion: RunId,
    /// Number of records.
    pub records: u64,
    /// Key of the folder with its records, as [`crate::reporting::PredictionRow`]s.
    pub records_key: String,
}

/// `watch.json` of a model: the last monitoring run that was started. Written conditionally, so that only one of two
/// simultaneous ticks starts a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The run.
    pub run_id: RunId,
    /// The tick that started it.
    pub tick: Timestamp,
    /// ARN of its execution, once started.
    #[serde(default)]
    pub execution_arn: Option<String>,
}

/// `finding.json` of a model: the last finding sent to people, so that an unchanged finding is reported once a day
/// only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What identifies the finding: outcome, champion, drifted features and the names of their decisive distances, but
    /// not the values.
    pub fingerprint: String,
    /// The run that reported it.
    pub run_id: RunId,
    /// When it was reported.
    pub told_at: Timestamp,
    /// Whether the notice has been sent; false while it is being sent.
    pub sent: bool,
}

/// `retrainings.json` of a use case: the runs that drift has started in the last 7 days, newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retrainings {
    /// Time at which each run was started.
    pub runs: BTreeMap<String, Timestamp>,
}

/// The detail of the event `Drift Detected` (source `drivetrain`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftDetected {
    /// Name of the stack.
    pub stack: String,
    /// The use case.
    pub use_case: String,
    /// The model.
    pub model: String,
    /// The monitoring run that found the drift.
    pub run_id: RunId,
    /// The champion that drifted.
    pub champion: RunId,
    /// When the window was made.
    pub found_at: Timestamp,
    /// `data`, `model` or both.
    pub kinds: Vec<String>,
    /// The drifted features, worst first, at most 10.
    pub top_features: Vec<String>,
    /// The quality metrics that are worse than on the holdout.
    #[serde(default)]
    pub drifted_metrics: Vec<String>,
}
