//! What every step works with: the clients and bounds, and which window it is about.

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

/// Which window, by which rules.
#[derive(Clone, Debug, Deserialize)]
pub struct Task {
    /// Which model of which run.
    pub run: ModelRun,
    /// The time of the run.
    pub tick: Timestamp,
    /// The document's.
    pub rules: WindowRules,
}

/// Where the run's files lie.
pub(crate) fn places_of(task: &Task) -> MonitoringPlaces<'_> {
    MonitoringPlaces {
        use_case: &task.run.use_case,
        model: &task.run.model,
        run_id: &task.run.run_id,
    }
}

/// How far back predictions and their ground truth find each other.
pub(crate) fn since(task: &Task) -> Timestamp {
    task.tick - SignedDuration::from_hours(24 * i64::from(task.rules.ground_truth_days))
}
