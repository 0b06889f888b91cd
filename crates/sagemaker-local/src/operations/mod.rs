//! The AWS operations that are implemented, and the background work that they start. Each operation knows the state
//! that it reads and changes; `dispatch` knows all operations, and none of them knows `dispatch`.

pub mod autoscaling;
pub mod endpoint;
pub mod endpoint_config;
pub mod invoke;
pub mod model;
pub mod processing;
mod processing_run;
pub mod tags;
pub mod training;
mod training_run;
pub mod transform;
mod transform_run;

use crate::error::ApiError;
use crate::jobs::{Progress, StopSignal};
use crate::store::listing::Listed;
use serde_json::{Value, json};

/// The answer of operations that return nothing.
fn nothing() -> Value {
    json!({})
}

/// A job in the form that List operations use.
fn listed(name: String, progress: &Progress, summary: Value) -> Listed {
    Listed {
        name,
        status: Some(progress.status.as_str()),
        created: progress.created,
        modified: progress.modified,
        summary,
    }
}

/// Asks a job of that kind to stop. `stopping` says whether it was running; `before` is its earlier state.
fn stop_job(kind: &str, before: &Progress, stop: &StopSignal, stopping: Option<bool>) -> Result<Value, ApiError> {
    if stopping != Some(true) {
        let status = before.status.as_str();
        return Err(ApiError::validation(format!(
            "The request was rejected because the {kind} job is in status {status}."
        )));
    }
    stop.ask();
    Ok(nothing())
}
