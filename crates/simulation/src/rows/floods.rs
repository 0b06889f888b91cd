//! Very many files at the same time.

use super::{Row, play};
use crate::world::{BUCKET, Listings, USE_CASE, World};
use contracts::places::{self, Drop};

const FILES: usize = 50;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "flood",
            fault: "50 files at once: one is trained on, then the newest; the others are overtaken, which one mail \
                    reports",
            ends: &[
                "training SUCCEEDED: xgboost exported, linear-learner exported",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &[
                "run R succeeded: xgboost exported",
                "48 files were overtaken by newer ones",
                "run R succeeded: xgboost exported",
            ],
            play: play!(world {
                world.with_champions().await;
                let file = Listings { seed: 2, ..Listings::default() }.labelled();
                for number in 0..FILES {
                    world.drop_file(Drop::Training, &format!("{number}.csv"), &file);
                }
                world.minutes(8).await;
                anyhow::ensure!(world.under_way() == 1, "{} runs are under way", world.under_way());
                world.off_by(20.0);
                world.settle().await;
                world.serves_the_newest()?;
                let overtaken = world.manifests_in("overtaken");
                let newest = world.champions_run("xgboost");
                anyhow::ensure!(overtaken.iter().all(|run| *run < newest), "{overtaken:?} against {newest}");
            }),
        },
        Row {
            name: "two-in-a-second",
            fault: "a file is dropped twice in one second: the later version is trained on last",
            ends: &[
                "training SUCCEEDED: xgboost exported, linear-learner exported",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &["run R succeeded: xgboost exported", "run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                for seed in [2, 3] {
                    world.drop_file(Drop::Training, "cars.csv", Listings { seed, ..Listings::default() }.labelled());
                }
                world.minutes(8).await;
                world.off_by(20.0);
                world.settle().await;
                let later = Listings { seed: 3, ..Listings::default() }.labelled();
                let input = format!("{USE_CASE}/runs/{}/input/cars.csv", world.champions_run("xgboost"));
                anyhow::ensure!(world.aws.object(BUCKET, &input) == Some(later.into_bytes()), "the earlier one serves");
            }),
        },
        Row {
            name: "flood-refused",
            fault: "50 files at once that can't be used: few mails, the last of which names all remaining files",
            ends: &[],
            serves: "before",
            told: &["0.csv was refused", "files were refused"],
            play: play!(world {
                world.with_champions().await;
                for number in 0..FILES {
                    world.drop_file(Drop::Training, &format!("{number}.csv"), "name,city\nada,london\n");
                }
                world.settle().await;
                world.told_of_each(FILES)?;
            }),
        },
        Row {
            name: "flood-unknown",
            fault: "50 files at once for as many use cases without a document: Parameter Store is called once for each",
            ends: &[],
            serves: "before",
            told: &["a.csv was refused"; FILES],
            play: play!(world {
                world.with_champions().await;
                let before = world.asked_parameters();
                for number in 0..FILES {
                    let key = format!("u{number}/training/incoming/a.csv");
                    let version = world.aws.put_object(BUCKET, &key, Listings::default().labelled());
                    world.dropped(&key, &version);
                }
                world.minutes(1).await;
                let asked = world.asked_parameters() - before;
                anyhow::ensure!(asked == FILES, "Parameter Store was asked {asked} times");
                // After that, each of the two functions that a tick calls asks once.
                world.minutes(15).await;
                let asked = world.asked_parameters() - before - asked;
                anyhow::ensure!(asked < 2 * FILES + 10, "a tick has asked Parameter Store {asked} times");
            }),
        },
    ]
}

impl World {
    /// The number of executions under way.
    fn under_way(&self) -> usize {
        self.aws.executions().iter().filter(|it| it.status == "RUNNING").count()
    }

    /// How often Parameter Store was called.
    fn asked_parameters(&self) -> usize {
        self.aws.calls_of("GetParameter").len()
    }

    /// The runs whose manifest has this state.
    fn manifests_in(&self, state: &str) -> Vec<String> {
        let keys = self.aws.keys(BUCKET, &format!("{USE_CASE}/runs/")).into_iter();
        let manifests = keys.filter(|key| key.ends_with("/run.json"));
        let manifests = manifests.filter_map(|key| self.aws.object_json(BUCKET, &key));
        let of_state = manifests.filter(|it| it["state"] == state);
        of_state
            .filter_map(|it| it["run_id"].as_str().map(str::to_owned))
            .collect()
    }

    /// Whether the mails together name each of the files exactly once.
    fn told_of_each(&self, files: usize) -> anyhow::Result<()> {
        let mails: String = self.aws.published().into_iter().map(|it| it.message).collect();
        for number in 0..files {
            let key = places::uri(
                BUCKET,
                &(places::incoming(USE_CASE, Drop::Training) + &format!("{number}.csv")),
            );
            let times = mails.matches(&key).count();
            anyhow::ensure!(times == 1, "{key} was told {times} times");
        }
        Ok(())
    }
}
