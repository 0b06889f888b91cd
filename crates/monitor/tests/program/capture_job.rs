//! Jobs for data that an endpoint captured.

use super::cars::Random;
use super::job::Job;
use super::names_where;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const FORMAT: &str = r#"{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}"#;

/// A line with the request and the response.
fn line(id: usize, input: &str, output: &str, encoded: bool) -> String {
    let part = |mode: &str, data: &str| {
        let (data, encoding) = if encoded {
            (STANDARD.encode(data), "BASE64")
        } else {
            (data.to_owned(), "CSV")
        };
        json!({"observedContentType": "text/csv", "mode": mode, "data": data, "encoding": encoding})
    };
    json!({
        "captureData": {"endpointInput": part("INPUT", input), "endpointOutput": part("OUTPUT", output)},
        "eventMetadata": {"eventId": format!("event-{id}"), "inferenceTime": "2024-05-18T00:21:45Z"},
        "eventVersion": "0"
    })
    .to_string()
}

/// Rows of `x,y`, and predictions computed from them.
fn rows(seed: u64, count: usize, factor: f64) -> Vec<(String, String)> {
    let mut random = Random::new(seed);
    (0..count)
        .map(|_| {
            let (x, y) = (random.share() * 10.0, random.share() * 5.0);
            (format!("{x:.3},{y:.3}"), format!("{:.3}", (x + y) * factor))
        })
        .collect()
}

fn captured(rows: &[(String, String)]) -> String {
    let lines = rows.iter().enumerate();
    lines
        .map(|(id, (input, output))| line(id, input, output, id % 3 == 0) + "\n")
        .collect()
}

fn statistic<'s>(statistics: &'s Value, name: &str) -> &'s Value {
    let mut features = statistics["features"].as_array().unwrap().iter();
    features.find(|it| it["name"] == name).unwrap()
}

#[test]
fn values_have_the_names_of_the_baseline_whatever_their_encoding() {
    let before = rows(1, 400, 1.0);
    // The output's column comes first, as in the contract.
    let table: String = before
        .iter()
        .map(|(input, output)| format!("{output},{input}\n"))
        .collect();
    let baseline = Job::new().data("a.csv", format!("predicted,x,y\n{table}")).done();
    let job = Job::new()
        .against(&baseline)
        .set("dataset_format", FORMAT)
        .data("AllTraffic/2024/05/18/00/a.jsonl", captured(&before))
        .done();
    assert_eq!(job.violations(), []);
    let (then, now) = (baseline.result("statistics.json"), job.result("statistics.json"));
    assert_eq!(then["features"], now["features"]);
    assert_eq!(job.result("drift.json")["outcome"], "clean");
}

#[test]
fn predictions_are_compared_with_their_own_baseline() {
    let before = rows(2, 600, 1.0);
    let table = |column: fn(&(String, String)) -> &String| -> String {
        before.iter().map(|it| format!("{}\n", column(it))).collect()
    };
    let features = Job::new().data("x.csv", format!("x,y\n{}", table(|it| &it.0))).done();
    let answers = Job::new()
        .data("p.csv", format!("prediction\n{}", table(|it| &it.1)))
        .done();
    let against = |factor: f64| {
        Job::new()
            .against(&features)
            .file(
                "processing/baseline/predictions/prediction_statistics.json",
                answers.text("processing/output/statistics.json"),
            )
            .set(
                "prediction_baseline_statistics",
                "/opt/ml/processing/baseline/predictions/prediction_statistics.json",
            )
            .set("dataset_format", FORMAT)
            .data("a.jsonl", captured(&rows(3, 600, factor)))
            .done()
    };
    let same = against(1.0).result("drift.json");
    assert_eq!(same["outcome"], "clean");
    assert_eq!(names_where(&same["features"], "role", "prediction"), ["prediction"]);

    let job = against(2.0);
    let other = job.result("drift.json");
    assert_eq!(other["outcome"], "drifted");
    assert_eq!(names_where(&other["features"], "status", "drifted"), ["prediction"]);
    // The contract's documents contain the features only.
    assert_eq!(job.violations(), []);
    assert_eq!(job.result("statistics.json")["features"].as_array().unwrap().len(), 2);
    assert_eq!(job.result("constraints.json")["features"].as_array().unwrap().len(), 2);
}

#[test]
fn the_input_alone_can_be_asked_for() {
    let before = rows(4, 50, 1.0);
    let job = Job::new()
        .set(
            "dataset_format",
            r#"{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput"]}}"#,
        )
        .data("a.jsonl", captured(&before))
        .done();
    let statistics = job.result("statistics.json");
    assert_eq!(statistics["dataset"]["item_count"], 50);
    assert_eq!(statistics["features"].as_array().unwrap().len(), 2);
    assert_eq!(statistic(&statistics, "_c1")["inferred_type"], "Fractional");
}

#[test]
fn lines_that_are_none_are_told_and_left_out() {
    let mut text = captured(&rows(5, 20, 1.0));
    text.push_str("{\"captureData\":\n");
    let job = Job::new().set("dataset_format", FORMAT).data("a.jsonl", text);
    let ended = job.run().expect_code(0);
    assert!(ended.stdout.contains("a.jsonl:21"), "{}", ended.stdout);
    assert_eq!(job.result("statistics.json")["dataset"]["item_count"], 20);
}
