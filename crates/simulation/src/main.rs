//! The fault matrix: one row per fault, with the state in which everything must end, what serves then, and who is
//! notified. It also checks that nothing keeps running.
//!
//! The whole platform runs in one process on a virtual clock: the state machines' files in a strict interpreter
//! ([`asl`]), the functions' own libraries, an AWS in memory. `cargo run --bin fault-matrix` prints the table; `cargo
//! xtask test faults` does the same as a step of the tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test: what fails here fails the row"
)]

mod asl;
mod clock;
mod faults;
mod matrix;
mod rows;
mod sagemaker;
#[cfg(test)]
mod seam;
mod world;

use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    matrix::main()
}
