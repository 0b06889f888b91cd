//! Making and committing windows: the function against an AWS in memory.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod account;
mod crashes;
mod golden;
mod ground_truth;
mod interleaved;
mod labels;
mod large;
mod races;
mod windows;
