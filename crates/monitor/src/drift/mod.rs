//! Distances between two statistics, false-discovery control, and the outcome.
//!
//! - `weighted`, `distance`: how far apart two distributions are.
//! - `significance`: how likely that is by chance.
//! - `feature`: one column in baseline and current data.
//! - `summary`: what a report shows of it; `reason`: the outcome in one sentence.
//! - `numbers`: which values of a column are compared.
//!
//! A feature has drifted if the difference is both significant (its q-value is at most the accepted false-discovery
//! rate) and large enough to matter (a distance reaches its threshold). Either alone says little: among millions of
//! rows every difference is significant, and among a hundred rows every distance is large.
//!
//! A running number or a timestamp is different every day and therefore always drifts. It is judged like every other
//! column, because it may be a problem when such a column begins to move. The reason says what the column looks like,
//! and the baseline's constraints can disable it.

pub(crate) mod distance;
mod feature;
pub(crate) mod numbers;
pub(crate) mod reason;
pub(crate) mod significance;
mod summary;
pub(crate) mod weighted;

use std::cmp::Ordering;
use std::collections::HashMap;

use drift_document::{
    Drift, FeatureDrift, GroundTruth, Metric, Outcome, Quality, Samples, SegmentDrift, Settings, Skipped, Status,
    Threshold, Violation,
};

use crate::documents::constraints::Constraints;
use crate::documents::statistics::{Feature, Statistics};
use crate::profile::ColumnFacts;
use feature::{Judge, Judged};
use reason::short_of;

/// Version of the document's format.
const FORMAT: u32 = 1;

/// The input of the judgement. The owned parts become part of the document.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// Statistics of the baseline.
    pub baseline: &'a Statistics,
    /// The constraints, which disable columns and give the thresholds of L∞. A column that they don't name isn't
    /// judged, unless they name none.
    pub constraints: &'a Constraints,
    /// Statistics of the current data.
    pub current: &'a Statistics,
    /// Facts about the current data beyond its statistics.
    pub facts: &'a [ColumnFacts],
    /// The columns that are output of the model.
    pub predictions: &'a [String],
    /// Rows that could not be read.
    pub skipped: Vec<Skipped>,
    /// The segments: the rows for each value of one column.
    pub segments: Vec<Segment>,
    /// The violations, which are quoted in the document.
    pub violations: Vec<Violation>,
    /// The results of a model-quality analysis.
    pub quality: Option<Quality>,
    /// The numbers of records with ground truth, for a model-quality analysis.
    pub ground_truth: Option<GroundTruth>,
    /// The settings of the judgement.
    pub settings: Settings,
}

/// The rows with one value in the segment column.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Name of the segment column.
    pub column: String,
    /// Value of the segment column.
    pub value: String,
    /// Statistics of the baseline; `None` if it has no such rows.
    pub baseline: Option<Statistics>,
    /// Statistics of the current data.
    pub current: Statistics,
    /// Facts about the current data beyond its statistics.
    pub facts: Vec<ColumnFacts>,
}

/// The default settings.
///
/// PSI from 0.2 on is a major shift in credit scoring, where the index comes from. 0.1 is the value that drift monitors
/// commonly use for the Jensen–Shannon distance and for Wasserstein divided by the standard deviation, and the contract
/// for L∞. With five per cent of missing values or of new categories, a model trained without them starts to be
/// affected, and one value in a hundred of the wrong type is no longer a typing error. Every threshold of a
/// distribution is raised for small samples by what chance would contribute (`Distance` shows the raised value), so
/// that it takes the same shift to reach it.
pub fn default_settings() -> Settings {
    let thresholds = [
        (Metric::Psi, 0.2),
        (Metric::Wasserstein, 0.1),
        (Metric::JensenShannon, 0.1),
        (Metric::LInfinity, 0.1),
        (Metric::Missing, 0.05),
        (Metric::Type, 0.01),
        (Metric::NewCategories, 0.05),
    ];
    Settings {
        minimum_rows: 100,
        false_discovery_rate: 0.01,
        thresholds: thresholds
            .into_iter()
            .map(|(metric, value)| Threshold { metric, value })
            .collect(),
    }
}

/// Judges the data and returns the document on drift.
///
/// Features are in this order: missing columns; drifted ones, the worst first; those with too few values; clean ones,
/// the closest to drift first; extra columns; disabled ones.
///
/// The outcome is `Drifted` if a feature drifted, in the whole data or within a segment, if a column is missing, or if
/// a quality metric is violated by more than chance. With fewer rows than the minimum on either side, nothing is judged
/// but the presence of columns. If quality is judged, only rows with ground truth count for the minimum.
pub fn judge(input: Input) -> Drift {
    let settings = &input.settings;
    let rate = settings.false_discovery_rate;
    let judge = Judge {
        constraints: input.constraints,
        predictions: input.predictions,
        settings,
    };

    let sides = Sides {
        baseline: Some(input.baseline),
        current: input.current,
        facts: input.facts,
    };
    let mut whole = sides.judge(&judge);
    settle(&mut whole, rate);
    sort(&mut whole);

    let mut parts: Vec<(Samples, Vec<Judged>)> = Vec::new();
    for segment in &input.segments {
        let baseline = segment.baseline.as_ref();
        let sides = Sides {
            baseline,
            current: &segment.current,
            facts: &segment.facts,
        };
        let samples = Samples {
            baseline_rows: baseline.map_or(0, |baseline| baseline.rows),
            current_rows: segment.current.rows,
            ..Samples::default()
        };
        parts.push((samples, sides.judge(&judge)));
    }
    settle_all(&mut parts, rate);
    let segments: Vec<SegmentDrift> = input
        .segments
        .iter()
        .zip(parts)
        .map(|(segment, (samples, judged))| segment_drift(segment, samples, judged, settings.minimum_rows))
        .collect();

    let samples = Samples {
        baseline_rows: input.baseline.rows,
        current_rows: input.current.rows,
        skipped_rows: input.skipped.iter().map(|skipped| skipped.rows).sum(),
        skipped: input.skipped,
        odd: Vec::new(),
        ground_truth: input.ground_truth,
    };
    let running: Vec<String> = whole
        .iter()
        .filter(|judged| judged.running)
        .map(|judged| judged.drift.name.clone())
        .collect();
    let mut drift = Drift {
        format: FORMAT,
        outcome: Outcome::Clean,
        reason: String::new(),
        samples,
        settings: input.settings,
        features: whole.into_iter().map(|judged| judged.drift).collect(),
        segments,
        quality: input.quality,
        violations: input.violations,
    };
    drift.outcome = outcome(&drift);
    drift.reason = reason::of(&drift, &running);
    drift
}

fn outcome(drift: &Drift) -> Outcome {
    let is = |status: Status| drift.features.iter().any(|feature| feature.status == status);
    if is(Status::MissingColumn) {
        return Outcome::Drifted;
    }
    if short_of(drift).is_some() {
        return Outcome::InsufficientData;
    }
    let quality = drift
        .quality
        .iter()
        .flat_map(|quality| &quality.metrics)
        .any(|metric| metric.drifted);
    let segment = drift.segments.iter().any(|segment| segment.outcome == Outcome::Drifted);
    if is(Status::Drifted) || quality || segment {
        Outcome::Drifted
    } else {
        Outcome::Clean
    }
}

/// The two sides of a comparison.
struct Sides<'a> {
    baseline: Option<&'a Statistics>,
    current: &'a Statistics,
    facts: &'a [ColumnFacts],
}

impl Sides<'_> {
    /// Judges every column of either side, those of the baseline first. Results that depend on all columns are still
    /// open.
    fn judge(&self, judge: &Judge) -> Vec<Judged> {
        let by_name = |features: &'_ [Feature]| -> HashMap<String, usize> {
            features
                .iter()
                .enumerate()
                .map(|(index, feature)| (feature.name.clone(), index))
                .collect()
        };
        let now = by_name(&self.current.features);
        let facts: HashMap<&str, &ColumnFacts> = self.facts.iter().map(|facts| (facts.name.as_str(), facts)).collect();
        let before = self.baseline.map_or(&[][..], |baseline| &baseline.features);
        let minimum = judge.settings.minimum_rows;
        let enough = self.current.rows >= minimum && self.baseline.is_some_and(|baseline| baseline.rows >= minimum);
        let common = before.iter().map(|before| {
            let current = now.get(&before.name).map(|index| &self.current.features[*index]);
            judge.feature(before, current, facts.get(before.name.as_str()).copied(), enough)
        });
        let known = by_name(before);
        let extra = self
            .current
            .features
            .iter()
            .filter(|feature| !known.contains_key(&feature.name));
        common
            .chain(extra.map(|feature| judge.extra(feature, facts.get(feature.name.as_str()).copied())))
            .collect()
    }
}

/// Sets the q-values over all features of one comparison, and the results that depend on them.
fn settle(judged: &mut [Judged], rate: f64) {
    let p_values: Vec<Option<f64>> = judged.iter().map(|judged| judged.drift.p_value).collect();
    let q_values = significance::benjamini_hochberg(&p_values);
    for (judged, q_value) in judged.iter_mut().zip(q_values) {
        judged.settle(q_value, rate);
    }
}

/// Does the same over all features of all segments.
fn settle_all(parts: &mut [(Samples, Vec<Judged>)], rate: f64) {
    let p_values: Vec<Option<f64>> = parts
        .iter()
        .flat_map(|(_, judged)| judged)
        .map(|judged| judged.drift.p_value)
        .collect();
    let q_values = significance::benjamini_hochberg(&p_values);
    for (judged, q_value) in parts.iter_mut().flat_map(|(_, judged)| judged).zip(q_values) {
        judged.settle(q_value, rate);
    }
}

fn segment_drift(segment: &Segment, samples: Samples, mut judged: Vec<Judged>, minimum: u64) -> SegmentDrift {
    judged.retain(|judged| judged.drift.status == Status::Drifted);
    sort(&mut judged);
    let features: Vec<FeatureDrift> = judged.into_iter().map(|judged| judged.drift).collect();
    let outcome = if samples.current_rows < minimum || samples.baseline_rows < minimum {
        Outcome::InsufficientData
    } else if features.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Drifted
    };
    SegmentDrift {
        column: segment.column.clone(),
        value: segment.value.clone(),
        outcome,
        samples,
        features,
    }
}

/// Sorts the worst first, and equal ones in the order of the columns.
fn sort(judged: &mut [Judged]) {
    judged.sort_by(|a, b| match rank(&a.drift).cmp(&rank(&b.drift)) {
        Ordering::Equal => b.drift.severity.total_cmp(&a.drift.severity),
        unequal => unequal,
    });
}

fn rank(feature: &FeatureDrift) -> u8 {
    match feature.status {
        Status::MissingColumn => 0,
        Status::Drifted => 1,
        Status::InsufficientData => 2,
        Status::Clean => 3,
        Status::ExtraColumn => 4,
        Status::Disabled => 5,
    }
}

#[cfg(test)]
mod tests;
