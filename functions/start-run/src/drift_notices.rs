//! What people are told of drift that starts a training run.

use contracts::monitoring::DriftDetected;
use contracts::run::Source;
use contracts::{Manifest, Notice, Severity, words};

/// What people are told of a run that drift has started; nothing of any other, or of one that somebody has asked for.
pub(crate) fn started(manifest: &Manifest) -> Option<Notice> {
    let Source::Drift {
        drifted_model,
        found_by,
        top_features,
        drifted_metrics,
        ..
    } = &manifest.source
    else {
        return None;
    };
    let (use_case, run_id, inputs) = (&manifest.use_case, &manifest.run_id, &manifest.inputs);
    if run_id.is_rerun() {
        return None;
    }
    let labelled = inputs.iter().filter(|it| it.key.contains("/labelled/")).count() as u64;
    let dropped = inputs.len() as u64 - labelled;
    let trained_on: Vec<String> = [
        (dropped, "dropped file", "dropped files"),
        (labelled, "file of labelled rows", "files of labelled rows"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| words::counted(count, one, many))
    .collect();
    let drifted: Vec<&str> = drifted_metrics.iter().chain(top_features).map(String::as_str).collect();
    let mut notice = Notice::new(
        use_case,
        Severity::Info,
        &format!("drift of {drifted_model} has started run {run_id}"),
        &format!(
            "Run {run_id} trains new candidates of use case {use_case} by itself, since {drifted_model} has drifted. They \
             are judged as any others; what serves changes only if they are better."
        ),
    )
    .line("found by", found_by);
    // An event may name none.
    if !drifted.is_empty() {
        notice = notice.line("drifted", drifted.join(", "));
    }
    Some(notice.line("trained on", trained_on.join(", ")).line("run", run_id))
}

/// What people are told when the data that the document names is not there.
pub(crate) fn nothing_to_train_on(found: &DriftDetected) -> Notice {
    Notice::new(
        &found.use_case,
        Severity::Warning,
        &format!("{} has drifted, and there is nothing to train on", found.model),
        &format!(
            "The document of use case {} says that drift starts a training run, but the data that it names is not there.",
            found.use_case
        ),
    )
    .line("found by", &found.run_id)
    .line(
        "what to do",
        "Drop a file for training, deliver ground truth, or change `retraining.data` in the document.",
    )
}

/// What people are told when the event could not be sent.
pub(crate) fn unannounced(found: &DriftDetected, cause: &str) -> Notice {
    Notice::new(
        &found.use_case,
        Severity::Warning,
        &format!("the event of drift in {} could not be sent", found.model),
        &format!(
            "EventBridge has not taken the event `Drift Detected` of run {}. Drivetrain has decided on a training run all \
             the same; whoever else listens for the event has not heard of it.",
            found.run_id
        ),
    )
    .line("found by", &found.run_id)
    .line("cause", cause)
}
