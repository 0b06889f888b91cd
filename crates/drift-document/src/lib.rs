//! `drift.json`, the document with the analyzer's findings about drift, and the texts for numbers and changes.
//!
//! Pure, and separate from `contracts`, which re-exports it, so that the analyzer doesn't depend on the platform.

pub mod change;
mod document;
pub mod words;

pub use document::*;
