//! The function against an AWS in memory.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use fake_aws::FakeAws;
use jiff::Timestamp;
use refresh_dashboard::{RefreshDashboard, Request, Response};
use serde_json::{Value, json};

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

async fn call(aws: &FakeAws, run: &str, now: &str) -> Response {
    let request: Request = serde_json::from_value(json!({
        "run": {"bucket": BUCKET, "use_case": "cars", "model": "m", "run_id": run},
    }))
    .unwrap();
    let function = RefreshDashboard::new(&aws.sdk_config(), "dev", BUCKET);
    function.handle(request, at(now)).await.unwrap()
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
    assert_eq!((response.dashboard_uri, response.ingestions), (uri, Vec::new()));
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
    let next = "20261123t003000z-ab12cd34";
    assert_eq!(call(&aws, next, "2026-11-23T01:59:00Z").await.ingestions, []);
    assert_eq!(call(&aws, next, "2026-11-23T02:00:00Z").await.ingestions.len(), 2);

    // Of two calls at once, one gets them.
    aws.before("PutObject", "dashboard.json", |aws| {
        aws.put_object(BUCKET, "use-cases/cars/dashboard.json", r#"{"at": {}}"#);
    });
    assert_eq!(call(&aws, RUN, "2026-11-23T12:00:00Z").await.ingestions, []);
}
