//! Comparison of the statistics of two analyses without their data.

use crate::documents::statistics::InferredType;
use crate::documents::{Constraints, Statistics};
use crate::drift::{self, Input};
use crate::profile::{ColumnFacts, TypeCounts};
use drift_document::{Drift, Settings};

/// Judges the statistics of one data set by those of another. `constraints` disable columns and give thresholds: they
/// are those of the baseline, or the result of [`crate::checks::suggest`] for it.
pub fn between(before: &Statistics, constraints: &Constraints, after: &Statistics, settings: Settings) -> Drift {
    drift::judge(Input {
        baseline: before,
        constraints,
        current: after,
        facts: &facts(after),
        predictions: &[],
        skipped: Vec::new(),
        segments: Vec::new(),
        violations: Vec::new(),
        quality: None,
        ground_truth: None,
        settings,
    })
}

/// The facts that follow from statistics alone: all values have the type of the column.
fn facts(statistics: &Statistics) -> Vec<ColumnFacts> {
    let facts = statistics.features.iter().map(|feature| {
        let mut types = TypeCounts::default();
        match feature.inferred_type {
            InferredType::Integral => types.integral = feature.present,
            InferredType::Fractional => types.fractional = feature.present,
            InferredType::String | InferredType::Unknown => types.text = feature.present,
        }
        ColumnFacts {
            name: feature.name.clone(),
            types,
            ..ColumnFacts::default()
        }
    });
    facts.collect()
}
