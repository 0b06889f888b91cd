//! The merge of consolidation: captured requests and scored batches become rows, one a prediction.
//!
//! Pure: a piece of a file goes in, its rows come out, whatever the size of the file; pieces can be worked on at the same
//! time, and are put together in their order. Which files, joining ground truth, and the bookmark belong to the function
//! `consolidate-captures`; the same merge for data beyond a function is `infra/glue/consolidate_captures.py`.

pub mod capture;
pub mod skipped;
pub mod text;

pub use capture::{Piece, Whose};
pub use skipped::{Reason, Skips};
