//! The function against an AWS in memory.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use fake_aws::{FakeAws, Reply};
use jiff::Timestamp;
use refresh_dashboard::{RefreshDashboard, Request, Response};
use serde_json::{Value, json};
use std::io::Write;

const BUCKET: &str = "drivetrain-dev";
const RUN: &str = "20261122t183000z-ab12cd34";

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// An account with a use case, its champion and a reported window.
fn account(dashboard: &Value) -> FakeAws {
    let aws = FakeAws::new();
    let document = json!({
        "use_case": "cars", "schema": {"columns": [{"name": "year", "type": "integer", "required": true}]},
        "target": {"name": "price"}, "dashboard": dashboard,
        "models": [{"name": "m", "algorithm": "xgboost", "metric": {"name": "validation:rmse"}, "threshold_rmse": 1.0}],
    })
    .to_string();
    let version_id = aws.put_object(BUCKET, "use-cases/cars/config.json", &document);
    let pointer = json!({
        "uri": format!("s3://{BUCKET}/use-cases/cars/config.json"), "version_id": version_id,
        "sha256": contracts::pointer::sha256(document.as_bytes()),
    });
    aws.put_parameter("/drivetrain/dev/cars/config", &pointer.to_string());
    aws.put_object(BUCKET, "use-cases/cars/models/m/champion.json", champion().to_string());
    aws.put_object(
        BUCKET,
        &format!("use-cases/cars/models/m/history/{RUN}.json"),
        champion().to_string(),
    );
    let key = "cars/reporting/drift/day=2026-11-22/model=m/window-000000.jsonl";
    aws.put_object(BUCKET, key, format!("{}\n", drift_row()));
    let key = format!("cars/reporting/runs/day=2026-11-22/model=m/{RUN}.jsonl");
    aws.put_object(BUCKET, &key, format!("{}\n", run_row()));
    aws
}

fn champion() -> Value {
    json!({
        "use_case": "cars", "model": "m", "run_id": RUN, "config_version": "v", "image": "i", "training_job": "t",
        "model_name": "n", "endpoint_name": "e", "endpoint_config": "c", "variant_name": "AllTraffic",
        "schema_hash": "123456", "columns": ["year"], "holdout_rmse": 4300.0, "holdout_rows": 8,
        "exported_at": "2026-11-22T18:30:00Z",
    })
}

fn drift_row() -> Value {
    json!({
        "model": "m", "window": 0, "window_from": "2026-11-22T18:30:00Z", "window_to": "2026-11-22T19:30:00Z", "run_id": RUN,
        "champion": RUN, "endpoint_config": "c", "analysis": "data", "outcome": "drifted", "reason": "year drifted",
        "feature": "odometer_km", "role": "feature", "status": "drifted", "metric": "psi", "distance": 0.5, "threshold": 0.2,
        "severity": 2.5, "q_value": 0.001, "distances": [], "baseline": null, "current": null, "baseline_rows": 500,
        "current_rows": 400, "skipped_rows": 0, "predictions": 400, "labels_joined": 0, "data_uri": "s3://b/d",
        "sources_uri": "s3://b/s", "scoring_runs": [], "report_uri": "s3://b/r",
    })
}

fn run_row() -> Value {
    json!({
        "model": "m", "run_id": RUN, "kind": "training", "started_by": "drop", "source": "s3://b/k", "status": "SUCCEEDED",
        "started_at": "2026-11-22T18:30:00Z", "stopped_at": "2026-11-22T18:40:00Z", "decision": "exported",
        "reason": "first champion", "metric_rmse": 4200.0, "threshold_rmse": 8000.0, "candidate_rmse": 4300.0,
        "champion_rmse": null, "champion": null, "scored_rows": null, "rejected_rows": null,
    })
}

fn request(run: &str) -> Request {
    serde_json::from_value(json!({
        "run": {"bucket": BUCKET, "use_case": "cars", "model": "m", "run_id": run},
    }))
    .unwrap()
}

/// What S3 tells of a row that was written.
fn reported(key: &str) -> Request {
    serde_json::from_value(json!({
        "source": "aws.s3", "detail-type": "Object Created", "time": "2026-11-22T18:41:00Z",
        "detail": {"bucket": {"name": BUCKET}, "object": {"key": key, "size": 3, "version-id": "v"}},
    }))
    .unwrap()
}

async fn told(aws: &FakeAws, key: &str) -> Response {
    let function = RefreshDashboard::new(&aws.sdk_config(), "dev", BUCKET);
    function
        .handle(reported(key), at("2026-11-23T00:00:00Z"))
        .await
        .unwrap()
}

fn row_key() -> String {
    format!("cars/reporting/runs/day=2026-11-22/model=m/{RUN}.jsonl")
}

fn index(aws: &FakeAws) -> String {
    String::from_utf8(aws.object(BUCKET, "reporting/dashboard.html").unwrap()).unwrap()
}

async fn call(aws: &FakeAws, run: &str, now: &str) -> Response {
    let function = RefreshDashboard::new(&aws.sdk_config(), "dev", BUCKET);
    function.handle(request(run), at(now)).await.unwrap()
}

/// What the page's script reads.
fn data(aws: &FakeAws) -> Value {
    let page = page(aws);
    let start = page.split("id=\"data\">").nth(1).unwrap();
    serde_json::from_str(start.split("</script>").next().unwrap()).unwrap()
}

fn page(aws: &FakeAws) -> String {
    let bytes = aws.object(BUCKET, "cars/reporting/dashboard.html").unwrap();
    String::from_utf8(bytes).unwrap()
}

#[tokio::test]
async fn the_page_shows_champions_runs_and_windows() {
    let aws = account(&Value::Null);
    let response = call(&aws, RUN, "2026-11-23T00:00:00Z").await;
    let uri = format!("s3://{BUCKET}/cars/reporting/dashboard.html");
    assert_eq!((response.dashboard_uri, response.ingestions), (Some(uri), Vec::new()));
    let page = page(&aws);
    for shown in [RUN, "first champion", "odometer_km"] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn a_file_that_does_not_read_is_told_and_keeps_nothing_back() {
    let aws = account(&Value::Null);
    let key = "cars/reporting/drift/day=2026-11-22/model=m/window-000001.jsonl";
    aws.put_object(BUCKET, key, "{\n");
    let key = "cars/reporting/ground_truth/day=2026-11-22/model=m/window-000001.jsonl.gz";
    aws.put_object(BUCKET, key, "no gzip");
    call(&aws, RUN, "2026-11-23T00:00:00Z").await;
    let page = page(&aws);
    assert!(page.contains("odometer_km"));
    assert!(page.contains("window-000001.jsonl"));
}

#[tokio::test]
async fn what_is_too_old_is_left_out() {
    let aws = account(&Value::Null);
    call(&aws, RUN, "2027-03-01T00:00:00Z").await;
    assert!(!page(&aws).contains("odometer_km"));
}

#[tokio::test]
async fn datasets_are_due_every_two_hours_at_most() {
    let aws = account(&json!({"quicksight_datasets": ["drift", "runs"]}));
    let due = call(&aws, RUN, "2026-11-23T00:00:00Z").await.ingestions;
    let ids: Vec<&str> = due.iter().map(|it| it.data_set_id.as_str()).collect();
    assert_eq!(ids, ["drift", "runs"]);
    assert_eq!(due[0].ingestion_id, format!("drivetrain-{RUN}"));
    let again = call(&aws, RUN, "2026-11-23T00:00:05Z").await.ingestions;
    assert_eq!(again, due, "an answer that was lost is given again");
    let next = "20261123t003000z-ab12cd34";
    assert_eq!(call(&aws, next, "2026-11-23T01:59:00Z").await.ingestions, []);
    assert_eq!(call(&aws, next, "2026-11-23T02:00:00Z").await.ingestions.len(), 2);

    // Of two calls at once, one gets them.
    aws.before("PutObject", "dashboard.json", |aws| {
        aws.put_object(BUCKET, "use-cases/cars/dashboard.json", r#"{"data_sets": {}}"#);
    });
    assert_eq!(call(&aws, RUN, "2026-11-23T12:00:00Z").await.ingestions, []);
}

#[tokio::test]
async fn errors_are_added_up_by_window_and_champion() {
    let aws = account(&Value::Null);
    let other = "20261101t000000z-00000000";
    let rows = [(RUN, 10.0, 13.0), (RUN, 10.0, 6.0), (other, 5.0, 5.0)];
    let lines: Vec<String> = rows
        .iter()
        .map(|(champion, prediction, label)| {
            json!({
                "model": "m", "id": "a#0", "time": "2026-11-22T18:30:00Z", "champion": champion, "prediction": prediction,
                "label": label, "window": 0,
            })
            .to_string()
        })
        .collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(lines.join("\n").as_bytes()).unwrap();
    let key = "cars/reporting/ground_truth/day=2026-11-22/model=m/window-000000.jsonl.gz";
    aws.put_object(BUCKET, key, gzip.finish().unwrap());
    call(&aws, RUN, "2026-11-23T00:00:00Z").await;
    let errors = &data(&aws)["models"][0]["windows"][0]["errors"];
    assert_eq!(
        *errors,
        json!([
            {"champion": other, "labels": 1, "rmse": 0.0, "mae": 0.0, "off": 0.0},
            {"champion": RUN, "labels": 2, "rmse": 3.53553, "mae": 3.5, "off": 0.5},
        ])
    );
}

#[tokio::test]
async fn monitoring_runs_leave_a_place_for_others() {
    let aws = account(&Value::Null);
    for minute in 0..1000 {
        let run = format!("20261122t{:02}{:02}00z-00000000", 2 + minute / 60, minute % 60);
        let key = format!("cars/monitoring/m/{run}/window.json");
        aws.put_object(BUCKET, &key, "{}");
        let mut row = run_row();
        row["run_id"] = json!(run);
        row["kind"] = json!("monitoring");
        let key = format!("cars/reporting/runs/day=2026-11-22/model=m/{run}.jsonl");
        aws.put_object(BUCKET, &key, row.to_string());
    }
    let early = "20261101t000000z-00000000";
    let mut row = run_row();
    row["run_id"] = json!(early);
    let key = format!("cars/reporting/runs/day=2026-11-01/model=m/{early}.jsonl");
    aws.put_object(BUCKET, &key, row.to_string());
    call(&aws, RUN, "2026-11-23T00:00:00Z").await;
    let data = data(&aws);
    let runs = data["runs"].as_array().unwrap();
    let of = |kind: &str| runs.iter().filter(|run| run["kind"] == kind).count();
    assert_eq!((of("training"), of("monitoring")), (2, 300));
    assert!(aws.calls_of("GetObject").len() < 400);
}

#[tokio::test]
async fn a_call_that_fails_is_an_error_and_leaves_the_page_as_it_was() {
    let aws = account(&Value::Null);
    aws.put_object(BUCKET, "cars/reporting/dashboard.html", "before");
    aws.fail_next("ListObjectsV2", Reply::error(503, "SlowDown", "slower, please"));
    let function = RefreshDashboard::new(&aws.sdk_config(), "dev", BUCKET);
    let error = function
        .handle(request(RUN), at("2026-11-23T00:00:00Z"))
        .await
        .unwrap_err();
    assert_eq!(error.error_type(), "AwsCallFailed");
    assert_eq!(page(&aws), "before");
}

#[tokio::test]
async fn a_reported_row_makes_the_page_of_a_use_case_that_was_never_watched() {
    let aws = account(&json!({"quicksight_datasets": ["runs"]}));
    aws.delete_object(
        BUCKET,
        "cars/reporting/drift/day=2026-11-22/model=m/window-000000.jsonl",
    );
    let response = told(&aws, &row_key()).await;
    let uri = format!("s3://{BUCKET}/cars/reporting/dashboard.html");
    // Nobody would start the ingestions.
    assert_eq!((response.dashboard_uri, response.ingestions), (Some(uri), Vec::new()));
    let page = page(&aws);
    for shown in ["first champion", "Last decisions", "4,300", "8,000", "Not watched yet"] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn a_held_candidate_and_a_refused_file_are_shown_with_what_to_do() {
    let aws = account(&Value::Null);
    let held = "20261122t193000z-ab12cd34";
    let mut row = run_row();
    (row["run_id"], row["decision"], row["naive_rmse"]) = (json!(held), json!("held"), json!(9000.0));
    let key = format!("cars/reporting/runs/day=2026-11-22/model=m/{held}.jsonl");
    aws.put_object(BUCKET, &key, row.to_string());
    let mut row = run_row();
    (row["model"], row["run_id"], row["status"]) = (json!("all"), json!("20261122t194000z-ab12cd34"), json!("REFUSED"));
    (row["decision"], row["source"]) = (json!("refused"), json!("s3://b/cars/training/incoming/<b>.csv"));
    let key = "cars/reporting/runs/day=2026-11-22/model=all/20261122t194000z-ab12cd34-refused.jsonl";
    aws.put_object(BUCKET, key, row.to_string());
    told(&aws, key).await;
    let page = page(&aws);
    for shown in [
        format!("drivetrain approve cars m {held}").as_str(),
        "--stack dev",
        "9,000",
        "Refused files",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("<b>.csv"));
    let index = index(&aws);
    for shown in [
        "1 held candidate waits",
        "Refused",
        "..&#x2f;cars&#x2f;reporting&#x2f;dashboard.html",
        "4,300",
    ] {
        assert!(index.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn the_index_lists_use_cases_in_service_with_and_without_a_run() {
    let aws = account(&Value::Null);
    aws.put_object(BUCKET, "use-cases/vans/config.json", "{}");
    aws.put_object(BUCKET, "use-cases/boats/overview.json", "{}");
    aws.put_object(BUCKET, "use-cases/trucks/config.json", "{}");
    aws.put_object(BUCKET, "use-cases/trucks/overview.json", "of another version");
    told(&aws, &row_key()).await;
    let index = index(&aws);
    for shown in [
        "<bdi>cars</bdi></a>",
        "<bdi>vans</bdi></th>",
        "<bdi>trucks</bdi></th>",
        "Exported",
    ] {
        assert!(index.contains(shown), "{shown}");
    }
    assert!(!index.contains("boats"), "it was removed");
}

#[tokio::test]
async fn what_is_no_row_of_a_use_case_in_service_makes_no_page() {
    let aws = account(&Value::Null);
    let nothing = told(&aws, "cars/training/incoming/reporting/runs/a.csv").await;
    assert_eq!((nothing.dashboard_uri, aws.calls().len()), (None, 0));
    let removed = told(&aws, "vans/reporting/runs/day=2026-11-22/model=m/r.jsonl").await;
    assert_eq!(removed.dashboard_uri, None);
    assert!(aws.object(BUCKET, "vans/reporting/dashboard.html").is_none());
    assert!(index(&aws).contains("cars"));
}

#[tokio::test]
async fn of_two_calls_at_once_the_page_is_of_the_newer_state() {
    let aws = account(&Value::Null);
    // While this call has read and not yet written, another run ends, and the call for it has made the page already.
    let key = "cars/reporting/runs/day=2026-11-22/model=m/20261122t203000z-ab12cd34.jsonl";
    aws.before("PutObject", "cars/reporting/dashboard.html", move |aws| {
        let mut row = run_row();
        (row["run_id"], row["reason"]) = (json!("20261122t203000z-ab12cd34"), json!("the newer one"));
        aws.put_object(BUCKET, key, row.to_string());
        aws.put_object(BUCKET, "cars/reporting/dashboard.html", "made of the newer one");
        aws.put_object(BUCKET, "use-cases/cars/overview.json", "{}");
        aws.put_object(BUCKET, "reporting/dashboard.html", "before this call looked");
    });
    told(&aws, &row_key()).await;
    assert!(
        page(&aws).contains("the newer one"),
        "it was not written over by the older state"
    );
    assert!(page(&aws).contains("first champion"));
    assert!(index(&aws).contains("20261122t203000z-ab12cd34"));
}

#[tokio::test]
async fn a_call_that_others_have_overtaken_twice_leaves_the_page_to_them() {
    let aws = account(&Value::Null);
    aws.before("PutObject", "cars/reporting/dashboard.html", |aws| {
        aws.put_object(BUCKET, "cars/reporting/dashboard.html", "of another");
        aws.before("PutObject", "cars/reporting/dashboard.html", |aws| {
            let page = "of one that began after this call";
            aws.put_object(BUCKET, "cars/reporting/dashboard.html", page);
        });
    });
    told(&aws, &row_key()).await;
    assert_eq!(page(&aws), "of one that began after this call");
    assert!(index(&aws).contains("cars"));
}

#[tokio::test]
async fn a_use_case_without_runs_has_a_page() {
    let aws = account(&Value::Null);
    for key in aws.keys(BUCKET, "") {
        if key != "use-cases/cars/config.json" {
            aws.delete_object(BUCKET, &key);
        }
    }
    call(&aws, RUN, "2026-11-23T00:00:00Z").await;
    assert!(page(&aws).contains("no run has passed the gate"));
}
