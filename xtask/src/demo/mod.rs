//! The parts of the demo: its data, the run as it goes on, predictions, mails, the summary.
//!
//! `commands::demo` puts them in order. Reading a history is pure (`history`); so is writing the summary.

pub mod data;
pub mod follow;
pub mod history;
pub mod lifecycle;
pub mod mails;
pub mod predict;
pub mod summary;
pub mod traffic;
