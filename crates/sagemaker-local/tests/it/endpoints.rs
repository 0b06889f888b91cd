//! Endpoints as callers see them: statuses, answers, updates, capture.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::serving::{ServingServer, pause, variant, with};

/// A server with an endpoint `cars` of the model `one` (factor 1), and the configurations `one`, `two` and `dead`.
async fn server() -> Arc<ServingServer> {
    let server = ServingServer::start().await;
    for (name, factor) in [("one", 1), ("two", 2)] {
        server.create_model(name, factor).await;
        server.create_config(name, name, &capture(name)).await;
    }
    server
        .create_pipeline("dead", &[json!({"Image": "never-healthy"})])
        .await;
    server.create_config("dead", "dead", &json!({})).await;
    server.create_endpoint("cars", "one").await;
    Arc::new(server)
}

fn capture(prefix: &str) -> Value {
    json!({"DataCaptureConfig": {
        "EnableCapture": true,
        "InitialSamplingPercentage": 100,
        "DestinationS3Uri": format!("s3://bucket/capture/{prefix}"),
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
    }})
}

fn update(config: &str, more: &Value) -> Value {
    with(json!({"EndpointName": "cars", "EndpointConfigName": config}), more)
}

/// The records captured below a prefix, once there are `count`.
async fn captured(server: &ServingServer, prefix: &str, count: usize) -> Vec<Value> {
    loop {
        let files = server.s3.keys(prefix);
        let lines: Vec<Value> = files
            .iter()
            .flat_map(|path| lines(server, path))
            .map(|line| serde_json::from_str(&line).unwrap())
            .collect();
        if lines.len() >= count {
            return lines;
        }
        pause().await;
    }
}

fn lines(server: &ServingServer, path: &str) -> Vec<String> {
    let text = server.s3.get(path).unwrap();
    String::from_utf8_lossy(&text).lines().map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn an_endpoint_from_creation_to_deletion() {
    let server = server().await;
    let answer = server.invoke("cars", "1,2\n3,4\n").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "3.0\n7.0\n"));
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(answer.header("x-amzn-invoked-production-variant"), "AllTraffic");

    let description = server.call("DescribeEndpoint", json!({"EndpointName": "cars"})).await;
    assert_eq!(
        description["EndpointArn"],
        "arn:aws:sagemaker:us-east-1:000000000000:endpoint/cars"
    );
    assert_eq!(description["EndpointConfigName"], "one");
    assert_eq!(description["ProductionVariants"][0]["CurrentInstanceCount"], 1);
    assert_eq!(
        description["ProductionVariants"][0]["DeployedImages"][0]["SpecifiedImage"],
        "echo"
    );
    assert_eq!(description["DataCaptureConfig"]["CaptureStatus"], "Started");
    let listed = server
        .call(
            "ListEndpoints",
            json!({"NameContains": "car", "StatusEquals": "InService"}),
        )
        .await;
    assert_eq!(listed["Endpoints"][0]["EndpointName"], "cars");
    let text = server
        .refused(
            "CreateEndpoint",
            json!({"EndpointName": "cars", "EndpointConfigName": "one"}),
        )
        .await;
    assert!(
        text.starts_with("ValidationException: Cannot create already existing endpoint \"arn:"),
        "{text}"
    );

    server.call("DeleteEndpoint", json!({"EndpointName": "cars"})).await;
    let answer = server.invoke("cars", "1").await;
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (400, "ValidationError")
    );
    while !server.call("ListEndpoints", json!({})).await["Endpoints"]
        .as_array()
        .unwrap()
        .is_empty()
    {
        pause().await;
    }
    let text = server
        .refused("DescribeEndpoint", json!({"EndpointName": "cars"}))
        .await;
    assert!(
        text.starts_with("ValidationException: Could not find endpoint \"arn:"),
        "{text}"
    );
    let containers = server.data_dir().join("containers/endpoints");
    assert_eq!(std::fs::read_dir(containers).unwrap().count(), 0, "folders are left");
}

#[tokio::test]
async fn an_update_drops_no_request() {
    let server = server().await;
    let done = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (server, done) = (Arc::clone(&server), Arc::clone(&done));
            tokio::spawn(async move {
                let mut bodies = Vec::new();
                while !done.load(Ordering::Relaxed) {
                    let answer = server.invoke("cars", "1,2").await;
                    assert_eq!(answer.status, 200, "{}", answer.body);
                    bodies.push(answer.body);
                }
                bodies
            })
        })
        .collect();
    server.call("UpdateEndpoint", update("two", &json!({}))).await;
    let text = server.refused("UpdateEndpoint", update("one", &json!({}))).await;
    assert!(text.contains("Cannot update in-progress endpoint"), "{text}");
    let text = server.refused("DeleteEndpoint", json!({"EndpointName": "cars"})).await;
    assert!(text.contains("Cannot update in-progress endpoint"), "{text}");
    let description = server.settled_endpoint("cars").await;
    assert_eq!(description["EndpointConfigName"], "two");
    assert!(description.get("PendingDeploymentSummary").is_none());
    assert_eq!(server.invoke("cars", "1,2").await.body, "6.0\n");
    done.store(true, Ordering::Relaxed);
    for client in clients {
        let bodies = client.await.unwrap();
        // The old model answers until the new one does, and never again afterwards.
        let switched = bodies.iter().position(|body| body == "6.0\n").unwrap_or(bodies.len());
        assert!(switched > 0 && bodies[..switched].iter().all(|body| body == "3.0\n"));
        assert!(bodies[switched..].iter().all(|body| body == "6.0\n"));
    }
}

#[tokio::test]
async fn a_request_of_the_old_model_is_finished() {
    let server = server().await;
    let slow = tokio::spawn({
        let server = Arc::clone(&server);
        async move { server.invoke("cars", "slow").await }
    });
    pause().await;
    server.call("UpdateEndpoint", update("two", &json!({}))).await;
    server.settled_endpoint("cars").await;
    assert_eq!(slow.await.unwrap().body, "0.0\n");
}

#[tokio::test]
async fn a_failing_update_rolls_back() {
    let server = server().await;
    server.call("UpdateEndpoint", update("dead", &json!({}))).await;
    let mut statuses = Vec::new();
    let description = loop {
        let description = server.call("DescribeEndpoint", json!({"EndpointName": "cars"})).await;
        statuses.push(description["EndpointStatus"].as_str().unwrap().to_owned());
        if description["EndpointStatus"] == "InService" {
            break description;
        }
        pause().await;
    };
    statuses.dedup();
    assert_eq!(statuses, ["Updating", "RollingBack", "InService"]);
    assert_eq!(description["EndpointConfigName"], "one");
    let reason = description["FailureReason"].as_str().unwrap();
    assert!(
        reason.starts_with(
            "The primary container for production variant AllTraffic did not pass the ping health check. Please check \
             CloudWatch logs for this endpoint."
        ),
        "{reason}"
    );
    assert_eq!(server.invoke("cars", "1,2").await.body, "3.0\n");
    // The next update clears the reason.
    server.call("UpdateEndpoint", update("two", &json!({}))).await;
    assert!(server.settled_endpoint("cars").await.get("FailureReason").is_none());
}

#[tokio::test]
async fn a_rollback_on_demand() {
    let server = server().await;
    server
        .fault(json!({"kind": "rollback-update", "match": "cars", "reason": "an alarm went off"}))
        .await;
    server.call("UpdateEndpoint", update("two", &json!({}))).await;
    let description = server.settled_endpoint("cars").await;
    assert_eq!(
        (&description["EndpointConfigName"], &description["FailureReason"]),
        (&json!("one"), &json!("an alarm went off"))
    );
    assert_eq!(server.invoke("cars", "1,2").await.body, "3.0\n");
}

#[tokio::test]
async fn a_failed_endpoint_can_only_be_deleted() {
    let server = server().await;
    server
        .call(
            "CreateEndpoint",
            json!({"EndpointName": "dead", "EndpointConfigName": "dead"}),
        )
        .await;
    let description = server.settled_endpoint("dead").await;
    assert_eq!(description["EndpointStatus"], "Failed");
    assert!(
        description["FailureReason"]
            .as_str()
            .unwrap()
            .contains("did not pass the ping health check")
    );
    assert_eq!(
        server.invoke("dead", "1").await.header("x-amzn-errortype"),
        "ValidationError"
    );
    let text = server
        .refused(
            "UpdateEndpoint",
            json!({"EndpointName": "dead", "EndpointConfigName": "one"}),
        )
        .await;
    assert!(text.contains("in Failed state"), "{text}");
    server.call("DeleteEndpoint", json!({"EndpointName": "dead"})).await;

    server
        .fault(json!({"kind": "fail-create-endpoint", "match": "unlucky", "reason": "no capacity"}))
        .await;
    server
        .call(
            "CreateEndpoint",
            json!({"EndpointName": "unlucky", "EndpointConfigName": "one"}),
        )
        .await;
    assert_eq!(server.settled_endpoint("unlucky").await["FailureReason"], "no capacity");
}

#[tokio::test]
async fn errors_of_an_invocation() {
    let server = server().await;
    for (body, side, status, message) in [("fail", "server", 500, "it failed"), ("bad", "client", 400, "bad row")] {
        let answer = server.invoke("cars", body).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (424, "ModelError"));
        let error = answer.json();
        assert_eq!(
            (&error["OriginalStatusCode"], &error["OriginalMessage"]),
            (&json!(status), &json!(message))
        );
        let text = error["Message"].as_str().unwrap();
        assert!(text.starts_with(&format!(
            "Received {side} error ({status}) from primary with message \"{message}\""
        )));
        assert!(
            error["LogStreamArn"]
                .as_str()
                .unwrap()
                .ends_with("/aws/sagemaker/Endpoints/cars")
        );
    }
    let answer = server.invoke("boats", "1").await;
    assert_eq!(
        (answer.status, answer.header("x-amzn-errortype")),
        (400, "ValidationError")
    );
    assert_eq!(
        answer.json()["message"],
        "Endpoint boats of account 000000000000 not found."
    );
    assert_eq!(server.invoke("cars", &"1".repeat(6_291_457)).await.status, 413);
    for (name, value) in [
        ("X-Amzn-SageMaker-Target-Variant", "Nobody"),
        ("X-Amzn-SageMaker-Inference-Id", &"i".repeat(65)),
        ("X-Amzn-SageMaker-Target-Model", "other.tar.gz"),
    ] {
        let answer = server.invoke_with("cars", "1", &[(name, value)]).await;
        assert_eq!(
            (answer.status, answer.header("x-amzn-errortype")),
            (400, "ValidationError"),
            "{name}"
        );
    }
    server
        .fault(json!({"kind": "throttle", "operation": "InvokeEndpoint"}))
        .await;
    assert_eq!(
        server.invoke("cars", "1").await.header("x-amzn-errortype"),
        "ThrottlingException"
    );
    assert_eq!(server.invoke("cars", "1").await.status, 200);
}

#[tokio::test]
async fn a_dead_serving_process_is_started_again() {
    let server = server().await;
    server.fault(json!({"kind": "kill-serving", "match": "cars"})).await;
    let first = server.invoke("cars", "1").await;
    assert_eq!(
        (first.status, first.header("x-amzn-errortype")),
        (503, "ServiceUnavailable")
    );
    while server.invoke("cars", "1").await.status != 200 {
        pause().await;
    }
    // A container that dies during a request.
    let broken = server.invoke("cars", "die").await;
    assert!([424, 503].contains(&broken.status), "{broken:?}");
    while server.invoke("cars", "1").await.status != 200 {
        pause().await;
    }
}

#[tokio::test]
async fn a_pipeline_chains_its_containers() {
    let server = server().await;
    let first = server.container("first", 10, &json!({}));
    let second = server.container("second", 3, &json!({}));
    server.create_pipeline("pipe", &[first.clone(), second]).await;
    let second = server.container("shown", 1, &json!({"SHOW_ACCEPT": "1"}));
    server.create_pipeline("shown", &[first, second]).await;
    for name in ["pipe", "shown"] {
        server.create_config(name, name, &capture(name)).await;
        server.create_endpoint(name, name).await;
    }
    assert_eq!(server.invoke("pipe", "1,2\n3,4\n").await.body, "90.0\n210.0\n");
    // The caller's Accept is passed to the last container; capture records the first input and the last output.
    let headers = [("Content-Type", "text/csv"), ("Accept", "text/csv")];
    assert_eq!(server.invoke_with("shown", "1,2", &headers).await.body, "text/csv\n");
    let record = &captured(&server, "bucket/capture/pipe/pipe/AllTraffic/", 1).await[0];
    assert_eq!(record["captureData"]["endpointInput"]["data"], "1,2\n3,4\n");
    assert_eq!(record["captureData"]["endpointOutput"]["encoding"], "BASE64");
    let answer = server.invoke("pipe", "bad").await;
    assert!(
        answer.json()["Message"]
            .as_str()
            .unwrap()
            .starts_with("Received client error (400) from container-1 with")
    );
}

#[tokio::test]
async fn captured_records_are_complete_when_the_server_stops() {
    let server = server().await;
    let headers = [
        ("Content-Type", "text/csv"),
        ("X-Amzn-SageMaker-Inference-Id", "inference-1"),
        ("X-Amzn-SageMaker-Custom-Attributes", "version=3"),
    ];
    assert_eq!(server.invoke_with("cars", "1,2", &headers).await.status, 200);
    assert_eq!(server.invoke("cars", "fail").await.status, 424);
    server.stop().await;
    let paths = server.s3.keys("bucket/capture/one/cars/AllTraffic/");
    let [path] = paths.as_slice() else {
        panic!("one file expected: {paths:?}")
    };
    let time = path.strip_prefix("bucket/capture/one/cars/AllTraffic/").unwrap();
    let shape: String = time
        .chars()
        .map(|c| if c.is_ascii_hexdigit() { 'x' } else { c })
        .collect();
    assert_eq!(
        shape,
        "xxxx/xx/xx/xx/xx-xx-xxx-xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx.jsonl"
    );
    let lines = lines(&server, path);
    let [line] = lines.as_slice() else {
        panic!("only what was answered is captured: {lines:?}")
    };
    let record: Value = serde_json::from_str(line).unwrap();
    let input = json!({"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"});
    assert_eq!(record["captureData"]["endpointInput"], input);
    assert_eq!(
        record["captureData"]["endpointOutput"]["observedContentType"],
        "text/csv; charset=utf-8"
    );
    assert_eq!(record["eventMetadata"]["inferenceId"], "inference-1");
    assert_eq!(record["eventMetadata"]["customAttributes"], json!(["version=3"]));
}

#[tokio::test]
async fn retained_properties_of_an_update() {
    let server = server().await;
    let scaled = json!([{"VariantName": "AllTraffic", "DesiredWeight": 0.5, "DesiredInstanceCount": 4}]);
    let request = json!({"EndpointName": "cars", "DesiredWeightsAndCapacities": scaled});
    server.call("UpdateEndpointWeightsAndCapacities", request).await;
    server.settled_endpoint("cars").await;

    server
        .call(
            "UpdateEndpoint",
            update("two", &json!({"RetainAllVariantProperties": true})),
        )
        .await;
    let description = server.settled_endpoint("cars").await;
    assert_eq!(description["ProductionVariants"][0]["CurrentInstanceCount"], 4);
    assert_eq!(description["ProductionVariants"][0]["CurrentWeight"], 0.5);
    assert_eq!(
        description["DataCaptureConfig"]["DestinationS3Uri"],
        "s3://bucket/capture/one"
    );

    let exclude = |property| json!([{ "VariantPropertyType": property }]);
    let more = json!({
        "RetainAllVariantProperties": true, "ExcludeRetainedVariantProperties": exclude("DataCaptureConfig")
    });
    server.call("UpdateEndpoint", update("two", &more)).await;
    let description = server.settled_endpoint("cars").await;
    assert_eq!(description["ProductionVariants"][0]["CurrentInstanceCount"], 4);
    assert_eq!(
        description["DataCaptureConfig"]["DestinationS3Uri"],
        "s3://bucket/capture/two"
    );

    let more = json!({"ExcludeRetainedVariantProperties": exclude("DesiredWeight")});
    let text = server.refused("UpdateEndpoint", update("one", &more)).await;
    assert!(text.contains("RetainAllVariantProperties"), "{text}");
}

#[tokio::test]
async fn variants_share_requests_by_weight() {
    let server = server().await;
    let mut heavy = variant("Heavy", "one");
    heavy["InitialVariantWeight"] = json!(3.0);
    let mut light = variant("Light", "two");
    light["InitialVariantWeight"] = json!(1.0);
    server
        .create_config("both", "one", &json!({"ProductionVariants": [heavy, light]}))
        .await;
    server.create_endpoint("both", "both").await;
    let mut heavy = 0;
    for _ in 0..40 {
        let answer = server.invoke("both", "1").await;
        let invoked = answer.header("x-amzn-invoked-production-variant");
        assert_eq!(answer.body, if invoked == "Heavy" { "1.0\n" } else { "2.0\n" });
        heavy += usize::from(invoked == "Heavy");
    }
    assert!((28..=32).contains(&heavy), "{heavy} of 40");
    let target = [
        ("Content-Type", "text/csv"),
        ("X-Amzn-SageMaker-Target-Variant", "Light"),
    ];
    assert_eq!(server.invoke_with("both", "1", &target).await.body, "2.0\n");

    let unknown = json!([{"VariantName": "Nobody", "DesiredWeight": 1.0}]);
    let request = json!({"EndpointName": "both", "DesiredWeightsAndCapacities": unknown});
    let text = server.refused("UpdateEndpointWeightsAndCapacities", request).await;
    assert!(text.contains("\"Nobody\""), "{text}");
    let all = json!([{"VariantName": "Heavy", "DesiredWeight": 0.0}]);
    let request = json!({"EndpointName": "both", "DesiredWeightsAndCapacities": all});
    server.call("UpdateEndpointWeightsAndCapacities", request).await;
    server.settled_endpoint("both").await;
    for _ in 0..5 {
        assert_eq!(server.invoke("both", "1").await.body, "2.0\n");
    }
}

#[tokio::test]
async fn a_canary_shares_requests_before_it_takes_all() {
    let server = server().await;
    let mut canary = variant("AllTraffic", "two");
    canary["InitialInstanceCount"] = json!(2);
    server
        .create_config("canary", "two", &json!({"ProductionVariants": [canary]}))
        .await;
    let routing = json!({
        "Type": "CANARY", "WaitIntervalInSeconds": 1, "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}
    });
    let more = json!({"DeploymentConfig": {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}});
    let text = server.refused("UpdateEndpoint", update("two", &more)).await;
    assert!(text.contains("at least 2 instances"), "{text}");
    server.call("UpdateEndpoint", update("canary", &more)).await;
    let mut after_first_new = Vec::new();
    while after_first_new.len() < 10 {
        let body = server.invoke("cars", "1").await.body;
        if body == "2.0\n" || !after_first_new.is_empty() {
            after_first_new.push(body);
        }
    }
    assert!(after_first_new.contains(&"1.0\n".to_owned()), "{after_first_new:?}");
    let description = server.settled_endpoint("cars").await;
    assert_eq!(description["LastDeploymentConfig"], more["DeploymentConfig"]);
    assert_eq!(server.invoke("cars", "1").await.body, "2.0\n");
}

#[tokio::test]
async fn scalable_targets_outlive_updates() {
    let server = server().await;
    let target = |resource: &str| {
        json!({
            "ServiceNamespace": "sagemaker",
            "ResourceId": resource,
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        })
    };
    let id = "endpoint/cars/variant/AllTraffic";
    let policy = json!({
        "PolicyName": "requests",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {"TargetValue": 70.0},
    });
    let refused = server
        .scaling("PutScalingPolicy", with(target(id), &policy))
        .await
        .unwrap_err();
    assert!(
        refused.starts_with("ObjectNotFoundException: No scalable target"),
        "{refused}"
    );
    let capacity = json!({"MinCapacity": 1, "MaxCapacity": 3});
    let unknown = target("endpoint/cars/variant/Nobody");
    let refused = server
        .scaling("RegisterScalableTarget", with(unknown, &capacity))
        .await
        .unwrap_err();
    assert!(refused.starts_with("ValidationException"), "{refused}");

    let first = server
        .scaling("RegisterScalableTarget", with(target(id), &capacity))
        .await
        .unwrap();
    let again = server
        .scaling("RegisterScalableTarget", with(target(id), &json!({"MaxCapacity": 5})))
        .await
        .unwrap();
    assert_eq!(first, again);
    server
        .scaling("PutScalingPolicy", with(target(id), &policy))
        .await
        .unwrap();

    // While it is registered, its instance type can't change, whatever else changes.
    let mut other_type = variant("AllTraffic", "two");
    other_type["InstanceType"] = json!("ml.m5.xlarge");
    server
        .create_config("bigger", "two", &json!({"ProductionVariants": [other_type]}))
        .await;
    let text = server.refused("UpdateEndpoint", update("bigger", &json!({}))).await;
    assert!(text.contains("must be deregistered as scalable targets"), "{text}");
    server.call("UpdateEndpoint", update("two", &json!({}))).await;
    server.settled_endpoint("cars").await;

    let all = json!({"ServiceNamespace": "sagemaker"});
    let targets = server.scaling("DescribeScalableTargets", all.clone()).await.unwrap();
    assert_eq!(targets["ScalableTargets"][0]["ResourceId"], id);
    assert_eq!(
        (
            &targets["ScalableTargets"][0]["MinCapacity"],
            &targets["ScalableTargets"][0]["MaxCapacity"]
        ),
        (&json!(1), &json!(5))
    );
    let policies = server.scaling("DescribeScalingPolicies", all.clone()).await.unwrap();
    assert_eq!(
        policies["ScalingPolicies"][0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"],
        70.0
    );

    server
        .scaling(
            "DeleteScalingPolicy",
            with(target(id), &json!({"PolicyName": "requests"})),
        )
        .await
        .unwrap();
    server.scaling("DeregisterScalableTarget", target(id)).await.unwrap();
    let refused = server
        .scaling("DeregisterScalableTarget", target(id))
        .await
        .unwrap_err();
    assert!(refused.starts_with("ObjectNotFoundException"), "{refused}");
    server.call("UpdateEndpoint", update("bigger", &json!({}))).await;
    assert_eq!(server.settled_endpoint("cars").await["EndpointConfigName"], "bigger");
}
