//! Commits a window: the bookmark records that it is analysed, and then its rows are copied to where reporting reads
//! them.
//!
//! The order matters: of two concurrent runs, only the one whose window counts may touch the rows that readers see.
//! If a call dies in between, either its repetition or the next run completes it: each run reports the last window
//! again before it makes its own. The same files give the same rows, however often they are copied.

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

/// The outcome of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Committed {
    /// The window counts as analysed.
    Committed,
    /// Another run has committed meanwhile: this run's window does not count.
    Superseded,
}

/// How many files are copied at once: the Glue job leaves many.
const COPIES_AT_ONCE: usize = 8;

/// `reported.json`: records that the window's rows have been copied to where readers look.
#[derive(Serialize, Deserialize)]
struct Reported {
    /// How many files were copied.
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
            // The commit was another run's, or it was this run's, by a call whose answer was lost.
            let now = self.documents.get::<Bookmark>(&key).await?;
            let committed = now.is_some_and(|now| is_by(&now.value, &run.run_id));
            if !committed && !self.is_reported(&places).await? {
                return Ok(Committed::Superseded);
            }
        }
        self.report(&places, &next).await?;
        Ok(Committed::Committed)
    }

    /// Whether a run has committed its window and copied its rows to where readers look.
    pub(crate) async fn is_reported(&self, places: &MonitoringPlaces<'_>) -> Result<bool, Error> {
        Ok(self.documents.get::<Reported>(&reported_key(places)).await?.is_some())
    }

    /// Reports the last committed window again, because the run that committed it may have died before reporting it.
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
            // Its folder has been deleted, days after it was reported.
            None => Ok(()),
        }
    }

    /// Copies the rows of a committed window to where readers look.
    async fn report(&self, places: &MonitoringPlaces<'_>, next: &NextBookmark) -> Result<(), Error> {
        let (use_case, model, number) = (places.use_case, places.model, next.number);
        // Corrected rows are removed before the rows that replace them are added: no reader ever sees both.
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
        // A file without a row is not even a valid gzip file.
        copies.retain(|(file, _)| file.bytes > 0);
        let reported = Reported { files: copies.len() };
        futures::stream::iter(copies)
            .map(|(file, target)| async move { self.copy(&file.uri, &target).await })
            .buffer_unordered(COPIES_AT_ONCE)
            .try_collect::<()>()
            .await?;
        // Written only so that the next run need not report the window again.
        let key = reported_key(places);
        self.documents.put(&key, &reported, Condition::Always).await?;
        Ok(())
    }

    /// Replaces a window's reported rows with those that are left of them.
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
        // Keys that the platform has made need no URL encoding.
        let request = request
            .copy_source(format!("{bucket}/{key}"))
            .bucket(self.documents.bucket());
        let request = request.key(target).tagging_directive(TaggingDirective::Replace);
        let answer = request.send().await;
        answer.map_err(|error| platform::Error::aws_call(format!("CopyObject {source}"), &error))?;
        Ok(())
    }
}

/// Whether a run has committed the bookmark, or one of the windows that the bookmark still lists.
pub(crate) fn is_by(bookmark: &Bookmark, run: &RunId) -> bool {
    bookmark.committed_by.as_ref() == Some(run) || bookmark.windows.iter().any(|window| window.run_id == *run)
}
