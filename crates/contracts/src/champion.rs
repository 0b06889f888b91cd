//! The champion: the model version that is exported and serving.

use crate::run::RunId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `use-cases/<use-case>/models/<model>/champion.json`: the truth about what serves, written last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Champion {
    /// Its use case.
    pub use_case: String,
    /// Its model.
    pub model: String,
    /// The run that trained it; also its version.
    pub run_id: RunId,
    /// The document's version that the run went by.
    pub config_version: String,
    /// The image of its algorithm.
    pub image: String,
    /// The training job.
    pub training_job: String,
    /// The inference pipeline.
    pub model_name: String,
    /// The endpoint that serves it.
    pub endpoint_name: String,
    /// The configuration that the endpoint was verified on.
    pub endpoint_config: String,
    /// Its production variant.
    pub variant_name: String,
    /// Of the raw columns; see `UseCase::schema_hash`.
    pub schema_hash: String,
    /// The raw columns, in the order of the pipeline's rows.
    pub columns: Vec<String>,
    /// On the holdout of its run, in the target's unit.
    pub holdout_rmse: f64,
    /// Rows of that holdout.
    pub holdout_rows: u64,
    /// When it was exported.
    pub exported_at: Timestamp,
    /// The champion before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<RunId>,
}

/// The parameter `champion` of a model: what readers of Parameter Store need of `champion.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChampionMirror {
    /// The run that trained it.
    pub version: RunId,
    /// The endpoint that serves it.
    pub endpoint_name: String,
    /// The configuration that the endpoint was verified on.
    pub endpoint_config: String,
    /// The inference pipeline.
    pub model_name: String,
}

impl From<&Champion> for ChampionMirror {
    fn from(champion: &Champion) -> Self {
        Self {
            version: champion.run_id.clone(),
            endpoint_name: champion.endpoint_name.clone(),
            endpoint_config: champion.endpoint_config.clone(),
            model_name: champion.model_name.clone(),
        }
    }
}
