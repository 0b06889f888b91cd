//! How the models' values become one: the rules, for real time and for batches alike, and the program
//! `drivetrain-combine`, the last job of a scoring run.
//!
//! The program reads the dropped file, the rows that `processing/prepare_scoring.py` made of it, those it set aside, and
//! each model's answers, side by side and row by row. What a row means is decided before, what becomes of the files after.

mod error;
mod merge;
mod outputs;
mod parts;
pub mod program;
mod rules;
mod table;

pub use error::Error;
pub use merge::merge;
pub use rules::{OfARow, Values, combine, of_a_row, suffices};
