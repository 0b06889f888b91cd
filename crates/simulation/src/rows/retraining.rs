//! Training that is started by drift: lost events, and data that can't be trained on.

use super::{Row, play};
use crate::world::{BUCKET, Listings, USE_CASE, World, watched};
use contracts::places::Drop;
use serde_json::json;

/// Listings of only one make; the champions know three.
const DRIFTED: Listings = Listings {
    rows: 400,
    seed: 7,
    level: 1.0,
    below: f64::INFINITY,
    make: Some("bmw"),
};

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "drift-event-refused",
            fault: "EventBridge refuses the events `Drift Detected` for good, after the windows were committed",
            ends: &[
                "monitor SUCCEEDED: drifted",
                "monitor SUCCEEDED: drifted",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &[
                "drift in xgboost",
                "drift in linear-learner",
                "the event of drift in xgboost could not be sent",
                "the event of drift in linear-learner could not be sent",
                "has started run R",
                "run R succeeded: xgboost exported",
            ],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                world.faults.on("PutEvents", ["Drift Detected"]).times(18).fails("InternalException");
                world.answered("r", &DRIFTED);
                world.minutes(75).await;
                world.settle().await;
            }),
        },
        Row {
            name: "drift-unannounced",
            fault: "the same, and start-run is killed each time that it is told instead",
            ends: &["monitor FAILED: DriftUnannounced", "monitor FAILED: DriftUnannounced"],
            serves: "before",
            told: &[
                "drift in xgboost",
                "drift in linear-learner",
                "monitoring of xgboost failed",
                "monitoring of linear-learner failed",
            ],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                world.faults.on("PutEvents", ["Drift Detected"]).times(18).fails("InternalException");
                world.faults.on("start-run", ["Drift Detected"]).times(18).fails("Sandbox.Timedout");
                world.answered("r", &DRIFTED);
                world.minutes(75).await;
                world.settle().await;
            }),
        },
        Row {
            name: "drift-labels-refused",
            fault: "drift is to train on labelled rows, but the labels were refused",
            ends: &["monitor SUCCEEDED: drifted", "monitor SUCCEEDED: drifted"],
            serves: "before",
            told: &[
                "sold.csv was refused",
                "drift in xgboost",
                "drift in linear-learner",
                "xgboost has drifted, and there is nothing to train on",
                "linear-learner has drifted, and there is nothing to train on",
            ],
            play: play!(world {
                let mut document = watched();
                document["retraining"]["data"] = json!({"drops": "none", "labelled_days": 30});
                world.with_champions_of(&document).await;
                world.answered("r", &DRIFTED);
                let labels = World::ground_truth("r", &DRIFTED).replace("\n", " USD\n").replacen(" USD", "", 1);
                world.drop_file(Drop::GroundTruth, "sold.csv", labels);
                world.minutes(75).await;
                world.settle().await;
            }),
        },
        Row {
            name: "drift-newest-refused",
            fault: "drift is to train on the newest file, but it was refused: the file before it is used",
            ends: &[
                "monitor SUCCEEDED: drifted",
                "monitor SUCCEEDED: drifted",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &[
                "other.csv was refused",
                "drift in xgboost",
                "drift in linear-learner",
                "has started run R",
                "run R succeeded: xgboost exported",
            ],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                world.drop_file(Drop::Training, "other.csv", "name,city\nada,london\n");
                world.answered("r", &DRIFTED);
                world.minutes(75).await;
                world.settle().await;
                world.trained_on("first.csv")?;
            }),
        },
        Row {
            name: "drift-newest-unreadable",
            fault: "drift is to train on the newest file, but Preprocess has refused it: the file before it is used",
            ends: &[
                "training FAILED: States.TaskFailed",
                "monitor SUCCEEDED: drifted",
                "monitor SUCCEEDED: drifted",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &[
                "run R failed: AlgorithmError: UnreadableValues: other",
                "drift in xgboost",
                "drift in linear-learner",
                "has started run R",
                "run R succeeded: xgboost exported",
            ],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let other = Listings { seed: 2, ..Listings::default() }.labelled().replace(",bmw,", " mi,bmw,");
                world.drop_file(Drop::Training, "other.csv", other);
                world.answered("r", &DRIFTED);
                world.minutes(75).await;
                world.settle().await;
                world.trained_on("first.csv")?;
            }),
        },
    ]
}

impl World {
    /// Whether the last run has trained on this file only.
    fn trained_on(&self, name: &str) -> anyhow::Result<()> {
        let folder = format!("{USE_CASE}/runs/{}/input/", self.runs().pop().unwrap_or_default());
        let keys = self.aws.keys(BUCKET, &folder);
        anyhow::ensure!(keys == [folder + name], "it has trained on {keys:?}");
        Ok(())
    }
}
