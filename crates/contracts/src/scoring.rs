//! Batch scoring: the plan of a run, and the summary at its end.
//!
//! The rows on their way: `prepare_scoring.py` writes row id, carried columns and raw columns, without a header; each
//! model's transform job returns row id, carried columns and prediction; `drivetrain-combine` merges the results.

use crate::failure::Caught;
use crate::plan::{ModelRun, Preprocess};
use crate::run::RunId;
use crate::unreadable::Unreadable;
use crate::use_case::UseCase;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

pub use crate::use_case::{input_filter, output_filter};

/// The file next to the models' answers with the outcomes of their jobs: a list of [`Outcome`].
pub const OUTCOMES: &str = "outcomes.json";

/// The input of an execution of the batch-scoring machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoringPlan {
    /// Name of the stack that runs it.
    pub stack: String,
    /// The use case.
    pub use_case: String,
    /// The run.
    pub run_id: RunId,
    /// The bucket for all data and documents.
    pub bucket: String,
    /// Version of the document that the run uses.
    pub config_version: String,
    /// The job that orders columns, gives rows their ids, and sets bad rows aside.
    pub preprocess: Preprocess,
    /// Where the machine stores the outcomes of the models' jobs for the last job to read; see [`Outcome`].
    #[serde(default)]
    pub outcomes_key: String,
    /// The models that had a champion when the run began, each handled by one branch of the machine's Map.
    pub models: Vec<ScoringModel>,
    /// The job that combines their answers, in the same form as `preprocess`.
    pub combine: Preprocess,
}

/// One model's branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoringModel {
    /// The model and the run.
    pub run: ModelRun,
    /// Name of the transform job, without the retry.
    pub job_name: String,
    /// Version of the champion.
    pub champion: RunId,
    /// Name of the champion's SageMaker model, the inference pipeline.
    pub model_name: String,
    /// CreateTransformJob without name: ModelName, TransformInput, TransformOutput, TransformResources, DataProcessing,
    /// BatchStrategy, MaxPayloadInMB, ModelClientConfig, Tags.
    pub request: Value,
}

/// The input of `drivetrain-combine`: `runs/<run_id>/code/scoring.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CombineJob {
    /// The run. Row ids are `<run_id>#<row>`, with rows counted from 0 in the dropped file.
    pub run_id: RunId,
    /// The use-case document.
    pub document: UseCase,
    /// When the run was claimed, which is used as the time of its predictions.
    pub scored_at: jiff::Timestamp,
    /// The champions that score, by model.
    pub models: BTreeMap<String, ScoringChampion>,
    /// Largest number of rows in one request to the models; see [`crate::payload`]. Absent in jobs written before it
    /// was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows_per_part: Option<u64>,
}

/// Outcome of a model's job: an entry of `scores/outcomes.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The model.
    pub model: String,
    /// The error that the machine has caught, if the job failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Caught>,
}

/// A champion that takes part in a scoring run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoringChampion {
    /// The run that exported it, which is its version.
    pub version: RunId,
    /// The endpoint configuration under which its answers are kept for monitoring.
    pub endpoint_config: String,
}

/// `scored/<run_id>/summary.json`: the counts of the file's rows. Written last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoringSummary {
    /// The run.
    pub run_id: RunId,
    /// Name of the dropped file.
    pub file: String,
    /// Number of rows read.
    pub rows: u64,
    /// Number of rows scored: the lines of the scored file below its header.
    pub scored: u64,
    /// Number of rows set aside: the lines of `rejects.csv` below its header. `rows` is `scored + rejected`.
    pub rejected: u64,
    /// Reasons why rows were set aside, with the number of rows of each, most frequent first.
    pub reasons: Vec<(String, u64)>,
    /// Values that couldn't be read, by column, most first. Their rows are set aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<Unreadable>,
    /// Versions of the champions, by model.
    pub models: BTreeMap<String, RunId>,
    /// Models of the document that did not take part, or failed; the combined value is then that of the other models.
    pub absent: Vec<String>,
    /// The reason for each absent model, by model; empty in runs from before it was recorded.
    #[serde(default)]
    pub absent_because: BTreeMap<String, String>,
}
