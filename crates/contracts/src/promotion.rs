//! Promotions: a candidate that is there already becomes the champion because somebody says so, without training.
//!
//! A promotion is a run of the training machine from the baselines on. Its plan holds a [`CandidateRecord`], which says
//! all that is known of the candidate, so that the run needs no document of the run that trained it.

use crate::champion::{Baselines, Champion};
use crate::places::{self, RunPlaces};
use crate::run::RunId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use crate::action::Action;

/// What somebody says of a candidate or former champion: which one, who says it, and why. What is said is another's: that
/// it becomes the champion, or that it doesn't.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Word {
    /// The use case.
    pub use_case: String,
    /// The model.
    pub model: String,
    /// The run of the candidate or former champion.
    pub run_id: RunId,
    /// Who decides.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A promotion: of what, in whose place, by whom and why. A model's plan holds it, and the decision of its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promotion {
    /// What it is for.
    pub action: Action,
    /// Who asked for it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// The champion of that time, which it takes the place of; none when there was none.
    pub replaces: Option<RunId>,
    /// Whether it takes the place of whichever champion there is by then.
    pub anyway: bool,
    /// What is promoted.
    pub candidate: CandidateRecord,
}

/// All that is known of a candidate, whoever has trained it: what `champion.json` says of it, without its endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateRecord {
    /// The run that trained it.
    pub trained_by: RunId,
    /// The image of its algorithm.
    pub image: String,
    /// The training job.
    pub training_job: String,
    /// The inference pipeline.
    pub model_name: String,
    /// Of the raw columns.
    pub schema_hash: String,
    /// The raw columns, in the order of the pipeline's rows.
    pub columns: Vec<String>,
    /// On the holdout of the run that trained it, in the target's unit.
    pub holdout_rmse: f64,
    /// Rows of that holdout.
    pub holdout_rows: u64,
    /// The folder (`s3://bucket/…/`) of the holdout that later candidates are judged on as well.
    pub holdout: String,
    /// What was reached on it by the champion of the run that made it.
    pub holdout_reference_rmse: f64,
    /// What its live data is compared with; none when they are still to be made, or were never made.
    pub baselines: Option<Baselines>,
}

impl CandidateRecord {
    /// Of a present or former champion, whose documents lie in `bucket`.
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

/// `use-cases/<use-case>/models/<model>/promotion.json`: the promotion of a model that was asked for last. Written on
/// condition, so that the same promotion asked for twice at once is one run, which carries one person's word out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionClaim {
    /// What it is for.
    pub action: Action,
    /// The run of the candidate or former champion that was named.
    pub from_run: RunId,
    /// The champion of that time.
    pub replaces: Option<RunId>,
    /// Its run.
    pub run_id: RunId,
    /// When it was asked for.
    pub at: Timestamp,
    /// Whose word it carries out; none in claims from before it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word: Option<Word>,
    /// Whether that takes the place of whichever champion there is.
    #[serde(default)]
    pub anyway: bool,
}
