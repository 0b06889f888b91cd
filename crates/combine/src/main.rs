//! The program of a scoring run's last job.

use std::process::ExitCode;

fn main() -> ExitCode {
    combine::program::main()
}
