//! What can be reached without a model, from the rows of the sample.

use super::numbers;
use csv::StringRecord;
use files::squeeze;
use std::collections::{HashMap, HashSet};

/// The share of the sample's rows that errors are measured on: the platform's holdout.
const HELD_OUT: f64 = 0.15;
/// A group must lower the error by so much to be worth naming.
const WORTH: f64 = 0.98;
/// More values are no groups.
const MOST_GROUPS: usize = 2000;
/// A golden section: row numbers times it fall evenly into [0, 1), whatever order the rows are in.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// Errors of predictions without a model, in the target's unit.
#[derive(Clone, Debug)]
pub(super) struct Baseline {
    /// The middle of the target.
    pub median: f64,
    /// RMSE of predicting it everywhere.
    pub rmse: f64,
    /// The column whose groups' medians are best, its position and their RMSE.
    pub group: Option<(usize, f64)>,
    /// Rows that it was measured on.
    pub held_out: usize,
}

/// Measures them: `rows` with their target, and `groups`, the columns that may make groups.
pub(super) fn measure(rows: &[(&StringRecord, f64)], groups: &[usize]) -> Baseline {
    let place = |at: usize| (at as f64 * GOLDEN).fract();
    let (mut learned, mut held) = (Vec::new(), Vec::new());
    for (at, row) in rows.iter().enumerate() {
        if place(at) < HELD_OUT {
            held.push(*row);
        } else {
            learned.push(*row);
        }
    }
    let middle = median(&mut learned.iter().map(|(_, target)| *target).collect::<Vec<_>>());
    let rmse_of = |predict: &dyn Fn(&StringRecord) -> f64| {
        let squares = held.iter().map(|(row, target)| (predict(row) - target).powi(2));
        (squares.sum::<f64>() / held.len().max(1) as f64).sqrt()
    };
    let rmse = rmse_of(&|_| middle);
    let by_group = |column: usize| {
        let mut members: HashMap<String, Vec<f64>> = HashMap::new();
        for (row, target) in &learned {
            members.entry(word(row, column)).or_default().push(*target);
            if members.len() > MOST_GROUPS {
                return None;
            }
        }
        let medians: HashMap<String, f64> = members
            .into_iter()
            .map(|(word, mut all)| (word, median(&mut all)))
            .collect();
        let reached = rmse_of(&|row| medians.get(&word(row, column)).copied().unwrap_or(middle));
        (reached < rmse * WORTH).then_some((column, reached))
    };
    let group = groups.iter().filter_map(|column| by_group(*column));
    Baseline {
        median: middle,
        rmse,
        group: group.min_by(|one, other| one.1.total_cmp(&other.1)),
        held_out: held.len(),
    }
}

/// The shares of rows that repeat others: in all their fields, and in these columns alone.
pub(super) fn repeats(sample: &[StringRecord], columns: &[usize]) -> (f64, f64) {
    let (mut wholes, mut parts) = (HashSet::new(), HashSet::new());
    for row in sample {
        wholes.insert(row.iter().map(squeeze).collect::<Vec<_>>());
        parts.insert(columns.iter().map(|at| word(row, *at)).collect::<Vec<_>>());
    }
    let share = |different: usize| 1.0 - different as f64 / sample.len().max(1) as f64;
    (share(wholes.len()), share(parts.len()))
}

fn word(row: &StringRecord, column: usize) -> String {
    squeeze(row.get(column).unwrap_or_default())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().saturating_sub(1) / 2, values.len() / 2);
    match (values.get(low), values.get(high)) {
        (Some(low), Some(high)) => f64::midpoint(*low, *high),
        _ => numbers::quantile(values, 0.5),
    }
}
