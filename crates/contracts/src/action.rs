//! The purpose of a promotion, named by both runs and promotions.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The purpose of a promotion.
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
