//! The parts of the demo: its data, listings and traffic, the second half, the summary.
//!
//! `commands::demo` runs them in order.

pub mod data;
pub mod lifecycle;
pub mod model_summary;
pub mod predict;
pub mod summary;
pub mod traffic;
