//! A sketch's items in order, with their weights: ranks, quantiles, buckets, and the distance of two sketches.

use super::sort::key;
use crate::documents::statistics::Bucket;

/// Number of buckets in `statistics.json`.
const BUCKETS: u32 = 10;

/// Distinct items in order, with their cumulative weights.
///
/// `-0.0` and `0.0` are one item.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranks {
    /// The items, ascending and distinct.
    values: Vec<f64>,
    /// For each of them, the weight of all items up to and including it.
    up_to: Vec<u64>,
}

impl Ranks {
    /// The items of a sketch's levels: an item of level `i` has weight `2^i`, and the weights of equal items are added.
    /// NaN is left out.
    pub fn of_levels(levels: &[Vec<f64>]) -> Self {
        Self::of(levels, u64::saturating_add)
    }

    /// Like [`Ranks::of_levels`], but of equal items only one of the highest level counts.
    ///
    /// deequ ranks items in this way when it compares two sketches (its issue 392), in all versions before its pull
    /// request 765, which includes deequ 2.0.2, on which the analyzer container is built: a column with few different
    /// values then seems to have few values. It is used only to reproduce these distances.
    pub fn of_levels_as_reference(levels: &[Vec<f64>]) -> Self {
        Self::of(levels, |_, weight| weight)
    }

    /// `join` returns the joint weight of equal items, given their weight so far and that of the next one, which is on
    /// the same or a higher level.
    fn of(levels: &[Vec<f64>], join: impl Fn(u64, u64) -> u64) -> Self {
        let mut items: Vec<(i64, u32)> = Vec::with_capacity(levels.iter().map(Vec::len).sum());
        for (height, level) in (0_u32..).zip(levels) {
            // `+ 0.0` turns a negative zero into a positive one, and leaves everything else unchanged.
            items.extend(
                level
                    .iter()
                    .filter(|item| !item.is_nan())
                    .map(|&item| (key(item + 0.0), height)),
            );
        }
        items.sort_unstable();

        let mut ranks = Self::default();
        let mut below = 0_u64;
        for equal in items.chunk_by(|a, b| a.0 == b.0) {
            let weight = equal.iter().fold(0, |sum, &(_, height)| join(sum, 1 << height.min(63)));
            below = below.saturating_add(weight);
            ranks.values.push(super::sort::value(equal[0].0));
            ranks.up_to.push(below);
        }
        ranks
    }

    /// The weight of all items, which is the number of values that the sketch has seen.
    pub fn total(&self) -> u64 {
        self.up_to.last().copied().unwrap_or(0)
    }

    /// The weight of the items that are at most `x`. For NaN it is the total, as in the reference.
    pub fn rank(&self, x: f64) -> u64 {
        // "Not greater" and "at most" differ for NaN.
        self.before(
            self.values
                .partition_point(|&value| !matches!(value.partial_cmp(&x), Some(std::cmp::Ordering::Greater))),
        )
    }

    /// The weight of the items that are less than `x`. For NaN it is 0, as in the reference.
    pub fn rank_exclusive(&self, x: f64) -> u64 {
        self.before(self.values.partition_point(|&value| value < x))
    }

    /// The weight of the first `count` items.
    fn before(&self, count: usize) -> u64 {
        count.checked_sub(1).map_or(0, |last| self.up_to[last])
    }

    /// The smallest item whose rank is at least `share` (0 to 1) of the total; `None` if there are no items.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (share * self.total() as f64).ceil() as u64;
        let at = self.up_to.partition_point(|&rank| rank < wanted);
        self.values.get(at).or(self.values.last()).copied()
    }

    /// The items with their ranks, ascending and distinct.
    pub fn items(&self) -> impl Iterator<Item = (f64, u64)> {
        self.values.iter().copied().zip(self.up_to.iter().copied())
    }

    /// The largest difference of the two cumulative distributions, 0 to 1: the two-sample Kolmogorov–Smirnov statistic.
    /// The cumulative distribution of no items is 0 everywhere, so the difference from any other is 1.
    pub fn max_difference(&self, other: &Ranks) -> f64 {
        let share = |ranks: &Ranks, count| match ranks.total() {
            0 => 0.0,
            total => ranks.before(count) as f64 / total as f64,
        };
        let (mut mine, mut its, mut largest) = (0, 0, 0.0_f64);
        loop {
            // Advances to the next item of either side and includes it.
            let next = match (self.values.get(mine), other.values.get(its)) {
                (Some(&a), Some(&b)) => a.min(b),
                (Some(&last), None) | (None, Some(&last)) => last,
                (None, None) => return largest,
            };
            mine += usize::from(self.values.get(mine) == Some(&next));
            its += usize::from(other.values.get(its) == Some(&next));
            largest = largest.max((share(self, mine) - share(other, its)).abs());
        }
    }

    /// Ten buckets of equal width between the smallest and the largest value, with counts estimated from the items.
    ///
    /// Two oddities of the reference are part of `statistics.json`:
    /// - The last upper bound is computed like the others, so that rounding may put it below `max`, and values are
    ///   lost.
    /// - The smallest value starts out as 2147483647 and the largest as -2147483648. If a column lies entirely beyond
    ///   one of them, its buckets extend to that number.
    pub fn buckets(&self, min: f64, max: f64) -> Vec<Bucket> {
        let (start, end) = (min.min(f64::from(i32::MAX)), max.max(f64::from(i32::MIN)));
        let bound = |i: u32| start + (end - start) * f64::from(i) / f64::from(BUCKETS);
        (0..BUCKETS)
            .map(|i| {
                let (lower_bound, upper_bound) = (bound(i), bound(i + 1));
                let last = i + 1 == BUCKETS;
                let up_to = if last {
                    self.rank(upper_bound)
                } else {
                    self.rank_exclusive(upper_bound)
                };
                // Negative only if the bounds are not numbers.
                let count = i128::from(up_to) - i128::from(self.rank_exclusive(lower_bound));
                Bucket {
                    lower_bound,
                    upper_bound,
                    count: count as f64,
                }
            })
            .collect()
    }
}
