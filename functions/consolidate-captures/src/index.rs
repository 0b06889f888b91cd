//! The index of a model: finds the committed windows that hold a row's prediction and its label, without opening them.
//!
//! An entry is the hash of a row's id, the number of a window, and what the window holds of the row. Each window adds
//! parts of its own, and as soon as a level has 16 parts they are merged: so there are never more than a few dozen,
//! however many windows there are. Each part is read from beginning to end, alongside the labels in the same order.

use crate::labels::{Labels, half_hash, truths_key};
use crate::records::{PackedLines, Reading, id};
use crate::sink::Sink;
use crate::{ConsolidateCaptures, Error};
use contracts::ModelRun;
use contracts::monitoring::{IndexPart, PastWindow};
use contracts::places::{self, MonitoringPlaces};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};
use std::io::Write as _;

/// This many parts of a level are merged into one of the next.
pub(crate) const MERGED: usize = 16;
/// A window's own part has at most this many entries, because they are sorted in memory.
const PART_ENTRIES: usize = 4_000_000;
/// 8 bytes of hash, 4 bytes of window and kind, both big-endian.
const ENTRY_BYTES: usize = 12;
/// How many bytes are written at a time.
const PIECE_BYTES: usize = 256 << 10;

/// What a window holds of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Its prediction.
    Prediction,
    /// Its label.
    Truth,
    /// The first row of a request that has the same name as the row: see [`crate::labels::Labels::confused`].
    Namesake,
}

/// Half of the hash of a row's id; window and kind.
type Entry = (u64, u32);

fn packed(window: u64, kind: Kind) -> u32 {
    // 2^30 windows, one every 15 minutes, last 30,000 years.
    (u32::try_from(window).unwrap_or(u32::MAX) << 2) | kind as u32
}

fn unpacked(value: u32) -> (u64, Kind) {
    let kind = match value & 3 {
        0 => Kind::Prediction,
        1 => Kind::Truth,
        _ => Kind::Namesake,
    };
    (u64::from(value >> 2), kind)
}

/// Where labels' rows were found.
#[derive(Debug, Default)]
pub(crate) struct Hits {
    /// The windows with predictions of labelled rows, by number, with the hashes of these rows.
    pub predictions: BTreeMap<u64, (PastWindow, HashSet<u64>)>,
    /// The windows with labels of these rows, likewise.
    pub truths: BTreeMap<u64, (PastWindow, HashSet<u64>)>,
    /// The labelled rows whose name is also the name of a request.
    pub namesakes: HashSet<u64>,
}

/// Entries that are being collected into parts.
pub(crate) struct Growing<'a> {
    function: &'a ConsolidateCaptures,
    folder: String,
    limit: usize,
    windows: Vec<PastWindow>,
    entries: Vec<Entry>,
    parts: Vec<IndexPart>,
    /// Half hashes of the rows whose names are also names of requests in these windows.
    pub namesakes: HashSet<u64>,
}

impl ConsolidateCaptures {
    /// Collects parts in a run's folder; `name` tells several collections of a run apart.
    pub(crate) fn growing(&self, places: &MonitoringPlaces<'_>, name: &str) -> Growing<'_> {
        Growing {
            function: self,
            folder: format!("{}index/{name}", places.root()),
            limit: PART_ENTRIES,
            windows: Vec::new(),
            entries: Vec::new(),
            parts: Vec::new(),
            namesakes: HashSet::new(),
        }
    }

    /// Finds the windows that hold something of the labelled rows.
    pub(crate) async fn hits(&self, parts: &[IndexPart], labels: &Labels, since: Timestamp) -> Result<Hits, Error> {
        let wanted = labels.half_hashes();
        let mut hits = Hits::default();
        for part in parts.iter().filter(|part| part.newest > since) {
            let (mut predictions, mut truths) = (BTreeMap::new(), BTreeMap::new());
            let mut entries = Entries::open(self, part).await?;
            let mut next = 0;
            while let Some((hash, value)) = entries.next().await? {
                while wanted.get(next).is_some_and(|wanted| *wanted < hash) {
                    next += 1;
                }
                match wanted.get(next) {
                    None => break,
                    Some(wanted) if *wanted != hash => continue,
                    Some(_) => {}
                }
                let (window, kind) = unpacked(value);
                let of: &mut BTreeMap<u64, HashSet<u64>> = match kind {
                    Kind::Prediction => &mut predictions,
                    Kind::Truth => &mut truths,
                    Kind::Namesake => {
                        hits.namesakes.insert(hash);
                        continue;
                    }
                };
                of.entry(window).or_default().insert(hash);
            }
            if predictions.is_empty() && truths.is_empty() {
                continue;
            }
            for window in self.windows_of(part).await?.into_iter().filter(|it| it.to > since) {
                for (of, all) in [
                    (&mut predictions, &mut hits.predictions),
                    (&mut truths, &mut hits.truths),
                ] {
                    if let Some(hashes) = of.remove(&window.number) {
                        let known = all.entry(window.number);
                        known
                            .or_insert_with(|| (window.clone(), HashSet::new()))
                            .1
                            .extend(hashes);
                    }
                }
            }
        }
        Ok(hits)
    }

    async fn windows_of(&self, part: &IndexPart) -> Result<Vec<PastWindow>, Error> {
        let uri = places::uri(self.documents.bucket(), &part.windows_key);
        let gone = || platform::Error::Document {
            place: uri.clone(),
            reason: "is gone, and the bookmark names it".to_owned(),
        };
        let mut lines = PackedLines::open(&self.documents, &uri).await?.ok_or_else(gone)?;
        let mut windows = Vec::new();
        while let Some(text) = lines.next().await? {
            for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                let window = serde_json::from_slice(line).map_err(|error| platform::Error::Document {
                    place: uri.clone(),
                    reason: error.to_string(),
                })?;
                windows.push(window);
            }
        }
        Ok(windows)
    }

    /// Merges parts until each level has fewer than 16. Entries of windows made before `since` are left out.
    pub(crate) async fn merged(
        &self,
        places: &MonitoringPlaces<'_>,
        mut parts: Vec<IndexPart>,
        since: Timestamp,
    ) -> Result<Vec<IndexPart>, Error> {
        parts.retain(|part| part.newest > since);
        let mut level = 0;
        while parts.iter().any(|part| part.level >= level) {
            let full = parts.iter().filter(|part| part.level == level).count() >= MERGED;
            if full {
                let (some, others): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| part.level == level);
                parts = others;
                parts.push(self.merge_parts(places, &some, since).await?);
            }
            level += 1;
        }
        Ok(parts)
    }

    async fn merge_parts(
        &self,
        places: &MonitoringPlaces<'_>,
        parts: &[IndexPart],
        since: Timestamp,
    ) -> Result<IndexPart, Error> {
        let mut windows: BTreeMap<u64, PastWindow> = BTreeMap::new();
        let mut open = Vec::new();
        for part in parts {
            let of_part = self.windows_of(part).await?;
            windows.extend(of_part.into_iter().map(|window| (window.number, window)));
            open.push(Entries::open(self, part).await?);
        }
        windows.retain(|_, window| window.to > since);
        let level = parts.iter().map(|part| part.level).max().unwrap_or_default() + 1;
        let folder = format!("{}index/level-{level}", places.root());
        let entries_key = format!("{folder}/entries.bin");
        let mut sink = Sink::new(&self.documents, entries_key.clone(), "application/octet-stream");
        let mut heap = BinaryHeap::new();
        for (number, part) in open.iter_mut().enumerate() {
            heap.extend(part.next().await?.map(|entry| Reverse((entry, number))));
        }
        let (mut piece, mut count) = (Vec::new(), 0);
        while let Some(Reverse(((hash, value), number))) = heap.pop() {
            heap.extend(open[number].next().await?.map(|entry| Reverse((entry, number))));
            if windows.contains_key(&unpacked(value).0) {
                write_entry(&mut piece, (hash, value));
                count += 1;
            }
            if piece.len() >= PIECE_BYTES {
                sink.write(&std::mem::take(&mut piece)).await?;
            }
        }
        sink.write(&piece).await?;
        sink.close().await?;
        let windows: Vec<PastWindow> = windows.into_values().collect();
        self.part(folder, entries_key, count, level, &windows).await
    }

    /// Writes the list of windows of a part whose entries have been written.
    async fn part(
        &self,
        folder: String,
        entries_key: String,
        entries: u64,
        level: u32,
        windows: &[PastWindow],
    ) -> Result<IndexPart, Error> {
        let windows_key = format!("{folder}/windows.jsonl.gz");
        let mut text = GzEncoder::new(Vec::new(), Compression::fast());
        for window in windows {
            // Writing into memory can't fail.
            let _ = serde_json::to_writer(&mut text, window);
            let _ = text.write_all(b"\n");
        }
        let text = text.finish().unwrap_or_default();
        self.documents.put_bytes(&windows_key, "application/gzip", text).await?;
        Ok(IndexPart {
            entries_key,
            windows_key,
            entries,
            level,
            newest: windows.iter().map(|window| window.to).max().unwrap_or_default(),
            champions: windows.iter().map(|window| window.champion.clone()).collect(),
        })
    }
}

fn write_entry(piece: &mut Vec<u8>, (hash, value): Entry) {
    piece.extend_from_slice(&hash.to_be_bytes());
    piece.extend_from_slice(&value.to_be_bytes());
}

impl Growing<'_> {
    /// Adds a window whose files are in its run's folder: its predictions, and the labels that were joined in it.
    pub async fn add_past(&mut self, run: &ModelRun, window: &PastWindow) -> Result<(), Error> {
        self.windows.push(window.clone());
        if window.records > 0 {
            self.add_predictions(window.number, &window.records_key).await?;
        }
        let uri = places::uri(&run.bucket, &truths_key(run, &window.run_id));
        self.add_lines(window.number, &uri, Kind::Truth).await
    }

    /// Adds a window that is being made, so far only its identity.
    pub fn extend(&mut self, window: Option<PastWindow>) {
        self.windows.extend(window);
    }

    /// Adds the predictions of a window, read from the files in a folder.
    pub async fn add_predictions(&mut self, window: u64, folder: &str) -> Result<(), Error> {
        for file in crate::files::listed(&self.function.documents, folder).await? {
            self.add_lines(window, &file.uri, Kind::Prediction).await?;
        }
        Ok(())
    }

    /// Adds labels that were joined.
    pub async fn add_truths(&mut self, window: u64, hashes: &[u64]) -> Result<(), Error> {
        for hash in hashes {
            self.add((*hash, packed(window, Kind::Truth))).await?;
        }
        Ok(())
    }

    async fn add_lines(&mut self, window: u64, uri: &str, kind: Kind) -> Result<(), Error> {
        let Some(mut lines) = PackedLines::open(&self.function.documents, uri).await? else {
            return Ok(());
        };
        while let Some(text) = lines.next().await? {
            for line in text.split(|byte| *byte == b'\n') {
                let Some(id) = id(line) else { continue };
                self.add((half_hash(&id), packed(window, kind))).await?;
                if kind == Kind::Prediction
                    && let Some(namesake) = namesake(&id)
                {
                    self.namesakes.insert(half_hash(namesake));
                    self.add((half_hash(namesake), packed(window, Kind::Namesake))).await?;
                }
            }
        }
        Ok(())
    }

    async fn add(&mut self, entry: Entry) -> Result<(), Error> {
        self.entries.push(entry);
        if self.entries.len() >= self.limit {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_unstable();
        let folder = format!("{}-{}", self.folder, self.parts.len());
        let entries_key = format!("{folder}/entries.bin");
        let documents = &self.function.documents;
        let mut sink = Sink::new(documents, entries_key.clone(), "application/octet-stream");
        for some in entries.chunks(PIECE_BYTES / ENTRY_BYTES) {
            let mut piece = Vec::with_capacity(PIECE_BYTES);
            some.iter().for_each(|entry| write_entry(&mut piece, *entry));
            sink.write(&piece).await?;
        }
        sink.close().await?;
        let count = entries.len() as u64;
        let part = self.function.part(folder, entries_key, count, 0, &self.windows).await?;
        self.parts.push(part);
        Ok(())
    }

    /// Completes the parts and returns them.
    pub async fn close(mut self) -> Result<Vec<IndexPart>, Error> {
        if !self.entries.is_empty() {
            self.flush().await?;
        }
        Ok(self.parts)
    }
}

/// The row that has the same name as a request, from the id of the request's first row: `a#1` from `a#1#0`.
fn namesake(id: &str) -> Option<&str> {
    let request = id.strip_suffix("#0")?;
    let (_, row) = request.rsplit_once('#')?;
    (!row.is_empty() && row.bytes().all(|byte| byte.is_ascii_digit())).then_some(request)
}

/// Iterates over the entries of a part.
struct Entries {
    reading: Reading,
    bytes: bytes::Bytes,
    rest: Vec<u8>,
}

impl Entries {
    async fn open(function: &ConsolidateCaptures, part: &IndexPart) -> Result<Self, Error> {
        let uri = places::uri(function.documents.bucket(), &part.entries_key);
        let reading = Reading::open(&function.documents, &uri).await?;
        let reading = reading.ok_or_else(|| platform::Error::Document {
            place: uri,
            reason: "is gone, and the bookmark names it".to_owned(),
        })?;
        Ok(Self {
            reading,
            bytes: bytes::Bytes::new(),
            rest: Vec::new(),
        })
    }

    async fn next(&mut self) -> Result<Option<Entry>, Error> {
        while self.bytes.len() < ENTRY_BYTES {
            self.rest.extend_from_slice(&self.bytes);
            let Some(chunk) = self.reading.chunk().await? else {
                return Ok(None);
            };
            // A chunk may end in the middle of an entry.
            let whole = std::mem::take(&mut self.rest);
            self.bytes = if whole.is_empty() {
                chunk
            } else {
                [&whole[..], &chunk].concat().into()
            };
        }
        let entry = self.bytes.split_to(ENTRY_BYTES);
        let (hash, value) = entry.split_at(8);
        // The entry has 8 and 4 bytes.
        let hash = u64::from_be_bytes(hash.try_into().unwrap_or_default());
        let value = u32::from_be_bytes(value.try_into().unwrap_or_default());
        Ok(Some((hash, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_named_like_a_row_where_its_name_ends_in_a_number() {
        for (id, expected) in [
            ("a#1#0", Some("a#1")),
            ("a#b#1#0", Some("a#b#1")),
            ("a#0", None),
            ("a#1#1", None),
            ("a#b#0", None),
            ("a##0", None),
            ("#1#0", Some("#1")),
        ] {
            assert_eq!(namesake(id), expected, "{id}");
        }
    }

    #[test]
    fn entries_say_what_lies_where() {
        for kind in [Kind::Prediction, Kind::Truth, Kind::Namesake] {
            assert_eq!(unpacked(packed(35_040, kind)), (35_040, kind));
        }
    }
}
