//! The bookmark after a window.

use crate::corrections::Corrected;
use crate::files::{Answered, horizon, seen_name};
use crate::labels::Labels;
use contracts::Window;
use contracts::monitoring::{Bookmark, IndexPart, PastWindow, SourceFile};
use contracts::places::MonitoringPlaces;
use contracts::reporting::day;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// `next-bookmark.json`: the bookmark that is committed when the run has succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NextBookmark {
    /// The ETag that the preceding bookmark must still have.
    pub base_etag: String,
    /// The window's number.
    pub number: u64,
    /// When it was opened: the day of its reporting files.
    pub from: Timestamp,
    /// Whether labels were joined, whose rows must then be reported, too.
    pub has_ground_truth: bool,
    /// Former windows in which labels were corrected.
    #[serde(default)]
    pub corrected: Vec<Corrected>,
    /// The bookmark to be written.
    pub bookmark: Bookmark,
}

/// What the next bookmark is made of.
pub(crate) struct Next<'a> {
    pub before: &'a Bookmark,
    pub answered: &'a [Answered],
    /// The index in `answered` of the champion whose window this is.
    pub chosen: usize,
    pub labels: &'a Labels,
    pub labels_elsewhere: bool,
    pub waiting_labels: Option<String>,
    pub window: &'a Window,
    /// The index, including this window.
    pub index: Vec<IndexPart>,
    /// How many windows that were missing in the index have been added.
    pub indexed: usize,
    /// Predictions of windows made before this time get no more ground truth.
    pub since: Timestamp,
}

impl Next<'_> {
    pub fn bookmark(self) -> Bookmark {
        let Self { before, window, .. } = self;
        let run = &window.run;
        let new = self.answered[self.chosen].new.iter();
        let done: BTreeSet<String> = new.map(|file| seen_name(run, file)).collect();
        let all = || self.answered.iter().flat_map(|one| &one.all);
        let is_done = |file: &SourceFile| {
            let name = seen_name(run, file);
            file.last_modified <= before.horizon || before.seen.contains(&name) || done.contains(&name)
        };
        let horizon = horizon(
            before.horizon,
            all().filter(|file| is_done(file)),
            all().filter(|file| !is_done(file)),
        );
        let seen = all().filter(|file| file.last_modified > horizon && is_done(file));
        let (indexed, past) = before.windows.split_at(self.indexed.min(before.windows.len()));
        let past = past.iter().filter(|window| window.to > self.since).cloned();
        let mut predictions = before.predictions.clone();
        let made = indexed.iter().map(|window| (window.to, window.records));
        for (to, records) in made.chain([(window.to, window.records)]) {
            *predictions.entry(day(to)).or_default() += records;
        }
        predictions.retain(|made, _| *made >= day(self.since));
        Bookmark {
            format: 1,
            next_window: before.next_window + 1,
            opened_at: window.to,
            horizon,
            seen: seen.map(|file| seen_name(run, file)).collect(),
            ground_truth_seen: self.labels.seen.clone(),
            ground_truth_horizon: self.labels.horizon,
            ground_truth_accepted: self.labels.accepted,
            ground_truth_begun: self.labels.begun.clone(),
            waiting_labels: self.waiting_labels.clone(),
            labels_elsewhere: self.labels_elsewhere,
            windows: past.collect(),
            index: self.index,
            predictions,
            more: window.more,
            committed_by: Some(run.run_id.clone()),
        }
    }
}

/// A window's entry in the index.
pub(crate) fn past(window: &Window, places: &MonitoringPlaces<'_>) -> Option<PastWindow> {
    Some(PastWindow {
        number: window.number,
        run_id: window.run.run_id.clone(),
        from: Some(window.from),
        to: window.to,
        endpoint_config: window.endpoint_config.clone(),
        champion: window.champion.clone()?,
        records: window.records,
        records_key: places.input("records"),
    })
}
