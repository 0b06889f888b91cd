//! Joins labels to predictions: those of this window, and those of former windows of the same champion.

use crate::files::listed;
use crate::labels::{Label, Labels};
use crate::records::{PackedLines, id};
use crate::sink::Sink;
use crate::{ConsolidateCaptures, Error};
use contracts::Champion;
use contracts::monitoring::PastWindow;
use contracts::places::MonitoringPlaces;
use contracts::reporting::GroundTruthRow;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;

#[derive(Deserialize)]
struct Record<'a> {
    time: Timestamp,
    prediction: f64,
    #[serde(borrow)]
    features: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

/// The champion and the window for which labels are joined.
pub(crate) struct Joining<'a> {
    pub champion: &'a Champion,
    pub target: &'a str,
    pub window: u64,
}

/// The joined rows, which are in S3 only once this is closed.
pub(crate) struct Joined<'a> {
    pub count: u64,
    /// The rows that had another label in a former window, by that window.
    pub corrected: BTreeMap<u64, BTreeSet<String>>,
    /// The oldest of the labels joined to predictions of former windows: since when it has been waiting.
    pub oldest: Option<Timestamp>,
    joining: &'a Joining<'a>,
    quality: Rows<'a>,
    truths: GzEncoder<Vec<u8>>,
    truths_sink: Sink<'a>,
    labelled: Rows<'a>,
}

/// A CSV file that is being written.
struct Rows<'a> {
    writer: csv::Writer<Vec<u8>>,
    sink: Sink<'a>,
}

impl ConsolidateCaptures {
    /// Joins labels with the records of former windows, and with this window's if it has any.
    pub(crate) async fn join<'a>(
        &'a self,
        places: &MonitoringPlaces<'_>,
        joining: &'a Joining<'a>,
        labels: &mut Labels,
        former: &[&PastWindow],
        own: bool,
    ) -> Result<Joined<'a>, Error> {
        let rows = |part: &str| Rows {
            writer: csv::Writer::from_writer(Vec::new()),
            sink: Sink::new(&self.documents, places.input(part) + "rows.csv", "text/csv"),
        };
        let truths = places.input("ground-truth") + "rows.jsonl.gz";
        let mut joined = Joined {
            count: 0,
            corrected: BTreeMap::new(),
            oldest: None,
            joining,
            quality: rows("quality"),
            truths: GzEncoder::new(Vec::new(), Compression::fast()),
            truths_sink: Sink::new(&self.documents, truths, "application/gzip"),
            labelled: rows("labelled"),
        };
        let columns = joining.champion.columns.iter().map(String::as_str);
        // Writing into memory can't fail.
        let _ = joined.labelled.writer.write_record(columns.chain([joining.target]));
        if labels.is_empty() {
            return Ok(joined);
        }
        for window in former {
            self.join_folder(&window.records_key, labels, true, &mut joined).await?;
        }
        if own {
            self.join_folder(&places.input("records"), labels, false, &mut joined)
                .await?;
        }
        Ok(joined)
    }

    async fn join_folder(
        &self,
        folder: &str,
        labels: &mut Labels,
        former: bool,
        joined: &mut Joined<'_>,
    ) -> Result<(), Error> {
        for file in listed(&self.documents, folder).await? {
            let Some(mut lines) = PackedLines::open(&self.documents, &file.uri).await? else {
                continue;
            };
            while let Some(text) = lines.next().await? {
                for line in lines_of(&text) {
                    joined.look(line, labels, former);
                }
                joined.send().await?;
            }
        }
        Ok(())
    }
}

fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

impl Joined<'_> {
    /// Joins a record with its label, if there is one. If two records have the same id, the first gets it.
    fn look(&mut self, line: &[u8], labels: &mut Labels, former: bool) {
        let Some(id) = id(line).filter(|id| labels.contains(id)) else {
            return;
        };
        let Ok(record) = serde_json::from_slice::<Record>(line) else {
            return;
        };
        let Some((label, corrects)) = labels.take(&id) else {
            return;
        };
        if let Some(window) = corrects {
            self.corrected.entry(window).or_default().insert(id.to_string());
        }
        if former {
            self.oldest = self.oldest.into_iter().chain([label.since()]).min();
        }
        self.add(&id, &record, label);
    }

    fn add(&mut self, id: &str, record: &Record<'_>, label: Label) {
        self.count += 1;
        let value = label.value.to_string();
        // Writing into memory can't fail.
        let _ = self
            .quality
            .writer
            .write_record([id, &value, &record.prediction.to_string()]);
        let Joining { champion, window, .. } = self.joining;
        let row = GroundTruthRow {
            model: champion.model.clone(),
            id: id.to_owned(),
            time: record.time,
            champion: champion.run_id.clone(),
            prediction: record.prediction,
            label: label.value,
            window: *window,
        };
        let _ = serde_json::to_writer(&mut self.truths, &row);
        let _ = self.truths.write_all(b"\n");
        let field = |column: &String| record.features.get(column.as_str()).map_or("", |value| value);
        let fields = champion.columns.iter().map(field);
        let _ = self.labelled.writer.write_record(fields.chain([value.as_str()]));
    }

    /// Uploads what has been written so far.
    async fn send(&mut self) -> Result<(), Error> {
        self.quality.send().await?;
        self.labelled.send().await?;
        let packed = std::mem::take(self.truths.get_mut());
        self.truths_sink.write(&packed).await
    }

    /// Writes `input/quality`, `input/ground-truth` and `input/labelled`, unless nothing was joined.
    pub async fn close(mut self) -> Result<(), Error> {
        if self.count == 0 {
            return Ok(());
        }
        self.send().await?;
        self.quality.sink.close().await?;
        self.labelled.sink.close().await?;
        self.truths_sink
            .write(&self.truths.finish().unwrap_or_default())
            .await?;
        self.truths_sink.close().await
    }
}

impl Rows<'_> {
    async fn send(&mut self) -> Result<(), Error> {
        // Writing into memory can't fail.
        let writer = std::mem::replace(&mut self.writer, csv::Writer::from_writer(Vec::new()));
        self.sink.write(&writer.into_inner().unwrap_or_default()).await
    }
}
