//! The labels of a window: those of new ground truth, those that have been waiting, and those that go on waiting.

use crate::files::LATENESS;
use crate::ground_truth::TruthFiles;
use crate::labels::{Label, Labels};
use crate::records::PackedLines;
use crate::sink::Sink;
use crate::{ConsolidateCaptures, Error};
use contracts::ModelRun;
use contracts::monitoring::{Begun, Bookmark, WindowRules};
use contracts::places::{self, MonitoringPlaces};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use std::io::Write as _;

impl ConsolidateCaptures {
    /// The labels of the use case's new ground truth, and this model's labels that have been waiting.
    pub(crate) async fn labels(
        &self,
        run: &ModelRun,
        rules: &WindowRules,
        bookmark: &Bookmark,
        tick: Timestamp,
    ) -> Result<Labels, Error> {
        let mut labels = Labels::default();
        if let Some(key) = &bookmark.waiting_labels {
            self.read_waiting(key, &mut labels).await?;
        }
        let files = self.truth_files(run, bookmark, tick).await?;
        labels.oldest_new = files.new.iter().map(|file| file.came_at).min();
        let TruthFiles { new, recent, .. } = &files;
        labels.seen.clone_from(&bookmark.ground_truth_seen);
        labels.begun.clone_from(&bookmark.ground_truth_begun);
        let mut left = self.most_labels;
        let mut unread = new.as_slice();
        while let Some((file, rest)) = unread.split_first().filter(|_| left > 0) {
            let begun = labels.begun.take().filter(|begun| begun.name == file.name);
            let begun = begun.map_or(0, |begun| begun.rows);
            let (rows, ended) = self.read_truths(file, rules, begun, left, &mut labels).await?;
            left = left.saturating_sub(usize::try_from(rows - begun).unwrap_or(usize::MAX));
            if !ended {
                let name = file.name.clone();
                labels.begun = Some(Begun { name, rows });
                break;
            }
            labels.seen.insert(file.name.clone());
            unread = rest;
        }
        labels.more = !unread.is_empty() || files.more;
        labels.accepted = bookmark.ground_truth_accepted || !unread.iter().any(|file| file.from_before);
        let newest = recent.values().max().copied();
        let oldest_unread = unread.iter().map(|file| file.written_at).min();
        let horizon = newest.map_or(bookmark.ground_truth_horizon, |newest| newest - LATENESS);
        let open = oldest_unread.map_or(horizon, |unread| unread - jiff::SignedDuration::from_secs(1));
        labels.horizon = horizon.min(open).max(bookmark.ground_truth_horizon);
        let horizon = labels.horizon;
        labels
            .seen
            .retain(|name| recent.get(name).is_some_and(|written| *written > horizon));
        Ok(labels)
    }

    async fn read_waiting(&self, key: &str, labels: &mut Labels) -> Result<(), Error> {
        let uri = places::uri(self.documents.bucket(), key);
        let unreadable = |reason: String| {
            let place = uri.clone();
            Error::from(platform::Error::Document { place, reason })
        };
        let lines = PackedLines::open(&self.documents, &uri).await?;
        let mut lines = lines.ok_or_else(|| unreadable("is gone, and the bookmark names it".to_owned()))?;
        while let Some(text) = lines.next().await? {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(&text[..]);
            for row in reader.deserialize() {
                let (id, value, since): (String, f64, Timestamp) =
                    row.map_err(|error| unreadable(error.to_string()))?;
                let id = u128::from_str_radix(&id, 16).map_err(|error| unreadable(error.to_string()))?;
                labels.insert(id, Label::new(value, since));
            }
        }
        Ok(())
    }

    /// Stores labels that wait for their predictions; returns the object's key, or `None` if no label waits.
    pub(crate) async fn keep_waiting(
        &self,
        places: &MonitoringPlaces<'_>,
        labels: &[(u128, Label)],
    ) -> Result<Option<String>, Error> {
        if labels.is_empty() {
            return Ok(None);
        }
        let key = places.input("waiting") + "labels.csv.gz";
        let mut sink = Sink::new(&self.documents, key.clone(), "application/gzip");
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        for labels in labels.chunks(10_000) {
            for (id, label) in labels {
                // Writing into memory can't fail.
                let _ = writeln!(packed, "{id:032x},{},{}", label.value, label.since());
            }
            sink.write(&std::mem::take(packed.get_mut())).await?;
        }
        sink.write(&packed.finish().unwrap_or_default()).await?;
        sink.close().await?;
        Ok(Some(key))
    }
}
