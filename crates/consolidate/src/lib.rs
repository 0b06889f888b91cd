//! The merge of consolidation: captured requests and scored batches become rows, one a prediction.
//!
//! It knows no S3: files come from a [`Source`], rows go to a [`Sink`]. Which files, joining ground truth, and the
//! bookmark belong to the function `consolidate-captures`; the same merge for data beyond a function is
//! `infra/glue/consolidate_captures.py`, and `docs/consolidation.md` has the rules of both.

pub mod capture;
pub mod merge;
pub mod record;
pub mod skipped;
pub mod text;

pub use merge::{Body, Merged, Sink, Source, merge};
pub use record::{Output, Piece, Shape};
pub use skipped::{Reason, Skips};
