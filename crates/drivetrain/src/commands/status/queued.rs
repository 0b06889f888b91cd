//! The training runs that wait for another to end, and those that newer ones have overtaken lately.

use crate::target::{Platform, Target};
use anyhow::Result;
use contracts::places::{self, RunPlaces};
use contracts::queue::{Telling, Why};
use contracts::{Manifest, RunId, RunState};
use serde::Serialize;
use std::collections::BTreeSet;

/// How many of each use case are shown, the newest.
const SHOWN: usize = 20;

/// A run that was not started.
#[derive(Debug, Serialize)]
pub struct Queued {
    /// The run.
    pub run_id: RunId,
    /// Its use case.
    pub use_case: String,
    /// `queued` or `overtaken`.
    pub state: RunState,
    /// The dropped file; none of a retraining by drift.
    pub file: Option<String>,
    /// The run that was started instead.
    pub overtaken_by: Option<RunId>,
}

/// Those of some use cases, the newest first.
///
/// # Errors
/// The bucket can't be read.
pub async fn look(target: &Target, platform: &Platform, use_cases: &[String]) -> Result<Vec<Queued>> {
    let mut found = Vec::new();
    for use_case in use_cases {
        let mut runs = BTreeSet::new();
        for folder in [
            places::use_case::queued(use_case),
            places::use_case::untold(use_case, Why::Overtaken),
        ] {
            let keys = target.keys(&platform.bucket, &folder).await?;
            let name = |key: &String| RunId::parse(key.rsplit('/').next()?.trim_end_matches(".json"));
            runs.extend(keys.iter().filter_map(name));
        }
        let telling: Option<Telling> = target.document(platform, &places::use_case::telling(use_case)).await?;
        runs.extend(telling.into_iter().flat_map(|telling| telling.overtaken));
        for run_id in runs.iter().rev().take(SHOWN) {
            let key = RunPlaces { use_case, run_id }.manifest();
            let manifest: Option<Manifest> = target.document(platform, &key).await?;
            // Any other has been started meanwhile, or its call is at it.
            let open = |it: &Manifest| matches!(it.state, RunState::Queued | RunState::Overtaken);
            found.extend(manifest.filter(open).map(|manifest| Queued {
                file: manifest.source.object().map(|object| object.key.clone()),
                run_id: manifest.run_id,
                use_case: use_case.clone(),
                state: manifest.state,
                overtaken_by: manifest.overtaken_by,
            }));
        }
    }
    Ok(found)
}
