//! What Preprocess reports about the rows of a training run.

use crate::unreadable::Unreadable;
use crate::words;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `data/summary/summary.json` of a training run: the fields that other parts read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PreprocessSummary {
    /// Numbers of rows.
    pub rows: Rows,
    /// Number of rows that were not trained on, by reason; the reason continues "have …". If too many are dropped, the
    /// file is refused.
    pub dropped: BTreeMap<String, u64>,
    /// Values that couldn't be read, by column, most first.
    pub unreadable: Vec<Unreadable>,
}

/// Numbers of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Rows {
    /// Rows in all files.
    pub read: u64,
    /// Rows that repeat others and were left out.
    pub duplicates: u64,
}

impl PreprocessSummary {
    /// The dropped rows, one sentence for each reason, most first.
    pub fn dropped_in_words(&self) -> Vec<String> {
        let mut dropped: Vec<(&String, u64)> = self.dropped.iter().map(|(reason, rows)| (reason, *rows)).collect();
        dropped.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        let told = dropped.into_iter().filter(|(_, rows)| *rows > 0);
        told.map(|(reason, rows)| self.of_all(rows, &format!("{} {reason}", if rows == 1 { "has" } else { "have" })))
            .collect()
    }

    /// The number of dropped rows, in a few words; none if no row was dropped.
    pub fn dropped_in_short(&self) -> Option<String> {
        let rows: u64 = self.dropped.values().sum();
        (rows > 0).then(|| self.of_all(rows, "left out"))
    }

    /// The number of rows that repeat others, as a sentence; none if there are no such rows.
    pub fn duplicates_in_words(&self) -> Option<String> {
        let rows = self.rows.duplicates;
        let word = if rows == 1 { "repeats" } else { "repeat" };
        (rows > 0).then(|| self.of_all(rows, &format!("{word} others")))
    }

    fn of_all(&self, rows: u64, what: &str) -> String {
        let all = words::counted(self.rows.read, "row", "rows");
        format!("{} of {all} {what}", words::count(rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_are_told_of_rows_that_were_left_out_most_first() {
        let summary = json!({
            "rows": {"read": 8_553, "duplicates": 1, "train": 4_000},
            "dropped": {"a price above 150000": 9, "no usable year": 1, "a price below 1000": 1_426, "no price": 0},
        });
        let summary: PreprocessSummary = serde_json::from_value(summary).unwrap();
        assert_eq!(
            summary.dropped_in_words(),
            [
                "1426 of 8553 rows have a price below 1000",
                "9 of 8553 rows have a price above 150000",
                "1 of 8553 rows has no usable year",
            ]
        );
        assert_eq!(summary.dropped_in_short().unwrap(), "1436 of 8553 rows left out");
        assert_eq!(summary.duplicates_in_words().unwrap(), "1 of 8553 rows repeats others");

        let before: PreprocessSummary = serde_json::from_str("{}").unwrap();
        assert_eq!(
            (before.dropped_in_words(), before.duplicates_in_words()),
            (vec![], None)
        );
        assert_eq!(before.dropped_in_short(), None);
    }
}
