//! Summaries of a stream of values, in memory that does not grow with the stream.
//!
//! - `kll`: a weighted sample for quantiles and ranks; `ranks`: its items in order.
//! - `sort`: the order of the sample, and sorting, which takes most of its time.
//! - `hll`: the number of different values; `bias`: the published tables for correcting it.
//!
//! The sketches are those of the analyzer container's libraries, equal in every item. `profile` decides which value
//! goes into which sketch.

mod bias;
pub mod hll;
pub mod kll;
mod ranks;
mod sort;
#[cfg(test)]
mod tests;
