//! Predictions when endpoints fail: the remaining models answer, or none does, as the document says.

use crate::case::Case;
use crate::wait;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn predictions_outlive_endpoints_that_fail() {
    let case = Case::new("failing", "two-models.yaml").await;
    case.trained("cars.csv", 300).await;
    let whole = case.predict().await;
    assert!(!whole.degraded());
    let values = whole.predictions()[0]["models"].clone();
    let xgboost = case.champion("xgboost").await.unwrap().endpoint_name;
    let linear_learner = case.champion("linear-learner").await.unwrap().endpoint_name;

    // A process that dies in the middle of a request is restarted by itself.
    case.stack
        .fault(json!({"operation": "InvokeEndpoint", "match": xgboost, "kind": "kill-serving"}))
        .await;
    let answer = case.predict().await;
    assert!(answer.degraded(), "{}", answer.body);
    assert_eq!(
        answer.predictions()[0]["models"],
        json!({"linear-learner": values["linear-learner"]})
    );
    let back = wait::until("the killed process answers again", wait::MOMENT, async || {
        let answer = case.predict().await;
        (!answer.degraded()).then_some(answer)
    })
    .await;
    assert_eq!(back.predictions()[0]["models"], values);

    // A late model counts as failed before the gateway gives up.
    let slow = json!({"operation": "InvokeEndpoint", "match": xgboost, "kind": "slow-serving", "delay_ms": 45_000});
    case.stack.fault(slow).await;
    let began = Instant::now();
    let answer = case.predict().await;
    assert!(answer.degraded(), "{}", answer.body);
    assert!(
        began.elapsed() < Duration::from_secs(29),
        "API Gateway would have given up"
    );

    // The others answer without a missing model for as long as it takes.
    case.stack
        .sagemaker("DeleteEndpoint", &json!({"EndpointName": linear_learner}))
        .await;
    for _ in 0..3 {
        let answer = case.predict().await;
        assert!(answer.degraded(), "{}", answer.body);
        let prediction = &answer.predictions()[0];
        assert_eq!(prediction["models"], json!({"xgboost": values["xgboost"]}));
        assert_eq!(prediction["value"], values["xgboost"]["value"]);
    }

    // Unless the document demands all models. Onboarding brings the endpoint back.
    case.onboard(
        "two-models.yaml",
        &[("when_a_model_fails: answer", "when_a_model_fails: fail")],
    )
    .await;
    wait::until("the endpoint is back", wait::RUN, async || {
        let answer = case.predict().await;
        (answer.status == 200 && !answer.degraded()).then_some(())
    })
    .await;
    case.stack
        .sagemaker("DeleteEndpoint", &json!({"EndpointName": linear_learner}))
        .await;
    let refused = wait::until("the new policy holds", wait::MOMENT, async || {
        let answer = case.predict().await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert_eq!(
        (refused.status, refused.error_type()),
        (502, "ModelFailed"),
        "{}",
        refused.body
    );
    let text = refused.body.to_string();
    assert!(
        !text.contains(&linear_learner) && !text.contains("ValidationError"),
        "{text} leaks what is inside"
    );
    case.finish().await;
}
