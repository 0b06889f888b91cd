//! Ground truth that has come: new files, and labels that wait for their prediction.

use crate::files::{LATENESS, listed};
use crate::records::{PackedLines, Reading, id};
use crate::sink::Sink;
use crate::truths::TruthFile;
use crate::{ConsolidateCaptures, Error};
use consolidate::{Reason, Skips};
use contracts::monitoring::{Bookmark, PastWindow, SourceFile};
use contracts::places::{self, Drop, MonitoringPlaces};
use contracts::{ModelRun, RunId};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use xxhash_rust::xxh64::xxh64;

/// A label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Label {
    pub value: f64,
    /// Since when it waits, in seconds of Unix time, which have 32 bits until 2106.
    since_s: u32,
    /// Whether it has found its prediction.
    pub joined: bool,
}

impl Label {
    pub fn since(&self) -> Timestamp {
        // What was a time is one.
        Timestamp::from_second(i64::from(self.since_s)).unwrap_or_default()
    }
}

/// The labels that look for their predictions.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// By 128 bits that stand for the row's id: 32 bytes each, whatever the id's length, in a table that is half empty.
    by_id: HashMap<u128, Label>,
    pub skips: Skips,
    /// What the bookmark says once these are committed.
    pub seen: BTreeSet<String>,
    pub horizon: Timestamp,
    /// When the oldest of the new files came.
    pub oldest_new: Option<Timestamp>,
}

impl Labels {
    pub fn len(&self) -> u64 {
        self.by_id.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    pub fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(&hash(id))
    }

    /// The label of a row, unless it has been joined already.
    pub fn take(&mut self, id: &str) -> Option<Label> {
        let label = self.by_id.get_mut(&hash(id)).filter(|label| !label.joined)?;
        label.joined = true;
        Some(*label)
    }

    /// Nothing has been joined.
    pub fn put_back(&mut self) {
        self.by_id.values_mut().for_each(|label| label.joined = false);
    }

    /// Those that wait on, and how many no longer do since they came before `since`.
    pub fn waiting(&self, since: Timestamp) -> (Vec<(u128, Label)>, u64) {
        let unmatched = self.by_id.iter().filter(|(_, label)| !label.joined);
        let (mut waiting, mut expired) = (Vec::new(), 0);
        for (id, label) in unmatched {
            if label.since() > since {
                waiting.push((*id, *label));
            } else {
                expired += 1;
            }
        }
        waiting.sort_by_key(|(id, _)| *id);
        (waiting, expired)
    }
}

fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.as_second()).unwrap_or_default()
}

/// Two hashes beside each other: among ten million ids no two have the same by chance.
fn hash(id: &str) -> u128 {
    u128::from(xxh64(id.as_bytes(), 0)) << 64 | u128::from(xxh64(id.as_bytes(), 1))
}

impl ConsolidateCaptures {
    /// New ground truth of the use case, and this model's labels that wait.
    pub(crate) async fn labels(&self, run: &ModelRun, target: &str, bookmark: &Bookmark) -> Result<Labels, Error> {
        let prefix = places::incoming(&run.use_case, Drop::GroundTruth);
        let files = listed(&self.documents, &prefix).await?;
        let mut labels = Labels {
            seen: bookmark.ground_truth_seen.clone(),
            ..Labels::default()
        };
        if let Some(key) = &bookmark.waiting_labels {
            self.read_waiting(key, &mut labels).await?;
        }
        let is_new = |file: &&SourceFile| {
            file.last_modified > bookmark.ground_truth_horizon && !labels.seen.contains(&seen_name(file))
        };
        let mut new: Vec<SourceFile> = files.iter().filter(is_new).cloned().collect();
        // Of two labels for one row, the later one counts.
        new.sort_by(|one, other| (one.last_modified, &one.uri).cmp(&(other.last_modified, &other.uri)));
        for file in &new {
            self.read_file(file, target, &mut labels).await?;
        }
        if !new.is_empty() && !labels.is_empty() {
            self.leave_out_joined(run, &bookmark.windows, &mut labels).await?;
        }
        labels.oldest_new = new.first().map(|file| file.last_modified);
        labels.seen.extend(new.iter().map(seen_name));
        let newest = files.iter().map(|file| file.last_modified).max();
        labels.horizon = newest
            .map_or(bookmark.ground_truth_horizon, |newest| newest - LATENESS)
            .max(bookmark.ground_truth_horizon);
        let recent: BTreeSet<String> = files
            .iter()
            .filter(|file| file.last_modified > labels.horizon)
            .map(seen_name)
            .collect();
        labels.seen.retain(|name| recent.contains(name));
        Ok(labels)
    }

    async fn read_file(&self, file: &SourceFile, target: &str, labels: &mut Labels) -> Result<(), Error> {
        // One that was deleted since it was listed has nothing to say.
        let Some(mut reading) = Reading::open(&self.documents, &file.uri).await? else {
            return Ok(());
        };
        let mut truths = TruthFile::new(target);
        loop {
            let chunk = reading.chunk().await?;
            let ended = chunk.is_none();
            truths.read(&chunk.unwrap_or_default(), ended, |line, row| match row {
                Some((id, value)) => {
                    let label = Label {
                        value,
                        since_s: seconds(file.last_modified),
                        joined: false,
                    };
                    labels.by_id.insert(hash(&id), label);
                }
                None => labels.skips.add(Reason::NoLabel, 1, || format!("{}:{line}", file.uri)),
            });
            if ended {
                return Ok(());
            }
        }
    }

    /// A prediction is judged once. Files that are written again with more rows bring the old ones, too.
    async fn leave_out_joined(&self, run: &ModelRun, windows: &[PastWindow], labels: &mut Labels) -> Result<(), Error> {
        for window in windows {
            let uri = places::uri(self.documents.bucket(), &truths_key(run, &window.run_id));
            let Some(mut lines) = PackedLines::open(&self.documents, &uri).await? else {
                continue;
            };
            while let Some(text) = lines.next().await? {
                for id in text.split(|byte| *byte == b'\n').filter_map(id) {
                    if let Entry::Occupied(label) = labels.by_id.entry(hash(&id)) {
                        label.remove();
                        labels.skips.add(Reason::Again, 1, || id.into_owned());
                    }
                }
            }
        }
        Ok(())
    }

    async fn read_waiting(&self, key: &str, labels: &mut Labels) -> Result<(), Error> {
        let uri = places::uri(self.documents.bucket(), key);
        let unreadable = |reason: String| {
            let place = uri.clone();
            Error::from(platform::Error::Document { place, reason })
        };
        let lines = PackedLines::open(&self.documents, &uri).await?;
        let mut lines = lines.ok_or_else(|| unreadable("is gone, and the bookmark names it".to_owned()))?;
        while let Some(text) = lines.next().await? {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&text[..]);
            for row in reader.deserialize() {
                let (id, value, since): (String, f64, Timestamp) =
                    row.map_err(|error| unreadable(error.to_string()))?;
                let id = u128::from_str_radix(&id, 16).map_err(|error| unreadable(error.to_string()))?;
                let label = Label {
                    value,
                    since_s: seconds(since),
                    joined: false,
                };
                labels.by_id.insert(id, label);
            }
        }
        Ok(())
    }

    /// Keeps labels that wait for their prediction; gives the key, or none when there are none.
    pub(crate) async fn keep_waiting(
        &self,
        places: &MonitoringPlaces<'_>,
        labels: &[(u128, Label)],
    ) -> Result<Option<String>, Error> {
        if labels.is_empty() {
            return Ok(None);
        }
        let key = places.input("waiting") + "labels.csv.gz";
        let mut sink = Sink::new(&self.documents, key.clone(), "application/gzip");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        for labels in labels.chunks(10_000) {
            for (id, label) in labels {
                // Writing into memory can't fail.
                let _ = writeln!(packed, "{id:032x},{},{}", label.value, label.since());
            }
            sink.write(&std::mem::take(packed.get_mut())).await?;
        }
        sink.write(&packed.finish().unwrap_or_default()).await?;
        sink.close().await?;
        Ok(Some(key))
    }
}

/// Where a window's joined labels are.
pub(crate) fn truths_key(run: &ModelRun, run_id: &RunId) -> String {
    let places = MonitoringPlaces {
        use_case: &run.use_case,
        model: &run.model,
        run_id,
    };
    places.input("ground-truth") + "rows.jsonl.gz"
}

/// The version of a file that was read: one that is written again is read again.
fn seen_name(file: &SourceFile) -> String {
    let mut name = file.uri.clone();
    // Writing into a String can't fail.
    let _ = write!(name, "@{}", file.last_modified);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/consolidation.md` says how many labels fit.
    #[test]
    fn a_label_takes_as_much_as_is_said() {
        assert_eq!(size_of::<(u128, Label)>(), 32);
    }
}
