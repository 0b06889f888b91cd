//! Batch scoring: the plan of a run, and what it says of its end.
//!
//! Rows on the way: `prepare_scoring.py` writes, without header, row id, carried columns, raw columns; each model's
//! transform job answers row id, carried columns, prediction; `drivetrain-combine` puts them together again.

use crate::failure::Caught;
use crate::plan::{ModelRun, Preprocess};
use crate::run::RunId;
use crate::unreadable::Unreadable;
use crate::use_case::UseCase;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub use crate::use_case::{input_filter, output_filter};

/// The file beside the models' answers that says what became of their jobs: a list of [`Outcome`].
pub const OUTCOMES: &str = "outcomes.json";

/// The input of an execution of the batch-scoring machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoringPlan {
    /// The stack that runs it.
    pub stack: String,
    /// Its use case.
    pub use_case: String,
    /// The run.
    pub run_id: RunId,
    /// The bucket of everything.
    pub bucket: String,
    /// The document's version that the run goes by.
    pub config_version: String,
    /// Orders columns, gives rows their ids, puts bad rows aside.
    pub preprocess: Preprocess,
    /// Where the machine keeps what became of the models' jobs, for the last job to read; see [`Outcome`].
    #[serde(default)]
    pub outcomes_key: String,
    /// A branch of the machine's Map each: the models that had a champion when the run began.
    pub models: Vec<ScoringModel>,
    /// Combines what they answered; the same form as `preprocess`.
    pub combine: Preprocess,
}

/// One model's branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoringModel {
    /// Which model of which run.
    pub run: ModelRun,
    /// The transform job's name, without the retry.
    pub job_name: String,
    /// The champion's version.
    pub champion: RunId,
    /// The champion's inference pipeline.
    pub model_name: String,
    /// CreateTransformJob without name: ModelName, TransformInput, TransformOutput, TransformResources, DataProcessing,
    /// BatchStrategy, MaxPayloadInMB, ModelClientConfig, Tags.
    pub request: Value,
}

/// What `drivetrain-combine` is told: `runs/<run_id>/code/scoring.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CombineJob {
    /// The run; row ids are `<run_id>#<row>`, rows counted from 0 in the dropped file.
    pub run_id: RunId,
    /// The document.
    pub document: UseCase,
    /// When the run was claimed: the time of its predictions.
    pub scored_at: jiff::Timestamp,
    /// The champions that score, by model.
    pub models: BTreeMap<String, ScoringChampion>,
    /// The most rows of a file that the models are asked with; see [`crate::payload`]. Jobs written before it was counted
    /// don't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_per_part: Option<u64>,
}

/// What became of a model's job: an entry of `scores/outcomes.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The model.
    pub model: String,
    /// What the machine has caught, where the job has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Caught>,
}

/// A champion of a scoring run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoringChampion {
    /// Its run.
    pub version: RunId,
    /// Its endpoint configuration, under which its answers are kept for monitoring.
    pub endpoint_config: String,
}

/// `scored/<run_id>/summary.json`: what became of the file's rows. Written last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoringSummary {
    /// The run.
    pub run_id: RunId,
    /// The dropped file's name.
    pub file: String,
    /// Rows read.
    pub rows: u64,
    /// Rows scored: lines of the scored file below its header.
    pub scored: u64,
    /// Rows set aside: lines of `rejects.csv` below its header. `rows` is `scored + rejected`.
    pub rejected: u64,
    /// Why rows were set aside: reason and rows, the most frequent first.
    pub reasons: Vec<(String, u64)>,
    /// Values that didn't read, by column, most first. Their rows are set aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// The champions' versions, by model.
    pub models: BTreeMap<String, RunId>,
    /// Models of the document that did not take part, or failed; the combined value is then of the others.
    pub absent: Vec<String>,
    /// Why, by model; runs before it was told have none.
    #[serde(default)]
    pub absent_because: BTreeMap<String, String>,
}
