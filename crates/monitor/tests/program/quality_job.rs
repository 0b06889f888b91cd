//! Jobs that measure the quality of predictions.

use super::job::{Job, OUTPUT};
use super::names_where;
use serde_json::{Value, json};

/// Rows of `id,label,prediction` with errors 2, -2, 3 and -1 and labels with mean 25.
const FOUR: &str = "1,10,12\n2,20,18\n3,30,33\n4,40,39\n";

fn regression() -> Job {
    Job::new()
        .set("analysis_type", "MODEL_QUALITY")
        .set("problem_type", "Regression")
        .set("dataset_format", r#"{"csv":{"header":false}}"#)
        .set("inference_attribute", "2")
        .set("ground_truth_attribute", "1")
        .set("metric_time", "2024-05-18T01:00:00Z")
}

fn metric(name: &str, job: &Job) -> f64 {
    let metrics = &job.result("statistics.json")["regression_metrics"];
    metrics[name]["value"].as_f64().unwrap()
}

#[test]
fn metrics_of_four_rows_by_hand() {
    let job = regression()
        .set("start_time", "2024-05-17T00:00:00Z")
        .set("end_time", "2024-05-18T00:00:00Z")
        .data("scored.csv", FOUR)
        .done();
    assert_eq!(
        job.files(),
        [
            "constraints.json",
            "prediction_constraints.json",
            "prediction_statistics.json",
            "statistics.json"
        ]
    );
    let expected = r#"{
  "version" : 0.0,
  "dataset" : {
    "item_count" : 4,
    "start_time" : "2024-05-17T00:00:00Z",
    "end_time" : "2024-05-18T00:00:00Z",
    "evaluation_time" : "2024-05-18T01:00:00Z"
  },
  "regression_metrics" : {
    "mae" : {
      "value" : 2.0,
      "standard_deviation" : "NaN"
    },
    "mse" : {
      "value" : 4.5,
      "standard_deviation" : "NaN"
    },
    "rmse" : {
      "value" : 2.1213203435596424,
      "standard_deviation" : "NaN"
    },
    "r2" : {
      "value" : 0.964,
      "standard_deviation" : "NaN"
    }
  }
}"#;
    assert_eq!(job.text(&format!("{OUTPUT}/statistics.json")), expected);
    let constraints = job.result("constraints.json");
    let asked = |threshold: f64, operator: &str| json!({"threshold": threshold, "comparison_operator": operator});
    assert_eq!(
        constraints["regression_constraints"],
        json!({
            "mae": asked(2.0, "GreaterThanThreshold"),
            "mse": asked(4.5, "GreaterThanThreshold"),
            "rmse": asked(2.121_320_343_559_642_4, "GreaterThanThreshold"),
            "r2": asked(0.964, "LessThanThreshold"),
        })
    );
    let predictions = job.result("prediction_statistics.json");
    let only = &predictions["features"][0];
    assert_eq!(predictions["dataset"]["item_count"], 4);
    assert_eq!(only["name"], "prediction");
    assert_eq!(only["inferred_type"], "Integral");
    assert_eq!(only["numerical_statistics"]["mean"], 25.5);
}

#[test]
fn worse_predictions_violate() {
    let before = regression().data("scored.csv", FOUR).done();
    let job = regression()
        .against(&before)
        .set("publish_cloudwatch_metrics", "Enabled")
        .set("sagemaker_endpoint_name", "cars")
        .data("scored.csv", "1,10,14\n2,20,16\n3,30,36\n4,40,38\n")
        .done();
    assert_eq!(
        job.message(),
        "CompletedWithViolations: Job completed successfully with 4 violations."
    );
    let violations = job.result("constraint_violations.json");
    assert_eq!(
        violations["violations"][0],
        json!({
            "constraint_check_type": "GreaterThanThreshold",
            "description": "Metric mae with 4.0 +/- NaN was GreaterThanThreshold '2.0'",
            "metric_name": "mae"
        })
    );
    let names: Vec<String> = job.violations().into_iter().map(|it| it.0).collect();
    assert_eq!(names, ["mae", "mse", "rmse", "r2"]);
    let text = job.text("output/metrics/cloudwatch/cloudwatch_metrics.jsonl");
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!((&first["MetricName"], &first["Value"]), (&json!("mae"), &json!(4.0)));
    // Four rows are too few to decide more.
    assert_eq!(job.result("drift.json")["outcome"], "insufficient-data");
}

/// Rows of a label, and a prediction that is off by up to `error`.
fn scored(seed: u64, rows: usize, error: f64, factor: f64) -> String {
    let mut random = super::cars::Random::new(seed);
    (0..rows)
        .map(|id| {
            let label = 100.0 + 50.0 * random.share();
            let prediction = factor * label + error * (random.share() - 0.5);
            format!("{id},{label:.3},{prediction:.3}\n")
        })
        .collect()
}

#[test]
fn quality_and_predictions_drift_in_one_document() {
    let before = regression().data("scored.csv", scored(1, 800, 2.0, 1.0)).done();
    let job = regression()
        .against(&before)
        .file(
            "processing/baseline/predictions.json",
            before.text(&format!("{OUTPUT}/prediction_statistics.json")),
        )
        .set(
            "prediction_baseline_statistics",
            "/opt/ml/processing/baseline/predictions.json",
        )
        .data("scored.csv", scored(2, 800, 2.0, 1.3))
        .done();
    let drift = job.result("drift.json");
    assert_eq!(drift["outcome"], "drifted");
    assert_eq!(drift["quality"]["problem_type"], "Regression");
    let violated = names_where(&drift["quality"]["metrics"], "name", "rmse");
    assert_eq!(violated, ["rmse"]);
    assert_eq!(names_where(&drift["features"], "status", "drifted"), ["prediction"]);
    assert_eq!(names_where(&drift["features"], "role", "prediction"), ["prediction"]);
    assert!(job.text(&format!("{OUTPUT}/report.html")).contains("rmse"));
}

#[test]
fn as_good_predictions_are_clean() {
    let before = regression().data("scored.csv", scored(1, 500, 2.0, 1.0)).done();
    let job = regression()
        .against(&before)
        .data("scored.csv", scored(1, 500, 2.0, 1.0))
        .done();
    assert_eq!(job.violations(), []);
    assert_eq!(
        job.message(),
        "Completed: Job completed successfully with no violations."
    );
    assert_eq!(job.result("drift.json")["outcome"], "clean");
    assert!(metric("rmse", &job) < 1.0);
}

fn capture(id: &str, inference_id: Option<&str>, output: &str, truth: Option<&str>) -> String {
    let part = |mode: &str, data: &str| json!({"observedContentType": "text/csv", "mode": mode, "data": data, "encoding": "CSV"});
    let mut line = json!({
        "captureData": {"endpointInput": part("INPUT", "1,2"), "endpointOutput": part("OUTPUT", output)},
        "eventMetadata": {"eventId": id, "inferenceTime": "2024-05-18T00:21:45Z"},
        "eventVersion": "0"
    });
    if let Some(id) = inference_id {
        line["eventMetadata"]["inferenceId"] = json!(id);
    }
    if let Some(truth) = truth {
        line["groundTruthData"] = json!({"data": truth, "encoding": "CSV"});
    }
    line.to_string() + "\n"
}

fn truth(id: &str, value: &str) -> String {
    json!({
        "groundTruthData": {"data": value, "encoding": "CSV"},
        "eventMetadata": {"eventId": id},
        "eventVersion": "0"
    })
    .to_string()
        + "\n"
}

fn of_capture() -> Job {
    regression()
        .set(
            "dataset_format",
            r#"{"sagemakerCaptureJson":{"captureIndexNames":["endpointOutput"]}}"#,
        )
        .set("inference_attribute", "0")
        .set("ground_truth_attribute", "0")
}

#[test]
fn merged_captures_have_their_ground_truth_with_them() {
    let lines = ["12 10", "18 20", "33 30", "39 40"].map(|it| it.split_once(' ').unwrap());
    let text: String = lines
        .iter()
        .enumerate()
        .map(|(at, (prediction, truth))| capture(&at.to_string(), None, prediction, Some(truth)))
        .collect();
    let job = of_capture().data("2024/05/18/00/merged.jsonl", text).done();
    assert_eq!(metric("mae", &job), 2.0);
    assert_eq!(metric("r2", &job), 0.964);
}

#[test]
fn captures_are_joined_with_ground_truth_of_another_folder() {
    let data = [
        capture("e0", None, "12", None),
        capture("e1", Some("mine"), "18", None),
        capture("e2", None, "33", None),
        capture("e3", None, "39", None),
        capture("e4", None, "77", None),
    ];
    let job = of_capture()
        .data("a.jsonl", data.concat())
        .file(
            "processing/truth/2024/05/18/00/a.jsonl",
            truth("e0", "10") + &truth("mine", "20"),
        )
        .file(
            "processing/truth/2024/05/18/01/b.jsonl",
            truth("e2", "30") + &truth("e3", "40"),
        )
        .set("ground_truth_source", "/opt/ml/processing/truth");
    let before = job.done();
    assert_eq!(metric("mse", &before), 4.5);
    assert_eq!(before.result("statistics.json")["dataset"]["item_count"], 4);
    let constraints = before.text(&format!("{OUTPUT}/constraints.json"));
    let again = before
        .file("processing/baseline/constraints.json", constraints)
        .set("baseline_constraints", "/opt/ml/processing/baseline/constraints.json")
        .done();
    let joined = &again.result("drift.json")["samples"]["ground_truth"];
    assert_eq!(*joined, json!({"records": 5, "joined": 4, "joined_share": 0.8}));
}

#[test]
fn a_binary_classifier_has_its_own_metrics() {
    let rows = "label,score\n1,0.9\n1,0.8\n1,0.4\n0,0.6\n0,0.2\n0,0.1\n0,0.3\n0,0.05\n";
    let job = Job::new()
        .set("analysis_type", "MODEL_QUALITY")
        .set("problem_type", "BinaryClassification")
        .set("probability_attribute", "score")
        .set("ground_truth_attribute", "label")
        .data("scored.csv", rows)
        .done();
    let metrics = &job.result("statistics.json")["binary_classification_metrics"];
    assert_eq!(
        metrics["confusion_matrix"],
        json!({"0": {"0": 4, "1": 1}, "1": {"0": 1, "1": 2}})
    );
    assert_eq!(metrics["accuracy"]["value"], 0.75);
    // In 14 of 15 pairs, the positive one has the higher score.
    assert!((metrics["auc"]["value"].as_f64().unwrap() - 14.0 / 15.0).abs() < 1e-12);
}

#[test]
fn a_baseline_without_ground_truth_is_refused() {
    let job = of_capture().data("a.jsonl", capture("e0", None, "12", None));
    let ended = job.run().expect_code(1);
    assert!(
        ended.stderr.contains("none of the 1 records has ground truth"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_check_without_ground_truth_is_insufficient_data() {
    let before = regression().data("scored.csv", FOUR).done();
    let job = of_capture()
        .against(&before)
        .data("a.jsonl", capture("e0", None, "12", None))
        .done();
    let drift = job.result("drift.json");
    assert_eq!(drift["outcome"], "insufficient-data");
    assert_eq!(drift["samples"]["ground_truth"]["records"], 1);
}

#[test]
fn rows_that_are_left_out_are_told() {
    let job = regression().data("scored.csv", format!("{FOUR}5,fifty,49\n"));
    let ended = job.run().expect_code(0);
    assert!(ended.stdout.contains("Warning: 1 x "), "{}", ended.stdout);
    assert!(ended.stdout.contains("scored.csv:5"), "{}", ended.stdout);
    assert_eq!(job.result("statistics.json")["dataset"]["item_count"], 4);
}
