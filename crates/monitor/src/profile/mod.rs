//! What is kept of a table: one accumulator a column.

pub mod facts;

pub use facts::{ColumnFacts, TypeCounts};
