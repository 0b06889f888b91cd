//! Scoring runs.

use super::{Row, play};
use crate::world::{Listings, document};
use contracts::places::Drop;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "scored",
            fault: "none: a file to score",
            ends: &["scoring SUCCEEDED"],
            serves: "before",
            told: &["cars.csv"],
            play: play!(world {
                world.with_champions().await;
                world.score("cars.csv", &Listings::default().unlabelled()).await;
            }),
        },
        Row {
            name: "scoring-waits",
            fault: "a file to score comes before any champion: both models score it when the run has ended",
            ends: &[
                "training SUCCEEDED: xgboost exported, linear-learner exported",
                "scoring SUCCEEDED",
            ],
            serves: "new",
            told: &[
                "cars.csv waits for a champion",
                "run R succeeded: xgboost exported",
                "rows of cars.csv",
            ],
            play: play!(world {
                world.onboard(&document());
                world.drop_file(Drop::Scoring, "cars.csv", Listings::default().unlabelled());
                world.minutes(20).await;
                world.train("first.csv", &Listings::default()).await;
            }),
        },
        Row {
            name: "one-model-not-scored",
            fault: "one model's scoring job fails",
            ends: &["scoring SUCCEEDED"],
            serves: "before",
            told: &["rows scored, without xgboost: ClientError"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["xgb", "score"]).fails("ClientError: 413");
                world.score("cars.csv", &Listings::default().unlabelled()).await;
            }),
        },
        Row {
            name: "no-model-scored",
            fault: "every scoring job fails",
            ends: &["scoring FAILED: ScoringFailed"],
            serves: "before",
            told: &["scoring run R failed"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["score"]).times(2).fails("ClientError: 413");
                world.score("cars.csv", &Listings::default().unlabelled()).await;
            }),
        },
        Row {
            name: "combine-fails",
            fault: "the job that combines fails",
            ends: &["scoring FAILED: States.TaskFailed"],
            serves: "before",
            told: &["scoring run R failed: AlgorithmError"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("job", ["comb"]).fails("AlgorithmError: out of memory");
                world.score("cars.csv", &Listings::default().unlabelled()).await;
            }),
        },
        Row {
            name: "scoring-quota",
            fault: "the instances for scoring are all in use, once",
            ends: &["scoring SUCCEEDED"],
            serves: "before",
            told: &["cars.csv"],
            play: play!(world {
                world.with_champions().await;
                world.faults.on("CreateTransformJob", ["score"]).fails("ResourceLimitExceeded");
                world.score("cars.csv", &Listings::default().unlabelled()).await;
            }),
        },
        Row {
            name: "rows-set-aside",
            fault: "some rows can't be scored",
            ends: &["scoring SUCCEEDED"],
            serves: "before",
            told: &["cars.csv"],
            play: play!(world {
                world.with_champions().await;
                let text = Listings::default().unlabelled() + "soon,1000,bmw\n";
                world.score("cars.csv", &text).await;
            }),
        },
    ]
}
