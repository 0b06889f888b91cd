//! The way out of a run that has exported nothing.

use super::*;
use contracts::Decision;

const DECISION: &str = "used-car-price/runs/20261122t183000z-ab12cd34/decisions/xgboost.json";

const POINTER: &str = "/drivetrain/dev/used-car-price/config";

/// An account in which the run has been judged and holds the lease, and in which the champion is the older run's.
fn deployed() -> FakeAws {
    let aws = FakeAws::new();
    onboarded(&aws);
    let decision = json!({
        "bucket": "bucket", "use_case": "used-car-price", "model": "xgboost", "run_id": OURS, "reason": "better",
        "decided_at": now(),
    });
    aws.put_object_json("bucket", DECISION, &decision);
    put_champion(&aws, OLDER);
    leased_to(&aws, OURS, now());
    for operation in ["UpdateEndpoint", "CreateEndpoint", "DeleteEndpoint"] {
        aws.reply(operation, [Reply::json(200, json!({"EndpointArn": "arn"}))]);
    }
    aws
}

fn onboarded(aws: &FakeAws) {
    let pointer = json!({"uri": "s3://bucket/use-cases/used-car-price/config.json", "version_id": "v", "sha256": "0"});
    aws.put_parameter(POINTER, &pointer.to_string());
}

fn serves(aws: &FakeAws) -> Option<String> {
    let decision: Decision = serde_json::from_value(aws.object_json("bucket", DECISION).unwrap()).unwrap();
    decision.serves
}

fn begun() -> Value {
    let mut request = event("restore");
    request["begun"] = json!(true);
    request
}

#[tokio::test]
async fn the_endpoint_goes_back_to_the_champion_and_then_the_lease_is_given_back() {
    let aws = deployed();
    endpoint(&aws, "InService", CONFIG);
    running_on(&aws, "ml.m5.large");
    let look = ask(&aws, event("restore")).await.unwrap();
    assert_eq!((look.action, look.begun), (Action::Wait, true), "{look:?}");
    let update = aws.calls_of("UpdateEndpoint")[0].json();
    assert_eq!(
        (&update["EndpointName"], &update["EndpointConfigName"]),
        (&json!("endpoint"), &json!("config"))
    );
    assert_eq!(update["RetainAllVariantProperties"], true);
    assert!(lease(&aws).is_some());
    assert_eq!(serves(&aws), None);

    endpoint(&aws, "Updating", "config");
    let look = ask(&aws, begun()).await.unwrap();
    assert_eq!((look.action, look.begun), (Action::Wait, true));

    endpoint(&aws, "InService", "config");
    assert_eq!(ask(&aws, begun()).await.unwrap().action, Action::Serving);
    assert_eq!(lease(&aws), None);
    assert!(serves(&aws).unwrap().starts_with(&format!("champion {OLDER} serves")));
    assert_eq!(aws.calls_of("UpdateEndpoint").len(), 1);
}

#[tokio::test]
async fn an_older_run_that_updated_after_a_newer_export_brings_the_newer_champion_back() {
    let aws = deployed();
    put_champion(&aws, NEWER);
    // The newer run has given back its lease.
    leased_to(&aws, NEWER, now() - SignedDuration::from_hours(1));
    endpoint(&aws, "InService", CONFIG);
    running_on(&aws, "ml.m5.large");
    assert_eq!(ask(&aws, event("restore")).await.unwrap().action, Action::Wait);
    assert_eq!(aws.calls_of("UpdateEndpoint")[0].json()["EndpointConfigName"], "config");
}

#[tokio::test]
async fn another_runs_lease_is_left_alone() {
    let aws = deployed();
    leased_to(&aws, NEWER, now());
    endpoint(&aws, "InService", CONFIG);
    assert_eq!(ask(&aws, event("restore")).await.unwrap().action, Action::Left);
    assert!(aws.calls_of("DescribeEndpoint").is_empty());
    assert_eq!(lease(&aws).unwrap().run_id.to_string(), NEWER);
    assert!(serves(&aws).unwrap().contains(NEWER));
}

#[tokio::test]
async fn what_serves_the_champion_is_not_touched() {
    let aws = deployed();
    endpoint(&aws, "InService", "config");
    assert_eq!(ask(&aws, event("restore")).await.unwrap().action, Action::Serving);
    assert!(aws.calls_of("UpdateEndpoint").is_empty());
    assert_eq!(lease(&aws), None);
}

#[tokio::test]
async fn a_run_without_a_champion_leaves_nothing_to_bring_back() {
    let aws = FakeAws::new();
    onboarded(&aws);
    leased_to(&aws, OURS, now());
    let look = ask(&aws, event("restore")).await.unwrap();
    assert_eq!(look.action, Action::Left);
    assert!(look.reason.contains("there is no champion"), "{look:?}");
    assert_eq!(lease(&aws), None);
    // It was not judged, so there is no decision to write to.
    assert_eq!(aws.object_json("bucket", DECISION), None);
}

#[tokio::test]
async fn an_endpoint_that_was_deleted_to_be_replaced_is_made_again() {
    let aws = deployed();
    no_endpoint(&aws);
    let look = ask(&aws, event("restore")).await.unwrap();
    assert_eq!((look.action, look.begun), (Action::Wait, true));
    let create = aws.calls_of("CreateEndpoint")[0].json();
    assert_eq!(create["EndpointConfigName"], "config");
    assert!(
        create["Tags"]
            .as_array()
            .unwrap()
            .contains(&json!({"Key": "drivetrain:stack", "Value": "dev"}))
    );

    endpoint(&aws, "Failed", "config");
    assert_eq!(ask(&aws, begun()).await.unwrap().action, Action::Stuck);
    assert!(aws.calls_of("DeleteEndpoint").is_empty(), "left for people to look at");
}

#[tokio::test]
async fn a_champion_of_another_instance_type_loses_the_scaling_target_in_its_way() {
    let aws = deployed();
    endpoint(&aws, "InService", CONFIG);
    let variants = |instance_type: &str| {
        Reply::json(
            200,
            json!({"ProductionVariants": [{"VariantName": "main", "InstanceType": instance_type}]}),
        )
    };
    aws.reply(
        "DescribeEndpointConfig",
        [variants("ml.c5.xlarge"), variants("ml.m5.large")],
    );
    aws.reply("DeregisterScalableTarget", [Reply::json(200, json!({}))]);
    assert_eq!(ask(&aws, event("restore")).await.unwrap().action, Action::Wait);
    let target = aws.calls_of("DeregisterScalableTarget")[0].json();
    assert_eq!(target["ResourceId"], "endpoint/endpoint/variant/main");
}

#[tokio::test]
async fn what_can_not_be_brought_back_is_told() {
    // The way back was rolled back; or a quota refuses it.
    for (quota, request) in [(false, begun()), (true, event("restore"))] {
        let aws = deployed();
        endpoint(&aws, "InService", CONFIG);
        running_on(&aws, "ml.m5.large");
        if quota {
            let refusal = Reply::error(400, "ResourceLimitExceeded", "The account-level service limit is 0.");
            aws.reply("UpdateEndpoint", [refusal]);
        }
        assert_eq!(ask(&aws, request).await.unwrap().action, Action::Stuck, "{quota}");
        let told = serves(&aws).unwrap();
        assert!(told.contains(&format!("on {CONFIG} instead of config")), "{told}");
        assert_eq!(told.contains("service limit is 0"), quota, "{told}");
        assert_eq!(lease(&aws), None, "the tick tries again");
    }
}

#[tokio::test]
async fn a_failed_call_keeps_the_lease_and_is_tried_again() {
    let aws = deployed();
    endpoint(&aws, "InService", CONFIG);
    running_on(&aws, "ml.m5.large");
    aws.reply(
        "UpdateEndpoint",
        [Reply::error(400, "ThrottlingException", "Rate exceeded")],
    );
    assert_eq!(
        ask(&aws, event("restore")).await.unwrap_err().error_type(),
        "AwsCallFailed"
    );
    assert!(lease(&aws).is_some());
}

/// Endpoints of this model and of another one, and SageMaker's answer to their deletion.
fn listed(aws: &FakeAws, deletion: Reply) {
    let listed = |name: &str| {
        json!({"EndpointName": name, "EndpointArn": format!("arn:{name}"), "EndpointStatus": "InService",
        "CreationTime": 0, "LastModifiedTime": 0})
    };
    let endpoints = json!({"Endpoints": [listed("dev--cars-xgboost"), listed("dev--cars-linear-learner")]});
    aws.reply("ListEndpoints", [Reply::json(200, endpoints)]);
    for model in ["xgboost", "linear-learner"] {
        let name = format!("dev--cars-{model}");
        let found = json!({
            "EndpointName": name, "EndpointArn": format!("arn:{name}"), "EndpointStatus": "InService",
            "EndpointConfigName": CONFIG, "ProductionVariants": [{"VariantName": "main"}],
        });
        aws.reply_to("DescribeEndpoint", &name, [Reply::json(200, found)]);
        let tags = json!([
            {"Key": "drivetrain:stack", "Value": "dev"}, {"Key": "drivetrain:use-case", "Value": "used-car-price"},
            {"Key": "drivetrain:model", "Value": model},
        ]);
        aws.reply_to("ListTags", &name, [Reply::json(200, json!({"Tags": tags}))]);
    }
    aws.reply("DeregisterScalableTarget", [Reply::json(200, json!({}))]);
    aws.reply("DeleteEndpoint", [deletion]);
}

#[tokio::test]
async fn the_endpoint_of_a_use_case_that_was_removed_goes_with_the_run_that_held_it() {
    let refusal = Reply::error(
        400,
        "ValidationException",
        "Cannot delete an endpoint that is Updating.",
    );
    for (deletion, says) in [(Reply::json(200, json!({})), "are deleted"), (refusal, "the tick")] {
        let aws = deployed();
        aws.reply("GetParameter", [Reply::error(400, "ParameterNotFound", "gone")]);
        listed(&aws, deletion);
        assert_eq!(ask(&aws, event("restore")).await.unwrap().action, Action::Left);
        let deleted: Vec<Value> = aws
            .calls_of("DeleteEndpoint")
            .iter()
            .map(fake_aws::Request::json)
            .collect();
        assert_eq!(deleted, [json!({"EndpointName": "dev--cars-xgboost"})]);
        assert!(aws.calls_of("UpdateEndpoint").is_empty() && aws.calls_of("CreateEndpoint").is_empty());
        let told = serves(&aws).unwrap();
        assert!(told.contains("was removed") && told.contains(says), "{told}");
        assert_eq!(lease(&aws), None);
    }
}
