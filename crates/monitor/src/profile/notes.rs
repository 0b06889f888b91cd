//! Counts of irregularities in rows, so that nothing is left out or repaired silently.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The kinds of irregularities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Oddity {
    /// Fields are missing at the end: their values count as missing.
    TooFewFields,
    /// There are more fields than columns: those at the end are ignored.
    TooManyFields,
    /// Bytes that are not UTF-8: they are read as U+FFFD.
    InvalidUtf8,
    /// An integer beyond 64 bits in a column of integers: it counts as present, but is in no other figure.
    WideInteger,
    /// A NaN or infinite number in typed data: it counts as present, but is in no other figure.
    NotFinite,
    /// A list as a value: it is read as its JSON text.
    List,
    /// A line that can't be read: it is left out.
    Unreadable,
}

impl Oddity {
    /// Description for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooFewFields => "too few fields (those that are not there count as missing)",
            Self::TooManyFields => "too many fields (those at the end are not looked at)",
            Self::InvalidUtf8 => "bytes that are no UTF-8 (read as U+FFFD)",
            Self::WideInteger => "integers beyond 64 bits (in no figure but the count)",
            Self::NotFinite => "NaN or infinite numbers (in no figure but the count)",
            Self::List => "lists as values (read as their JSON text)",
            Self::Unreadable => "unreadable (left out)",
        }
    }

    /// Whether the row is left out completely.
    pub fn skips(self) -> bool {
        self == Self::Unreadable
    }
}

/// Counts of irregularities, each with its first place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notes(BTreeMap<Oddity, (u64, String)>);

impl Notes {
    /// Counts one. `place` is called only for the first one of its kind: `FILE:LINE: what`.
    pub fn add(&mut self, oddity: Oddity, place: impl FnOnce() -> String) {
        self.0.entry(oddity).or_insert_with(|| (0, place())).0 += 1;
    }

    /// Adds the counts of later rows.
    pub fn merge(&mut self, later: &Self) {
        for (oddity, (count, first)) in &later.0 {
            self.0.entry(*oddity).or_insert_with(|| (0, first.clone())).0 += count;
        }
    }

    /// Each irregularity with its count and first place.
    pub fn iter(&self) -> impl Iterator<Item = (Oddity, u64, &str)> {
        self.0
            .iter()
            .map(|(oddity, (count, first))| (*oddity, *count, first.as_str()))
    }

    /// Number of rows that were left out.
    pub fn skipped_rows(&self) -> u64 {
        self.iter()
            .filter(|(it, ..)| it.skips())
            .map(|(_, count, _)| count)
            .sum()
    }
}
