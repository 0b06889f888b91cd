//! The function against a scripted SageMaker.

// Clippy's exception for tests does not include their helpers.
#![allow(clippy::unwrap_used)]

use fake_aws::{FakeAws, Reply};
use query_metrics::{Error, QueryMetrics, Request, Response};
use serde_json::{Value, json};

const XGBOOST: &str = include_str!("events/xgboost.json");
const LINEAR_LEARNER: &str = include_str!("events/linear-learner.json");

async fn ask(event: &str, reply: Reply) -> Result<Response, Error> {
    let aws = FakeAws::new();
    aws.reply("DescribeTrainingJob", [reply]);
    let request: Request = serde_json::from_str(event).unwrap();
    let answer = QueryMetrics::new(&aws.sdk_config()).handle(request.clone()).await;
    let asked = aws.calls_of("DescribeTrainingJob")[0].json();
    assert_eq!(asked["TrainingJobName"], request.training_job_name.as_str());
    answer
}

fn completed(metrics: &Value) -> Reply {
    Reply::json(
        200,
        json!({"TrainingJobStatus": "Completed", "TrainingTimeInSeconds": 71, "FinalMetricDataList": metrics}),
    )
}

fn metric(name: &str, value: impl Into<Value>) -> Value {
    json!({"MetricName": name, "Value": value.into(), "Timestamp": 1_795_372_200})
}

async fn value_of(event: &str, value: impl Into<Value>) -> Option<f64> {
    let name = serde_json::from_str::<Request>(event).unwrap().metric.name;
    let reply = completed(&json!([metric("train:rmse", 1.0), metric(&name, value)]));
    ask(event, reply).await.unwrap().value_rmse
}

#[tokio::test]
async fn the_metric_is_found_by_its_name_wherever_it_stands() {
    for metrics in [
        json!([metric("train:rmse", 1.5), metric("validation:rmse", 4211.75)]),
        json!([metric("validation:rmse", 4211.75), metric("train:rmse", 1.5)]),
    ] {
        let answer = ask(XGBOOST, completed(&metrics)).await.unwrap();
        let expected = json!({"metric": "validation:rmse", "value_rmse": 4211.75, "training_seconds": 71});
        assert_eq!(serde_json::to_value(answer).unwrap(), expected);
    }
}

#[tokio::test]
async fn a_mean_squared_error_is_rooted_into_the_targets_unit() {
    assert_eq!(value_of(LINEAR_LEARNER, 16_000_000.0).await, Some(4000.0));
    assert_eq!(value_of(LINEAR_LEARNER, 0.0).await, Some(0.0));
}

#[tokio::test]
async fn precision_is_that_of_the_sdk() {
    let exact = 4_211.123_456_789;
    let read = value_of(XGBOOST, exact).await.unwrap();
    assert!((read - exact).abs() <= 1e-7 * exact, "{read}");
    assert_eq!(value_of(XGBOOST, 0.1).await, Some(0.1), "as people wrote it");
}

#[tokio::test]
async fn a_diverged_training_has_no_value() {
    for value in [
        json!("NaN"),
        json!("Infinity"),
        json!("-Infinity"),
        json!(1e300),
        json!(-1.0),
    ] {
        assert_eq!(value_of(LINEAR_LEARNER, value.clone()).await, None, "root of {value}");
        assert_eq!(value_of(XGBOOST, value.clone()).await, None, "{value}");
    }
}

#[tokio::test]
async fn a_missing_metric_names_those_there_are() {
    let error = ask(
        XGBOOST,
        completed(&json!([metric("train:rmse", 1.0), metric("validation:mae", 1.0)])),
    )
    .await
    .unwrap_err();
    assert_eq!(error.error_type(), "MetricMissing");
    assert_eq!(
        error.to_string(),
        "training job `dev-used-car-price-xgboost-ab12cd34-train-00` reports no metric `validation:rmse`: \
         name one that it reports (`train:rmse`, `validation:mae`) in the use-case document"
    );
    let error = ask(XGBOOST, completed(&json!([]))).await.unwrap_err();
    assert!(error.to_string().contains("(none at all)"), "{error}");
}

#[tokio::test]
async fn only_a_completed_job_is_judged() {
    for status in ["InProgress", "Failed", "Stopping", "Stopped"] {
        let reply = json!({
            "TrainingJobStatus": status, "FailureReason": "AlgorithmError: out of memory",
            "FinalMetricDataList": [metric("validation:rmse", 1.0)],
        });
        let error = ask(XGBOOST, Reply::json(200, reply)).await.unwrap_err();
        assert_eq!(error.error_type(), "TrainingJobNotCompleted");
        let text = error.to_string();
        assert!(text.contains(status) && text.contains("out of memory"), "{text}");
    }
}

#[tokio::test]
async fn an_unknown_job_is_told_from_a_failed_call() {
    for (status, code, message, error_type) in [
        (
            400,
            "ValidationException",
            "Requested resource not found.",
            "TrainingJobUnknown",
        ),
        (400, "ResourceNotFound", "gone", "TrainingJobUnknown"),
        (400, "ThrottlingException", "Rate exceeded", "AwsCallFailed"),
        (
            400,
            "AccessDeniedException",
            "not authorized to perform",
            "AwsCallFailed",
        ),
    ] {
        let error = ask(XGBOOST, Reply::error(status, code, message)).await.unwrap_err();
        assert_eq!(error.error_type(), error_type, "{error}");
    }
}
