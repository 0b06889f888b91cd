//! What a promotion is for: runs and promotions both say it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a promotion is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A candidate that the gate held becomes the champion.
    Approve,
    /// A former champion becomes the champion again.
    Rollback,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Approve => "approve",
            Self::Rollback => "rollback",
        })
    }
}
