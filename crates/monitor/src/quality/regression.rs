//! `mae`, `mse`, `rmse` and `r2` of numbers.
//!
//! Up to [`KEPT_ROWS`] rows are kept, and the metrics are computed from them in row order by the textbook formulas:
//! sums from left to right, the mean before the squares. This gives the contract's values to the last digit, however
//! the rows were divided into parts. Beyond that, only sums are kept (with Welford's recurrence for the squares about
//! the mean), which agrees to about twelve digits; memory does not grow with the rows.

use super::ProblemType;
use super::metrics::{Metrics, with_deviations};
use super::sampling::{SAMPLES, samples_with};

/// Number of rows that are kept for exact evaluation: 1 MiB.
pub const KEPT_ROWS: usize = 65_536;

/// The accumulated pairs of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// Prediction and ground truth of all rows; `None` beyond [`KEPT_ROWS`].
    kept: Option<Vec<(f64, f64)>>,
    all: Sums,
    samples: [Sums; SAMPLES],
}

/// Sums over pairs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Sums {
    rows: u64,
    absolute_errors: f64,
    squared_errors: f64,
    /// Sum of the errors to the fourth power, for the variance of the squared errors.
    fourth_errors: f64,
    /// Mean of the ground truth.
    mean: f64,
    /// Sum of the squared differences of the ground truth from its mean.
    squares: f64,
}

impl Default for Regression {
    fn default() -> Self {
        Self {
            kept: Some(Vec::new()),
            all: Sums::default(),
            samples: Default::default(),
        }
    }
}

impl Regression {
    /// Adds a row; `row` is a number that stays the same for this row. Both values must be finite.
    pub fn push(&mut self, row: u64, prediction: f64, truth: f64) {
        match &mut self.kept {
            Some(kept) if kept.len() < KEPT_ROWS => kept.push((prediction, truth)),
            kept => *kept = None,
        }
        self.all.push(prediction, truth);
        for (sums, is_in) in self.samples.iter_mut().zip(samples_with(row)) {
            if is_in {
                sums.push(prediction, truth);
            }
        }
    }

    /// Adds the rows that follow.
    pub fn merge(&mut self, other: Self) {
        self.kept = match (self.kept.take(), other.kept) {
            (Some(mut ours), Some(theirs)) if ours.len() + theirs.len() <= KEPT_ROWS => {
                ours.extend(theirs);
                Some(ours)
            }
            _ => None,
        };
        self.all.merge(other.all);
        for (ours, theirs) in self.samples.iter_mut().zip(other.samples) {
            ours.merge(theirs);
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.all.rows
    }

    /// The metrics. NaN if there are no rows; `r2` is NaN if all ground truth is the same.
    pub fn metrics(&self) -> Metrics {
        let all = self.kept.as_deref().map_or(self.all, Sums::in_two_passes);
        let mut values = with_deviations(all.rows, all.values(), self.samples.map(|sums| sums.values()));
        for (metric, error) in values.iter_mut().zip(all.standard_errors()) {
            metric.standard_error = Some(error).filter(|it| it.is_finite());
        }
        Metrics {
            problem: ProblemType::Regression,
            rows: all.rows,
            values,
            confusion: None,
            curves: None,
        }
    }
}

impl Sums {
    fn push(&mut self, prediction: f64, truth: f64) {
        let error = truth - prediction;
        self.rows += 1;
        self.absolute_errors += error.abs();
        self.squared_errors += error * error;
        self.fourth_errors += error.powi(4);
        let from_old_mean = truth - self.mean;
        self.mean += from_old_mean / self.rows as f64;
        self.squares += from_old_mean * (truth - self.mean);
    }

    fn merge(&mut self, other: Self) {
        if other.rows == 0 {
            return;
        }
        if self.rows == 0 {
            *self = other;
            return;
        }
        let (ours, theirs) = (self.rows as f64, other.rows as f64);
        let between = other.mean - self.mean;
        self.rows += other.rows;
        self.absolute_errors += other.absolute_errors;
        self.squared_errors += other.squared_errors;
        self.fourth_errors += other.fourth_errors;
        self.mean += between * (theirs / (ours + theirs));
        self.squares += other.squares + between * between * (ours * theirs / (ours + theirs));
    }

    fn in_two_passes(pairs: &[(f64, f64)]) -> Self {
        let mut sums = Self {
            rows: pairs.len() as u64,
            ..Self::default()
        };
        for (prediction, truth) in pairs {
            let error = truth - prediction;
            sums.absolute_errors += error.abs();
            sums.squared_errors += error * error;
            sums.fourth_errors += error.powi(4);
            sums.mean += truth;
        }
        sums.mean /= pairs.len() as f64;
        for (_, truth) in pairs {
            sums.squares += (truth - sums.mean) * (truth - sums.mean);
        }
        sums
    }

    fn values(&self) -> [(&'static str, f64); 4] {
        let rows = self.rows as f64;
        let mse = self.squared_errors / rows;
        let r2 = if self.squares == 0.0 {
            f64::NAN
        } else {
            1.0 - self.squared_errors / self.squares
        };
        [
            ("mae", self.absolute_errors / rows),
            ("mse", mse),
            ("rmse", mse.sqrt()),
            ("r2", r2),
        ]
    }

    /// Standard errors of the values, in the same order: those of means, propagated to the values derived from them
    /// (delta method). The one of `r2` treats the spread of the ground truth as known.
    fn standard_errors(&self) -> [f64; 4] {
        let rows = self.rows as f64;
        let (mae, mse) = (self.absolute_errors / rows, self.squared_errors / rows);
        let of_mean = |mean: f64, mean_of_squares: f64| ((mean_of_squares - mean * mean).max(0.0) / rows).sqrt();
        let of_mse = of_mean(mse, self.fourth_errors / rows);
        [
            of_mean(mae, mse),
            of_mse,
            of_mse / (2.0 * mse.sqrt()),
            of_mse * rows / self.squares,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(pairs: &[(f64, f64)], first: u64) -> Regression {
        let mut regression = Regression::default();
        for (row, (prediction, truth)) in (first..).zip(pairs) {
            regression.push(row, *prediction, *truth);
        }
        regression
    }

    /// Treats the data as if it had more rows than are kept.
    fn streamed(mut regression: Regression) -> Regression {
        regression.kept = None;
        regression
    }

    fn values(regression: &Regression) -> Vec<f64> {
        regression.metrics().values.iter().map(|metric| metric.value).collect()
    }

    fn close(left: f64, right: f64) -> bool {
        (left.is_nan() && right.is_nan()) || (left - right).abs() <= 1e-12 * left.abs().max(right.abs()).max(1.0)
    }

    #[test]
    fn metrics_are_those_of_the_textbook() {
        let metrics = of(&[(2.5, 3.0), (0.0, -0.5), (2.0, 2.0), (8.0, 7.0)], 0).metrics();
        assert_eq!(metrics.rows, 4);
        let values: Vec<_> = metrics.values.iter().map(|m| (m.name, m.value)).collect();
        assert_eq!(
            values,
            [
                ("mae", 0.5),
                ("mse", 0.375),
                ("rmse", 0.375_f64.sqrt()),
                ("r2", 1.0 - 1.5 / 29.1875)
            ]
        );
        assert!(metrics.values.iter().all(|m| m.standard_deviation.is_nan()));
    }

    #[test]
    fn without_rows_or_spread_what_is_not_defined_is_nan() {
        assert!(values(&Regression::default()).iter().all(|value| value.is_nan()));
        let constant = values(&of(&[(1.0, 2.0), (2.0, 2.0)], 0));
        assert_eq!(&constant[..2], [0.5, 0.5]);
        assert!(constant[3].is_nan());
    }

    #[test]
    fn deviations_begin_at_two_hundred_rows_and_are_always_the_same() {
        let pairs: Vec<_> = (0..200).map(|i| (f64::from(i % 7), f64::from(i % 5))).collect();
        let metrics = of(&pairs, 0).metrics();
        assert!(
            metrics
                .values
                .iter()
                .all(|m| m.standard_deviation > 0.0 && m.standard_deviation < 0.5)
        );
        assert_eq!(metrics, of(&pairs, 0).metrics());
        assert!(
            of(&pairs[..199], 0)
                .metrics()
                .values
                .iter()
                .all(|m| m.standard_deviation.is_nan())
        );
    }

    #[test]
    fn beyond_the_kept_rows_the_sums_take_over() {
        let pairs: Vec<_> = (0..KEPT_ROWS + 1)
            .map(|i| ((i % 97) as f64, (i % 89) as f64 + 0.1))
            .collect();
        let whole = of(&pairs, 0);
        assert_eq!(whole.kept, None);
        let exact = Sums::in_two_passes(&pairs).values();
        for (streamed, (name, exact)) in values(&whole).into_iter().zip(exact) {
            assert!(close(streamed, exact), "{name}: {streamed} {exact}");
        }
        let (left, right) = pairs.split_at(40_000);
        let mut merged = of(left, 0);
        merged.merge(of(right, 40_000));
        assert_eq!(merged.kept, None);
        assert!(
            values(&merged)
                .into_iter()
                .zip(values(&whole))
                .all(|(a, b)| close(a, b))
        );
    }

    proptest! {
        #[test]
        fn parts_give_the_whole(
            pairs in prop::collection::vec((-1e3..1e3_f64, -1e3..1e3_f64), 2..400),
            cut in 0.0..1.0_f64,
        ) {
            let (left, right) = pairs.split_at((pairs.len() as f64 * cut) as usize);
            let whole = of(&pairs, 0);
            let mut merged = of(left, 0);
            merged.merge(of(right, left.len() as u64));
            // With kept rows, every digit is the same.
            prop_assert_eq!(values(&merged), values(&whole));
            let exact = whole.metrics();
            let parts = streamed(merged).metrics();
            for (parts, exact) in parts.values.iter().zip(&exact.values) {
                // The scale of `r2` is that of its quotient, not of the difference.
                let scale = if parts.name == "r2" { (1.0 - exact.value).abs().max(1.0) } else { exact.value.abs() };
                prop_assert!((parts.value - exact.value).abs() <= 1e-12 * scale, "{:?} {:?}", parts, exact);
                if exact.standard_deviation.is_nan() {
                    prop_assert!(parts.standard_deviation.is_nan());
                } else {
                    // A deviation is a difference of metrics, so its precision is relative to them.
                    prop_assert!((parts.standard_deviation - exact.standard_deviation).abs() <= 1e-10 * scale);
                }
            }
        }
    }
}
