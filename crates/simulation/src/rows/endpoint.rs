//! Endpoints: what serves is the champion, always.

use super::{Row, play};
use crate::world::{Listings, World, document};

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "update-rolled-back",
            fault: "SageMaker rolls an update back",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("endpoint", ["xgb"]).fails("the health checks failed");
                world.retrain().await;
            }),
        },
        Row {
            name: "update-quota",
            fault: "there is no capacity for the new instances, once",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("UpdateEndpoint", ["xgb"]).fails("ResourceLimitExceeded");
                world.retrain().await;
            }),
        },
        Row {
            name: "update-quota-for-good",
            fault: "there is no capacity for the new instances",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("UpdateEndpoint", ["xgb"]).always().fails("ResourceLimitExceeded");
                world.retrain().await;
            }),
        },
        Row {
            name: "endpoint-on-its-way",
            fault: "somebody else is updating the endpoint",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                let name = world.endpoint("xgboost");
                let config = world.endpoint_config("xgboost");
                world.sagemaker.set_endpoint(&name, "SystemUpdating", &config);
                let (later, name, config) = (world.clone(), name, config);
                world.clock.spawn(async move {
                    later.clock.sleep(std::time::Duration::from_secs(3_000)).await;
                    later.sagemaker.set_endpoint(&name, "InService", &config);
                });
                world.retrain().await;
            }),
        },
        Row {
            name: "endpoint-failed",
            fault: "the endpoint has failed: it is replaced",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                let (name, config) = (world.endpoint("xgboost"), world.endpoint_config("xgboost"));
                world.sagemaker.set_endpoint(&name, "Failed", &config);
                world.retrain().await;
            }),
        },
        Row {
            name: "event-after-export",
            fault: "EventBridge refuses the event of the export for good",
            ends: &["training FAILED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("PutEvents", ["Champion Exported", "xgboost"]).times(5).fails("InternalException");
                world.retrain().await;
            }),
        },
        Row {
            name: "scaling-refused",
            fault: "Application Auto Scaling refuses the target for good",
            ends: &["training FAILED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R failed"],
            play: play!(world {
                let mut document = document();
                document["models"][0]["endpoint"]["scaling"] = serde_json::json!({
                    "min_instances": 1, "max_instances": 4, "invocations_per_instance": 600,
                });
                world.with_champions_of(&document).await;
                world.faults.on("RegisterScalableTarget", ["xgb"]).times(5).fails("ConcurrentUpdateException");
                world.retrain().await;
            }),
        },
        Row {
            name: "update-answer-lost",
            fault: "the answer of UpdateEndpoint is lost: the candidate is given up, and the endpoint goes back",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("UpdateEndpoint", ["xgb"]).fails_afterwards("ThrottlingException");
                world.retrain().await;
            }),
        },
        Row {
            name: "aborted-after-update",
            fault: "somebody aborts the execution between update and export: a tick brings the endpoints back",
            ends: &["training ABORTED: xgboost undecided, linear-learner undecided"],
            serves: "before",
            told: &[
                "run R was aborted",
                "xgboost: the endpoint is being brought back",
                "linear-learner: the endpoint is being brought back",
                "xgboost: the endpoint serves its champion again",
                "linear-learner: the endpoint serves its champion again",
            ],
            play: play!(world {
                world.with_champions().await;
                world.at("VerifyEndpoint", "xgb", 3, World::abort);
                world.retrain().await;
                world.minutes(60).await;
            }),
        },
        Row {
            name: "endpoint-not-made",
            fault: "the first champion's endpoint can't be made: it is retired a day later",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost none",
            told: &[
                "run R failed",
                "an endpoint that nobody reads",
                "an endpoint was retired",
            ],
            play: play!(world {
                world.onboard(&document());
                world.faults.on("endpoint", ["xgb"]).fails("no capacity");
                world.train("first.csv", &Listings::default()).await;
                world.minutes(26 * 60).await;
            }),
        },
        Row {
            name: "endpoint-deleted",
            fault: "somebody deletes an endpoint: a tick creates it again",
            ends: &[],
            serves: "before",
            told: &["is being brought back", "serves its champion again"],
            play: play!(world {
                world.with_champions().await;
                let name = world.endpoint("xgboost");
                world.sagemaker.call("DeleteEndpoint", &serde_json::json!({"EndpointName": name})).unwrap();
                world.minutes(60).await;
            }),
        },
        Row {
            name: "endpoint-changed-by-hand",
            fault: "somebody puts the endpoint on another model's configuration: a tick brings it back",
            ends: &[],
            serves: "before",
            told: &["is being brought back", "serves its champion again"],
            play: play!(world {
                world.with_champions().await;
                let (name, config) = (world.endpoint("xgboost"), world.endpoint_config("linear-learner"));
                world.sagemaker.set_endpoint(&name, "InService", &config);
                world.minutes(60).await;
            }),
        },
    ]
}
