//! Functions that are killed before or after their work: by Lambda's time limit (`Sandbox.Timedout`) or memory limit
//! (`Runtime.ExitError`).

use super::{Row, play};

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "metrics-out-of-memory",
            fault: "query-metrics is killed by its memory limit",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("query-metrics", ["xgb"]).fails("Runtime.ExitError");
                world.retrain().await;
            }),
        },
        Row {
            name: "threshold-out-of-time",
            fault: "rmse-gate is killed by its time limit after the decision was written",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("rmse-gate", ["threshold", "xgboost"]).fails_afterwards("Sandbox.Timedout");
                world.retrain().await;
            }),
        },
        Row {
            name: "compare-out-of-time",
            fault: "rmse-gate is killed by its time limit after it has compared, twice",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("rmse-gate", ["compare", "xgboost"]).times(2).fails_afterwards("Sandbox.Timedout");
                world.retrain().await;
            }),
        },
        Row {
            name: "prepare-out-of-memory",
            fault: "check-endpoint is killed after it has taken the lease",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("check-endpoint", ["prepare", "xgboost"]).fails_afterwards("Runtime.ExitError");
                world.retrain().await;
            }),
        },
        Row {
            name: "verify-out-of-time",
            fault: "check-endpoint is killed by its time limit while it verifies",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("check-endpoint", ["verify", "xgboost"]).times(3).fails("Sandbox.Timedout");
                world.retrain().await;
            }),
        },
        Row {
            name: "export-out-of-time",
            fault: "export-config is killed by its time limit before it has begun",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("export-config", ["xgboost"]).fails("Sandbox.Timedout");
                world.retrain().await;
            }),
        },
        Row {
            name: "export-out-of-memory",
            fault: "export-config is killed after champion.json was written",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("export-config", ["xgboost"]).fails_afterwards("Runtime.ExitError");
                world.retrain().await;
            }),
        },
        Row {
            name: "gate-dies-for-good",
            fault: "rmse-gate is killed for good: the failure can't be recorded",
            ends: &["training FAILED: linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("rmse-gate", ["xgboost"]).always().fails("Runtime.ExitError");
                world.retrain().await;
            }),
        },
        Row {
            name: "verify-dies-for-good",
            fault: "check-endpoint is killed at every verification",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("check-endpoint", ["verify", "xgboost"]).times(6).fails("Sandbox.Timedout");
                world.retrain().await;
            }),
        },
        Row {
            name: "export-dies-for-good",
            fault: "export-config is killed each time before it begins",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &["run R failed: xgboost failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("export-config", ["xgboost"]).times(6).fails("Runtime.ExitError");
                world.retrain().await;
            }),
        },
    ]
}
