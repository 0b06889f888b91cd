//! Makes a window: chooses the champion, the files and the labels, and writes the result.

use crate::commit::is_by;
use crate::context::{places_of, since};
use crate::files::{Answered, listed};
use crate::find::Found;
use crate::join::Joining;
use crate::next::{Next, NextBookmark, past};
use crate::{ConsolidateCaptures, Error, Task};
use consolidate::{Reason, Shape};
use contracts::champion::Baselines;
use contracts::drift::Skipped;
use contracts::monitoring::{Bookmark, Joined, PastWindow, Payload, Sources};
use contracts::places::{self, MonitoringPlaces};
use contracts::reporting::day;
use contracts::{RunId, Window};
use jiff::{SignedDuration, Timestamp};
use platform::documents::Condition;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The result of a merge; the Glue job writes it as `input/consolidated.json`.
#[derive(Debug, Default, Deserialize)]
struct Consolidated {
    records: u64,
    batch_records: u64,
    skipped: Vec<Skipped>,
    scoring_runs: Vec<RunId>,
}

impl ConsolidateCaptures {
    pub(crate) async fn consolidate(&self, task: &Task) -> Result<Window, Error> {
        let places = places_of(task);
        let bookmark = self.bookmark(&task.run, task.tick).await?;
        if let Some(done) = self.committed(task, &bookmark.value).await? {
            return Ok(done);
        }
        self.report_last(&task.run, &bookmark.value).await?;
        self.clear(&places).await?;
        let mut empty = self.empty(task, &bookmark.value);
        let mut found = self.find(task, bookmark).await?;
        let candidates = found.candidates();
        for (number, chosen) in candidates.iter().enumerate() {
            let mut window = empty.clone();
            describe(&mut window, &found.answered[*chosen]);
            window.more = number + 1 < candidates.len() || found.is_cut();
            let window = self.of(task, &mut found, *chosen, window).await?;
            if window.payload == Payload::Ready {
                self.put_document(&places.window(), &window).await?;
                return Ok(window);
            }
            // The few records of a champion that was replaced must not keep those of its successor from being
            // monitored.
            self.clear(&places).await?;
            if empty.payload == Payload::None {
                empty = Window { more: false, ..window };
            }
        }
        self.put_document(&places.window(), &empty).await?;
        Ok(empty)
    }

    /// Makes the window of one champion; writes everything that the window consists of, but not the window's own
    /// document.
    async fn of(&self, task: &Task, found: &mut Found, chosen: usize, mut window: Window) -> Result<Window, Error> {
        let places = places_of(task);
        let Answered { champion, new, .. } = &found.answered[chosen];
        let sources = Sources {
            format: 1,
            model: task.run.model.clone(),
            champion: champion.run_id.clone(),
            endpoint_config: champion.endpoint_config.clone(),
            columns: champion.columns.clone(),
            files: new.clone(),
        };
        self.put_document(&places.sources(), &sources).await?;
        if window.bytes > self.glue_threshold_bytes {
            window.oversize = true;
            window.payload = Payload::Ready;
            return Ok(window);
        }
        let mut consolidated = Consolidated::default();
        if !new.is_empty() {
            let (run, config) = (champion.run_id.to_string(), &champion.endpoint_config);
            let shape = Shape::new(&task.run.model, &run, config, champion.columns.clone());
            let merged = self.merge(&places, &Arc::new(shape), new).await?;
            consolidated = Consolidated {
                records: merged.records,
                batch_records: merged.batch_records,
                skipped: merged.skips.told(),
                scoring_runs: merged.scoring_runs,
            };
        }
        self.finish(task, found, chosen, consolidated, window).await
    }

    pub(crate) async fn adopt(&self, task: &Task) -> Result<Window, Error> {
        let places = places_of(task);
        let bookmark = self.bookmark(&task.run, task.tick).await?;
        if let Some(done) = self.committed(task, &bookmark.value).await? {
            return Ok(done);
        }
        let planned = self.documents.get::<Window>(&places.window()).await?;
        let planned = planned.ok_or_else(|| Error::WindowMissing(places::uri(&task.run.bucket, &places.window())))?;
        if planned.value.number != bookmark.value.next_window {
            // Another run has committed the listed files meanwhile.
            return Err(Error::BookmarkChanged {
                model: task.run.model.clone(),
                window: planned.value.number,
            });
        }
        let missing = |key: String| Error::GlueOutputMissing(places::uri(&task.run.bucket, &key));
        let sources = self.documents.get::<Sources>(&places.sources()).await?;
        let sources = sources.ok_or_else(|| missing(places.sources()))?.value;
        let key = places.input("consolidated.json");
        let key = key.trim_end_matches('/');
        let consolidated = self.documents.get::<Consolidated>(key).await?;
        let consolidated = consolidated.ok_or_else(|| missing(key.to_owned()))?.value;
        let mut window = self.empty(task, &bookmark.value);
        let mut found = self.find(task, bookmark).await?;
        let of_sources = |one: &Answered| one.champion.endpoint_config == sources.endpoint_config;
        let chosen = found.answered.iter().position(of_sources);
        let chosen = chosen.ok_or_else(|| missing(places.sources()))?;
        // What has arrived since the list was made is left for the next window.
        found.answered[chosen].new = sources.files;
        describe(&mut window, &found.answered[chosen]);
        window.more = found.candidates().iter().any(|at| *at != chosen) || found.is_cut();
        let window = self.finish(task, &mut found, chosen, consolidated, window).await?;
        self.put_document(&places.window(), &window).await?;
        Ok(window)
    }

    /// The window that this run has committed already: the answer to a call that comes too late.
    async fn committed(&self, task: &Task, bookmark: &Bookmark) -> Result<Option<Window>, Error> {
        let places = places_of(task);
        if !is_by(bookmark, &task.run.run_id) && !self.is_reported(&places).await? {
            return Ok(None);
        }
        let key = places.window();
        let found = self.documents.get::<Window>(&key).await?;
        let missing = || Error::WindowMissing(places::uri(&task.run.bucket, &key));
        Ok(Some(found.ok_or_else(missing)?.value))
    }

    /// Deletes what an earlier attempt of this run has left: it may have been for another window.
    async fn clear(&self, places: &MonitoringPlaces<'_>) -> Result<(), Error> {
        let (next, sources, input) = (places.next_bookmark(), places.sources(), places.root() + "input/");
        let files = listed(&self.documents, &places.root()).await?;
        let keys = files
            .iter()
            .map(|file| places::parse_uri(&file.uri).unwrap_or_default().1);
        let mut keys: Vec<&str> = keys
            .filter(|key| *key == next || *key == sources || key.starts_with(&input))
            .collect();
        // What can be committed is deleted first, so that an incomplete window never is.
        keys.sort_by_key(|key| *key != next);
        for key in keys {
            self.documents.delete(key).await?;
        }
        Ok(())
    }

    /// Joins ground truth and, if there are enough rows, writes what is to be committed.
    async fn finish(
        &self,
        task: &Task,
        found: &mut Found,
        chosen: usize,
        consolidated: Consolidated,
        mut window: Window,
    ) -> Result<Window, Error> {
        let places = places_of(task);
        window.records = consolidated.records;
        window.batch_records = consolidated.batch_records;
        window.scoring_runs = consolidated.scoring_runs;
        window.skipped = consolidated.skipped;
        let mut growing = self.growing(&places, "window");
        if window.records > 0 {
            growing.extend(past(&window, &places));
            growing.add_predictions(window.number, &places.input("records")).await?;
            found.labels.confused(&growing.namesakes);
        }
        let joining = Joining {
            champion: &found.answered[chosen].champion,
            target: &task.rules.target,
            window: window.number,
        };
        let labels = &mut found.labels;
        labels.put_back();
        let former: Vec<&PastWindow> = found.labelled[chosen].iter().collect();
        let joined = self
            .join(&places, &joining, labels, &former, window.records > 0)
            .await?;

        let (waiting, waited) = labels.waiting(since(task), self.most_labels);
        if waited.too_many > 0 {
            let place = || "the oldest of them".to_owned();
            labels.skips.add(Reason::TooMany, waited.too_many, place);
        }
        window.skipped.extend(labels.told());
        window.ground_truth = Joined {
            labels: labels.len(),
            read: labels.read,
            joined: joined.count,
            corrected: joined.corrected.values().map(|ids| ids.len() as u64).sum(),
            waiting: waiting.len() as u64,
            expired: waited.expired,
            predictions: predictions(&found.bookmark.value, since(task)) + window.records,
            more: found.labels.more,
        };
        window.has_data = window.records > 0;
        window.has_ground_truth = joined.count > 0;
        let new = found.answered[chosen].new.iter().map(|file| file.last_modified);
        let told = found.labels.oldest_new.filter(|_| found.labels.has_losses());
        window.payload = payload(&window, new.chain(joined.oldest).chain(told).min(), task);
        if found.is_cut() {
            window.payload = Payload::Ready;
        }
        if window.payload == Payload::Ready {
            let corrected = joined.corrected.clone();
            joined.close().await?;
            let corrected = self.correct(&task.run, &places, &found.truths, &corrected).await?;
            if window.has_ground_truth && window.records == 0 {
                growing.extend(past(&window, &places));
            }
            growing.add_truths(window.number, &found.labels.joined()).await?;
            let known = found.bookmark.value.index.iter().chain(&found.index).cloned();
            let parts = known.chain(growing.close().await?).collect();
            let elsewhere = found.labelled.iter().enumerate();
            let next = Next {
                before: &found.bookmark.value,
                answered: &found.answered,
                chosen,
                labels: &found.labels,
                labels_elsewhere: found.more || elsewhere.clone().any(|(at, hit)| at != chosen && !hit.is_empty()),
                waiting_labels: self.keep_waiting(&places, &waiting).await?,
                window: &window,
                index: self.merged(&places, parts, since(task)).await?,
                indexed: found.indexed,
                since: since(task),
            };
            let next = NextBookmark {
                base_etag: found.bookmark.etag.clone(),
                number: window.number,
                from: window.from,
                has_ground_truth: window.has_ground_truth,
                corrected,
                bookmark: next.bookmark(),
            };
            self.put_document(&places.next_bookmark(), &next).await?;
        }
        Ok(window)
    }

    fn empty(&self, task: &Task, bookmark: &Bookmark) -> Window {
        let places = places_of(task);
        let uri = |key: String| places::uri(self.documents.bucket(), &key);
        Window {
            run: task.run.clone(),
            number: bookmark.next_window,
            from: bookmark.opened_at,
            to: task.tick,
            payload: Payload::None,
            oversize: false,
            has_data: false,
            has_ground_truth: false,
            has_baselines: false,
            endpoint_config: String::new(),
            champion: None,
            baselines: Baselines {
                data: String::new(),
                quality: String::new(),
            },
            files: 0,
            bytes: 0,
            records: 0,
            batch_records: 0,
            skipped: Vec::new(),
            ground_truth: Joined::default(),
            data_uri: uri(places.input("data")),
            quality_uri: uri(places.input("quality")),
            sources_uri: uri(places.sources()),
            scoring_runs: Vec::new(),
            more: false,
        }
    }

    /// Writes a document, replacing what was there before.
    async fn put_document<T: Serialize>(&self, key: &str, value: &T) -> Result<(), Error> {
        self.documents.put(key, value, Condition::Always).await?;
        Ok(())
    }
}

/// The number of predictions in committed windows that may still get labels.
fn predictions(bookmark: &Bookmark, since: Timestamp) -> u64 {
    let before = bookmark.windows.iter().filter(|window| window.to > since);
    let indexed = bookmark.predictions.iter().filter(|(made, _)| **made >= day(since));
    before.map(|window| window.records).sum::<u64>() + indexed.map(|(_, count)| count).sum::<u64>()
}

fn describe(window: &mut Window, one: &Answered) {
    let champion = &one.champion;
    window.endpoint_config.clone_from(&champion.endpoint_config);
    window.champion = Some(champion.run_id.clone());
    window.has_baselines = champion.baselines.is_some();
    if let Some(baselines) = &champion.baselines {
        window.baselines = baselines.clone();
    }
    window.files = one.new.len() as u64;
    window.bytes = one.new.iter().map(|file| file.bytes).sum();
}

/// Whether a window has enough rows. A few records wait for more, but no longer than the oldest of them may.
fn payload(window: &Window, oldest: Option<Timestamp>, task: &Task) -> Payload {
    let something = window.records + window.ground_truth.joined;
    if something > 0 && something >= task.rules.minimum_rows {
        return Payload::Ready;
    }
    if something == 0 && window.skipped.is_empty() {
        return Payload::None;
    }
    let patience = SignedDuration::from_mins(i64::from(task.rules.patience_minutes));
    match oldest {
        Some(oldest) if task.tick.duration_since(oldest) >= patience => Payload::Ready,
        _ => Payload::Waiting,
    }
}
