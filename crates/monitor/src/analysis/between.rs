//! Statistics against statistics: what two analyses left, compared without their data.

use crate::documents::statistics::InferredType;
use crate::documents::{Constraints, Statistics};
use crate::drift::{self, Input};
use crate::profile::{ColumnFacts, TypeCounts};
use drift_document::{Drift, Settings};

/// Judges the statistics of one set of data by those of another. `constraints` switch columns off and give thresholds:
/// those of the baseline, or what [`crate::checks::suggest`] makes of it.
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

/// What statistics alone say of types: all values are of the column's.
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
