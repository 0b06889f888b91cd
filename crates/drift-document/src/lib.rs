//! `drift.json`, the document in which the analyzer says what drifted, and how numbers and changes are put in words.
//!
//! Pure, and apart from `contracts`, which re-exports it: the analyzer needs to know nothing of the platform.

pub mod change;
mod document;
pub mod words;

pub use document::*;
