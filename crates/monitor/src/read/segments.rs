//! Adds rows to the profiles of their segments, by the value of one column.

use super::blocks::Block;
use super::table::Table;
use crate::profile::{Column, Form, Profile, Segments};
use crate::quotes::unquoted;
use std::collections::BTreeMap;

/// Reused memory.
#[derive(Default)]
pub(super) struct Rows {
    by_value: BTreeMap<Vec<u8>, Vec<usize>>,
}

impl Rows {
    /// Adds the rows to the segments of `profile`, whose segment column has been set.
    pub fn push(
        &mut self,
        profile: &mut Profile,
        rows: &impl Table,
        at: usize,
        block: &Block,
        form: Form,
        numbers: &mut Vec<f64>,
    ) {
        self.by_value.values_mut().for_each(Vec::clear);
        for (row, (start, end)) in rows.column(at).enumerate() {
            let value = block.text.get(start..end).unwrap_or_default();
            let value = if form.quotes { unquoted(value) } else { value.into() };
            if value.is_empty() {
                continue;
            }
            match self.by_value.get_mut(&*value) {
                Some(known) => known.push(row),
                None => _ = self.by_value.insert(value.into_owned(), vec![row]),
            }
        }
        // A segment may have few of the values that the whole has stopped keeping, so `fresh` would leave out too much.
        let empty = Profile {
            columns: profile.columns.iter().map(Column::blank).collect(),
            ..Profile::default()
        };
        let column = profile.columns.get(at).map(|it| it.name.clone()).unwrap_or_default();
        let segments = profile.segments.get_or_insert_with(|| Segments {
            column,
            ..Segments::default()
        });
        for (value, chosen) in self.by_value.iter().filter(|(_, chosen)| !chosen.is_empty()) {
            let value = String::from_utf8_lossy(value).into_owned();
            if segments.profiles.len() >= Segments::MOST && !segments.profiles.contains_key(&value) {
                segments.rows_beyond += chosen.len() as u64;
                continue;
            }
            let segment = segments.profiles.entry(value).or_insert_with(|| empty.clone());
            for (at, column) in segment.columns.iter_mut().enumerate() {
                let cells = chosen.iter().map(|&row| rows.field(row, at));
                column.push(&block.text, cells, form, numbers);
            }
            segment.rows += chosen.len() as u64;
        }
        if self.by_value.len() > 4 * Segments::MOST {
            self.by_value.clear();
        }
    }
}
