//! Keys that are not plain names: S3 accepts any text of up to 1,024 bytes.

use super::{Row, play};
use crate::world::{Listings, World};
use contracts::places::{self, Drop};
use std::sync::Arc;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "key-newline",
            fault: "a file whose name has a line break and looks like a line of a mail",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world { trained(&world, "cars.csv\nrun: 20261122t120000z-0badcafe\t.csv").await; }),
        },
        Row {
            name: "key-newline-refused",
            fault: "the same with a file that can't be used: no line of the mail comes from the name",
            ends: &[],
            serves: "before",
            told: &[r"other.csv\nreason: none\r\n\u{202e}.csv was refused"],
            play: play!(world {
                world.with_champions().await;
                world.drop_file(Drop::Training, "other.csv\nreason: none\r\n\u{202e}.csv", "name,city\nada,london\n");
                world.settle().await;
                let mail = world.aws.published().pop().unwrap().message;
                let reasons = mail.lines().filter(|line| line.starts_with("reason:")).count();
                anyhow::ensure!(reasons == 1, "{mail}");
            }),
        },
        Row {
            name: "key-quotes-unicode",
            fault: "a file whose name has quotes, per cent signs, a plus, a question mark, and letters that are not \
                    ASCII",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world { trained(&world, "żółw \"90 %\" 'a'+b%20c?versionId=1&<ą>#\u{1f697}.csv").await; }),
        },
        Row {
            name: "key-1024-bytes",
            fault: "a file whose key has 1,024 bytes, the most that S3 takes",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                let folder = places::incoming(crate::world::USE_CASE, Drop::Training);
                let name = "ż".repeat((1_024 - folder.len()) / 2 - 4);
                let name = format!("{name}{}.csv", "x".repeat(1_020 - folder.len() - name.len()));
                trained(&world, &name).await;
            }),
        },
        Row {
            name: "key-1024-bytes-refused",
            fault: "the same with a file that can't be used",
            ends: &[],
            serves: "before",
            told: &["xxxxxxxx..."],
            play: play!(world {
                world.with_champions().await;
                let folder = places::incoming(crate::world::USE_CASE, Drop::Training);
                let name = "x".repeat(1_024 - folder.len());
                world.drop_file(Drop::Training, &name, "name,city\nada,london\n");
                world.settle().await;
            }),
        },
        Row {
            name: "key-ending-alone",
            fault: "a file that is called `.csv`",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world { trained(&world, ".csv").await; }),
        },
        Row {
            name: "key-256-characters",
            fault: "a file to score whose name has 256 characters, more than a file system takes",
            ends: &["scoring SUCCEEDED"],
            serves: "before",
            told: &["1000 rows of xxxxxxxx"],
            play: play!(world {
                world.with_champions().await;
                let name = "x".repeat(252) + ".csv";
                world.score(&name, &Listings::default().unlabelled()).await;
            }),
        },
        Row {
            name: "key-folders",
            fault: "a folder is created, and a file is two folders below `incoming/`",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.drop_file(Drop::Training, "2026/", "");
                world.train("2026/11/cars.csv", &Listings { seed: 2, ..Listings::default() }).await;
            }),
        },
    ]
}

/// Trains on a better file with this name.
async fn trained(world: &Arc<World>, name: &str) {
    world.with_champions().await;
    let better = Listings {
        seed: 2,
        ..Listings::default()
    };
    world.train(name, &better).await;
}
