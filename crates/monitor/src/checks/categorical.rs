//! The contract's distances between counts of categories, as deequ computes them.

use std::collections::BTreeMap;

use crate::documents::statistics::Category;
use crate::drift::significance::chi_squared;

/// Minimum number of values expected in each cell of a table with two cells.
const SMALLEST_OF_TWO: f64 = 10.0;

/// In a larger table, at most a fifth of the cells may expect fewer values than this.
const SMALLEST_OF_MANY: f64 = 5.0;

/// A χ² test of goodness of fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChiSquared {
    /// Pearson's statistic.
    pub statistic: f64,
    /// The p-value: the upper tail of the statistic.
    pub p_value: f64,
}

/// χ² test of the current counts against those of the baseline. Small cells are regrouped: the smallest is merged into
/// the second smallest until the table is suitable for the test.
///
/// `None` if it can't be tested. Two peculiarities of the reference are kept: categories that don't occur in the
/// baseline are not part of the statistic, and a current side with a single category isn't tested.
pub fn chi_squared_test(baseline: &[Category], current: &[Category]) -> Option<ChiSquared> {
    let mut sample: BTreeMap<&str, f64> = current
        .iter()
        .map(|category| (category.value.as_str(), category.count as f64))
        .collect();
    let known: f64 = baseline
        .iter()
        .filter_map(|category| sample.get(category.value.as_str()))
        .sum();
    let total: f64 = baseline.iter().map(|category| category.count as f64).sum();
    let mut expected: Vec<(&str, f64)> = baseline
        .iter()
        .map(|category| (category.value.as_str(), category.count as f64 / total * known))
        .collect();
    // Sorted with the smallest last; of equal ones, the first in the baseline's order is taken first.
    expected.reverse();
    expected.sort_by(|a, b| b.1.total_cmp(&a.1));
    while expected.len() >= 2 && !fit(&expected) {
        // Proof: the loop runs only while there are two.
        let (Some(smallest), Some(second)) = (expected.pop(), expected.last_mut()) else {
            break;
        };
        let moved = sample.remove(smallest.0).unwrap_or(0.0);
        *sample.entry(second.0).or_insert(0.0) += moved;
        second.1 += smallest.1;
        expected.sort_by(|a, b| b.1.total_cmp(&a.1));
    }
    if sample.len() < 2 || expected.len() < 2 {
        return None;
    }
    let statistic = expected
        .iter()
        .map(|(value, expected)| (sample.get(value).unwrap_or(&0.0) - expected).powi(2) / expected)
        .sum();
    Some(ChiSquared {
        statistic,
        p_value: chi_squared(statistic, expected.len() as f64 - 1.0),
    })
}

fn fit(expected: &[(&str, f64)]) -> bool {
    let (smallest, allowed) = match expected.len() {
        2 => (SMALLEST_OF_TWO, 0),
        cells => (SMALLEST_OF_MANY, cells / 5),
    };
    expected.iter().filter(|cell| cell.1 < smallest).count() <= allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(categories: &[(&str, u64)]) -> Vec<Category> {
        categories
            .iter()
            .map(|(value, count)| Category {
                value: (*value).to_owned(),
                count: *count,
            })
            .collect()
    }

    #[test]
    fn a_table_that_fits_is_taken_as_it_is() {
        let test = chi_squared_test(&counts(&[("a", 50), ("b", 50)]), &counts(&[("a", 60), ("b", 40)])).unwrap();
        assert!((test.statistic - 4.0).abs() < 1e-12);
        assert!((test.p_value - 0.045_500_263_896_358_42).abs() < 1e-12);
    }

    #[test]
    fn small_cells_go_into_the_next_smallest() {
        let before = counts(&[("a", 60), ("b", 30), ("c", 6), ("d", 2), ("e", 2)]);
        let now = counts(&[("a", 50), ("b", 30), ("c", 10), ("d", 5), ("e", 5)]);
        // d and e expect 2 each. One of five cells may be small, so one of them is merged into the other; the resulting
        // 4 may stay small among five cells, but not among four, so it is merged into c.
        let test = chi_squared_test(&before, &now).unwrap();
        let expected = 100.0 / 60.0 + 0.0 + 100.0 / 10.0;
        assert!((test.statistic - expected).abs() < 1e-12, "{test:?}");
        assert!((test.p_value - chi_squared(expected, 2.0)).abs() < 1e-15);
    }

    #[test]
    fn what_cannot_be_tested_is_not() {
        assert_eq!(
            chi_squared_test(&counts(&[("a", 100)]), &counts(&[("a", 60), ("b", 40)])),
            None
        );
        assert_eq!(
            chi_squared_test(&counts(&[("a", 50), ("b", 50)]), &counts(&[("a", 100)])),
            None
        );
        assert_eq!(
            chi_squared_test(&counts(&[("a", 50), ("b", 50)]), &counts(&[("x", 50), ("y", 50)])),
            None
        );
    }
}
