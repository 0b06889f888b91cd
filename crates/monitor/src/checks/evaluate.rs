//! Determines which constraints the current data violates, with the contract's texts.
//!
//! The texts of `data_type_check`, `completeness_check` and `baseline_drift_check` are known exactly. Of
//! `missing_column_check`, only the two numbers and the words around them have been seen. The following have not been
//! seen, and are written by this project in the same style: the rest of that text, its feature name (`Missing columns`)
//! and the names at its end; all of `extra_column_check`; the text of `categorical_values_check`; the p-value of a χ²
//! test, and that it is violated below its threshold. `is_non_negative` is written but not checked, because the
//! contract has no check of that name.

use std::collections::{HashMap, HashSet};

use drift_document::{Violation, words};

use super::categorical::chi_squared_test;
use crate::documents::constraints::{
    CategoricalMethod, ComparisonMethod, Constraints, Distribution, FeatureConstraints, Monitoring,
};
use crate::documents::statistics::{Feature, InferredType, Statistics};
use crate::documents::text::java_double;
use crate::documents::violations::Violations;
use crate::drift::distance::Cells;
use crate::drift::numbers;
use crate::drift::weighted::{ACCIDENT, Weighted};
use crate::profile::ColumnFacts;

/// Differences between versions of the contract's analyzer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Switches {
    /// Whether to weigh equal numbers as deequ 2.0.2 did: a numeric column with few different values then seems to have
    /// few values, and its distance shrinks to nothing. Published runs of the analyzer container agree with that.
    pub reference_ranks: bool,
}

/// The violations: first those of the columns as a whole, then those of each feature in the order of the constraints.
///
/// A check is skipped if it lacks its input: the types without `facts` about the column, the distribution without a
/// `baseline`, the completeness without rows. For a column without values, only completeness is checked. A text column
/// may hold anything, including numbers.
pub fn evaluate(
    baseline: Option<&Statistics>,
    constraints: &Constraints,
    current: &Statistics,
    facts: &[ColumnFacts],
    switches: &Switches,
) -> Violations {
    let before: HashMap<&str, &Feature> = baseline
        .iter()
        .flat_map(|baseline| &baseline.features)
        .map(|feature| (feature.name.as_str(), feature))
        .collect();
    let now: HashMap<&str, &Feature> = current
        .features
        .iter()
        .map(|feature| (feature.name.as_str(), feature))
        .collect();
    let facts: HashMap<&str, &ColumnFacts> = facts.iter().map(|facts| (facts.name.as_str(), facts)).collect();

    let mut violations = column_checks(constraints, current);
    for asked in &constraints.features {
        let monitoring = constraints.monitoring_of(asked);
        let Some(feature) = now.get(asked.name.as_str()).filter(|_| monitoring.evaluate) else {
            continue;
        };
        let facts = facts.get(asked.name.as_str()).copied();
        let drift = before
            .get(asked.name.as_str())
            .and_then(|before| drift_check(before, feature, facts, &monitoring.distribution, switches));
        let checks = [
            (
                "data_type_check",
                facts.and_then(|facts| data_type_check(asked, &monitoring, facts)),
            ),
            ("completeness_check", completeness_check(asked, feature)),
            ("baseline_drift_check", drift),
            (
                "categorical_values_check",
                facts.and_then(|facts| values_check(&monitoring, feature, facts)),
            ),
        ];
        let found = checks
            .into_iter()
            .filter_map(|(check, text)| text.map(|text| violation(&asked.name, check, text)));
        violations.extend(found);
    }
    Violations { violations }
}

fn violation(feature: &str, check: &str, description: String) -> Violation {
    Violation {
        feature_name: Some(feature.to_owned()),
        constraint_check_type: check.to_owned(),
        description,
        metric_name: None,
    }
}

/// `missing_column_check` and `extra_column_check`: one entry for all columns, as in the contract.
fn column_checks(constraints: &Constraints, current: &Statistics) -> Vec<Violation> {
    let asked: HashSet<&str> = constraints.features.iter().map(|asked| asked.name.as_str()).collect();
    let there: HashSet<&str> = current.features.iter().map(|feature| feature.name.as_str()).collect();
    let watched = constraints
        .features
        .iter()
        .filter(|asked| constraints.monitoring_of(asked).evaluate);
    let missing: Vec<&str> = watched
        .map(|asked| asked.name.as_str())
        .filter(|name| !there.contains(name))
        .collect();
    let names = current.features.iter().map(|feature| feature.name.as_str());
    let extra: Vec<&str> = names
        .filter(|name| constraints.monitoring.evaluate && !asked.contains(name))
        .collect();
    [
        ("missing", "Missing columns", missing),
        ("extra", "Extra columns", extra),
    ]
    .into_iter()
    .filter(|(_, _, names)| !names.is_empty())
    .map(|(kind, title, names)| {
        let description = format!(
            "There are {kind} columns in current dataset. Number of columns in current dataset: {}, \
                 Number of columns in baseline constraints: {}. {title}: {}",
            current.features.len(),
            constraints.features.len(),
            words::list(names),
        );
        violation(title, &format!("{kind}_column_check"), description)
    })
    .collect()
}

fn data_type_check(asked: &FeatureConstraints, monitoring: &Monitoring, facts: &ColumnFacts) -> Option<String> {
    let types = &facts.types;
    let values = types.integral + types.fractional + types.boolean + types.text;
    let (name, matching) = match asked.inferred_type {
        InferredType::Integral => ("Integral", types.integral),
        InferredType::Fractional => ("Fractional", types.integral + types.fractional),
        InferredType::String | InferredType::Unknown => return None,
    };
    let share = matching as f64 / values as f64;
    (share < monitoring.datatype_check_threshold).then(|| {
        format!(
            "Data type match requirement is not met. Expected data type: {name}, Expected match: {}%. \
             Observed: Only {}% of data is {name}.",
            java_double(monitoring.datatype_check_threshold * 100.0),
            java_double(share * 100.0),
        )
    })
}

fn completeness_check(asked: &FeatureConstraints, feature: &Feature) -> Option<String> {
    let completeness = feature.present as f64 / (feature.present + feature.missing) as f64;
    (completeness < asked.completeness).then(|| {
        format!(
            "Data completeness requirement is not met. Expected: {}%. Observed: Only {}%.",
            java_double(asked.completeness * 100.0),
            java_double(completeness * 100.0),
        )
    })
}

fn values_check(monitoring: &Monitoring, feature: &Feature, facts: &ColumnFacts) -> Option<String> {
    let share = facts.in_domain? as f64 / feature.present as f64;
    (share < monitoring.domain_content_threshold).then(|| {
        format!(
            "Categorical values requirement is not met. Expected match: {}%. Observed: Only {}% of data is in the domain.",
            java_double(monitoring.domain_content_threshold * 100.0),
            java_double(share * 100.0),
        )
    })
}

fn drift_check(
    before: &Feature,
    now: &Feature,
    facts: Option<&ColumnFacts>,
    distribution: &Distribution,
    switches: &Switches,
) -> Option<String> {
    if !distribution.compare {
        return None;
    }
    let weighted = if switches.reference_ranks {
        numbers::weighted_as_reference
    } else {
        numbers::weighted
    };
    if let Some((before, now)) = weighted(before, None).zip(weighted(now, facts)) {
        let distance = numeric_distance(&before, &now, distribution.method);
        return exceeds(distance, distribution.threshold);
    }
    let (before, now) = numbers::categories(before).zip(numbers::categories(now))?;
    let threshold = distribution.categorical_threshold.unwrap_or(distribution.threshold);
    if distribution.categorical_method != Some(CategoricalMethod::ChiSquared) {
        let cells = numbers::union(before, now);
        let (n, m) = cells
            .iter()
            .fold((0.0, 0.0), |(n, m), cell| (n + cell.0 as f64, m + cell.1 as f64));
        return exceeds(
            corrected(Cells::of_counts(&cells).max_difference(), n, m, distribution.method),
            threshold,
        );
    }
    let test = chi_squared_test(before, now)?;
    match distribution.method {
        ComparisonMethod::Simple => exceeds(test.statistic, threshold),
        // A smaller p-value means a larger difference.
        ComparisonMethod::Robust => (test.p_value < threshold).then(|| {
            format!(
                "Baseline drift p-value: {} is below threshold: {}",
                java_double(test.p_value),
                java_double(threshold)
            )
        }),
    }
}

fn numeric_distance(before: &Weighted, now: &Weighted, method: ComparisonMethod) -> f64 {
    corrected(
        before.max_difference(now),
        before.total() as f64,
        now.total() as f64,
        method,
    )
}

/// L∞, or the part of it that chance would not explain for `n` and `m` values.
fn corrected(distance: f64, n: f64, m: f64, method: ComparisonMethod) -> f64 {
    match method {
        ComparisonMethod::Simple => distance,
        ComparisonMethod::Robust => (distance - ACCIDENT * ((n + m) / (n * m)).sqrt()).max(0.0),
    }
}

fn exceeds(distance: f64, threshold: f64) -> Option<String> {
    (distance > threshold).then(|| {
        format!(
            "Baseline drift distance: {} exceeds threshold: {}",
            java_double(distance),
            java_double(threshold)
        )
    })
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
