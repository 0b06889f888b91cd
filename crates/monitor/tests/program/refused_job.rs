//! Jobs that fail: exit code 1, a message that says why, and a `drift.json` that does not look clean.

use super::job::Job;
use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use std::sync::Arc;

const TABLE: &str = "a,b\n1,2\n3,4\n";

fn baseline() -> Job {
    Job::new().data("a.csv", TABLE).done()
}

/// The message of a job that fails, which is the same as on stderr.
#[track_caller]
fn message(job: &Job) -> String {
    let ended = job.run().expect_code(1);
    let message = job.message();
    assert!(ended.stderr.contains(&message), "{}", ended.stderr);
    assert!(message.starts_with("Error: "), "{message}");
    message
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

/// The failure of a check.
#[track_caller]
fn assert_fails(job: &Job, parts: &[&str]) {
    let text = message(job);
    assert_says(&text, parts);
    let drift = job.result("drift.json");
    assert_eq!(drift["outcome"], "error");
    assert_says(drift["reason"].as_str().unwrap(), parts);
}

#[test]
fn constraints_that_are_not_there() {
    let job = Job::new()
        .data("a.csv", TABLE)
        .set("baseline_constraints", "/opt/ml/processing/baseline/constraints.json");
    assert_fails(&job, &["processing/baseline/constraints.json", "no such file"]);
}

#[test]
fn constraints_with_a_slip_have_a_place() {
    let before = baseline();
    let good = before.text("processing/output/constraints.json");
    let statistics = before.text("processing/output/statistics.json");
    // A superfluous comma in the third line.
    let broken = good.replacen("\"features\" : [ {", "\"features\" : [ {,", 1);
    let job = Job::new().against_texts(&broken, &statistics).data("b.csv", TABLE);
    assert_fails(&job, &["constraints.json:3:19: "]);
    let wrong = good.replacen("\"completeness\" : 1.0", "\"completeness\" : 100", 1);
    let job = Job::new().against_texts(&wrong, &statistics).data("b.csv", TABLE);
    assert_fails(&job, &["constraints.json:6:22: ", "completeness"]);
}

#[test]
fn statistics_that_are_cut_off() {
    let before = baseline();
    let constraints = before.text("processing/output/constraints.json");
    let job = Job::new().against_texts(&constraints, "{\n").data("b.csv", TABLE);
    assert_fails(&job, &["statistics.json:2:1: "]);
}

#[test]
fn a_folder_without_data() {
    let job = Job::new().against(&baseline());
    std::fs::create_dir_all(job.path(super::job::INPUT)).unwrap();
    assert_fails(&job, &["processing/input/endpoint"]);
    let job = Job::new();
    assert_says(&message(&job), &["processing/input/endpoint"]);
}

#[test]
fn a_header_alone_is_no_data() {
    let job = Job::new().against(&baseline()).data("b.csv", "a,b\n");
    assert_fails(&job, &["b.csv"]);
}

#[test]
fn scripts() {
    for name in ["record_preprocessor_script", "post_analytics_processor_script"] {
        let job = Job::new()
            .data("a.csv", TABLE)
            .set(name, "/opt/ml/processing/code/script.py");
        assert_says(&message(&job), &[name, "no Python", "unset"]);
        assert!(!job.path(super::job::OUTPUT).join("statistics.json").exists());
    }
}

#[test]
fn parameters_that_say_nothing_known() {
    for (name, value, parts) in [
        ("dataset_format", "{\"xml\":{}}", &["dataset_format", "parquet"][..]),
        ("dataset_source", "", &["dataset_source is not set"]),
        ("minimum_rows", "-3", &["minimum_rows", "-3"]),
        (
            "false_discovery_rate",
            "5",
            &["false_discovery_rate", "between 0 and 1"],
        ),
        (
            "categorical_drift_method",
            "Guess",
            &["categorical_drift_method", "LInfinity or ChiSquared"],
        ),
        ("analysis_type", "MODEL_QUALITY", &["problem_type is not set"]),
        ("segment_attribute", "country", &["country"]),
    ] {
        let job = Job::new().against(&baseline()).data("a.csv", TABLE).set(name, value);
        assert_says(&message(&job), parts);
    }
}

#[test]
fn parameters_that_can_not_be_used_leave_a_result_as_well() {
    let job = Job::new()
        .against(&baseline())
        .data("a.csv", TABLE)
        .set("minimum_rows", "many");
    assert_fails(&job, &["minimum_rows is `many`"]);
}

#[test]
fn a_configuration_that_is_no_json() {
    let base = tempfile::tempdir().unwrap();
    super::write(&base.path().join("config/processingjobconfig.json"), b"{");
    let output = super::program().env("SAGEMAKER_BASE_DIR", base.path()).output();
    let ended = super::Ended::of(output.unwrap()).expect_code(1);
    assert_says(&ended.stderr, &["processingjobconfig.json", "can't be understood"]);
}

#[test]
fn an_attribute_that_is_not_there() {
    let job = Job::new()
        .data("a.csv", TABLE)
        .set("analysis_type", "MODEL_QUALITY")
        .set("problem_type", "Regression")
        .set("inference_attribute", "c")
        .set("ground_truth_attribute", "b");
    assert_says(&message(&job), &["inference_attribute", "\"c\""]);
}

#[test]
fn a_baseline_of_another_kind() {
    let job = Job::new()
        .against(&baseline())
        .data("a.csv", TABLE)
        .set("analysis_type", "MODEL_QUALITY")
        .set("problem_type", "Regression")
        .set("inference_attribute", "a")
        .set("ground_truth_attribute", "b");
    assert_fails(&job, &["constraints.json", "regression_constraints"]);
}

#[test]
fn damaged_files_never_look_clean() {
    let values = StringArray::from_iter_values((0..500).map(|it| format!("t{}", it % 40)));
    let numbers = Int64Array::from_iter_values((0..500).map(|it| it * it));
    let columns: [(&str, ArrayRef, bool); 2] = [("t", Arc::new(values), true), ("n", Arc::new(numbers), true)];
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let of = |file: &[u8]| {
        Job::new()
            .set("dataset_format", "{\"parquet\":{}}")
            .data("a.parquet", file)
    };
    let before = of(&file).done();
    // A page's length, a value, the footer and its length; some damages can't be detected.
    for at in [20, 314, 400, file.len() / 2, file.len() - 30, file.len() - 6] {
        let mut damaged = file.clone();
        damaged[at] ^= 1;
        let job = of(&damaged).against(&before);
        let code = job.run().code;
        let (outcome, message) = (job.result("drift.json")["outcome"].clone(), job.message());
        assert!(code == 0 || code == 1, "byte {at}: {code}");
        assert_eq!(code == 1, outcome == "error", "byte {at}: {message}");
        assert_eq!(code == 1, message.starts_with("Error: "), "byte {at}: {message}");
    }
}
