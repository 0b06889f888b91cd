//! The contract's files: exactly what SageMaker Model Monitor's analyzer writes and reads.
//!
//! There is one module for each document, with its types, text and reading. They use `text` and `double` for writing
//! (the layout of Jackson's pretty printer and the doubles of Java), and `json` and `fields` for reading (JSON with
//! line and column, values and their errors). No I/O.

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
