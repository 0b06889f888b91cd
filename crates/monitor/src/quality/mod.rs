//! Metrics of predictions against ground truth, as in the contract's model-quality analysis.
//!
//! The input is records, the output documents: `capture` reads the lines of captured data, `merge` joins them with
//! ground truth, `attribute` and `pair` find prediction and ground truth in a record, `accumulate` and the three
//! problem types keep what the metrics need, `statistics` and `constraints` are the contract's files.
//!
//! Other modules handle files, compression and threads (`read`), the text form of documents (`documents::text`), and
//! the decision whether a violation is drift (`drift`).

pub mod accumulate;
pub mod attribute;
pub mod binary;
pub mod capture;
pub mod constraints;
pub mod csv;
pub mod merge;
pub mod metrics;
pub mod multiclass;
pub mod pair;
pub mod regression;
pub mod sampling;
pub mod skipped;
pub mod statistics;

pub use accumulate::Accumulator;
pub use attribute::Attribute;
pub use capture::CaptureRecord;
pub use constraints::{QualityConstraints, quality, violations};
pub use merge::{GroundTruthIndex, Merge};
pub use metrics::{Metric, Metrics};
pub use pair::{Attributes, Pair};
pub use skipped::Skips;
pub use statistics::QualityStatistics;

use std::str::FromStr;

/// The kind of value that a model predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemType {
    /// A number.
    Regression,
    /// One of the classes 0 and 1.
    BinaryClassification,
    /// One of several classes.
    MulticlassClassification,
}

impl ProblemType {
    /// Name in the contract: `Regression`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regression => "Regression",
            Self::BinaryClassification => "BinaryClassification",
            Self::MulticlassClassification => "MulticlassClassification",
        }
    }

    /// The member of `statistics.json` that holds the metrics.
    pub fn metrics_key(self) -> &'static str {
        match self {
            Self::Regression => "regression_metrics",
            Self::BinaryClassification => "binary_classification_metrics",
            Self::MulticlassClassification => "multiclass_classification_metrics",
        }
    }

    /// The member of `constraints.json` that holds the constraints.
    pub fn constraints_key(self) -> &'static str {
        match self {
            Self::Regression => "regression_constraints",
            Self::BinaryClassification => "binary_classification_constraints",
            Self::MulticlassClassification => "multiclass_classification_constraints",
        }
    }

    /// All problem types.
    pub(crate) const ALL: [Self; 3] = [
        Self::Regression,
        Self::BinaryClassification,
        Self::MulticlassClassification,
    ];
}

impl FromStr for ProblemType {
    type Err = UnknownProblemType;

    /// Parses the contract's name, ignoring case.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|problem| problem.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownProblemType(text.to_owned()))
    }
}

/// A problem type that the contract does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("problem_type {0:?} is not Regression, BinaryClassification or MulticlassClassification")]
pub struct UnknownProblemType(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_types_are_read_in_any_case() {
        for problem in ProblemType::ALL {
            assert_eq!(problem.as_str().to_lowercase().parse(), Ok(problem));
        }
        let error = "Ranking".parse::<ProblemType>().unwrap_err();
        assert!(error.to_string().contains("\"Ranking\""));
    }
}
