//! Committing a window: its rows become those of reporting, and then the bookmark says that it is analysed.

use crate::files::listed;
use crate::window::NextBookmark;
use crate::{Committed, ConsolidateCaptures, Error};
use aws_sdk_s3::types::TaggingDirective;
use contracts::ModelRun;
use contracts::monitoring::Bookmark;
use contracts::places::{self, MonitoringPlaces, Table};
use contracts::reporting::day;
use platform::documents::Condition;
use std::collections::BTreeSet;

impl ConsolidateCaptures {
    /// Copies first, then commits: a call that dies in between leaves rows of an open window, which the run that makes it
    /// again replaces.
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
        let ours = |bookmark: &Bookmark| bookmark.committed_by.as_ref() == Some(&run.run_id);
        match self.documents.get::<Bookmark>(&key).await? {
            Some(now) if ours(&now.value) => return Ok(Committed::Committed),
            Some(now) if now.etag == next.base_etag => {}
            _ => return Ok(Committed::Superseded),
        }
        self.report(run, &places, &next).await?;
        let condition = Condition::Unchanged(&next.base_etag);
        if self.documents.put(&key, &next.bookmark, condition).await?.is_some() {
            return Ok(Committed::Committed);
        }
        // Another run's, or this one's, whose answer was lost.
        let now = self.documents.get::<Bookmark>(&key).await?;
        Ok(if now.is_some_and(|now| ours(&now.value)) {
            Committed::Committed
        } else {
            Committed::Superseded
        })
    }

    /// Copies the window's rows to where readers look, and takes away what an attempt that died has left there.
    async fn report(&self, run: &ModelRun, places: &MonitoringPlaces<'_>, next: &NextBookmark) -> Result<(), Error> {
        let (use_case, model, day) = (&run.use_case, &run.model, day(next.from));
        let window = format!("window-{:06}", next.number);
        let mut copies = Vec::new();
        for file in listed(&self.documents, &places.input("records")).await? {
            let name = file.uri.rsplit('/').next().unwrap_or_default();
            let target = Table::Predictions.key(use_case, model, day, &format!("{window}-{name}"));
            copies.push((file.uri.clone(), target));
        }
        for file in listed(&self.documents, &places.input("ground-truth")).await? {
            let target = Table::GroundTruth.key(use_case, model, day, &format!("{window}.jsonl.gz"));
            copies.push((file.uri, target));
        }
        for file in listed(&self.documents, &places.input("labelled")).await? {
            let target = format!("{}{window}.csv", places::use_case::labelled(use_case, model));
            copies.push((file.uri, target));
        }
        let kept: BTreeSet<&String> = copies.iter().map(|(_, target)| target).collect();
        for prefix in [
            Table::Predictions.key(use_case, model, day, &window),
            Table::GroundTruth.key(use_case, model, day, &window),
            places::use_case::labelled(use_case, model) + &window,
        ] {
            for file in listed(&self.documents, &prefix).await? {
                let (_, key) = places::parse_uri(&file.uri).unwrap_or_default();
                if !kept.contains(&key.to_owned()) {
                    self.delete(key).await?;
                }
            }
        }
        for (source, target) in &copies {
            self.copy(source, target).await?;
        }
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

    async fn delete(&self, key: &str) -> Result<(), Error> {
        let request = self.documents.client().delete_object();
        let answer = request.bucket(self.documents.bucket()).key(key).send().await;
        answer.map_err(|error| platform::Error::aws_call(format!("DeleteObject {key}"), &error))?;
        Ok(())
    }
}
