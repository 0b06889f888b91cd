//! The answers.

use crate::rules::{Action, Endpoint, Ruling};
use serde::Serialize;

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To a run.
    Look(Look),
    /// To the tick.
    Reconciled(Reconciled),
    /// To somebody who has stored a use case's document.
    Onboarded(Onboarded),
    /// To somebody who removes a use case.
    Offboarded(Offboarded),
}

/// What to do next. Every key is always there, so that every path of the machine exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Look {
    /// What to do.
    pub action: Action,
    /// Why, in one sentence for people.
    pub reason: String,
    /// The endpoint's status; empty when there is none or nobody looked.
    pub endpoint_status: String,
    /// Whether the scaling target must go before the update: the instance type changes.
    pub deregister_scaling: bool,
    /// Whether the way back to the champion was begun.
    pub begun: bool,
}

impl Look {
    pub(crate) fn of(action: Action, reason: String) -> Self {
        Self {
            action,
            reason,
            endpoint_status: String::new(),
            deregister_scaling: false,
            begun: false,
        }
    }

    pub(crate) fn at(ruling: Ruling, endpoint: Option<&Endpoint>) -> Self {
        Self {
            endpoint_status: endpoint.map_or_else(String::new, |endpoint| endpoint.status.as_str().to_owned()),
            ..Self::of(ruling.action, ruling.reason)
        }
    }
}

/// What a tick has done; endpoints by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reconciled {
    /// Those that were not their champion's, and are on their way back.
    pub mended: Vec<String>,
    /// Those that can't be brought back.
    pub stuck: Vec<String>,
    /// Those that nobody reads, for the first time.
    pub unread: Vec<String>,
    /// Those that were deleted, since nobody has read them for long enough.
    pub retired: Vec<String>,
}

/// How the endpoints stand that don't serve their champions, a sentence each. Those that do are not named.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Onboarded {
    /// Those that a step towards their champion was taken for: made, updated, or deleted to be made.
    pub begun: Vec<String>,
    /// Those that are being deleted: they can be made when they are gone. Worth another call soon.
    pub deleting: Vec<String>,
    /// Those that are on their way somewhere, or held by a run.
    pub moving: Vec<String>,
    /// Those that can't be brought there: the tick tries again, and tells.
    pub stuck: Vec<String>,
}

/// What became of the endpoints of a use case that was removed, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Offboarded {
    /// Those that were deleted, with their scaling.
    pub deleted: Vec<String>,
    /// Those that stay: a run holds the lease, or SageMaker refuses while the endpoint is on its way somewhere.
    pub held: Vec<String>,
}
