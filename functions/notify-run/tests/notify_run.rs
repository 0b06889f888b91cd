//! The function against an AWS in memory, called with recorded events.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use fake_aws::{FakeAws, Reply};
use notify_run::{NotifyRun, Outcome, Response};
use serde_json::{Value, json};

const BUCKET: &str = "drivetrain-dev";
const RUN: &str = "20261122t183000z-ab12cd34";

fn now() -> jiff::Timestamp {
    "2026-11-22T18:34:20Z".parse().unwrap()
}

async fn call(aws: &FakeAws, event: Value) -> Result<Response, notify_run::Error> {
    let topic = "arn:aws:sns:us-east-1:123456789012:notices";
    NotifyRun::new(&aws.sdk_config(), "dev", BUCKET, topic)
        .handle(event, now())
        .await
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

fn put_champion(aws: &FakeAws, model: &str) {
    let champion = json!({
        "use_case": "used-car-price", "model": model, "run_id": "20261110t000000z-0a0b0c0d", "config_version": "v",
        "image": "i", "training_job": "t", "model_name": "m", "endpoint_name": "e", "endpoint_config": "c",
        "variant_name": "main", "schema_hash": "a1b2c3", "columns": ["year"], "holdout_rmse": 1.0, "holdout_rows": 8,
        "exported_at": "2026-11-10T01:00:00Z",
    });
    let key = format!("use-cases/used-car-price/models/{model}/champion.json");
    aws.put_object_json(BUCKET, &key, &champion);
}

/// An account in which every model has a champion.
fn in_service() -> FakeAws {
    let aws = FakeAws::new();
    for model in ["xgboost", "linear-learner"] {
        put_champion(&aws, model);
    }
    aws
}

fn lease_key(model: &str) -> String {
    format!("use-cases/used-car-price/models/{model}/lease")
}

/// Stores a lease of `run` that expires in this many minutes.
fn put_lease(aws: &FakeAws, model: &str, run: &str, minutes: i64) {
    let expires_at = now() + jiff::SignedDuration::from_mins(minutes);
    aws.put_object_json(
        BUCKET,
        &lease_key(model),
        &json!({"run_id": run, "expires_at": expires_at}),
    );
}

fn lease(aws: &FakeAws, model: &str) -> contracts::Lease {
    serde_json::from_value(aws.object_json(BUCKET, &lease_key(model)).unwrap()).unwrap()
}

/// Subject, severity and message of the mail that people get.
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

const WATCH: &str = "20261122t183000z-5f3a9c01";
const SCORED: &str = include_str!("events/scoring-succeeded.json");

fn put_manifest(aws: &FakeAws, run: &str, kind: &str, source: &Value) {
    let manifest = json!({
        "run_id": run, "use_case": "used-car-price", "kind": kind, "state": "started", "source": source, "inputs": [],
        "config_version": "v1", "claimed_at": "2026-11-22T18:30:01Z",
    });
    aws.put_object_json(BUCKET, &format!("used-car-price/runs/{run}/run.json"), &manifest);
}

fn dropped(folder: &str) -> Value {
    json!({
        "bucket": BUCKET, "key": format!("used-car-price/{folder}/incoming/new.csv"), "version_id": "v2",
        "bytes": 4096, "last_modified": "2026-11-22T18:30:00Z",
    })
}

fn tick() -> Value {
    json!({"watched_model": "xgboost", "tick": "2026-11-22T18:30:00Z"})
}

fn summary_key() -> String {
    format!("used-car-price/scored/{RUN}/summary.json")
}

fn put_summary(aws: &FakeAws, scored: u64, reasons: &[(&str, u64)], absent: &[&str]) {
    let rejected: u64 = reasons.iter().map(|(_, rows)| rows).sum();
    let models: serde_json::Map<String, Value> = ["linear-learner", "xgboost"]
        .into_iter()
        .filter(|model| !absent.contains(model))
        .map(|model| (model.to_owned(), "20261101t000000z-00000000".into()))
        .collect();
    let summary = json!({
        "run_id": RUN, "file": "new.csv", "rows": scored + rejected, "scored": scored, "rejected": rejected,
        "reasons": reasons, "models": models, "absent": absent,
        "absent_because": absent.iter().map(|model| (*model, "ClientError: 413 (transform job j)")).collect::<std::collections::BTreeMap<_, _>>(),
    });
    aws.put_object_json(BUCKET, &summary_key(), &summary);
}

/// The rows of runs, each after its key.
fn rows(aws: &FakeAws) -> String {
    let keys = aws.keys(BUCKET, "used-car-price/reporting/runs/");
    keys.iter()
        .map(|key| {
            format!(
                "{key}\n{}",
                String::from_utf8(aws.object(BUCKET, key).unwrap()).unwrap()
            )
        })
        .collect()
}

const SUCCEEDED: &str = include_str!("events/succeeded.json");

const ABORTED: &str = include_str!("events/aborted.json");
/// The id of another run.
const SOMEBODY: &str = "20261122t183500z-0badcafe";

/// Stores the manifest of a promotion, and its decision, if any.
fn promoted(aws: &FakeAws, decision: Option<&str>, reason: &str) {
    let source = json!({
        "promoted_model": "xgboost", "from_run": "20261101t000000z-00000000", "action": "rollback", "by": "kim",
        "reason": "prices are off", "asked_at": "2026-11-22T18:30:00Z", "replaces": "20261110t000000z-0a0b0c0d",
        "anyway": false,
    });
    put_manifest(aws, RUN, "promotion", &source);
    decide(aws, "xgboost", decision, reason);
}

#[tokio::test]
async fn a_promotion_is_told_with_who_and_why() {
    let aws = FakeAws::new();
    promoted(
        &aws,
        Some("exported"),
        "kim rolled back to the model of run 20261101t000000z-00000000",
    );
    insta::assert_snapshot!("rolled_back", mail(&aws, SUCCEEDED).await);
    assert!(rows(&aws).contains(r#""kind":"promotion","started_by":"person","source":"20261101t000000z-00000000""#));

    let aws = in_service();
    promoted(&aws, Some("failed"), "EndpointRolledBack: the model did not come up");
    insta::assert_snapshot!(
        "rollback_failed",
        mail(&aws, &SUCCEEDED.replace("SUCCEEDED", "FAILED")).await
    );
}

#[tokio::test]
async fn a_promotion_that_was_run_again_is_told_with_both_names() {
    let aws = FakeAws::new();
    promoted(&aws, Some("exported"), "rolled back");
    let source = json!({
        "promoted_model": "xgboost", "from_run": "20261101t000000z-00000000", "action": "rollback", "by": "kim",
        "reason": "prices are off", "asked_at": "2026-11-22T18:30:00Z", "replaces": null, "anyway": false,
        "rerun_by": "lee",
    });
    put_manifest(&aws, RUN, "promotion", &source);
    let told = mail(&aws, SUCCEEDED).await;
    assert!(told.contains("kim; run again by lee"), "{told}");
}

#[tokio::test]
async fn what_serves_after_a_promotion_that_was_aborted() {
    // Before the run came to the endpoint, while it was at the endpoint, and if nothing ever served.
    let aws = in_service();
    promoted(&aws, None, "kim rolled back");
    let told = mail(&aws, ABORTED).await;
    assert!(
        told.contains("It has changed nothing that serves.") && !told.contains("tick"),
        "{told}"
    );

    let aws = in_service();
    promoted(&aws, None, "kim rolled back");
    put_lease(&aws, "xgboost", RUN, 12);
    insta::assert_snapshot!("rollback_aborted_at_the_endpoint", mail(&aws, ABORTED).await);

    let aws = FakeAws::new();
    promoted(&aws, None, "kim approved");
    put_lease(&aws, "xgboost", RUN, 12);
    let told = mail(&aws, ABORTED).await;
    assert!(
        told.contains("Nothing serves yet.") && !told.contains("served before"),
        "{told}"
    );
}

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
    insta::assert_snapshot!(mail(&in_service(), include_str!("events/preprocess-failed.json")).await);
}

#[tokio::test]
async fn of_models_that_have_no_champion_nothing_serves() {
    let event = include_str!("events/preprocess-failed.json");
    let told = mail(&FakeAws::new(), event).await;
    assert!(
        told.contains("None of its 2 models was exported; nothing serves yet.\n"),
        "{told}"
    );
    assert!(!told.contains("served before") && !told.contains("tick"), "{told}");

    let aws = FakeAws::new();
    put_champion(&aws, "xgboost");
    insta::assert_snapshot!("one_champion", mail(&aws, event).await);
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
    let aws = in_service();
    put_lease(&aws, "xgboost", RUN, 12);
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
    insta::assert_snapshot!(mail(&in_service(), ABORTED).await);
    let aws = in_service();
    put_lease(&aws, "xgboost", RUN, 12);
    insta::assert_snapshot!("aborted_at_the_endpoint", mail(&aws, ABORTED).await);
}

#[tokio::test]
async fn a_lease_of_a_run_that_has_ended_is_given_back_once_and_no_other() {
    for status in ["ABORTED", "TIMED_OUT", "FAILED", "SUCCEEDED"] {
        for promotion in [false, true] {
            let aws = in_service();
            if promotion {
                promoted(&aws, None, "kim rolled back");
            }
            put_lease(&aws, "xgboost", RUN, 12);
            put_lease(&aws, "linear-learner", SOMEBODY, 12);
            let event: Value = serde_json::from_str(&ABORTED.replace("ABORTED", status)).unwrap();
            call(&aws, event.clone()).await.unwrap();
            assert_eq!(lease(&aws, "xgboost").expires_at, now(), "{status} {promotion}");
            assert_eq!(lease(&aws, "xgboost").run_id.to_string(), RUN);
            assert!(lease(&aws, "linear-learner").expires_at > now(), "another run's");
            // The event arrives again when another run has the lease.
            put_lease(&aws, "xgboost", SOMEBODY, 12);
            assert_eq!(call(&aws, event).await.unwrap().outcome, Outcome::Duplicate);
            assert!(lease(&aws, "xgboost").expires_at > now());
        }
    }
}

#[tokio::test]
async fn a_lease_that_is_taken_over_at_this_moment_is_left() {
    let aws = in_service();
    put_lease(&aws, "xgboost", RUN, 12);
    aws.before("PutObject", &lease_key("xgboost"), |aws| {
        put_lease(aws, "xgboost", SOMEBODY, 12);
    });
    mail(&aws, ABORTED).await;
    assert_eq!(lease(&aws, "xgboost").run_id.to_string(), SOMEBODY);
    assert!(lease(&aws, "xgboost").expires_at > now());
}

#[tokio::test]
async fn an_event_that_comes_after_the_redrive_leaves_the_lease() {
    let aws = in_service();
    put_lease(&aws, "xgboost", RUN, 12);
    let execution = json!({
        "executionArn": "arn", "stateMachineArn": "arn", "status": "RUNNING", "startDate": 1_795_372_203.1, "input": "{}",
    });
    aws.reply("DescribeExecution", [Reply::json(200, execution)]);
    mail(&aws, ABORTED).await;
    assert!(lease(&aws, "xgboost").expires_at > now());
}

#[tokio::test]
async fn neither_a_lease_nor_a_mail_waits_for_the_other() {
    let event: Value = serde_json::from_str(ABORTED).unwrap();
    let aws = in_service();
    put_lease(&aws, "xgboost", RUN, 12);
    put_lease(&aws, "linear-learner", RUN, 12);
    aws.fail_next(
        "DescribeExecution",
        Reply::error(400, "AccessDeniedException", "not allowed"),
    );
    assert_eq!(
        call(&aws, event.clone()).await.unwrap_err().error_type(),
        "AwsCallFailed"
    );
    assert_eq!(aws.published().len(), 1);
    assert_eq!(lease(&aws, "linear-learner").expires_at, now());
    // Lambda calls again.
    assert_eq!(call(&aws, event.clone()).await.unwrap().outcome, Outcome::Duplicate);
    assert_eq!(lease(&aws, "xgboost").expires_at, now());

    let aws = in_service();
    put_lease(&aws, "xgboost", RUN, 12);
    aws.put_object(BUCKET, &lease_key("linear-learner"), "{");
    aws.fail_next("Publish", Reply::error(500, "InternalError", "try again"));
    call(&aws, event).await.unwrap_err();
    assert_eq!(lease(&aws, "xgboost").expires_at, now());
}

#[tokio::test]
async fn an_event_without_input_is_made_up_for_by_the_execution() {
    let event = include_str!("events/input-left-out.json");
    let aws = FakeAws::new();
    insta::assert_snapshot!("an_event_without_input", mail(&aws, event).await);
    assert!(aws.calls().iter().all(|call| call.service != "s3"), "there is no place");

    let input: Value = serde_json::from_str(SUCCEEDED).unwrap();
    let execution = json!({
        "executionArn": "arn", "stateMachineArn": "arn", "status": "FAILED", "startDate": 1_795_372_203.1,
        "input": input["detail"]["input"],
    });
    aws.reply("DescribeExecution", [Reply::json(200, execution)]);
    assert!(mail(&aws, event).await.contains("used-car-price: run"));

    aws.fail_next(
        "DescribeExecution",
        Reply::error(400, "AccessDeniedException", "not allowed"),
    );
    let error = call(&aws, serde_json::from_str(event).unwrap()).await.unwrap_err();
    assert_eq!(error.error_type(), "AwsCallFailed");
}

#[tokio::test]
async fn the_command_that_approves_a_held_candidate_works_as_it_stands() {
    let aws = in_service();
    decide(&aws, "xgboost", Some("held"), "year has drifted");
    let mail = mail(&aws, include_str!("events/model-failed.json")).await;
    let command = format!("drivetrain approve used-car-price xgboost {RUN} --reason \"...\" --stack dev (or reject)");
    assert!(mail.contains(&command), "{mail}");
}

#[tokio::test]
async fn a_training_run_has_a_row_a_model() {
    let aws = FakeAws::new();
    put_manifest(&aws, RUN, "training", &dropped("training"));
    let key = format!("used-car-price/runs/{RUN}/decisions/xgboost.json");
    let decision = json!({
        "bucket": BUCKET, "use_case": "used-car-price", "model": "xgboost", "run_id": RUN,
        "decision": "rejected-champion", "reason": "RMSE 7000.5 is not better than the champion's 6900.25",
        "threshold": {"metric": "validation:rmse", "value_rmse": 6950.5, "threshold_rmse": 8000.0, "passed": true},
        "comparison": {
            "candidate_rmse": 7000.5, "champion_rmse": 6900.25, "champion_run_id": "20261101t000000z-00000000",
            "holdout_rows": 790, "min_improvement": 0.0, "passed": false,
        },
        "decided_at": "2026-11-22T18:34:00Z",
    });
    aws.put_object_json(BUCKET, &key, &decision);
    mail(&aws, include_str!("events/model-failed.json")).await;
    insta::assert_snapshot!("rows_of_training", rows(&aws));
}

#[tokio::test]
async fn a_training_run_without_a_plan_has_one_row() {
    let aws = FakeAws::new();
    let mut event: Value = serde_json::from_str(include_str!("events/preprocess-failed.json")).unwrap();
    event["detail"]["input"] = json!({"use_case": "used-car-price"}).to_string().into();
    call(&aws, event).await.unwrap();
    let rows = rows(&aws);
    assert!(
        rows.contains(r#""model":"all""#) && rows.contains(r#""started_by":"unknown""#),
        "{rows}"
    );
    assert!(rows.contains("NoUsableRows"), "{rows}");
}

#[tokio::test]
async fn a_run_that_drift_has_started_says_so() {
    let aws = FakeAws::new();
    let source = json!({
        "drifted_model": "xgboost", "found_by": "20261122t170000z-5f3a9c01", "found_at": "2026-11-22T17:00:09Z",
    });
    put_manifest(&aws, RUN, "training", &source);
    mail(&aws, SUCCEEDED).await;
    let rows = rows(&aws);
    assert!(
        rows.contains(r#""started_by":"drift","source":"20261122t170000z-5f3a9c01""#),
        "{rows}"
    );
}

#[tokio::test]
async fn a_scored_file() {
    let aws = FakeAws::new();
    put_manifest(&aws, RUN, "scoring", &dropped("scoring"));
    put_summary(&aws, 1_000, &[], &[]);
    insta::assert_snapshot!(mail(&aws, SCORED).await);
    insta::assert_snapshot!("rows_of_scoring", rows(&aws));
}

#[tokio::test]
async fn a_scored_file_with_rejects_and_a_model_absent() {
    let aws = FakeAws::new();
    let reasons = [
        ("`year` is missing", 7),
        ("`drive` must be one of 4wd, fwd, rwd", 2),
        ("wrong number of fields", 1),
        ("a", 1),
        ("b", 1),
        ("c", 1),
    ];
    put_summary(&aws, 1_000, &reasons, &["linear-learner"]);
    insta::assert_snapshot!(mail(&aws, SCORED).await);
}

#[tokio::test]
async fn a_scoring_run_without_a_readable_summary() {
    let aws = FakeAws::new();
    insta::assert_snapshot!("no_summary", mail(&aws, SCORED).await);
    let aws = FakeAws::new();
    aws.put_object(BUCKET, &summary_key(), "{");
    let told = mail(&aws, SCORED).await;
    assert!(told.contains("is not what it should be"), "{told}");
    assert!(rows(&aws).contains(r#""scored_rows":null"#));
}

#[tokio::test]
async fn a_failed_scoring_run() {
    let aws = FakeAws::new();
    put_manifest(&aws, RUN, "scoring", &dropped("scoring"));
    insta::assert_snapshot!(mail(&aws, include_str!("events/scoring-failed.json")).await);
    let event: Value = serde_json::from_str(include_str!("events/scoring-failed.json")).unwrap();
    assert_eq!(call(&aws, event).await.unwrap().outcome, Outcome::Duplicate);
}

#[tokio::test]
async fn a_scoring_run_of_which_every_model_failed() {
    insta::assert_snapshot!(mail(&FakeAws::new(), include_str!("events/scoring-no-model.json")).await);
}

#[tokio::test]
async fn monitoring_runs_are_recorded_and_not_told_where_evaluate_drift_has() {
    for event in [
        include_str!("events/monitor-succeeded.json"),
        include_str!("events/monitor-analysis-failed.json"),
    ] {
        let aws = FakeAws::new();
        put_manifest(&aws, WATCH, "monitoring", &tick());
        let response = call(&aws, serde_json::from_str(event).unwrap()).await.unwrap();
        assert_eq!((response.outcome, response.subject), (Outcome::Recorded, None));
        assert!(aws.published().is_empty());
        let first = rows(&aws);
        insta::allow_duplicates! {
            insta::assert_snapshot!("rows_of_monitoring", first.replace("FAILED", "SUCCEEDED").replace(
                r#""the data analysis failed: its job has left no drift.json""#, "null"
            ));
        }
        call(&aws, serde_json::from_str(event).unwrap()).await.unwrap();
        assert_eq!(rows(&aws), first);
    }
}

#[tokio::test]
async fn a_monitoring_run_that_could_not_be_done_is_told_once_a_day() {
    let aws = FakeAws::new();
    let event = |minutes: i64| {
        let mut event: Value = serde_json::from_str(include_str!("events/monitor-broken.json")).unwrap();
        event["detail"]["stopDate"] = json!(1_795_372_455_456_i64 + minutes * 60_000);
        event
    };
    insta::assert_snapshot!("monitoring_broken", mail(&aws, &event(0).to_string()).await);
    assert_eq!(call(&aws, event(60)).await.unwrap().outcome, Outcome::Duplicate);
    assert_eq!(aws.published().len(), 1);
    // A different failure is a different finding.
    let mut timed_out = event(61);
    timed_out["detail"]["status"] = "TIMED_OUT".into();
    timed_out["detail"]["error"] = Value::Null;
    timed_out["detail"]["cause"] = Value::Null;
    assert_eq!(call(&aws, timed_out).await.unwrap().outcome, Outcome::Notified);
    assert_eq!(call(&aws, event(24 * 60 + 2)).await.unwrap().outcome, Outcome::Notified);
}

#[tokio::test]
async fn the_manifest_says_what_event_and_machine_do_not() {
    let aws = FakeAws::new();
    put_manifest(&aws, WATCH, "monitoring", &tick());
    let mut event: Value = serde_json::from_str(include_str!("events/monitor-broken.json")).unwrap();
    event["detail"]["stateMachineArn"] = Value::Null;
    event["detail"]["input"] = json!({"use_case": "used-car-price"}).to_string().into();
    call(&aws, event).await.unwrap();
    assert!(
        aws.object(BUCKET, "use-cases/used-car-price/models/xgboost/finding.json")
            .is_some()
    );
    assert!(rows(&aws).contains(r#""model":"xgboost""#));
}

#[tokio::test]
async fn rows_are_written_before_people_are_told() {
    let aws = FakeAws::new();
    aws.fail_next("PutObject", Reply::error(503, "SlowDown", "slow down"));
    let event: Value = serde_json::from_str(SUCCEEDED).unwrap();
    assert_eq!(call(&aws, event).await.unwrap_err().error_type(), "AwsCallFailed");
    assert!(aws.published().is_empty());
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

#[tokio::test]
async fn values_that_did_not_read_are_told() {
    let aws = FakeAws::new();
    decide(&aws, "xgboost", Some("exported"), "the first champion");
    let column = |name: &str| json!({"column": name, "values": 900, "unreadable": 40, "examples": ["12,5", "Tak"]});
    let columns: Vec<Value> = ["km", "b", "c", "d", "e", "f"].map(column).into();
    let summary = json!({"rows": {"read": 2100}, "unreadable": columns});
    aws.put_object_json(
        BUCKET,
        &format!("used-car-price/runs/{RUN}/data/summary/summary.json"),
        &summary,
    );
    let told = mail(&aws, SUCCEEDED).await;
    let line = "40 of 900 values of `km` didn't read: `12,5`, `Tak`";
    assert!(told.contains(&format!("unreadable:    {line}\n")), "{told}");
    assert!(told.contains("unreadable:    1 more column\n"), "{told}");
    assert!(
        rows(&aws).contains(&format!("the first champion; {line}; ")),
        "the dashboard shows reasons"
    );

    let aws = FakeAws::new();
    put_manifest(&aws, RUN, "scoring", &dropped("scoring"));
    put_summary(&aws, 1_000, &[("`km` must be a number", 40)], &[]);
    let summary = aws.object(BUCKET, &summary_key()).unwrap();
    let mut summary: Value = serde_json::from_slice(&summary).unwrap();
    summary["unreadable"] = json!([column("km")]);
    aws.put_object_json(BUCKET, &summary_key(), &summary);
    assert!(mail(&aws, SCORED).await.contains(line));
    assert!(rows(&aws).contains(line));
}

#[tokio::test]
async fn rows_that_were_left_out_are_told() {
    let aws = FakeAws::new();
    decide(&aws, "xgboost", Some("exported"), "the first champion");
    let mut summary = json!({
        "rows": {"read": 3_000, "duplicates": 120},
        "dropped": {"no usable area": 24, "a price above 1400000": 410, "a": 1, "b": 1, "c": 1, "d": 1},
        "unreadable": [],
    });
    let key = format!("used-car-price/runs/{RUN}/data/summary/summary.json");
    aws.put_object_json(BUCKET, &key, &summary);
    let told = mail(&aws, SUCCEEDED).await;
    for line in [
        "left out:      410 of 3000 rows have a price above 1400000\n",
        "left out:      24 of 3000 rows have no usable area\n",
        "left out:      1 more reason\n",
        "duplicates:    120 of 3000 rows repeat others\n",
    ] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let row = rows(&aws);
    let reason = "the first champion; 410 of 3000 rows have a price above 1400000; 24 of 3000 rows have no usable area";
    assert!(row.contains(reason), "{row}");
    assert!(row.contains("120 of 3000 rows repeat others"), "{row}");

    // There is nothing to report if every row was trained on.
    let aws = FakeAws::new();
    summary["rows"]["duplicates"] = json!(0);
    summary["dropped"] = json!({});
    aws.put_object_json(BUCKET, &key, &summary);
    let told = mail(&aws, SUCCEEDED).await;
    assert!(!told.contains("left out:") && !told.contains("duplicates:"), "{told}");
}

#[tokio::test]
async fn drift_that_could_be_told_to_nobody_is_told_to_people() {
    let aws = FakeAws::new();
    let mut event: Value = serde_json::from_str(include_str!("events/monitor-broken.json")).unwrap();
    event["detail"]["error"] = "DriftUnannounced".into();
    event["detail"]["cause"] = "no training run could be asked for: Service unavailable".into();
    call(&aws, event).await.unwrap();
    let told = &aws.published()[0].message;
    assert!(
        told.contains("no training run could be asked for. Drop a file"),
        "{told}"
    );
    assert!(!told.contains("stays open"), "{told}");
}
