//! A strict interpreter of Amazon States Language, for exactly the features that the machines in `statemachines/` use.
//!
//! An unknown field, intrinsic or path is an error; none is ignored. Time is the simulation's clock, and jitter is off:
//! a retry waits for the whole delay. As in Step Functions, `States.ALL` catches neither `States.Runtime` nor
//! `States.DataLimitExceeded`, `States.TaskFailed` catches everything except `States.Timeout`, a state's data has a
//! limit, and a branch that fails ends the others.

pub mod choice;
pub mod path;
mod run;
pub mod state;
pub mod template;

pub use run::{Host, run};
pub use state::Machine;

use serde_json::{Value, json};

/// The failure of a state or an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its error name: `States.Timeout`.
    pub error: String,
    /// Its cause: text or JSON.
    pub cause: String,
}

impl Failure {
    pub fn new(error: &str, cause: impl Into<String>) -> Self {
        Self {
            error: error.to_owned(),
            cause: cause.into(),
        }
    }

    /// What a Catch puts into the data for this failure.
    fn caught(&self) -> Value {
        json!({"Error": self.error, "Cause": self.cause})
    }

    /// Whether `names` matches this failure.
    fn is_one_of(&self, names: &[String]) -> bool {
        let final_ones = ["States.Runtime", "States.DataLimitExceeded", "Interpreter.Unsupported"];
        names.iter().any(|name| match name.as_str() {
            "States.ALL" => !final_ones.contains(&self.error.as_str()),
            "States.TaskFailed" => self.error != "States.Timeout" && !final_ones.contains(&self.error.as_str()),
            name => name == self.error,
        })
    }
}

#[cfg(test)]
mod tests;
