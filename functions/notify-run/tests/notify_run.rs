//! The function against an AWS in memory, called with recorded events.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use fake_aws::{FakeAws, Reply};
use notify_run::{NotifyRun, Outcome, Response};
use serde_json::{Value, json};

const BUCKET: &str = "drivetrain-dev";
const RUN: &str = "20261122t183000z-ab12cd34";

async fn call(aws: &FakeAws, event: Value) -> Result<Response, notify_run::Error> {
    let topic = "arn:aws:sns:us-east-1:123456789012:notices";
    NotifyRun::new(&aws.sdk_config(), BUCKET, topic).handle(event).await
}

fn decide(aws: &FakeAws, model: &str, decision: Option<&str>, reason: &str) {
    let document = json!({
        "bucket": BUCKET,
        "use_case": "used-car-price",
        "model": model,
        "run_id": RUN,
        "decision": decision,
        "reason": reason,
        "decided_at": "2026-11-22T18:34:00Z",
    });
    aws.put_object_json(
        BUCKET,
        &format!("used-car-price/runs/{RUN}/decisions/{model}.json"),
        &document,
    );
}

/// Subject, severity and message, as people get them.
async fn mail(aws: &FakeAws, event: &str) -> String {
    let response = call(aws, serde_json::from_str(event).unwrap()).await.unwrap();
    assert_eq!(response.outcome, Outcome::Notified);
    let published = aws.published();
    let last = published.last().unwrap();
    assert_eq!(response.subject, last.subject);
    format!(
        "{}\nuse_case={} severity={}\n\n{}",
        last.subject.as_deref().unwrap(),
        last.attributes["use_case"],
        last.attributes["severity"],
        last.message
    )
}

const SUCCEEDED: &str = include_str!("events/succeeded.json");

#[tokio::test]
async fn all_exported() {
    let aws = FakeAws::new();
    decide(
        &aws,
        "xgboost",
        Some("exported"),
        "holdout RMSE 6912.4 is better than the champion's 7230.1",
    );
    decide(
        &aws,
        "linear-learner",
        Some("exported"),
        "the first champion: validation RMSE 9100.2 is under 12000",
    );
    insta::assert_snapshot!(mail(&aws, SUCCEEDED).await);
}

#[tokio::test]
async fn one_rejected() {
    let aws = FakeAws::new();
    decide(
        &aws,
        "xgboost",
        Some("exported"),
        "the first champion: validation RMSE 6900.5 is under 9000",
    );
    decide(
        &aws,
        "linear-learner",
        Some("rejected-threshold"),
        "validation:mse gives RMSE 14000.1, not under 12000",
    );
    insta::assert_snapshot!(mail(&aws, SUCCEEDED).await);
}

#[tokio::test]
async fn preprocess_failed() {
    insta::assert_snapshot!(mail(&FakeAws::new(), include_str!("events/preprocess-failed.json")).await);
}

#[tokio::test]
async fn one_model_failed() {
    let aws = FakeAws::new();
    decide(
        &aws,
        "xgboost",
        Some("exported"),
        "the first champion: validation RMSE 6900.5 is under 9000",
    );
    decide(
        &aws,
        "linear-learner",
        Some("failed"),
        "TrainModel failed: ClientError: no rows",
    );
    insta::assert_snapshot!(mail(&aws, include_str!("events/model-failed.json")).await);
}

#[tokio::test]
async fn a_failure_that_could_not_be_written_down() {
    let aws = FakeAws::new();
    decide(
        &aws,
        "xgboost",
        Some("exported"),
        "the first champion: validation RMSE 6900.5 is under 9000",
    );
    insta::assert_snapshot!(mail(&aws, include_str!("events/model-failed.json")).await);
}

#[tokio::test]
async fn timed_out_before_a_decision() {
    let aws = FakeAws::new();
    decide(&aws, "xgboost", None, "validation RMSE 6900.5 is under 9000");
    aws.put_object(
        BUCKET,
        &format!("used-car-price/runs/{RUN}/decisions/linear-learner.json"),
        "{",
    );
    insta::assert_snapshot!(mail(&aws, include_str!("events/timed-out.json")).await);
}

#[tokio::test]
async fn aborted() {
    insta::assert_snapshot!(mail(&FakeAws::new(), include_str!("events/aborted.json")).await);
}

#[tokio::test]
async fn an_event_without_input() {
    let aws = FakeAws::new();
    insta::assert_snapshot!(mail(&aws, include_str!("events/input-left-out.json")).await);
    assert!(aws.calls().iter().all(|call| call.service == "sns"));
}

#[tokio::test]
async fn the_same_end_is_told_once_and_another_end_again() {
    let aws = FakeAws::new();
    let event: Value = serde_json::from_str(SUCCEEDED).unwrap();
    assert_eq!(call(&aws, event.clone()).await.unwrap().outcome, Outcome::Notified);
    assert_eq!(call(&aws, event.clone()).await.unwrap().outcome, Outcome::Duplicate);
    assert_eq!(aws.published().len(), 1);
    let mut redriven = event;
    redriven["detail"]["stopDate"] = json!(1_795_379_999_000_i64);
    assert_eq!(call(&aws, redriven).await.unwrap().outcome, Outcome::Notified);
    assert_eq!(aws.published().len(), 2);
}

#[tokio::test]
async fn a_notice_that_could_not_be_sent_is_sent_by_the_next_call() {
    let aws = FakeAws::new();
    let event: Value = serde_json::from_str(SUCCEEDED).unwrap();
    aws.fail_next("Publish", Reply::error(500, "InternalError", "try again"));
    assert_eq!(
        call(&aws, event.clone()).await.unwrap_err().error_type(),
        "AwsCallFailed"
    );
    assert_eq!(call(&aws, event).await.unwrap().outcome, Outcome::Notified);
}

#[tokio::test]
async fn times_may_be_text() {
    let mut event: Value = serde_json::from_str(SUCCEEDED).unwrap();
    event["detail"]["startDate"] = "2026-11-22T18:30:03.123456+00:00".into();
    event["detail"]["stopDate"] = "2026-11-22T18:34:15.456789+00:00".into();
    let aws = FakeAws::new();
    call(&aws, event).await.unwrap();
    assert!(aws.published()[0].message.contains("duration:      4 min 12 s"));
}

#[tokio::test]
async fn an_execution_started_by_hand_is_told_of_too() {
    let mut event: Value = serde_json::from_str(SUCCEEDED).unwrap();
    event["detail"]["name"] = "try-1".into();
    event["detail"]["input"] = "[1]".into();
    let aws = FakeAws::new();
    assert_eq!(call(&aws, event).await.unwrap().outcome, Outcome::Notified);
    assert_eq!(aws.published()[0].attributes["use_case"], "unknown");
}

#[tokio::test]
async fn what_has_not_ended_is_ignored_and_what_is_no_event_refused() {
    let aws = FakeAws::new();
    let mut event: Value = serde_json::from_str(SUCCEEDED).unwrap();
    event["detail"]["status"] = "RUNNING".into();
    assert_eq!(call(&aws, event).await.unwrap().outcome, Outcome::Ignored);
    assert_eq!(
        call(&aws, json!({"detail": {}})).await.unwrap_err().error_type(),
        "EventInvalid"
    );
    assert!(aws.published().is_empty());
}
