//! What is kept of a stream of values, in memory that does not grow with it.
//!
//! - `kll`: a sample with weights that answers for quantiles and ranks; `ranks`: its items in order.
//! - `sort`: the order the sample is kept in, and the sorting it spends its time on.
//! - `hll`: how many different values there are; `bias`: the published tables it corrects itself by.
//!
//! The sketches are those of the analyzer container's libraries, to the last item. Which value goes into which sketch
//! is for `profile` to say.

mod bias;
pub mod hll;
pub mod kll;
mod ranks;
mod sort;
#[cfg(test)]
mod tests;
