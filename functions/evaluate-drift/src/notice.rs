//! The notices about a window: a subject with severity and model, followed by what changed, in words, and where to
//! look.

use crate::finding::{self, Finding, Losses};
use crate::rows;
use crate::rules::{Analyses, Judgement};
use contracts::drift::{Outcome, Samples, Skipped, SkippedKind, Status};
use contracts::places;
use contracts::reporting::drift_rows;
use contracts::{Notice, Severity, Window, change, monitoring, words};
use std::fmt::Write as _;

/// How many features a notice describes; the report has them all.
const DESCRIBED: usize = 10;

/// How many scoring runs a notice names; `sources.json` names them all.
const NAMED_RUNS: usize = 5;

/// The most characters of a place in a notice.
const LONGEST_PLACE: usize = 250;

/// How many characters SNS's limit leaves for a headline after `[drivetrain] <use case>: `.
const HEADLINE_LIMIT: usize = 100 - "[drivetrain] : ".len();

/// A window and the findings about it.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The window.
    pub window: &'a Window,
    /// The results of its analyses.
    pub analyses: &'a Analyses,
    /// The outcome.
    pub judgement: &'a Judgement,
}

/// The notice of a finding; `before` is the finding that was last reported. `None` if there is nothing to report.
pub fn of(finding: Finding, found: Found<'_>, before: Option<&monitoring::Finding>) -> Option<Notice> {
    match finding {
        Finding::Drifted => Some(found.drifted()),
        Finding::Failed => Some(found.failed()),
        Finding::Unreadable => Some(found.unreadable()),
        Finding::Nothing => before.map(|before| found.clean_again(before)),
        Finding::Unknown => None,
    }
}

impl Found<'_> {
    fn drifted(self) -> Notice {
        let model = &self.window.run.model;
        let what = match self.kinds().as_slice() {
            [only] if only == "data" => format!("The live data of model {model} has drifted from its training data"),
            [only] if only == "model" => format!("Model {model} is worse than it was on its holdout"),
            _ => format!(
                "The live data of model {model} has drifted from its training data, and the model is worse than it was on its holdout"
            ),
        };
        let text = format!(
            "{what}. {}. An event has been sent: the use case's document says whether it starts a training run; \
             otherwise that is yours to decide.",
            sentence(&self.judgement.reason)
        );
        let features = finding::drifted_features(self.analyses);
        let mut names: Vec<&str> = finding::drifted_metrics(self.analyses)
            .iter()
            .map(|metric| metric.name.as_str())
            .collect();
        names.extend(features.iter().map(|feature| feature.name.as_str()));
        let limit = HEADLINE_LIMIT.saturating_sub(self.window.run.use_case.len());
        let headline = headline(&format!("warning: drift in {model}"), &names, limit);
        let mut notice = Notice::new(&self.window.run.use_case, Severity::Warning, &headline, &text);
        for feature in features.iter().take(DESCRIBED) {
            let change = match feature.status {
                Status::MissingColumn => "the column is missing".to_owned(),
                _ => change::feature(feature).unwrap_or_else(|| "drifted".to_owned()),
            };
            notice = notice.line("drifted", format!("{}: {change}", words::name(&feature.name)));
        }
        if features.len() > DESCRIBED {
            notice = notice.line(
                "drifted",
                format!("{} more, see the report", features.len() - DESCRIBED),
            );
        }
        self.numbers(notice)
    }

    fn failed(self) -> Notice {
        let model = &self.window.run.model;
        let remedy = if self.window.has_baselines {
            "The window stays open: the next monitoring run makes it again, with what has come since."
        } else {
            "Champions exported by a training run of today's platform have baselines: train again. Until then its \
             windows are closed unjudged."
        };
        let text = format!(
            "Window {} of model {model} could not be analysed, so nobody knows whether it has drifted. {}. {remedy}",
            self.window.number,
            sentence(&self.judgement.reason)
        );
        let headline = format!("error: monitoring of {model} failed: {}", self.judgement.reason);
        let mut notice = Notice::new(&self.window.run.use_case, Severity::Error, &headline, &text);
        for failure in &self.judgement.failures {
            notice = notice.line("error", failure);
        }
        self.numbers(notice)
    }

    fn unreadable(self) -> Notice {
        let model = &self.window.run.model;
        let Losses { records, labels } = Losses::of(self.window);
        let (records, labels) = (records.map(words::percent), labels.map(words::percent));
        let mut text = String::new();
        // Writing into a String can't fail.
        if let Some(share) = &records {
            let _ = write!(
                text,
                "{share} of the records of model {model} could not be read and were left out. "
            );
        }
        if let Some(share) = &labels {
            let _ = write!(
                text,
                "{share} of the ground truth that came for model {model} could not be used and was left out: fix its \
                 files and drop them again; what was joined is not joined twice. "
            );
        }
        let rest = match self.judgement.outcome {
            Outcome::InsufficientData => "too small to judge",
            _ => "clean",
        };
        let _ = write!(
            text,
            "The rest of the window is {rest}. {}.",
            sentence(&self.judgement.reason)
        );
        // The subject has room for this only.
        let losses = match (records, labels) {
            (Some(records), Some(labels)) => {
                format!("{records} of {model}'s records, {labels} of its labels can't be used")
            }
            (Some(records), None) => format!("{records} of {model}'s records can't be read"),
            (None, labels) => format!("{} of {model}'s labels can't be used", labels.unwrap_or_default()),
        };
        let headline = format!("warning: {losses}");
        self.numbers(Notice::new(
            &self.window.run.use_case,
            Severity::Warning,
            &headline,
            &text,
        ))
    }

    fn clean_again(self, before: &monitoring::Finding) -> Notice {
        let model = &self.window.run.model;
        let text = format!("Model {model} is clean again. {}.", sentence(&self.judgement.reason));
        let headline = format!("info: {model} is clean again");
        let notice = Notice::new(&self.window.run.use_case, Severity::Info, &headline, &text)
            .line("before", &before.fingerprint)
            .line("told", before.told_at);
        self.numbers(notice)
    }

    /// The end of every notice: quality, rows, ground truth, champion, window, and where to look.
    fn numbers(self, mut notice: Notice) -> Notice {
        let window = self.window;
        let run = &window.run;
        for drift in self.analyses.each().into_iter().filter_map(|(_, it)| it.found()) {
            let metrics = drift.quality.iter().flat_map(|it| &it.metrics);
            for metric in metrics.filter(|metric| metric.threshold.is_some()) {
                let doubt = if drift.outcome == Outcome::InsufficientData {
                    ", of too few rows to say"
                } else if metric.violated && !metric.drifted {
                    ", by no more than chance"
                } else {
                    ""
                };
                notice = notice.line("quality", format!("{}{doubt}", change::quality(metric)));
            }
        }
        for (name, analysis) in self.analyses.each() {
            if let Some(drift) = analysis.found() {
                notice = notice.line(&format!("{name} rows"), compared(&drift.samples));
            }
        }
        if window.batch_records > 0 {
            notice = notice.line("of batches", words::counted(window.batch_records, "record", "records"));
        }
        let joined = &window.ground_truth;
        if joined.predictions > 0 {
            let share = joined.joined as f64 / joined.predictions as f64;
            let mut text = format!(
                "{} for {} ({})",
                words::counted(joined.joined, "label", "labels"),
                words::counted(joined.predictions, "prediction", "predictions"),
                words::percent(share)
            );
            // Writing into a String can't fail.
            if joined.corrected > 0 {
                let _ = write!(text, ", {} of them corrected", words::count(joined.corrected));
            }
            if joined.waiting > 0 {
                let _ = write!(text, ", {} waiting", words::count(joined.waiting));
            }
            if joined.expired > 0 {
                let _ = write!(text, ", {} expired", words::count(joined.expired));
            }
            notice = notice.line("ground truth", text);
        }
        if joined.more {
            notice = notice.line("ground truth", "more than a window takes: the next one continues");
        }
        for skipped in &window.skipped {
            notice = match skipped.kind {
                SkippedKind::Record => notice.line("not readable", described(skipped)),
                SkippedKind::Label | SkippedKind::Rest => notice.line("not joined", described(skipped)),
                SkippedKind::Known => notice.line("had before", had_before(skipped.rows)),
            };
        }
        let champion = window.champion.as_ref();
        notice = notice
            .line("champion", champion.map_or("unknown".to_owned(), ToString::to_string))
            .line(
                "window",
                format!("{}, from {} to {}", window.number, window.from, window.to),
            );
        for (name, analysis) in self.analyses.each() {
            if analysis.found().is_some() {
                notice = notice.line(&format!("{name} report"), rows::report_uri(window, name));
            }
        }
        for scored in window.scoring_runs.iter().take(NAMED_RUNS) {
            notice = notice.line("scoring run", rows::scored_uri(window, scored));
        }
        if window.scoring_runs.len() > NAMED_RUNS {
            let more = window.scoring_runs.len() - NAMED_RUNS;
            notice = notice.line("scoring run", format!("{more} more, see the sources"));
        }
        notice
            .line("sources", &window.sources_uri)
            .line("drift rows", places::uri(&run.bucket, &drift_rows(window)))
            .line("run", &run.run_id)
    }

    /// The analyses that found drift: `data`, `model` or both.
    pub fn kinds(self) -> Vec<String> {
        let drifted = |analysis: &crate::rules::Analysis| analysis.found_as(Outcome::Drifted).is_some();
        let kinds = [
            ("data", drifted(&self.analyses.data)),
            ("model", drifted(&self.analyses.quality)),
        ];
        kinds
            .into_iter()
            .filter(|(_, drifted)| *drifted)
            .map(|(kind, _)| kind.to_owned())
            .collect()
    }
}

/// A headline such as `drift in xgboost: price_USD, fuel and 2 more`, with as many names as there is room for.
fn headline(what: &str, names: &[&str], limit: usize) -> String {
    let with = |count: usize| {
        let shown: Vec<String> = names[..count].iter().map(|name| words::name(name)).collect();
        let rest = match names.len() - count {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{what}: {}{rest}", shown.join(", "))
    };
    let fits = (1..=names.len().min(DESCRIBED))
        .rev()
        .map(with)
        .find(|text| text.chars().count() <= limit);
    match fits {
        Some(text) => text,
        None if names.is_empty() => what.to_owned(),
        None => with(1),
    }
}

fn compared(samples: &Samples) -> String {
    let mut text = format!(
        "{} against {} of the baseline",
        words::count(samples.current_rows),
        words::count(samples.baseline_rows)
    );
    if samples.skipped_rows > 0 {
        // Writing into a String can't fail.
        let _ = write!(text, ", {} left out", words::count(samples.skipped_rows));
    }
    text
}

fn described(skipped: &Skipped) -> String {
    format!(
        "{}: {}; first: {}",
        words::counted(skipped.rows, "row", "rows"),
        skipped.reason,
        place(&skipped.first)
    )
}

fn had_before(rows: u64) -> String {
    format!("{}, not joined again", words::counted(rows, "label", "labels"))
}

/// A file and its lines. If the text is too long, its end is kept, which says where to look.
fn place(text: &str) -> String {
    let clean: Vec<char> = text.chars().filter(|it| !it.is_control()).collect();
    match clean.len().checked_sub(LONGEST_PLACE) {
        None | Some(0) => clean.into_iter().collect(),
        Some(more) => std::iter::once('…').chain(clean[more + 1..].iter().copied()).collect(),
    }
}

/// With a capital letter, and without a full stop, which the surrounding text adds.
fn sentence(reason: &str) -> String {
    let reason = reason.trim_end_matches('.');
    let mut characters = reason.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headlines_name_as_much_as_fits() {
        let names = ["odometer_mi", "fuel", "transmission"];
        let what = "drift in xgboost";
        assert_eq!(
            headline(what, &names, 100),
            "drift in xgboost: odometer_mi, fuel, transmission"
        );
        assert_eq!(
            headline(what, &names, 46),
            "drift in xgboost: odometer_mi, fuel and 1 more"
        );
        assert_eq!(headline(what, &names, 10), "drift in xgboost: odometer_mi and 2 more");
        assert_eq!(headline(what, &[], 100), "drift in xgboost");
    }
}
