//! The command line of the program: `baseline`, `check`, `quality`, `diff`.
//!
//! Exit codes: 0 clean, 2 drifted, 3 insufficient data, 1 for invalid input and all other errors.

mod baseline;
mod check;
mod data;
mod diff;
mod output;
mod quality;
mod show;
mod terminal;

use clap::{Parser, Subcommand};
use drift_document::Outcome;
use output::{Result, both};
use std::process::ExitCode;

/// Statistics, constraints, drift and model quality of data in files.
///
/// Without arguments it is a SageMaker container: it reads its parameters from the environment.
#[derive(Parser)]
#[command(
    name = "drivetrain-monitor",
    version,
    propagate_version = true,
    after_help = "\
Examples:
  drivetrain-monitor baseline last-month.csv --output baseline
  drivetrain-monitor check today.csv --baseline baseline --html report.html
  drivetrain-monitor quality scored.csv --prediction price_predicted --label price
  drivetrain-monitor diff january.parquet february.parquet

Exit codes: 0 clean, 2 drifted, 3 insufficient data, 1 error."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Baseline(baseline::Arguments),
    Check(check::Arguments),
    Quality(quality::Arguments),
    Diff(diff::Arguments),
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap decides where the text goes, but its exit code for errors would mean `drifted`.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let result = match arguments.command {
        Command::Baseline(arguments) => arguments.run(),
        Command::Check(arguments) => arguments.run(),
        Command::Quality(arguments) => arguments.run(),
        Command::Diff(arguments) => arguments.run(),
    };
    match result {
        Ok(outcome) => ExitCode::from(match outcome {
            Outcome::Clean => 0,
            Outcome::Error => 1,
            Outcome::Drifted => 2,
            Outcome::InsufficientData => 3,
        }),
        Err(error) => {
            terminal::error(&error);
            ExitCode::FAILURE
        }
    }
}
