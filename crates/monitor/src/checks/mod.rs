//! Constraints: suggested from statistics, and judged against them.
//!
//! - `suggest`: what a baseline's constraints are.
//! - `evaluate`: which constraints the current data violates, in the contract's texts.
//! - `categorical`: the contract's distances between counts of categories.
//!
//! The outcome of an analysis doesn't come from here but from `drift`: a violation may be an accident.

mod categorical;
mod evaluate;
mod suggest;

pub use evaluate::{Switches, evaluate};
pub use suggest::suggest;
