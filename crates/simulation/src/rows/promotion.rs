//! Decisions by people on what serves: held candidates, and former champions.

use super::{Row, play};
use crate::world::{Listings, World, document};
use contracts::places::Drop;
use serde_json::Value;
use std::sync::Arc;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "held",
            fault: "the document names another unit for the target: candidates that have won are held",
            ends: &["training SUCCEEDED: xgboost held, linear-learner held"],
            serves: "before",
            told: &[
                "xgboost candidate held",
                "linear-learner candidate held",
                "run R succeeded: xgboost held",
            ],
            play: play!(world { held(&world).await; }),
        },
        Row {
            name: "held-always",
            fault: "the document always requires approval: candidates without any doubt are held",
            ends: &["training SUCCEEDED: xgboost held, linear-learner held"],
            serves: "before",
            told: &[
                "xgboost candidate held",
                "linear-learner candidate held",
                "run R succeeded: xgboost held",
            ],
            play: play!(world {
                let mut document = document();
                document["gate"] = serde_json::json!({"approval": "always"});
                world.with_champions().await;
                world.onboard(&document);
                world.retrain().await;
            }),
        },
        Row {
            name: "approved",
            fault: "somebody approves a held candidate, twice",
            ends: &["training SUCCEEDED: xgboost exported"],
            serves: "linear-learner before, xgboost new",
            told: &[
                "kim has approved the held candidate of xgboost",
                "approval of xgboost by kim succeeded",
            ],
            play: play!(world {
                let run = held(&world).await;
                world.mark();
                world.approve("xgboost", &run).await?;
                world.approve("xgboost", &run).await?;
                world.settle().await;
            }),
        },
        Row {
            name: "rejected-by-person",
            fault: "somebody rejects a held candidate; an approval after that is refused",
            ends: &[],
            serves: "before",
            told: &["kim has rejected the held candidate of xgboost"],
            play: play!(world {
                let run = held(&world).await;
                world.mark();
                world.reject("xgboost", &run).await?;
                let refused = world.approve("xgboost", &run).await.unwrap_err().to_string();
                anyhow::ensure!(refused.contains("AlreadyDecided"), "{refused}");
                world.settle().await;
            }),
        },
        Row {
            name: "approved-too-late",
            fault: "somebody approves a held candidate, and another champion has come since: it is refused",
            ends: &[],
            serves: "before",
            told: &[],
            play: play!(world {
                let run = held(&world).await;
                world.onboard(&document());
                world.off_by(20.0);
                world.train("third.csv", &Listings { seed: 3, ..Listings::default() }).await;
                world.mark();
                let refused = world.approve("xgboost", &run).await.unwrap_err().to_string();
                anyhow::ensure!(refused.contains("ChampionChanged"), "{refused}");
                world.settle().await;
            }),
        },
        Row {
            name: "rolled-back",
            fault: "somebody rolls back to the previous champion",
            ends: &["training SUCCEEDED: xgboost exported"],
            serves: "linear-learner before, xgboost new",
            told: &["kim rolls xgboost back", "rollback of xgboost by kim succeeded"],
            play: play!(world {
                let former = second_champions(&world).await;
                let config = &former["endpoint_config"];
                world.roll_back("xgboost", former["run_id"].as_str().unwrap()).await?;
                world.settle().await;
                let champion = world.champion("xgboost").unwrap();
                anyhow::ensure!(champion["model_name"] == former["model_name"], "{champion}");
                anyhow::ensure!(champion["endpoint_config"] != *config, "{champion}");
            }),
        },
        Row {
            name: "rolled-back-by-two",
            fault: "two people ask for the same rollback: the first request is carried out, and the other person is \
                    told so",
            ends: &["training SUCCEEDED: xgboost exported"],
            serves: "linear-learner before, xgboost new",
            told: &["kim rolls xgboost back", "rollback of xgboost by kim succeeded"],
            play: play!(world {
                let former = second_champions(&world).await;
                let run = former["run_id"].as_str().unwrap();
                world.roll_back("xgboost", run).await?;
                let refused = world.roll_back_by("lee", "xgboost", run).await.unwrap_err().to_string();
                anyhow::ensure!(refused.contains("AlreadyDecided") && refused.contains("kim has said"), "{refused}");
                world.settle().await;
            }),
        },
        Row {
            name: "rolled-back-while-training",
            fault: "somebody rolls back to the previous champion while a training run is under way: the training run \
                    is superseded",
            ends: &[
                "training SUCCEEDED: xgboost superseded, linear-learner exported",
                "training SUCCEEDED: xgboost exported",
            ],
            serves: "new",
            told: &[
                "kim rolls xgboost back",
                "rollback of xgboost by kim succeeded",
                "run R succeeded: xgboost superseded",
            ],
            play: play!(world {
                let former = second_champions(&world).await;
                world.off_by(20.0);
                world.drop_file(Drop::Training, "third.csv", Listings { seed: 3, ..Listings::default() }.labelled());
                world.minutes(5).await;
                world.roll_back("xgboost", former["run_id"].as_str().unwrap()).await?;
                world.settle().await;
                let champion = world.champion("xgboost").unwrap();
                anyhow::ensure!(champion["model_name"] == former["model_name"], "{champion}");
            }),
        },
        Row {
            name: "rolled-back-after-abort",
            fault: "a rollback is asked for right after a run was aborted",
            ends: &[
                "training ABORTED: xgboost undecided, linear-learner undecided",
                "training SUCCEEDED: xgboost exported",
            ],
            serves: "linear-learner before, xgboost new",
            told: &[
                "run R was aborted",
                "kim rolls xgboost back",
                "rollback of xgboost by kim succeeded",
                "linear-learner: the endpoint is being brought back",
                "linear-learner: the endpoint serves its champion again",
            ],
            play: play!(world {
                let former = second_champions(&world).await;
                world.off_by(20.0);
                world.at("VerifyEndpoint", "xgb", 1, World::abort);
                world.drop_file(Drop::Training, "third.csv", Listings { seed: 3, ..Listings::default() }.labelled());
                world.until_aborted().await;
                world.roll_back("xgboost", former["run_id"].as_str().unwrap()).await?;
                // Less than the duration of a lease.
                world.minutes(14).await;
                let champion = world.champion("xgboost").unwrap();
                anyhow::ensure!(champion["model_name"] == former["model_name"], "{champion}");
                world.settle().await;
            }),
        },
        Row {
            name: "rollback-aborted",
            fault: "a rollback is aborted at the endpoint: a tick brings the champion back",
            ends: &["training ABORTED: xgboost undecided"],
            serves: "before",
            told: &[
                "kim rolls xgboost back",
                "rollback of xgboost was aborted",
                "xgboost: the endpoint is being brought back",
                "xgboost: the endpoint serves its champion again",
            ],
            play: play!(world {
                let former = second_champions(&world).await;
                world.at("VerifyEndpoint", "xgb", 1, World::abort);
                world.roll_back("xgboost", former["run_id"].as_str().unwrap()).await?;
                world.settle().await;
                let mail = world.aws.published().into_iter().find(|it| it.message.contains("was aborted")).unwrap();
                anyhow::ensure!(mail.message.contains("brought back by the first tick"), "{}", mail.message);
            }),
        },
        Row {
            name: "rollback-fails",
            fault: "the endpoint doesn't come up on the former champion",
            ends: &["training FAILED: xgboost failed"],
            serves: "before",
            told: &["kim rolls xgboost back", "rollback of xgboost failed"],
            play: play!(world {
                let former = second_champions(&world).await;
                world.faults.on("endpoint", ["xgb"]).fails("the health checks failed");
                world.roll_back("xgboost", former["run_id"].as_str().unwrap()).await?;
                world.settle().await;
            }),
        },
        Row {
            name: "rollback-model-gone",
            fault: "somebody rolls back to a champion whose model was deleted: it is refused",
            ends: &[],
            serves: "before",
            told: &[],
            play: play!(world {
                let former = second_champions(&world).await;
                let model = serde_json::json!({"ModelName": former["model_name"]});
                world.sagemaker.call("DeleteModel", &model).unwrap();
                let refused = world.roll_back("xgboost", former["run_id"].as_str().unwrap()).await.unwrap_err().to_string();
                anyhow::ensure!(refused.contains("NoSuchCandidate"), "{refused}");
                world.settle().await;
            }),
        },
    ]
}

/// Makes champions, and better candidates that are held; returns the candidates' run.
async fn held(world: &Arc<World>) -> String {
    world.with_champions().await;
    let mut document = document();
    document["target"]["unit"] = "EUR".into();
    world.onboard(&document);
    world.retrain().await;
    world.runs().pop().unwrap()
}

/// Makes champions that replace others; returns the former champion of xgboost.
async fn second_champions(world: &Arc<World>) -> Value {
    world.with_champions().await;
    let former = world.champion("xgboost").unwrap();
    world.retrain().await;
    world.mark();
    former
}
