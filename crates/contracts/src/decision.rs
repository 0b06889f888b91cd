//! The decision of a run on a model, and the reasons for it.

use crate::failure::Failure;
use crate::plan::ModelRun;
use crate::promotion::{Action, CandidateRecord};
use crate::run::RunId;
use crate::words;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `runs/<run_id>/decisions/<model>.json`. Steps add to it during the run; it ends with a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The model and run that the decision is about.
    #[serde(flatten)]
    pub run: ModelRun,
    /// The final verdict; none while the run is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Verdict>,
    /// Reason in one sentence for people, with the numbers that decided.
    pub reason: String,
    /// Result of the threshold check: is the metric under the threshold?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdCheck>,
    /// Result of the comparison: is the candidate better than the champion?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// The candidate as it was compared, kept so that a held candidate can still become the champion; none before the
    /// comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<CandidateMade>,
    /// What a person decided about the candidate: approval or rejection of a held one. In the run of a promotion, the
    /// request for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// The promotion that this run carries out; none in other runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promoted: Option<CandidateRecord>,
    /// The error, when the verdict is `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// What the endpoint serves, in one sentence for people. Written when a run ends without an export after it has
    /// touched the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serves: Option<String>,
    /// When the notice of a rejection was sent; a repeated call of that step sends no second one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified_at: Option<Timestamp>,
    /// Time of the last change.
    pub decided_at: Timestamp,
}

/// How the run ended for a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The candidate is now the champion.
    Exported,
    /// The candidate's metric is not under the threshold.
    RejectedThreshold,
    /// The candidate is no better than the champion.
    RejectedChampion,
    /// The candidate is no better than the naive baseline.
    RejectedNaive,
    /// There is doubt, or the document asks for approval: a person decides.
    Held,
    /// The candidate was held, and a person has rejected it.
    RejectedByPerson,
    /// The champion of a newer run was exported first.
    Superseded,
    /// A step failed; the champion is unchanged.
    Failed,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Exported => "exported",
            Self::RejectedThreshold => "rejected-threshold",
            Self::RejectedChampion => "rejected-champion",
            Self::RejectedNaive => "rejected-naive",
            Self::Held => "held",
            Self::RejectedByPerson => "rejected-by-person",
            Self::Superseded => "superseded",
            Self::Failed => "failed",
        })
    }
}

/// A candidate that has been compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateMade {
    /// Name of its SageMaker model, the inference pipeline.
    pub model_name: String,
    /// Name of its training job.
    pub training_job: String,
    /// URI prefix of its scores of the holdout of its run.
    pub scores_uri: String,
    /// Folder of the holdout that later candidates are judged on as well; absent: the holdout of its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<String>,
    /// RMSE on that holdout of the champion of the run that made it; absent: the candidate's own RMSE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout_reference_rmse: Option<f64>,
}

/// A person's decision about a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What was decided.
    pub action: ApprovalAction,
    /// Who decided.
    pub by: String,
    /// The reason given.
    pub reason: String,
    /// When it was decided.
    pub at: Timestamp,
    /// The promotion that carries the decision out; none for a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

/// What a person can decide about a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalAction {
    /// The held candidate becomes the champion.
    Approve,
    /// The held candidate does not become the champion.
    Reject,
    /// A former champion becomes the champion again.
    Rollback,
}

impl fmt::Display for ApprovalAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Rollback => "rollback",
        })
    }
}

impl From<Action> for ApprovalAction {
    fn from(action: Action) -> Self {
        match action {
            Action::Approve => Self::Approve,
            Action::Rollback => Self::Rollback,
        }
    }
}

/// Result of the threshold check: is the metric under the threshold?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdCheck {
    /// The metric's name, as SageMaker reports it.
    pub metric: String,
    /// The metric's value in the target's unit; none when training diverged.
    pub value_rmse: Option<f64>,
    /// The value that it must be under, in the target's unit.
    pub threshold_rmse: f64,
    /// Whether the metric is under the threshold.
    pub passed: bool,
}

/// Result of the comparison of candidate and champion, on the holdout of this run and on the champion's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The candidate's RMSE on the holdout of this run.
    pub candidate_rmse: Option<f64>,
    /// The champion's RMSE on the same rows; none when there is no champion or it can't be scored.
    pub champion_rmse: Option<f64>,
    /// The run that made the champion.
    pub champion_run_id: Option<crate::RunId>,
    /// Number of rows of the holdout.
    pub holdout_rows: u64,
    /// Number of different rows of the holdout: copies of a row count once. The chance and the gate's minimum go by it.
    /// None in decisions from before it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_rows: Option<u64>,
    /// Share of the champion's RMSE by which the candidate had to be better.
    pub min_improvement: f64,
    /// Probability that a candidate no better than the champion looks at least this much better on this number of
    /// different rows; none when there is nothing to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// Results of both on the champion's own holdout; none when they were not scored on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champions_holdout: Option<ChampionsHoldout>,
    /// RMSE of the naive baseline on the holdout of this run; where there are two baselines, of the better one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub naive_rmse: Option<f64>,
    /// Doubts: why the numbers may not mean what they seem to, one sentence each. People are notified of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// Remarks for people that are no doubts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether the candidate wins. A winner about which there are doubts may still be held.
    pub passed: bool,
}

/// Results of candidate and champion on the champion's own holdout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChampionsHoldout {
    /// Folder of the holdout.
    pub place: String,
    /// Number of its rows.
    pub rows: u64,
    /// Number of its different rows: copies of a row count once. None in decisions from before it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_rows: Option<u64>,
    /// The candidate's RMSE.
    pub candidate_rmse: f64,
    /// The champion's RMSE on the same rows.
    pub champion_rmse: f64,
    /// RMSE on this holdout of the champion of the run that made it.
    pub reference_rmse: f64,
    /// Share of the champion's RMSE by which the candidate may be worse.
    pub max_regression: f64,
}

/// Number of rows as text: `860 rows`, or `860 rows, 43 different` where there are copies among them.
pub fn rows_in_words(rows: u64, distinct: Option<u64>) -> String {
    let all = words::counted(rows, "row", "rows");
    match distinct.filter(|distinct| *distinct != rows) {
        Some(distinct) => format!("{all}, {} different", words::count(distinct)),
        None => all,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_told_where_there_are_any() {
        assert_eq!(rows_in_words(860, Some(43)), "860 rows, 43 different");
        assert_eq!(rows_in_words(1_860, Some(1_860)), "1860 rows");
        assert_eq!(rows_in_words(1, None), "1 row");
    }
}
