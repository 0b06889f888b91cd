//! The program as SageMaker runs it in a Processing job: the contract of Model Monitor's analyzer container.
//!
//! Parameters come from the environment ([`parameters`]), files lie under `/opt/ml`, the last word goes to
//! `/opt/ml/output/message`. Exit code 0 whether there are violations or not; 1 where the analysis could not be done.

mod metrics;
mod parameters;
mod run;

pub use parameters::{ParameterError, Parameters};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads the environment and `/opt/ml`, and does what they say.
pub fn main() -> ExitCode {
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    let base = Base::new(environment.get("SAGEMAKER_BASE_DIR").map(String::as_str));
    let parameters = match Parameters::read(environment, &base) {
        Ok(parameters) => parameters,
        Err(error) => {
            eprintln!("Error: {error}");
            leave_message(&base.place("/opt/ml/output/message"), &format!("Error: {error}"));
            return ExitCode::FAILURE;
        }
    };
    println!("Parameters: {}", parameters.shown());
    let message_file = parameters.output_message_file.clone();
    match run::run(&parameters) {
        Ok(message) => {
            println!("{message}");
            leave_message(&message_file, &message);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let message = format!("Error: {error}");
            eprintln!("{message}");
            run::record_failure(&parameters, &error.to_string());
            leave_message(&message_file, &message);
            ExitCode::FAILURE
        }
    }
}

/// The job's exit message. That it can't be left must not change how the job ends.
fn leave_message(path: &std::path::Path, message: &str) {
    let written = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(path, message));
    if let Err(error) = written {
        eprintln!("the exit message can't be written to {}: {error}", path.display());
    }
}

/// The folder that stands for `/opt/ml`: itself, unless `SAGEMAKER_BASE_DIR` names another one.
#[derive(Clone, Debug)]
pub struct Base(Option<PathBuf>);

impl Base {
    /// Of the variable's value.
    pub fn new(folder: Option<&str>) -> Self {
        Self(folder.filter(|it| !it.is_empty()).map(PathBuf::from))
    }

    /// Where a path of the contract lies.
    pub fn place(&self, path: &str) -> PathBuf {
        match (&self.0, path.strip_prefix("/opt/ml")) {
            (Some(base), Some("")) => base.clone(),
            (Some(base), Some(rest)) if rest.starts_with('/') => base.join(rest.trim_start_matches('/')),
            _ => PathBuf::from(path),
        }
    }
}
