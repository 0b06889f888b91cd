//! The contract's files: what SageMaker Model Monitor's analyzer writes and reads, to the character.
//!
//! Types are one to a file. `text` holds the form: the layout of Scala's pretty printer and the doubles of Java.

pub mod constraints;
pub mod statistics;
pub mod text;
pub mod violations;

pub use constraints::Constraints;
pub use statistics::Statistics;
pub use violations::Violations;
