//! What there is to tell of a window, and the fingerprint that says whether people have heard of it.

use crate::rules::{Analyses, Judgement};
use contracts::Window;
use contracts::drift::{Drift, FeatureDrift, Outcome, QualityMetric, SkippedKind, Status};
use std::collections::BTreeSet;

/// Told where more than this share of the records can't be read, or of the labels not be used.
const UNREADABLE_SHARE: f64 = 0.01;

/// Places of ground truth that make another finding.
const PLACES: usize = 3;

/// The fingerprint of a model of which nothing is to be told. It is only ever written after another.
pub const NOTHING: &str = "clean";

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It drifted.
    Drifted,
    /// It could not be analysed.
    Failed,
    /// Too much could not be read or joined; what could was not found to have drifted.
    Unreadable,
    /// All is well: people are told if they have heard otherwise before.
    Nothing,
    /// Too few rows to say anything, be it that a finding has ended.
    Unknown,
}

/// What there is to tell of a window.
pub fn of(window: &Window, judgement: &Judgement) -> Finding {
    match judgement.outcome {
        Outcome::Error => Finding::Failed,
        Outcome::Drifted => Finding::Drifted,
        _ if Losses::of(window).is_told() => Finding::Unreadable,
        Outcome::Clean => Finding::Nothing,
        Outcome::InsufficientData => Finding::Unknown,
    }
}

/// The fingerprint: the same as long as people would be told the same, but for numbers and times.
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

/// The analyses that found drift. One of too few rows may name what would be drift among more: it has found none.
fn drifted(analyses: &Analyses) -> impl Iterator<Item = &Drift> {
    let each = analyses.each().into_iter();
    each.filter_map(|(_, analysis)| analysis.found_as(Outcome::Drifted))
}

/// The drifted features of both analyses, missing columns among them, the worst first.
pub fn drifted_features(analyses: &Analyses) -> Vec<&FeatureDrift> {
    let found = drifted(analyses);
    let mut features: Vec<&FeatureDrift> = found
        .flat_map(|drift| &drift.features)
        .filter(|feature| matches!(feature.status, Status::Drifted | Status::MissingColumn))
        .collect();
    // Missing columns have no distance, and nothing is worse. The sort is stable: each analysis has its own order.
    features.sort_by(|a, b| {
        let missing = |feature: &FeatureDrift| feature.status == Status::MissingColumn;
        missing(b).cmp(&missing(a)).then(b.severity.total_cmp(&a.severity))
    });
    features
}

/// The quality metrics that are worse than the baseline by more than chance.
pub fn drifted_metrics(analyses: &Analyses) -> Vec<&QualityMetric> {
    let quality = drifted(analyses).filter_map(|drift| drift.quality.as_ref());
    quality
        .flat_map(|quality| &quality.metrics)
        .filter(|metric| metric.drifted)
        .collect()
}

/// Rows of a window that were left out, of one of these kinds.
pub fn left_out(window: &Window, kinds: &[SkippedKind]) -> u64 {
    let skipped = window.skipped.iter().filter(|skipped| kinds.contains(&skipped.kind));
    skipped.map(|skipped| skipped.rows).sum()
}

/// The kinds that are ground truth lost.
pub const LOST_LABELS: [SkippedKind; 2] = [SkippedKind::Label, SkippedKind::Rest];

/// What was lost of a window, as shares of what came; `None` where it is too little for a word of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Losses {
    /// Of the captured records, those that could not be read.
    pub records: Option<f64>,
    /// Of the new ground truth, that which could not be read or joined.
    pub labels: Option<f64>,
}

impl Losses {
    /// What was lost of a window.
    pub fn of(window: &Window) -> Self {
        let share = |lost: u64, all: u64| if all == 0 { 0.0 } else { lost as f64 / all as f64 };
        let much = |share: &f64| *share > UNREADABLE_SHARE;
        let records = left_out(window, &[SkippedKind::Record]);
        let labels = left_out(window, &LOST_LABELS);
        // Labels that wait may be millions, and hide what has come. They count where nothing has.
        let came = match window.ground_truth.read {
            0 => window.ground_truth.labels + labels,
            read => read.max(labels),
        };
        let rest = left_out(window, &[SkippedKind::Rest]) > 0;
        Self {
            records: Some(share(records, window.records + records)).filter(much),
            // Of the rest of a file nobody knows how much it is.
            labels: Some(share(labels, came)).filter(|share| rest || much(share)),
        }
    }

    fn is_told(self) -> bool {
        self.records.is_some() || self.labels.is_some()
    }
}

/// What is lost: records of whatever kind, ground truth by its places, so that another file is told at once.
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
