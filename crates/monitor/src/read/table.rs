//! Access to rows, whatever the layout of their values in a text.

use super::tokens::Rows;

/// Rows of values in a text.
pub(super) trait Table {
    /// Start and end of a value.
    fn field(&self, row: usize, column: usize) -> (usize, usize);
    /// All values of a column.
    fn column(&self, column: usize) -> impl Iterator<Item = (usize, usize)>;
}

impl Table for Rows {
    #[inline(always)]
    fn field(&self, row: usize, column: usize) -> (usize, usize) {
        Rows::field(self, row, column)
    }

    #[inline(always)]
    fn column(&self, column: usize) -> impl Iterator<Item = (usize, usize)> {
        Rows::column(self, column)
    }
}
