//! The tick: compares champions with endpoints, and retires unused endpoints.

use super::*;
use check_endpoint::Reconciled;
use contracts::ConfigPointer;

const SEEN: &str = "platform/endpoints.json";
/// A name from the time before names began with `<stack>--`.
const OLD_NAME: &str = "dev-used-car-price-xgboost-a1b2c3";

/// An account with a use case, whose champion of `run` is served by the endpoint `endpoint`.
fn onboarded(run: &str) -> FakeAws {
    let aws = FakeAws::new();
    let source = include_str!("../../../start-run/tests/documents/used-car-price.json");
    let key = "use-cases/used-car-price/config.json";
    let version_id = aws.put_object("bucket", key, source.as_bytes());
    let pointer = ConfigPointer {
        onboarding: None,
        uri: format!("s3://bucket/{key}"),
        version_id,
        sha256: contracts::pointer::sha256(source.as_bytes()),
    };
    aws.put_parameter(
        "/drivetrain/dev/used-car-price/config",
        &serde_json::to_string(&pointer).unwrap(),
    );
    put_champion(&aws, run);
    listed(&aws, &["endpoint"]);
    running_on(&aws, "ml.m5.large");
    for operation in [
        "UpdateEndpoint",
        "CreateEndpoint",
        "DeleteEndpoint",
        "DeregisterScalableTarget",
    ] {
        aws.reply(operation, [Reply::json(200, json!({"EndpointArn": "arn"}))]);
    }
    aws
}

fn listed(aws: &FakeAws, names: &[&str]) {
    let endpoints: Vec<Value> = names
        .iter()
        .map(|name| {
            json!({
                "EndpointName": name, "EndpointStatus": "InService", "EndpointArn": format!("arn:{name}"),
                "CreationTime": 1, "LastModifiedTime": 1,
            })
        })
        .collect();
    aws.reply("ListEndpoints", [Reply::json(200, json!({"Endpoints": endpoints}))]);
}

fn tagged(aws: &FakeAws, stack: &str, model: &str) {
    let tags = json!([
        {"Key": "drivetrain:stack", "Value": stack}, {"Key": "drivetrain:use-case", "Value": "used-car-price"},
        {"Key": "drivetrain:model", "Value": model},
    ]);
    aws.reply("ListTags", [Reply::json(200, json!({"Tags": tags}))]);
}

fn described(aws: &FakeAws, status: &str, config: &str) {
    let reply = json!({
        "EndpointName": "it", "EndpointArn": "arn:it", "EndpointStatus": status, "EndpointConfigName": config,
        "ProductionVariants": [{"VariantName": "main"}],
    });
    aws.reply("DescribeEndpoint", [Reply::json(200, reply)]);
}

async fn tick_at(aws: &FakeAws, now: Timestamp) -> Result<Reconciled, Error> {
    match answer(aws, json!({"mode": "reconcile"}), now).await? {
        Response::Reconciled(done) => Ok(done),
        other => panic!("{other:?} is no tick's"),
    }
}

async fn tick(aws: &FakeAws) -> Reconciled {
    tick_at(aws, now()).await.unwrap()
}

fn subjects(aws: &FakeAws) -> Vec<String> {
    aws.published()
        .iter()
        .map(|it| it.subject.clone().unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn what_serves_its_champion_is_left_alone() {
    let aws = onboarded(OLDER);
    described(&aws, "InService", "config");
    assert_eq!(tick(&aws).await, Reconciled::default());
    assert!(aws.published().is_empty());
    assert_eq!(aws.object_json("bucket", SEEN), None);
    assert_eq!(aws.object_json("bucket", LEASE), None, "no lease is taken to look");
}

#[tokio::test]
async fn what_an_aborted_run_left_behind_is_mended_and_told_once() {
    let aws = onboarded(OLDER);
    // The run was stopped between its update and its export; its lease has expired.
    leased_to(&aws, OURS, now() - SignedDuration::from_mins(20));
    described(&aws, "InService", CONFIG);
    assert_eq!(tick(&aws).await.mended, ["endpoint"]);
    assert_eq!(aws.calls_of("UpdateEndpoint")[0].json()["EndpointConfigName"], "config");
    assert_eq!(lease(&aws), None, "the lease is given back");
    assert_eq!(
        subjects(&aws),
        ["[drivetrain] used-car-price: xgboost: the endpoint is being brought back to its champion"]
    );

    described(&aws, "Updating", "config");
    assert_eq!(tick(&aws).await, Reconciled::default());
    described(&aws, "InService", "config");
    tick(&aws).await;
    tick(&aws).await;
    assert_eq!(subjects(&aws).len(), 2);
    assert!(subjects(&aws)[1].ends_with("the endpoint serves its champion again"));
}

#[tokio::test]
async fn a_running_run_is_not_disturbed() {
    let aws = onboarded(OLDER);
    leased_to(&aws, OURS, now());
    described(&aws, "InService", CONFIG);
    listed(&aws, &["endpoint", "dev--used-car-price-xgboost-abc"]);
    tagged(&aws, "dev", "xgboost");
    assert_eq!(tick(&aws).await, Reconciled::default());
    assert!(aws.calls_of("UpdateEndpoint").is_empty() && aws.published().is_empty());
}

#[tokio::test]
async fn a_champion_exported_meanwhile_is_not_undone() {
    let aws = onboarded(OLDER);
    described(&aws, "InService", CONFIG);
    aws.before("PutObject", LEASE, |aws| put_champion(aws, OURS));
    assert_eq!(tick(&aws).await, Reconciled::default());
    assert!(aws.calls_of("UpdateEndpoint").is_empty());
}

#[tokio::test]
async fn what_sagemaker_goes_back_from_is_tried_three_times_and_told_twice() {
    let aws = onboarded(OLDER);
    described(&aws, "InService", CONFIG);
    for _ in 0..6 {
        tick(&aws).await;
    }
    assert_eq!(aws.calls_of("UpdateEndpoint").len(), 3);
    assert_eq!(subjects(&aws).len(), 2);
    assert!(subjects(&aws)[1].ends_with("the endpoint does not serve its champion"));
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_made_again() {
    let aws = onboarded(OLDER);
    no_endpoint(&aws);
    assert_eq!(tick(&aws).await.mended, ["endpoint"]);
    assert_eq!(aws.calls_of("CreateEndpoint")[0].json()["EndpointConfigName"], "config");
    let mail = &aws.published()[0].message;
    assert!(mail.contains("Until then this model gives no answers."), "{mail}");
    assert!(!mail.contains("another's"), "{mail}");
}

#[tokio::test]
async fn the_notice_says_who_answers_until_an_endpoint_is_back() {
    for (status, told) in [
        ("InService", "Until then, answers of this model may be another's."),
        ("OutOfService", "Until then this model gives no answers."),
        ("Failed", "Until then this model gives no answers."),
    ] {
        let aws = onboarded(OLDER);
        described(&aws, status, CONFIG);
        assert_eq!(tick(&aws).await.mended, ["endpoint"]);
        let mail = &aws.published()[0].message;
        assert!(mail.contains(told), "{status}: {mail}");
    }
}

#[tokio::test]
async fn an_endpoint_that_nobody_reads_is_retired_after_a_day_and_told() {
    let aws = onboarded(OLDER);
    described(&aws, "InService", "config");
    listed(&aws, &["endpoint", OLD_NAME]);
    tagged(&aws, "dev", "xgboost");
    assert_eq!(tick(&aws).await.unread, [OLD_NAME]);
    let day = SignedDuration::from_hours(24);
    assert_eq!(
        tick_at(&aws, now() + day - SignedDuration::from_mins(1)).await.unwrap(),
        Reconciled::default()
    );
    assert_eq!(subjects(&aws).len(), 1);
    assert!(aws.published()[0].message.contains("2026-11-23T19:00:00Z"));

    assert_eq!(tick_at(&aws, now() + day).await.unwrap().retired, [OLD_NAME]);
    assert_eq!(aws.calls_of("DeleteEndpoint")[0].json()["EndpointName"], OLD_NAME);
    let target = aws.calls_of("DeregisterScalableTarget")[0].json();
    assert_eq!(target["ResourceId"], format!("endpoint/{OLD_NAME}/variant/main"));
    assert!(subjects(&aws)[1].ends_with("an endpoint was retired"));
    let lease: Lease = serde_json::from_value(aws.object_json("bucket", LEASE).unwrap()).unwrap();
    assert_eq!(lease.expires_at, now() + day, "given back");
}

#[tokio::test]
async fn what_a_champion_names_again_is_kept() {
    let aws = onboarded(OLDER);
    described(&aws, "InService", "config");
    listed(&aws, &["endpoint", OLD_NAME]);
    tagged(&aws, "dev", "xgboost");
    tick(&aws).await;
    listed(&aws, &["endpoint"]);
    tick(&aws).await;
    listed(&aws, &["endpoint", OLD_NAME]);
    let later = now() + SignedDuration::from_hours(30);
    let done = tick_at(&aws, later).await.unwrap();
    assert_eq!(
        (done.unread, done.retired),
        (vec![OLD_NAME.to_owned()], vec![]),
        "a day of grace begins anew"
    );
}

#[tokio::test]
async fn the_champion_of_a_model_or_use_case_that_was_removed_is_nobodys() {
    for removed in ["model", "use case"] {
        let aws = onboarded(OLDER);
        described(&aws, "InService", CONFIG);
        tagged(&aws, "dev", "xgboost");
        if removed == "model" {
            let champion = aws.object_json("bucket", CHAMPION).unwrap();
            aws.delete_object("bucket", CHAMPION);
            aws.put_object_json("bucket", &CHAMPION.replace("xgboost", "gone"), &champion);
            tagged(&aws, "dev", "gone");
        } else {
            aws.reply("GetParameter", [Reply::error(400, "ParameterNotFound", "")]);
        }
        listed(&aws, &["dev--used-car-price-xgboost-abc"]);
        let done = tick(&aws).await;
        assert_eq!(done.unread, ["dev--used-car-price-xgboost-abc"], "{removed}");
        assert!(aws.calls_of("UpdateEndpoint").is_empty(), "{removed}");
        assert_eq!(
            tick_at(&aws, now() + SignedDuration::from_hours(24))
                .await
                .unwrap()
                .retired
                .len(),
            1,
            "{removed}"
        );
    }
}

#[tokio::test]
async fn what_is_not_the_stacks_by_its_tag_is_never_deleted() {
    for stack in ["dev-b", "other"] {
        let aws = onboarded(OLDER);
        described(&aws, "InService", "config");
        listed(&aws, &["endpoint", "dev-b-cars-xgboost-a1b2c3", "my-dev-endpoint"]);
        tagged(&aws, stack, "xgboost");
        for hours in [0, 24, 48] {
            let done = tick_at(&aws, now() + SignedDuration::from_hours(hours)).await.unwrap();
            assert_eq!(done, Reconciled::default());
        }
    }
}

#[tokio::test]
async fn what_is_not_known_to_be_unread_is_not_retired() {
    let aws = onboarded(OLDER);
    described(&aws, "InService", "config");
    aws.put_parameter("/drivetrain/dev/used-car-price/config", "no pointer");
    listed(&aws, &["endpoint", "dev--used-car-price-xgboost-abc"]);
    tagged(&aws, "dev", "xgboost");
    for hours in [0, 24, 48] {
        let later = now() + SignedDuration::from_hours(hours);
        assert_eq!(tick_at(&aws, later).await.unwrap(), Reconciled::default());
        aws.fail_next("GetParameter", Reply::error(400, "AccessDeniedException", "no"));
        assert_eq!(tick_at(&aws, later).await.unwrap_err().error_type(), "AwsCallFailed");
    }
    assert!(aws.calls_of("DeleteEndpoint").is_empty());
}

#[tokio::test]
async fn a_champion_of_before_names_were_hashed_goes_on_and_is_mended() {
    let aws = onboarded(OLDER);
    let mut champion = aws.object_json("bucket", CHAMPION).unwrap();
    champion["endpoint_name"] = json!(OLD_NAME);
    for later in ["holdout", "promoted_from", "baselines"] {
        champion.as_object_mut().unwrap().remove(later);
    }
    aws.put_object_json("bucket", CHAMPION, &champion);
    listed(&aws, &[OLD_NAME]);
    described(&aws, "InService", "config");
    assert_eq!(tick(&aws).await, Reconciled::default());
    described(&aws, "InService", CONFIG);
    assert_eq!(tick(&aws).await.mended, [OLD_NAME]);

    // The next run makes an endpoint with the new name in addition.
    let aws = FakeAws::new();
    aws.put_object_json("bucket", CHAMPION, &champion);
    no_endpoint(&aws);
    let mut request = event("prepare");
    request["endpoint_name"] = json!("dev--used-car-price-xgboost-abc");
    request["champion_etag"] = json!(aws.etag("bucket", CHAMPION).unwrap());
    assert_eq!(ask(&aws, request).await.unwrap().action, Action::Create);
}

#[tokio::test]
async fn the_endpoints_of_a_use_case_that_is_removed_go_but_a_runs() {
    let offboard = json!({"mode": "offboard", "use_case": "used-car-price"});
    let aws = onboarded(OLDER);
    described(&aws, "InService", "config");
    listed(&aws, &[OLD_NAME]);
    tagged(&aws, "dev", "xgboost");
    let refused = answer(&aws, offboard.clone(), now()).await.unwrap_err();
    assert_eq!(refused.error_type(), "UseCaseOnboarded");

    aws.reply("GetParameter", [Reply::error(400, "ParameterNotFound", "")]);
    leased_to(&aws, OURS, now());
    let done = serde_json::to_value(answer(&aws, offboard.clone(), now()).await.unwrap()).unwrap();
    assert_eq!(done, json!({"deleted": [], "held": [OLD_NAME]}));

    let later = now() + SignedDuration::from_hours(1);
    let done = serde_json::to_value(answer(&aws, offboard, later).await.unwrap()).unwrap();
    assert_eq!(done, json!({"deleted": [OLD_NAME], "held": []}));
    let target = aws.calls_of("DeregisterScalableTarget")[0].json();
    assert_eq!(target["ResourceId"], format!("endpoint/{OLD_NAME}/variant/main"));
}

async fn onboard(aws: &FakeAws) -> check_endpoint::Onboarded {
    let request = json!({"mode": "onboard", "use_case": "used-car-price"});
    match answer(aws, request, now()).await.unwrap() {
        Response::Onboarded(done) => done,
        other => panic!("{other:?} is not of onboarding"),
    }
}

#[tokio::test]
async fn onboarding_makes_the_endpoints_of_champions_that_are_there_at_once_and_mails_nobody() {
    let aws = onboarded(OLDER);
    described(&aws, "Deleting", "config");
    let done = onboard(&aws).await;
    assert_eq!(
        done.deleting,
        [format!("endpoint endpoint of champion {OLDER} is Deleting")]
    );
    assert!(aws.calls_of("CreateEndpoint").is_empty());

    no_endpoint(&aws);
    let done = onboard(&aws).await;
    assert_eq!(done.begun, [format!("endpoint endpoint of champion {OLDER} is gone")]);
    assert_eq!(aws.calls_of("CreateEndpoint")[0].json()["EndpointConfigName"], "config");
    assert_eq!(lease(&aws), None, "the lease is given back");

    described(&aws, "Creating", "config");
    assert_eq!(onboard(&aws).await.moving.len(), 1);
    described(&aws, "InService", "config");
    assert_eq!(onboard(&aws).await, check_endpoint::Onboarded::default());
    assert_eq!(aws.calls_of("CreateEndpoint").len(), 1);
    assert!(aws.published().is_empty());
}

#[tokio::test]
async fn onboarding_leaves_what_a_run_is_at_and_says_what_can_not_be_done() {
    let aws = onboarded(OLDER);
    no_endpoint(&aws);
    leased_to(&aws, OURS, now());
    let done = onboard(&aws).await;
    assert!(done.moving[0].contains(OURS), "{done:?}");
    assert!(aws.calls_of("CreateEndpoint").is_empty());

    let aws = onboarded(OLDER);
    no_endpoint(&aws);
    let refusal = Reply::error(400, "ResourceLimitExceeded", "The account-level service limit is 0.");
    aws.reply("CreateEndpoint", [refusal]);
    let done = onboard(&aws).await;
    assert!(done.stuck[0].contains("service limit is 0"), "{done:?}");

    // A use case that was never stored has no endpoints.
    let aws = FakeAws::new();
    assert_eq!(onboard(&aws).await, check_endpoint::Onboarded::default());
}
