//! Rows whose values may be anywhere in a text, for formats in which they don't simply follow each other.

use super::blocks::Block;
use super::segments;
use super::table::Table;
use super::tokens::PADDING;
use crate::profile::{Form, MISSING, Profile};

/// Start and end of a value.
pub(super) type Place = (u32, u32);

/// [`MISSING`], in the form used here.
pub(super) const NOTHING: Place = (MISSING.0 as u32, MISSING.1 as u32);

/// Rows, each with the same number of places.
#[derive(Debug, Default)]
pub(super) struct Cells {
    columns: usize,
    rows: usize,
    places: Vec<Place>,
}

impl Cells {
    /// Removes all rows and sets the number of columns.
    pub fn clear(&mut self, columns: usize) {
        self.columns = columns;
        self.rows = 0;
        self.places.clear();
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Adds a row in which all values are missing.
    pub fn add_row(&mut self) -> &mut [Place] {
        let start = self.places.len();
        self.rows += 1;
        self.places.resize(start + self.columns, NOTHING);
        self.places.get_mut(start..).unwrap_or_default()
    }

    /// Removes the last row.
    pub fn drop_row(&mut self) {
        self.rows = self.rows.saturating_sub(1);
        self.places.truncate(self.rows * self.columns);
    }
}

impl Table for Cells {
    #[inline(always)]
    fn field(&self, row: usize, column: usize) -> (usize, usize) {
        let place = self.places.get(row * self.columns + column).unwrap_or(&NOTHING);
        (place.0 as usize, place.1 as usize)
    }

    #[inline(always)]
    fn column(&self, column: usize) -> impl Iterator<Item = (usize, usize)> {
        self.places
            .get(column..)
            .unwrap_or_default()
            .chunks(self.columns.max(1))
            .filter_map(|it| it.first().map(|it| (it.0 as usize, it.1 as usize)))
    }
}

/// Rows that are to be added to a profile, in reused memory.
#[derive(Default)]
pub(super) struct Batch {
    pub cells: Cells,
    /// Values that are not in the text in their final form. They are placed behind it, at [`Batch::side_start`].
    pub side: Vec<u8>,
    numbers: Vec<f64>,
    segments: segments::Rows,
}

impl Batch {
    /// Where the bytes of `side` will begin in the text of `block`.
    pub fn side_start(block: &Block) -> usize {
        block.len + PADDING
    }

    /// Adds the rows to `profile` and becomes empty.
    pub fn flush(&mut self, block: &mut Block, profile: &mut Profile, form: Form, segment: Option<usize>) {
        if self.cells.len() > 0 {
            block.text.truncate(Self::side_start(block));
            block.text.extend_from_slice(&self.side);
            block.text.resize(block.text.len() + PADDING, 0);
            for (at, column) in profile.columns.iter_mut().enumerate() {
                column.push(&block.text, self.cells.column(at), form, &mut self.numbers);
            }
            profile.rows += self.cells.len() as u64;
            if let Some(at) = segment {
                self.segments
                    .push(profile, &self.cells, at, block, form, &mut self.numbers);
            }
        }
        self.side.clear();
        self.cells.clear(profile.columns.len());
    }
}
