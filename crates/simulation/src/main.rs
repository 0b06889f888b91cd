//! The fault matrix: a row a fault, with the state that it must end in, what serves then, who is told, and that nothing
//! runs on.
//!
//! The whole platform runs in one process on a virtual clock: the machines' files by a strict interpreter ([`asl`]), the
//! functions' own libraries, an AWS in memory. `cargo run --bin fault-matrix` prints the table; `cargo xtask test faults`
//! does the same as a step of the tests.
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
