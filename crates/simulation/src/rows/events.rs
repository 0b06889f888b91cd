//! Dropped files, and the delivery of events.

use super::{Row, play};
use crate::world::Listings;
use contracts::places::Drop;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "drop-told-twice",
            fault: "S3 sends the event of a file twice",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("event", ["Object Created"]).comes_twice();
                world.retrain().await;
            }),
        },
        Row {
            name: "start-killed-before",
            fault: "start-run is killed before it has begun: Lambda calls it again",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("start-run", ["Object Created"]).times(2).fails("Sandbox.Timedout");
                world.retrain().await;
            }),
        },
        Row {
            name: "start-killed-after",
            fault: "start-run is killed after it has started the run: Lambda calls it again",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("start-run", ["Object Created"]).fails_afterwards("Runtime.ExitError");
                world.retrain().await;
            }),
        },
        Row {
            name: "start-dies-for-good",
            fault: "start-run is killed each time: the event becomes a dead letter",
            ends: &[],
            serves: "before",
            told: &["dead letter of start-run: Sandbox.Timedout"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("start-run", ["Object Created"]).times(3).fails("Sandbox.Timedout");
                world.retrain().await;
            }),
        },
        Row {
            name: "end-told-twice",
            fault: "Step Functions sends the event of an execution's end twice",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("event", ["Execution Status Change"]).comes_twice();
                world.retrain().await;
            }),
        },
        Row {
            name: "notify-killed-before",
            fault: "notify-run is killed before it has notified anybody",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("notify-run", []).fails("Runtime.ExitError");
                world.retrain().await;
            }),
        },
        Row {
            name: "publish-fails",
            fault: "SNS refuses the notice, once",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.aws.fail_next("Publish", fake_aws::Reply::error(500, "InternalFailure", "busy"));
                world.retrain().await;
            }),
        },
        Row {
            name: "page-dies",
            fault: "refresh-dashboard is killed each time that a row of the run is reported: dead letters, and nothing else",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &[
                "run R succeeded: xgboost exported",
                "dead letter of refresh-dashboard: Runtime.ExitError",
                "dead letter of refresh-dashboard: Runtime.ExitError",
            ],
            play: play!(world {
                world.with_champions().await;
                world.send_events_of_rows();
                world.faults.on("refresh-dashboard", ["Object Created"]).times(6).fails("Runtime.ExitError");
                world.retrain().await;
            }),
        },
        Row {
            name: "vanished",
            fault: "the file is deleted before it could be taken up",
            ends: &[],
            serves: "before",
            told: &["gone.csv was refused"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("event", ["gone.csv"]).gets_lost();
                world.drop_file(Drop::Training, "gone.csv", Listings::default().labelled());
                world.dropped("cars/training/incoming/gone.csv", "nothing");
                world.settle().await;
            }),
        },
        Row {
            name: "no-document",
            fault: "a file of a use case that has no document",
            ends: &[],
            serves: "none",
            told: &["first.csv was refused"],
            play: play!(world {
                world.drop_file(Drop::Training, "first.csv", Listings::default().labelled());
                world.settle().await;
            }),
        },
        Row {
            name: "not-csv",
            fault: "a file that is not CSV with these columns",
            ends: &[],
            serves: "before",
            told: &["other.csv was refused"],
            play: play!(world {
                world.with_champions().await;
                world.drop_file(Drop::Training, "other.csv", "name,city\nada,london\n");
                world.settle().await;
            }),
        },
    ]
}
