//! The rows: each has one fault, and the state in which it must end.

mod api;
mod champion;
mod data;
mod endpoint;
mod events;
mod floods;
mod functions;
mod keys;
mod lease;
mod monitoring;
mod promotion;
mod retirement;
mod retraining;
mod row;
mod scoring;
mod training;

pub use row::Row;
use row::play;

/// Rows by theme.
pub fn all() -> Vec<(&'static str, Vec<Row>)> {
    vec![
        ("training and the gate", training::rows()),
        ("the champion", champion::rows()),
        ("the endpoint", endpoint::rows()),
        ("the lease", lease::rows()),
        ("people who decide", promotion::rows()),
        ("retirement", retirement::rows()),
        ("functions that die", functions::rows()),
        ("files and events", events::rows()),
        ("keys", keys::rows()),
        ("what is in the files", data::rows()),
        ("floods", floods::rows()),
        ("scoring", scoring::rows()),
        ("monitoring and retraining", monitoring::rows()),
        ("retraining by drift", retraining::rows()),
        ("predictions", api::rows()),
    ]
}
