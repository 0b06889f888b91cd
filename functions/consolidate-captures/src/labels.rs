//! Ground truth that has come: new files, and labels that wait for their prediction.

use crate::files::{LATENESS, listed};
use crate::merge::packed;
use crate::{ConsolidateCaptures, Error};
use consolidate::text::number;
use consolidate::{Reason, Skips};
use contracts::monitoring::{Bookmark, SourceFile};
use contracts::places::{self, Drop, MonitoringPlaces};
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use platform::documents::Condition;
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Read as _;

/// A label, and since when it waits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Label {
    pub value: f64,
    pub since: Timestamp,
}

/// The labels that look for their predictions.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    /// By the row's id. Some 100 bytes each: about 10 million fit into the function.
    pub by_id: HashMap<String, Label>,
    pub skips: Skips,
    /// What the bookmark says once these are committed.
    pub seen: BTreeSet<String>,
    pub horizon: Timestamp,
    /// When the oldest of the new files came.
    pub oldest_new: Option<Timestamp>,
}

impl ConsolidateCaptures {
    /// New ground truth of the use case, and this model's labels that wait.
    pub(crate) async fn labels(&self, use_case: &str, target: &str, bookmark: &Bookmark) -> Result<Labels, Error> {
        let prefix = places::incoming(use_case, Drop::GroundTruth);
        let files = listed(&self.documents, &prefix).await?;
        let mut labels = Labels {
            seen: bookmark.ground_truth_seen.clone(),
            ..Labels::default()
        };
        if let Some(key) = &bookmark.waiting_labels {
            self.read_waiting(key, &mut labels).await?;
        }
        let is_new = |file: &&SourceFile| {
            file.last_modified > bookmark.ground_truth_horizon && !labels.seen.contains(&seen_name(file))
        };
        let mut new: Vec<SourceFile> = files.iter().filter(is_new).cloned().collect();
        // Of two labels for one row, the later one counts.
        new.sort_by(|one, other| (one.last_modified, &one.uri).cmp(&(other.last_modified, &other.uri)));
        for file in &new {
            self.read_file(file, target, &mut labels).await?;
        }
        labels.oldest_new = new.first().map(|file| file.last_modified);
        labels.seen.extend(new.iter().map(seen_name));
        let newest = files.iter().map(|file| file.last_modified).max();
        labels.horizon = newest
            .map_or(bookmark.ground_truth_horizon, |newest| newest - LATENESS)
            .max(bookmark.ground_truth_horizon);
        let recent: BTreeSet<String> = files
            .iter()
            .filter(|file| file.last_modified > labels.horizon)
            .map(seen_name)
            .collect();
        labels.seen.retain(|name| recent.contains(name));
        Ok(labels)
    }

    async fn read_file(&self, file: &SourceFile, target: &str, labels: &mut Labels) -> Result<(), Error> {
        let Some((_, key)) = places::parse_uri(&file.uri) else {
            return Ok(());
        };
        // One that was deleted since it was listed has nothing to say.
        let Some((bytes, _)) = self.documents.get_bytes(key, None).await? else {
            return Ok(());
        };
        read(&bytes, target, |line, row| match row {
            Some((id, value)) => {
                let since = file.last_modified;
                labels.by_id.insert(id, Label { value, since });
            }
            None => labels.skips.add(Reason::NoLabel, 1, || format!("{}:{line}", file.uri)),
        });
        Ok(())
    }

    async fn read_waiting(&self, key: &str, labels: &mut Labels) -> Result<(), Error> {
        let unreadable = |reason: String| {
            let place = places::uri(self.documents.bucket(), key);
            Error::from(platform::Error::Document { place, reason })
        };
        let found = self.documents.get_bytes(key, None).await?;
        let (bytes, _) = found.ok_or_else(|| unreadable("is gone, and the bookmark names it".to_owned()))?;
        let mut text = String::new();
        let read = MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text);
        read.map_err(|error| unreadable(error.to_string()))?;
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(text.as_bytes());
        for row in reader.deserialize() {
            let (id, value, since): (String, f64, Timestamp) = row.map_err(|error| unreadable(error.to_string()))?;
            labels.by_id.insert(id, Label { value, since });
        }
        Ok(())
    }

    /// Keeps labels that wait for their prediction; gives the key, or none when there are none.
    pub(crate) async fn keep_waiting(
        &self,
        places: &MonitoringPlaces<'_>,
        labels: &HashMap<String, Label>,
    ) -> Result<Option<String>, Error> {
        if labels.is_empty() {
            return Ok(None);
        }
        let mut rows: Vec<(&String, &Label)> = labels.iter().collect();
        rows.sort_by_key(|(id, _)| *id);
        let mut text = csv::Writer::from_writer(Vec::new());
        for (id, label) in rows {
            // Writing into memory can't fail.
            let _ = text.serialize((id, label.value, label.since));
        }
        let key = places.input("waiting") + "labels.csv.gz";
        let body = packed(&text.into_inner().unwrap_or_default());
        self.put(&key, "application/gzip", body).await?;
        Ok(Some(key))
    }

    /// Writes an object, whatever was there before.
    pub(crate) async fn put(&self, key: &str, content_type: &'static str, body: Vec<u8>) -> Result<(), Error> {
        let mut sink = crate::sink::Sink::new(&self.documents, key.to_owned(), content_type);
        sink.write(&body).await?;
        sink.close().await
    }

    /// Writes a document, whatever was there before.
    pub(crate) async fn put_document<T: serde::Serialize>(&self, key: &str, value: &T) -> Result<(), Error> {
        self.documents.put(key, value, Condition::Always).await?;
        Ok(())
    }
}

/// The version of a file that was read: one that is written again is read again.
fn seen_name(file: &SourceFile) -> String {
    let mut name = file.uri.clone();
    // Writing into a String can't fail.
    let _ = write!(name, "@{}", file.last_modified);
    name
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "groundTruthData")]
    data: Data,
    #[serde(rename = "eventMetadata")]
    event: Event,
}

#[derive(Deserialize)]
struct Data {
    data: String,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "eventId")]
    id: String,
}

/// Each row of a file: its line, and id and label, where it has both.
fn read(bytes: &[u8], target: &str, mut row: impl FnMut(u64, Option<(String, f64)>)) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii_start().starts_with(b"{") {
        for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
            if line.trim_ascii().is_empty() {
                continue;
            }
            let label = serde_json::from_slice::<Line>(line).ok();
            row(
                number,
                label.and_then(|it| Some((with_row(it.event.id), number_of(&it.data.data)?))),
            );
        }
        return;
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.headers().cloned().unwrap_or_default();
    let at = |name: &str| header.iter().position(|column| column.trim() == name);
    let (Some(id), Some(label)) = (at("id"), at("label").or_else(|| at(target))) else {
        row(1, None);
        return;
    };
    for record in reader.records() {
        match record {
            Ok(fields) => {
                let line = fields.position().map_or(0, csv::Position::line);
                let pair = fields.get(id).zip(fields.get(label));
                let pair = pair.filter(|(id, _)| !id.trim().is_empty());
                row(
                    line,
                    pair.and_then(|(id, text)| Some((with_row(id.trim().to_owned()), number_of(text)?))),
                );
            }
            Err(error) => row(error.position().map_or(0, csv::Position::line), None),
        }
    }
}

fn number_of(text: &str) -> Option<f64> {
    number(text.trim())
}

/// Requests of one row may be named without it.
fn with_row(id: String) -> String {
    if id.contains('#') { id } else { format!("{id}#0") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(u64, Option<(String, f64)>)> {
        let mut rows = Vec::new();
        read(text.as_bytes(), "price", |line, row| rows.push((line, row)));
        rows
    }

    fn label(id: &str, value: f64) -> Option<(String, f64)> {
        Some((id.to_owned(), value))
    }

    #[test]
    fn labels_are_read_in_every_form() {
        assert_eq!(
            of("id,label\na#0,1\na#1, 2.5 \n"),
            [(2, label("a#0", 1.0)), (3, label("a#1", 2.5))]
        );
        assert_eq!(of("\u{feff}price,x,id\n3,y,b\n"), [(2, label("b#0", 3.0))]);
        let line = r#"{"groundTruthData":{"data":"7","encoding":"CSV"},"eventMetadata":{"eventId":"c#2"}}"#;
        assert_eq!(of(&format!("{line}\n\n{{}}\n")), [(1, label("c#2", 7.0)), (3, None)]);
    }

    #[test]
    fn what_is_no_label_is_told_with_its_line() {
        assert_eq!(of("id,worth\na,1\n"), [(1, None)]);
        assert_eq!(
            of("id,label\na#0\n,1\na#1,x\na#2,nan\n"),
            [(2, None), (3, None), (4, None), (5, None)]
        );
    }
}
