//! Constraints: suggesting them from statistics, and evaluating data against them.
//!
//! - `suggest`: the constraints of a baseline.
//! - `evaluate`: which constraints the current data violates, with the contract's texts.
//! - `categorical`: the contract's distances between counts of categories.
//!
//! The outcome of an analysis is decided by `drift` rather than here, because a violation may be due to chance.

mod categorical;
mod evaluate;
mod suggest;

pub use evaluate::{Switches, evaluate};
pub use suggest::suggest;
