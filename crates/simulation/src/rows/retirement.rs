//! Endpoints that nothing uses any more, and work that nobody has finished.

use super::{Row, play};
use crate::world::{BUCKET, Listings, USE_CASE, World, document};
use contracts::places::Drop;
use fake_aws::{FakeAws, Reply};
use serde_json::json;
use std::sync::Arc;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "model-removed",
            fault: "a model is removed from the document: its endpoint is retired a day later",
            ends: &[],
            serves: "linear-learner none, xgboost before",
            told: &[
                "linear-learner: an endpoint that nobody reads",
                "linear-learner: an endpoint was retired",
            ],
            play: play!(world {
                world.with_champions().await;
                world.onboard(&without_linear_learner());
                world.minutes(25 * 60).await;
            }),
        },
        Row {
            name: "model-removed-by-mistake",
            fault: "a model is removed from the document and added again within a day: its endpoint stays",
            ends: &[],
            serves: "before",
            told: &["linear-learner: an endpoint that nobody reads"],
            play: play!(world {
                world.with_champions().await;
                world.onboard(&without_linear_learner());
                world.minutes(23 * 60).await;
                world.onboard(&document());
                world.minutes(26 * 60).await;
            }),
        },
        Row {
            name: "removed-while-training",
            fault: "the use case is removed while a run is under way: nothing is exported, and no endpoint stays",
            ends: &["training FAILED: xgboost failed, linear-learner failed"],
            serves: "none",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.at("VerifyEndpoint", "xgb", 0, |world, _| world.remove());
                world.retrain().await;
                let decision = world.decision("xgboost");
                anyhow::ensure!(decision["error"]["error"] == "UseCaseRemoved", "{decision}");
            }),
        },
        Row {
            name: "onboarded-again-meanwhile",
            fault: "the use case is removed while a run is under way, and onboarded again before its next step: the \
                    earlier run exports nothing, and the champions serve",
            ends: &["training FAILED: xgboost failed, linear-learner failed"],
            serves: "before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.at("VerifyEndpoint", "xgb", 0, |world, _| {
                    world.remove();
                    world.onboard(&document());
                });
                world.retrain().await;
                let error = world.decision("xgboost")["error"].clone();
                anyhow::ensure!(error["error"] == "UseCaseRemoved", "{error}");
                anyhow::ensure!(error["cause"].to_string().contains("onboarded again"), "{error}");
            }),
        },
        Row {
            name: "data-deleted-meanwhile",
            fault: "the same, and its data is deleted in between: steps that fail without it name the removal as the \
                    reason",
            ends: &["training FAILED: xgboost failed, linear-learner failed"],
            serves: "none",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.onboard(&document());
                world.at("CompareWithChampion", "xgb", 0, |world, _| {
                    world.remove();
                    for folder in [format!("{USE_CASE}/"), format!("use-cases/{USE_CASE}/")] {
                        for key in world.aws.keys(BUCKET, &folder) {
                            world.aws.delete_object(BUCKET, &key);
                        }
                    }
                    world.onboard(&document());
                });
                world.retrain().await;
                for model in ["xgboost", "linear-learner"] {
                    let error = world.decision(model)["error"].clone();
                    anyhow::ensure!(error["error"] == "UseCaseRemoved", "{model}: {error}");
                }
            }),
        },
        Row {
            name: "onboarded-again",
            fault: "a use case is removed and onboarded again: the endpoints of its champions are made at once, not by a tick",
            ends: &[],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions().await;
                removed_with_endpoints(&world).await?;
                world.onboard(&document());
                let done = check_endpoint(&world, "onboard").await?;
                anyhow::ensure!(done["begun"].as_array().is_some_and(|it| it.len() == 2), "{done}");
                world.settle().await;
            }),
        },
        Row {
            name: "onboarded-again-rejected",
            fault: "the same, but nobody makes them, and a file comes that is no better: its run makes them, and the \
                    mails say what serves",
            ends: &["training SUCCEEDED: xgboost rejected-champion, linear-learner rejected-champion"],
            serves: "before",
            told: &[
                "xgboost candidate rejected",
                "linear-learner candidate rejected",
                "run R succeeded: xgboost rejected-champion",
            ],
            play: play!(world {
                world.with_champions().await;
                removed_with_endpoints(&world).await?;
                world.onboard(&document());
                world.off_by(3_000.0);
                world.retrain().await;
                let mails: Vec<String> = world.aws.published().into_iter().map(|mail| mail.message).collect();
                let serving = mails.iter().filter(|mail| mail.contains("serves: endpoint") && mail.contains("InService"));
                anyhow::ensure!(serving.count() == 3, "{mails:#?}");
            }),
        },
        Row {
            name: "schema-changed",
            fault: "the document has a column more: new endpoints beside the old ones, which are retired a day later",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &[
                "run R succeeded: xgboost exported",
                "xgboost: an endpoint that nobody reads",
                "linear-learner: an endpoint that nobody reads",
                "xgboost: an endpoint was retired",
                "linear-learner: an endpoint was retired",
            ],
            play: play!(world {
                world.with_champions().await;
                let before = world.sagemaker.endpoints().len();
                let mut document = document();
                let columns = document["schema"]["columns"].as_array_mut().unwrap();
                columns.push(json!({"name": "doors", "type": "integer"}));
                world.onboard(&document);
                let rows = Listings { seed: 2, ..Listings::default() }.labelled().replace('\n', ",4\n");
                world.drop_file(Drop::Training, "second.csv", rows.replacen(",4", ",doors", 1));
                world.minutes(60).await;
                anyhow::ensure!(world.sagemaker.endpoints().len() == 2 * before, "the old ones are gone already");
                world.minutes(26 * 60).await;
            }),
        },
        Row {
            name: "claimed-never-started",
            fault: "S3 fails each time that start-run looks into a file that it has claimed: a tick takes the run up",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &[
                "dead letter of start-run: AwsCallFailed",
                "run R succeeded: xgboost exported",
            ],
            play: play!(world {
                world.with_champions().await;
                for_every_attempt(&world, "GetObject", "incoming/second.csv");
                world.drop_file(Drop::Training, "second.csv", Listings { seed: 2, ..Listings::default() }.labelled());
                world.minutes(5).await;
                let claimed = world.aws.keys(BUCKET, &contracts::places::use_case::claimed(USE_CASE));
                anyhow::ensure!(claimed.len() == 1, "{claimed:?}");
                world.settle().await;
                world.settle().await;
            }),
        },
        Row {
            name: "queued-never-started",
            fault: "Step Functions fails each time that start-run starts the execution: a tick does it",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &[
                "dead letter of start-run: AwsCallFailed",
                "run R succeeded: xgboost exported",
            ],
            play: play!(world {
                world.with_champions().await;
                for_every_attempt(&world, "StartExecution", "");
                world.drop_file(Drop::Training, "second.csv", Listings { seed: 2, ..Listings::default() }.labelled());
                world.settle().await;
                world.settle().await;
            }),
        },
    ]
}

/// Calls check-endpoint as the `drivetrain` command does.
async fn check_endpoint(world: &Arc<World>, mode: &str) -> anyhow::Result<serde_json::Value> {
    let answer = world
        .invoke("check-endpoint", json!({"mode": mode, "use_case": USE_CASE}))
        .await;
    answer.map_err(|failure| anyhow::anyhow!("{}: {}", failure.error, failure.cause))
}

/// Removes the use case together with its endpoints, as offboarding does when no run is under way.
async fn removed_with_endpoints(world: &Arc<World>) -> anyhow::Result<()> {
    world.remove();
    let done = check_endpoint(world, "offboard").await?;
    anyhow::ensure!(done["deleted"].as_array().is_some_and(|it| it.len() == 2), "{done}");
    world.minutes(5).await;
    anyhow::ensure!(world.sagemaker.endpoints().is_empty(), "the endpoints are still there");
    Ok(())
}

fn without_linear_learner() -> serde_json::Value {
    let mut document = document();
    document["models"].as_array_mut().unwrap().pop();
    document
}

/// Makes a call fail at each of the three times that Lambda calls a function.
fn for_every_attempt(world: &Arc<World>, operation: &'static str, about: &'static str) {
    fn again(aws: &FakeAws, operation: &'static str, about: &'static str, left: u32) {
        aws.before(operation, about, move |aws| {
            aws.fail_next(
                operation,
                Reply::error(503, "SlowDown", "please reduce your request rate"),
            );
            if left > 1 {
                again(aws, operation, about, left - 1);
            }
        });
    }
    again(&world.aws, operation, about, 3);
}
