//! The notice of a scoring run's end.

use crate::event::Status;
use crate::run::Run;
use contracts::scoring::ScoringSummary;
use contracts::{Notice, Severity, places, words};

/// The most reasons for rejects that a notice lists; the file of rejects has the reason of each.
const REASONS: usize = 5;

/// The notice of the end: how many rows were scored by which models, and where they are. `summary` is what Combine has
/// written, or why it can't be read.
pub(crate) fn notice(run: &Run, summary: &Result<Option<ScoringSummary>, String>) -> Notice {
    match (run.end.status, summary) {
        (Status::Succeeded, Ok(Some(summary))) => scored(run, summary),
        (Status::Succeeded, missing) => {
            let why = match missing {
                Err(reason) => reason.clone(),
                Ok(_) => "it has left no summary.json".to_owned(),
            };
            let text = format!(
                "{} But nobody knows how many rows were scored: {why}.",
                super::opening(run, "Scoring run")
            );
            let headline = format!("scoring run {} left no summary", run.end.name);
            ended(run, Severity::Warning, &headline, &text)
        }
        _ => {
            let text = format!(
                "{} Nothing was scored; the dropped file is kept, and the run can be done again.",
                super::opening(run, "Scoring run")
            );
            let headline = format!(
                "scoring run {} {}{}",
                run.end.name,
                super::ended(run.end.status),
                super::failure_in_short(&run.end)
            );
            ended(run, Severity::Error, &headline, &text)
        }
    }
}

fn ended(run: &Run, severity: Severity, headline: &str, text: &str) -> Notice {
    let mut notice = Notice::new(run.use_case_or_unknown(), severity, headline, text);
    if let Some(source) = run.source() {
        notice = notice.line("file", source);
    }
    if let Some(places) = run.places() {
        notice = notice.line("input", places::uri(&run.bucket, &places.input()));
    }
    super::ending(notice, &run.end)
}

fn scored(run: &Run, summary: &ScoringSummary) -> Notice {
    let rows = words::counted(summary.scored, "row", "rows");
    let rejected = match summary.rejected {
        0 => String::new(),
        some => format!(", {} rejected", words::count(some)),
    };
    let absent = match summary.absent.as_slice() {
        [] => String::new(),
        [only] => format!(" Model {only} took no part: the combined values are of the others."),
        several => format!(
            " Models {} took no part: the combined values are of the others.",
            several.join(", ")
        ),
    };
    let without: Vec<String> = summary.absent.iter().map(|model| without(summary, model)).collect();
    let text = format!(
        "{} Of {} of {}, {} scored and {} rejected.{absent}",
        super::opening(run, "Scoring run"),
        words::counted(summary.rows, "row", "rows"),
        words::name(&summary.file),
        were(summary.scored),
        were(summary.rejected),
    );
    let severity = if summary.rejected == 0 && summary.absent.is_empty() {
        Severity::Info
    } else {
        Severity::Warning
    };
    // A subject is short, and why a model is missing says more than the file's name, which the text has.
    let headline = match without.as_slice() {
        [] => format!("{rows} of {} scored{rejected}", words::name(&summary.file)),
        models => format!("{rows} scored{rejected}, without {}", models.join("; ")),
    };
    let mut notice = Notice::new(run.use_case_or_unknown(), severity, &headline, &text);
    for (reason, rows) in summary.reasons.iter().take(REASONS) {
        notice = notice.line(
            "rejected",
            format!("{}: {reason}", words::counted(*rows, "row", "rows")),
        );
    }
    if summary.reasons.len() > REASONS {
        let more = summary.reasons.len() - REASONS;
        notice = notice.line(
            "rejected",
            format!(
                "for {}, see the rejects",
                words::counted(more as u64, "more reason", "more reasons")
            ),
        );
    }
    notice = super::unreadable(notice, &summary.unreadable);
    for (model, version) in &summary.models {
        notice = notice.line(model, format!("champion {version}"));
    }
    for model in &summary.absent {
        let why = summary.absent_because.get(model);
        notice = notice.line(model, why.map_or("absent".to_owned(), |why| format!("absent: {why}")));
    }
    if let Some(places) = run.places() {
        let folder = places::uri(&run.bucket, &places::use_case::scored(places.use_case, places.run_id));
        if summary.rejected > 0 {
            notice = notice.line("rejects", format!("{folder}rejects.csv"));
        }
        notice = notice.line("scored", folder);
    }
    super::ending(notice, &run.end)
}

/// A model that took no part, and why, for a headline.
fn without(summary: &ScoringSummary, model: &str) -> String {
    match summary.absent_because.get(model) {
        Some(why) => format!("{model}: {why}"),
        None => model.to_owned(),
    }
}

fn were(rows: u64) -> String {
    format!("{} {}", words::count(rows), if rows == 1 { "was" } else { "were" })
}
