//! Output of results as text.

use super::terminal::{self, DIM, GREEN, RED, YELLOW, say};
use crate::analysis::Baseline;
use crate::documents::constraints::FeatureConstraints;
use crate::documents::statistics::{Detail, Feature, InferredType};
use crate::profile::Profile;
use crate::sketch::kll::Ranks;
use drift_document::{Drift, FeatureDrift, Outcome, Role, Status, change, words};
use std::collections::BTreeMap;

/// Maximum number of drifted features that are shown; the documents have all of them.
const SHOWN: usize = 30;

/// Shows one row for each column: its values, and the requirements for later ones. The constraints were suggested from
/// the same statistics, so they are in the same order.
pub fn baseline(baseline: &Baseline) {
    let features = baseline.statistics.features.iter().zip(&baseline.constraints.features);
    let rows = features.map(|(feature, asked)| vec![words::name(&feature.name), values(feature), demand(asked)]);
    say(terminal::table(
        &["column", "values", "asked of later data"],
        rows.collect(),
    ));
    say(format!(
        "\n{} in {}",
        words::counted(baseline.statistics.rows, "row", "rows"),
        words::counted(baseline.statistics.features.len() as u64, "column", "columns"),
    ));
}

/// Shows the outcome, then what drifted, then a line about the rest.
pub fn drift(drift: &Drift) {
    let (style, label) = match drift.outcome {
        Outcome::Clean => (GREEN, "CLEAN"),
        Outcome::Drifted => (RED, "DRIFTED"),
        Outcome::InsufficientData => (YELLOW, "INSUFFICIENT DATA"),
        Outcome::Error => (RED, "ERROR"),
    };
    let reason = terminal::wrapped(&drift.reason, label.len() + 2);
    say(format!("{style}{label}{style:#}  {reason}"));
    if drift.outcome == Outcome::InsufficientData {
        return;
    }
    let drifted: Vec<&FeatureDrift> = drift.features.iter().filter(|it| worth_showing(it.status)).collect();
    if !drifted.is_empty() {
        let rows = drifted.iter().take(SHOWN).map(|it| feature_row(it)).collect();
        say("");
        say(terminal::table(
            &["drifted", "before → after", "by", "distance", "threshold"],
            rows,
        ));
        if drifted.len() > SHOWN {
            say(format!("{DIM}and {} more{DIM:#}", drifted.len() - SHOWN));
        }
    }
    let mut segments = drift
        .segments
        .iter()
        .filter(|it| it.outcome == Outcome::Drifted)
        .peekable();
    if segments.peek().is_some() {
        say("");
    }
    for segment in segments {
        let names = segment
            .features
            .iter()
            .filter(|it| it.status == Status::Drifted)
            .map(|it| it.name.as_str());
        say(format!(
            "{RED}{} = {}{RED:#}  {} drifted within these {}",
            words::name(&segment.column),
            words::name(&segment.value),
            words::list(names),
            words::counted(segment.samples.current_rows, "row", "rows"),
        ));
    }
    if let Some(quality) = &drift.quality {
        let rows = quality.metrics.iter().map(|it| {
            let threshold = it.threshold.map_or(String::new(), words::number);
            let side = match it.comparison_operator.as_deref() {
                Some("GreaterThanThreshold") => "at most ",
                Some(_) => "at least ",
                None => "",
            };
            vec![
                it.name.clone(),
                it.value.map_or("not defined".to_owned(), words::number),
                format!("{side}{threshold}"),
                match (it.violated, it.drifted) {
                    (true, true) => "violated",
                    (true, false) => "violated, perhaps by chance",
                    (false, _) => "",
                }
                .to_owned(),
            ]
        });
        say("");
        say(terminal::table(&["metric", "now", "asked", ""], rows.collect()));
    }
    if drift.quality.is_none() {
        violations(drift);
    }
    if !drift.features.is_empty() {
        let clean = drift.features.iter().filter(|it| it.status == Status::Clean).count() as u64;
        say(format!("\n{} clean", words::counted(clean, "column", "columns")));
    }
}

/// Shows one row for each kind of violation. They do not decide the outcome, but are of interest to people who edit the
/// constraints.
fn violations(drift: &Drift) {
    let mut kinds: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for violation in &drift.violations {
        let kind = violation.constraint_check_type.as_str();
        let columns = kinds.entry(kind).or_default();
        // In the contract, all missing or extra columns are one violation.
        match kind {
            "missing_column_check" => columns.extend(names(drift, Status::MissingColumn)),
            "extra_column_check" => columns.extend(names(drift, Status::ExtraColumn)),
            _ => columns.extend(violation.feature_name.as_deref()),
        }
    }
    if kinds.is_empty() {
        return;
    }
    let rows = kinds.iter().map(|(kind, columns)| {
        let names = words::list(columns.iter().copied());
        vec![(*kind).to_owned(), words::count(columns.len() as u64), names]
    });
    say("");
    say(terminal::table(&["violated constraint", "columns", ""], rows.collect()));
}

fn names(drift: &Drift, status: Status) -> impl Iterator<Item = &str> {
    let features = drift.features.iter().filter(move |it| it.status == status);
    features.map(|it| it.name.as_str())
}

fn worth_showing(status: Status) -> bool {
    matches!(status, Status::Drifted | Status::MissingColumn)
}

fn feature_row(feature: &FeatureDrift) -> Vec<String> {
    let decisive = feature
        .decisive
        .and_then(|metric| feature.distances.iter().find(|it| it.metric == metric));
    let role = if feature.role == Role::Prediction {
        " (prediction)"
    } else {
        ""
    };
    vec![
        format!("{}{role}", words::name(&feature.name)),
        match (decisive, &feature.baseline, &feature.current) {
            (Some(distance), Some(before), Some(now)) => change::what(distance, before, now),
            (_, Some(_), None) => "the column is gone".to_owned(),
            _ => String::new(),
        },
        decisive.map_or(String::new(), |it| it.metric.as_str().to_owned()),
        decisive.map_or(String::new(), |it| words::number(it.value)),
        decisive.map_or(String::new(), |it| words::number(it.threshold)),
    ]
}

/// Shows irregularities of rows, on stderr.
pub fn oddities(profile: &Profile) {
    for (oddity, count, first) in profile.notes.iter() {
        let rows = words::counted(count, "row", "rows");
        terminal::warn(format!("{rows} with {}; the first: {first}", oddity.as_str()));
    }
    if let Some(segments) = profile.segments.as_ref().filter(|it| it.rows_beyond > 0) {
        terminal::warn(format!(
            "`{}` has more than {} values: {} are in no segment",
            segments.column,
            crate::profile::Segments::MOST,
            words::counted(segments.rows_beyond, "row", "rows"),
        ));
    }
}

/// A short text for the constraints: `at least 98 % there; whole numbers`.
fn demand(asked: &FeatureConstraints) -> String {
    let there = match asked.completeness {
        all if all >= 1.0 => "always there".to_owned(),
        most if most > 0.999 => format!("{} there", words::percent(most)),
        some if some >= 0.001 => format!("at least {} there", words::percent(some)),
        few if few > 0.0 => "sometimes there".to_owned(),
        _ => return "nothing: it may be missing".to_owned(),
    };
    let values = match (asked.inferred_type, asked.domains.as_deref()) {
        (InferredType::Integral, _) => "whole numbers".to_owned(),
        (InferredType::Fractional, _) => "numbers".to_owned(),
        (_, Some([_])) => "no other value".to_owned(),
        (_, Some(domain)) => format!("one of {} values", words::count(domain.len() as u64)),
        (_, None) => "any text".to_owned(),
    };
    format!("{there}; {values}")
}

fn values(feature: &Feature) -> String {
    match &feature.detail {
        Detail::Numeric(numbers) if numbers.min == numbers.max => format!("always {}", words::number(numbers.min)),
        Detail::Numeric(numbers) => {
            let median = Ranks::of_levels(&numbers.levels).quantile(0.5);
            format!(
                "{} to {}, median {}",
                words::number(numbers.min),
                words::number(numbers.max),
                median.map_or("unknown".to_owned(), words::number),
            )
        }
        Detail::Text(_) if feature.present == 0 => "none".to_owned(),
        Detail::Text(text) => match &text.categories {
            Some(categories) => words::list(categories.iter().map(|it| it.value.as_str())),
            None => format!("about {} different texts", words::count(text.distinct_count)),
        },
    }
}
