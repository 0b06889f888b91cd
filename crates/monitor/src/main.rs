//! The program: a command line if it has arguments, otherwise SageMaker's container.

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        monitor::cli::main()
    } else {
        monitor::container::main()
    }
}
