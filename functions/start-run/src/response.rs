//! The answer to a call.

use contracts::{Manifest, RunId};
use serde::Serialize;

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Response {
    /// In a word.
    pub outcome: Outcome,
    /// The run; none when it did not come to one.
    pub run_id: Option<RunId>,
    /// The execution, once started.
    pub execution_arn: Option<String>,
    /// Why nothing was started.
    pub reason: Option<String>,
    /// What a call that may start several runs has started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Started>,
}

/// One of several runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Started {
    /// The use case.
    pub use_case: String,
    /// The model, of a monitoring run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The run.
    pub run_id: RunId,
}

/// What became of a call, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The execution runs.
    Started,
    /// The same object version has been started or refused before.
    Duplicate,
    /// The drop can't be used; people were told.
    Refused,
    /// The file waits for a champion.
    Waiting,
    /// The run waits until another training run of the use case has ended.
    Queued,
    /// A newer run was started while it was queued.
    Overtaken,
    /// The ground truth will be joined.
    Accepted,
    /// The held candidate is rejected.
    Rejected,
    /// The model is being looked at.
    Busy,
    /// There is nothing to do: the object is no drop, the document leaves it to people, nothing is due.
    Ignored,
}

impl Response {
    pub(crate) fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            run_id: None,
            execution_arn: None,
            reason: None,
            runs: Vec::new(),
        }
    }

    pub(crate) fn ignored(reason: String) -> Self {
        Self {
            reason: Some(reason),
            ..Self::of(Outcome::Ignored)
        }
    }

    pub(crate) fn duplicate(manifest: Manifest) -> Self {
        Self {
            run_id: Some(manifest.run_id),
            execution_arn: manifest.execution_arn,
            reason: manifest.reason,
            ..Self::of(Outcome::Duplicate)
        }
    }

    pub(crate) fn started(run_id: RunId, execution_arn: String) -> Self {
        Self {
            run_id: Some(run_id),
            execution_arn: Some(execution_arn),
            ..Self::of(Outcome::Started)
        }
    }

    /// The answer to a call that may start several runs; one run alone is the answer itself, too.
    pub(crate) fn several(runs: Vec<Started>, nothing: &str) -> Self {
        let Some(first) = runs.first() else {
            return Self::ignored(nothing.to_owned());
        };
        let run_id = (runs.len() == 1).then(|| first.run_id.clone());
        let started = runs.iter().any(|run| run.outcome == Outcome::Started);
        let outcome = if started { Outcome::Started } else { first.outcome };
        Self {
            run_id,
            runs,
            ..Self::of(outcome)
        }
    }
}
