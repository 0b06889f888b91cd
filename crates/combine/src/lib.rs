//! How the models' values are combined into one: the rules, for real time and batches alike, and the program
//! `drivetrain-combine`, the last job of a scoring run.
//!
//! The program reads side by side, row by row, the dropped file, the rows that `processing/prepare_scoring.py` made
//! from it, the rows it set aside, and each model's answers. It neither decides what a row means nor what happens to
//! the files.

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
