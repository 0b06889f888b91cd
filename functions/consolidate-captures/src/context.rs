//! What every step works with: the clients and limits, and the window to be made.

use contracts::ModelRun;
use contracts::monitoring::WindowRules;
use contracts::places::MonitoringPlaces;
use jiff::{SignedDuration, Timestamp};
use platform::Documents;
use serde::Deserialize;

/// The function, with the clients that it keeps between calls.
#[derive(Clone, Debug)]
pub struct ConsolidateCaptures {
    pub(crate) documents: Documents,
    pub(crate) glue_threshold_bytes: u64,
    pub(crate) most_labels: usize,
    pub(crate) most_windows: usize,
}

/// The window to be made: for which model, when, and by which rules.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    /// The model and the monitoring run.
    pub run: ModelRun,
    /// The time of the run.
    pub tick: Timestamp,
    /// The rules of the use-case document.
    pub rules: WindowRules,
}

/// The places of the run's files.
pub(crate) fn places_of(task: &Task) -> MonitoringPlaces<'_> {
    MonitoringPlaces {
        use_case: &task.run.use_case,
        model: &task.run.model,
        run_id: &task.run.run_id,
    }
}

/// Only predictions made since then can still be joined with ground truth.
pub(crate) fn since(task: &Task) -> Timestamp {
    task.tick - SignedDuration::from_hours(24 * i64::from(task.rules.ground_truth_days))
}
