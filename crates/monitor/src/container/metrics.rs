//! The metrics for CloudWatch that are published from a result, with their names.

use super::parameters::Parameters;
use crate::analysis::{Error, folder};
use crate::documents::constraints::FeatureConstraints;
use crate::documents::metrics::{
    Datum, Metric, dimensions, feature_baseline_drift, feature_data, feature_non_null, lines,
};
use crate::documents::statistics::{Detail, Feature};
use crate::documents::{Constraints, Statistics};
use crate::quality::metrics::Metrics;
use drift_document as drift;
use drift_document::Drift;
use std::collections::HashMap;

/// Name of the file in the metrics folder.
const FILE: &str = "cloudwatch_metrics.jsonl";

/// Metrics of data quality: the values and the completeness of each feature, and its distance from the baseline.
/// Features whose `emit_metrics` is disabled in the constraints have none.
pub fn of_data(
    parameters: &Parameters,
    statistics: &Statistics,
    constraints: &Constraints,
    drift: Option<&Drift>,
) -> Vec<Metric> {
    let asked: HashMap<&str, &FeatureConstraints> =
        constraints.features.iter().map(|it| (it.name.as_str(), it)).collect();
    let emits = |feature: &&Feature| match asked.get(feature.name.as_str()) {
        Some(asked) => constraints.monitoring_of(asked).emit_metrics,
        None => constraints.monitoring.emit_metrics,
    };
    let mut metrics = Vec::new();
    for feature in statistics.features.iter().filter(emits) {
        if let Detail::Numeric(numbers) = &feature.detail {
            let datum = Datum::Statistics {
                count: feature.present,
                sum: numbers.sum,
                min: numbers.min,
                max: numbers.max,
            };
            metrics.push(metric(parameters, feature_data(&feature.name), datum));
        }
        let completeness = Datum::Value(completeness(feature));
        metrics.push(metric(parameters, feature_non_null(&feature.name), completeness));
        let distance = drift
            .and_then(|it| it.features.iter().find(|it| it.name == feature.name))
            .and_then(|it| it.distances.iter().find(|it| it.metric == drift::Metric::LInfinity));
        if let Some(distance) = distance {
            let name = feature_baseline_drift(&feature.name);
            metrics.push(metric(parameters, name, Datum::Value(distance.value)));
        }
    }
    metrics
}

/// Metrics of model quality: every metric under its name.
pub fn of_quality(parameters: &Parameters, metrics: &Metrics) -> Vec<Metric> {
    let values = metrics.values.iter();
    values
        .map(|it| metric(parameters, it.name.to_owned(), Datum::Value(it.value)))
        .collect()
}

fn metric(parameters: &Parameters, name: String, datum: Datum) -> Metric {
    Metric {
        name,
        dimensions: dimensions(parameters.endpoint_name.as_deref(), parameters.schedule_name.as_deref()),
        datum,
    }
}

fn completeness(feature: &Feature) -> f64 {
    match feature.present + feature.missing {
        0 => 0.0,
        rows => feature.present as f64 / rows as f64,
    }
}

/// Writes the file, if metrics are enabled.
///
/// # Errors
/// It can't be written.
pub fn publish(parameters: &Parameters, metrics: &[Metric], timestamp: &str) -> Result<(), Error> {
    if !parameters.publish_cloudwatch_metrics {
        return Ok(());
    }
    let text = lines(metrics, timestamp);
    folder::write(&parameters.cloudwatch_metrics_directory, FILE, text.as_bytes())
}
