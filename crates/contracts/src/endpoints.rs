//! What the tick has seen of endpoints that are not as they should be.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How long an endpoint that nobody reads is kept: a schema may be taken back, a model removed by mistake.
pub const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// `platform/endpoints.json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Endpoints that nobody reads, by name.
    #[serde(default)]
    pub unread: BTreeMap<String, Unread>,
    /// Endpoints that did not serve their champion, by name.
    #[serde(default)]
    pub astray: BTreeMap<String, Astray>,
}

/// An endpoint that is no champion's of any document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unread {
    /// Its use case, by its tag.
    pub use_case: String,
    /// Its model, by its tag.
    pub model: String,
    /// When this was first seen. People were told then.
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
    /// What it was found as: people are told again when this changes.
    pub found: String,
    /// How often it was tried to bring it back.
    pub tries: u32,
    /// Whether people were told that it can't be brought back.
    pub given_up: bool,
}
