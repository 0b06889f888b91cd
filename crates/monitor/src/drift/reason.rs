//! The outcome in one sentence for people.

use drift_document::{Drift, FeatureDrift, Outcome, QualityMetric, SegmentDrift, Status, change, words};

/// The reason for the outcome. `running` are the drifted columns that look like running numbers or times.
pub fn of(drift: &Drift, running: &[String]) -> String {
    match drift.outcome {
        Outcome::Drifted => drifted(drift, running),
        Outcome::InsufficientData => insufficient(drift),
        Outcome::Clean | Outcome::Error => clean(drift),
    }
}

/// The side that has too few rows, and its number of rows.
pub(super) fn short_of(drift: &Drift) -> Option<(&'static str, u64)> {
    let minimum = drift.settings.minimum_rows;
    let samples = &drift.samples;
    let judged = drift.features.iter().any(|feature| feature.baseline.is_some());
    let mut sides = vec![];
    match (&drift.quality, &samples.ground_truth) {
        (Some(_), Some(truth)) => sides.push(("with ground truth", truth.joined)),
        _ => sides.push(("now", samples.current_rows)),
    }
    // An analysis of quality alone has no baseline of columns.
    if judged || drift.quality.is_none() {
        sides.push(("in the baseline", samples.baseline_rows));
    }
    sides.into_iter().find(|(_, rows)| *rows < minimum)
}

fn clean(drift: &Drift) -> String {
    let judged = drift
        .features
        .iter()
        .filter(|feature| feature.status == Status::Clean)
        .count() as u64;
    let rows = format!(
        "{} against {} of the baseline",
        words::counted(drift.samples.current_rows, "row", "rows"),
        words::count(drift.samples.baseline_rows),
    );
    let few = drift
        .features
        .iter()
        .filter(|feature| feature.status == Status::InsufficientData)
        .count() as u64;
    let few = match few {
        0 => String::new(),
        few => format!(
            "; {} too few values to say",
            words::counted(few, "column has", "columns have")
        ),
    };
    match (&drift.quality, judged) {
        (Some(quality), 0) => {
            let metrics = words::counted(quality.metrics.len() as u64, "quality metric", "quality metrics");
            let on = words::counted(drift.samples.current_rows, "row", "rows");
            match quality.metrics.iter().filter(|metric| metric.violated).count() {
                0 => format!("{metrics} within the thresholds on {on}"),
                beyond => format!("{beyond} of {metrics} beyond the threshold on {on}, by no more than chance"),
            }
        }
        (None, 0) if few.is_empty() => format!("nothing was compared: no column is switched on; {rows}"),
        _ => format!(
            "nothing drifted in {}: {rows}{few}",
            words::counted(judged, "column", "columns")
        ),
    }
}

fn insufficient(drift: &Drift) -> String {
    let minimum = words::count(drift.settings.minimum_rows);
    match short_of(drift) {
        Some((side, rows)) => {
            format!(
                "too few rows to say: {} {side}, at least {minimum} are needed",
                words::counted(rows, "row", "rows")
            )
        }
        None => format!("too few rows to say: at least {minimum} are needed"),
    }
}

fn drifted(drift: &Drift, running: &[String]) -> String {
    let mut parts = Vec::new();
    let with = |status: Status| drift.features.iter().filter(move |feature| feature.status == status);

    let missing: Vec<&str> = with(Status::MissingColumn)
        .map(|feature| feature.name.as_str())
        .collect();
    match missing[..] {
        [] => {}
        [only] => parts.push(format!("the column {} is missing", words::name(only))),
        _ => parts.push(format!(
            "{} columns are missing: {}",
            missing.len(),
            words::list(missing.iter().copied())
        )),
    }
    let violated: Vec<&QualityMetric> = drift
        .quality
        .iter()
        .flat_map(|quality| &quality.metrics)
        .filter(|metric| metric.drifted)
        .collect();
    if let [worst, others @ ..] = &violated[..] {
        parts.push(format!("{}{}", change::quality(worst), more(others.len())));
    }
    let mut features = with(Status::Drifted);
    if let Some(worst) = features.next() {
        let others = features.count();
        parts.push(format!("{}{}", feature(worst, others > 0), more(others)));
    } else if let Some((segment, worst)) = worst_segment(drift) {
        let (column, value) = (words::name(&segment.column), words::name(&segment.value));
        parts.push(format!(
            "where {column} is {value}, {}",
            feature(worst, segment.features.len() > 1)
        ));
    }
    if !running.is_empty() {
        let names = words::list(running.iter().map(String::as_str));
        let (looks, one) = if running.len() == 1 {
            ("looks", "it")
        } else {
            ("look", "them")
        };
        parts.push(format!(
            "{names} {looks} like a running number or a time: if so, switch {one} off in the constraints"
        ));
    }
    parts.join("; ")
}

fn worst_segment(drift: &Drift) -> Option<(&SegmentDrift, &FeatureDrift)> {
    let drifted = drift
        .segments
        .iter()
        .filter(|segment| segment.outcome == Outcome::Drifted);
    drifted
        .filter_map(|segment| segment.features.first().map(|worst| (segment, worst)))
        .max_by(|a, b| a.1.severity.total_cmp(&b.1.severity))
}

fn more(others: usize) -> String {
    if others == 0 {
        String::new()
    } else {
        format!("; {others} more")
    }
}

/// `price drifted most: median 12,500 → 19,900 (PSI 0.61, threshold 0.2)`.
fn feature(feature: &FeatureDrift, among_others: bool) -> String {
    let verb = if among_others { "drifted most" } else { "drifted" };
    let name = words::name(&feature.name);
    match change::feature(feature) {
        Some(change) => format!("{name} {verb}: {change}"),
        None => format!("{name} {verb}"),
    }
}
