//! What is kept of a stream of values, in memory that does not grow with it.

pub mod hll;
pub mod kll;
