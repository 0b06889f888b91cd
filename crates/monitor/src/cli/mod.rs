//! The program as people run it: `baseline`, `check`, `quality`, `diff`.

use std::process::ExitCode;

/// Reads the arguments and does what they say.
pub fn main() -> ExitCode {
    ExitCode::FAILURE
}
