//! What is done here of AWS's operations, and the work behind them. Each knows the state that it reads and changes;
//! `dispatch` knows them all, and none knows `dispatch`.

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

/// The answer of operations that have nothing to say.
fn nothing() -> Value {
    json!({})
}

/// A job as List operations see it.
fn listed(name: String, progress: &Progress, summary: Value) -> Listed {
    Listed {
        name,
        status: Some(progress.status.as_str()),
        created: progress.created,
        modified: progress.modified,
        summary,
    }
}

/// Asks a job of that kind to stop, if it was running until now (`stopping`); `before` is what it was at.
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
