//! What the three problem types have in common: named metrics, the confusion matrix, the curves.

use super::ProblemType;
use super::sampling::{SAMPLES, standard_deviation};

/// All metrics of an analysis.
#[derive(Clone, Debug, PartialEq)]
pub struct Metrics {
    /// Which metrics there are.
    pub problem: ProblemType,
    /// Rows with prediction and ground truth.
    pub rows: u64,
    /// In the order of the contract's file.
    pub values: Vec<Metric>,
    /// Of a classification.
    pub confusion: Option<Confusion>,
    /// Of a binary classification with scores.
    pub curves: Option<Curves>,
}

impl Metrics {
    /// A metric by its name.
    pub fn get(&self, name: &str) -> Option<&Metric> {
        self.values.iter().find(|metric| metric.name == name)
    }
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Metric {
    /// As in the contract's files: `rmse`.
    pub name: &'static str,
    /// NaN where the rows do not define it.
    pub value: f64,
    /// Over five samples of the rows; NaN with too few rows.
    pub standard_deviation: f64,
    /// How far the value may be off by chance, as one standard error; none where that is not worked out.
    pub standard_error: Option<f64>,
}

/// How often each class was taken for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confusion {
    /// Of ground truth and predictions: numbers by value, then texts.
    pub classes: Vec<String>,
    /// `counts[label][prediction]`, in the order of `classes`.
    pub counts: Vec<Vec<u64>>,
}

/// Points at every distinct score, from the highest to the lowest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    /// Receiver operating characteristic: from 0 …
    pub false_positive_rates: Vec<f64>,
    /// … to 1, both included.
    pub true_positive_rates: Vec<f64>,
    /// Precision–recall: the first precision is repeated at recall 0.
    pub precisions: Vec<f64>,
    /// Ascending from 0.
    pub recalls: Vec<f64>,
}

/// A share; 0 of nothing, as the contract has it.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// The F-measure: recall counts `beta` times as much as precision; 0 where both are 0.
pub(crate) fn f_measure(beta: f64, precision: f64, recall: f64) -> f64 {
    if precision + recall == 0.0 {
        return 0.0;
    }
    let square = beta * beta;
    (1.0 + square) * precision * recall / (square * precision + recall)
}

/// Puts together the values of all rows and of the samples; all in the same order.
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
