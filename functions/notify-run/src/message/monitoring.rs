//! The notice of a monitoring run that failed. The findings of monitoring runs are reported by evaluate-drift.

use crate::event::Status;
use crate::run::Run;
use contracts::{Notice, Severity};

/// The error of an execution whose window could not be analysed, which evaluate-drift reports.
const TOLD_BY_EVALUATE_DRIFT: &str = "MonitoringFailed";

/// The error of an execution that has found drift but could not send the event of it.
const DRIFT_UNANNOUNCED: &str = "DriftUnannounced";

/// Whether this function reports the end.
pub(crate) fn is_told(run: &Run) -> bool {
    let error = run.end.failure.as_ref().map(|failure| failure.error.as_str());
    run.end.status != Status::Succeeded && error != Some(TOLD_BY_EVALUATE_DRIFT)
}

/// The fingerprint: the same for all runs of a model that end like this one.
pub(crate) fn fingerprint(run: &Run) -> String {
    let error = run.end.failure.as_ref().map_or("", |failure| failure.error.as_str());
    format!("monitoring {}: {error}", super::ended(run.end.status))
}

/// The notice of the end.
pub(crate) fn notice(run: &Run) -> Notice {
    let of_model = run
        .models
        .first()
        .map(|model| format!(" of {model}"))
        .unwrap_or_default();
    let error = run.end.failure.as_ref().map(|failure| failure.error.as_str());
    let what = if error == Some(DRIFT_UNANNOUNCED) {
        "The model has drifted and its window is committed, but no training run could be asked for. Drop a file to train \
         now; the next window that has drifted asks again."
    } else {
        "Nobody knows whether the model has drifted. The window stays open: the next monitoring run makes it again, with \
         what has come since."
    };
    let text = format!("{} {what}", super::opening(run, "Monitoring run"));
    let headline = format!(
        "error: monitoring{of_model} {}{}",
        super::ended(run.end.status),
        super::failure_in_short(&run.end)
    );
    let mut notice = Notice::new(run.use_case_or_unknown(), Severity::Error, &headline, &text);
    for model in &run.models {
        notice = notice.line("model", model);
    }
    super::ending(notice, &run.end)
}
