//! The contents of files: formats, values that can't be read, narrow and wide files, and labels.

use super::{Row, play};
use crate::world::{Listings, World, document, watched};
use contracts::places::Drop;
use serde_json::{Value, json};
use std::sync::Arc;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "gzip",
            fault: "none: a file compressed with gzip",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world { dropped(&world, &document(), "second.csv.gz", better().gzipped()).await; }),
        },
        Row {
            name: "parquet",
            fault: "none: a Parquet file",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world { dropped(&world, &document(), "second.parquet", better().parquet()).await; }),
        },
        Row {
            name: "parquet-unwelcome",
            fault: "a Parquet file, but the document accepts only CSV",
            ends: &[],
            serves: "before",
            told: &["second.parquet was refused"],
            play: play!(world {
                let document = with("input", json!({"format": "csv"}));
                dropped(&world, &document, "second.parquet", better().parquet()).await;
                world.told_to("Remove `format` from `input`")?;
            }),
        },
        Row {
            name: "commas-declared",
            fault: "none: semicolons and decimal commas that the document declares",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                let document = with("input", json!({"delimiter": ";", "decimal": ","}));
                dropped(&world, &document, "second.csv", better().with_commas()).await;
            }),
        },
        Row {
            name: "semicolons-undeclared",
            fault: "a file with semicolons that the document doesn't declare",
            ends: &[],
            serves: "before",
            told: &["second.csv was refused"],
            play: play!(world {
                dropped(&world, &document(), "second.csv", better().with_commas()).await;
                world.told_to("Add `input: { delimiter: \";\" }`")?;
            }),
        },
        Row {
            name: "commas-undeclared",
            fault: "decimal commas that the document doesn't declare",
            ends: &["training FAILED: States.TaskFailed"],
            serves: "before",
            told: &["run R failed: AlgorithmError: UnreadableValues"],
            play: play!(world {
                let document = with("input", json!({"delimiter": ";"}));
                dropped(&world, &document, "second.csv", better().with_commas()).await;
                world.told_to("add `input: { decimal: \",\" }`")?;
            }),
        },
        Row {
            name: "closed-words",
            fault: "a third of the words of a closed category are unknown",
            ends: &["training FAILED: States.TaskFailed"],
            serves: "before",
            told: &["run R failed: AlgorithmError: UnreadableValues"],
            play: play!(world {
                let mut document = document();
                document["schema"]["columns"][2]["categories"] = json!({"open": false, "values": ["civic", "ford"]});
                dropped(&world, &document, "second.csv", better().labelled()).await;
                world.told_to("add them to `categories.values`")?;
            }),
        },
        Row {
            name: "rule-drops-most",
            fault: "prices in another unit: a rule of the document would drop most of the rows, and a model would \
                    learn from the rest",
            ends: &["training FAILED: States.TaskFailed"],
            serves: "before",
            told: &["run R failed: AlgorithmError: TooManyDropped"],
            play: play!(world {
                let rules = json!({"rules": [{"column": "price", "min": 100, "max": 60_000}]});
                let tenfold = Listings { level: 10.0, ..better() };
                dropped(&world, &with("cleaning", rules), "second.csv", tenfold.labelled()).await;
                world.told_to("change `max: 60000` of `price` in `cleaning.rules`")?;
            }),
        },
        Row {
            name: "narrow",
            fault: "a file with only cheap cars: better for these, worse for the champion's rows",
            ends: &["training SUCCEEDED: xgboost rejected-champion, linear-learner rejected-champion"],
            serves: "before",
            told: &[
                "xgboost candidate rejected",
                "linear-learner candidate rejected",
                "run R succeeded: xgboost rejected-champion",
            ],
            play: play!(world {
                let cheap = Listings { below: 9_000.0, ..better() };
                dropped(&world, &document(), "second.csv", cheap.labelled()).await;
            }),
        },
        Row {
            name: "copies",
            fault: "sixty rows, each twenty times, and a document that keeps copies: they prove as much as sixty rows \
                    do",
            ends: &["training SUCCEEDED: xgboost rejected-champion, linear-learner rejected-champion"],
            serves: "before",
            told: &[
                "xgboost candidate rejected",
                "linear-learner candidate rejected",
                "run R succeeded: xgboost rejected-champion",
            ],
            play: play!(world {
                let once = Listings { rows: 60, ..better() }.labelled();
                let (header, rows) = once.split_once('\n').unwrap_or_default();
                let file = format!("{header}\n{}", rows.repeat(20));
                dropped(&world, &with("cleaning", json!({"drop_duplicates": false})), "second.csv", file).await;
                world.told_to("different rows (")?;
            }),
        },
        Row {
            name: "too-wide",
            fault: "a file whose words make more than 2,000 features",
            ends: &["training FAILED: States.TaskFailed"],
            serves: "before",
            told: &["run R failed: AlgorithmError: TooManyFeatures"],
            play: play!(world {
                let mut document = document();
                document["features"] = json!({"rare_below": 1, "max_categories": 3_000});
                let dealers = Listings { rows: 3_000, ..better() }.cars();
                let rows = dealers.iter().enumerate().map(|(number, (row, price))| format!("{row}-{number},{price}\n"));
                let rows = format!("year,odometer,model,price\n{}", rows.collect::<String>());
                dropped(&world, &document, "second.csv", rows).await;
                world.told_to("TooManyFeatures: the columns make 2")?;
            }),
        },
        Row {
            name: "labels-refused",
            fault: "ground truth without a single number, whose event S3 sends twice: it joins nothing",
            ends: &["monitor SUCCEEDED: clean", "monitor SUCCEEDED: clean"],
            serves: "before",
            told: &["sold.csv was refused"],
            play: play!(world {
                world.with_champions_of(&watched()).await;
                let cars = Listings { rows: 400, seed: 7, ..Listings::default() };
                world.answered("r", &cars);
                world.faults.on("event", ["sold.csv"]).comes_twice();
                world.drop_file(Drop::GroundTruth, "sold.csv", "id,label\nr-0#0,much\nr-1#0,more\n");
                world.minutes(75).await;
                let joined = world.aws.keys(crate::world::BUCKET, &format!("{}/labelled/", crate::world::USE_CASE));
                anyhow::ensure!(joined.is_empty(), "{joined:?}");
            }),
        },
        Row {
            name: "labels-corrected",
            fault: "ground truth is wrong by half, and corrected an hour later",
            ends: &[
                "monitor SUCCEEDED: drifted",
                "monitor SUCCEEDED: drifted",
                "monitor SUCCEEDED: clean",
                "monitor SUCCEEDED: clean",
            ],
            serves: "before",
            told: &[
                "drift in xgboost",
                "drift in linear-learner",
                "xgboost is clean again",
                "linear-learner is clean again",
            ],
            play: play!(world {
                let mut document = watched();
                document["retraining"]["on_drift"] = false.into();
                world.with_champions_of(&document).await;
                let cars = Listings { rows: 400, seed: 7, ..Listings::default() };
                world.answered("r", &cars);
                let wrong = Listings { level: 1.5, ..cars.clone() };
                world.drop_file(Drop::GroundTruth, "sold.csv", World::ground_truth("r", &wrong));
                world.minutes(75).await;
                world.drop_file(Drop::GroundTruth, "mended.csv", World::ground_truth("r", &cars));
                world.minutes(75).await;
            }),
        },
    ]
}

fn better() -> Listings {
    Listings {
        seed: 2,
        ..Listings::default()
    }
}

fn with(name: &str, value: Value) -> Value {
    let mut document = document();
    document[name] = value;
    document
}

/// Drops a file after a changed document was stored.
async fn dropped(world: &Arc<World>, document: &Value, name: &str, content: impl AsRef<[u8]>) {
    world.with_champions().await;
    world.onboard(document);
    world.drop_file(Drop::Training, name, content);
    world.settle().await;
}

impl World {
    /// Whether the last mail contains `what`.
    fn told_to(&self, what: &str) -> anyhow::Result<()> {
        let mail = self.aws.published().pop().map(|it| it.message).unwrap_or_default();
        anyhow::ensure!(mail.contains(what), "{mail}");
        Ok(())
    }
}
