//! Results as text for people.

use super::terminal::{self, DIM, GREEN, RED, YELLOW, say};
use crate::analysis::Baseline;
use crate::checks;
use crate::documents::statistics::{Detail, Feature};
use crate::drift::{reason, words};
use crate::profile::Profile;
use crate::sketch::kll::Ranks;
use contracts::Drift;
use contracts::drift::{FeatureDrift, Outcome, Role, Status};

/// Drifted features that are shown; the documents have all.
const SHOWN: usize = 30;

/// A row a column: what its values are, and what is asked of later ones.
pub fn baseline(baseline: &Baseline) {
    let asked = checks::explain(&baseline.statistics, &baseline.constraints);
    let rows = baseline.statistics.features.iter().map(|feature| {
        let asked = asked.iter().find(|it| it.feature == feature.name);
        vec![
            words::name(&feature.name),
            feature.inferred_type.as_str().to_owned(),
            present(feature.present, feature.missing),
            values(feature),
            asked.map(|it| it.text.clone()).unwrap_or_default(),
        ]
    });
    say(terminal::table(
        &["column", "type", "present", "values", "asked of later data"],
        rows.collect(),
    ));
    say(format!(
        "\n{} in {}",
        words::counted(baseline.statistics.rows, "row", "rows"),
        words::counted(baseline.statistics.features.len() as u64, "column", "columns"),
    ));
}

/// The outcome first, then what drifted, then a line on the rest.
pub fn drift(drift: &Drift) {
    let (style, label) = match drift.outcome {
        Outcome::Clean => (GREEN, "CLEAN"),
        Outcome::Drifted => (RED, "DRIFTED"),
        Outcome::InsufficientData => (YELLOW, "INSUFFICIENT DATA"),
        Outcome::Error => (RED, "ERROR"),
    };
    say(format!("{style}{label}{style:#}  {}", drift.reason));
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
    for segment in drift.segments.iter().filter(|it| it.outcome == Outcome::Drifted) {
        let names = segment
            .features
            .iter()
            .filter(|it| it.status == Status::Drifted)
            .map(|it| it.name.as_str());
        say(format!(
            "\n{RED}{} = {}{RED:#}  {} drifted within these {}",
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
                if it.violated { "violated" } else { "" }.to_owned(),
            ]
        });
        say("");
        say(terminal::table(&["metric", "now", "asked", ""], rows.collect()));
    }
    let clean = drift.features.iter().filter(|it| it.status == Status::Clean).count() as u64;
    let violations = drift.violations.len() as u64;
    let mut line = format!("\n{} clean", words::counted(clean, "column", "columns"));
    if violations > 0 {
        line += &format!(
            "; {} of the constraints",
            words::counted(violations, "violation", "violations")
        );
    }
    say(line);
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
            (Some(distance), Some(before), Some(now)) => reason::what(distance, before, now),
            (_, Some(_), None) => "the column is gone".to_owned(),
            _ => String::new(),
        },
        decisive.map_or(String::new(), |it| it.metric.as_str().to_owned()),
        decisive.map_or(String::new(), |it| words::number(it.value)),
        decisive.map_or(String::new(), |it| words::number(it.threshold)),
    ]
}

/// What was odd about rows, on stderr.
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

fn present(present: u64, missing: u64) -> String {
    words::percent(present as f64 / (present + missing).max(1) as f64)
}

fn values(feature: &Feature) -> String {
    match &feature.detail {
        Detail::Numeric(numbers) => {
            let median = Ranks::of_levels(&numbers.levels).quantile(0.5);
            format!(
                "{} to {}, median {}",
                words::number(numbers.min),
                words::number(numbers.max),
                median.map_or("unknown".to_owned(), words::number),
            )
        }
        Detail::Text(text) if feature.present == 0 => {
            debug_assert_eq!(text.distinct_count, 0);
            String::new()
        }
        Detail::Text(text) => match &text.categories {
            Some(categories) => words::list(categories.iter().map(|it| it.value.as_str())),
            None => format!("about {} different texts", words::count(text.distinct_count)),
        },
    }
}
