//! Dropped files: recognised by their first bytes, decompressed and decoded, with the rules for reading their numbers.
//!
//! The containers read files by the same rules (processing/files.py). This crate is for code outside the containers:
//! start-run, which looks at the first bytes of a file, and consolidate-captures, which reads ground truth. Pure.

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
