//! Promotions: an existing candidate becomes the champion because a person asks for it, without training.
//!
//! A promotion is a run of the training machine that starts at the baselines. Its plan holds a [`CandidateRecord`] with
//! everything known about the candidate, so that the run needs no document of the run that trained it.

use crate::champion::{Baselines, Champion};
use crate::places::{self, RunPlaces};
use crate::run::RunId;
use crate::words;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::action::Action;

/// A person's statement about a candidate or former champion: which one, who made it, and why. Whether it asks for the
/// promotion or for the rejection is said elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// The use case.
    pub use_case: String,
    /// The model.
    pub model: String,
    /// The run that made the candidate or former champion.
    pub run_id: RunId,
    /// Who decides.
    pub by: String,
    /// The reason given.
    pub reason: String,
}

/// A promotion: what is promoted, what it replaces, who asked for it, and why. Part of a model's plan and of the
/// decision of its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promotion {
    /// Purpose of the promotion.
    pub action: Action,
    /// Who asked for it.
    pub by: String,
    /// The reason given.
    pub reason: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// The version that was champion at the time of the request and is to be replaced; none when there was none.
    pub replaces: Option<RunId>,
    /// Whether to replace the champion even if it has changed by then.
    pub anyway: bool,
    /// The candidate to promote.
    pub candidate: CandidateRecord,
}

/// Everything known about a candidate, whichever run trained it: the content of `champion.json` without the endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateRecord {
    /// The run that trained it.
    pub trained_by: RunId,
    /// Image of its algorithm.
    pub image: String,
    /// Name of its training job.
    pub training_job: String,
    /// Name of its SageMaker model, the inference pipeline.
    pub model_name: String,
    /// Hash of the raw columns.
    pub schema_hash: String,
    /// The raw columns, in the order of the pipeline's rows.
    pub columns: Vec<String>,
    /// RMSE on the holdout of the run that trained it, in the target's unit.
    pub holdout_rmse: f64,
    /// Number of rows of that holdout.
    pub holdout_rows: u64,
    /// Folder (`s3://bucket/…/`) of the holdout that later candidates are judged on as well.
    pub holdout: String,
    /// RMSE on that holdout of the champion of the run that made it, in the target's unit.
    pub holdout_reference_rmse: f64,
    /// The baselines that its live data is compared with; none if they are still to be made, or were never made.
    pub baselines: Option<Baselines>,
}

impl CandidateRecord {
    /// The record of a present or former champion whose documents are in `bucket`.
    pub fn of_champion(champion: &Champion, bucket: &str) -> Self {
        let trained_by = champion.trained_by();
        let of_its_run = || {
            let places = RunPlaces {
                use_case: &champion.use_case,
                run_id: trained_by,
            };
            places::uri(bucket, &places.data("holdout"))
        };
        Self {
            trained_by: trained_by.clone(),
            image: champion.image.clone(),
            training_job: champion.training_job.clone(),
            model_name: champion.model_name.clone(),
            schema_hash: champion.schema_hash.clone(),
            columns: champion.columns.clone(),
            holdout_rmse: champion.holdout_rmse,
            holdout_rows: champion.holdout_rows,
            holdout: champion.holdout.clone().unwrap_or_else(of_its_run),
            holdout_reference_rmse: champion.holdout_reference_rmse.unwrap_or(champion.holdout_rmse),
            baselines: champion.baselines.clone(),
        }
    }
}

/// Who asked for a promotion, and who had it run again after it had failed, for notices: `anna; run again by lee`.
pub fn asked_by(by: &str, rerun_by: Option<&str>) -> String {
    match rerun_by {
        Some(again) => format!("{}; run again by {}", words::name(by), words::name(again)),
        None => words::name(by),
    }
}

/// `use-cases/<use-case>/models/<model>/promotion.json`: the last promotion of a model that was requested. Written
/// conditionally, so that two simultaneous requests for the same promotion start one run, on behalf of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionClaim {
    /// Purpose of the promotion.
    pub action: Action,
    /// The run of the candidate or former champion to promote.
    pub from_run: RunId,
    /// The version that was champion at the time of the request.
    pub replaces: Option<RunId>,
    /// The run that carries the promotion out.
    pub run_id: RunId,
    /// When it was asked for.
    pub at: Timestamp,
    /// The person who asked for it; none in claims from before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Word>,
    /// Whether to replace the champion even if it has changed.
    #[serde(default)]
    pub anyway: bool,
}
