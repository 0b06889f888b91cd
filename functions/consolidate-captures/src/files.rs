//! Which champions may have answered, and which files are new.

use crate::{ConsolidateCaptures, Error};
use contracts::monitoring::{Bookmark, SourceFile};
use contracts::{Champion, ModelRun, RunId, places};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use platform::documents::Condition;
use platform::{Documents, Listed, Versioned};
use std::collections::{BTreeMap, BTreeSet};

/// How late a file may come after newer ones: so long its key is remembered.
pub(crate) const LATENESS: SignedDuration = SignedDuration::from_hours(72);
/// How much older than the horizon the hour of a capture file may be that is only now seen. Hours before are not listed.
pub(crate) const LISTED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// An endpoint writes what a former champion answered within this time of the change.
const AFTERMATH: SignedDuration = SignedDuration::from_hours(24);

/// A champion, and the capture files of its configuration.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub champion: Champion,
    /// All that are listed, in the order of their keys.
    pub all: Vec<SourceFile>,
    /// Those that no window has had.
    pub new: Vec<SourceFile>,
}

impl ConsolidateCaptures {
    /// The bookmark; before the first window one that says so is written, so that a run that dies and the next agree on
    /// when the window was opened.
    pub(crate) async fn bookmark(&self, run: &ModelRun, tick: Timestamp) -> Result<Versioned<Bookmark>, Error> {
        let key = places::use_case::bookmark(&run.use_case, &run.model);
        if let Some(found) = self.documents.get(&key).await? {
            return Ok(found);
        }
        let mut first = Bookmark {
            format: 1,
            next_window: 0,
            opened_at: tick,
            horizon: Timestamp::UNIX_EPOCH,
            seen: BTreeSet::new(),
            ground_truth_seen: BTreeSet::new(),
            ground_truth_horizon: Timestamp::UNIX_EPOCH,
            ground_truth_accepted: true,
            ground_truth_begun: None,
            waiting_labels: None,
            labels_elsewhere: false,
            windows: Vec::new(),
            index: Vec::new(),
            predictions: BTreeMap::new(),
            more: false,
            committed_by: None,
        };
        first.opened_at = self.first_captured(run, &first).await?.min(tick);
        match self.documents.put(&key, &first, Condition::Absent).await? {
            Some(etag) => Ok(Versioned { value: first, etag }),
            // Another run was faster.
            None => self.documents.get(&key).await?.ok_or_else(|| {
                let place = places::uri(self.documents.bucket(), &key);
                let reason = "was deleted while it was being read: run again".to_owned();
                platform::Error::Document { place, reason }.into()
            }),
        }
    }

    /// Since when there may be records that no window has had: the hour of the first capture, not before the run that made
    /// its champion; where nothing is captured, the champion's export.
    async fn first_captured(&self, run: &ModelRun, bookmark: &Bookmark) -> Result<Timestamp, Error> {
        let answered = self.answered(run, bookmark).await?;
        let captured = answered.iter().flat_map(|one| {
            let made = one.champion.run_id.time().unwrap_or(Timestamp::MIN);
            one.all.iter().map(move |file| captured_from(file).max(made))
        });
        let exported = answered.last().map(|one| one.champion.exported_at);
        Ok(captured.min().or(exported).unwrap_or(bookmark.opened_at))
    }

    /// The champions whose answers may not have been analysed, the oldest first, with their files.
    pub(crate) async fn answered(&self, run: &ModelRun, bookmark: &Bookmark) -> Result<Vec<Answered>, Error> {
        let mut found = Vec::new();
        for (champion, captures) in self.champions(run, bookmark).await? {
            let prefix = places::use_case::capture(&run.use_case, &champion.endpoint_config);
            let mut all = Vec::new();
            if captures {
                all = captures_of(&self.documents, &prefix, bookmark.horizon).await?;
                all.retain(|file| file.uri.ends_with(".jsonl") || file.uri.ends_with(".csv"));
            }
            let is_new = |file: &&SourceFile| {
                file.last_modified > bookmark.horizon && !bookmark.seen.contains(&seen_name(run, file))
            };
            let new = all.iter().filter(is_new).cloned().collect();
            found.push(Answered { champion, all, new });
        }
        Ok(found)
    }

    /// The champion and those before it, the oldest first, and whether each may have new captures: back to the first that
    /// was replaced long ago, and to all whose predictions may still get ground truth.
    async fn champions(&self, run: &ModelRun, bookmark: &Bookmark) -> Result<Vec<(Champion, bool)>, Error> {
        let key = places::use_case::champion(&run.use_case, &run.model);
        let champion = self.documents.get::<Champion>(&key).await?;
        let mut champion = champion.ok_or_else(|| Error::ChampionMissing {
            use_case: run.use_case.clone(),
            model: run.model.clone(),
        })?;
        let mut predicted: BTreeSet<&RunId> = bookmark.windows.iter().map(|window| &window.champion).collect();
        predicted.extend(bookmark.index.iter().flat_map(|part| &part.champions));
        let mut captures = true;
        let mut found = Vec::new();
        loop {
            let Champion {
                previous,
                exported_at,
                run_id,
                ..
            } = champion.value.clone();
            found.push((champion.value, captures));
            predicted.remove(&run_id);
            captures = captures && exported_at + AFTERMATH > bookmark.horizon;
            let Some(previous) = previous.filter(|_| captures || !predicted.is_empty()) else {
                break;
            };
            let key = places::use_case::history(&run.use_case, &run.model, &previous);
            match self.documents.get(&key).await? {
                Some(former) => champion = former,
                // Its history was tidied up: nobody knows what it answered to.
                None => break,
            }
        }
        found.reverse();
        Ok(found)
    }
}

/// Since when the records of a file may have been captured: an endpoint's are in the folder of their hour.
fn captured_from(file: &SourceFile) -> Timestamp {
    let folders: Vec<&str> = file.uri.rsplit('/').skip(1).take(4).collect();
    let hour = match folders[..] {
        [hour, day, month, year] => DateTime::strptime("%Y/%m/%d/%H", format!("{year}/{month}/{day}/{hour}")).ok(),
        _ => None,
    };
    let hour = hour.and_then(|hour| TimeZone::UTC.to_timestamp(hour).ok());
    hour.map_or(file.last_modified, |hour| hour.min(file.last_modified))
}

/// How a bookmark names a capture file: its key behind `<use-case>/capture/`.
pub(crate) fn seen_name(run: &ModelRun, file: &SourceFile) -> String {
    let folder = places::uri(&run.bucket, &format!("{}/capture/", run.use_case));
    file.uri.strip_prefix(&folder).unwrap_or(&file.uri).to_owned()
}

/// How far all files count as analysed after a window: `LATENESS` behind the newest, and before any that is not.
pub(crate) fn horizon<'a>(
    before: Timestamp,
    analysed: impl Iterator<Item = &'a SourceFile>,
    open: impl Iterator<Item = &'a SourceFile>,
) -> Timestamp {
    let newest = analysed.map(|file| file.last_modified).max();
    let oldest_open = open.map(|file| file.last_modified).min();
    let mut horizon = newest.map_or(before, |newest| newest - LATENESS);
    if let Some(open) = oldest_open {
        horizon = horizon.min(open - SignedDuration::from_secs(1));
    }
    horizon.max(before)
}

/// The captures of a configuration, in the order of their keys, without those of hours long past: there may be years of
/// them. The files of scoring runs are few, and their names say nothing of when they were written.
async fn captures_of(documents: &Documents, prefix: &str, horizon: Timestamp) -> Result<Vec<SourceFile>, Error> {
    let Ok(since) = horizon.checked_sub(LISTED) else {
        return listed(documents, prefix).await;
    };
    let hour = since.strftime("%Y/%m/%d/%H/").to_string();
    let mut files = Vec::new();
    for name in documents.folders(prefix, None).await? {
        let folder = format!("{prefix}{name}/");
        if name == "batch" {
            files.extend(listed(documents, &folder).await?);
            continue;
        }
        for variant in documents.folders(&folder, None).await? {
            let variant = format!("{folder}{variant}/");
            let after = format!("{variant}{hour}");
            files.extend(listed_after(documents, &variant, Some(&after)).await?);
        }
    }
    files.sort_by(|one, other| one.uri.cmp(&other.uri));
    Ok(files)
}

/// The objects below a prefix, in the order of their keys.
pub(crate) async fn listed(documents: &Documents, prefix: &str) -> Result<Vec<SourceFile>, Error> {
    listed_after(documents, prefix, None).await
}

pub(crate) async fn listed_after(
    documents: &Documents,
    prefix: &str,
    after: Option<&str>,
) -> Result<Vec<SourceFile>, Error> {
    let mut objects = documents.listed(prefix, after).await?;
    // A folder that was made by hand is an object of its own.
    objects.retain(|object| !object.key.ends_with('/'));
    let file = |object: Listed| SourceFile {
        uri: places::uri(documents.bucket(), &object.key),
        bytes: object.bytes,
        last_modified: object.last_modified,
    };
    Ok(objects.into_iter().map(file).collect())
}
