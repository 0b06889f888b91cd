//! What the gate answers, a form for each step.

use contracts::Verdict;
use serde::{Deserialize, Serialize};

/// The answer, a form for each step. Every key is always there, so that every path of the machine exists.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// Answer to `threshold`.
    Threshold {
        /// Whether the candidate passes.
        passed: bool,
        /// Why, with the numbers.
        reason: String,
    },
    /// Answer to `champion`.
    Champion(Box<ChampionFound>),
    /// Answer to `compare`.
    Compare {
        /// Whether the candidate passes.
        passed: bool,
        /// Why, with the numbers.
        reason: String,
        /// The candidate's RMSE on the holdout of this run.
        candidate_rmse: f64,
        /// The champion's on the same rows; null when there is none or it could not be scored.
        champion_rmse: Option<f64>,
        /// Rows of the holdout.
        holdout_rows: u64,
        /// The folder of the holdout that later candidates will be judged on as well.
        holdout: String,
        /// What was reached on it by the champion of the run that made it.
        holdout_reference_rmse: f64,
    },
    /// Answer to `doubt`.
    Doubt {
        /// Whether people are asked first.
        held: bool,
        /// Why.
        reason: String,
    },
    /// Answer to `promote`.
    Replaced {
        /// ETag of `champion.json`: the export goes through only while it is unchanged. Empty when there is none.
        etag: String,
        /// Whether it is of a newer run: the promotion is out of date.
        superseded: bool,
        /// One sentence for people.
        reason: String,
    },
    /// Answer to the steps that end a model's run.
    Ended {
        /// The model.
        model: String,
        /// Its decision.
        decision: Verdict,
        /// Why.
        reason: String,
    },
}

/// The champion as a run has found it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChampionFound {
    /// Whether there is one.
    pub found: bool,
    /// Whether it can score the candidate's holdout: there is one, with the same raw columns.
    pub comparable: bool,
    /// ETag of `champion.json`: the export goes through only while it is unchanged. Empty when there is none.
    pub etag: String,
    /// Its inference pipeline; empty when there is none.
    pub model_name: String,
    /// Its run; empty when there is none.
    pub run_id: String,
    /// Whether it is of a newer run: the candidate is out of date.
    pub superseded: bool,
    /// The folder of its holdout, which both are scored on as well; empty when they are not.
    pub holdout: String,
    /// What was reached on it by the champion of the run that made it.
    pub holdout_reference_rmse: f64,
    /// The folder of the statistics of its training data; empty when it has none.
    pub data_baseline: String,
    /// The folder of its scores of the holdout of the run that trained it: where the two can't be compared, its labels
    /// tell whether the target is what it was.
    pub own_scores_uri: String,
    /// Why a comparison with it may not mean what it seems to, a sentence each.
    pub doubts: Vec<String>,
    /// One sentence for people.
    pub reason: String,
}
