//! How the models' values become one: the rules, for real time and for batches alike.

mod rules;

pub use rules::{OfARow, Values, combine, of_a_row, suffices};
