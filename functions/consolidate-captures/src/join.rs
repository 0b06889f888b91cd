//! Labels to predictions: those of this window, and of former ones of the same champion.

use crate::labels::{Label, Labels};
use crate::merge::packed;
use crate::{ConsolidateCaptures, Error};
use contracts::monitoring::PastWindow;
use contracts::places::{self, MonitoringPlaces};
use contracts::reporting::GroundTruthRow;
use contracts::{Champion, RunId};
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, BufReader};

/// What was joined: rows of the three files, and the ids.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    quality: Vec<u8>,
    truths: Vec<u8>,
    labelled: Option<csv::Writer<Vec<u8>>>,
    pub ids: HashSet<String>,
}

/// A record's id alone; all else is passed over.
#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Record<'a> {
    time: Timestamp,
    prediction: f64,
    #[serde(borrow)]
    features: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

/// Whose labels are joined in which window.
pub(crate) struct Joining<'a> {
    pub champion: &'a Champion,
    pub target: &'a str,
    pub window: u64,
}

impl ConsolidateCaptures {
    /// Whether any label is for a record of these windows.
    pub(crate) async fn any_label(&self, labels: &Labels, windows: &[&PastWindow]) -> Result<bool, Error> {
        let mut found = false;
        for window in windows {
            self.each_record(&window.records_key, |line| {
                found = found || id(line).is_some_and(|id| labels.by_id.contains_key(&*id));
            })
            .await?;
            if found {
                break;
            }
        }
        Ok(found)
    }

    /// Joins labels with the records of folders.
    pub(crate) async fn join(
        &self,
        joining: &Joining<'_>,
        labels: &Labels,
        folders: &[String],
    ) -> Result<Joined, Error> {
        let mut joined = Joined::default();
        if labels.by_id.is_empty() {
            return Ok(joined);
        }
        for folder in folders {
            self.each_record(folder, |line| {
                let Some(id) = id(line) else { return };
                if let Some(label) = labels.by_id.get(&*id) {
                    joined.add(joining, &id, line, *label);
                }
            })
            .await?;
        }
        Ok(joined)
    }

    /// Writes `input/quality`, `input/ground-truth` and `input/labelled`.
    pub(crate) async fn write_joined(&self, places: &MonitoringPlaces<'_>, joined: Joined) -> Result<(), Error> {
        if joined.ids.is_empty() {
            return Ok(());
        }
        self.put(&(places.input("quality") + "rows.csv"), "text/csv", joined.quality)
            .await?;
        let truths = packed(&joined.truths);
        self.put(
            &(places.input("ground-truth") + "rows.jsonl.gz"),
            "application/gzip",
            truths,
        )
        .await?;
        let labelled = joined.labelled.map(|rows| rows.into_inner().unwrap_or_default());
        self.put(
            &(places.input("labelled") + "rows.csv"),
            "text/csv",
            labelled.unwrap_or_default(),
        )
        .await
    }

    /// Every line of the records below a key.
    async fn each_record(&self, folder: &str, mut line: impl FnMut(&[u8])) -> Result<(), Error> {
        for file in crate::files::listed(&self.documents, folder).await? {
            let (_, key) = places::parse_uri(&file.uri).unwrap_or_default();
            let Some((bytes, _)) = self.documents.get_bytes(key, None).await? else {
                continue;
            };
            let mut reader = BufReader::new(MultiGzDecoder::new(&bytes[..]));
            let mut text = Vec::new();
            loop {
                text.clear();
                let read = reader.read_until(b'\n', &mut text).map_err(|error| {
                    let (place, reason) = (file.uri.clone(), error.to_string());
                    platform::Error::Document { place, reason }
                })?;
                if read == 0 {
                    break;
                }
                line(&text);
            }
        }
        Ok(())
    }
}

impl Joined {
    pub fn count(&self) -> u64 {
        self.ids.len() as u64
    }

    fn add(&mut self, joining: &Joining<'_>, id: &str, line: &[u8], label: Label) {
        let Ok(record) = serde_json::from_slice::<Record>(line) else {
            return;
        };
        if !self.ids.insert(id.to_owned()) {
            // Two requests by one id: the first has it.
            return;
        }
        let columns = &joining.champion.columns;
        // Writing into memory can't fail.
        let mut quality = csv::WriterBuilder::new().from_writer(std::mem::take(&mut self.quality));
        let _ = quality.write_record([id, &label.value.to_string(), &record.prediction.to_string()]);
        self.quality = quality.into_inner().unwrap_or_default();
        let row = GroundTruthRow {
            model: joining.champion.model.clone(),
            id: id.to_owned(),
            time: record.time,
            champion: RunId::clone(&joining.champion.run_id),
            prediction: record.prediction,
            label: label.value,
            window: joining.window,
        };
        let _ = serde_json::to_writer(&mut self.truths, &row);
        self.truths.push(b'\n');
        let labelled = self.labelled.get_or_insert_with(|| {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let _ = writer.write_record(columns.iter().map(String::as_str).chain([joining.target]));
            writer
        });
        let fields = columns.iter().map(|column| {
            let value = record.features.get(column.as_str());
            value.map_or_else(String::new, |value| value.clone().into_owned())
        });
        let _ = labelled.write_record(fields.chain([label.value.to_string()]));
    }
}

fn id(line: &[u8]) -> Option<Cow<'_, str>> {
    serde_json::from_slice::<Id>(line).ok().map(|record| record.id)
}
