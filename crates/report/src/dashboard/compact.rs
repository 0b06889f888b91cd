//! Numbers, times and distributions as short as they can be shown.
//!
//! Keys are single letters: a dashboard has thousands of distributions, and its script reads them in one place.

use crate::text;
use drift_document::{Numbers, Summary};
use jiff::Timestamp;
use serde::Serialize;

/// A number in so many significant digits; `None` for what JSON has no number for.
pub(super) fn rounded(value: f64, digits: usize) -> Option<f64> {
    // Through text, which is decimal: no power of ten has to be found, and none multiplied.
    let text = format!("{value:.*e}", digits.saturating_sub(1));
    text.parse().ok().filter(|rounded: &f64| rounded.is_finite())
}

/// A number as it is shown at most: six digits.
pub(super) fn number(value: f64) -> Option<f64> {
    rounded(value, 6)
}

/// A time to the minute, in UTC; `second` counts from 1970.
pub(super) fn time(second: i64) -> String {
    // A time outside of jiff's range can't have been read as one.
    let time = Timestamp::from_second(second).unwrap_or_default();
    time.strftime("%-d %b %Y %H:%M").to_string()
}

/// The longest sentence, in characters: what a program says of a failure can be pages.
const LONGEST_SENTENCE: usize = 800;

/// A sentence as it can be shown, as [`text::shown`] does with names.
pub(super) fn sentence(value: &str) -> String {
    text::shortened(value, LONGEST_SENTENCE)
}

/// A distribution before or after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Side {
    /// Its type.
    t: String,
    /// Values.
    p: u64,
    /// Missing values.
    m: u64,
    /// Mean, standard deviation, smallest, largest.
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<[Option<f64>; 4]>,
    /// Quantiles at 0.05, 0.25, 0.5, 0.75 and 0.95.
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<[Option<f64>; 5]>,
    /// Shares of the histogram.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    s: Vec<Option<f64>>,
    /// Categories: value, share.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    c: Vec<(String, Option<f64>)>,
    /// Whether the categories are all there are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    a: bool,
    /// About how many different values a text column has.
    #[serde(skip_serializing_if = "Option::is_none")]
    d: Option<u64>,
}

impl Side {
    pub(super) fn new(summary: &Summary) -> Self {
        let named = summary
            .categories
            .iter()
            .fold(0u64, |sum, category| sum.saturating_add(category.rows));
        Self {
            t: text::shown(&summary.inferred_type),
            p: summary.present,
            m: summary.missing,
            n: summary.numbers.as_ref().map(|numbers| {
                let Numbers {
                    mean,
                    std_dev,
                    min,
                    max,
                    ..
                } = numbers;
                [*mean, *std_dev, *min, *max].map(number)
            }),
            q: summary.numbers.as_ref().and_then(quantiles),
            s: summary.numbers.as_ref().map(shares).unwrap_or_default(),
            c: summary
                .categories
                .iter()
                .map(|category| (text::shown(&category.value), rounded(category.share, 4)))
                .collect(),
            a: summary.present > 0 && named >= summary.present,
            d: summary.distinct,
        }
    }
}

/// The quantiles that the page knows; `None` where one is missing.
pub(super) fn quantiles(numbers: &Numbers) -> Option<[Option<f64>; 5]> {
    let mut found = [None; 5];
    for (place, share) in [0.05, 0.25, 0.5, 0.75, 0.95].into_iter().enumerate() {
        let quantile = numbers.quantiles.iter().find(|it| (it.share - share).abs() < 1e-9)?;
        found[place] = number(quantile.value);
    }
    Some(found)
}

fn shares(numbers: &Numbers) -> Vec<Option<f64>> {
    let histogram = &numbers.histogram;
    if histogram.edges.len() != histogram.shares.len() + 1 {
        return Vec::new();
    }
    histogram.shares.iter().map(|share| rounded(*share, 4)).collect()
}

/// The edges that both sides have in common, the first and last alone where all bins are alike. `None` where they have
/// none, or not the same.
pub(super) fn edges(baseline: Option<&Summary>, current: Option<&Summary>) -> Option<Vec<f64>> {
    let of = |summary: Option<&Summary>| {
        let edges = summary?
            .numbers
            .as_ref()
            .map(|numbers| numbers.histogram.edges.clone())?;
        (edges.len() > 1 && edges.iter().all(|edge| edge.is_finite())).then_some(edges)
    };
    let found = match (of(baseline), of(current)) {
        (Some(before), Some(now)) if before != now => return None,
        (Some(edges), _) | (None, Some(edges)) => edges,
        (None, None) => return None,
    };
    let (first, last) = (*found.first()?, *found.last()?);
    let bin = (last - first) / (found.len() - 1) as f64;
    let mut even = found
        .iter()
        .enumerate()
        .map(|(place, edge)| edge - (first + bin * place as f64));
    let kept = if even.all(|off| off.abs() < bin * 1e-3) {
        &[first, last][..]
    } else {
        &found
    };
    Some(kept.iter().filter_map(|edge| number(*edge)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use drift_document::{Histogram, Quantile};

    #[test]
    fn numbers_are_short_and_strange_ones_are_none() {
        assert_eq!(rounded(0.123_456_789, 4), Some(0.1235));
        assert_eq!(number(-1_234_567.0), Some(-1_234_570.0));
        assert_eq!((number(f64::NAN), number(f64::INFINITY)), (None, None));
        assert_eq!(number(0.0), Some(0.0));
        assert_eq!(rounded(f64::MAX, 2), None, "rounded up, it is beyond all numbers");
        assert_eq!(number(f64::MIN_POSITIVE), Some(2.22507e-308));
    }

    #[test]
    fn sides_with_other_bins_have_no_edges() {
        let side = |edges: &[f64]| Summary {
            numbers: Some(Numbers {
                histogram: Histogram {
                    edges: edges.to_vec(),
                    shares: vec![1.0],
                },
                quantiles: vec![Quantile { share: 0.5, value: 1.0 }],
                ..Numbers::default()
            }),
            ..Summary::default()
        };
        let (one, other) = (side(&[0.0, 1.0]), side(&[0.0, 2.0]));
        assert_eq!(edges(Some(&one), Some(&one)), Some(vec![0.0, 1.0]));
        assert_eq!(edges(Some(&one), None), Some(vec![0.0, 1.0]));
        assert_eq!(edges(Some(&one), Some(&other)), None);
        assert_eq!(edges(Some(&side(&[f64::NAN, 1.0])), None), None);
        assert_eq!(edges(Some(&side(&[0.0, 1.0, 2.0])), None), Some(vec![0.0, 2.0]));
        assert_eq!(edges(Some(&side(&[0.0, 1.0, 4.0])), None), Some(vec![0.0, 1.0, 4.0]));
        assert_eq!(Side::new(&one).q, None, "four quantiles are missing");
    }
}
