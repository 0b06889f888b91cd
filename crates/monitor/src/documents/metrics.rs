//! Metrics for CloudWatch: lines of JSON in `/opt/ml/output/metrics/cloudwatch`, which SageMaker publishes. The caller
//! decides which metrics there are, and the name of the file.

use super::text::{Json, compact};

/// A metric at one point in time.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Name, such as [`feature_data`] returns.
    pub name: String,
    /// Names and values of the dimensions; see [`dimensions`].
    pub dimensions: Vec<(&'static str, String)>,
    /// The published data.
    pub datum: Datum,
}

/// The data of a metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Datum {
    /// A single value.
    Value(f64),
    /// Statistics of many values, from which CloudWatch computes their average.
    Statistics {
        /// Number of values.
        count: u64,
        /// Sum of the values.
        sum: f64,
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
    },
}

impl Datum {
    /// CloudWatch accepts neither NaN nor infinities, nor statistics of no values.
    fn is_publishable(self) -> bool {
        match self {
            Self::Value(value) => value.is_finite(),
            Self::Statistics { count, sum, min, max } => {
                count > 0 && [sum, min, max].iter().all(|value| value.is_finite())
            }
        }
    }
}

/// Name of the metric for the values of a feature.
pub fn feature_data(feature: &str) -> String {
    format!("feature_data_{feature}")
}

/// Name of the metric for the share of a feature's values that are present.
pub fn feature_non_null(feature: &str) -> String {
    format!("feature_non_null_{feature}")
}

/// Name of the metric for the distance of a feature from its baseline.
pub fn feature_baseline_drift(feature: &str) -> String {
    format!("feature_baseline_drift_{feature}")
}

/// `Endpoint` and `MonitoringSchedule`; a batch transform has no endpoint. Absent or empty ones are left out, because
/// CloudWatch accepts no empty value.
pub fn dimensions(endpoint: Option<&str>, schedule: Option<&str>) -> Vec<(&'static str, String)> {
    [("Endpoint", endpoint), ("MonitoringSchedule", schedule)]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.filter(|value| !value.is_empty())?.to_owned())))
        .collect()
}

/// The text of the file: one line for each metric. `timestamp` has the form `2021-05-18T00:21:45Z`. Metrics that
/// CloudWatch would refuse, because a number is not finite or they count nothing, are left out.
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
