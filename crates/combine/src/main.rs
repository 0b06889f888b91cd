//! The program that runs as the last job of a scoring run.

use std::process::ExitCode;

fn main() -> ExitCode {
    combine::program::main()
}
