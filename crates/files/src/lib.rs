//! Dropped files: told by their first bytes, decompressed and decoded, and how their numbers are read.
//!
//! The containers read files by the same rules (processing/files.py); here are those for whoever looks at a file without
//! a container: start-run at its first bytes, consolidate-captures at ground truth. Pure.

mod encodings;
mod json_label;
mod kind;
mod numbers;
mod rows;
mod stream;

pub use encodings::{certainly_utf_8, decode_head, likely_encoding, maybe_utf_8, utf_16, utf_32};
pub use json_label::JsonLabel;
pub use kind::Kind;
pub use numbers::{Numbers, squeeze};
pub use rows::{Start, TITLES, header_below, row_start, unclosed};
pub use stream::{Broken, TextStream, decompressed_head};
