//! The plan: the fully resolved input of an execution.
//!
//! start-run makes it; the state machine only appends the retry count to names. Fragments of AWS requests keep the form
//! that AWS gives them (PascalCase), so that a state passes them on unchanged.

use crate::champion::Baselines;
use crate::promotion::Promotion;
use crate::run::RunId;
use crate::use_case::{Gate, Metric};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The input of an execution of the training machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
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
    /// The preprocessing job; none in a promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocess: Option<Preprocess>,
    /// The models, each handled by one branch of the machine's Map.
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

/// A model and a run: passed to every step of a branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelRun {
    /// The bucket for all data and documents.
    pub bucket: String,
    /// The use case.
    pub use_case: String,
    /// The model.
    pub model: String,
    /// The run.
    pub run_id: RunId,
}

impl ModelRun {
    /// The keys of the run's documents and folders.
    pub fn places(&self) -> crate::places::RunPlaces<'_> {
        crate::places::RunPlaces {
            use_case: &self.use_case,
            run_id: &self.run_id,
        }
    }
}

/// One model's branch. It holds everything that the branch needs, so that every JSON path of it resolves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelPlan {
    /// The model and the run.
    pub run: ModelRun,
    /// Version of the document that the run uses.
    pub config_version: String,
    /// Id of the onboarding of the use case under which the run was claimed, see [`crate::ConfigPointer`]; empty if the
    /// pointer has none. After another onboarding the run exports nothing.
    #[serde(default)]
    pub onboarding: String,
    /// Names of the branch's resources, without the retry.
    pub names: Names,
    /// The raw columns, in the order of the pipeline's rows.
    pub columns: Vec<String>,
    /// Hash of the raw columns.
    pub schema_hash: String,
    /// Image of the algorithm.
    pub image: String,
    /// The training metric that the threshold applies to.
    pub metric: Metric,
    /// Threshold in the target's unit: a candidate whose metric is not under it is rejected.
    pub threshold_rmse: f64,
    /// The rules for comparing candidate and champion.
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
    /// Where the candidate's scores of the holdout are written.
    pub candidate_scores_uri: String,
    /// Where the champion's scores of the holdout are written.
    pub champion_scores_uri: String,
    /// The jobs that make the candidate's baselines.
    pub baselines: BaselineJobs,
    /// The endpoint.
    pub endpoint: EndpointPlan,
    /// The promotion that the branch carries out; a branch without one trains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
    /// For a promotion, the results that training, saving and comparing would have left.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub made: Option<Made>,
    /// The run that trained the candidate: this run, except in a promotion.
    pub trained_by: RunId,
    /// Stack, use case, model and run, as AWS tags.
    pub tags: Value,
}

/// The results of the states that a promotion skips, under the names that the machine gives them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Made {
    /// Result of TrainModel.
    pub trained: Trained,
    /// Result of SaveModel.
    pub saved: Saved,
    /// Result of CompareWithChampion.
    pub comparison: Compared,
}

/// The result of training.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trained {
    /// Name of the training job.
    pub training_job: String,
}

/// The result of saving the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Name of the SageMaker model, the inference pipeline.
    pub model_name: String,
}

/// The result of the comparison, as far as it describes the candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// RMSE on the holdout of the run that trained it, in the target's unit.
    pub candidate_rmse: f64,
    /// Number of rows of that holdout.
    pub holdout_rows: u64,
    /// Folder of the holdout that later candidates are judged on as well.
    pub holdout: String,
    /// RMSE on that holdout of the champion of the run that made it, in the target's unit.
    pub holdout_reference_rmse: f64,
}

/// Names of a branch's resources, without the retry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The training job.
    pub training_job: String,
    /// The SageMaker model, which is the inference pipeline.
    pub model: String,
    /// The transform job that scores the holdout with the candidate.
    pub candidate_scores: String,
    /// The transform job that scores the holdout with the champion.
    pub champion_scores: String,
    /// The processing job that makes the baseline of the raw columns.
    pub data_baseline: String,
    /// The processing job that makes the baseline of the predictions.
    pub quality_baseline: String,
    /// The endpoint configuration.
    pub endpoint_config: String,
}

/// The containers of the inference pipeline, in order. The URI of the algorithm's model is known only after training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Image, ModelDataUrl and Environment.
    pub transformer: Value,
    /// Image and Environment.
    pub algorithm: Value,
    /// Whether the algorithm answers JSON, so that a normaliser follows it.
    pub normalise: bool,
    /// Image, ModelDataUrl and Environment.
    pub normaliser: Value,
}

/// The analyzer's jobs for a candidate, one for each baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BaselineJobs {
    /// The job that reads the raw columns of the training rows: CreateProcessingJob without name, role and tags, which
    /// leaves AppSpecification, Environment, ProcessingInputs, ProcessingOutputConfig, ProcessingResources,
    /// StoppingCondition.
    pub data: Value,
    /// The job that reads the candidate's scores of the holdout, in the same form.
    pub quality: Value,
    /// Where both jobs write, as the champion names it; null for a promotion whose candidate has no baselines and gets
    /// none.
    pub places: Option<Baselines>,
    /// Whether the baselines exist already, so that no job is needed.
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
    /// Number of instances at the start.
    pub instance_count: u32,
    /// URI for captures: `s3://bucket/<use-case>/capture`; the machine appends the configuration's name.
    pub capture_uri: String,
    /// Percentage of the requests that are captured.
    pub sampling_percent: u8,
    /// Seconds between two checks of an endpoint that is being created or updated: start-run's `ENDPOINT_POLL_SECONDS`.
    pub poll_seconds: u32,
    /// Whether the endpoint scales automatically.
    pub scales: bool,
    /// Resource id for Application Auto Scaling, `endpoint/<name>/variant/<variant>`.
    pub scaling_resource_id: String,
    /// Smallest number of instances.
    pub min_instances: u32,
    /// Largest number of instances.
    pub max_instances: u32,
    /// A TargetTrackingScalingPolicyConfiguration.
    pub scaling_policy: Value,
}
