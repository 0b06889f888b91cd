//! The merge of consolidation: converts captured requests and scored batches to rows, one for each prediction.
//!
//! It doesn't depend on S3: files come from a [`Source`], rows go to a [`Sink`]. The function `consolidate-captures`
//! selects the files, joins ground truth and keeps the bookmark. `infra/glue/consolidate_captures.py` is the same merge
//! for more data than a function can handle; `docs/consolidation.md` has the rules of both.

pub mod capture;
pub mod merge;
pub mod record;
pub mod skipped;
pub mod text;

pub use merge::{Body, Merged, Sink, Source, merge};
pub use record::{Output, Piece, Shape};
pub use skipped::{Reason, Skips};
