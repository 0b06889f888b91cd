//! The modes against an account in memory and a scripted SageMaker.

// Clippy's exception for tests does not include their helpers.
#![allow(clippy::unwrap_used)]

mod reconcile;
mod restore;

use check_endpoint::{Action, CheckEndpoint, Error, Look, Request, Response};
use contracts::{Champion, Lease, RunId};
use fake_aws::{FakeAws, Reply};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const CHAMPION: &str = "use-cases/used-car-price/models/xgboost/champion.json";
const LEASE: &str = "use-cases/used-car-price/models/xgboost/lease";
const OURS: &str = "20261122t183000z-ab12cd34";
const OLDER: &str = "20261101t000000z-00000000";
const NEWER: &str = "20261130t000000z-11111111";
const CONFIG: &str = "dev-used-car-price-xgboost-ab12cd34-conf-00";

const POLL_SECONDS: u32 = 15;

fn now() -> Timestamp {
    "2026-11-22T19:00:00Z".parse().unwrap()
}

fn event(name: &str) -> Value {
    let path = format!("{}/tests/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn answer(aws: &FakeAws, event: Value, now: Timestamp) -> Result<Response, Error> {
    let request: Request = serde_json::from_value(event).unwrap();
    let function = CheckEndpoint::new(
        &aws.sdk_config(),
        "bucket",
        "dev",
        "arn:aws:sns:us-east-1:123456789012:t",
    );
    function.handle(request, now).await
}

async fn ask(aws: &FakeAws, event: Value) -> Result<Look, Error> {
    match answer(aws, event, now()).await? {
        Response::Look(look) => Ok(look),
        other => panic!("{other:?} is no look"),
    }
}

fn endpoint(aws: &FakeAws, status: &str, config: &str) {
    let reply = json!({
        "EndpointName": "dev-used-car-price-xgboost-a1b2c3", "EndpointStatus": status, "EndpointConfigName": config,
        "FailureReason": "the container did not answer its ping",
    });
    aws.reply("DescribeEndpoint", [Reply::json(200, reply)]);
}

fn no_endpoint(aws: &FakeAws) {
    let reply = Reply::error(400, "ValidationException", "Could not find endpoint \"dev-…\".");
    aws.reply("DescribeEndpoint", [reply]);
}

fn running_on(aws: &FakeAws, instance_type: &str) {
    let variants = json!([{"VariantName": "main", "InstanceType": instance_type}]);
    aws.reply(
        "DescribeEndpointConfig",
        [Reply::json(200, json!({"ProductionVariants": variants}))],
    );
}

/// The lease, unless it has expired or was given back.
fn lease(aws: &FakeAws) -> Option<Lease> {
    let lease: Lease = serde_json::from_value(aws.object_json("bucket", LEASE)?).unwrap();
    Some(lease).filter(|lease| lease.expires_at > now())
}

fn leased_to(aws: &FakeAws, run: &str, since: Timestamp) {
    let lease = Lease::new(RunId::parse(run).unwrap(), since, POLL_SECONDS);
    aws.put_object_json("bucket", LEASE, &serde_json::to_value(lease).unwrap());
}

fn put_champion(aws: &FakeAws, run: &str) {
    let champion = Champion {
        use_case: "used-car-price".to_owned(),
        model: "xgboost".to_owned(),
        run_id: RunId::parse(run).unwrap(),
        config_version: "v".to_owned(),
        image: "image".to_owned(),
        training_job: "job".to_owned(),
        model_name: "pipeline".to_owned(),
        endpoint_name: "endpoint".to_owned(),
        endpoint_config: "config".to_owned(),
        variant_name: "main".to_owned(),
        schema_hash: "a1b2c3".to_owned(),
        columns: vec![],
        holdout_rmse: 4.0,
        holdout_rows: 2,
        holdout: None,
        holdout_reference_rmse: None,
        encoded_row_bytes: None,
        baselines: None,
        promoted_from: None,
        exported_at: Timestamp::UNIX_EPOCH,
        previous: None,
    };
    aws.put_object_json("bucket", CHAMPION, &serde_json::to_value(champion).unwrap());
}

#[tokio::test]
async fn the_first_run_takes_the_lease_and_creates() {
    let aws = FakeAws::new();
    no_endpoint(&aws);
    let answer = ask(&aws, event("prepare")).await.unwrap();
    assert_eq!(
        serde_json::to_value(answer).unwrap(),
        json!({
            "action": "create", "reason": "there is no such endpoint yet", "endpoint_status": "",
            "deregister_scaling": false, "begun": false,
        })
    );
    assert_eq!(
        lease(&aws),
        Some(Lease::new(RunId::parse(OURS).unwrap(), now(), POLL_SECONDS))
    );
}

#[tokio::test]
async fn every_status_comes_through_in_both_modes() {
    use Action::{Fail, Replace, RolledBack, Update, Wait};
    for (status, before, after) in [
        ("Creating", Wait, Wait),
        ("InService", Update, RolledBack),
        ("OutOfService", Update, Fail),
        ("Failed", Replace, Fail),
        ("UpdateRollbackFailed", Fail, Fail),
        ("Hibernating", Wait, Wait),
    ] {
        for (mode, expected) in [("prepare", before), ("verify", after)] {
            let aws = FakeAws::new();
            leased_to(&aws, OURS, now());
            endpoint(&aws, status, "dev-used-car-price-xgboost-00000000-conf-00");
            running_on(&aws, "ml.m5.large");
            let answer = ask(&aws, event(mode)).await.unwrap();
            assert_eq!(answer.action, expected, "{mode} {status}");
            assert_eq!(answer.endpoint_status, status);
            // It is given back on the way out, once the endpoint is in order.
            assert!(lease(&aws).is_some(), "{mode} {status}");
        }
    }
}

#[tokio::test]
async fn verified_is_in_service_on_the_configuration_asked_for() {
    let aws = FakeAws::new();
    leased_to(&aws, OURS, now() - SignedDuration::from_mins(10));
    endpoint(&aws, "InService", CONFIG);
    assert_eq!(ask(&aws, event("verify")).await.unwrap().action, Action::Verified);
    let renewed = Lease::new(RunId::parse(OURS).unwrap(), now(), POLL_SECONDS);
    assert_eq!(lease(&aws), Some(renewed), "kept until the export");

    // CheckEndpoint, retried after the deployment was finished.
    assert_eq!(ask(&aws, event("prepare")).await.unwrap().action, Action::Verify);
}

#[tokio::test]
async fn a_rollback_tells_sagemakers_reason() {
    let aws = FakeAws::new();
    leased_to(&aws, OURS, now());
    endpoint(&aws, "InService", "old-conf");
    let answer = ask(&aws, event("verify")).await.unwrap();
    assert_eq!(answer.action, Action::RolledBack);
    assert!(answer.reason.contains("on old-conf instead of"), "{}", answer.reason);
    assert!(answer.reason.contains("did not answer its ping"), "{}", answer.reason);
}

#[tokio::test]
async fn a_new_instance_type_needs_the_scaling_target_gone() {
    for (running, expected) in [("ml.m5.large", false), ("ml.c5.xlarge", true)] {
        let aws = FakeAws::new();
        endpoint(&aws, "InService", "old-conf");
        running_on(&aws, running);
        let answer = ask(&aws, event("prepare")).await.unwrap();
        assert_eq!((answer.action, answer.deregister_scaling), (Action::Update, expected));
        assert_eq!(
            aws.calls_of("DescribeEndpointConfig")[0].json()["EndpointConfigName"],
            "old-conf"
        );
    }
    let aws = FakeAws::new();
    endpoint(&aws, "InService", "old-conf");
    let gone = Reply::error(
        400,
        "ValidationException",
        "Could not find endpoint configuration \"old-conf\".",
    );
    aws.reply("DescribeEndpointConfig", [gone]);
    assert!(
        ask(&aws, event("prepare")).await.unwrap().deregister_scaling,
        "unknown: to be safe"
    );
}

#[tokio::test]
async fn a_lease_of_another_run_is_waited_for_and_taken_once_it_expires() {
    let aws = FakeAws::new();
    no_endpoint(&aws);
    leased_to(&aws, OLDER, now() - SignedDuration::from_mins(1));
    let answer = ask(&aws, event("prepare")).await.unwrap();
    assert_eq!(answer.action, Action::Wait);
    assert_eq!(
        answer.reason,
        format!("run {OLDER} holds the lease of the endpoint until 2026-11-22T19:14:30Z")
    );
    assert!(aws.calls_of("DescribeEndpoint").is_empty());

    leased_to(&aws, OLDER, now() - SignedDuration::from_mins(16));
    assert_eq!(ask(&aws, event("prepare")).await.unwrap().action, Action::Create);
    assert_eq!(lease(&aws).unwrap().run_id.to_string(), OURS);
}

#[tokio::test]
async fn of_two_runs_one_gets_the_lease() {
    let aws = FakeAws::new();
    no_endpoint(&aws);
    aws.before("PutObject", LEASE, |aws| leased_to(aws, NEWER, now()));
    assert_eq!(ask(&aws, event("prepare")).await.unwrap().action, Action::Wait);
    assert_eq!(lease(&aws).unwrap().run_id.to_string(), NEWER);
}

#[tokio::test]
async fn a_lost_lease_fails_the_run_and_stays_with_its_holder() {
    let aws = FakeAws::new();
    endpoint(&aws, "InService", CONFIG);
    leased_to(&aws, NEWER, now());
    let answer = ask(&aws, event("verify")).await.unwrap();
    assert_eq!(answer.action, Action::Fail);
    assert!(
        answer.reason.contains("lease of the endpoint was lost"),
        "{}",
        answer.reason
    );
    assert_eq!(lease(&aws).unwrap().run_id.to_string(), NEWER);
}

#[tokio::test]
async fn a_changed_champion_is_compared_with_again_and_a_newer_one_ends_the_run() {
    for (champion, etag, expected) in [
        (Some(NEWER), "", Action::Superseded),
        (Some(OLDER), "", Action::Recompare),
        (Some(OLDER), "\"another\"", Action::Recompare),
        (None, "\"gone\"", Action::Recompare),
        (Some(OURS), "\"another\"", Action::Create),
    ] {
        let aws = FakeAws::new();
        no_endpoint(&aws);
        if let Some(run) = champion {
            put_champion(&aws, run);
        }
        let mut request = event("prepare");
        request["champion_etag"] = json!(etag);
        let answer = ask(&aws, request).await.unwrap();
        assert_eq!(answer.action, expected, "{champion:?} {etag}");
        assert!(lease(&aws).is_some(), "{champion:?} {etag}");
    }
}

#[tokio::test]
async fn verification_never_takes_a_lease_that_was_another_runs_meanwhile() {
    // The older run's update was delayed; the newer run has exported and given back the lease.
    let aws = FakeAws::new();
    leased_to(&aws, NEWER, now() - SignedDuration::from_hours(1));
    put_champion(&aws, NEWER);
    endpoint(&aws, "InService", CONFIG);
    let answer = ask(&aws, event("verify")).await.unwrap();
    assert_eq!(answer.action, Action::Superseded);
    assert!(answer.reason.contains(NEWER), "{}", answer.reason);
    assert_eq!(lease(&aws), None);

    // The same, but the other run has exported nothing.
    let aws = FakeAws::new();
    leased_to(&aws, NEWER, now() - SignedDuration::from_hours(1));
    endpoint(&aws, "InService", CONFIG);
    assert_eq!(ask(&aws, event("verify")).await.unwrap().action, Action::Fail);
}

#[tokio::test]
async fn verification_reads_the_champion_again() {
    for (champion, expected) in [
        (NEWER, Action::Superseded),
        (OLDER, Action::Recompare),
        (OURS, Action::Verified),
    ] {
        let aws = FakeAws::new();
        leased_to(&aws, OURS, now());
        put_champion(&aws, champion);
        endpoint(&aws, "InService", CONFIG);
        let answer = ask(&aws, event("verify")).await.unwrap();
        assert_eq!(answer.action, expected, "{champion}");
    }
}

#[tokio::test]
async fn an_execution_planned_before_champions_were_read_again_is_verified() {
    let aws = FakeAws::new();
    leased_to(&aws, OURS, now());
    put_champion(&aws, OLDER);
    endpoint(&aws, "InService", CONFIG);
    let mut request = event("verify");
    let fields = request.as_object_mut().unwrap();
    fields.remove("champion_etag");
    fields.remove("poll_seconds");
    assert_eq!(ask(&aws, request).await.unwrap().action, Action::Verified);
}

#[tokio::test]
async fn the_champion_it_was_compared_with_is_no_obstacle() {
    let aws = FakeAws::new();
    no_endpoint(&aws);
    put_champion(&aws, OLDER);
    let mut request = event("prepare");
    request["champion_etag"] = json!(aws.etag("bucket", CHAMPION).unwrap());
    assert_eq!(ask(&aws, request).await.unwrap().action, Action::Create);
}

#[tokio::test]
async fn a_failed_call_is_never_a_missing_endpoint() {
    for (code, message) in [
        ("ThrottlingException", "Rate exceeded"),
        (
            "AccessDeniedException",
            "not authorized to perform: sagemaker:DescribeEndpoint",
        ),
        ("ValidationException", "1 validation error detected"),
    ] {
        let aws = FakeAws::new();
        leased_to(&aws, OURS, now());
        aws.reply("DescribeEndpoint", [Reply::error(400, code, message)]);
        for mode in ["prepare", "verify"] {
            let error = ask(&aws, event(mode)).await.unwrap_err();
            assert_eq!(error.error_type(), "AwsCallFailed", "{mode} {code}");
        }
    }
}
