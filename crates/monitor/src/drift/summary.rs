//! What a report shows of a column on one side: quantiles, a histogram with common bins for both sides, categories.

use std::collections::HashMap;

use drift_document::{Category, Histogram, Numbers, Quantile, Summary};

use super::weighted::Weighted;
use crate::documents::statistics::{self, Detail, Feature, InferredType, Numeric};

/// Shares of the quantiles that are shown.
const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Number of bins of a histogram.
const BINS: usize = 30;

/// Share of the values at each end that a histogram assigns to the outermost bins, so that a single enormous value
/// doesn't press all others into one bin.
const BEYOND: f64 = 0.01;

/// Maximum number of categories shown.
const CATEGORIES: usize = 20;

/// The numbers of a column on both sides, and the common bins.
pub struct Common {
    pub baseline: Option<Weighted>,
    pub current: Option<Weighted>,
    edges: Vec<f64>,
}

impl Common {
    pub fn of(baseline: Option<Weighted>, current: Option<Weighted>) -> Self {
        let edges = edges(&[baseline.as_ref(), current.as_ref()]);
        Self {
            baseline,
            current,
            edges,
        }
    }
}

/// Summary of one side of a column. `categories` are those of both sides, baseline first, since both decide which ones
/// are shown.
pub fn summary(
    feature: &Feature,
    numeric: Option<&Numeric>,
    weighted: Option<&Weighted>,
    common: &Common,
    categories: (&[statistics::Category], &[statistics::Category]),
) -> Summary {
    let numbers = numeric.zip(weighted).map(|(numeric, weighted)| Numbers {
        mean: finite(numeric.mean),
        std_dev: finite(numeric.std_dev),
        min: finite(numeric.min),
        max: finite(numeric.max),
        quantiles: QUANTILES
            .into_iter()
            .filter_map(|share| {
                weighted.quantile(share).map(|value| Quantile {
                    share,
                    value: finite(value),
                })
            })
            .collect(),
        histogram: Histogram {
            edges: common.edges.clone(),
            shares: histogram(weighted, &common.edges),
        },
    });
    let (shown, distinct) = match &feature.detail {
        Detail::Text(text) => (shown(text, feature.present, categories), Some(text.distinct_count)),
        Detail::Numeric(_) => (Vec::new(), None),
    };
    Summary {
        inferred_type: type_name(feature.inferred_type).to_owned(),
        present: feature.present,
        missing: feature.missing,
        numbers,
        categories: shown,
        distinct,
    }
}

/// The counts on one side of the categories that are most frequent on either side.
fn shown(
    text: &statistics::Text,
    present: u64,
    (before, now): (&[statistics::Category], &[statistics::Category]),
) -> Vec<Category> {
    let mut weights: HashMap<&str, f64> = HashMap::new();
    let mut order: Vec<&str> = Vec::new();
    for side in [before, now] {
        let total: u64 = side.iter().map(|category| category.count).sum();
        for category in side {
            let weight = weights.entry(category.value.as_str()).or_insert_with(|| {
                order.push(category.value.as_str());
                0.0
            });
            *weight = weight.max(category.count as f64 / total as f64);
        }
    }
    order.sort_by(|a, b| weights[b].total_cmp(&weights[a]));
    order.truncate(CATEGORIES);
    let own = text.categories.as_deref().unwrap_or(&[]);
    let mut shown: Vec<Category> = own
        .iter()
        .filter(|category| order.contains(&category.value.as_str()))
        .map(|category| Category {
            value: category.value.clone(),
            rows: category.count,
            share: category.count as f64 / present as f64,
        })
        .collect();
    shown.sort_by_key(|category| std::cmp::Reverse(category.rows));
    shown
}

/// Edges of the common bins of both sides, ascending: one bin for each whole number if there are few of them, otherwise
/// bins of equal width. None if there are no values.
fn edges(sides: &[Option<&Weighted>]) -> Vec<f64> {
    let sides: Vec<&&Weighted> = sides.iter().flatten().collect();
    let ends = |share: f64| sides.iter().filter_map(move |side| side.quantile(share)).map(finite);
    let Some(low) = ends(BEYOND).reduce(f64::min) else {
        return Vec::new();
    };
    let high = ends(1.0 - BEYOND).fold(low, f64::max);
    let whole = sides
        .iter()
        .all(|side| side.shares().all(|(value, _)| value == value.trunc()));
    if whole && high - low < BINS as f64 && low.abs().max(high.abs()) < 1e15 {
        return (0..=(high - low) as usize + 1)
            .map(|step| low - 0.5 + step as f64)
            .collect();
    }
    let mut edges: Vec<f64> = (0..=BINS)
        .map(|step| {
            let share = step as f64 / BINS as f64;
            low * (1.0 - share) + high * share
        })
        .collect();
    edges.dedup_by(|a, b| *a <= *b);
    if edges.len() < 2 {
        // A single value, or values too close to be told apart: a bin around them.
        let half = (low.abs() * 1e-6).max(0.5);
        return vec![finite(low - half), finite(low + half)];
    }
    edges
}

/// The share of the values in each bin; values beyond either end count in the outermost bin.
fn histogram(weighted: &Weighted, edges: &[f64]) -> Vec<f64> {
    match edges {
        [] | [_] => Vec::new(),
        // A bin includes its upper edge, the first one its lower edge as well.
        [_, inner @ .., _] => weighted.shares_in(inner),
    }
}

fn type_name(inferred_type: InferredType) -> &'static str {
    match inferred_type {
        InferredType::Integral => "Integral",
        InferredType::Fractional => "Fractional",
        InferredType::String => "String",
        InferredType::Unknown => "Unknown",
    }
}

/// JSON has neither infinities nor NaN.
pub fn finite(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(f64::MIN, f64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Weighted {
        Weighted::of_levels(&[values.to_vec()])
    }

    #[test]
    fn an_enormous_value_does_not_flatten_the_chart() {
        let mut values: Vec<f64> = (1..1000).map(|i| f64::from(i) + 0.5).collect();
        values.push(3e9);
        let common = Common::of(Some(of(&values)), None);
        assert!(*common.edges.last().unwrap() < 1001.0);
        let shares = histogram(common.baseline.as_ref().unwrap(), &common.edges);
        assert_eq!((common.edges.len(), shares.len()), (31, 30));
        assert!(shares.iter().all(|share| *share < 0.05));
    }

    #[test]
    fn few_whole_numbers_have_a_bin_each() {
        let common = Common::of(Some(of(&[1.0; 50])), Some(of(&[3.0; 50])));
        assert_eq!(common.edges, [0.5, 1.5, 2.5, 3.5]);
        assert_eq!(
            histogram(common.current.as_ref().unwrap(), &common.edges),
            [0.0, 0.0, 1.0]
        );
    }

    #[test]
    fn one_value_has_one_bin() {
        let common = Common::of(Some(of(&[0.25; 50])), None);
        assert_eq!(common.edges.len(), 2);
        assert_eq!(histogram(common.baseline.as_ref().unwrap(), &common.edges), [1.0]);
        assert!(Common::of(None, None).edges.is_empty());
    }

    proptest! {
        #[test]
        fn any_numbers_make_a_histogram(a in prop::collection::vec(any::<f64>(), 0..50), b in prop::collection::vec(any::<f64>(), 1..50)) {
            let sides = [of(&a), of(&b)].map(|side| Some(side).filter(|side| side.total() > 0));
            let [a, b] = sides;
            let common = Common::of(a, b);
            prop_assert!(common.edges.iter().all(|edge| edge.is_finite()));
            prop_assert!(common.edges.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", common.edges);
            for side in [&common.baseline, &common.current].into_iter().flatten() {
                let shares = histogram(side, &common.edges);
                prop_assert_eq!(shares.len() + 1, common.edges.len());
                prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            }
        }
    }
}
