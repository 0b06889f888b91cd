//! The program as SageMaker runs it in a Processing job.

use std::process::ExitCode;

/// Reads the environment and `/opt/ml`, and does what they say.
pub fn main() -> ExitCode {
    ExitCode::FAILURE
}
