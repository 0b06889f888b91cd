//! The rules of the gate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When a candidate replaces the champion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gate {
    /// Share of the champion's RMSE on the new holdout by which a candidate must be better; 0 means any improvement
    /// beyond chance. A tie keeps the champion.
    pub min_improvement: f64,
    /// Share of the champion's RMSE on the champion's own holdout by which a candidate may be worse.
    pub max_regression: f64,
    /// Minimum number of different rows in a holdout; copies of a row count once. A holdout with fewer decides nothing.
    pub min_holdout_rows: u64,
    /// Whether a candidate must be better than the naive baseline, the median of the target.
    pub beat_naive: bool,
    /// Whether a person is asked before a candidate that has won becomes the champion.
    pub approval: Approval,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            min_improvement: 0.0,
            max_regression: 0.10,
            min_holdout_rows: 100,
            beat_naive: true,
            approval: Approval::OnDoubt,
        }
    }
}

/// When a person is asked before a candidate that has won becomes the champion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Never: people are notified of doubt, and the candidate is exported anyway.
    Never,
    /// When there is doubt: the data or the target is no longer what the champion was trained on.
    #[default]
    OnDoubt,
    /// Always.
    Always,
}
