//! Finds the champions that may have answered, and the capture files that are new.

use crate::{ConsolidateCaptures, Error};
use contracts::monitoring::{Bookmark, SourceFile};
use contracts::{Champion, ModelRun, RunId, places};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use platform::documents::Condition;
use platform::{Documents, Listed, Versioned};
use std::collections::{BTreeMap, BTreeSet};

/// How long after newer files a capture file may appear: its key is remembered for this long.
pub(crate) const LATENESS: SignedDuration = SignedDuration::from_hours(72);
/// How much older than the horizon a capture file that appears only now may be, by the hour in its key. Earlier hours
/// are not listed.
pub(crate) const LISTED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// After a change of champion, an endpoint writes the answers of the former one within this time.
const AFTERMATH: SignedDuration = SignedDuration::from_hours(24);

/// A champion and the capture files of its endpoint configuration.
#[derive(Clone, Debug)]
pub(crate) struct Answered {
    pub champion: Champion,
    /// All files that were listed, ordered by key.
    pub all: Vec<SourceFile>,
    /// The files that were in no window yet.
    pub new: Vec<SourceFile>,
}

impl ConsolidateCaptures {
    /// The bookmark. Before the first window an initial bookmark is written, so that the next run agrees with one that
    /// died on when the window was opened.
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

    /// The earliest time of records that may have been in no window yet: the hour of the first capture, but not before
    /// the run that made its champion; if nothing was captured, the champion's export.
    async fn first_captured(&self, run: &ModelRun, bookmark: &Bookmark) -> Result<Timestamp, Error> {
        let answered = self.answered(run, bookmark).await?;
        let captured = answered.iter().flat_map(|one| {
            let made = one.champion.run_id.time().unwrap_or(Timestamp::MIN);
            one.all.iter().map(move |file| captured_from(file).max(made))
        });
        let exported = answered.last().map(|one| one.champion.exported_at);
        Ok(captured.min().or(exported).unwrap_or(bookmark.opened_at))
    }

    /// The champions whose answers may not have been analysed yet, oldest first, with their files.
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

    /// The champion and its predecessors, oldest first, each with whether it may have new captures. They go back to the
    /// first that was replaced long ago, and include all whose predictions may still get ground truth.
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
                // Its history entry has been deleted, so nothing is known about what it answered.
                None => break,
            }
        }
        found.reverse();
        Ok(found)
    }
}

/// The earliest time of the records in a file: an endpoint's records are in the folder of their hour.
fn captured_from(file: &SourceFile) -> Timestamp {
    let folders: Vec<&str> = file.uri.rsplit('/').skip(1).take(4).collect();
    let hour = match folders[..] {
        [hour, day, month, year] => DateTime::strptime("%Y/%m/%d/%H", format!("{year}/{month}/{day}/{hour}")).ok(),
        _ => None,
    };
    let hour = hour.and_then(|hour| TimeZone::UTC.to_timestamp(hour).ok());
    hour.map_or(file.last_modified, |hour| hour.min(file.last_modified))
}

/// A capture file's name in the bookmark: the part of its key after `<use-case>/capture/`.
pub(crate) fn seen_name(run: &ModelRun, file: &SourceFile) -> String {
    let folder = places::uri(&run.bucket, &format!("{}/capture/", run.use_case));
    file.uri.strip_prefix(&folder).unwrap_or(&file.uri).to_owned()
}

/// The time before which all files count as analysed after a window: `LATENESS` before the newest file, and before any
/// that is not analysed.
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

/// The captures of an endpoint configuration, ordered by key, without those of hours long past: there may be years of
/// them. Scoring runs have few files, whose names don't say when they were written, so all of those are listed.
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

/// The objects below a prefix, ordered by key.
pub(crate) async fn listed(documents: &Documents, prefix: &str) -> Result<Vec<SourceFile>, Error> {
    listed_after(documents, prefix, None).await
}

pub(crate) async fn listed_after(
    documents: &Documents,
    prefix: &str,
    after: Option<&str>,
) -> Result<Vec<SourceFile>, Error> {
    let mut objects = documents.listed(prefix, after).await?;
    // A folder that somebody has created by hand is an object of its own.
    objects.retain(|object| !object.key.ends_with('/'));
    let file = |object: Listed| SourceFile {
        uri: places::uri(documents.bucket(), &object.key),
        bytes: object.bytes,
        last_modified: object.last_modified,
    };
    Ok(objects.into_iter().map(file).collect())
}
