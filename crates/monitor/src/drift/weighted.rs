//! Sorted items of a sketch: shares, quantiles, and the distances that are computed from them alone.
//!
//! How a sketch arrives at its items is described in `sketch`.

use crate::sketch::kll::Ranks;

/// Rank error of a sketch with k = 2048 that has dropped items, as a share of all values: the bound given in the
/// literature at 99 % confidence, 2.296 / k^0.9021. A sketch that holds every value has none.
const RANK_ERROR: f64 = 0.00236;

/// Number of standard deviations that are attributed to chance, as in the contract's correction of L∞.
pub const ACCIDENT: f64 = 1.8;

/// Distinct values in ascending order, each with the cumulative weight of all items up to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weighted {
    values: Vec<f64>,
    cumulative: Vec<u64>,
    /// Whether items have been dropped, so that the others represent them.
    condensed: bool,
}

/// The distance between two distributions along the axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Transport {
    /// Wasserstein-1 distance: the area between the two cumulative distributions, in the unit of the values.
    pub distance: f64,
    /// The part of it that chance would explain for these numbers of values.
    pub accident: f64,
}

impl Weighted {
    /// Built from the levels of a sketch: an item of level `i` has weight `2^i`. NaN is left out.
    pub fn of_levels(levels: &[Vec<f64>]) -> Self {
        Self::of(&Ranks::of_levels(levels), levels)
    }

    /// Like [`Weighted::of_levels`], but with the reference's error: see [`Ranks::of_levels_as_reference`].
    pub fn of_levels_as_reference(levels: &[Vec<f64>]) -> Self {
        Self::of(&Ranks::of_levels_as_reference(levels), levels)
    }

    fn of(ranks: &Ranks, levels: &[Vec<f64>]) -> Self {
        let (values, cumulative) = ranks.items().unzip();
        Self {
            values,
            cumulative,
            condensed: levels.len() > 1,
        }
    }

    /// Number of values that the items represent.
    pub fn total(&self) -> u64 {
        self.cumulative.last().copied().unwrap_or(0)
    }

    /// Number of distinct values among the items.
    pub fn distinct(&self) -> usize {
        self.values.len()
    }

    /// Numbers of distinct values below `low` and above `high`.
    pub fn outside(&self, low: f64, high: f64) -> (usize, usize) {
        let below = self.values.partition_point(|value| *value < low);
        (
            below,
            self.values.len() - self.values.partition_point(|value| *value <= high),
        )
    }

    /// Maximum error of a share due to dropped items.
    pub fn rank_error(&self) -> f64 {
        if self.condensed { RANK_ERROR } else { 0.0 }
    }

    /// The share of the values that do not exceed `bound`; 0 if there are no values.
    pub fn share_up_to(&self, bound: f64) -> f64 {
        match self.values.partition_point(|value| *value <= bound) {
            0 => 0.0,
            items => self.cumulative[items - 1] as f64 / self.total() as f64,
        }
    }

    /// The smallest value that `share` of the values do not exceed; `None` if there are no values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = share * self.total() as f64;
        let index = self.cumulative.partition_point(|sum| (*sum as f64) < wanted);
        self.values.get(index).or(self.values.last()).copied()
    }

    /// The distinct values, each with its share.
    pub fn shares(&self) -> impl Iterator<Item = (f64, f64)> {
        let total = self.total() as f64;
        let before = std::iter::once(0).chain(self.cumulative.iter().copied());
        self.values
            .iter()
            .zip(&self.cumulative)
            .zip(before)
            .map(move |((value, sum), before)| {
                let share = (sum - before) as f64 / total;
                (*value, share)
            })
    }

    /// The share in each of the cells `(-∞, b₀]`, `(b₀, b₁]`, …, `(bₙ, ∞)` of ascending bounds.
    pub fn shares_in(&self, bounds: &[f64]) -> Vec<f64> {
        let sums = bounds.iter().map(|bound| self.share_up_to(*bound));
        let whole = if self.values.is_empty() { 0.0 } else { 1.0 };
        let mut before = 0.0;
        sums.chain([whole])
            .map(|sum| {
                let share = sum - before;
                before = sum;
                share
            })
            .collect()
    }

    /// L∞: the largest difference of the inclusive cumulative shares; 0 if one side has no values.
    pub fn max_difference(&self, other: &Self) -> f64 {
        let mut largest = 0.0_f64;
        self.walk(other, |_, _, mine, theirs| largest = largest.max((mine - theirs).abs()));
        largest
    }

    /// Wasserstein-1 distance. Infinities are left out; 0 if one side has no values.
    pub fn transport(&self, other: &Self) -> Transport {
        let (n, m) = (self.total() as f64, other.total() as f64);
        let (mut distance, mut accident) = (0.0, 0.0);
        self.walk(other, |from, to, mine, theirs| {
            let width = to - from;
            if width.is_finite() {
                let pooled = (n * mine + m * theirs) / (n + m);
                distance += width * (mine - theirs).abs();
                accident += width * (pooled * (1.0 - pooled)).max(0.0).sqrt();
            }
        });
        Transport {
            distance,
            accident: ACCIDENT * accident * (1.0 / n + 1.0 / m).sqrt(),
        }
    }

    /// Calls `step` for each value of either side with the next value (itself at the end) and the cumulative shares
    /// between them.
    fn walk(&self, other: &Self, mut step: impl FnMut(f64, f64, f64, f64)) {
        let (n, m) = (self.total() as f64, other.total() as f64);
        if n == 0.0 || m == 0.0 {
            return;
        }
        let (mut i, mut j) = (0, 0);
        let (mut mine, mut theirs) = (0.0, 0.0);
        loop {
            let at = match (self.values.get(i), other.values.get(j)) {
                (Some(a), Some(b)) => a.min(*b),
                (Some(a), None) => *a,
                (None, Some(b)) => *b,
                (None, None) => break,
            };
            if self.values.get(i).is_some_and(|value| *value == at) {
                mine = self.cumulative[i] as f64 / n;
                i += 1;
            }
            if other.values.get(j).is_some_and(|value| *value == at) {
                theirs = other.cumulative[j] as f64 / m;
                j += 1;
            }
            let next = match (self.values.get(i), other.values.get(j)) {
                (Some(a), Some(b)) => a.min(*b),
                (Some(only), None) | (None, Some(only)) => *only,
                (None, None) => at,
            };
            step(at, next, mine, theirs);
        }
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
    fn an_item_of_a_level_stands_for_a_power_of_two() {
        let sketch = Weighted::of_levels(&[vec![5.0, 1.0], vec![3.0], vec![1.0]]);
        assert_eq!(sketch.total(), 8);
        assert_eq!(sketch.distinct(), 3);
        assert_eq!(sketch.share_up_to(0.9), 0.0);
        assert_eq!(sketch.share_up_to(1.0), 5.0 / 8.0);
        assert_eq!(sketch.share_up_to(4.0), 7.0 / 8.0);
        assert_eq!(sketch.quantile(0.5), Some(1.0));
        assert_eq!(sketch.quantile(0.75), Some(3.0));
        assert_eq!(sketch.quantile(1.0), Some(5.0));
        assert_eq!(
            sketch.shares().collect::<Vec<_>>(),
            [(1.0, 0.625), (3.0, 0.25), (5.0, 0.125)]
        );
        assert!(sketch.rank_error() > 0.0);
        assert_eq!(of(&[1.0, 2.0]).rank_error(), 0.0);
    }

    #[test]
    fn both_zeros_are_one_value_and_nan_is_none() {
        let zeros = of(&[0.0, -0.0, f64::NAN]);
        assert_eq!((zeros.total(), zeros.distinct()), (2, 1));
    }

    #[test]
    fn without_values_nothing_is_said() {
        let (nothing, something) = (of(&[]), of(&[1.0]));
        assert_eq!(nothing.quantile(0.5), None);
        assert_eq!(nothing.shares_in(&[0.0]), [0.0, 0.0]);
        assert_eq!(nothing.max_difference(&something), 0.0);
        assert_eq!(something.transport(&nothing).distance, 0.0);
    }

    #[test]
    fn cells_are_open_at_both_ends_and_closed_above() {
        assert_eq!(of(&[1.0, 2.0, 3.0, 9.0]).shares_in(&[1.0, 3.0]), [0.25, 0.5, 0.25]);
    }

    #[test]
    fn infinities_do_not_spoil_the_distance() {
        let (a, b) = (of(&[f64::NEG_INFINITY, 0.0, 1.0]), of(&[0.0, 1.0, f64::INFINITY]));
        assert!(a.transport(&b).distance.is_finite());
        assert!((a.max_difference(&b) - 1.0 / 3.0).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn a_shift_is_its_own_distance(values in prop::collection::vec(-100_i32..100, 1..60), shift in 0_i32..50) {
            let before: Vec<f64> = values.iter().map(|v| f64::from(*v)).collect();
            let after: Vec<f64> = values.iter().map(|v| f64::from(v + shift)).collect();
            let (before, after) = (of(&before), of(&after));
            prop_assert!((before.transport(&after).distance - f64::from(shift)).abs() < 1e-9);
            prop_assert_eq!(before.transport(&after).distance, after.transport(&before).distance);
            prop_assert_eq!(before.max_difference(&after), after.max_difference(&before));
            prop_assert_eq!(before.max_difference(&before), 0.0);
        }

        #[test]
        fn shares_in_any_cells_sum_to_one(values in prop::collection::vec(-1e6..1e6, 1..80), mut bounds in prop::collection::vec(-1e6..1e6, 0..9)) {
            bounds.sort_by(f64::total_cmp);
            let sum: f64 = of(&values).shares_in(&bounds).iter().sum();
            prop_assert!((sum - 1.0).abs() < 1e-12);
        }
    }
}
