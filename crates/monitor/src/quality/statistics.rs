//! `statistics.json` of model quality.

use super::metrics::{Confusion, Curves, Metric, Metrics};
use crate::documents::text::Json;

/// The document.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityStatistics {
    /// Metrics of the rows between the two times.
    pub metrics: Metrics,
    /// `dataset.start_time`, as given by the caller.
    pub start_time: Option<String>,
    /// `dataset.end_time`, as given by the caller.
    pub end_time: Option<String>,
    /// `dataset.evaluation_time`: when the document was written.
    pub evaluation_time: Option<String>,
}

impl QualityStatistics {
    /// The document as JSON.
    pub fn to_json(&self) -> Json {
        let rows = i64::try_from(self.metrics.rows).unwrap_or(i64::MAX);
        let mut dataset = vec![("item_count", Json::Whole(rows))];
        let times = [
            ("start_time", &self.start_time),
            ("end_time", &self.end_time),
            ("evaluation_time", &self.evaluation_time),
        ];
        for (name, time) in times {
            dataset.extend(time.clone().map(|time| (name, Json::Text(time))));
        }
        Json::Object(vec![
            ("version", Json::Double(0.0)),
            ("dataset", Json::Object(dataset)),
            (self.metrics.problem.metrics_key(), metrics(&self.metrics)),
        ])
    }
}

fn metrics(metrics: &Metrics) -> Json {
    let mut members = Vec::new();
    members.extend(
        metrics
            .confusion
            .as_ref()
            .map(|matrix| ("confusion_matrix", confusion(matrix))),
    );
    for one in &metrics.values {
        // In the contract, the curves come before the area under the first.
        if one.name == "auc"
            && let Some(of_metrics) = &metrics.curves
        {
            members.extend(curves(of_metrics));
        }
        members.push((one.name, metric(one)));
    }
    Json::Object(members)
}

fn metric(metric: &Metric) -> Json {
    Json::Object(vec![
        ("value", Json::Double(metric.value)),
        ("standard_deviation", Json::Double(metric.standard_deviation)),
    ])
}

fn confusion(confusion: &Confusion) -> Json {
    let count = |count: &u64| Json::Whole(i64::try_from(*count).unwrap_or(i64::MAX));
    let by_class = |members: Vec<Json>| Json::Map(confusion.classes.iter().cloned().zip(members).collect());
    by_class(
        confusion
            .counts
            .iter()
            .map(|row| by_class(row.iter().map(count).collect()))
            .collect(),
    )
}

fn curves(curves: &Curves) -> [(&'static str, Json); 2] {
    let points = |values: &[f64]| Json::Array(values.iter().copied().map(Json::Double).collect());
    [
        (
            "receiver_operating_characteristic_curve",
            Json::Object(vec![
                ("false_positive_rates", points(&curves.false_positive_rates)),
                ("true_positive_rates", points(&curves.true_positive_rates)),
            ]),
        ),
        (
            "precision_recall_curve",
            Json::Object(vec![
                ("precisions", points(&curves.precisions)),
                ("recalls", points(&curves.recalls)),
            ]),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::ProblemType;
    use crate::quality::binary::Binary;
    use crate::quality::regression::Regression;

    fn member<'j>(json: &'j Json, name: &str) -> &'j Json {
        match json {
            Json::Object(members) => members.iter().find(|(key, _)| *key == name).map(|(_, value)| value),
            Json::Map(members) => members.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            _ => None,
        }
        .unwrap_or_else(|| panic!("no {name} in {json:?}"))
    }

    fn names(json: &Json) -> Vec<&str> {
        match json {
            Json::Object(members) => members.iter().map(|(key, _)| *key).collect(),
            other => panic!("{other:?} is no object"),
        }
    }

    fn statistics(metrics: Metrics) -> QualityStatistics {
        QualityStatistics {
            metrics,
            start_time: Some("2026-01-01T00:00:00Z".to_owned()),
            end_time: None,
            evaluation_time: None,
        }
    }

    #[test]
    fn the_document_has_the_contracts_members() {
        let mut regression = Regression::default();
        regression.push(0, 1.0, 3.0);
        let json = statistics(regression.metrics()).to_json();
        assert_eq!(names(&json), ["version", "dataset", "regression_metrics"]);
        let dataset = member(&json, "dataset");
        assert_eq!(names(dataset), ["item_count", "start_time"]);
        assert_eq!(member(dataset, "item_count"), &Json::Whole(1));
        let metrics = member(&json, ProblemType::Regression.metrics_key());
        assert_eq!(names(metrics), ["mae", "mse", "rmse", "r2"]);
        assert_eq!(member(member(metrics, "mae"), "value"), &Json::Double(2.0));
    }

    #[test]
    fn matrix_and_curves_stand_where_the_contract_has_them() {
        let mut binary = Binary::default();
        binary.push(0, true, Some(0.9), true);
        binary.push(1, true, Some(0.8), false);
        let json = statistics(binary.metrics()).to_json();
        let metrics = member(&json, "binary_classification_metrics");
        assert_eq!(
            names(metrics),
            [
                "confusion_matrix",
                "recall",
                "precision",
                "accuracy",
                "recall_best_constant_classifier",
                "precision_best_constant_classifier",
                "accuracy_best_constant_classifier",
                "true_positive_rate",
                "true_negative_rate",
                "false_positive_rate",
                "false_negative_rate",
                "receiver_operating_characteristic_curve",
                "precision_recall_curve",
                "auc",
                "f0_5",
                "f1",
                "f2",
                "f0_5_best_constant_classifier",
                "f1_best_constant_classifier",
                "f2_best_constant_classifier",
            ]
        );
        let matrix = member(metrics, "confusion_matrix");
        assert_eq!(member(member(matrix, "0"), "1"), &Json::Whole(1));
        assert_eq!(member(member(matrix, "1"), "0"), &Json::Whole(0));
    }
}
