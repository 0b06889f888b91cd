//! Metrics for CloudWatch: lines of JSON in `/opt/ml/output/metrics/cloudwatch`, which SageMaker publishes.
//! Which metrics there are is not known here, nor in which file they go.

use super::text::{Json, compact};

/// One metric at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Such as [`feature_data`] gives.
    pub name: String,
    /// Names and values; see [`dimensions`].
    pub dimensions: Vec<(&'static str, String)>,
    /// What is published.
    pub datum: Datum,
}

/// What is published of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Datum {
    /// One value.
    Value(f64),
    /// What many values have in common, so that CloudWatch knows their average.
    Statistics {
        /// Values.
        count: u64,
        /// Their sum.
        sum: f64,
        /// Smallest.
        min: f64,
        /// Largest.
        max: f64,
    },
}

impl Datum {
    /// CloudWatch takes neither NaN nor infinities, nor the statistics of nothing.
    fn is_publishable(self) -> bool {
        match self {
            Self::Value(value) => value.is_finite(),
            Self::Statistics { count, sum, min, max } => {
                count > 0 && [sum, min, max].iter().all(|value| value.is_finite())
            }
        }
    }
}

/// The values of a feature.
pub fn feature_data(feature: &str) -> String {
    format!("feature_data_{feature}")
}

/// The share of values of a feature that are there.
pub fn feature_non_null(feature: &str) -> String {
    format!("feature_non_null_{feature}")
}

/// The distance of a feature from its baseline.
pub fn feature_baseline_drift(feature: &str) -> String {
    format!("feature_baseline_drift_{feature}")
}

/// `Endpoint` and `MonitoringSchedule`; a batch transform has no endpoint. What is absent or empty is left out:
/// CloudWatch takes no empty value.
pub fn dimensions(endpoint: Option<&str>, schedule: Option<&str>) -> Vec<(&'static str, String)> {
    [("Endpoint", endpoint), ("MonitoringSchedule", schedule)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?.to_owned())))
        .collect()
}

/// The file: a line a metric, a line break after each. `timestamp` is of the form `2021-05-18T00:21:45Z`. A metric
/// that CloudWatch would refuse, because a number of it is not finite or it counts nothing, has no line.
pub fn lines(metrics: &[Metric], timestamp: &str) -> String {
    let mut out = String::new();
    for metric in metrics.iter().filter(|metric| metric.datum.is_publishable()) {
        out.push_str(&compact(&to_json(metric, timestamp)));
        out.push('\n');
    }
    out
}

fn to_json(metric: &Metric, timestamp: &str) -> Json {
    let dimension = |(name, value): &(&'static str, String)| {
        Json::Object(vec![("Name", Json::text(*name)), ("Value", Json::text(value.as_str()))])
    };
    let datum = match metric.datum {
        Datum::Value(value) => ("Value", Json::Double(value)),
        Datum::Statistics { count, sum, min, max } => {
            let statistics = vec![
                ("SampleCount", Json::count(count)),
                ("Sum", Json::Double(sum)),
                ("Minimum", Json::Double(min)),
                ("Maximum", Json::Double(max)),
            ];
            ("StatisticValues", Json::Object(statistics))
        }
    };
    Json::Object(vec![
        ("MetricName", Json::text(metric.name.as_str())),
        ("Timestamp", Json::text(timestamp)),
        (
            "Dimensions",
            Json::Array(metric.dimensions.iter().map(dimension).collect()),
        ),
        datum,
    ])
}

#[cfg(test)]
mod tests;
