//! The notice of a run's end.

use crate::event::{End, Status};
use contracts::{Notice, Severity, Verdict};
use jiff::{SignedDuration, Timestamp};

/// What became of a model.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The run's decision, and its reason.
    Decided(Verdict, String),
    /// The run ended before its decision.
    Undecided,
    /// There is a decision that doesn't read.
    Unreadable(String),
}

/// What people are told: in the headline how it ended, below it why.
pub(crate) fn notice(end: &End, models: &[(String, Outcome)]) -> Notice {
    let ended = match end.status {
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::TimedOut => "timed out",
        Status::Aborted => "was aborted",
        Status::Running => "goes on",
    };
    let duration = match (end.started_at, end.stopped_at) {
        (Some(started), Some(stopped)) => Some(duration(started, stopped)),
        _ => None,
    };
    let after = duration.as_ref().map(|it| format!(" after {it}")).unwrap_or_default();
    let use_case = end.use_case.as_deref().unwrap_or("unknown");
    let of_use_case = match &end.use_case {
        Some(use_case) => format!(" of use case {use_case}"),
        None => " (its event does not say of which use case)".to_owned(),
    };
    let text = format!("Run {}{of_use_case} {ended}{after}. {}", end.name, summary(models));
    let headline = format!("run {} {ended}{}", end.name, details(end, models));
    let mut notice = Notice::new(use_case, severity(end.status, models), &headline, text.trim_end());
    for (model, outcome) in models {
        notice = notice.line(model, explain(outcome));
    }
    if let Some(failure) = &end.failure {
        if !failure.error.is_empty() {
            notice = notice.line("error", &failure.error);
        }
        if !failure.cause.is_empty() {
            notice = notice.line("cause", &failure.cause);
        }
    }
    if let Some(duration) = duration {
        notice = notice.line("duration", duration);
    }
    notice.line("execution", &end.execution_arn)
}

fn severity(status: Status, models: &[(String, Outcome)]) -> Severity {
    let any = |test: fn(&Outcome) -> bool| models.iter().any(|(_, outcome)| test(outcome));
    if status != Status::Succeeded || any(|outcome| matches!(outcome, Outcome::Decided(Verdict::Failed, _))) {
        Severity::Error
    } else if any(|outcome| !matches!(outcome, Outcome::Decided(Verdict::Exported | Verdict::Superseded, _))) {
        Severity::Warning
    } else {
        Severity::Info
    }
}

/// What the headline says after the end: each decision, or else what failed.
fn details(end: &End, models: &[(String, Outcome)]) -> String {
    let decisions: Vec<String> = models
        .iter()
        .filter_map(|(model, outcome)| match outcome {
            Outcome::Decided(verdict, _) => Some(format!("{model} {verdict}")),
            _ => None,
        })
        .collect();
    let failure = end.failure.iter().flat_map(|failure| [&failure.cause, &failure.error]);
    match failure.into_iter().find(|text| !text.is_empty()) {
        _ if !decisions.is_empty() => format!(": {}", decisions.join(", ")),
        Some(text) => format!(": {text}"),
        None => String::new(),
    }
}

fn summary(models: &[(String, Outcome)]) -> String {
    if models.is_empty() {
        return String::new();
    }
    let exported = models
        .iter()
        .filter(|(_, outcome)| matches!(outcome, Outcome::Decided(Verdict::Exported, _)))
        .count();
    match (exported, models.len()) {
        (1, 1) => "Its model was exported and serves now.".to_owned(),
        (0, 1) => "Its model was not exported; what served before serves on.".to_owned(),
        (0, all) => format!("None of its {all} models was exported; what served before serves on."),
        (exported, all) if exported == all => format!("All of its {all} models were exported and serve now."),
        (1, all) => format!("1 of its {all} models was exported and serves now; for the others, what served before."),
        (exported, all) => {
            format!("{exported} of its {all} models were exported and serve now; for the others, what served before.")
        }
    }
}

fn explain(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Decided(verdict, reason) => format!("{verdict}: {reason}"),
        Outcome::Undecided => "no decision".to_owned(),
        Outcome::Unreadable(reason) => format!("no readable decision: {reason}"),
    }
}

/// `1 h 2 min 3 s`, without leading zeros' parts.
fn duration(started: Timestamp, stopped: Timestamp) -> String {
    let seconds = stopped.duration_since(started).max(SignedDuration::ZERO).as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, _) => format!("{minutes} min {seconds} s"),
        _ => format!("{hours} h {minutes} min {seconds} s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_for_people() {
        let start = Timestamp::UNIX_EPOCH;
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (252, "4 min 12 s"),
            (3600, "1 h 0 min 0 s"),
            (-5, "0 s"),
        ] {
            assert_eq!(duration(start, start + SignedDuration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn severity_is_that_of_the_worst() {
        let of = |status, verdicts: &[Verdict]| {
            let models: Vec<_> = verdicts
                .iter()
                .map(|verdict| ("m".to_owned(), Outcome::Decided(*verdict, String::new())))
                .collect();
            severity(status, &models)
        };
        use Verdict::{Exported, Failed, RejectedChampion, RejectedThreshold, Superseded};
        assert_eq!(of(Status::Succeeded, &[Exported, Superseded]), Severity::Info);
        assert_eq!(of(Status::Succeeded, &[Exported, RejectedThreshold]), Severity::Warning);
        assert_eq!(of(Status::Succeeded, &[RejectedChampion]), Severity::Warning);
        assert_eq!(of(Status::Succeeded, &[Exported, Failed]), Severity::Error);
        assert_eq!(of(Status::Aborted, &[Exported]), Severity::Error);
        assert_eq!(
            severity(Status::Succeeded, &[("m".to_owned(), Outcome::Undecided)]),
            Severity::Warning
        );
    }
}
