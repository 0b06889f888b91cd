//! What there is to tell of a window, and the fingerprint that says whether people have heard of it.

use crate::rules::{Analyses, Judgement};
use contracts::Window;
use contracts::drift::{Drift, FeatureDrift, Outcome, QualityMetric, Status};
use std::collections::BTreeSet;

/// Told where more than this share of what was captured can't be read.
const UNREADABLE_SHARE: f64 = 0.01;

/// The fingerprint of a model of which nothing is to be told. It is only ever written after another.
pub const NOTHING: &str = "clean";

/// What there is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finding {
    /// It drifted.
    Drifted,
    /// It could not be analysed.
    Failed,
    /// Too much could not be read; what could was not found to have drifted.
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
        _ if unreadable_share(window) > UNREADABLE_SHARE => Finding::Unreadable,
        Outcome::Clean => Finding::Nothing,
        Outcome::InsufficientData => Finding::Unknown,
    }
}

/// The fingerprint: the same as long as people would be told the same, but for numbers and times.
pub fn fingerprint(finding: Finding, window: &Window, analyses: &Analyses, judgement: &Judgement) -> String {
    let what: BTreeSet<String> = match finding {
        Finding::Nothing | Finding::Unknown => return NOTHING.to_owned(),
        Finding::Unreadable => BTreeSet::from(["unreadable records".to_owned()]),
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

/// Records, rows and labels that could not be read.
pub fn unreadable(window: &Window) -> u64 {
    window.skipped.iter().map(|skipped| skipped.rows).sum()
}

/// The same, of all that came.
pub fn unreadable_share(window: &Window) -> f64 {
    let unreadable = unreadable(window);
    let all = window.records + window.ground_truth.labels + unreadable;
    if all == 0 { 0.0 } else { unreadable as f64 / all as f64 }
}

fn named(feature: &FeatureDrift) -> String {
    let how = match (feature.status, feature.decisive) {
        (Status::MissingColumn, _) => "missing column",
        (_, Some(metric)) => metric.as_str(),
        (_, None) => "unknown",
    };
    format!("{} ({how})", feature.name)
}
