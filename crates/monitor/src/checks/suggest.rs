//! The constraints of a baseline, and what they mean in words.
//!
//! What is asked is what the contract's own analyzer asks; whether data complies is the matter of `evaluate`.

use crate::documents::constraints::{Constraints, FeatureConstraints, Monitoring, Overrides};
use crate::documents::statistics::{Category, Detail, Feature, InferredType, Statistics};
use crate::drift::words;

/// A text column has a domain where at most this share of its values occurs only once.
const MOST_UNIQUE: f64 = 0.1;

/// What is asked of a column, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The column.
    pub feature: String,
    /// One sentence without a stop: `always there; a whole number from 1990 to 2024, never negative`.
    pub text: String,
}

/// The constraints that data like these comply with.
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
        // Without rows nothing can be asked.
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

/// The values by descending count, unless too many of them are unique. Missing values count as one more.
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

/// A sentence for each feature of the constraints, in their order.
pub fn explain(statistics: &Statistics, constraints: &Constraints) -> Vec<Explanation> {
    let explanation = |feature: &FeatureConstraints| {
        let known = statistics.features.iter().find(|known| known.name == feature.name);
        Explanation {
            feature: feature.name.clone(),
            text: sentence(feature, known, constraints),
        }
    };
    constraints.features.iter().map(explanation).collect()
}

fn sentence(feature: &FeatureConstraints, known: Option<&Feature>, constraints: &Constraints) -> String {
    let monitoring = constraints.monitoring_of(feature);
    let mut parts = vec![presence(feature.completeness)];
    if let Some(values) = values(feature, known) {
        parts.push(values);
    }
    if !monitoring.evaluate {
        parts.push("not checked".to_owned());
    } else if !monitoring.distribution.compare {
        parts.push("its distribution is not compared".to_owned());
    }
    parts.join("; ")
}

fn presence(completeness: f64) -> String {
    if completeness >= 1.0 {
        "always there".to_owned()
    } else if completeness > 0.0 {
        format!("there in at least {} of the rows", words::percent(completeness))
    } else {
        "may be missing".to_owned()
    }
}

fn values(feature: &FeatureConstraints, known: Option<&Feature>) -> Option<String> {
    let kind = match feature.inferred_type {
        InferredType::Integral => "a whole number",
        InferredType::Fractional => "a number",
        InferredType::String => return Some(text(feature, known)),
        InferredType::Unknown => return None,
    };
    let mut text = kind.to_owned();
    if let Some(Detail::Numeric(numeric)) = known.map(|known| &known.detail) {
        text = if numeric.min == numeric.max {
            format!("{kind}, so far always {}", words::number(numeric.min))
        } else {
            format!(
                "{kind} from {} to {}",
                words::number(numeric.min),
                words::number(numeric.max)
            )
        };
    }
    if feature.is_non_negative == Some(true) {
        text.push_str(", never negative");
    }
    Some(text)
}

fn text(feature: &FeatureConstraints, known: Option<&Feature>) -> String {
    match feature.domains.as_deref() {
        Some([only]) => format!("always {}", words::name(only)),
        Some(domain) if !domain.is_empty() => {
            let values = words::list(domain.iter().map(String::as_str));
            format!("one of {} values: {values}", words::count(domain.len() as u64))
        }
        _ => match known.map(|known| &known.detail) {
            Some(Detail::Text(text)) => {
                format!(
                    "any text, about {}",
                    words::counted(text.distinct_count, "different value", "different values")
                )
            }
            _ => "any text".to_owned(),
        },
    }
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
        // One of ten and the only missing value: two of eleven.
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
        let (statistics, asked) = only(empty);
        assert_eq!((asked.completeness, asked.domains), (0.0, None));
        assert_eq!(explain(&statistics, &suggest(&statistics))[0].text, "may be missing");
    }

    #[test]
    fn sentences_say_what_is_asked() {
        let mut year = numeric("year", InferredType::Integral, 1990.0, 2024.0);
        (year.present, year.missing) = (1009, 0);
        let mut features = vec![year, numeric("delta", InferredType::Fractional, -0.5, 2.25)];
        features.push(text("fuel", &[("gas", 900), ("diesel", 109)], 0));
        features.push(text("country", &[("DE", 1009)], 0));
        features.push(text("name", &[("a", 1), ("b", 1)], 0));
        let statistics = Statistics { rows: 1009, features };
        let mut constraints = suggest(&statistics);
        constraints.features[3].overrides.evaluate = Some(false);
        constraints.features[4].overrides.compare = Some(false);
        let texts: Vec<_> = explain(&statistics, &constraints).into_iter().map(|e| e.text).collect();
        assert_eq!(
            texts,
            [
                "always there; a whole number from 1990 to 2024, never negative",
                "there in at least 0.9 % of the rows; a number from -0.5 to 2.25",
                "always there; one of 2 values: gas, diesel",
                "always there; always DE; not checked",
                "always there; any text, about 2 different values; its distribution is not compared",
            ]
        );
    }
}
