//! The document in the order and the words of the page.
//!
//! All that is decided about the page is decided here, all numbers become texts here; the templates only place them.
//! Features are `feature`'s.

use drift_document::{Drift, FeatureDrift, Metric, Outcome, QualityMetric, Samples, SegmentDrift, Status, Violation};
use serde::Serialize;

use super::feature::{Feature, metric_name};
use crate::text;

/// From this number of features on there is a box to find one by its name.
const FILTER_FROM: usize = 13;
/// So many of the worst features are shown opened.
const OPENED: usize = 8;

/// What the template shows.
#[derive(Serialize)]
pub(super) struct Page {
    outcome: Badge,
    reason: String,
    samples: Rows,
    skipped: Vec<Skipped>,
    odd: Vec<Skipped>,
    ground_truth: Option<Joined>,
    minimum_rows: String,
    false_discovery_rate: String,
    thresholds: Vec<Threshold>,
    /// How many features drifted, and of how many; absent where there are none.
    drifted: Option<Drifted>,
    filter: bool,
    groups: Vec<Group>,
    segments: Vec<Segment>,
    drifted_segments: usize,
    quality: Option<Quality>,
    violations: Vec<Quote>,
}

#[derive(Serialize)]
struct Drifted {
    features: String,
    of: String,
}

/// An outcome: its style and its word.
#[derive(Serialize)]
struct Badge {
    style: &'static str,
    label: &'static str,
}

#[derive(Serialize)]
struct Rows {
    baseline: String,
    current: String,
    skipped: String,
    has_skipped: bool,
    /// More than one in a hundred.
    many_skipped: bool,
    /// Share of all rows that were there to be read.
    skipped_share: String,
    /// Too few to be judged.
    baseline_low: bool,
    current_low: bool,
}

#[derive(Serialize)]
struct Skipped {
    reason: String,
    rows: String,
    first: String,
}

#[derive(Serialize)]
struct Joined {
    joined_share: String,
    joined: String,
    records: String,
}

#[derive(Serialize)]
struct Threshold {
    name: &'static str,
    value: String,
    meaning: &'static str,
}

/// Features of like status, under one heading.
#[derive(Serialize)]
struct Group {
    style: &'static str,
    title: &'static str,
    note: &'static str,
    features: Vec<Feature>,
}

#[derive(Serialize)]
struct Segment {
    column: String,
    value: String,
    outcome: Badge,
    samples: Rows,
    features: Vec<Feature>,
}

#[derive(Serialize)]
struct Quality {
    problem: String,
    violated: usize,
    metrics: Vec<Measure>,
}

#[derive(Serialize)]
struct Measure {
    name: String,
    value: String,
    /// `at most 2,000`.
    rule: String,
    style: &'static str,
    label: &'static str,
}

#[derive(Serialize)]
struct Quote {
    subject: String,
    check: String,
    description: String,
}

impl Page {
    pub(super) fn new(drift: &Drift) -> Self {
        let minimum = drift.settings.minimum_rows;
        let segments: Vec<_> = drift
            .segments
            .iter()
            .map(|segment| Segment::new(segment, minimum))
            .collect();
        Self {
            outcome: Badge::new(drift.outcome),
            reason: drift.reason.clone(),
            samples: Rows::new(&drift.samples, minimum),
            skipped: drift.samples.skipped.iter().map(Skipped::new).collect(),
            odd: drift.samples.odd.iter().map(Skipped::new).collect(),
            ground_truth: drift.samples.ground_truth.as_ref().map(|truth| Joined {
                joined_share: text::share(truth.joined_share),
                joined: text::count(truth.joined),
                records: text::count(truth.records),
            }),
            minimum_rows: text::count(minimum),
            false_discovery_rate: text::round_share(drift.settings.false_discovery_rate),
            thresholds: drift
                .settings
                .thresholds
                .iter()
                .map(|threshold| Threshold {
                    name: metric_name(threshold.metric),
                    value: text::distance(threshold.value),
                    meaning: meaning(threshold.metric),
                })
                .collect(),
            drifted: Drifted::new(&drift.features),
            filter: drift.features.len() >= FILTER_FROM,
            groups: groups(&drift.features),
            drifted_segments: drift
                .segments
                .iter()
                .filter(|segment| segment.outcome == Outcome::Drifted)
                .count(),
            segments,
            quality: drift.quality.as_ref().map(|quality| Quality {
                problem: text::shown(&quality.problem_type),
                violated: quality.metrics.iter().filter(|metric| metric.violated).count(),
                metrics: quality.metrics.iter().map(Measure::new).collect(),
            }),
            violations: drift.violations.iter().map(Quote::new).collect(),
        }
    }
}

/// The features under their headings, what needs attention first. Each keeps its place by severity in its group.
fn groups(features: &[FeatureDrift]) -> Vec<Group> {
    let group = |style, title, note, opened: usize, statuses: &[Status]| {
        let features = features
            .iter()
            .enumerate()
            .filter(|(_, feature)| statuses.contains(&feature.status))
            .enumerate()
            .map(|(place, (number, feature))| Feature::new(feature, number + 1, place < opened))
            .collect();
        Group {
            style,
            title,
            note,
            features,
        }
    };
    let mut groups = vec![
        group(
            "drifted",
            "Drifted features",
            "At least one distance reaches its threshold, the worst feature first.",
            OPENED,
            &[Status::Drifted],
        ),
        group(
            "lacking",
            "Columns on one side only",
            "They cannot be compared.",
            0,
            &[Status::MissingColumn, Status::ExtraColumn],
        ),
        group(
            "insufficient",
            "Too few values to say",
            "This is not the same as clean.",
            0,
            &[Status::InsufficientData],
        ),
        group("clean", "Clean features", "", 0, &[Status::Clean]),
        group(
            "disabled",
            "Switched off",
            "The constraints of the baseline switch them off.",
            0,
            &[Status::Disabled],
        ),
    ];
    groups.retain(|group| !group.features.is_empty());
    groups
}

impl Badge {
    fn new(outcome: Outcome) -> Self {
        let label = match outcome {
            Outcome::Clean => "Clean",
            Outcome::Drifted => "Drifted",
            Outcome::InsufficientData => "Not enough data",
            Outcome::Error => "Error",
        };
        Self {
            style: outcome.as_str(),
            label,
        }
    }
}

impl Drifted {
    fn new(features: &[FeatureDrift]) -> Option<Self> {
        let number = |status| features.iter().filter(|feature| feature.status == status).count();
        let drifted = number(Status::Drifted);
        let judged = drifted + number(Status::Clean);
        let texts = match (features.len(), judged) {
            (0, _) => return None,
            (_, 0) => ("–".to_owned(), "none judged".to_owned()),
            _ => (drifted.to_string(), format!("of {judged} judged")),
        };
        Some(Self {
            features: texts.0,
            of: texts.1,
        })
    }
}

impl Rows {
    fn new(samples: &Samples, minimum: u64) -> Self {
        let all = samples.current_rows.saturating_add(samples.skipped_rows);
        // As exact as a share is shown.
        let skipped = samples.skipped_rows as f64 / all.max(1) as f64;
        Self {
            baseline: text::count(samples.baseline_rows),
            current: text::count(samples.current_rows),
            skipped: text::count(samples.skipped_rows),
            has_skipped: samples.skipped_rows > 0,
            many_skipped: skipped > 0.01,
            skipped_share: text::share(skipped),
            baseline_low: samples.baseline_rows < minimum,
            current_low: samples.current_rows < minimum,
        }
    }
}

impl Skipped {
    fn new(skipped: &drift_document::Skipped) -> Self {
        Self {
            reason: text::shown(&skipped.reason),
            rows: text::count(skipped.rows),
            first: skipped.first.clone(),
        }
    }
}

impl Segment {
    fn new(segment: &SegmentDrift, minimum: u64) -> Self {
        Self {
            column: text::shown(&segment.column),
            value: text::shown(&segment.value),
            outcome: Badge::new(segment.outcome),
            samples: Rows::new(&segment.samples, minimum),
            features: segment
                .features
                .iter()
                .map(|feature| Feature::new(feature, 0, false))
                .collect(),
        }
    }
}

impl Measure {
    fn new(metric: &QualityMetric) -> Self {
        let number = |value: Option<f64>| text::significant(value.unwrap_or(f64::NAN), 4);
        let side = match metric.comparison_operator.as_deref() {
            Some("GreaterThanThreshold") => "at most ".to_owned(),
            Some("LessThanThreshold") => "at least ".to_owned(),
            Some(other) => format!("{}: ", text::shown(other)),
            None => String::new(),
        };
        let rule = if metric.threshold.is_some() {
            side + &number(metric.threshold)
        } else {
            number(None)
        };
        let (style, label) = match (metric.violated, metric.value, metric.threshold) {
            (true, _, _) if metric.drifted => ("drifted", "Violated"),
            (true, _, _) => ("none", "Violated, perhaps by chance"),
            (false, None, _) => ("insufficient-data", "Not defined"),
            (false, Some(_), None) => ("none", "Not judged"),
            (false, Some(_), Some(_)) => ("clean", "Kept"),
        };
        Self {
            name: text::shown(&metric.name),
            value: number(metric.value),
            rule,
            style,
            label,
        }
    }
}

impl Quote {
    fn new(violation: &Violation) -> Self {
        let subject = violation.feature_name.as_deref().or(violation.metric_name.as_deref());
        Self {
            subject: subject.map(text::shown).unwrap_or_default(),
            check: text::shown(&violation.constraint_check_type),
            description: violation.description.clone(),
        }
    }
}

/// A distance in one sentence for people.
fn meaning(metric: Metric) -> &'static str {
    match metric {
        Metric::Psi => "Population stability index: how far the shares of the deciles or categories moved.",
        Metric::Wasserstein => "How far the values moved on average, in standard deviations of the baseline.",
        Metric::JensenShannon => "Jensen–Shannon distance of the two distributions: 0 the same, 1 nothing in common.",
        Metric::LInfinity => "The largest difference of the shares (of the cumulative shares for numbers).",
        Metric::Missing => "The difference of the shares of missing values.",
        Metric::Type => "The share of values of another type than the baseline's.",
        Metric::NewCategories => "The share of rows with a category that the baseline has never seen.",
    }
}
