//! The outcome in one sentence for people.

use contracts::drift::{
    Distance, Drift, FeatureDrift, Metric, Numbers, Outcome, QualityMetric, SegmentDrift, Status, Summary,
};

use super::{short_of, words};

/// Why the outcome is what it is. `running` are the drifted columns that look like running numbers or times.
pub fn of(drift: &Drift, running: &[String]) -> String {
    match drift.outcome {
        Outcome::Drifted => drifted(drift, running),
        Outcome::InsufficientData => insufficient(drift),
        Outcome::Clean | Outcome::Error => clean(drift),
    }
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
        parts.push(format!("{}{}", quality(worst), more(others.len())));
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

fn quality(metric: &QualityMetric) -> String {
    let value = metric.value.map_or("not defined".to_owned(), words::number);
    match metric.threshold {
        Some(threshold) => {
            let side = if metric.comparison_operator.as_deref() == Some("LessThanThreshold") {
                "below"
            } else {
                "above"
            };
            format!("{} is {value}, {side} {}", metric.name, words::number(threshold))
        }
        None => format!("{} is {value}", metric.name),
    }
}

/// `price drifted most: median 12,500 → 19,900 (PSI 0.61, threshold 0.2)`.
fn feature(feature: &FeatureDrift, among_others: bool) -> String {
    let verb = if among_others { "drifted most" } else { "drifted" };
    let name = words::name(&feature.name);
    let distance = feature
        .distances
        .iter()
        .find(|distance| Some(distance.metric) == feature.decisive);
    let (Some(distance), Some(before), Some(now)) = (distance, &feature.baseline, &feature.current) else {
        return format!("{name} {verb}");
    };
    format!("{name} {verb}: {}", change(distance, before, now))
}

fn change(distance: &Distance, before: &Summary, now: &Summary) -> String {
    let threshold = match distance.metric {
        Metric::Missing | Metric::Type | Metric::NewCategories => {
            format!("threshold {}", words::percent(distance.threshold))
        }
        Metric::Psi | Metric::Wasserstein | Metric::JensenShannon | Metric::LInfinity => format!(
            "{} {}, threshold {}",
            title(distance.metric),
            words::number(round(distance.value)),
            words::number(round(distance.threshold)),
        ),
    };
    format!("{} ({threshold})", what(distance, before, now))
}

/// Before and after in the terms of a distance: `median 12,500 → 19,900`.
pub fn what(distance: &Distance, before: &Summary, now: &Summary) -> String {
    match distance.metric {
        Metric::Missing => format!("missing values {} → {}", missing(before), missing(now)),
        Metric::Type if now.inferred_type != before.inferred_type && before.inferred_type == "String" => {
            "words have become numbers".to_owned()
        }
        Metric::Type => format!(
            "{} of the values are not {}",
            words::percent(distance.value),
            before.inferred_type
        ),
        Metric::NewCategories => {
            let known = |value: &str| before.categories.iter().any(|category| category.value == value);
            let new: Vec<&str> = now
                .categories
                .iter()
                .map(|category| category.value.as_str())
                .filter(|value| !known(value))
                .collect();
            let names = if new.is_empty() {
                String::new()
            } else {
                format!(": {}", words::list(new))
            };
            format!(
                "{} of the values are new to the baseline{names}",
                words::percent(distance.value)
            )
        }
        Metric::Psi | Metric::Wasserstein | Metric::JensenShannon | Metric::LInfinity => {
            match (&before.numbers, &now.numbers) {
                (Some(before), Some(now)) => numbers(before, now),
                _ => categories(before, now),
            }
        }
    }
}

/// The median before and after, or, where it stayed, the quantile that moved the farthest, or else the mean.
fn numbers(before: &Numbers, now: &Numbers) -> String {
    let pairs = before
        .quantiles
        .iter()
        .zip(&now.quantiles)
        .filter(|(a, b)| words::number(a.value) != words::number(b.value));
    let moved = |pair: &(&contracts::drift::Quantile, &contracts::drift::Quantile)| {
        let median = pair.0.share == 0.5;
        (median, (pair.0.value - pair.1.value).abs())
    };
    match pairs.max_by(|a, b| moved(a).0.cmp(&moved(b).0).then(moved(a).1.total_cmp(&moved(b).1))) {
        Some((a, b)) => {
            let name = if a.share == 0.5 {
                "median".to_owned()
            } else {
                format!("{:.0}th percentile", a.share * 100.0)
            };
            format!("{name} {} → {}", words::number(a.value), words::number(b.value))
        }
        None => format!("mean {} → {}", words::number(before.mean), words::number(now.mean)),
    }
}

/// The category whose share changed the most.
fn categories(before: &Summary, now: &Summary) -> String {
    let share = |side: &Summary, value: &str| {
        side.categories
            .iter()
            .find(|category| category.value == value)
            .map_or(0.0, |category| category.share)
    };
    let values = before
        .categories
        .iter()
        .chain(&now.categories)
        .map(|category| category.value.as_str());
    let change = |value: &str| (share(before, value) - share(now, value)).abs();
    match values.max_by(|a, b| change(a).total_cmp(&change(b))) {
        Some(value) => format!(
            "{} {} → {}",
            words::name(value),
            words::percent(share(before, value)),
            words::percent(share(now, value))
        ),
        None => "its values are spread differently".to_owned(),
    }
}

fn missing(side: &Summary) -> String {
    words::percent(side.missing as f64 / (side.present + side.missing).max(1) as f64)
}

/// Three decimals are more than anybody compares; a small value keeps its digits.
fn round(value: f64) -> f64 {
    if value.abs() < 0.01 {
        value
    } else {
        (value * 1000.0).round() / 1000.0
    }
}

fn title(metric: Metric) -> &'static str {
    match metric {
        Metric::Psi => "PSI",
        Metric::Wasserstein => "Wasserstein",
        Metric::JensenShannon => "Jensen–Shannon",
        Metric::LInfinity => "L∞",
        Metric::Missing => "missing",
        Metric::Type => "type",
        Metric::NewCategories => "new categories",
    }
}
