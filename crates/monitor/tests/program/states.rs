//! Saved states: continuing them, segments, and folders that must not be overwritten.

use super::Desk;
use super::cars::{Cars, times};
use super::job::{Job, OUTPUT};
use serde_json::Value;

const HEADER: &str = "price,fuel\n";

/// 300 rows: prices from `low`, and one row in `steam` has a new fuel.
fn rows(low: u32, steam: u32) -> String {
    let row = |at: u32| {
        let fuel = match at {
            at if steam > 0 && at.is_multiple_of(steam) => "steam",
            at if at.is_multiple_of(3) => "diesel",
            _ => "gas",
        };
        format!("{},{fuel}\n", low + at * 7919 % 997)
    };
    (0..300).map(row).collect()
}

fn csv(rows: &str) -> String {
    format!("{HEADER}{rows}")
}

/// The findings without the last digits, because a sketch merged from two parts differs from that of the whole.
fn found(drift: &Value) -> (Vec<[Value; 3]>, Vec<[Value; 2]>) {
    let list = |name: &str| drift[name].as_array().unwrap().clone();
    let features = list("features").into_iter();
    let violations = list("violations").into_iter();
    (
        features
            .map(|it| ["name", "status", "decisive"].map(|member| it[member].clone()))
            .collect(),
        violations
            .map(|it| ["feature_name", "constraint_check_type"].map(|member| it[member].clone()))
            .collect(),
    )
}

#[test]
fn a_state_of_before_the_baseline_hides_neither_drift_nor_strange_values() {
    let (yesterday, today) = (rows(5000, 4), format!("abc,gas\n{}", rows(5000, 0)));
    let desk = Desk::new(&[
        ("before.csv", &csv(&rows(100, 0))),
        ("yesterday.csv", &csv(&yesterday)),
        ("today.csv", &csv(&today)),
        ("both.csv", &csv(&format!("{yesterday}{today}"))),
    ]);
    desk.run("baseline before.csv --output base").expect_code(0);
    // Made without a baseline, so that nothing was expected of its columns.
    desk.run("baseline yesterday.csv --output yesterday --state")
        .expect_code(0);
    let whole = desk.run("check both.csv --baseline base --json").expect_code(2);
    let joined = desk
        .run("check today.csv --merge yesterday/state.zst --baseline base --json")
        .expect_code(2);
    assert_eq!(found(&joined.json()), found(&whole.json()));
    let (features, violations) = found(&joined.json());
    assert!(
        features.iter().any(|it| it[0] == "price" && it[1] == "drifted"),
        "{features:?}"
    );
    let of = |name: &str, check: &str| violations.iter().any(|it| it[0] == name && it[1] == check);
    assert!(of("fuel", "categorical_values_check"), "{violations:?}");
    assert!(of("price", "baseline_drift_check"), "{violations:?}");
    assert_eq!(joined.stderr, "");
}

#[test]
fn segments_go_on_by_the_column_of_the_state() {
    let desk = Desk::new(&[("a.csv", &csv(&rows(100, 0))), ("b.csv", &csv(&rows(100, 0)))]);
    desk.run("baseline a.csv --output a --segment fuel").expect_code(0);
    // Without --segment, the segments of the state are used. They contain all 600 rows, so they are clean against
    // themselves.
    desk.run("baseline b.csv --merge a/state.zst --output both")
        .expect_code(0);
    let drift = desk
        .run("check b.csv --baseline both --segment fuel --json")
        .expect_code(0)
        .json();
    let rows = drift["segments"].as_array().unwrap().iter();
    let before: u64 = rows.map(|it| it["samples"]["baseline_rows"].as_u64().unwrap()).sum();
    assert_eq!(before, 600);
    let ended = desk
        .run("baseline b.csv --merge a/state.zst --output c --segment price")
        .expect_code(1);
    assert!(ended.stderr.contains("segments by `fuel`"), "{}", ended.stderr);
    assert!(!desk.path("c").exists());
}

#[test]
fn a_check_does_not_write_over_its_baseline() {
    let desk = Desk::new(&[("a.csv", &csv(&rows(100, 0))), ("b.csv", &csv(&rows(5000, 0)))]);
    desk.run("baseline a.csv --output base").expect_code(0);
    let before = desk.json("base/statistics.json");
    for output in ["base", "./base/../base"] {
        let ended = desk
            .run(&format!("check b.csv --baseline base --output {output}"))
            .expect_code(1);
        assert!(ended.stderr.contains("another output folder"), "{}", ended.stderr);
    }
    assert_eq!(desk.json("base/statistics.json"), before);
    assert!(!desk.path("base/drift.json").exists());
}

#[test]
fn a_folder_that_lacks_statistics_is_an_error_that_says_what_to_do() {
    let desk = Desk::new(&[("a.csv", &csv(&rows(100, 0)))]);
    desk.run("baseline a.csv --output base").expect_code(0);
    std::fs::remove_file(desk.path("base/statistics.json")).unwrap();
    let ended = desk.run("check a.csv --baseline base").expect_code(1);
    assert!(ended.stderr.contains("it has no statistics.json"), "{}", ended.stderr);
    assert!(ended.stderr.contains("drivetrain-monitor baseline"), "{}", ended.stderr);
}

#[test]
fn constraints_alone_say_nothing_of_drift() {
    let cars = Cars::new(3, 500);
    let before = Job::new().data("a.csv", cars.csv()).done();
    let constraints = before.text(&format!("{OUTPUT}/constraints.json"));
    let dear = Cars::new(4, 500).change("price", |_| true, times(10.0));
    let job = Job::new()
        .file("processing/baseline/constraints.json", constraints)
        .set("baseline_constraints", "/opt/ml/processing/baseline/constraints.json")
        .data("b.csv", dear.csv())
        .done();
    let drift = job.result("drift.json");
    assert_eq!(drift["outcome"], "insufficient-data");
    let reason = drift["reason"].as_str().unwrap();
    assert!(reason.contains("only the constraints were checked"), "{reason}");
    assert_eq!(drift["features"], Value::Array(Vec::new()));
}

#[test]
fn a_job_with_statistics_but_no_constraints_says_that_it_checks_nothing() {
    let before = Job::new().data("a.csv", "a,b\n1,2\n3,4\n").done();
    let statistics = before.text(&format!("{OUTPUT}/statistics.json"));
    let ended = Job::new()
        .file("processing/baseline/statistics.json", statistics)
        .set("baseline_statistics", "/opt/ml/processing/baseline/statistics.json")
        .data("b.csv", "a,b\n1,2\n")
        .run()
        .expect_code(0);
    assert!(ended.stdout.contains("nothing was checked"), "{}", ended.stdout);
}

#[cfg(unix)]
#[test]
fn variables_of_others_that_are_no_text_do_no_harm() {
    use std::os::unix::ffi::OsStrExt;
    let desk = Desk::new(&[("in/a.csv", "a\n1\n")]);
    let output = super::program()
        .env("SAGEMAKER_BASE_DIR", desk.path("base"))
        .env("OTHERS", std::ffi::OsStr::from_bytes(b"\xff"))
        .env("dataset_source", desk.path("in"))
        .env("output_path", desk.path("out"))
        .env("dataset_format", r#"{"csv":{"header":true}}"#)
        .output();
    super::Ended::of(output.unwrap()).expect_code(0);
    assert_eq!(desk.json("out/statistics.json")["dataset"]["item_count"], 1);
}
