use super::*;
use crate::quality::binary::Binary;
use crate::quality::regression::Regression;
use serde_json::json;

const CHANCE: Chance = Chance {
    false_alarms: 0.01,
    baseline_rows: None,
};

fn metric(name: &'static str, value: f64, standard_deviation: f64) -> Metric {
    Metric {
        name,
        value,
        standard_deviation,
        standard_error: None,
    }
}

fn binary(values: Vec<Metric>) -> Metrics {
    Metrics {
        problem: ProblemType::BinaryClassification,
        rows: 300,
        values,
        confusion: None,
        curves: None,
    }
}

fn constrained(entries: &[(&str, f64, Operator)]) -> QualityConstraints {
    QualityConstraints {
        problem: ProblemType::BinaryClassification,
        constraints: entries
            .iter()
            .map(|(metric, threshold, operator)| Constraint {
                metric: (*metric).to_owned(),
                threshold: *threshold,
                operator: *operator,
            })
            .collect(),
    }
}

/// The text form belongs to another module: this is enough to read the document back.
fn value_of(json: &Json) -> Value {
    match json {
        Json::Double(value) => json!(value),
        Json::Text(text) => json!(text),
        Json::Object(members) => members
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value_of(value)))
            .collect(),
        Json::Map(members) => members
            .iter()
            .map(|(key, value)| (key.clone(), value_of(value)))
            .collect(),
        other => panic!("{other:?} is not of this document"),
    }
}

#[test]
fn texts_are_those_of_the_contract() {
    let metrics = binary(vec![metric(
        "precision",
        0.699_074_074_074_074_1,
        0.011_633_050_186_414_431,
    )]);
    let found = violations(&constrained(&[("precision", 1.0, Operator::Less)]), &metrics);
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        json!([{
            "constraint_check_type": "LessThanThreshold",
            "description":
                "Metric precision with 0.6990740740740741 +/- 0.011633050186414431 was LessThanThreshold '1.0'",
            "metric_name": "precision",
        }])
    );
}

#[test]
fn rates_have_other_names_in_violations() {
    let names = [
        ("true_positive_rate", "truePositiveRate"),
        ("true_negative_rate", "trueNegativeRate"),
        ("false_positive_rate", "falsePositiveRate"),
        ("false_negative_rate", "falseNegativeRate"),
        ("auc", "auc"),
    ];
    let metrics = binary(names.iter().map(|(name, _)| metric(name, 0.5, f64::NAN)).collect());
    let entries: Vec<_> = names.iter().map(|(name, _)| (*name, 0.6, Operator::Less)).collect();
    let found = violations(&constrained(&entries), &metrics);
    let listed: Vec<_> = found
        .iter()
        .filter_map(|violation| violation.metric_name.as_deref())
        .collect();
    assert_eq!(listed, names.map(|(_, name)| name));
    assert!(found[0].description.contains(" +/- NaN was "));
}

#[test]
fn f0_5_is_missing_from_the_contracts_file_alone() {
    let metrics = binary(vec![metric("f0_5", 0.35, 0.01), metric("f1", 0.35, 0.01)]);
    let constraints = constrained(&[("f0_5", 0.8696, Operator::Less), ("f1", 0.8, Operator::Less)]);
    let listed: Vec<_> = violations(&constraints, &metrics)
        .into_iter()
        .filter_map(|violation| violation.metric_name)
        .collect();
    assert_eq!(listed, ["f1"]);
    let quality = quality(Some(&constraints), &metrics, CHANCE);
    assert_eq!(quality.problem_type, "BinaryClassification");
    assert!(quality.metrics.iter().all(|metric| metric.violated), "{quality:?}");
}

#[test]
fn the_threshold_itself_and_what_is_not_defined_violate_nothing() {
    let metrics = binary(vec![
        metric("auc", 0.5, 0.0),
        metric("f1", f64::NAN, 0.0),
        metric("f2", 0.1, 0.0),
    ]);
    let constraints = constrained(&[
        ("auc", 0.5, Operator::Less),
        ("f1", 0.5, Operator::Less),
        ("f2", f64::NAN, Operator::Less),
        ("recall", 0.5, Operator::Less),
    ]);
    assert_eq!(violations(&constraints, &metrics), []);
    let quality = quality(Some(&constraints), &metrics, CHANCE);
    let found: Vec<_> = quality
        .metrics
        .iter()
        .map(|m| (m.name.as_str(), m.value, m.threshold, m.violated))
        .collect();
    assert_eq!(
        found,
        [
            ("auc", Some(0.5), Some(0.5), false),
            ("f1", None, Some(0.5), false),
            ("f2", Some(0.1), None, false),
            ("recall", None, Some(0.5), false),
        ]
    );
}

#[test]
fn without_constraints_nothing_is_violated() {
    let quality = quality(None, &binary(vec![metric("auc", 0.5, 0.0)]), CHANCE);
    assert_eq!(quality.metrics[0].comparison_operator, None);
    assert!(!quality.metrics[0].violated);
}

#[test]
fn a_baseline_constrains_what_the_contract_constrains() {
    let mut regression = Regression::default();
    for (row, (prediction, truth)) in [(1.0, 2.0), (3.0, 5.0)].into_iter().enumerate() {
        regression.push(row as u64, prediction, truth);
    }
    let suggested = QualityConstraints::suggest(&regression.metrics());
    let sides: Vec<_> = suggested
        .constraints
        .iter()
        .map(|one| (one.metric.as_str(), one.operator))
        .collect();
    assert_eq!(
        sides,
        [
            ("mae", Operator::Greater),
            ("mse", Operator::Greater),
            ("rmse", Operator::Greater),
            ("r2", Operator::Less)
        ]
    );
    // A baseline does not violate the constraints that it suggests.
    assert_eq!(violations(&suggested, &regression.metrics()), []);

    let mut binary = Binary::default();
    binary.push(0, true, Some(0.9), true);
    binary.push(1, true, Some(0.8), false);
    let suggested = QualityConstraints::suggest(&binary.metrics());
    let names = |operator: Operator| -> Vec<&str> {
        let side = suggested.constraints.iter().filter(|one| one.operator == operator);
        side.map(|one| one.metric.as_str()).collect()
    };
    assert_eq!(
        names(Operator::Less),
        [
            "recall",
            "precision",
            "accuracy",
            "true_positive_rate",
            "true_negative_rate",
            "auc",
            "f0_5",
            "f1",
            "f2"
        ]
    );
    assert_eq!(names(Operator::Greater), ["false_positive_rate", "false_negative_rate"]);
    let nothing = QualityConstraints::suggest(&Regression::default().metrics());
    assert!(nothing.constraints.is_empty());
}

#[test]
fn a_written_document_is_read_back() {
    let constraints = constrained(&[
        ("auc", 0.75, Operator::Less),
        ("false_positive_rate", 0.1, Operator::Greater),
    ]);
    let document = value_of(&constraints.to_json());
    assert_eq!(document["version"], json!(0.0));
    assert_eq!(
        document["binary_classification_constraints"]["auc"],
        json!({"threshold": 0.75, "comparison_operator": "LessThanThreshold"})
    );
    let read = QualityConstraints::from_value(&document, ProblemType::BinaryClassification);
    assert_eq!(read, Ok(constraints));
}

#[test]
fn edited_documents_are_read_leniently_and_errors_name_the_member() {
    let read = |section: Value| {
        QualityConstraints::from_value(&json!({"regression_constraints": section}), ProblemType::Regression)
    };
    let lenient = read(json!({
        "mae": {"threshold": "2.5", "comparison_operator": "greaterThanThreshold", "additional_properties": null},
        "mse": null,
        "custom": {"threshold": 1, "comparison_operator": "LessThanThreshold"},
    }))
    .unwrap();
    assert_eq!(lenient.get("mae").map(|one| one.threshold), Some(2.5));
    assert_eq!((lenient.get("mse"), lenient.constraints.len()), (None, 2));
    let error = |section: Value| read(section).unwrap_err().to_string();
    assert_eq!(
        error(json!([])),
        "constraints.json: regression_constraints is [], not an object"
    );
    assert_eq!(
        error(json!({"mae": {"threshold": true, "comparison_operator": "LessThanThreshold"}})),
        "constraints.json: regression_constraints.mae.threshold is true, not a number"
    );
    assert_eq!(
        error(json!({"mae": {"threshold": 1}})),
        "constraints.json: regression_constraints.mae.comparison_operator is missing, not GreaterThanThreshold or \
         LessThanThreshold"
    );
    let other = QualityConstraints::from_value(
        &json!({"regression_constraints": {}}),
        ProblemType::BinaryClassification,
    );
    assert_eq!(
        other.unwrap_err().to_string(),
        "constraints.json has no binary_classification_constraints: is it of another problem type than \
         BinaryClassification?"
    );
}

/// Metrics for errors of ±`error`, with alternating signs, on 400 rows.
fn errors_of(error: f64) -> Metrics {
    let mut regression = Regression::default();
    for row in 0..400_u32 {
        let truth = f64::from(row);
        let size = if row % 2 == 0 { 0.5 * error } else { 1.5 * error };
        regression.push(row.into(), truth + size, truth);
    }
    regression.metrics()
}

#[test]
fn a_violation_that_chance_explains_is_no_drift() {
    let constraints = QualityConstraints::suggest(&errors_of(100.0));
    let judged = |error: f64, baseline_rows| {
        let chance = Chance {
            baseline_rows,
            ..CHANCE
        };
        let quality = quality(Some(&constraints), &errors_of(error), chance);
        let mae = quality.metrics.into_iter().find(|metric| metric.name == "mae").unwrap();
        (mae.violated, mae.drifted)
    };
    // The standard error of the mean error is 2.5 on 400 rows, and chance exceeds 2.33 of them once in 100 times.
    assert_eq!(judged(100.0, None), (false, false));
    assert_eq!(judged(105.0, None), (true, false));
    assert_eq!(judged(107.0, None), (true, true));
    // A baseline with as many rows is just as uncertain.
    assert_eq!(judged(107.0, Some(400)), (true, false));
    assert_eq!(judged(110.0, Some(400)), (true, true));
}
