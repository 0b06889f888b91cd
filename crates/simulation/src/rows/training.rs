//! Training runs and the gate.

use super::{Row, play};
use crate::world::{Listings, document};

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "first-champions",
            fault: "none: the first file",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.onboard(&document());
                world.train("first.csv", &Listings::default()).await;
            }),
        },
        Row {
            name: "better-candidates",
            fault: "none: a second file makes better models",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.retrain().await;
            }),
        },
        Row {
            name: "worse-candidates",
            fault: "a second file makes worse models",
            ends: &["training SUCCEEDED: xgboost rejected-champion, linear-learner rejected-champion"],
            serves: "before",
            told: &[
                "xgboost candidate rejected",
                "linear-learner candidate rejected",
                "run R succeeded: xgboost rejected-champion",
            ],
            play: play!(world {
                world.with_champions().await;
                world.off_by(2_000.0);
                world.retrain().await;
            }),
        },
        Row {
            name: "above-threshold",
            fault: "the training metric is above its threshold",
            ends: &["training SUCCEEDED: xgboost rejected-threshold, linear-learner rejected-threshold"],
            serves: "before",
            told: &[
                "xgboost candidate rejected",
                "linear-learner candidate rejected",
                "run R succeeded: xgboost rejected-threshold",
            ],
            play: play!(world {
                world.with_champions().await;
                world.off_by(20_000.0);
                world.retrain().await;
            }),
        },
        Row {
            name: "preprocess-fails",
            fault: "the preprocessing job fails",
            ends: &["training FAILED: States.TaskFailed"],
            serves: "before",
            told: &["run R failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["prep"]).fails("AlgorithmError: NoUsableRows: no row is left");
                world.retrain().await;
            }),
        },
        Row {
            name: "one-training-fails",
            fault: "one model's training job fails",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["xgb", "train"]).fails("AlgorithmError: out of memory");
                world.retrain().await;
            }),
        },
        Row {
            name: "training-hangs",
            fault: "a training job never ends: its time limit ends it, and it is stopped",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("hang", ["xgb", "train"]).gets_lost();
                world.retrain().await;
            }),
        },
        Row {
            name: "training-quota",
            fault: "the instances are all in use, twice",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("CreateTrainingJob", ["xgboost"]).times(2).fails("ResourceLimitExceeded");
                world.retrain().await;
            }),
        },
        Row {
            name: "training-quota-for-good",
            fault: "the instances are all in use for good",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("CreateTrainingJob", ["xgboost"]).times(5).fails("ResourceLimitExceeded");
                world.retrain().await;
            }),
        },
        Row {
            name: "model-throttled",
            fault: "CreateModel is throttled, three times",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("CreateModel", ["xgboost"]).times(3).fails("ThrottlingException");
                world.retrain().await;
            }),
        },
        Row {
            name: "candidate-not-scored",
            fault: "the job that scores the candidate fails",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["xgb", "cand"]).fails("ClientError: the container was lost");
                world.retrain().await;
            }),
        },
        Row {
            name: "baseline-fails",
            fault: "a baseline job fails",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["xgboost", "-qual-"]).fails("AlgorithmError: out of memory");
                world.retrain().await;
            }),
        },
        Row {
            name: "candidate-unwritten",
            fault: "Parameter Store refuses the candidate for good",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("PutParameter", ["xgboost", "candidate"]).times(5).fails("InternalServerError");
                world.retrain().await;
            }),
        },
        Row {
            name: "aborted-in-training",
            fault: "somebody aborts the execution while models are trained: their jobs are stopped",
            ends: &["training ABORTED"],
            serves: "before",
            told: &["run R"],
            play: play!(world {
                world.with_champions().await;
                world.at("TrainModel", "xgboost", 0, |world, arn| {
                    let (later, arn) = (world.clone(), arn.to_owned());
                    world.clock.spawn(async move {
                        later.clock.sleep(std::time::Duration::from_secs(60)).await;
                        later.abort(&arn);
                    });
                });
                world.retrain().await;
            }),
        },
    ]
}
