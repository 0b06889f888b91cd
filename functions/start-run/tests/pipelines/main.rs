//! Scoring, monitoring and retraining: the function against an AWS in memory.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod account;
mod drift;
mod ground_truth;
mod promotion;
mod queue;
mod scoring;
mod ticks;
