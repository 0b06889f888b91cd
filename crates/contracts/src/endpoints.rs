//! What ticks have found out about endpoints that are not as they should be.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long an unused endpoint is kept: a schema change may be reverted, or a model may have been removed by mistake.
pub const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// `platform/endpoints.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Unused endpoints, by name.
    #[serde(default)]
    pub unread: BTreeMap<String, Unread>,
    /// Endpoints that didn't serve their champion, by name.
    #[serde(default)]
    pub astray: BTreeMap<String, Astray>,
}

/// An endpoint that serves no champion of any document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Use case, from its tag.
    pub use_case: String,
    /// Model, from its tag.
    pub model: String,
    /// When this was first seen, and people were notified of it.
    pub since: Timestamp,
}

impl Unread {
    /// When the endpoint is retired.
    pub fn until(&self) -> Timestamp {
        self.since + GRACE
    }
}

/// An endpoint that does not serve its champion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Astray {
    /// What was found instead of the champion; people are notified again when this changes.
    pub found: String,
    /// Number of attempts to restore the endpoint.
    pub tries: u32,
    /// Whether people were notified that it can't be restored.
    pub given_up: bool,
}
