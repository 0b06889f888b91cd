//! Committing a window: the bookmark says that it is analysed, and then its rows become those of reporting.
//!
//! In this order, so that of two runs at once only the one whose window counts ever touches the rows that readers see.
//! A call that dies in between is made up for: by its own repetition, or by the next run, which reports the last window
//! again before it makes its own. The same files give the same rows, however often.

use crate::corrections::{Corrected, labelled_rows, left_of, reported_truths};
use crate::files::listed;
use crate::next::NextBookmark;
use crate::{ConsolidateCaptures, Error};
use aws_sdk_s3::types::TaggingDirective;
use contracts::monitoring::Bookmark;
use contracts::places::{self, MonitoringPlaces, Table};
use contracts::reporting::{day, window_name};
use contracts::{ModelRun, RunId};
use futures::{StreamExt as _, TryStreamExt as _};
use platform::documents::Condition;
use serde::{Deserialize, Serialize};

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Committed {
    /// The window is analysed.
    Committed,
    /// Another run has committed meanwhile: this one's window is nothing.
    Superseded,
}

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
            let committed = now.is_some_and(|now| is_by(&now.value, &run.run_id));
            if !committed && !self.is_reported(&places).await? {
                return Ok(Committed::Superseded);
            }
        }
        self.report(&places, &next).await?;
        Ok(Committed::Committed)
    }

    /// Whether a run has committed its window, and its rows are where readers look.
    pub(crate) async fn is_reported(&self, places: &MonitoringPlaces<'_>) -> Result<bool, Error> {
        Ok(self.documents.get::<Reported>(&reported_key(places)).await?.is_some())
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
        if self.is_reported(&places).await? {
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
        let (use_case, model, number) = (places.use_case, places.model, next.number);
        // First rows go, then those come that are in their place: nobody sees both.
        for corrected in &next.corrected {
            let target = reported_truths(use_case, model, corrected.number, corrected.from);
            self.replace(corrected, &left_of(places, "ground-truth", corrected.number), &target)
                .await?;
            let target = labelled_rows(use_case, model, corrected.number);
            self.replace(corrected, &left_of(places, "labelled", corrected.number), &target)
                .await?;
        }
        let mut copies = Vec::new();
        for file in listed(&self.documents, &places.input("records")).await? {
            let name = file.uri.rsplit('/').next().unwrap_or_default();
            let name = format!("{}-{name}", window_name(number));
            copies.push((file, Table::Predictions.key(use_case, model, day(next.from), &name)));
        }
        if next.has_ground_truth {
            for file in listed(&self.documents, &places.input("ground-truth")).await? {
                copies.push((file, reported_truths(use_case, model, number, next.from)));
            }
            for file in listed(&self.documents, &places.input("labelled")).await? {
                copies.push((file, labelled_rows(use_case, model, number)));
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

    /// Puts what is left of a window's rows in the place of them all.
    async fn replace(&self, corrected: &Corrected, left: &str, target: &str) -> Result<(), Error> {
        if corrected.rows == 0 {
            return Ok(self.documents.delete(target).await?);
        }
        let left = places::uri(self.documents.bucket(), left);
        self.copy(&left, target).await
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
