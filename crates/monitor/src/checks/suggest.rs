//! The constraints of a baseline.
//!
//! They are the same as those of the contract's own analyzer; `evaluate` checks whether data complies.

use crate::documents::constraints::{Constraints, FeatureConstraints, Monitoring, Overrides};
use crate::documents::statistics::{Category, Detail, Feature, InferredType, Statistics};

/// A text column has a domain if at most this share of its values occurs only once.
const MOST_UNIQUE: f64 = 0.1;

/// Constraints that data like this complies with.
pub fn suggest(statistics: &Statistics) -> Constraints {
    Constraints {
        features: statistics.features.iter().map(suggest_one).collect(),
        monitoring: Monitoring::default(),
    }
}

fn suggest_one(feature: &Feature) -> FeatureConstraints {
    let rows = feature.present + feature.missing;
    let is_non_negative = match &feature.detail {
        Detail::Numeric(numeric) => Some(numeric.min >= 0.0),
        Detail::Text(_) => None,
    };
    let domains = match &feature.detail {
        Detail::Text(text) if feature.inferred_type == InferredType::String => text
            .categories
            .as_deref()
            .and_then(|categories| domain(categories, feature.missing)),
        _ => None,
    };
    FeatureConstraints {
        name: feature.name.clone(),
        inferred_type: feature.inferred_type,
        // Without rows, nothing can be required.
        completeness: if rows == 0 {
            0.0
        } else {
            feature.present as f64 / rows as f64
        },
        is_non_negative,
        domains,
        overrides: Overrides::default(),
    }
}

/// The values by descending count, unless too many of them are unique. Missing values count as one more value.
fn domain(categories: &[Category], missing: u64) -> Option<Vec<String>> {
    let missing = (missing > 0).then_some(missing);
    let counts = || categories.iter().map(|category| category.count).chain(missing);
    let unique = counts().filter(|count| *count == 1).count();
    if categories.is_empty() || unique as f64 / counts().count() as f64 > MOST_UNIQUE {
        return None;
    }
    let mut ordered: Vec<&Category> = categories.iter().collect();
    ordered.sort_by_key(|category| std::cmp::Reverse(category.count));
    Some(ordered.into_iter().map(|category| category.value.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::statistics::{Numeric, Text};

    fn numeric(name: &str, inferred_type: InferredType, min: f64, max: f64) -> Feature {
        let detail = Detail::Numeric(Numeric {
            min,
            max,
            ..Numeric::default()
        });
        Feature {
            name: name.to_owned(),
            inferred_type,
            present: 9,
            missing: 1000,
            detail,
        }
    }

    fn text(name: &str, counts: &[(&str, u64)], missing: u64) -> Feature {
        let categories: Vec<_> = counts
            .iter()
            .map(|(value, count)| Category {
                value: (*value).to_owned(),
                count: *count,
            })
            .collect();
        let present = categories.iter().map(|category| category.count).sum();
        let detail = Detail::Text(Text {
            distinct_count: counts.len() as u64,
            categories: Some(categories),
        });
        Feature {
            name: name.to_owned(),
            inferred_type: InferredType::String,
            present,
            missing,
            detail,
        }
    }

    fn only(feature: Feature) -> (Statistics, FeatureConstraints) {
        let statistics = Statistics {
            rows: feature.present + feature.missing,
            features: vec![feature],
        };
        let suggested = suggest(&statistics).features.remove(0);
        (statistics, suggested)
    }

    #[test]
    fn completeness_is_the_share_of_values_unrounded() {
        let (_, asked) = only(numeric("x", InferredType::Integral, 0.0, 1.0));
        assert_eq!(asked.completeness, 0.008_919_722_497_522_299);
        assert_eq!(asked.is_non_negative, Some(true));
        assert_eq!(asked.domains, None);
    }

    #[test]
    fn a_negative_minimum_is_written_as_false() {
        assert_eq!(
            only(numeric("x", InferredType::Fractional, -1.0, 1.0))
                .1
                .is_non_negative,
            Some(false)
        );
        assert_eq!(
            only(numeric("x", InferredType::Fractional, -0.0, 1.0))
                .1
                .is_non_negative,
            Some(true)
        );
    }

    #[test]
    fn a_domain_is_ordered_by_count() {
        let (_, asked) = only(text("fuel", &[("gas", 5), ("diesel", 70), ("electric", 5)], 0));
        assert_eq!(asked.domains.unwrap(), ["diesel", "gas", "electric"]);
        assert_eq!(asked.is_non_negative, None);
    }

    #[test]
    fn too_many_unique_values_are_no_domain() {
        let values: Vec<String> = (0..10).map(|i| i.to_string()).collect();
        let with_unique = |unique: usize, missing| {
            let counts: Vec<_> = values
                .iter()
                .enumerate()
                .map(|(i, v)| (v.as_str(), if i < unique { 1 } else { 2 }))
                .collect();
            only(text("x", &counts, missing)).1.domains
        };
        assert!(with_unique(1, 0).is_some());
        assert_eq!(with_unique(2, 0), None);
        // One of ten, and the only missing value, are two of eleven.
        assert_eq!(with_unique(1, 1), None);
    }

    #[test]
    fn a_column_without_values_asks_nothing() {
        let empty = Feature {
            name: "x".to_owned(),
            inferred_type: InferredType::Unknown,
            present: 0,
            missing: 10,
            detail: Detail::Text(Text::default()),
        };
        let (_, asked) = only(empty);
        assert_eq!((asked.completeness, asked.domains), (0.0, None));
    }
}
