//! Committing a window: the bookmark says that it is analysed, and then its rows become those of reporting.
//!
//! In this order, so that of two runs at once only the one whose window counts ever touches the rows that readers see.
//! A call that dies in between is made up for: by its own repetition, or by the next run, which reports the last window
//! again before it makes its own. The same files give the same rows, however often.

use crate::files::listed;
use crate::next::NextBookmark;
use crate::{Committed, ConsolidateCaptures, Error};
use aws_sdk_s3::types::TaggingDirective;
use contracts::monitoring::Bookmark;
use contracts::places::{self, MonitoringPlaces, Table};
use contracts::reporting::{day, window_name};
use contracts::{ModelRun, RunId};
use futures::{StreamExt as _, TryStreamExt as _};
use platform::documents::Condition;
use serde::{Deserialize, Serialize};

/// The Glue job leaves many files.
const COPIES_AT_ONCE: usize = 8;

/// `reported.json`: the window's rows are where readers look.
#[derive(Serialize, Deserialize)]
struct Reported {
    /// How many were copied.
    files: usize,
}

fn reported_key(places: &MonitoringPlaces<'_>) -> String {
    places.root() + "reported.json"
}

impl ConsolidateCaptures {
    pub(crate) async fn commit(&self, run: &ModelRun) -> Result<Committed, Error> {
        let places = MonitoringPlaces {
            use_case: &run.use_case,
            model: &run.model,
            run_id: &run.run_id,
        };
        let key = places::use_case::bookmark(&run.use_case, &run.model);
        let next = self.documents.get::<NextBookmark>(&places.next_bookmark()).await?;
        let missing = || Error::WindowMissing(places::uri(&run.bucket, &places.next_bookmark()));
        let next = next.ok_or_else(missing)?.value;
        let condition = Condition::Unchanged(&next.base_etag);
        if self.documents.put(&key, &next.bookmark, condition).await?.is_none() {
            // Another run's, or this one's from a call whose answer was lost.
            let now = self.documents.get::<Bookmark>(&key).await?;
            if !now.is_some_and(|now| is_by(&now.value, &run.run_id)) {
                return Ok(Committed::Superseded);
            }
        }
        self.report(&places, &next).await?;
        Ok(Committed::Committed)
    }

    /// Reports the last committed window again: the run that committed it may have died before it had.
    pub(crate) async fn report_last(&self, run: &ModelRun, bookmark: &Bookmark) -> Result<(), Error> {
        let Some(last) = &bookmark.committed_by else {
            return Ok(());
        };
        let places = MonitoringPlaces {
            use_case: &run.use_case,
            model: &run.model,
            run_id: last,
        };
        if self.documents.get::<Reported>(&reported_key(&places)).await?.is_some() {
            return Ok(());
        }
        match self.documents.get::<NextBookmark>(&places.next_bookmark()).await? {
            Some(next) => self.report(&places, &next.value).await,
            // Its folder was tidied up, days after it was reported.
            None => Ok(()),
        }
    }

    /// Copies a committed window's rows to where readers look.
    async fn report(&self, places: &MonitoringPlaces<'_>, next: &NextBookmark) -> Result<(), Error> {
        let (use_case, model, day) = (places.use_case, places.model, day(next.from));
        let window = window_name(next.number);
        let mut copies = Vec::new();
        for file in listed(&self.documents, &places.input("records")).await? {
            let name = file.uri.rsplit('/').next().unwrap_or_default();
            let target = Table::Predictions.key(use_case, model, day, &format!("{window}-{name}"));
            copies.push((file, target));
        }
        if next.has_ground_truth {
            let target = Table::GroundTruth.key(use_case, model, day, &format!("{window}.jsonl.gz"));
            for file in listed(&self.documents, &places.input("ground-truth")).await? {
                copies.push((file, target.clone()));
            }
            let target = format!("{}{window}.csv", places::use_case::labelled(use_case, model));
            for file in listed(&self.documents, &places.input("labelled")).await? {
                copies.push((file, target.clone()));
            }
        }
        // A file without a row is no gzip file either.
        copies.retain(|(file, _)| file.bytes > 0);
        let reported = Reported { files: copies.len() };
        futures::stream::iter(copies)
            .map(|(file, target)| async move { self.copy(&file.uri, &target).await })
            .buffer_unordered(COPIES_AT_ONCE)
            .try_collect::<()>()
            .await?;
        // Only so that the next run need not do it again.
        let key = reported_key(places);
        self.documents.put(&key, &reported, Condition::Always).await?;
        Ok(())
    }

    async fn copy(&self, source: &str, target: &str) -> Result<(), Error> {
        let (bucket, key) = places::parse_uri(source).unwrap_or_default();
        let request = self.documents.client().copy_object();
        // Keys of the platform's own making need no encoding.
        let request = request
            .copy_source(format!("{bucket}/{key}"))
            .bucket(self.documents.bucket());
        let request = request.key(target).tagging_directive(TaggingDirective::Replace);
        let answer = request.send().await;
        answer.map_err(|error| platform::Error::aws_call(format!("CopyObject {source}"), &error))?;
        Ok(())
    }
}

/// Whether a run has committed the bookmark, or one of the windows that it still knows.
pub(crate) fn is_by(bookmark: &Bookmark, run: &RunId) -> bool {
    bookmark.committed_by.as_ref() == Some(run) || bookmark.windows.iter().any(|window| window.run_id == *run)
}
