//! The profile of a table: one accumulator for each column. Profiles of parts are merged into the profile of the whole.

mod categories;
mod column;
pub mod facts;
mod moments;
mod notes;
pub mod number;
mod state;
#[cfg(test)]
mod tests;

pub use column::{Column, Expected, Form, MISSING};
pub use facts::{ColumnFacts, TypeCounts};
pub use moments::Moments;
pub use notes::{Notes, Oddity};
pub use state::StateError;

use crate::documents::Statistics;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Everything that is kept about the values of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Number of rows, without those that were left out.
    pub rows: u64,
    /// The columns, in the order of the data.
    pub columns: Vec<Column>,
    /// Irregularities of the rows.
    pub notes: Notes,
    /// The profiles of the segments.
    #[serde(default)]
    pub segments: Option<Segments>,
}

/// Profiles for each value of one column.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Segments {
    /// Name of the column.
    pub column: String,
    /// The profiles by value, each with all columns of the table. Rows without a value are in no segment.
    pub profiles: BTreeMap<String, Profile>,
    /// Number of rows whose value first occurred when there were [`Segments::MOST`] segments already.
    pub rows_beyond: u64,
}

impl Segments {
    /// Maximum number of segments. Rows with further values are only counted.
    pub const MOST: usize = 64;
}

impl Profile {
    /// A profile without rows.
    pub fn new(columns: impl IntoIterator<Item = (String, Expected)>) -> Self {
        Self {
            columns: columns
                .into_iter()
                .map(|(name, expected)| Column::new(name, expected))
                .collect(),
            ..Self::default()
        }
    }

    /// A profile without rows that is to be merged with this one: see [`Column::fresh`].
    pub fn fresh(&self) -> Self {
        Self {
            columns: self.columns.iter().map(Column::fresh).collect(),
            ..Self::default()
        }
    }

    /// Adds the rows of `later`, as if they had followed. A column that only one of them has is missing in all rows of
    /// the other.
    pub fn merge(&mut self, later: &Self) {
        let same = self.columns.len() == later.columns.len()
            && self
                .columns
                .iter()
                .zip(&later.columns)
                .all(|(own, other)| own.name == other.name);
        if same {
            for (own, other) in self.columns.iter_mut().zip(&later.columns) {
                own.merge(other);
            }
        } else {
            self.merge_by_name(later);
        }
        self.rows += later.rows;
        self.notes.merge(&later.notes);
        if let Some(segments) = &later.segments {
            let own = self.segments.get_or_insert_with(|| Segments {
                column: segments.column.clone(),
                ..Segments::default()
            });
            own.rows_beyond += segments.rows_beyond;
            for (value, profile) in &segments.profiles {
                let full = own.profiles.len() >= Segments::MOST;
                match own.profiles.get_mut(value) {
                    Some(known) => known.merge(profile),
                    None if full => own.rows_beyond += profile.rows,
                    None => _ = own.profiles.insert(value.clone(), profile.clone()),
                }
            }
        }
        for segment in self.segments.iter_mut().flat_map(|it| it.profiles.values_mut()) {
            segment.take_columns_of(&self.columns);
        }
    }

    /// Gives a segment the columns of the table, in their order. Columns that occurred only in other segments are
    /// missing in all of its rows, so that the columns of a segment don't depend on which rows were read together.
    fn take_columns_of(&mut self, table: &[Column]) {
        let same = |(own, other): (&Column, &Column)| own.name == other.name;
        if self.columns.len() == table.len() && self.columns.iter().zip(table).all(same) {
            return;
        }
        let mut own = std::mem::take(&mut self.columns);
        let known = |column: &Column| match own.iter().position(|it| it.name == column.name) {
            Some(at) => own.remove(at),
            None => {
                let mut blank = column.blank();
                blank.push_missing(self.rows);
                blank
            }
        };
        self.columns = table.iter().map(known).collect();
    }

    fn merge_by_name(&mut self, later: &Self) {
        let rows = self.rows;
        for own in &mut self.columns {
            match later.columns.iter().find(|it| it.name == own.name) {
                Some(other) => own.merge(other),
                None => own.push_missing(later.rows),
            }
        }
        for other in &later.columns {
            if !self.columns.iter().any(|it| it.name == other.name) {
                let mut column = other.fresh();
                column.push_missing(rows);
                column.merge(other);
                self.columns.push(column);
            }
        }
    }

    /// The content of `statistics.json`.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            rows: self.rows,
            features: self.columns.iter().map(Column::feature).collect(),
        }
    }

    /// What the checks need in addition to the statistics.
    pub fn facts(&self) -> Vec<ColumnFacts> {
        self.columns.iter().map(Column::facts).collect()
    }
}
