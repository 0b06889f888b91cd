//! Rows that were left out, with the reasons: nothing is dropped silently.

use drift_document::{Skipped, SkippedKind};

/// Rows that were left out, by reason, in the order of their first place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Skips {
    reasons: Vec<Skipped>,
}

impl Skips {
    /// Counts one row; `first` is called only for the first row of a reason.
    pub fn add(&mut self, reason: &str, first: impl FnOnce() -> String) {
        match self.reasons.iter_mut().find(|skipped| skipped.reason == reason) {
            Some(skipped) => skipped.rows += 1,
            None => self.reasons.push(Skipped {
                reason: reason.to_owned(),
                kind: SkippedKind::Record,
                rows: 1,
                first: first(),
            }),
        }
    }

    /// Adds the rows that another part left out; first places of `self` are kept.
    pub fn merge(&mut self, other: Self) {
        for theirs in other.reasons {
            match self.reasons.iter_mut().find(|ours| ours.reason == theirs.reason) {
                Some(ours) => ours.rows += theirs.rows,
                None => self.reasons.push(theirs),
            }
        }
    }

    /// Number of all rows left out.
    pub fn rows(&self) -> u64 {
        self.reasons.iter().map(|skipped| skipped.rows).sum()
    }

    /// The rows left out, in the form of `drift.json`.
    pub fn as_slice(&self) -> &[Skipped] {
        &self.reasons
    }

    /// The rows left out, in the form of `drift.json`.
    pub fn into_vec(self) -> Vec<Skipped> {
        self.reasons
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_keeps_its_first_place_and_counts_on() {
        let mut left = Skips::default();
        left.add("no data", || "a.jsonl:1".to_owned());
        left.add("no data", || unreachable!("only the first place is asked for"));
        let mut right = Skips::default();
        right.add("no data", || "b.jsonl:9".to_owned());
        right.add("not JSON", || "b.jsonl:2".to_owned());
        left.merge(right);
        let found: Vec<_> = left
            .as_slice()
            .iter()
            .map(|s| (s.reason.as_str(), s.rows, s.first.as_str()))
            .collect();
        assert_eq!(found, [("no data", 3, "a.jsonl:1"), ("not JSON", 1, "b.jsonl:2")]);
        assert_eq!(left.rows(), 4);
    }
}
