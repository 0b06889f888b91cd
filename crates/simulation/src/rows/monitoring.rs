//! Monitoring runs, and the training that drift starts.

use super::{Row, play};
use crate::world::{Listings, World, watched};
use contracts::places::Drop;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "clean",
            fault: "none: live data is as it was",
            ends: &["monitor SUCCEEDED: clean", "monitor SUCCEEDED: clean"],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, ..Listings::default() };
                world.answered("r", &cars);
                world.minutes(75).await;
            }),
        },
        Row {
            name: "prices-changed",
            fault: "cars are sold for half more than before: drift starts a training run",
            ends: &[
                "monitor SUCCEEDED: drifted",
                "monitor SUCCEEDED: drifted",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &[
                "drift in xgboost",
                "drift in linear-learner",
                "has started run R",
                "run R succeeded: xgboost exported",
            ],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, level: 1.5, ..Listings::default() };
                world.answered("r", &cars);
                world.drop_file(Drop::GroundTruth, "sold.csv", World::ground_truth("r", &cars));
                world.minutes(75).await;
            }),
        },
        Row {
            name: "drift",
            fault: "live data has only one make: drift starts a training run",
            ends: &[
                "monitor SUCCEEDED: drifted",
                "monitor SUCCEEDED: drifted",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &[
                "drift in xgboost",
                "drift in linear-learner",
                "has started run R",
                "run R succeeded: xgboost exported",
            ],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, make: Some("bmw"), ..Listings::default() };
                world.answered("r", &cars);
                world.minutes(75).await;
                world.settle().await;
            }),
        },
        Row {
            name: "analysis-fails",
            fault: "the analysis of live data fails",
            ends: &["monitor FAILED: MonitoringFailed", "monitor SUCCEEDED: clean"],
            serves: "before",
            told: &["monitoring of xgboost failed"],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, ..Listings::default() };
                world.answered("r", &cars);
                world.faults.on("job", ["xgboost", "-ddrif-"]).fails("AlgorithmError: out of memory");
                world.minutes(75).await;
            }),
        },
        Row {
            name: "consolidation-out-of-time",
            fault: "consolidate-captures is killed by its time limit, twice",
            ends: &["monitor SUCCEEDED: clean", "monitor SUCCEEDED: clean"],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, ..Listings::default() };
                world.answered("r", &cars);
                world.faults.on("consolidate-captures", ["xgboost"]).times(2).fails("Sandbox.Timedout");
                world.minutes(75).await;
            }),
        },
        Row {
            name: "commit-killed-after",
            fault: "consolidate-captures is killed after the bookmark was committed",
            ends: &["monitor SUCCEEDED: clean", "monitor SUCCEEDED: clean"],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, ..Listings::default() };
                world.answered("r", &cars);
                world.faults.on("consolidate-captures", ["commit", "xgboost"]).fails_afterwards("Runtime.ExitError");
                world.minutes(75).await;
            }),
        },
        Row {
            name: "tick-twice",
            fault: "the schedule's tick comes twice",
            ends: &["monitor SUCCEEDED: clean", "monitor SUCCEEDED: clean"],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, ..Listings::default() };
                world.answered("r", &cars);
                world.faults.on("event", ["Scheduled Event"]).always().comes_twice();
                world.minutes(75).await;
            }),
        },
        Row {
            name: "tick-lost",
            fault: "a tick is lost",
            ends: &["monitor SUCCEEDED: clean", "monitor SUCCEEDED: clean"],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, ..Listings::default() };
                world.answered("r", &cars);
                world.faults.on("event", ["Scheduled Event"]).times(2).gets_lost();
                world.minutes(75).await;
            }),
        },
        Row {
            name: "dashboard-dies",
            fault: "refresh-dashboard is killed for good",
            ends: &["monitor SUCCEEDED: clean", "monitor SUCCEEDED: clean"],
            serves: "before",
            told: &[],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, ..Listings::default() };
                world.answered("r", &cars);
                world.faults.on("refresh-dashboard", ["xgboost"]).times(6).fails("Runtime.ExitError");
                world.minutes(75).await;
            }),
        },
    ]
}
