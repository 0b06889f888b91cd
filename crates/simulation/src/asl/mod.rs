//! A strict interpreter of Amazon States Language, of exactly what the machines in `statemachines/` use.
//!
//! A field, an intrinsic or a path that it doesn't know is an error, never ignored. Time is the clock of the simulation,
//! and jitter is off: a retry comes after the whole delay. Kept from Step Functions: `States.ALL` catches neither
//! `States.Runtime` nor `States.DataLimitExceeded`, `States.TaskFailed` catches all but `States.Timeout`, a state's data
//! has a limit, and a branch that fails ends the others.

pub mod choice;
pub mod path;
mod run;
pub mod state;
pub mod template;

pub use run::{Host, run};
pub use state::Machine;

use serde_json::{Value, json};

/// What ended a state or an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Its name: `States.Timeout`.
    pub error: String,
    /// Text or JSON.
    pub cause: String,
}

impl Failure {
    pub fn new(error: &str, cause: impl Into<String>) -> Self {
        Self {
            error: error.to_owned(),
            cause: cause.into(),
        }
    }

    /// What a Catch puts into the data.
    fn caught(&self) -> Value {
        json!({"Error": self.error, "Cause": self.cause})
    }

    /// Whether one of the names is this failure's.
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
