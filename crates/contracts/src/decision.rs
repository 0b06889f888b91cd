//! What a run decided on a model, and why.

use crate::failure::Failure;
use crate::plan::ModelRun;
use crate::promotion::{Action, CandidateRecord};
use crate::run::RunId;
use crate::words;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `runs/<run_id>/decisions/<model>.json`; grows as the run goes on, ends with a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Which model of which run.
    #[serde(flatten)]
    pub run: ModelRun,
    /// The end of it; none while the run goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Verdict>,
    /// One sentence for people: what decided, with the numbers.
    pub reason: String,
    /// The first question: is the metric under the threshold?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<ThresholdCheck>,
    /// The second question: is the candidate better than the champion?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// What was compared, so that a candidate that was held can still become the champion; none before the comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<CandidateMade>,
    /// What somebody decided on the candidate: the approval or rejection of a held one, or, in the run of a promotion,
    /// what it was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// What is promoted, in the run of a promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promoted: Option<CandidateRecord>,
    /// What failed, when the verdict is `failed`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Failure>,
    /// What the endpoint serves, in one sentence for people; written on the way out of a run that has touched it and has
    /// exported nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serves: Option<String>,
    /// When people were told of a rejection; a second call of that step tells nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notified_at: Option<Timestamp>,
    /// Of the last change.
    pub decided_at: Timestamp,
}

/// The end of a model's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The candidate is the champion.
    Exported,
    /// Its metric is not under the threshold.
    RejectedThreshold,
    /// It is no better than the champion.
    RejectedChampion,
    /// It is no better than the naive baseline.
    RejectedNaive,
    /// There is doubt, or the document asks for approval: people decide.
    Held,
    /// It was held, and somebody has rejected it.
    RejectedByPerson,
    /// A newer run's champion was there first.
    Superseded,
    /// A step failed; the champion is as it was.
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

/// A candidate that was compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateMade {
    /// The inference pipeline.
    pub model_name: String,
    /// The training job.
    pub training_job: String,
    /// Its scores of the holdout of its run: what begins with this.
    pub scores_uri: String,
    /// The folder of the holdout that later candidates are judged on as well; absent: that of its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<String>,
    /// What was reached on it by the champion of the run that made it; absent: what the candidate has reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout_reference_rmse: Option<f64>,
}

/// What somebody decided on a candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// What.
    pub action: ApprovalAction,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// The promotion that carries it out; none of a rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
}

/// What somebody decides on a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalAction {
    /// A held candidate becomes the champion.
    Approve,
    /// A held candidate does not.
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

/// Is the metric under the threshold?
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ThresholdCheck {
    /// The metric's name, as SageMaker reports it.
    pub metric: String,
    /// Its value in the target's unit; none when training diverged.
    pub value_rmse: Option<f64>,
    /// What it must be under.
    pub threshold_rmse: f64,
    /// Whether it is.
    pub passed: bool,
}

/// Is the candidate better than the champion? Both on the holdout of this run, and on the champion's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The candidate's RMSE on the holdout of this run.
    pub candidate_rmse: Option<f64>,
    /// The champion's on the same rows; none when there is no champion or it can't be scored.
    pub champion_rmse: Option<f64>,
    /// The champion's run.
    pub champion_run_id: Option<crate::RunId>,
    /// Rows of the holdout.
    pub holdout_rows: u64,
    /// Those of them that are no copies of another: what the chance and the gate's least number go by; none in decisions
    /// of before they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_rows: Option<u64>,
    /// Share of the champion's RMSE that the candidate had to be better by.
    pub min_improvement: f64,
    /// The chance that a candidate no better than the champion looks at least as much better on so many different rows;
    /// none when there is nothing to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// What both reached on the champion's own holdout; none when they were not scored on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub champions_holdout: Option<ChampionsHoldout>,
    /// The RMSE of the naive baseline on the holdout of this run: of the better one where there are two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub naive_rmse: Option<f64>,
    /// Why the numbers may not mean what they seem to, a sentence each. People are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
    /// What is told beside, and is no doubt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Whether the candidate wins. With doubts it may be held all the same.
    pub passed: bool,
}

/// Candidate and champion on the champion's own holdout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChampionsHoldout {
    /// Its folder.
    pub place: String,
    /// Its rows.
    pub rows: u64,
    /// Those of them that are no copies of another; none in decisions of before they were counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct_rows: Option<u64>,
    /// The candidate's RMSE.
    pub candidate_rmse: f64,
    /// The champion's on the same rows.
    pub champion_rmse: f64,
    /// What the champion of the run that made this holdout has reached on it.
    pub reference_rmse: f64,
    /// Share of the champion's RMSE that the candidate may be worse by.
    pub max_regression: f64,
}

/// `860 rows`, and `860 rows, 43 different` where copies are among them.
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
