//! Shares to the shapes of bars and lines. Shapes only: colours, sizes and words are the templates'.
//!
//! Coordinates are whole numbers in a box that the browser stretches: a bin is `BIN` wide, the box `HEIGHT` high, y
//! grows downwards. Each bin gets the same width on the screen, whatever its edges: the height of a bar is a share,
//! not a density. Values that are no shares (NaN, infinite, negative) are drawn as nothing.

use drift_document::{Numbers, Quantile};
use serde::Serialize;

use crate::text;

/// The width of a bin.
const BIN: u32 = 8;
/// The height of a chart.
const HEIGHT: f64 = 200.0;

/// Two sides over the same bins or categories.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Steps {
    /// Width of the box.
    pub width: u32,
    /// The share at the top of the box, as text.
    pub top: String,
    /// A path from the bottom, along the tops of the bars, back to the bottom. It is not closed: a line along the
    /// bottom would hide the axis.
    pub baseline: Option<String>,
    /// The same of the other side.
    pub current: Option<String>,
}

/// The shapes of two sides; `None` where neither has a value. A side may be absent.
pub(crate) fn steps(baseline: Option<&[f64]>, current: Option<&[f64]>) -> Option<Steps> {
    let shares = || baseline.into_iter().chain(current).flatten();
    let highest = shares().copied().map(proper).fold(0.0, f64::max);
    if highest == 0.0 {
        return None;
    }
    let bins = baseline.map_or(0, <[f64]>::len).max(current.map_or(0, <[f64]>::len));
    // Far below what can be seen, a power of ten would become zero.
    let top = round_top(highest.max(1e-9));
    Some(Steps {
        width: u32::try_from(bins).unwrap_or(u32::MAX / BIN).saturating_mul(BIN),
        top: text::round_share(top),
        baseline: baseline.map(|shares| path(shares, top)),
        current: current.map(|shares| path(shares, top)),
    })
}

/// A histogram with its axis and the quantiles below it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct HistogramChart {
    /// The bars.
    pub steps: Steps,
    /// The edges at the left, in the middle and at the right, as texts.
    pub ticks: [String; 3],
    /// The quantiles before.
    pub baseline: Option<Strip>,
    /// The quantiles after.
    pub current: Option<Strip>,
}

/// Where quantiles lie in the box of a histogram: x of the shares 0.05, 0.25, 0.5, 0.75 and 0.95.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Strip {
    pub low: u32,
    pub quarter: u32,
    pub median: u32,
    pub three_quarters: u32,
    pub high: u32,
}

/// The chart of a numeric column; `None` where there is nothing to draw, or the sides do not have the same bins.
pub(crate) fn histogram(baseline: Option<&Numbers>, current: Option<&Numbers>) -> Option<HistogramChart> {
    let baseline = baseline.filter(|numbers| is_complete(numbers));
    let current = current.filter(|numbers| is_complete(numbers));
    let edges = &baseline.or(current)?.histogram.edges;
    if current.is_some_and(|numbers| numbers.histogram.edges != *edges) {
        return None;
    }
    let steps = steps(
        baseline.map(|numbers| numbers.histogram.shares.as_slice()),
        current.map(|numbers| numbers.histogram.shares.as_slice()),
    )?;
    let (first, last) = (*edges.first()?, *edges.last()?);
    // With an odd number of bins the middle lies within one.
    let bins = edges.len() - 1;
    let middle = if bins.is_multiple_of(2) {
        edges[bins / 2]
    } else {
        edges[bins / 2].midpoint(edges[bins / 2 + 1])
    };
    // An edge at 0.004 of an axis to 300 is 0 for the eye.
    let unit = 10f64.powf((last - first).log10().floor() - 4.0);
    let rounded = |edge: f64| {
        if unit.is_normal() {
            (edge / unit).round() * unit
        } else {
            edge
        }
    };
    let tick = |edge: f64| text::measured(rounded(edge), 4, text::are_years(first, last));
    let strip = |numbers: &Numbers| strip(&numbers.quantiles, edges);
    Some(HistogramChart {
        steps,
        ticks: [first, middle, last].map(tick),
        baseline: baseline.and_then(strip),
        current: current.and_then(strip),
    })
}

/// A distance on a scale that has its threshold in the middle: per cent of the whole. What is twice the threshold or
/// more fills the scale.
pub(crate) fn fill(value: f64, threshold: f64) -> f64 {
    let ratio = value / threshold;
    if ratio.is_nan() {
        return 0.0;
    }
    (ratio * 500.0).clamp(0.0, 1000.0).round() / 10.0
}

/// A part as per cent of a whole, for the length of a bar.
pub(crate) fn per_cent(part: f64, whole: f64) -> f64 {
    let percent = proper(part) / whole * 100.0;
    if percent.is_finite() {
        (percent.min(100.0) * 10.0).round() / 10.0
    } else {
        0.0
    }
}

fn is_complete(numbers: &Numbers) -> bool {
    let histogram = &numbers.histogram;
    !histogram.shares.is_empty() && histogram.edges.len() == histogram.shares.len() + 1
}

fn proper(share: f64) -> f64 {
    if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
}

fn path(shares: &[f64], top: f64) -> String {
    let mut path = format!("M0 {HEIGHT}");
    for share in shares {
        let y = (HEIGHT * (1.0 - proper(*share) / top)).round();
        path.push_str(&format!("V{y}h{BIN}"));
    }
    path.push_str(&format!("V{HEIGHT}"));
    path
}

/// The next round share above: 1, 1.5, 2, 3, 4, 5, 6 or 8 times a power of ten, at most everything.
fn round_top(highest: f64) -> f64 {
    let power = 10f64.powf(highest.log10().floor());
    let round = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0]
        .into_iter()
        .map(|step| step * power);
    round
        .into_iter()
        .find(|top| *top >= highest)
        .unwrap_or(10.0 * power)
        .min(1.0)
}

fn strip(quantiles: &[Quantile], edges: &[f64]) -> Option<Strip> {
    let x = |share: f64| {
        let quantile = quantiles
            .iter()
            .find(|quantile| (quantile.share - share).abs() < 1e-9)?;
        place(quantile.value, edges)
    };
    Some(Strip {
        low: x(0.05)?,
        quarter: x(0.25)?,
        median: x(0.5)?,
        three_quarters: x(0.75)?,
        high: x(0.95)?,
    })
}

/// The x of a value: within its bin in proportion. `None` for what has no place.
fn place(value: f64, edges: &[f64]) -> Option<u32> {
    if !value.is_finite() || edges.iter().any(|edge| !edge.is_finite()) {
        return None;
    }
    let bins = edges.len().checked_sub(1)?;
    // The bin whose upper edge is the first that is not below the value; beyond the last, the end.
    let Some(bin) = edges.get(1..)?.iter().position(|edge| value <= *edge) else {
        return u32::try_from(bins).ok()?.checked_mul(BIN);
    };
    let (lower, upper) = (edges[bin], edges[bin + 1]);
    let within = if upper > lower {
        ((value - lower) / (upper - lower)).clamp(0.0, 1.0)
    } else {
        0.5
    };
    // Rounded and within one bin: no digit is lost.
    Some(u32::try_from(bin).ok()?.checked_mul(BIN)? + (within * f64::from(BIN)).round() as u32)
}

#[cfg(test)]
mod tests {
    use drift_document::Histogram;

    use super::*;

    fn numbers(edges: &[f64], shares: &[f64], quantiles: [f64; 5]) -> Numbers {
        let quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
            .into_iter()
            .zip(quantiles)
            .map(|(share, value)| Quantile { share, value })
            .collect();
        let histogram = Histogram {
            edges: edges.to_vec(),
            shares: shares.to_vec(),
        };
        Numbers {
            quantiles,
            histogram,
            ..Numbers::default()
        }
    }

    #[test]
    fn bars_and_quantiles_lie_over_their_values() {
        let before = numbers(&[0.0, 1.0, 2.0], &[0.25, 0.75], [0.0, 1.0, 1.5, 2.0, 9.0]);
        let chart = histogram(Some(&before), None).unwrap();
        assert_eq!(chart.steps.width, 16);
        assert_eq!(chart.steps.top, "80\u{a0}%");
        // 0.25 of 0.8 leaves 137.5 of 200, rounded.
        assert_eq!(chart.steps.baseline.as_deref(), Some("M0 200V138h8V13h8V200"));
        assert_eq!(chart.steps.current, None);
        assert_eq!(chart.ticks, ["0", "1", "2"]);
        let listed = numbers(&[0.004_289, 337.6], &[1.0], [1.0; 5]);
        assert_eq!(histogram(Some(&listed), None).unwrap().ticks, ["0", "168.8", "337.6"]);
        let strip = Strip {
            low: 0,
            quarter: 8,
            median: 12,
            three_quarters: 16,
            high: 16,
        };
        assert_eq!(chart.baseline, Some(strip));
    }

    #[test]
    fn values_that_are_no_shares_are_drawn_as_nothing() {
        let strange = [f64::NAN, f64::INFINITY, -1.0, 0.5, 7.0];
        let shape = steps(Some(&strange), Some(&[0.1])).unwrap();
        assert_eq!(
            shape.baseline.as_deref(),
            Some("M0 200V200h8V200h8V200h8V100h8V0h8V200")
        );
        assert_eq!(shape.width, 40);
        assert_eq!(steps(Some(&[f64::NAN, 0.0]), None), None);
        assert_eq!(steps(None, Some(&[])), None);
        let tiny = steps(Some(&[f64::MIN_POSITIVE / 2.0]), None).unwrap();
        assert_eq!(tiny.baseline.as_deref(), Some("M0 200V200h8V200"));
    }

    #[test]
    fn degenerate_histograms_have_no_or_a_plain_chart() {
        let one_value = numbers(&[5.0, 5.0], &[1.0], [5.0; 5]);
        let chart = histogram(Some(&one_value), Some(&one_value)).unwrap();
        assert_eq!(chart.ticks, ["5", "5", "5"]);
        assert_eq!(chart.steps.baseline.as_deref(), Some("M0 200V0h8V200"));
        assert_eq!(chart.baseline.unwrap().median, 4);

        let endless = numbers(&[f64::NEG_INFINITY, 0.0, f64::INFINITY], &[0.5, 0.5], [0.0; 5]);
        let chart = histogram(Some(&endless), None).unwrap();
        assert_eq!((chart.baseline, chart.steps.width), (None, 16));
        let nowhere = numbers(&[0.0, 1.0], &[1.0], [f64::NAN; 5]);
        assert_eq!(histogram(Some(&nowhere), None).unwrap().baseline, None);

        let empty = numbers(&[], &[], [0.0; 5]);
        let torn = numbers(&[0.0, 1.0, 2.0], &[1.0], [0.0; 5]);
        let nothing = numbers(&[0.0, 1.0], &[0.0], [0.0; 5]);
        for degenerate in [&empty, &torn, &nothing] {
            assert_eq!(histogram(Some(degenerate), None), None);
        }
        // One side alone is drawn where the other has none.
        assert_eq!(histogram(Some(&empty), Some(&one_value)).unwrap().steps.baseline, None);
        let other_bins = numbers(&[0.0, 9.0], &[1.0], [5.0; 5]);
        assert_eq!(histogram(Some(&one_value), Some(&other_bins)), None);
    }

    #[test]
    fn the_threshold_is_the_middle_of_the_scale() {
        assert_eq!(fill(0.2, 0.2), 50.0);
        assert_eq!(fill(0.123, 0.2), 30.8);
        assert_eq!(fill(9.0, 0.2), 100.0);
        assert_eq!(fill(f64::INFINITY, 0.2), 100.0);
        assert_eq!((fill(f64::NAN, 0.2), fill(0.0, 0.0)), (0.0, 0.0));
        assert_eq!(
            (per_cent(0.25, 0.5), per_cent(1.0, 0.0), per_cent(f64::NAN, 1.0)),
            (50.0, 0.0, 0.0)
        );
    }

    #[test]
    fn the_top_is_round_and_not_below_the_highest() {
        for (highest, top) in [(0.034, 0.04), (0.1, 0.1), (0.11, 0.15), (0.81, 1.0), (1.0, 1.0)] {
            assert!(
                (round_top(highest) - top).abs() < 1e-12,
                "{highest}: {}",
                round_top(highest)
            );
        }
    }
}
