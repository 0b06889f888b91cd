//! The job that checks data against a baseline.

use super::cars::{Cars, times};
use super::job::{Job, OUTPUT};
use super::names_where;
use serde_json::{Value, json};

fn baseline(cars: &Cars) -> Job {
    Job::new().data("cars.csv", cars.csv()).done()
}

fn pair(feature: &str, check: &str) -> (String, String) {
    (feature.to_owned(), check.to_owned())
}

/// The constraints of a baseline, with changes.
fn edited(job: &Job, edit: impl FnOnce(&mut Value)) -> String {
    let mut constraints = job.result("constraints.json");
    edit(&mut constraints);
    constraints.to_string()
}

fn feature<'c>(constraints: &'c mut Value, name: &str) -> &'c mut Value {
    let features = constraints["features"].as_array_mut().unwrap();
    features.iter_mut().find(|it| it["name"] == name).unwrap()
}

const CLEAN: &str = "Completed: Job completed successfully with no violations.";

#[test]
fn the_same_data_is_clean() {
    let cars = Cars::new(1, 1200);
    let job = Job::new().against(&baseline(&cars)).data("today.csv", cars.csv());
    let ended = job.run().expect_code(0);
    assert_eq!(job.message(), CLEAN);
    assert!(ended.stdout.ends_with(&format!("{CLEAN}\n")), "{}", ended.stdout);
    let files = [
        "constraint_violations.json",
        "constraints.json",
        "drift.json",
        "report.html",
        "statistics.json",
    ];
    assert_eq!(job.files(), files);
    assert_eq!(
        job.text(&format!("{OUTPUT}/constraint_violations.json")),
        "{\n  \"violations\" : [ ]\n}"
    );
    let drift = job.result("drift.json");
    assert_eq!(drift["outcome"], "clean");
    assert_eq!(names_where(&drift["features"], "status", "clean").len(), 20);
    let report = job.text(&format!("{OUTPUT}/report.html"));
    assert!(report.starts_with("<!") && report.contains("odometer_mi"));
}

#[test]
fn a_report_can_be_left_out() {
    let cars = Cars::new(1, 300);
    let job = Job::new()
        .against(&baseline(&cars))
        .data("today.csv", cars.csv())
        .set("write_report", "Disabled")
        .done();
    assert!(!job.files().contains(&"report.html".to_owned()));
}

#[test]
fn violations_are_told_and_exit_code_is_0_all_the_same() {
    let cars = Cars::new(2, 1000);
    let row = std::cell::Cell::new(0_usize);
    let each = |nth: usize| {
        let row = &row;
        move |_: &[String]| {
            row.set(row.get() + 1);
            row.get().is_multiple_of(nth)
        }
    };
    let before = baseline(&cars);
    let today = cars
        .change("year", each(4), |_| "unknown".to_owned())
        .change("owners", each(10), |_| String::new())
        .change("price", |_| true, times(3.0))
        .change("fuel", each(2), |_| "hydrogen".to_owned());
    let job = Job::new().against(&before).data("today.csv", today.csv()).done();
    assert_eq!(
        job.violations(),
        [
            pair("year", "data_type_check"),
            pair("price", "baseline_drift_check"),
            pair("fuel", "baseline_drift_check"),
            pair("fuel", "categorical_values_check"),
            pair("owners", "completeness_check"),
        ]
    );
    assert_eq!(
        job.message(),
        "CompletedWithViolations: Job completed successfully with 5 violations."
    );
    let violations = job.result("constraint_violations.json");
    let texts = |at: usize| violations["violations"][at]["description"].as_str().unwrap().to_owned();
    assert_eq!(
        texts(0),
        "Data type match requirement is not met. Expected data type: Integral, Expected match: 100.0%. \
         Observed: Only 75.0% of data is Integral."
    );
    assert_eq!(
        texts(4),
        "Data completeness requirement is not met. Expected: 100.0%. Observed: Only 90.0%."
    );
    let drift = job.result("drift.json");
    assert_eq!(drift["outcome"], "drifted");
    assert_eq!(drift["violations"], violations["violations"]);
    let drifted = names_where(&drift["features"], "status", "drifted");
    for name in ["price", "fuel", "year"] {
        assert!(drifted.contains(&name.to_owned()), "{drifted:?}");
    }
}

#[test]
fn columns_that_come_and_go_are_told() {
    let before = Job::new().data("a.csv", "a,b\n1,2\n3,4\n").done();
    let job = Job::new().against(&before).data("b.csv", "a,c\n1,2\n3,4\n").done();
    assert_eq!(
        job.violations(),
        [
            pair("Missing columns", "missing_column_check"),
            pair("Extra columns", "extra_column_check")
        ]
    );
}

#[test]
fn overrides_count_in_both_places_and_both_spellings() {
    let cars = Cars::new(3, 800);
    let before = baseline(&cars);
    let off = json!({"evaluate_constraints": "Disabled"});
    let constraints = edited(&before, |it| {
        feature(it, "price")["monitoring_config_overrides"] = off.clone();
        feature(it, "fuel")["string_constraints"]["monitoring_config_overrides"] = off.clone();
        feature(it, "year")["monitoringConfigOverrides"] = off.clone();
        feature(it, "odometer_mi")["num_constraints"]["monitoringConfigOverrides"] = off.clone();
    });
    let statistics = before.text(&format!("{OUTPUT}/statistics.json"));
    let today = cars
        .change("price", |_| true, times(3.0))
        .change("fuel", |_| true, |_| "hydrogen".to_owned())
        .change("year", |_| true, |_| "long ago".to_owned())
        .change("odometer_mi", |_| true, |_| String::new());
    let job = Job::new()
        .against_texts(&constraints, &statistics)
        .data("today.csv", today.csv())
        .done();
    assert_eq!(job.violations(), []);
    assert_eq!(job.message(), CLEAN);
    let drift = job.result("drift.json");
    assert_eq!(drift["outcome"], "clean");
    let mut disabled = names_where(&drift["features"], "status", "disabled");
    disabled.sort();
    assert_eq!(disabled, ["fuel", "odometer_mi", "price", "year"]);
}

#[test]
fn thresholds_of_the_constraints_count() {
    let cars = Cars::new(4, 800);
    let before = baseline(&cars);
    let constraints = edited(&before, |it| {
        it["monitoring_config"]["distribution_constraints"]["comparison_threshold"] = json!(0.99);
        feature(it, "owners")["completeness"] = json!(0.25);
    });
    let statistics = before.text(&format!("{OUTPUT}/statistics.json"));
    let today = cars.change("price", |_| true, times(1.5)).change(
        "owners",
        |row| row[0].ends_with(['0', '1', '2']),
        |_| String::new(),
    );
    let job = Job::new()
        .against_texts(&constraints, &statistics)
        .data("today.csv", today.csv())
        .done();
    assert_eq!(job.violations(), []);
}

#[test]
fn without_statistics_the_constraints_alone_speak() {
    let before = Job::new().data("a.csv", "a,b\n1,2\n3,4\n").done();
    let constraints = before.text(&format!("{OUTPUT}/constraints.json"));
    let job = Job::new()
        .file("processing/baseline/constraints.json", constraints)
        .set("baseline_constraints", "/opt/ml/processing/baseline/constraints.json")
        .data("b.csv", "a,b\n100,x\n300,4\n")
        .done();
    assert_eq!(job.violations(), [pair("b", "data_type_check")]);
}

#[test]
fn few_rows_are_no_clean_bill() {
    let cars = Cars::new(5, 1000);
    let before = baseline(&cars);
    let few = Cars {
        rows: cars.rows[..30].to_vec(),
    };
    let job = Job::new().against(&before).data("today.csv", few.csv()).done();
    assert_eq!(job.result("drift.json")["outcome"], "insufficient-data");
    let job = job.set("minimum_rows", "10").done();
    assert_eq!(job.result("drift.json")["outcome"], "clean");
}

#[test]
fn segments_are_compared_with_those_of_the_saved_state() {
    let of = |seed| Cars::new(seed, 4000);
    let before = Job::new()
        .data("cars.csv", of(6).csv())
        .set("segment_attribute", "state")
        .done();
    let state = std::fs::read(before.path(OUTPUT).join("state.zst")).unwrap();
    let in_texas = |row: &[String]| row.contains(&"TX".to_owned());
    let today = of(7).change("engine_l", in_texas, |it| {
        format!("{:.1}", it.parse::<f64>().unwrap() * 1.4)
    });
    let job = Job::new()
        .against(&before)
        .file("processing/baseline/stats/state.zst", state)
        .set("segment_attribute", "state")
        .data("today.csv", today.csv())
        .done();
    let drift = job.result("drift.json");
    let segments = drift["segments"].as_array().unwrap().iter();
    let drifted: Vec<_> = segments.filter(|it| it["outcome"] == "drifted").collect();
    assert_eq!(drifted.len(), 1, "{drifted:?}");
    assert_eq!(
        (&drifted[0]["column"], &drifted[0]["value"]),
        (&json!("state"), &json!("TX"))
    );
    assert_eq!(names_where(&drifted[0]["features"], "status", "drifted"), ["engine_l"]);
}

#[test]
fn drift_is_published() {
    let cars = Cars::new(8, 500);
    let before = baseline(&cars);
    let constraints = edited(&before, |it| {
        feature(it, "year")["monitoring_config_overrides"] = json!({"emit_metrics": "Disabled"});
    });
    let statistics = before.text(&format!("{OUTPUT}/statistics.json"));
    let job = Job::new()
        .against_texts(&constraints, &statistics)
        .data("today.csv", cars.csv())
        .set("publish_cloudwatch_metrics", "Enabled")
        .set("cloudwatch_metrics_directory", "/opt/ml/output/elsewhere")
        .set("sagemaker_monitoring_schedule_name", "daily")
        .done();
    let folder = std::fs::read_dir(job.path("output/elsewhere")).unwrap();
    let text: String = folder
        .map(|it| std::fs::read_to_string(it.unwrap().path()).unwrap())
        .collect();
    let lines: Vec<Value> = text.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    let metric = |name: &str| lines.iter().find(|it| it["MetricName"] == name);
    let drift = metric("feature_baseline_drift_price").unwrap();
    assert_eq!(drift["Value"], json!(0.0));
    assert_eq!(
        drift["Dimensions"],
        json!([{"Name": "MonitoringSchedule", "Value": "daily"}])
    );
    assert!(metric("feature_data_price").is_some());
    assert_eq!(metric("feature_data_year"), None, "its metrics are switched off");
    assert_eq!(metric("feature_baseline_drift_year"), None);
}

#[test]
fn rows_that_can_not_be_read_are_told() {
    let before = Job::new().data("a.csv", "a,b\n1,2\n3,4\n").done();
    let job = Job::new().against(&before).data("b.csv", "a,b\n1,2\n3\n5,6\n");
    let ended = job.run().expect_code(0);
    assert!(ended.stdout.contains("Warning: 1 x "), "{}", ended.stdout);
    assert!(ended.stdout.contains("b.csv:3"), "{}", ended.stdout);
}
