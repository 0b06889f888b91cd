//! The contract's files: what SageMaker Model Monitor's analyzer writes and reads, to the character.
//!
//! Documents are one to a file: types, text, reading. Beneath them are `text` and `double` (the layout of Jackson's
//! pretty printer and the doubles of Java) on the way out, `json` and `fields` (JSON with line and column, values
//! and their errors) on the way in. No I/O.

pub mod constraints;
pub mod double;
pub mod error;
mod fields;
pub mod json;
pub mod metrics;
pub mod statistics;
pub mod text;
pub mod violations;

pub use constraints::Constraints;
pub use error::{DocumentError, Parsed, Warning};
pub use statistics::Statistics;
pub use violations::Violations;
