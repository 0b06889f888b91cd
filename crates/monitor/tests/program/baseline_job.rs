//! The job that makes a baseline.

use super::job::{Job, OUTPUT};
use arrow_array::{Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use std::sync::Arc;

const TABLE: &str = include_str!("golden/table.csv");
const STATISTICS: &str = include_str!("golden/statistics.json");
const CONSTRAINTS: &str = include_str!("golden/constraints.json");

#[track_caller]
fn assert_golden(job: &Job) {
    assert_eq!(job.text(&format!("{OUTPUT}/statistics.json")), STATISTICS);
    assert_eq!(job.text(&format!("{OUTPUT}/constraints.json")), CONSTRAINTS);
    assert_eq!(
        job.message(),
        "Completed: Job completed successfully with no violations."
    );
}

#[test]
fn documents_of_a_csv_are_the_contracts_to_the_character() {
    let job = Job::new().data("table.csv", TABLE).done();
    assert_golden(&job);
    assert_eq!(job.files(), ["constraints.json", "statistics.json"]);
}

#[test]
fn json_lines_have_the_same_documents() {
    let lines = [
        r#"{"price":10.5,"fuel":"gas","year":2001}"#,
        r#"{"price":20.0,"fuel":"diesel","year":2002}"#,
        r#"{"price":null,"fuel":"gas","year":2004}"#,
        r#"{"fuel":"gas","year":2003,"price":30.25}"#,
        r#"{"price":12.125,"fuel":"diesel","year":2002}"#,
    ];
    let job = Job::new()
        .set("dataset_format", r#"{"json":{"lines":true}}"#)
        .data("lines.jsonl", lines.join("\n"))
        .done();
    let mut features = job.result("statistics.json")["features"].clone();
    let mut golden: serde_json::Value = serde_json::from_str(STATISTICS).unwrap();
    // Members of an object have no order, so columns are sorted by name.
    for list in [&mut features, &mut golden["features"]] {
        let list = list.as_array_mut().unwrap();
        list.sort_by_key(|it| it["name"].as_str().unwrap().to_owned());
    }
    assert_eq!(features, golden["features"]);
}

#[test]
fn parquet_has_the_same_documents() {
    let batch = RecordBatch::try_from_iter_with_nullable([
        (
            "price",
            Arc::new(Float64Array::from(vec![
                Some(10.5),
                Some(20.0),
                None,
                Some(30.25),
                Some(12.125),
            ])) as _,
            true,
        ),
        (
            "fuel",
            Arc::new(StringArray::from(vec!["gas", "diesel", "gas", "gas", "diesel"])) as _,
            true,
        ),
        (
            "year",
            Arc::new(Int64Array::from(vec![2001, 2002, 2004, 2003, 2002])) as _,
            true,
        ),
    ])
    .unwrap();
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let job = Job::new()
        .set("dataset_format", r#"{"parquet":{}}"#)
        .data("table.parquet", file)
        .done();
    assert_golden(&job);
}

#[test]
fn without_a_header_columns_are_numbered() {
    let rows = TABLE.split_once('\n').unwrap().1;
    let job = Job::new()
        .set("dataset_format", r#"{"csv":{"header":false}}"#)
        .data("table.csv", rows)
        .done();
    let mut expected = CONSTRAINTS.to_owned();
    for (number, name) in ["price", "fuel", "year"].iter().enumerate() {
        expected = expected.replace(&format!("\"{name}\""), &format!("\"_c{number}\""));
    }
    assert_eq!(job.text(&format!("{OUTPUT}/constraints.json")), expected);
}

#[test]
fn files_of_all_folders_are_one_table() {
    let (header, rows) = TABLE.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let file = |rows: &[&str]| format!("{header}\n{}\n", rows.join("\n"));
    let job = Job::new()
        .data("2024/05/17/a.csv", file(&rows[..2]))
        .data("2024/05/18/b.csv", file(&rows[2..]))
        .done();
    assert_eq!(job.text(&format!("{OUTPUT}/constraints.json")), CONSTRAINTS);
    // The deviations of two files are merged, so their last digits differ.
    let (deviations, rest) = split(&job.text(&format!("{OUTPUT}/statistics.json")));
    let (golden_deviations, golden_rest) = split(STATISTICS);
    assert_eq!(rest, golden_rest);
    for (one, other) in deviations.iter().zip(&golden_deviations) {
        assert!((one - other).abs() <= 1e-12 * other, "{one} and {other}");
    }
}

/// The standard deviations in a document, and all its other lines.
fn split(text: &str) -> (Vec<f64>, Vec<String>) {
    let (deviations, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|it| it.contains("\"std_dev\""));
    let value = |line: &&str| line.rsplit(' ').next().unwrap().trim_end_matches(',').parse().unwrap();
    (
        deviations.iter().map(value).collect(),
        rest.into_iter().map(str::to_owned).collect(),
    )
}

#[test]
fn the_process_environment_goes_before_the_configuration() {
    let mut job = Job::new().set("dataset_format", "nonsense").data("table.csv", TABLE);
    job.process
        .insert("dataset_format".to_owned(), r#"{"Csv":{"Header":true}}"#.to_owned());
    assert_golden(&job.done());
}

#[test]
fn parameters_are_printed_as_the_contracts_container_prints_them() {
    let job = Job::new().data("table.csv", TABLE).set("reference_ranks", "Enabled");
    let ended = job.run().expect_code(0);
    let line = ended.stdout.lines().find_map(|it| it.strip_prefix("Parameters: "));
    let shown: serde_json::Value = serde_json::from_str(line.unwrap()).unwrap();
    assert_eq!(shown["dataset_source"], "/opt/ml/processing/input/endpoint");
    assert_eq!(shown["reference_ranks"], "Enabled");
    assert!(shown["baseline_constraints"].is_null());
    assert!(shown.get("baseline_constraints").is_some());
}

#[test]
fn a_state_is_written_where_it_is_wanted() {
    let job = Job::new().data("table.csv", TABLE).set("write_state", "Enabled").done();
    assert_eq!(job.files(), ["constraints.json", "state.zst", "statistics.json"]);
}

#[test]
fn metrics_are_published_where_they_are_wanted() {
    let job = Job::new()
        .data("table.csv", TABLE)
        .set("publish_cloudwatch_metrics", "Enabled")
        .set("sagemaker_endpoint_name", "cars")
        .set("sagemaker_monitoring_schedule_name", "hourly")
        .set("metric_time", "2024-05-18T00:00:00Z")
        .done();
    let folder = job.path("output/metrics/cloudwatch");
    let files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path())
        .collect();
    let text: String = files.iter().map(|it| std::fs::read_to_string(it).unwrap()).collect();
    let lines: Vec<&str> = text.lines().collect();
    let end = r#","Timestamp":"2024-05-18T00:00:00Z","Dimensions":[{"Name":"Endpoint","Value":"cars"},{"Name":"MonitoringSchedule","Value":"hourly"}]"#;
    let expected = [
        (
            "feature_data_price",
            r#""StatisticValues":{"SampleCount":4,"Sum":72.875,"Minimum":10.5,"Maximum":30.25}"#,
        ),
        ("feature_non_null_price", r#""Value":0.8"#),
        ("feature_non_null_fuel", r#""Value":1.0"#),
        (
            "feature_data_year",
            r#""StatisticValues":{"SampleCount":5,"Sum":10012.0,"Minimum":2001.0,"Maximum":2004.0}"#,
        ),
        ("feature_non_null_year", r#""Value":1.0"#),
    ]
    .map(|(name, value)| format!(r#"{{"MetricName":"{name}"{end},{value}}}"#));
    assert_eq!(lines, expected);
}

#[test]
fn no_metrics_are_published_unasked() {
    let job = Job::new().data("table.csv", TABLE).done();
    assert!(!job.path("output/metrics").exists());
}

#[test]
fn variables_that_are_no_text_are_passed_over() {
    use std::os::unix::ffi::OsStringExt;
    let job = Job::new().data("table.csv", TABLE).done();
    let output = super::program()
        .env("SAGEMAKER_BASE_DIR", job.path(""))
        .env("ODD", std::ffi::OsString::from_vec(vec![0xff, 0xfe]))
        .output();
    super::Ended::of(output.unwrap()).expect_code(0);
    assert_golden(&job);
}
