//! Labels that look for their predictions: those of new ground truth, and those that wait.

use crate::refused::Refused;
use consolidate::{Reason, Skips};
use contracts::drift::Skipped;
use contracts::monitoring::Begun;
use contracts::places::MonitoringPlaces;
use contracts::{ModelRun, RunId};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap, HashSet};
use xxhash_rust::xxh64::xxh64;

/// The most rows of ground truth that a window takes, and the most labels that wait: half a gigabyte in memory, and
/// minutes to join. What is beyond is the next window's.
pub(crate) const MOST_LABELS: usize = 2_000_000;

/// A label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Label {
    pub value: f64,
    /// Since when it waits, in seconds of Unix time, which have 32 bits until 2106.
    since_s: u32,
    state: State,
}

/// What has become of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It looks for its prediction.
    Open,
    /// It has found it.
    Joined,
    /// It may correct another, or be the same: windows have to be opened to know, and there are many. It waits for the
    /// next window.
    Held,
}

impl Label {
    pub fn new(value: f64, since: Timestamp) -> Self {
        Self {
            value,
            since_s: seconds(since),
            state: State::Open,
        }
    }

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
    /// The windows whose labels some of them correct.
    corrects: HashMap<u128, u64>,
    pub skips: Skips,
    /// Lines that are no labels, by file.
    pub refused: Refused,
    /// Files whose rest is within quotes that nothing closes.
    pub unclosed: Refused,
    /// Files that break off.
    pub broken: Refused,
    /// Labels outside of the target's bounds.
    pub outside: Refused,
    /// Lines of new files, whatever they hold.
    pub read: u64,
    /// What the bookmark says once these are committed.
    pub seen: BTreeSet<String>,
    pub horizon: Timestamp,
    pub accepted: bool,
    pub begun: Option<Begun>,
    /// Whether there is ground truth that has not been read.
    pub more: bool,
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

    /// Adds a label; of two for one row the later counts.
    pub fn add(&mut self, id: &str, label: Label) {
        self.by_id.insert(hash(id), label);
    }

    /// The same, by what stands for the row's id.
    pub fn insert(&mut self, id: u128, label: Label) {
        self.by_id.insert(id, label);
    }

    pub fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(&hash(id))
    }

    /// Lines that are left out, by why.
    fn lines(&self) -> [(&Refused, Reason); 4] {
        [
            (&self.unclosed, Reason::Unclosed),
            (&self.broken, Reason::Broken),
            (&self.refused, Reason::NoLabel),
            (&self.outside, Reason::OutOfBounds),
        ]
    }

    /// Whether anything was lost of which people should know.
    pub fn has_losses(&self) -> bool {
        self.skips.has_losses() || self.lines().iter().any(|(lines, _)| !lines.is_empty())
    }

    /// What was left out.
    pub fn told(&self) -> Vec<Skipped> {
        let lines = self.lines().into_iter();
        let mut told: Vec<Skipped> = lines.flat_map(|(lines, reason)| lines.told(reason)).collect();
        told.extend(self.skips.clone().told());
        told
    }

    /// The label of a row, unless it has been joined already; and the window whose label it corrects.
    pub fn take(&mut self, id: &str) -> Option<(Label, Option<u64>)> {
        let hash = hash(id);
        let label = self.by_id.get_mut(&hash).filter(|label| label.state == State::Open)?;
        label.state = State::Joined;
        Some((*label, self.corrects.get(&hash).copied()))
    }

    /// Nothing has been joined.
    pub fn put_back(&mut self) {
        let joined = self.by_id.values_mut().filter(|label| label.state == State::Joined);
        joined.for_each(|label| label.state = State::Open);
    }

    /// What a label is that a row had in a window before: the same is left out, another is corrected by this one.
    pub fn known(&mut self, id: &str, before: f64, window: u64) {
        let hash = hash(id);
        let Some(label) = self.by_id.get(&hash) else { return };
        // Both were read from a text, so that the same text is the same number.
        if label.value.to_bits() == before.to_bits() {
            self.by_id.remove(&hash);
            self.skips.add(Reason::Again, 1, || id.to_owned());
        } else {
            self.corrects.insert(hash, window);
        }
    }

    /// Takes labels out of which nobody can say whether they are of the row that they name, or of the first row of the
    /// request that is named like that row.
    pub fn confused(&mut self, namesakes: &HashSet<u64>) {
        if namesakes.is_empty() {
            return;
        }
        let before = self.by_id.len();
        self.by_id.retain(|hash, _| !namesakes.contains(&half(*hash)));
        let rows = (before - self.by_id.len()) as u64;
        if rows > 0 {
            let place = || "an id that ends in `#` and a number".to_owned();
            self.skips.add(Reason::Confused, rows, place);
        }
    }

    /// Has labels wait for the next window.
    pub fn hold(&mut self, hashes: &HashSet<u64>) {
        let held = self.by_id.iter_mut().filter(|(hash, _)| hashes.contains(&half(**hash)));
        held.for_each(|(_, label)| label.state = State::Held);
    }

    /// What the index names rows by, in order.
    pub fn half_hashes(&self) -> Vec<u64> {
        let mut hashes: Vec<u64> = self.by_id.keys().map(|hash| half(*hash)).collect();
        hashes.sort_unstable();
        hashes
    }

    /// Those that have been joined, likewise.
    pub fn joined(&self) -> Vec<u64> {
        let joined = self.by_id.iter().filter(|(_, label)| label.state == State::Joined);
        joined.map(|(hash, _)| half(*hash)).collect()
    }

    /// Those that wait on, and how many no longer do since they came before `since`. Of more than `most` the oldest are
    /// let go.
    pub fn waiting(&self, since: Timestamp, most: usize) -> (Vec<(u128, Label)>, Waited) {
        let unmatched = self.by_id.iter().filter(|(_, label)| label.state != State::Joined);
        let (mut waiting, mut waited) = (Vec::new(), Waited::default());
        for (id, label) in unmatched {
            if label.since() > since {
                waiting.push((*id, *label));
            } else {
                waited.expired += 1;
            }
        }
        if waiting.len() > most {
            waiting.sort_unstable_by_key(|(id, label)| (std::cmp::Reverse(label.since_s), *id));
            waited.too_many = (waiting.len() - most) as u64;
            waiting.truncate(most);
        }
        waiting.sort_unstable_by_key(|(id, _)| *id);
        (waiting, waited)
    }
}

/// Labels that wait no longer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waited {
    /// For as long as the document says.
    pub expired: u64,
    /// There are too many.
    pub too_many: u64,
}

fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.as_second()).unwrap_or_default()
}

/// Two hashes beside each other: among ten million ids no two have the same by chance.
fn hash(id: &str) -> u128 {
    u128::from(half_hash(id)) << 64 | u128::from(xxh64(id.as_bytes(), 1))
}

/// What the index names a row by: enough to say in which windows it may be.
pub(crate) fn half_hash(id: &str) -> u64 {
    xxh64(id.as_bytes(), 0)
}

fn half(hash: u128) -> u64 {
    (hash >> 64) as u64
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

#[cfg(test)]
mod tests {
    use super::*;

    /// `docs/consolidation.md` says how many labels fit.
    #[test]
    fn a_label_takes_as_much_as_is_said() {
        assert_eq!(size_of::<(u128, Label)>(), 32);
    }
}
