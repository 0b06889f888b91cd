//! The finding of a window, and the fingerprint that tells whether people have been notified of it.

use crate::rules::{Analyses, Judgement};
use contracts::Window;
use contracts::drift::{Drift, FeatureDrift, Outcome, QualityMetric, SkippedKind, Status};
use std::collections::BTreeSet;

/// A notice is sent if more than this share of the records can't be read, or of the labels can't be used.
const UNREADABLE_SHARE: f64 = 0.01;

/// How many places of lost ground truth are part of the fingerprint: another place makes another finding.
const PLACES: usize = 3;

/// The fingerprint of a model without findings. It is only ever written after another one.
pub const NOTHING: &str = "clean";

/// What is to be reported about a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It has drifted.
    Drifted,
    /// It could not be analysed.
    Failed,
    /// Too much could not be read or joined; in the rest, no drift was found.
    Unreadable,
    /// All is well: people are notified if they were told otherwise before.
    Nothing,
    /// Too few rows to say anything, not even that an earlier finding has ended.
    Unknown,
}

/// The finding of a window.
pub fn of(window: &Window, judgement: &Judgement) -> Finding {
    match judgement.outcome {
        Outcome::Error => Finding::Failed,
        Outcome::Drifted => Finding::Drifted,
        _ if Losses::of(window).is_told() => Finding::Unreadable,
        Outcome::Clean => Finding::Nothing,
        Outcome::InsufficientData => Finding::Unknown,
    }
}

/// The fingerprint of a finding: it stays the same as long as a notice would differ only in numbers and times.
pub fn fingerprint(finding: Finding, window: &Window, analyses: &Analyses, judgement: &Judgement) -> String {
    let what: BTreeSet<String> = match finding {
        Finding::Nothing | Finding::Unknown => return NOTHING.to_owned(),
        Finding::Unreadable => unreadable(window),
        Finding::Failed => judgement.failures.iter().cloned().collect(),
        Finding::Drifted => drifted_features(analyses)
            .into_iter()
            .map(named)
            .chain(drifted_metrics(analyses).into_iter().map(|metric| metric.name.clone()))
            .collect(),
    };
    let champion = window.champion.as_ref().map_or("none".to_owned(), ToString::to_string);
    let what: Vec<String> = what.into_iter().collect();
    format!(
        "{} of champion {champion}: {}",
        judgement.outcome.as_str(),
        what.join(", ")
    )
}

/// The analyses that found drift. One with too few rows may list features that would count as drifted among more rows:
/// it has found no drift.
fn drifted(analyses: &Analyses) -> impl Iterator<Item = &Drift> {
    let each = analyses.each().into_iter();
    each.filter_map(|(_, analysis)| analysis.found_as(Outcome::Drifted))
}

/// The drifted features of both analyses, including missing columns, worst first.
pub fn drifted_features(analyses: &Analyses) -> Vec<&FeatureDrift> {
    let found = drifted(analyses);
    let mut features: Vec<&FeatureDrift> = found
        .flat_map(|drift| &drift.features)
        .filter(|feature| matches!(feature.status, Status::Drifted | Status::MissingColumn))
        .collect();
    // Missing columns have no distance, and nothing is worse. The sort is stable, so each analysis keeps its own order.
    features.sort_by(|a, b| {
        let missing = |feature: &FeatureDrift| feature.status == Status::MissingColumn;
        missing(b).cmp(&missing(a)).then(b.severity.total_cmp(&a.severity))
    });
    features
}

/// The quality metrics that are worse than the baseline by more than chance explains.
pub fn drifted_metrics(analyses: &Analyses) -> Vec<&QualityMetric> {
    let quality = drifted(analyses).filter_map(|drift| drift.quality.as_ref());
    quality
        .flat_map(|quality| &quality.metrics)
        .filter(|metric| metric.drifted)
        .collect()
}

/// The number of rows of a window that were left out, counting only these kinds.
pub fn left_out(window: &Window, kinds: &[SkippedKind]) -> u64 {
    let skipped = window.skipped.iter().filter(|skipped| kinds.contains(&skipped.kind));
    skipped.map(|skipped| skipped.rows).sum()
}

/// The kinds of rows that are lost ground truth.
pub const LOST_LABELS: [SkippedKind; 2] = [SkippedKind::Label, SkippedKind::Rest];

/// What a window has lost, as shares of what arrived; `None` if it is too little to report.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// The share of the captured records that could not be read.
    pub records: Option<f64>,
    /// The share of the new ground truth that could not be read or joined.
    pub labels: Option<f64>,
}

impl Losses {
    /// The losses of a window.
    pub fn of(window: &Window) -> Self {
        let share = |lost: u64, all: u64| if all == 0 { 0.0 } else { lost as f64 / all as f64 };
        let much = |share: &f64| *share > UNREADABLE_SHARE;
        let records = left_out(window, &[SkippedKind::Record]);
        let labels = left_out(window, &LOST_LABELS);
        // Millions of labels may be waiting, which would hide the losses among the new ones. They count only if there
        // are no new ones.
        let came = match window.ground_truth.read {
            0 => window.ground_truth.labels + labels,
            read => read.max(labels),
        };
        let rest = left_out(window, &[SkippedKind::Rest]) > 0;
        Self {
            records: Some(share(records, window.records + records)).filter(much),
            // How much the rest of a file holds is unknown.
            labels: Some(share(labels, came)).filter(|share| rest || much(share)),
        }
    }

    fn is_told(self) -> bool {
        self.records.is_some() || self.labels.is_some()
    }
}

/// What was lost: the kinds of records, and the places of ground truth, so that another file is reported at once.
fn unreadable(window: &Window) -> BTreeSet<String> {
    let losses = Losses::of(window);
    let records = losses.records.map(|_| "unreadable records".to_owned());
    let lost = window.skipped.iter().filter(|it| LOST_LABELS.contains(&it.kind));
    let labels = lost.filter(|_| losses.labels.is_some()).take(PLACES);
    records
        .into_iter()
        .chain(labels.map(|it| format!("labels lost of {}", it.first)))
        .collect()
}

fn named(feature: &FeatureDrift) -> String {
    let how = match (feature.status, feature.decisive) {
        (Status::MissingColumn, _) => "missing column",
        (_, Some(metric)) => metric.as_str(),
        (_, None) => "unknown",
    };
    format!("{} ({how})", feature.name)
}
