//! The program as run by SageMaker in a processing job: the contract of Model Monitor's analyzer container.
//!
//! Parameters come from the environment ([`parameters`]), files are under `/opt/ml`, and the final message goes to
//! `/opt/ml/output/message`. The exit code is 0 whether or not there are violations, and 1 if the analysis failed.

mod base;
mod metrics;
mod parameters;
mod run;

pub use base::Base;
pub use parameters::{ParameterError, Parameters};

use crate::analysis::Rules;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::process::ExitCode;

/// Runs the job that the environment and `/opt/ml` describe.
pub fn main() -> ExitCode {
    // A variable that is not valid text is none of our parameters.
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    let base = Base::new(environment.get("SAGEMAKER_BASE_DIR").map(String::as_str));
    let given = match parameters::given(environment, &base) {
        Ok(given) => given,
        Err(error) => return refuse(&BTreeMap::new(), &base, &error),
    };
    let parameters = match Parameters::read(given.clone(), &base) {
        Ok(parameters) => parameters,
        Err(error) => return refuse(&given, &base, &error),
    };
    println!("Parameters: {}", parameters.shown());
    // A bug ends the job like any error: with a result that says so.
    let result = std::panic::catch_unwind(|| run::run(&parameters).map_err(|error| error.to_string()));
    let result = result.unwrap_or_else(|_| Err("the program has a bug, which the log describes".to_owned()));
    match result {
        Ok(message) => {
            println!("{message}");
            leave_message(&parameters.output_message_file, &message);
            ExitCode::SUCCESS
        }
        Err(error) => {
            fail(&parameters, &error);
            ExitCode::FAILURE
        }
    }
}

fn fail(parameters: &Parameters, reason: &str) {
    let message = format!("Error: {reason}");
    eprintln!("{message}");
    if parameters.baseline_constraints.is_some() {
        run::record_failure(&parameters.output_path, &run::rules(parameters), reason);
    }
    leave_message(&parameters.output_message_file, &message);
}

/// Ends a job whose parameters can't be used. A check leaves a result even then, so that its absence can't be mistaken
/// for an earlier result or for a clean one.
fn refuse(given: &BTreeMap<String, String>, base: &Base, error: &ParameterError) -> ExitCode {
    let message = format!("Error: {error}");
    eprintln!("{message}");
    if std::io::stderr().is_terminal() {
        eprintln!(
            "Without arguments, the program runs as a container; `drivetrain-monitor --help` lists its commands."
        );
    }
    if let (Some(output), true) = (given.get("output_path"), given.contains_key("baseline_constraints")) {
        run::record_failure(&base.place(output), &Rules::default(), &error.to_string());
    }
    let file = given
        .get("output_message_file")
        .map_or("/opt/ml/output/message", String::as_str);
    leave_message(&base.place(file), &message);
    ExitCode::FAILURE
}

/// Writes the job's exit message. A failure to write it must not change how the job ends.
fn leave_message(path: &std::path::Path, message: &str) {
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, message));
    if let Err(error) = written {
        eprintln!("the exit message can't be written to {}: {error}", path.display());
    }
}
