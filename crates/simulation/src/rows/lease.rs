//! The lease: only one run at a time changes an endpoint.

use super::{Row, play};
use crate::world::{BUCKET, Listings, USE_CASE, World, side_by_side};
use contracts::places::{Drop, use_case};
use serde_json::json;

pub fn rows() -> Vec<Row> {
    vec![
        Row {
            name: "lease-of-a-dead-run",
            fault: "a run was aborted at the endpoint, and a new file comes: its run doesn't wait for a dead run's lease",
            ends: &[
                "training ABORTED: xgboost undecided, linear-learner undecided",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            // Ticks repair what the dead run has left while the new one trains.
            told: &[
                "run R was aborted",
                "xgboost: the endpoint is being brought back",
                "linear-learner: the endpoint is being brought back",
                "run R succeeded: xgboost exported",
                "xgboost: the endpoint serves its champion again",
                "linear-learner: the endpoint serves its champion again",
            ],
            play: play!(world {
                world.with_champions().await;
                world.at("VerifyEndpoint", "xgb", 3, World::abort);
                world.drop_file(Drop::Training, "aborted.csv", Listings { seed: 3, ..Listings::default() }.labelled());
                world.until_aborted().await;
                anyhow::ensure!(world.is_free("xgboost"), "the lease is held");
                world.retrain().await;
            }),
        },
        Row {
            name: "lease-expired",
            fault: "a run that is long dead holds the lease: it is taken over at once",
            ends: &["training SUCCEEDED: xgboost exported, linear-learner exported"],
            serves: "new",
            told: &["run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions().await;
                world.leave_lease("xgboost", -60);
                world.retrain().await;
            }),
        },
        Row {
            name: "lease-held",
            fault: "two runs at once: the newer one waits for the lease, compares again, and goes on",
            ends: &[
                "training SUCCEEDED: xgboost exported, linear-learner exported",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &["run R succeeded: xgboost exported", "run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions_of(&side_by_side()).await;
                world.at("WaitForTurn", "xgb", 0, |_, _| ());
                world.at("LeaveForNextRound", "xgb", 0, |_, _| ());
                world.drop_file(Drop::Training, "older.csv", Listings { seed: 3, ..Listings::default() }.labelled());
                world.minutes(1).await;
                world.drop_file(Drop::Training, "newer.csv", Listings { seed: 4, ..Listings::default() }.labelled());
                world.minutes(6).await;
                world.off_by(20.0);
                world.settle().await;
                world.serves_the_newest()?;
            }),
        },
        Row {
            name: "lease-outlasts-quota",
            fault: "a quota refuses the older of two runs for 75 minutes: it keeps the lease, gives up, and touches nothing more",
            ends: &[
                "training FAILED: xgboost failed, linear-learner exported",
                "training SUCCEEDED: xgboost exported, linear-learner exported",
            ],
            serves: "new",
            told: &["run R failed: xgboost failed", "run R succeeded: xgboost exported"],
            play: play!(world {
                world.with_champions_of(&side_by_side()).await;
                world.faults.on("UpdateEndpoint", ["xgb"]).times(16).fails("ResourceLimitExceeded");
                world.drop_file(Drop::Training, "older.csv", Listings { seed: 3, ..Listings::default() }.labelled());
                world.minutes(1).await;
                world.drop_file(Drop::Training, "newer.csv", Listings { seed: 4, ..Listings::default() }.labelled());
                world.minutes(6).await;
                world.off_by(20.0);
                world.settle().await;
                world.serves_the_newest()?;
            }),
        },
        Row {
            name: "lease-lost",
            fault: "another run has the lease when a run checks whether the endpoint is ready: it gives up",
            ends: &["training FAILED: xgboost failed, linear-learner exported"],
            serves: "linear-learner new, xgboost before",
            told: &[
                "run R failed: xgboost failed",
                "xgboost: the endpoint is being brought back",
                "xgboost: the endpoint serves its champion again",
            ],
            play: play!(world {
                world.with_champions().await;
                world.at("WaitForEndpoint", "xgb", 0, |world, _| world.leave_lease("xgboost", 900));
                world.retrain().await;
            }),
        },
    ]
}

impl World {
    /// Whether nobody holds the lease of a model's endpoint.
    fn is_free(&self, model: &str) -> bool {
        let lease = self.aws.object_json(BUCKET, &use_case::lease(USE_CASE, model));
        let lease = lease.and_then(|it| serde_json::from_value::<contracts::Lease>(it).ok());
        lease.is_none_or(|it| it.expires_at <= self.clock.now())
    }

    /// Stores somebody else's lease of a model's endpoint, which expires in `seconds`.
    fn leave_lease(&self, model: &str, seconds: i64) {
        let expires = self.clock.now() + jiff::SignedDuration::from_secs(seconds);
        let lease = json!({"run_id": "20261122t120000z-0badcafe", "expires_at": expires});
        self.aws
            .put_object_json(BUCKET, &use_case::lease(USE_CASE, model), &lease);
    }
}
