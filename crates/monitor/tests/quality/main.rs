//! The metrics compared with those of scikit-learn: `golden.py` wrote the files.

use std::collections::BTreeMap;

use monitor::quality::{Accumulator, Metrics, Pair, ProblemType};
use serde::Deserialize;

/// Sums in a different order differ in the last digits.
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Golden<R, E> {
    /// Prediction (or score) and ground truth.
    rows: Vec<(R, R)>,
    expected: E,
}

#[derive(Deserialize)]
struct Binary {
    confusion: Vec<Vec<u64>>,
    values: BTreeMap<String, f64>,
    false_positive_rates: Vec<f64>,
    true_positive_rates: Vec<f64>,
    precisions: Vec<f64>,
    recalls: Vec<f64>,
}

#[derive(Deserialize)]
struct Multiclass {
    classes: Vec<String>,
    confusion: Vec<Vec<u64>>,
    values: BTreeMap<String, f64>,
}

fn metrics_of(problem: ProblemType, pairs: impl IntoIterator<Item = Pair<'static>>) -> Metrics {
    let mut accumulator = Accumulator::new(problem);
    for (row, pair) in (0..).zip(pairs) {
        assert_eq!(accumulator.push(row, &pair), Ok(()));
    }
    accumulator.metrics()
}

fn pair(inference: Option<String>, probability: Option<String>, truth: String) -> Pair<'static> {
    Pair {
        inference: inference.map(Into::into),
        probability: probability.map(Into::into),
        threshold: 0.5,
        truth: Some(truth.into()),
    }
}

#[track_caller]
fn assert_close(name: &str, found: f64, expected: f64) {
    let difference = (found - expected).abs();
    assert!(
        difference <= TOLERANCE * expected.abs(),
        "{name}: {found}, scikit-learn has {expected}"
    );
}

#[track_caller]
fn assert_points(name: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        assert_close(name, *found, *expected);
    }
}

/// Checks that every expected value is there, and has a standard deviation from 200 rows on.
#[track_caller]
fn assert_values(metrics: &Metrics, expected: &BTreeMap<String, f64>) {
    for (name, expected) in expected {
        let metric = metrics.get(name).unwrap_or_else(|| panic!("no {name}"));
        assert_close(name, metric.value, *expected);
        assert!(
            (0.0..=0.1 * expected.abs()).contains(&metric.standard_deviation),
            "{metric:?}"
        );
    }
}

#[test]
fn regression_is_that_of_scikit_learn() {
    let golden: Golden<f64, BTreeMap<String, f64>> = serde_json::from_str(include_str!("regression.json")).unwrap();
    let pairs = golden
        .rows
        .iter()
        .map(|(prediction, truth)| pair(Some(prediction.to_string()), None, truth.to_string()));
    let metrics = metrics_of(ProblemType::Regression, pairs);
    assert_values(&metrics, &golden.expected);
    assert_eq!(metrics.values.len(), golden.expected.len());
}

#[test]
fn binary_classification_is_that_of_scikit_learn() {
    let golden: Golden<f64, Binary> = serde_json::from_str(include_str!("binary.json")).unwrap();
    let pairs = golden
        .rows
        .iter()
        .map(|(score, truth)| pair(None, Some(score.to_string()), truth.to_string()));
    let metrics = metrics_of(ProblemType::BinaryClassification, pairs);
    assert_values(&metrics, &golden.expected.values);
    assert_eq!(
        metrics.confusion.as_ref().map(|matrix| &matrix.counts),
        Some(&golden.expected.confusion)
    );
    assert!(metrics.get("auc").unwrap().standard_deviation > 0.0);
    let curves = metrics.curves.unwrap();
    // In the contract, the curve ends at (1, 1) even if the last score is there already, and begins at recall 0.
    let (last, rates) = curves.false_positive_rates.split_last().unwrap();
    assert_points("false_positive_rates", rates, &golden.expected.false_positive_rates);
    assert_eq!((*last, curves.true_positive_rates.last()), (1.0, Some(&1.0)));
    let rates = &curves.true_positive_rates[..curves.true_positive_rates.len() - 1];
    assert_points("true_positive_rates", rates, &golden.expected.true_positive_rates);
    assert_eq!((curves.recalls[0], curves.precisions[0]), (0.0, curves.precisions[1]));
    assert_points("recalls", &curves.recalls[1..], &golden.expected.recalls);
    assert_points("precisions", &curves.precisions[1..], &golden.expected.precisions);
}

#[test]
fn multiclass_classification_is_that_of_scikit_learn() {
    let golden: Golden<String, Multiclass> = serde_json::from_str(include_str!("multiclass.json")).unwrap();
    let pairs = golden
        .rows
        .iter()
        .map(|(prediction, truth)| pair(Some(prediction.clone()), None, truth.clone()));
    let metrics = metrics_of(ProblemType::MulticlassClassification, pairs);
    assert_values(&metrics, &golden.expected.values);
    assert_eq!(metrics.values.len(), golden.expected.values.len());
    let confusion = metrics.confusion.unwrap();
    assert_eq!(confusion.classes, golden.expected.classes);
    assert_eq!(confusion.counts, golden.expected.confusion);
}
