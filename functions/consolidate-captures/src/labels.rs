//! Labels that have yet to find their predictions: those of new ground truth, and those that have been waiting.

use crate::refused::Refused;
use consolidate::{Reason, Skips};
use contracts::drift::Skipped;
use contracts::monitoring::Begun;
use contracts::places::MonitoringPlaces;
use contracts::{ModelRun, RunId};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap, HashSet};
use xxhash_rust::xxh64::xxh64;

/// The most rows of ground truth that one window reads, and the most labels that wait: half a gigabyte in memory, and
/// minutes to join. The rest is left for the next window.
pub(crate) const MOST_LABELS: usize = 2_000_000;

/// A label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Label {
    pub value: f64,
    /// Since when it has been waiting, in seconds of Unix time; 32 bits suffice until 2106.
    since_s: u32,
    state: State,
}

/// The state of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Its prediction has not been found yet.
    Open,
    /// It has been joined with its prediction.
    Joined,
    /// It may correct an earlier label, or repeat it. To find out, windows have to be opened, and there are too many
    /// for this window: the label waits for the next.
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
        // The seconds were made from a timestamp, so they always convert.
        Timestamp::from_second(i64::from(self.since_s)).unwrap_or_default()
    }
}

/// The labels that have yet to find their predictions.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// Keyed by a 128-bit hash of the row's id: 32 bytes each, whatever the id's length, in a table that is half empty.
    by_id: HashMap<u128, Label>,
    /// For labels that correct another: the window that has the other.
    corrects: HashMap<u128, u64>,
    pub skips: Skips,
    /// Lines that hold no label, by file.
    pub refused: Refused,
    /// Files that end within quotes that are never closed.
    pub unclosed: Refused,
    /// Files that break off.
    pub broken: Refused,
    /// Labels outside of the target's bounds.
    pub outside: Refused,
    /// Lines of new files, whatever they hold.
    pub read: u64,
    /// The ground-truth files that the bookmark lists once these labels are committed.
    pub seen: BTreeSet<String>,
    pub horizon: Timestamp,
    pub accepted: bool,
    pub begun: Option<Begun>,
    /// Whether there is ground truth that has not been read.
    pub more: bool,
    /// When the oldest of the new files was dropped.
    pub oldest_new: Option<Timestamp>,
}

impl Labels {
    pub fn len(&self) -> u64 {
        self.by_id.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Adds a label; if a row gets two, the later counts.
    pub fn add(&mut self, id: &str, label: Label) {
        self.by_id.insert(hash(id), label);
    }

    /// The same, by the hash of the row's id.
    pub fn insert(&mut self, id: u128, label: Label) {
        self.by_id.insert(id, label);
    }

    pub fn contains(&self, id: &str) -> bool {
        self.by_id.contains_key(&hash(id))
    }

    /// The lines that were left out, by reason.
    fn lines(&self) -> [(&Refused, Reason); 4] {
        [
            (&self.unclosed, Reason::Unclosed),
            (&self.broken, Reason::Broken),
            (&self.refused, Reason::NoLabel),
            (&self.outside, Reason::OutOfBounds),
        ]
    }

    /// Whether anything was lost that people should know about.
    pub fn has_losses(&self) -> bool {
        self.skips.has_losses() || self.lines().iter().any(|(lines, _)| !lines.is_empty())
    }

    /// What was left out, for the window's document.
    pub fn told(&self) -> Vec<Skipped> {
        let lines = self.lines().into_iter();
        let mut told: Vec<Skipped> = lines.flat_map(|(lines, reason)| lines.told(reason)).collect();
        told.extend(self.skips.clone().told());
        told
    }

    /// Takes the label of a row, unless it has been joined already, with the window whose label it corrects.
    pub fn take(&mut self, id: &str) -> Option<(Label, Option<u64>)> {
        let hash = hash(id);
        let label = self.by_id.get_mut(&hash).filter(|label| label.state == State::Open)?;
        label.state = State::Joined;
        Some((*label, self.corrects.get(&hash).copied()))
    }

    /// Undoes all joins.
    pub fn put_back(&mut self) {
        let joined = self.by_id.values_mut().filter(|label| label.state == State::Joined);
        joined.for_each(|label| label.state = State::Open);
    }

    /// Handles a label whose row had the label `before` in an earlier window: if both are equal it is left out, else it
    /// corrects the earlier one.
    pub fn known(&mut self, id: &str, before: f64, window: u64) {
        let hash = hash(id);
        let Some(label) = self.by_id.get(&hash) else { return };
        // Both values were parsed from text, and the same text gives the same number.
        if label.value.to_bits() == before.to_bits() {
            self.by_id.remove(&hash);
            self.skips.add(Reason::Again, 1, || id.to_owned());
        } else {
            self.corrects.insert(hash, window);
        }
    }

    /// Leaves out ambiguous labels: those that may refer to the row that they name, or to the first row of a request
    /// with the same name.
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

    /// Makes labels wait for the next window.
    pub fn hold(&mut self, hashes: &HashSet<u64>) {
        let held = self.by_id.iter_mut().filter(|(hash, _)| hashes.contains(&half(**hash)));
        held.for_each(|(_, label)| label.state = State::Held);
    }

    /// The hashes by which the index knows the rows, in order.
    pub fn half_hashes(&self) -> Vec<u64> {
        let mut hashes: Vec<u64> = self.by_id.keys().map(|hash| half(*hash)).collect();
        hashes.sort_unstable();
        hashes
    }

    /// The same for the labels that have been joined.
    pub fn joined(&self) -> Vec<u64> {
        let joined = self.by_id.iter().filter(|(_, label)| label.state == State::Joined);
        joined.map(|(hash, _)| half(*hash)).collect()
    }

    /// The labels that go on waiting, and how many no longer do: those that arrived before `since`, and the oldest if
    /// there are more than `most`.
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

/// How many labels no longer wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Waited {
    /// They have waited as long as the document allows.
    pub expired: u64,
    /// There were too many.
    pub too_many: u64,
}

fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.as_second()).unwrap_or_default()
}

/// Two 64-bit hashes side by side: no two of ten million ids are likely to collide.
fn hash(id: &str) -> u128 {
    u128::from(half_hash(id)) << 64 | u128::from(xxh64(id.as_bytes(), 1))
}

/// The hash by which the index knows a row: enough to tell in which windows it may be.
pub(crate) fn half_hash(id: &str) -> u64 {
    xxh64(id.as_bytes(), 0)
}

fn half(hash: u128) -> u64 {
    (hash >> 64) as u64
}

/// The key of a window's joined labels.
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

    /// `docs/consolidation.md` states how many labels fit into memory.
    #[test]
    fn a_label_takes_as_much_as_is_said() {
        assert_eq!(size_of::<(u128, Label)>(), 32);
    }
}
