//! What the dashboard is made of: champions, their history, and the reported rows of the last months.

use contracts::places::{self, Table};
use contracts::reporting::{DriftRow, GroundTruthRow, RunRow};
use contracts::{Champion, RunId, UseCase};
use flate2::read::MultiGzDecoder;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use platform::{Documents, Error};
use report::dashboard::{Dashboard, Model, Unreadable, WindowErrors};
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::io::Read;

/// How far back the page shows.
const DAYS: u32 = 90;
/// Most windows of a model: what the page can show without getting large.
const WINDOWS: usize = 200;
/// Most runs.
const RUNS: usize = 500;
/// Most former champions of a model.
const CHAMPIONS: usize = 50;
/// Reads at the same time.
const READS: usize = 16;

/// Everything that the page shows of a use case.
///
/// # Errors
/// A call of AWS failed.
pub(crate) async fn dashboard(documents: &Documents, document: &UseCase, now: Timestamp) -> Result<Dashboard, Error> {
    let since = now - SignedDuration::from_hours(24 * i64::from(DAYS));
    let mut reader = Reader {
        documents,
        use_case: &document.use_case,
        since: since.to_zoned(TimeZone::UTC).date(),
        unreadable: Vec::new(),
    };
    let mut models = Vec::new();
    let mut names: Vec<&str> = document.models.iter().map(|model| model.name.as_str()).collect();
    for name in &names {
        models.push(reader.model(name).await?);
    }
    // Runs of no model.
    names.push("all");
    let mut keys = Vec::new();
    for name in names {
        keys.extend(reader.keys(Table::Runs, name).await?);
    }
    keys.sort_by(|one, other| name_of(one).cmp(name_of(other)));
    let runs: Vec<Vec<RunRow>> = reader.files(newest(keys, RUNS).0).await?;
    Ok(Dashboard {
        use_case: document.use_case.clone(),
        description: document.description.clone().unwrap_or_default(),
        target: document.target.name.clone(),
        generated_at: now,
        days: DAYS,
        models,
        runs: runs.into_iter().flatten().collect(),
        unreadable: reader.unreadable,
    })
}

struct Reader<'a> {
    documents: &'a Documents,
    use_case: &'a str,
    since: Date,
    unreadable: Vec<Unreadable>,
}

impl Reader<'_> {
    async fn model(&mut self, name: &str) -> Result<Model, Error> {
        let champion = places::use_case::champion(self.use_case, name);
        let champion: Option<Champion> = self.document(&champion).await?;
        let history = format!("use-cases/{}/models/{name}/history/", self.use_case);
        let mut former = Vec::new();
        for key in newest(self.listed(&history, &history).await?, CHAMPIONS).0 {
            former.extend(self.document(&key).await?);
        }
        let (keys, older) = newest(self.keys(Table::Drift, name).await?, WINDOWS);
        let drift: Vec<Vec<DriftRow>> = self.files(keys).await?;
        let keys = newest(self.keys(Table::GroundTruth, name).await?, WINDOWS).0;
        let truths: Vec<Vec<GroundTruthRow>> = self.files(keys).await?;
        Ok(Model {
            name: name.to_owned(),
            champion,
            history: former,
            drift: drift.into_iter().flatten().collect(),
            errors: errors(truths.iter().flatten()),
            older_windows: older as u64,
        })
    }

    /// The reported files of a model, the oldest first.
    async fn keys(&self, table: Table, model: &str) -> Result<Vec<String>, Error> {
        let folder = table.folder(self.use_case);
        let keys = self.listed(&folder, &format!("{folder}day={}", self.since)).await?;
        let of_model = format!("/model={model}/");
        Ok(keys.into_iter().filter(|key| key.contains(&of_model)).collect())
    }

    /// The keys that begin with `prefix` and come after `after`, in order.
    async fn listed(&self, prefix: &str, after: &str) -> Result<Vec<String>, Error> {
        let request = self.documents.client().list_objects_v2();
        let mut pages = request
            .bucket(self.documents.bucket())
            .prefix(prefix)
            .start_after(after)
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| Error::aws_call(format!("ListObjectsV2 {prefix}"), &error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|it| it.key));
        }
        Ok(keys)
    }

    /// A document; none when there is none, or it doesn't read.
    async fn document<T: DeserializeOwned>(&mut self, key: &str) -> Result<Option<T>, Error> {
        match self.documents.get::<T>(key).await {
            Ok(found) => Ok(found.map(|found| found.value)),
            Err(Error::Document { place, reason }) => {
                self.unreadable.push(Unreadable { uri: place, reason });
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The rows of files, in their order; those that don't read are told of.
    async fn files<T: DeserializeOwned>(&mut self, keys: Vec<String>) -> Result<Vec<Vec<T>>, Error> {
        let documents = self.documents;
        let reads = keys.into_iter().map(|key| async move {
            let bytes = documents.get_bytes(&key, None).await?;
            Ok::<_, Error>((key, bytes))
        });
        let files: Vec<_> = stream::iter(reads).buffered(READS).try_collect().await?;
        let mut rows = Vec::new();
        for (key, found) in files {
            // One that is gone since it was listed has been made again elsewhere.
            let Some((bytes, _)) = found else { continue };
            match parse(&key, &bytes) {
                Ok(some) => rows.push(some),
                Err(reason) => self.unreadable.push(Unreadable {
                    uri: places::uri(documents.bucket(), &key),
                    reason,
                }),
            }
        }
        Ok(rows)
    }
}

/// JSON lines, plain or gzip.
fn parse<T: DeserializeOwned>(key: &str, bytes: &[u8]) -> Result<Vec<T>, String> {
    let mut text = String::new();
    if key.ends_with(".gz") {
        let read = MultiGzDecoder::new(bytes).read_to_string(&mut text);
        read.map_err(|error| error.to_string())?;
    } else {
        text = String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())?;
    }
    text.lines()
        .enumerate()
        .map(|(number, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", number + 1)))
        .collect()
}

/// How far predictions were off, by window and champion.
fn errors<'a>(rows: impl Iterator<Item = &'a GroundTruthRow>) -> Vec<WindowErrors> {
    let mut sums: BTreeMap<(u64, String), (RunId, u64, [f64; 3])> = BTreeMap::new();
    for row in rows {
        let error = row.prediction - row.label;
        let entry = sums.entry((row.window, row.champion.to_string()));
        let (_, labels, sum) = entry.or_insert_with(|| (row.champion.clone(), 0, [0.0; 3]));
        *labels += 1;
        for (sum, value) in sum.iter_mut().zip([error * error, error.abs(), error]) {
            *sum += value;
        }
    }
    let means = sums.into_iter().map(|((window, _), (champion, labels, sum))| {
        // Far fewer than 2^53.
        #[allow(clippy::cast_precision_loss)]
        let [squares, absolute, signed] = sum.map(|sum| sum / labels as f64);
        WindowErrors {
            window,
            champion,
            labels,
            rmse: squares.sqrt(),
            mae: absolute,
            mean_error: signed,
        }
    });
    means.collect()
}

/// The last ones, and how many others there are.
fn newest(mut keys: Vec<String>, most: usize) -> (Vec<String>, usize) {
    let older = keys.len().saturating_sub(most);
    keys.drain(..older);
    (keys, older)
}

fn name_of(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
