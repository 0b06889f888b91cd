//! Making a window: which champion's, of which files and labels, and what comes of it.

use crate::commit::is_by;
use crate::files::{Answered, horizon, listed, seen_name};
use crate::join::Joining;
use crate::labels::Labels;
use crate::{ConsolidateCaptures, Error, Task};
use consolidate::{Merged, Shape, Skips};
use contracts::champion::Baselines;
use contracts::drift::Skipped;
use contracts::monitoring::{Bookmark, Joined, PastWindow, Payload, SourceFile, Sources};
use contracts::places::{self, MonitoringPlaces};
use contracts::{RunId, Window};
use jiff::{SignedDuration, Timestamp};
use platform::Versioned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// `next-bookmark.json`: what is committed when the run has succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NextBookmark {
    /// The bookmark that it follows must still have this ETag.
    pub base_etag: String,
    /// The window's number.
    pub number: u64,
    /// When it was opened: the day of its reporting files.
    pub from: Timestamp,
    /// What is written.
    pub bookmark: Bookmark,
}

/// `input/consolidated.json`, by the Glue job.
#[derive(Debug, Deserialize)]
struct Consolidated {
    records: u64,
    batch_records: u64,
    skipped: Vec<Skipped>,
    scoring_runs: Vec<RunId>,
}

/// What a window is made of, before anything was read of it.
struct Found {
    bookmark: Versioned<Bookmark>,
    answered: Vec<Answered>,
    labels: Labels,
    /// Which of `answered` the window is of.
    chosen: usize,
    /// Whether another one has something new.
    more: bool,
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
        let mut window = self.empty(task, &bookmark.value);
        let Some(found) = self.find(task, bookmark).await? else {
            self.put_document(&places.window(), &window).await?;
            return Ok(window);
        };
        let one = &found.answered[found.chosen];
        describe(&mut window, one, found.more);
        let sources = Sources {
            format: 1,
            model: task.run.model.clone(),
            champion: one.champion.run_id.clone(),
            endpoint_config: one.champion.endpoint_config.clone(),
            columns: one.champion.columns.clone(),
            files: one.new.clone(),
        };
        self.put_document(&places.sources(), &sources).await?;
        if window.bytes > self.glue_threshold_bytes {
            window.oversize = true;
            window.payload = Payload::Ready;
            self.put_document(&places.window(), &window).await?;
            return Ok(window);
        }
        let merged = if one.new.is_empty() {
            Merged::default()
        } else {
            let champion = &one.champion;
            let (run, config) = (champion.run_id.to_string(), &champion.endpoint_config);
            let shape = Shape::new(&task.run.model, &run, config, champion.columns.clone());
            self.merge(&places, &Arc::new(shape), &one.new).await?
        };
        window.records = merged.records;
        window.batch_records = merged.batch_records;
        window.scoring_runs = merged.scoring_runs;
        window.skipped = told(merged.skips, &found.labels.skips);
        self.finish(task, found, window).await
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
            // The files of the list are another run's by now.
            return Err(Error::BookmarkChanged {
                model: task.run.model.clone(),
                window: planned.value.number,
            });
        }
        let mut window = self.empty(task, &bookmark.value);
        let missing = |key: String| Error::GlueOutputMissing(places::uri(&task.run.bucket, &key));
        let sources = self.documents.get::<Sources>(&places.sources()).await?;
        let sources = sources.ok_or_else(|| missing(places.sources()))?.value;
        let key = places.input("consolidated.json");
        let key = key.trim_end_matches('/');
        let consolidated = self.documents.get::<Consolidated>(key).await?;
        let consolidated = consolidated.ok_or_else(|| missing(key.to_owned()))?.value;
        let mut answered = self.answered(&task.run, &bookmark.value).await?;
        let labels = self
            .labels(&task.run.use_case, &task.rules.target, &bookmark.value)
            .await?;
        let of_sources = |one: &Answered| one.champion.endpoint_config == sources.endpoint_config;
        let chosen = answered.iter().position(of_sources);
        let chosen = chosen.ok_or_else(|| missing(places.sources()))?;
        // What has come since the list was made is the next window's.
        answered[chosen].new = sources.files;
        let more = answered
            .iter()
            .enumerate()
            .any(|(at, one)| at != chosen && !one.new.is_empty());
        describe(&mut window, &answered[chosen], more);
        window.records = consolidated.records;
        window.batch_records = consolidated.batch_records;
        window.scoring_runs = consolidated.scoring_runs;
        window.skipped = consolidated.skipped;
        window.skipped.extend(labels.skips.clone().told());
        let found = Found {
            bookmark,
            answered,
            labels,
            chosen,
            more,
        };
        self.finish(task, found, window).await
    }

    /// The window that this run has committed already: what a call that comes too late is answered.
    async fn committed(&self, task: &Task, bookmark: &Bookmark) -> Result<Option<Window>, Error> {
        if !is_by(bookmark, &task.run.run_id) {
            return Ok(None);
        }
        let found = self.documents.get::<Window>(&places_of(task).window()).await?;
        Ok(found.map(|window| window.value))
    }

    /// Takes away what an attempt of this run before has left: it may have been of another window.
    async fn clear(&self, places: &MonitoringPlaces<'_>) -> Result<(), Error> {
        let (next, input) = (places.next_bookmark(), places.root() + "input/");
        for file in listed(&self.documents, &places.root()).await? {
            let (_, key) = places::parse_uri(&file.uri).unwrap_or_default();
            if key == next || key.starts_with(&input) {
                self.delete(key).await?;
            }
        }
        Ok(())
    }

    /// Whose window it is: the oldest champion's that has new files, or predictions that new labels are for.
    async fn find(&self, task: &Task, bookmark: Versioned<Bookmark>) -> Result<Option<Found>, Error> {
        let answered = self.answered(&task.run, &bookmark.value).await?;
        let labels = self
            .labels(&task.run.use_case, &task.rules.target, &bookmark.value)
            .await?;
        let mut candidates = Vec::new();
        for (at, one) in answered.iter().enumerate() {
            let config = &one.champion.endpoint_config;
            let past = past_windows(&bookmark.value, config, task);
            let has = !one.new.is_empty() || (!labels.by_id.is_empty() && self.any_label(&labels, &past).await?);
            if has {
                candidates.push(at);
            }
        }
        let more = candidates.len() > 1;
        Ok(candidates.first().copied().map(|chosen| Found {
            bookmark,
            answered,
            labels,
            chosen,
            more,
        }))
    }

    /// Joins ground truth, and writes the window down.
    async fn finish(&self, task: &Task, found: Found, mut window: Window) -> Result<Window, Error> {
        let places = places_of(task);
        let Found {
            bookmark,
            answered,
            labels,
            chosen,
            ..
        } = found;
        let champion = &answered[chosen].champion;
        let joining = Joining {
            champion,
            target: &task.rules.target,
            window: window.number,
        };
        let past = past_windows(&bookmark.value, &champion.endpoint_config, task);
        let mut folders: Vec<String> = past.iter().map(|window| window.records_key.clone()).collect();
        if window.records > 0 {
            folders.push(places.input("records"));
        }
        let joined = self.join(&joining, &labels, &folders).await?;

        let keep = SignedDuration::from_hours(24 * i64::from(task.rules.ground_truth_days));
        let mut waiting = labels.by_id.clone();
        waiting.retain(|id, _| !joined.ids.contains(id));
        let unmatched = waiting.len() as u64;
        waiting.retain(|_, label| label.since + keep > task.tick);
        let since = task.tick - keep;
        let recent = bookmark.value.windows.iter().filter(|window| window.to > since);
        let recent: Vec<PastWindow> = recent.cloned().collect();
        window.ground_truth = Joined {
            labels: labels.by_id.len() as u64,
            joined: joined.count(),
            waiting: waiting.len() as u64,
            expired: unmatched - waiting.len() as u64,
            predictions: recent.iter().map(|window| window.records).sum::<u64>() + window.records,
        };
        window.has_data = window.records > 0;
        window.has_ground_truth = joined.count() > 0;
        window.payload = payload(&window, &answered[chosen].new, &labels, task);
        if window.payload == Payload::Ready {
            self.write_joined(&places, joined).await?;
            let next = NextBookmark {
                base_etag: bookmark.etag,
                number: window.number,
                from: window.from,
                bookmark: Bookmark {
                    waiting_labels: self.keep_waiting(&places, &waiting).await?,
                    windows: with(recent, &window, &places),
                    ..next(&bookmark.value, &answered, chosen, &labels, &window)
                },
            };
            self.put_document(&places.next_bookmark(), &next).await?;
        }
        self.put_document(&places.window(), &window).await?;
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
}

fn places_of(task: &Task) -> MonitoringPlaces<'_> {
    MonitoringPlaces {
        use_case: &task.run.use_case,
        model: &task.run.model,
        run_id: &task.run.run_id,
    }
}

/// The committed windows of a configuration whose predictions may still get ground truth.
fn past_windows<'a>(bookmark: &'a Bookmark, endpoint_config: &str, task: &Task) -> Vec<&'a PastWindow> {
    let since = task.tick - SignedDuration::from_hours(24 * i64::from(task.rules.ground_truth_days));
    let windows = bookmark.windows.iter();
    windows
        .filter(|window| window.endpoint_config == endpoint_config && window.to > since && window.records > 0)
        .collect()
}

fn describe(window: &mut Window, one: &Answered, more: bool) {
    let champion = &one.champion;
    window.endpoint_config.clone_from(&champion.endpoint_config);
    window.champion = Some(champion.run_id.clone());
    window.has_baselines = champion.baselines.is_some();
    if let Some(baselines) = &champion.baselines {
        window.baselines = baselines.clone();
    }
    window.files = one.new.len() as u64;
    window.bytes = one.new.iter().map(|file| file.bytes).sum();
    window.more = more;
}

/// Few records wait for others, but not for ever.
fn payload(window: &Window, files: &[SourceFile], labels: &Labels, task: &Task) -> Payload {
    let something = window.records + window.ground_truth.joined;
    if something >= task.rules.minimum_rows {
        return Payload::Ready;
    }
    let unreadable = !window.skipped.is_empty();
    if something == 0 && !unreadable {
        return Payload::None;
    }
    let files = files.iter().map(|file| file.last_modified);
    let oldest = files.chain(labels.oldest_new).min();
    let patience = SignedDuration::from_mins(i64::from(task.rules.patience_minutes));
    match oldest {
        Some(oldest) if task.tick.duration_since(oldest) >= patience => Payload::Ready,
        _ => Payload::Waiting,
    }
}

/// The bookmark after the window, but for the labels that wait and the windows.
fn next(before: &Bookmark, answered: &[Answered], chosen: usize, labels: &Labels, window: &Window) -> Bookmark {
    let run = &window.run;
    let done: BTreeSet<String> = answered[chosen].new.iter().map(|file| seen_name(run, file)).collect();
    let all = || answered.iter().flat_map(|one| &one.all);
    let is_done = |file: &SourceFile| {
        let name = seen_name(run, file);
        file.last_modified <= before.horizon || before.seen.contains(&name) || done.contains(&name)
    };
    let horizon = horizon(
        before.horizon,
        all().filter(|file| is_done(file)),
        all().filter(|file| !is_done(file)),
    );
    Bookmark {
        format: 1,
        next_window: before.next_window + 1,
        opened_at: window.to,
        horizon,
        seen: all()
            .filter(|file| file.last_modified > horizon && is_done(file))
            .map(|file| seen_name(run, file))
            .collect(),
        ground_truth_seen: labels.seen.clone(),
        ground_truth_horizon: labels.horizon,
        waiting_labels: None,
        windows: Vec::new(),
        more: window.more,
        committed_by: Some(run.run_id.clone()),
    }
}

fn with(mut windows: Vec<PastWindow>, window: &Window, places: &MonitoringPlaces<'_>) -> Vec<PastWindow> {
    if let Some(champion) = &window.champion {
        windows.push(PastWindow {
            number: window.number,
            run_id: window.run.run_id.clone(),
            to: window.to,
            endpoint_config: window.endpoint_config.clone(),
            champion: champion.clone(),
            records: window.records,
            records_key: places.input("records"),
        });
    }
    windows
}

fn told(mut captures: Skips, labels: &Skips) -> Vec<Skipped> {
    captures.merge(labels.clone());
    captures.told()
}
