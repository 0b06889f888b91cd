//! `drivetrain-combine`, run by SageMaker in a processing job or by hand.
//!
//! When a job fails, the last message goes to `/opt/ml/output/message`, where SageMaker finds its exit message.
//! `SAGEMAKER_BASE_DIR` replaces `/opt/ml`.

use crate::error::Error;
use crate::merge::merge;
use clap::Parser;
use contracts::scoring::{CombineJob, ScoringSummary};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Number of characters that SageMaker keeps of an exit message.
const EXIT_MESSAGE_LIMIT: usize = 1024;

/// Puts a scored batch together: the dropped file's rows with their ids, each model's value and the combined one.
#[derive(Debug, Parser)]
#[command(
    name = "drivetrain-combine",
    version,
    after_help = "\
INPUT holds data/<file>.csv, rows/*.csv, rejects/rejects.csv, prepared/summary.json and, for
each file of rows, scores/<model>/<file>.csv.out; scores/outcomes.json lists the models whose
job has failed. The program writes scored/<file>.csv, scored/rejects.csv if rows were set aside,
capture/<endpoint configuration>/batch/<run>.csv and, last, scored/summary.json.

Example:
  drivetrain-combine --job input/code/scoring.json --input input --output output

Exit codes: 0 done, 1 error."
)]
struct Arguments {
    /// The scoring job, as start-run wrote it
    #[arg(long, value_name = "FILE")]
    job: PathBuf,
    /// The folder of the job's inputs
    #[arg(long, value_name = "DIR")]
    input: PathBuf,
    /// The folder to write to
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
}

/// Runs the program with the arguments of the command line.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap decides where its text goes.
            let _ = error.print();
            return if error.use_stderr() {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    // A bug ends the job like any error: with a message.
    let result = std::panic::catch_unwind(|| run(&arguments)).unwrap_or(Err(Error::Internal));
    match result {
        Ok(summary) => {
            println!("done: {} of {} rows scored", summary.scored, summary.rows);
            ExitCode::SUCCESS
        }
        Err(error) => {
            leave_message(&format!("{}: {error}", error.error_type()));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ScoringSummary, Error> {
    merge(&read_job(&arguments.job)?, &arguments.input, &arguments.output)
}

fn read_job(path: &Path) -> Result<CombineJob, Error> {
    let text = std::fs::read(path).map_err(|error| Error::JobInvalid(format!("{}: {error}", path.display())))?;
    serde_json::from_slice(&text).map_err(|error| Error::JobInvalid(error.to_string()))
}

fn leave_message(message: &str) {
    let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
    eprintln!("{message}");
    let base = std::env::var_os("SAGEMAKER_BASE_DIR").unwrap_or_else(|| "/opt/ml".into());
    let folder = Path::new(&base).join("output");
    let kept: String = message.chars().take(EXIT_MESSAGE_LIMIT).collect();
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join("message"), kept));
    if let Err(error) = written {
        eprintln!("the exit message can't be written: {error}");
    }
}
