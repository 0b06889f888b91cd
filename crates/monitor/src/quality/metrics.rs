//! The common parts of the three problem types: named metrics, the confusion matrix, the curves.

use super::ProblemType;
use super::sampling::{SAMPLES, standard_deviation};

/// All metrics of an analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// The problem type, which determines the metrics.
    pub problem: ProblemType,
    /// Number of rows with prediction and ground truth.
    pub rows: u64,
    /// The metrics, in the order of the contract's file.
    pub values: Vec<Metric>,
    /// The confusion matrix; only for a classification.
    pub confusion: Option<Confusion>,
    /// The curves; only for a binary classification with scores.
    pub curves: Option<Curves>,
}

impl Metrics {
    /// The metric of this name.
    pub fn get(&self, name: &str) -> Option<&Metric> {
        self.values.iter().find(|metric| metric.name == name)
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// Name in the contract's files: `rmse`.
    pub name: &'static str,
    /// Value; NaN if it is not defined on these rows.
    pub value: f64,
    /// Standard deviation over five samples of the rows; NaN if there are too few rows.
    pub standard_deviation: f64,
    /// Standard error of the value, which is its uncertainty due to chance; none if it isn't computed.
    pub standard_error: Option<f64>,
}

/// How often each class was predicted for each true class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// The classes of ground truth and predictions: numbers by value, followed by texts.
    pub classes: Vec<String>,
    /// `counts[label][prediction]`, in the order of `classes`.
    pub counts: Vec<Vec<u64>>,
}

/// Points at every distinct score, from the highest to the lowest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// The x values of the receiver operating characteristic, from 0 to 1, both included.
    pub false_positive_rates: Vec<f64>,
    /// The y values of the receiver operating characteristic, from 0 to 1, both included.
    pub true_positive_rates: Vec<f64>,
    /// The precisions of the precision–recall curve: the first one is repeated at recall 0.
    pub precisions: Vec<f64>,
    /// The recalls of the precision–recall curve, ascending from 0.
    pub recalls: Vec<f64>,
}

/// A share; 0 if the whole is 0, as in the contract.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The F-measure, in which recall counts `beta` times as much as precision; 0 if both are 0.
pub(crate) fn f_measure(beta: f64, precision: f64, recall: f64) -> f64 {
    if precision + recall == 0.0 {
        return 0.0;
    }
    let square = beta * beta;
    (1.0 + square) * precision * recall / (square * precision + recall)
}

/// Combines the values of all rows with those of the samples, all in the same order.
pub(crate) fn with_deviations<const N: usize>(
    rows: u64,
    values: [(&'static str, f64); N],
    samples: [[(&'static str, f64); N]; SAMPLES],
) -> Vec<Metric> {
    values
        .into_iter()
        .enumerate()
        .map(|(index, (name, value))| Metric {
            name,
            value,
            standard_deviation: standard_deviation(rows, samples.map(|sample| sample[index].1)),
            standard_error: None,
        })
        .collect()
}
