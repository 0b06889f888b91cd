//! The change of a column or a quality metric as text: `median 12,500 → 19,900 (PSI 0.61, threshold 0.2)`.
//!
//! Used both in the analyzer's reasons and in notices of drift.

use crate::document::{Distance, FeatureDrift, Metric, Numbers, QualityMetric, Quantile, Summary};
use crate::words;

/// The decisive distance of a column, with both values and the threshold; `None` if one side lacks the column.
pub fn feature(feature: &FeatureDrift) -> Option<String> {
    let distance = feature
        .distances
        .iter()
        .find(|distance| Some(distance.metric) == feature.decisive)?;
    Some(change(distance, feature.baseline.as_ref()?, feature.current.as_ref()?))
}

/// The value and threshold of a quality metric: `rmse is 5120, above 4100`.
pub fn quality(metric: &QualityMetric) -> String {
    let value = metric.value.map_or("not defined".to_owned(), words::number);
    match metric.threshold {
        Some(threshold) => {
            let side = match metric.comparison_operator.as_deref() {
                _ if !metric.violated => "within",
                Some("LessThanThreshold") => "below",
                _ => "above",
            };
            format!("{} is {value}, {side} {}", metric.name, words::number(threshold))
        }
        None => format!("{} is {value}", metric.name),
    }
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

/// The two values that a distance is about: `median 12,500 → 19,900`.
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

/// The two medians; if they are equal, the quantile that moved the farthest, or else the means.
fn numbers(before: &Numbers, now: &Numbers) -> String {
    let pairs = before
        .quantiles
        .iter()
        .zip(&now.quantiles)
        .filter(|(a, b)| words::number(a.value) != words::number(b.value));
    let moved = |pair: &(&Quantile, &Quantile)| {
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

/// Rounds to three decimals, which is enough for comparisons; a small value keeps its digits.
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
