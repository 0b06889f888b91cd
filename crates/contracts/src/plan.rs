//! The plan: the fully resolved input of an execution.
//!
//! start-run makes it; the state machine only appends the retry count to names. Fragments of AWS requests are
//! kept in AWS's own form (PascalCase), so that a state passes them on as they are.

use crate::champion::Baselines;
use crate::promotion::Promotion;
use crate::run::RunId;
use crate::use_case::{Gate, Metric};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The input of an execution of the training machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
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
    /// The processing job; a promotion has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocess: Option<Preprocess>,
    /// A branch of the machine's Map each.
    pub models: Vec<ModelPlan>,
}

/// The processing job that cleans, splits and fits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocess {
    /// The job's name, without the retry.
    pub job_name: String,
    /// CreateProcessingJob without name and role: AppSpecification, ProcessingInputs, ProcessingOutputConfig,
    /// ProcessingResources, StoppingCondition, Tags.
    pub request: Value,
}

/// Which model of which run: what every step of a branch is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRun {
    /// The bucket of everything.
    pub bucket: String,
    /// The use case.
    pub use_case: String,
    /// The model.
    pub model: String,
    /// The run.
    pub run_id: RunId,
}

impl ModelRun {
    /// The places of the run.
    pub fn places(&self) -> crate::places::RunPlaces<'_> {
        crate::places::RunPlaces {
            use_case: &self.use_case,
            run_id: &self.run_id,
        }
    }
}

/// One model's branch. It holds all that the branch needs, so that no path of it can be missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelPlan {
    /// Which model of which run.
    pub run: ModelRun,
    /// The document's version that the run goes by.
    pub config_version: String,
    /// Under which onboarding of the use case the run was claimed, see [`crate::ConfigPointer`]; empty where that has none.
    /// Under another it exports nothing.
    #[serde(default)]
    pub onboarding: String,
    /// Names without the retry.
    pub names: Names,
    /// The raw columns, in the order of the pipeline's rows.
    pub columns: Vec<String>,
    /// Of the raw columns.
    pub schema_hash: String,
    /// The image of the algorithm.
    pub image: String,
    /// The training metric that the threshold is for.
    pub metric: Metric,
    /// A candidate whose metric is not under this is rejected.
    pub threshold_rmse: f64,
    /// The rules that candidate and champion are compared by.
    pub gate: Gate,
    /// Whether drift has started the run.
    pub started_by_drift: bool,
    /// CreateTrainingJob without name and role: AlgorithmSpecification, HyperParameters, InputDataConfig,
    /// OutputDataConfig, ResourceConfig, StoppingCondition.
    pub training: Value,
    /// The containers of the inference pipeline.
    pub pipeline: Pipeline,
    /// CreateTransformJob without name, model and output place: TransformInput, TransformResources,
    /// DataProcessing, BatchStrategy, MaxPayloadInMB.
    pub holdout: Value,
    /// Where the candidate's scores of the holdout go.
    pub candidate_scores_uri: String,
    /// Where the champion's go.
    pub champion_scores_uri: String,
    /// The jobs that make the candidate's baselines.
    pub baselines: BaselineJobs,
    /// The endpoint.
    pub endpoint: EndpointPlan,
    /// The promotion that it is for; a branch without one trains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
    /// What a promotion has in the place of what training, saving and comparing leave.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    /// The run that trained the candidate: this one, but in a promotion.
    pub trained_by: RunId,
    /// Stack, use case, model and run, as AWS tags.
    pub tags: Value,
}

/// What the states of the machine that a promotion leaves out would have left, under the names that they give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Of TrainModel.
    pub trained: Trained,
    /// Of SaveModel.
    pub saved: Saved,
    /// Of CompareWithChampion.
    pub comparison: Compared,
}

/// What training left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trained {
    /// The training job.
    pub training_job: String,
}

/// What saving the model left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The inference pipeline.
    pub model_name: String,
}

/// What the comparison left of the candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// Its RMSE on the holdout of the run that trained it.
    pub candidate_rmse: f64,
    /// Rows of that holdout.
    pub holdout_rows: u64,
    /// The folder of the holdout that later candidates are judged on as well.
    pub holdout: String,
    /// What was reached on it by the champion of the run that made it.
    pub holdout_reference_rmse: f64,
}

/// Names of a branch, without the retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The training job.
    pub training_job: String,
    /// The inference pipeline.
    pub model: String,
    /// The transform job of the candidate.
    pub candidate_scores: String,
    /// The transform job of the champion.
    pub champion_scores: String,
    /// The processing job of the baseline of the raw columns.
    pub data_baseline: String,
    /// The processing job of the baseline of the predictions.
    pub quality_baseline: String,
    /// The endpoint configuration.
    pub endpoint_config: String,
}

/// The containers of the inference pipeline, in order; the algorithm's model is known once it is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Image, ModelDataUrl, Environment.
    pub transformer: Value,
    /// Image, Environment.
    pub algorithm: Value,
    /// Whether the algorithm answers JSON, and a normaliser follows.
    pub normalise: bool,
    /// Image, ModelDataUrl, Environment.
    pub normaliser: Value,
}

/// What the analyzer makes of a candidate, in jobs of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineJobs {
    /// CreateProcessingJob without name, role and tags: AppSpecification, Environment, ProcessingInputs,
    /// ProcessingOutputConfig, ProcessingResources, StoppingCondition. Reads the raw columns of the training rows.
    pub data: Value,
    /// The same; reads the candidate's scores of the holdout.
    pub quality: Value,
    /// Where both write, as the champion names it; null where a promotion's candidate has none and gets none.
    pub places: Option<Baselines>,
    /// Whether they are there already, and no job is needed.
    #[serde(default)]
    pub made: bool,
}

/// The endpoint of a branch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EndpointPlan {
    /// Its name.
    pub name: String,
    /// Its production variant.
    pub variant_name: String,
    /// The instance type.
    pub instance_type: String,
    /// How many instances to begin with.
    pub instance_count: u32,
    /// `s3://bucket/<use-case>/capture`; the machine appends the configuration's name.
    pub capture_uri: String,
    /// Per cent of the requests that are captured.
    pub sampling_percent: u8,
    /// Seconds between two looks at an endpoint that is being made or updated: start-run's `ENDPOINT_POLL_SECONDS`.
    pub poll_seconds: u32,
    /// Whether the endpoint scales.
    pub scales: bool,
    /// Application Auto Scaling's resource id, `endpoint/<name>/variant/<variant>`.
    pub scaling_resource_id: String,
    /// Fewest instances.
    pub min_instances: u32,
    /// Most instances.
    pub max_instances: u32,
    /// A TargetTrackingScalingPolicyConfiguration.
    pub scaling_policy: Value,
}
