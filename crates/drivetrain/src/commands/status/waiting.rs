//! The scoring files that wait for a champion.

use super::reads::READS;
use crate::target::{Platform, Target};
use anyhow::Result;
use contracts::places::{self, RunPlaces};
use contracts::{Manifest, RunId, RunState};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;

/// A scoring file that waits for a champion.
#[derive(Debug, PartialEq, Serialize)]
pub struct Waiting {
    /// Its run, which was not started.
    pub run_id: RunId,
    /// Its use case.
    pub use_case: String,
    /// The dropped file.
    pub file: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// For so long.
    pub age_seconds: i64,
    /// Which champions are lacking.
    pub reason: Option<String>,
}

/// Those of some use cases, the oldest of each first.
///
/// # Errors
/// The bucket can't be read.
pub async fn look(target: &Target, platform: &Platform, use_cases: &[String], now: Timestamp) -> Result<Vec<Waiting>> {
    let mut found = Vec::new();
    for use_case in use_cases {
        let folder = places::use_case::waiting(use_case);
        let keys = target.keys(&platform.bucket, &folder).await?;
        // They are named after runs, which begin with their time.
        let runs = keys.iter().filter_map(|key| RunId::parse(key.strip_prefix(&folder)?));
        let manifests = runs.map(|run_id| {
            let key = RunPlaces {
                use_case,
                run_id: &run_id,
            }
            .manifest();
            async move { target.document::<Manifest>(platform, &key).await }
        });
        let manifests: Vec<Option<Manifest>> = stream::iter(manifests).buffered(READS).try_collect().await?;
        // Any other has been taken up meanwhile.
        let open = |it: &Manifest| matches!(it.state, RunState::Waiting | RunState::Claimed);
        found.extend(manifests.into_iter().flatten().filter(open).map(|manifest| Waiting {
            file: manifest.source.object().map(|object| object.key.clone()),
            run_id: manifest.run_id,
            use_case: use_case.clone(),
            since: manifest.claimed_at,
            age_seconds: now.duration_since(manifest.claimed_at).as_secs().max(0),
            reason: manifest.reason,
        }));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;
    use serde_json::json;

    #[tokio::test]
    async fn files_that_wait_are_found_with_their_age_and_those_that_were_taken_up_are_not() {
        let aws = FakeAws::new();
        let platform = Platform::of_tests("bucket");
        for (run, state) in [
            ("20261122t183000z-00000001", "waiting"),
            ("20261122t183000z-00000002", "started"),
        ] {
            let object = json!({"bucket": "bucket", "key": "cars/scoring/incoming/a.csv", "version_id": "v", "bytes": 1,
                                "last_modified": "2026-11-22T18:30:00Z"});
            let manifest = json!({
                "run_id": run, "use_case": "cars", "kind": "scoring", "state": state, "source": object, "config_version": "v",
                "claimed_at": "2026-11-22T18:30:00Z", "reason": "no champion of this schema yet: m",
            });
            aws.put_object_json("bucket", &format!("cars/runs/{run}/run.json"), &manifest);
            aws.put_object("bucket", &format!("{}{run}", places::use_case::waiting("cars")), b"");
        }
        let target = Target::with_config("dev", aws.sdk_config());
        let now = "2026-11-22T20:30:05Z".parse().unwrap();
        let use_cases = ["vans".to_owned(), "cars".to_owned()];
        let found = look(&target, &platform, &use_cases, now).await.unwrap();
        assert_eq!(
            serde_json::to_value(found).unwrap(),
            json!([{
                "run_id": "20261122t183000z-00000001", "use_case": "cars", "file": "cars/scoring/incoming/a.csv",
                "since": "2026-11-22T18:30:00Z", "age_seconds": 7205, "reason": "no champion of this schema yet: m",
            }])
        );
    }
}
