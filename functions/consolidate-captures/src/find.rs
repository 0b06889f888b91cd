//! Finds what a window could be made of: new captures, and former windows with predictions that new labels refer to.

use crate::context::{places_of, since};
use crate::files::Answered;
use crate::labels::Labels;
use crate::next::NextBookmark;
use crate::{ConsolidateCaptures, Error, Task};
use contracts::monitoring::{Bookmark, IndexPart, PastWindow};
use contracts::places::MonitoringPlaces;
use jiff::Timestamp;
use platform::Versioned;
use std::collections::{BTreeMap, HashSet};

/// How many former windows one window may open for labels, and how many it may add to the index: some minutes of calls.
/// Labels for predictions in other windows wait for the next window.
pub(crate) const MOST_WINDOWS: usize = 1_000;

/// What a window could be made of.
pub(crate) struct Found {
    pub bookmark: Versioned<Bookmark>,
    pub answered: Vec<Answered>,
    pub labels: Labels,
    /// For each of `answered`: the former windows that labels refer to.
    pub labelled: Vec<Vec<PastWindow>>,
    /// The windows whose labels may be corrected, with the time at which each was opened.
    pub truths: BTreeMap<u64, Timestamp>,
    /// New parts of the index, for windows that were not in it.
    pub index: Vec<IndexPart>,
    /// How many windows were added to the index.
    pub indexed: usize,
    /// Whether there are more windows to open or to index than one window may take.
    pub more: bool,
}

impl Found {
    /// The indices of those of `answered` that have new files, or predictions that new labels refer to; oldest champion
    /// first. If there is more work than one window may take, there is always one, so that the next window can
    /// continue; and also if ground truth is lost, so that people are notified.
    pub fn candidates(&self) -> Vec<usize> {
        let has = |at: &usize| !self.answered[*at].new.is_empty() || !self.labelled[*at].is_empty();
        let mut found: Vec<usize> = (0..self.answered.len()).filter(has).collect();
        if found.is_empty() && (self.is_cut() || self.labels.has_losses()) {
            found.extend(self.answered.len().checked_sub(1));
        }
        found
    }

    /// Whether something is left for the next window, however little there is in this one.
    pub fn is_cut(&self) -> bool {
        self.more || self.labels.more
    }
}

impl ConsolidateCaptures {
    pub(crate) async fn find(&self, task: &Task, bookmark: Versioned<Bookmark>) -> Result<Found, Error> {
        let answered = self.answered(&task.run, &bookmark.value).await?;
        let labels = self.labels(&task.run, &task.rules, &bookmark.value, task.tick).await?;
        // Waiting labels have been compared with all records that were committed since they arrived, unless the
        // bookmark says otherwise.
        let compare = !labels.is_empty() && (labels.oldest_new.is_some() || bookmark.value.labels_elsewhere);
        let mut found = Found {
            labelled: vec![Vec::new(); answered.len()],
            bookmark,
            answered,
            labels,
            truths: BTreeMap::new(),
            index: Vec::new(),
            indexed: 0,
            more: false,
        };
        if compare {
            self.look_up(task, &mut found).await?;
        }
        Ok(found)
    }

    /// Finds the former windows that labels refer to.
    async fn look_up(&self, task: &Task, found: &mut Found) -> Result<(), Error> {
        let since = since(task);
        self.index_past(task, found).await?;
        let known = &found.bookmark.value.index;
        let parts: Vec<IndexPart> = known.iter().chain(&found.index).cloned().collect();
        let mut hits = self.hits(&parts, &found.labels, since).await?;
        found.labels.confused(&hits.namesakes);
        for (_, hashes) in hits.truths.values().skip(self.most_windows) {
            found.labels.hold(hashes);
            found.more = true;
        }
        let opened = hits.truths.values().take(self.most_windows).map(|(window, _)| window);
        self.compare(&task.run, opened, &mut found.labels).await?;
        for (window, _) in hits.truths.values() {
            found.truths.extend(window.from.map(|from| (window.number, from)));
        }
        let open: HashSet<u64> = found.labels.half_hashes().into_iter().collect();
        hits.predictions.retain(|_, (_, hashes)| !hashes.is_disjoint(&open));
        for (at, one) in found.answered.iter().enumerate() {
            let config = &one.champion.endpoint_config;
            let of_one = hits.predictions.values().map(|(window, _)| window);
            let mut of_one = of_one.filter(|window| window.endpoint_config == *config);
            found.labelled[at] = of_one.by_ref().take(self.most_windows).cloned().collect();
            found.more |= of_one.next().is_some();
        }
        Ok(())
    }

    /// Adds windows to the index that were committed before the index existed.
    async fn index_past(&self, task: &Task, found: &mut Found) -> Result<(), Error> {
        let windows = &found.bookmark.value.windows;
        let some = &windows[..windows.len().min(self.most_windows)];
        let places = places_of(task);
        let mut growing = self.growing(&places, "past");
        for window in some.iter().filter(|window| window.to > since(task)) {
            let mut window = window.clone();
            if window.from.is_none() {
                let of = MonitoringPlaces {
                    run_id: &window.run_id,
                    ..places
                };
                let made = self.documents.get::<NextBookmark>(&of.next_bookmark()).await?;
                window.from = made.map(|made| made.value.from);
            }
            growing.add_past(&task.run, &window).await?;
        }
        found.indexed = some.len();
        found.more |= some.len() < windows.len();
        found.index = growing.close().await?;
        Ok(())
    }
}
