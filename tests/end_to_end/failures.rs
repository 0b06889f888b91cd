//! Failures in SageMaker, and what happens to the run.

use crate::case::{Case, execution_arn};
use crate::data;
use crate::wait;
use contracts::Verdict;
use serde_json::json;

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn one_models_failure_does_not_hide_the_others_result() {
    let case = Case::new("jobfail", "two-models.yaml").await;
    let reason = "AlgorithmError: the loss went its own way";
    let linear_learner = format!("{}-linear-learner-", case.id);
    case.stack
        .fault(json!({"operation": "CreateTrainingJob", "match": linear_learner, "kind": "fail-job", "reason": reason}))
        .await;
    let run = case.drop("cars.csv", data::cars(300)).await;
    let ended = case.failed(&run.id).await;
    ended.decided(&[("linear-learner", Verdict::Failed), ("xgboost", Verdict::Exported)]);
    let failure = ended.decision("linear-learner").error.as_ref().unwrap();
    assert!(failure.cause.starts_with(reason), "{failure:?}");
    assert_eq!(case.champion("linear-learner").await, None);

    let mail = case.end_mail(&run.id).await;
    let line = |model: &str| {
        mail.message
            .lines()
            .find(|line| line.starts_with(&format!("{model}:")))
            .unwrap()
    };
    assert!(line("xgboost").contains("exported: "), "{mail:?}");
    assert!(
        line("linear-learner").contains("failed: ") && line("linear-learner").contains(reason),
        "{mail:?}"
    );
    assert_eq!(mail.message_attributes["severity"], "error");

    let answer = case.predict().await;
    assert!(answer.degraded());
    let models = answer.predictions()[0]["models"].as_object().unwrap();
    assert_eq!(models.keys().collect::<Vec<_>>(), ["xgboost"]);
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_candidate_without_a_baseline_is_not_exported() {
    let case = Case::new("nobase", "one-model.yaml").await;
    let reason = "AlgorithmError: there is nothing to make statistics of";
    // Preprocessing belongs to the whole run, so its job's name does not contain a model.
    let own = format!("{}-xgboost-", case.id);
    case.stack
        .fault(json!({"operation": "CreateProcessingJob", "match": own, "kind": "fail-job", "reason": reason}))
        .await;
    let run = case.drop("cars.csv", data::cars(150)).await;
    let ended = case.failed(&run.id).await;
    ended.decided(&[("xgboost", Verdict::Failed)]);
    let decision = ended.decision("xgboost");
    assert!(decision.comparison.as_ref().unwrap().passed, "{decision:#?}");
    let failure = decision.error.as_ref().unwrap();
    assert!(failure.cause.starts_with(reason), "{failure:?}");

    assert_eq!(case.champion("xgboost").await, None);
    assert_eq!(case.parameter("xgboost", "champion").await, None);
    let request = json!({"NameContains": format!("{}--{}-", case.stack.name, case.id)});
    for (operation, listed) in [
        ("ListEndpoints", "Endpoints"),
        ("ListEndpointConfigs", "EndpointConfigs"),
    ] {
        let made = case.stack.sagemaker(operation, &request).await;
        assert_eq!(made[listed], json!([]), "{operation}");
    }
    assert!(case.end_mail(&run.id).await.message.contains(reason));

    // Nothing is left that blocks the next run.
    let (next, ended) = case.trained("cars.csv", 151).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    assert!(case.champion("xgboost").await.unwrap().baselines.is_some());
    assert_eq!(case.champion("xgboost").await.unwrap().run_id, next.id);
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn throttled_calls_only_delay_a_run() {
    let case = Case::new("throttl", "one-model.yaml").await;
    for (operation, times) in [
        ("CreateProcessingJob", 1),
        ("CreateTrainingJob", 2),
        ("CreateModel", 2),
        ("CreateTransformJob", 1),
        ("CreateEndpointConfig", 1),
        ("CreateEndpoint", 2),
        // More often than a function's SDK retries by itself.
        ("DescribeEndpoint", 5),
        ("DescribeTrainingJob", 5),
    ] {
        let fault = json!({"operation": operation, "match": case.id, "kind": "throttle", "times": times});
        case.stack.fault(fault).await;
    }
    let (_, ended) = case.trained("cars.csv", 200).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    let waiting = case.stack.waiting_faults(&case.id).await;
    assert!(waiting.is_empty(), "nothing was throttled by {waiting:?}");
    assert!(!case.predict().await.degraded());
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn an_update_that_is_rolled_back_fails_and_the_champion_stays() {
    let case = Case::new("rollbck", "one-model.yaml").await;
    case.trained("cars.csv", 60).await;
    let before = case.champion("xgboost").await.unwrap();
    let reason = "The instances of the new configuration did not pass their health check.";
    let fault = json!({"operation": "UpdateEndpoint", "match": case.id, "kind": "rollback-update", "reason": reason});
    case.stack.fault(fault).await;

    let run = case.drop("cars.csv", data::cars(600)).await;
    let ended = case.failed(&run.id).await;
    ended.decided(&[("xgboost", Verdict::Failed)]);
    let decision = ended.decision("xgboost");
    assert!(decision.comparison.as_ref().unwrap().passed, "{decision:#?}");
    let failure = decision.error.as_ref().unwrap();
    assert_eq!(failure.error, "EndpointRolledBack");
    assert!(failure.cause.contains(reason), "{failure:?}");

    assert_eq!(case.champion("xgboost").await.as_ref(), Some(&before));
    let endpoint = case.endpoint(&before.endpoint_name).await;
    assert_eq!(
        (&endpoint["EndpointStatus"], &endpoint["EndpointConfigName"]),
        (&json!("InService"), &json!(before.endpoint_config))
    );
    assert_eq!(
        case.parameter("xgboost", "endpoint-config").await.as_ref(),
        Some(&before.endpoint_config)
    );
    let mail = case.end_mail(&run.id).await;
    assert!(
        mail.subject.contains("failed: xgboost failed") && mail.message.contains(reason),
        "{mail:?}"
    );
    let answer = case.predict().await;
    assert_eq!(
        answer.predictions()[0]["models"]["xgboost"]["version"],
        before.run_id.to_string()
    );

    // Nothing is left that blocks the next run, in particular no lease.
    let next = case.drop("cars.csv", data::cars(620)).await;
    case.succeeded(&next.id)
        .await
        .decided(&[("xgboost", Verdict::Exported)]);
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn an_endpoint_that_could_not_be_made_is_replaced_by_the_next_run() {
    let case = Case::new("nocreat", "one-model.yaml").await;
    let fault = json!({"operation": "CreateEndpoint", "match": case.id, "kind": "fail-create-endpoint", "reason": "No capacity."});
    case.stack.fault(fault).await;
    let run = case.drop("cars.csv", data::cars(150)).await;
    let ended = case.failed(&run.id).await;
    ended.decided(&[("xgboost", Verdict::Failed)]);
    assert!(
        ended.decision("xgboost").reason.contains("No capacity."),
        "{:?}",
        ended.decision("xgboost")
    );
    assert_eq!(case.champion("xgboost").await, None);

    let (next, ended) = case.trained("cars.csv", 151).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    let champion = case.champion("xgboost").await.unwrap();
    assert_eq!(champion.run_id, next.id);
    let what = format!("{} is in service", champion.endpoint_name);
    wait::until(&what, wait::MOMENT, async || {
        (case.endpoint(&champion.endpoint_name).await["EndpointStatus"] == "InService").then_some(())
    })
    .await;
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn what_a_stopped_run_has_left_is_brought_back_by_the_tick() {
    let case = Case::new("stopped", "one-model.yaml").await;
    case.trained("cars.csv", 120).await;
    let champion = case.champion("xgboost").await.unwrap();

    // Stopped between the update of the endpoint and the export.
    let run = case.drop("better.csv", data::cars(800)).await;
    wait::until("the endpoint is being updated", wait::RUN, async || {
        let endpoint = case.endpoint(&champion.endpoint_name).await;
        (endpoint["EndpointStatus"] == "Updating").then_some(())
    })
    .await;
    let arn = execution_arn(&case.stack.machine_arn, &run.id);
    let stop = case.stack.executions.stop_execution().execution_arn(&arn);
    stop.send().await.unwrap();
    let astray = wait::until("the update has ended", wait::MOMENT, async || {
        let endpoint = case.endpoint(&champion.endpoint_name).await;
        (endpoint["EndpointStatus"] == "InService").then_some(endpoint)
    })
    .await;
    assert_ne!(astray["EndpointConfigName"], champion.endpoint_config.as_str());
    assert_eq!(case.champion("xgboost").await.as_ref(), Some(&champion));
    let mail = case.end_mail(&run.id).await;
    assert!(mail.message.contains("brought back by the first tick"), "{mail:?}");

    // At the run's end its lease was given back: the next tick repairs the endpoint.
    let reconcile = json!({"mode": "reconcile"});
    let done = case.stack.call("check-endpoint", &reconcile).await.unwrap();
    assert!(
        done["mended"]
            .as_array()
            .unwrap()
            .contains(&json!(champion.endpoint_name)),
        "{done}"
    );
    wait::until("the champion serves again", wait::MOMENT, async || {
        let endpoint = case.endpoint(&champion.endpoint_name).await;
        (endpoint["EndpointStatus"] == "InService"
            && endpoint["EndpointConfigName"] == champion.endpoint_config.as_str())
        .then_some(())
    })
    .await;
    case.stack.call("check-endpoint", &reconcile).await.unwrap();
    for headline in ["is being brought back to its champion", "serves its champion again"] {
        case.mail(headline, |mail| mail.subject.contains(headline)).await;
    }
    case.finish().await;
}
