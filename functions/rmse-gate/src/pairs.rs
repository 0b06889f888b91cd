//! The errors of two models on the same rows, paired row by row, after copies of rows have been left out.
//!
//! For each of the candidate's scores, the row's hash and the squared error are kept, 16 bytes; the champion's are
//! streamed. Batch transform answers in the order of its input, so the rows normally come in the same order; if not,
//! the candidate's are sorted and looked up.

use crate::chance::Differences;
use crate::scores::{RowError, Sum};

/// Larger holdouts are not judged, since both of a candidate's must fit into the function's memory.
pub const MOST_ROWS: usize = 10_000_000;

/// The errors of a candidate on one holdout.
#[derive(Clone, Debug, Default)]
pub struct Errors {
    rows: Vec<RowError>,
    sorted: bool,
}

impl Errors {
    /// Adds an error; errors beyond [`MOST_ROWS`] are left out, which [`Errors::are_all`] reports.
    pub fn add(&mut self, error: RowError) {
        if self.rows.len() < MOST_ROWS {
            self.rows.push(error);
        }
    }

    /// Whether all errors of this many rows were kept.
    pub fn are_all(&self, rows: u64) -> bool {
        self.rows.len() as u64 == rows
    }

    /// Sorts the errors, so that they can be looked up by row.
    pub fn sort(&mut self) {
        self.rows.sort_unstable_by_key(|error| error.row);
        self.sorted = true;
    }

    /// Whether there is an error of this row; requires that the errors are sorted.
    pub fn have(&self, row: u64) -> bool {
        self.find(row).is_some()
    }

    fn find(&self, row: u64) -> Option<f64> {
        let at = self.rows.binary_search_by_key(&row, |error| error.row).ok()?;
        Some(self.rows[at].square)
    }
}

/// The paired errors of candidate and champion on the rows of one holdout.
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    candidate: &'a Errors,
    /// Rows that are counted elsewhere already.
    elsewhere: Option<&'a Errors>,
    next: usize,
    unmatched: bool,
    differences: Differences,
    only_here: Both,
}

/// Sums of both models' squared errors.
#[derive(Clone, Debug, Default)]
pub struct Both {
    /// The number of rows.
    pub rows: u64,
    candidate: Sum,
    champion: Sum,
}

impl Both {
    /// The RMSEs of candidate and champion over these rows together with `rows` others, for which their RMSEs are
    /// given.
    pub fn with(&self, rows: u64, candidate_rmse: f64, champion_rmse: f64) -> (f64, f64) {
        let all = |here: &Sum, rmse: f64| {
            let mut sum = here.clone();
            // Exact up to 2^53 rows.
            #[allow(clippy::cast_precision_loss)]
            sum.add(rmse.powi(2) * rows as f64);
            sum.root_of_mean(self.rows + rows)
        };
        (all(&self.candidate, candidate_rmse), all(&self.champion, champion_rmse))
    }
}

impl<'a> Pairs<'a> {
    /// Pairs with these errors of the candidate. The rows in `elsewhere`, which must be sorted, are left out of
    /// [`Pairs::only_here`].
    pub fn new(candidate: &'a Errors, elsewhere: Option<&'a Errors>) -> Self {
        Self {
            candidate,
            elsewhere,
            next: 0,
            unmatched: false,
            differences: Differences::default(),
            only_here: Both::default(),
        }
    }

    /// Adds the champion's error on its next row.
    pub fn add(&mut self, champion: RowError) {
        let found = if self.candidate.sorted {
            self.candidate.find(champion.row)
        } else {
            let next = self.candidate.rows.get(self.next);
            self.next += 1;
            next.filter(|error| error.row == champion.row).map(|error| error.square)
        };
        let Some(candidate) = found else {
            self.unmatched = true;
            return;
        };
        self.differences.add(champion.square - candidate);
        if self.elsewhere.is_none_or(|elsewhere| !elsewhere.have(champion.row)) {
            self.only_here.rows += 1;
            self.only_here.candidate.add(candidate);
            self.only_here.champion.add(champion.square);
        }
    }

    /// Whether a row had no partner: it came out of order, or is a different row.
    pub fn unmatched(&self) -> bool {
        self.unmatched
    }

    /// The probability that an equally good candidate looks at least this much better.
    pub fn p_value(&self) -> f64 {
        self.differences.p_value()
    }

    /// The errors on the rows that are not counted elsewhere.
    pub fn only_here(&self) -> &Both {
        &self.only_here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(rows: &[(u64, f64)]) -> Errors {
        let mut errors = Errors::default();
        rows.iter().for_each(|(row, square)| {
            errors.add(RowError {
                row: *row,
                square: *square,
            });
        });
        errors
    }

    fn paired<'a>(candidate: &'a Errors, elsewhere: Option<&'a Errors>, champion: &[(u64, f64)]) -> Pairs<'a> {
        let mut pairs = Pairs::new(candidate, elsewhere);
        champion.iter().for_each(|(row, square)| {
            pairs.add(RowError {
                row: *row,
                square: *square,
            });
        });
        pairs
    }

    #[test]
    fn rows_are_paired_in_order_and_else_looked_up() {
        let mut candidate = errors(&[(3, 1.0), (1, 2.0), (2, 3.0)]);
        let in_order = paired(&candidate, None, &[(3, 2.0), (1, 4.0), (2, 6.0)]);
        assert!(!in_order.unmatched());
        let p_value = in_order.p_value();
        assert!(paired(&candidate, None, &[(1, 4.0), (2, 6.0), (3, 2.0)]).unmatched());
        candidate.sort();
        let looked_up = paired(&candidate, None, &[(1, 4.0), (2, 6.0), (3, 2.0)]);
        assert!(!looked_up.unmatched());
        assert!((looked_up.p_value() - p_value).abs() < 1e-12);
        assert!(paired(&candidate, None, &[(4, 1.0)]).unmatched());
    }

    #[test]
    fn rows_that_count_elsewhere_are_left_out_of_the_union() {
        let mut new = errors(&[(1, 4.0), (2, 4.0)]);
        new.sort();
        let own = errors(&[(2, 4.0), (3, 1.0)]);
        let pairs = paired(&own, Some(&new), &[(2, 9.0), (3, 16.0)]);
        assert_eq!(pairs.only_here().rows, 1);
        // The new holdout's two rows, and the one that is only here: (2·4 + 1)/3 and (2·9 + 16)/3.
        let (candidate, champion) = pairs.only_here().with(2, 2.0, 3.0);
        assert!((candidate - 3.0_f64.sqrt()).abs() < 1e-12, "{candidate}");
        assert!((champion - (34.0_f64 / 3.0).sqrt()).abs() < 1e-12, "{champion}");
    }
}
