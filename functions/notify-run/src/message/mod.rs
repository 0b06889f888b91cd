//! The notices of ended executions; each kind of run has a form of its own.

pub(crate) mod monitoring;
pub(crate) mod promotion;
pub(crate) mod scoring;
pub(crate) mod training;

use crate::event::{End, Status};
use crate::run::Run;
use contracts::{Notice, PreprocessSummary, Unreadable, words};
use jiff::{SignedDuration, Timestamp};
use std::fmt::Display;

/// The status as part of a sentence, such as `failed`.
fn ended(status: Status) -> &'static str {
    match status {
        Status::Succeeded => "succeeded",
        Status::Failed => "failed",
        Status::TimedOut => "timed out",
        Status::Aborted => "was aborted",
        Status::Running => "goes on",
    }
}

/// `Run … of use case … failed after 4 min 12 s.`
fn opening(run: &Run, what: &str) -> String {
    let of_use_case = match &run.use_case {
        Some(use_case) => format!(" of use case {use_case}"),
        None => " (its event does not say of which use case)".to_owned(),
    };
    let after = duration_of(&run.end)
        .map(|it| format!(" after {it}"))
        .unwrap_or_default();
    format!("{what} {}{of_use_case} {}{after}.", run.end.name, ended(run.end.status))
}

/// The failure, for a headline: its cause, or else its error name.
fn failure_in_short(end: &End) -> String {
    let failure = end.failure.iter().flat_map(|failure| [&failure.cause, &failure.error]);
    let text = failure.into_iter().find(|text| !text.is_empty());
    text.map(|text| format!(": {text}")).unwrap_or_default()
}

/// The most columns with unreadable values, and the most reasons for left-out rows, that a notice lists.
const TOLD: usize = 5;

/// What was lost between the files and the rows that were trained on.
pub(crate) fn preprocessed(notice: Notice, summary: &PreprocessSummary) -> Notice {
    let mut notice = some(
        notice,
        "left out",
        &summary.dropped_in_words(),
        ["more reason", "more reasons"],
    );
    if let Some(duplicates) = summary.duplicates_in_words() {
        notice = notice.line("duplicates", duplicates);
    }
    unreadable(notice, &summary.unreadable)
}

/// The values that could not be read, one line per column.
pub(crate) fn unreadable(notice: Notice, columns: &[Unreadable]) -> Notice {
    some(notice, "unreadable", columns, ["more column", "more columns"])
}

/// One line for each of the first items, and how many more there are.
fn some(mut notice: Notice, name: &str, all: &[impl Display], [one, many]: [&str; 2]) -> Notice {
    for it in all.iter().take(TOLD) {
        notice = notice.line(name, it);
    }
    match all.len().saturating_sub(TOLD) as u64 {
        0 => notice,
        more => notice.line(name, words::counted(more, one, many)),
    }
}

/// The end of every notice.
fn ending(mut notice: Notice, end: &End) -> Notice {
    if let Some(failure) = &end.failure {
        if !failure.error.is_empty() {
            notice = notice.line("error", &failure.error);
        }
        if !failure.cause.is_empty() {
            notice = notice.line("cause", &failure.cause);
        }
    }
    if let Some(duration) = duration_of(end) {
        notice = notice.line("duration", duration);
    }
    notice.line("execution", &end.execution_arn)
}

fn duration_of(end: &End) -> Option<String> {
    Some(duration(end.started_at?, end.stopped_at?))
}

/// A duration such as `1 h 2 min 3 s`, without leading parts that are zero.
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
}
