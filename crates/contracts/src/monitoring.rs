//! Monitoring: the plan of a run, the bookmark, and what consolidation says of a window.
//!
//! A *window* is what one monitoring run of one model looks at: the records captured under one endpoint configuration
//! since the last window, so that all of them were answered by one champion. Windows are numbered by the bookmark; a
//! run that fails leaves its window open, and the next run makes it again, with what has come since.

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
    /// The stack that runs it.
    pub stack: String,
    /// Which model of which run. `run_id` is that of the monitoring run.
    pub run: ModelRun,
    /// The document's version that the run goes by.
    pub config_version: String,
    /// The time of the tick.
    pub tick: Timestamp,
    /// What ConsolidateCaptures goes by.
    pub rules: WindowRules,
    /// The processing jobs' names, without the retry.
    pub names: MonitorNames,
    /// The analyzer's image.
    pub image: String,
    /// ProcessingResources of the jobs.
    pub resources: Value,
    /// StoppingCondition of the jobs.
    pub stopping: Value,
    /// Of the window's folder: `s3://bucket/<use-case>/monitoring/<model>/<run_id>`, without a slash at its end.
    pub folder_uri: String,
    /// `minimum_rows`, as the text that a job's environment takes.
    pub minimum_rows: String,
    /// Stack, use case, model and run, as AWS tags.
    pub tags: Value,
}

/// What a window is made by; see [`crate::use_case::Monitoring`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowRules {
    /// Fewer new records than this wait.
    pub minimum_rows: u64,
    /// But no longer than so many minutes.
    pub patience_minutes: u32,
    /// How long predictions and their ground truth wait for each other.
    pub ground_truth_days: u32,
    /// The target's name: the last column of labelled rows.
    pub target: String,
    /// How ground truth is read.
    #[serde(default)]
    pub labels: LabelRules,
}

/// How ground truth is read: as the document says that files are written, within the bounds that training rows have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LabelRules {
    /// How files are written.
    pub input: Input,
    /// The smallest label that counts.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// The largest file, once decompressed.
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
    /// Those of a document.
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

    /// Whether training would keep a row with that label.
    pub fn admit(&self, label: f64) -> bool {
        self.min.is_none_or(|min| label >= min) && self.max.is_none_or(|max| label <= max)
    }
}

/// The names of a monitoring run's jobs, without the retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MonitorNames {
    /// Live data against its baseline.
    pub data_drift: String,
    /// Live errors against theirs.
    pub model_drift: String,
}

/// What ConsolidateCaptures answers, and `window.json`. Every key is always there, so that every path of the machine
/// exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Which model of which run.
    pub run: ModelRun,
    /// The window's number, from 0.
    pub number: u64,
    /// When it was opened: when the window before it was made. The day of its reporting files.
    pub from: Timestamp,
    /// When it was made.
    pub to: Timestamp,
    /// Whether there is anything to analyse.
    pub payload: Payload,
    /// Whether the new captures are too many for the function: the Glue job consolidates `sources_uri`.
    pub oversize: bool,
    /// Whether there are new records: `data_uri` is written.
    pub has_data: bool,
    /// Whether ground truth has come: `quality_uri` is written.
    pub has_ground_truth: bool,
    /// Whether `baselines` names folders.
    pub has_baselines: bool,
    /// The endpoint configuration that all records were answered under; empty when there are none.
    pub endpoint_config: String,
    /// The version of the champion of that configuration; null when there are no records.
    pub champion: Option<RunId>,
    /// What the records are compared with; empty texts where the champion has none.
    pub baselines: Baselines,
    /// New capture files.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// New records, one a predicted row.
    pub records: u64,
    /// Of those, by scoring runs.
    pub batch_records: u64,
    /// Lines or rows that were left out: reason, kind, count and the first place.
    pub skipped: Vec<crate::drift::Skipped>,
    /// What became of ground truth.
    pub ground_truth: Joined,
    /// Folder of CSV with header: the raw columns and `prediction`.
    pub data_uri: String,
    /// Folder of CSV without header: id, label, prediction.
    pub quality_uri: String,
    /// The explicit list of capture files: see [`Sources`].
    pub sources_uri: String,
    /// The scoring runs among the records.
    pub scoring_runs: Vec<RunId>,
    /// Whether another endpoint configuration has new records: the next tick looks at once.
    pub more: bool,
}

/// Whether there is anything to analyse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Payload {
    /// No new record, no new ground truth.
    None,
    /// Too few: they wait for others.
    Waiting,
    /// Enough, or they have waited long enough.
    Ready,
}

/// What became of ground truth in a window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// Labels that were looked at: new ones, and those that waited.
    pub labels: u64,
    /// Lines of new files that were looked at, those that hold no label and those that were joined before among them.
    #[serde(default)]
    pub read: u64,
    /// Labels that found their prediction: rows of `quality_uri`.
    pub joined: u64,
    /// Of those, labels of rows that had another label in a window before: its row in reporting is taken out.
    #[serde(default)]
    pub corrected: u64,
    /// Labels that wait for a prediction of theirs.
    pub waiting: u64,
    /// Labels whose prediction never came in the document's time; they are let go.
    pub expired: u64,
    /// Predictions of the model within the document's days, this window's included: what labels could come for.
    pub predictions: u64,
    /// Whether there are more labels than a window takes: the next one goes on.
    #[serde(default)]
    pub more: bool,
}

/// A dropped version of ground truth, and what was said of it: it lies in the folder of those accepted or of those
/// refused, and what has been said of a version once is not said again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroundTruthFile {
    /// Of 1.
    pub format: u32,
    /// The version.
    pub object: ObjectVersion,
    /// Why it was refused; none where it was accepted.
    #[serde(default)]
    pub reason: Option<String>,
    /// What to do then.
    #[serde(default)]
    pub remedy: Option<String>,
    /// When.
    pub judged_at: Timestamp,
    /// Whether people were told, of one that was refused; false while the notice is being sent.
    #[serde(default)]
    pub told: bool,
}

/// `sources.json`: the capture files of a window, in the order in which they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sources {
    /// Of 1.
    pub format: u32,
    /// The model that answered.
    pub model: String,
    /// Its champion of the time.
    pub champion: RunId,
    /// That champion's endpoint configuration.
    pub endpoint_config: String,
    /// The champion's raw columns, in the order of captured rows.
    pub columns: Vec<String>,
    /// The files.
    pub files: Vec<SourceFile>,
}

/// A capture file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// `s3://bucket/key`.
    pub uri: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written.
    pub last_modified: Timestamp,
}

/// `bookmark.json` of a model: what has been analysed. Committed only when a run has succeeded, on condition that it is
/// as the run has found it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bookmark {
    /// Of 1.
    pub format: u32,
    /// The number of the window that is open: how many were committed.
    pub next_window: u64,
    /// When that window was opened.
    pub opened_at: Timestamp,
    /// Files written at this time or before count as analysed (whatever is newer must stand in `seen` to count).
    pub horizon: Timestamp,
    /// Capture files newer than the horizon that have been analysed: their keys, without that of the folder
    /// `<use-case>/capture/`.
    pub seen: BTreeSet<String>,
    /// The same for ground truth: the names of [`GroundTruthFile`]s that were accepted.
    pub ground_truth_seen: BTreeSet<String>,
    /// The same horizon for ground truth.
    pub ground_truth_horizon: Timestamp,
    /// Whether ground truth goes by what was accepted. Bookmarks from before have seen the files themselves.
    #[serde(default)]
    pub ground_truth_accepted: bool,
    /// How far the file has been read that had more labels than a window takes.
    #[serde(default)]
    pub ground_truth_begun: Option<Begun>,
    /// Labels that wait for their prediction: a key of the bucket; none when there are none.
    #[serde(default)]
    pub waiting_labels: Option<String>,
    /// Whether some of them are for predictions of committed windows, of another endpoint configuration than the last
    /// window's: only then they are looked for among these again.
    #[serde(default)]
    pub labels_elsewhere: bool,
    /// Committed windows whose predictions may still get ground truth and that are not in `index`, the oldest first:
    /// bookmarks from before there was one have all of them here.
    pub windows: Vec<PastWindow>,
    /// Where the predictions and labels of committed windows are found again.
    #[serde(default)]
    pub index: Vec<IndexPart>,
    /// Predictions of the windows in `index`, by the day (UTC) on which a window was made.
    #[serde(default)]
    pub predictions: BTreeMap<jiff::civil::Date, u64>,
    /// Whether another endpoint configuration has new records.
    pub more: bool,
    /// The run that committed it; none before the first.
    #[serde(default)]
    pub committed_by: Option<RunId>,
}

/// A file of ground truth that is read in more than one window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// As in `ground_truth_seen`.
    pub name: String,
    /// Rows that have been read.
    pub rows: u64,
}

/// A part of a model's index: of some committed windows, which rows lie in which of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexPart {
    /// The key of its entries, in the order of their hashes.
    pub entries_key: String,
    /// The key of its windows, JSON lines of [`PastWindow`].
    pub windows_key: String,
    /// How many entries.
    pub entries: u64,
    /// How often its entries were merged from smaller parts.
    pub level: u32,
    /// When the newest of its windows was made.
    pub newest: Timestamp,
    /// Whose predictions are in it.
    pub champions: BTreeSet<RunId>,
}

/// A committed window.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastWindow {
    /// Its number.
    pub number: u64,
    /// The run that committed it.
    pub run_id: RunId,
    /// When it was opened: the day of its reporting files. None in bookmarks from before there was an index.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// When it was made.
    pub to: Timestamp,
    /// What its records were answered under.
    pub endpoint_config: String,
    /// The champion of that configuration.
    pub champion: RunId,
    /// Its records.
    pub records: u64,
    /// Where they lie: the key of a folder of [`crate::reporting::PredictionRow`]s.
    pub records_key: String,
}

/// `watch.json` of a model: the monitoring run that was started last. Written on condition, so that of two ticks at once
/// one starts a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// The run.
    pub run_id: RunId,
    /// The tick that started it.
    pub tick: Timestamp,
    /// Its execution, once started.
    #[serde(default)]
    pub execution_arn: Option<String>,
}

/// `finding.json` of a model: what people were last told, so that they hear of an unchanged finding once a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What makes a finding this finding: outcome, champion, and the drifted features with their decisive distances'
    /// names, but not their values.
    pub fingerprint: String,
    /// The run that told it.
    pub run_id: RunId,
    /// When.
    pub told_at: Timestamp,
    /// Whether the notice is out; false while it is being sent.
    pub sent: bool,
}

/// `retrainings.json` of a use case: the runs that drift has started in the last 7 days, the newest last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retrainings {
    /// When each was started.
    pub runs: BTreeMap<String, Timestamp>,
}

/// The detail of the event `Drift Detected` (source `drivetrain`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DriftDetected {
    /// The stack.
    pub stack: String,
    /// The use case.
    pub use_case: String,
    /// The model.
    pub model: String,
    /// The monitoring run that found it.
    pub run_id: RunId,
    /// The champion that drifted.
    pub champion: RunId,
    /// When its window was made.
    pub found_at: Timestamp,
    /// `data`, `model` or both.
    pub kinds: Vec<String>,
    /// The drifted features, the worst first, at most 10.
    pub top_features: Vec<String>,
    /// The quality metrics that are worse than on the holdout.
    #[serde(default)]
    pub drifted_metrics: Vec<String>,
}
