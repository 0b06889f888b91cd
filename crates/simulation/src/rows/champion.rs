//! The champion: older runs that end after newer ones, and champions that can't be scored.

use super::{Row, play};
use crate::world::{Listings, World, side_by_side};
use contracts::places::Drop;
use serde_json::json;
use std::sync::Arc;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "superseded",
            fault: "an older file's run is late: a newer one has exported before it compares",
            ends: &[
                "training SUCCEEDED: xgboost superseded, linear-learner superseded",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &[
                "run R succeeded: xgboost exported",
                "run R succeeded: xgboost superseded",
            ],
            play: play!(world {
                world.with_champions_of(&side_by_side()).await;
                two_runs(&world, 2).await;
                world.serves_the_newest()?;
            }),
        },
        Row {
            name: "superseded-at-endpoint",
            fault: "an older file's run has already compared when a newer one exports: it notices that at the endpoint",
            ends: &[
                "training SUCCEEDED: xgboost superseded, linear-learner superseded",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &[
                "run R succeeded: xgboost exported",
                "run R succeeded: xgboost superseded",
            ],
            play: play!(world {
                world.with_champions_of(&side_by_side()).await;
                for model in ["xgb", "linear"] {
                    world.at("RecordSuperseded", model, 0, |_, _| ());
                }
                two_runs(&world, 1).await;
                world.serves_the_newest()?;
            }),
        },
        Row {
            name: "champion-quota",
            fault: "the instances for scoring the champion are all in use for good: its candidate doesn't pass",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                let model = world.model("xgboost");
                world.faults.on("CreateTransformJob", [&model]).times(5).fails("ResourceLimitExceeded");
                world.retrain().await;
                world.was_not_scored("xgboost")?;
            }),
        },
        Row {
            name: "champion-instance-lost",
            fault: "the job that scores the champion loses its instance, twice: its candidate doesn't pass",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["xgb", "champ"]).times(2).fails("InternalServerError: We encountered an error.");
                world.retrain().await;
                world.was_not_scored("xgboost")?;
            }),
        },
        Row {
            name: "champion-instance-lost-once",
            fault: "the job that scores the champion loses its instance, once",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["xgb", "champ"]).fails("InternalServerError: We encountered an error.");
                world.retrain().await;
            }),
        },
        Row {
            name: "champion-answers-errors",
            fault: "the champion's containers answer errors for the rows, twice: its candidate is held",
            ends: &["training SUCCEEDED: xgboost held, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["xgboost candidate held", "run R succeeded: xgboost held"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["xgb", "champ"]).times(2).fails("AlgorithmError: See job logs.");
                world.retrain().await;
            }),
        },
        Row {
            name: "champion-model-gone",
            fault: "the champion's model was deleted: its candidate is held",
            ends: &["training SUCCEEDED: xgboost held, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["xgboost candidate held", "run R succeeded: xgboost held"],
            play: play!(world {
                world.with_champions().await;
                let model = json!({"ModelName": world.model("xgboost")});
                world.sagemaker.call("DeleteModel", &model).unwrap();
                world.retrain().await;
            }),
        },
        Row {
            name: "champion-model-gone-unasked",
            fault: "the same, but the document never requires approval: its candidate is exported",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                let mut document = crate::world::document();
                document["gate"] = json!({"approval": "never"});
                world.with_champions_of(&document).await;
                let model = json!({"ModelName": world.model("xgboost")});
                world.sagemaker.call("DeleteModel", &model).unwrap();
                world.retrain().await;
            }),
        },
    ]
}

/// Starts the run of an older file, whose training a quota delays `waits` times, and that of a newer file.
async fn two_runs(world: &Arc<World>, waits: u32) {
    let older = Listings {
        seed: 3,
        ..Listings::default()
    };
    world.drop_file(Drop::Training, "older.csv", older.labelled());
    world.minutes(1).await;
    let run = world.runs().pop().unwrap();
    let refused = world.faults.on("CreateTrainingJob", [&run]);
    refused.times(2 * waits).fails("ResourceLimitExceeded");
    let newer = Listings {
        seed: 4,
        ..Listings::default()
    };
    world.drop_file(Drop::Training, "newer.csv", newer.labelled());
    world.settle().await;
}

impl World {
    /// The SageMaker model of the champion of `model`.
    fn model(&self, model: &str) -> String {
        let champion = self.champion(model).unwrap();
        champion["model_name"].as_str().unwrap().to_owned()
    }

    /// Whether the last run failed a model because its champion was not scored.
    fn was_not_scored(&self, model: &str) -> anyhow::Result<()> {
        let decision = self.decision(model);
        let reason = decision["reason"].as_str().unwrap_or_default();
        anyhow::ensure!(reason.contains("ChampionNotScored"), "{decision}");
        Ok(())
    }
}
