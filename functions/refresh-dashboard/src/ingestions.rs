//! Which datasets of QuickSight are due. SPICE takes 32 ingestions of a dataset in 24 hours, of all who ask.

use contracts::places;
use contracts::{RunId, UseCase};
use jiff::{SignedDuration, Timestamp};
use platform::documents::Condition;
use platform::{Documents, Error};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A dataset is refreshed so often at most: 12 times a day, which leaves people some.
const INTERVAL: SignedDuration = SignedDuration::from_hours(2);

/// What QuickSight is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ingestion {
    /// The dataset.
    pub data_set_id: String,
    /// Unique, and the same for the same run.
    pub ingestion_id: String,
}

/// `use-cases/<use-case>/dashboard.json`: when each dataset was last refreshed, and for which run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Refreshed {
    /// By dataset.
    data_sets: BTreeMap<String, Refresh>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Refresh {
    run_id: RunId,
    at: Timestamp,
}

/// The datasets of the document that were not refreshed lately; they count as refreshed then. A second call for the same
/// run gets the same again, should the first answer have been lost. Of two runs at once, one gets them.
pub(crate) async fn due(
    documents: &Documents,
    document: &UseCase,
    run_id: &RunId,
    now: Timestamp,
) -> Result<Vec<Ingestion>, Error> {
    let data_sets: Vec<&String> = document
        .dashboard
        .iter()
        .flat_map(|it| &it.quicksight_datasets)
        .collect();
    if data_sets.is_empty() {
        return Ok(Vec::new());
    }
    let key = places::use_case::refreshed(&document.use_case);
    let found = documents.get::<Refreshed>(&key).await?;
    let (mut refreshed, etag) = found.map_or_else(Default::default, |found| (found.value, Some(found.etag)));
    let mut due = Vec::new();
    let mut changed = false;
    for id in data_sets {
        let last = refreshed.data_sets.get(id);
        let is_ours = last.is_some_and(|last| last.run_id == *run_id);
        if last.is_some_and(|last| now.duration_since(last.at) < INTERVAL) && !is_ours {
            continue;
        }
        due.push(Ingestion {
            data_set_id: id.clone(),
            ingestion_id: format!("drivetrain-{run_id}"),
        });
        if !is_ours {
            let run_id = run_id.clone();
            refreshed.data_sets.insert(id.clone(), Refresh { run_id, at: now });
            changed = true;
        }
    }
    if !changed {
        return Ok(due);
    }
    let condition = etag.as_deref().map_or(Condition::Absent, Condition::Unchanged);
    let ours = documents.put(&key, &refreshed, condition).await?.is_some();
    Ok(if ours { due } else { Vec::new() })
}
