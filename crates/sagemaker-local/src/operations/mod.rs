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

use serde_json::{Value, json};

/// The answer of operations that have nothing to say.
fn nothing() -> Value {
    json!({})
}
