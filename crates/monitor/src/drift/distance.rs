//! Distances between shares in cells: PSI, Jensen–Shannon, the largest difference.
//!
//! `significance` decides whether a distance is due to chance. This module says how much chance alone may contribute to
//! each distance, so that thresholds have the same meaning for a hundred rows as for a million.

use super::weighted::{ACCIDENT, Weighted};

/// Smallest share of a cell in PSI: one row in ten thousand. Otherwise a cell that is empty on one side would make the
/// index infinite.
pub const EMPTY_CELL: f64 = 1e-4;

/// Number of cells for PSI: the baseline's deciles.
pub const PSI_CELLS: usize = 10;

/// Number of cells for the Jensen–Shannon distance: twice as fine.
pub const JENSEN_SHANNON_CELLS: usize = 20;

/// Shares of the baseline and of the current data in the same cells.
#[derive(Clone, Debug, PartialEq)]
pub struct Cells {
    /// The shares of each cell, baseline first; each side sums to 1.
    pub shares: Vec<(f64, f64)>,
}

impl Cells {
    /// The shares of numbers, in quantiles of the baseline.
    pub fn of_numbers(baseline: &Weighted, current: &Weighted, cells: usize) -> Self {
        let bounds = quantile_bounds(baseline, cells);
        Self {
            shares: baseline
                .shares_in(&bounds)
                .into_iter()
                .zip(current.shares_in(&bounds))
                .collect(),
        }
    }

    /// The shares given by counts; neither side may be empty.
    pub fn of_counts(counts: &[(u64, u64)]) -> Self {
        let (n, m) = counts
            .iter()
            .fold((0.0, 0.0), |(n, m), cell| (n + cell.0 as f64, m + cell.1 as f64));
        Self {
            shares: counts
                .iter()
                .map(|cell| (cell.0 as f64 / n, cell.1 as f64 / m))
                .collect(),
        }
    }

    /// Population stability index: Σ (current − baseline) · ln(current / baseline), with shares of at least
    /// [`EMPTY_CELL`].
    pub fn psi(&self) -> f64 {
        let term = |(before, now): &(f64, f64)| {
            let (before, now) = (before.max(EMPTY_CELL), now.max(EMPTY_CELL));
            (now - before) * (now / before).ln()
        };
        self.shares.iter().map(term).sum()
    }

    /// The root of the Jensen–Shannon divergence to base 2: 0 to 1.
    pub fn jensen_shannon(&self) -> f64 {
        let divergence: f64 = self
            .shares
            .iter()
            .map(|(before, now)| {
                let middle = f64::midpoint(*before, *now);
                let against = |share: f64| {
                    if share > 0.0 {
                        share * (share / middle).log2()
                    } else {
                        0.0
                    }
                };
                against(*before) + against(*now)
            })
            .sum();
        (divergence / 2.0).clamp(0.0, 1.0).sqrt()
    }

    /// The largest difference between two shares.
    pub fn max_difference(&self) -> f64 {
        self.shares
            .iter()
            .map(|(before, now)| (before - now).abs())
            .fold(0.0, f64::max)
    }

    /// The PSI that chance explains for two samples of one distribution; `spread` is 1/n + 1/m.
    pub fn psi_by_accident(&self, spread: f64) -> f64 {
        self.accident() * spread
    }

    /// The Jensen–Shannon divergence (the square of the distance) that chance explains for two samples of one
    /// distribution; `spread` is 1/n + 1/m.
    pub fn divergence_by_accident(&self, spread: f64) -> f64 {
        self.accident() * spread / (8.0 * std::f64::consts::LN_2)
    }

    /// Close to 0, both distances behave like χ² divided by the sample size. This is its mean plus some standard
    /// deviations.
    fn accident(&self) -> f64 {
        let freedom = self.freedom();
        freedom + ACCIDENT * (2.0 * freedom).sqrt()
    }

    /// Number of cells that are not empty on both sides, minus one.
    fn freedom(&self) -> f64 {
        let filled = self
            .shares
            .iter()
            .filter(|(before, now)| *before > 0.0 || *now > 0.0)
            .count();
        filled.saturating_sub(1) as f64
    }
}

/// Inclusive upper bounds of cells that each hold about the same share of the values. A value that is by itself as
/// frequent as a cell gets its own, so that changes of flags, zeros and sentinels are noticed. The range between two
/// such values, or below the first, is a cell as well, even if it is empty in the baseline.
fn quantile_bounds(baseline: &Weighted, cells: usize) -> Vec<f64> {
    let mut bounds: Vec<f64> = Vec::new();
    let mut push = |bound: f64| {
        if bound.is_finite() && bounds.last().is_none_or(|last| *last < bound) {
            bounds.push(bound);
        }
    };
    let mut before = 0.0;
    let mut open: Option<(usize, f64)> = None;
    for (value, share) in baseline.shares() {
        let frequent = share * cells as f64 >= 1.0;
        let cell = ((before + share / 2.0) * cells as f64) as usize;
        if let Some((_, last)) = open.filter(|(of, _)| !frequent && *of != cell) {
            push(last);
        }
        if frequent {
            push(value.next_down());
            push(value);
            open = None;
        } else {
            open = Some((cell, value));
        }
        before += share;
    }
    bounds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Weighted {
        Weighted::of_levels(&[values.to_vec()])
    }

    #[test]
    fn cells_are_the_deciles_of_the_baseline() {
        let baseline = of(&(1..=1000).map(f64::from).collect::<Vec<_>>());
        assert_eq!(
            quantile_bounds(&baseline, 10),
            [100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0]
        );
    }

    #[test]
    fn ties_are_one_cell() {
        let rare = [vec![0.0; 50], vec![1.0; 950]].concat();
        let often = [vec![0.0; 500], vec![1.0; 500]].concat();
        let cells = Cells::of_numbers(&of(&rare), &of(&often), 10);
        let filled: Vec<_> = cells.shares.iter().filter(|cell| cell.0 > 0.0).copied().collect();
        assert_eq!(filled.len(), 2);
        assert!((filled[0].0 - 0.05).abs() < 1e-12 && (filled[0].1 - 0.5).abs() < 1e-12);
        assert!(cells.psi() > 1.0);
    }

    #[test]
    fn a_sentinel_below_all_flags_is_seen() {
        let flags = [vec![0.0; 500], vec![1.0; 500]].concat();
        let sentinel = [vec![-1.0; 100], vec![0.0; 450], vec![1.0; 450]].concat();
        assert!(Cells::of_numbers(&of(&flags), &of(&sentinel), 10).psi() > 0.2);
    }

    #[test]
    fn a_constant_is_compared() {
        let (before, now) = (of(&[5.0; 200]), of(&[6.0; 200]));
        let cells = Cells::of_numbers(&before, &now, 20);
        assert_eq!(cells.jensen_shannon(), 1.0);
        assert_eq!(Cells::of_numbers(&before, &before, 20).jensen_shannon(), 0.0);
    }

    proptest! {
        #[test]
        fn distances_are_zero_only_for_the_same(counts in prop::collection::vec((1_u64..500, 1_u64..500), 2..30)) {
            let cells = Cells::of_counts(&counts);
            prop_assert!(cells.psi() >= 0.0);
            prop_assert!((0.0..=1.0).contains(&cells.jensen_shannon()));
            let same: Vec<_> = counts.iter().map(|cell| (cell.0, cell.0)).collect();
            prop_assert_eq!(Cells::of_counts(&same).psi(), 0.0);
            prop_assert_eq!(Cells::of_counts(&same).jensen_shannon(), 0.0);
        }

        #[test]
        fn cells_of_numbers_sum_to_one(before in prop::collection::vec(-20_i32..20, 1..300), now in prop::collection::vec(-30_i32..30, 1..300)) {
            let before: Vec<f64> = before.into_iter().map(f64::from).collect();
            let now: Vec<f64> = now.into_iter().map(f64::from).collect();
            let cells = Cells::of_numbers(&of(&before), &of(&now), 10);
            let sums = cells.shares.iter().fold((0.0, 0.0), |sum, cell| (sum.0 + cell.0, sum.1 + cell.1));
            prop_assert!((sums.0 - 1.0_f64).abs() < 1e-9 && (sums.1 - 1.0_f64).abs() < 1e-9);
            prop_assert!(cells.shares.iter().all(|cell| cell.0 >= -1e-12 && cell.1 >= -1e-12));
        }
    }
}
