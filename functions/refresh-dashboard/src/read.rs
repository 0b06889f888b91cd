//! What the dashboard is made of: champions, their history, and the reported rows of the last months.

use contracts::places::{self, Table};
use contracts::reporting::{DriftRow, GroundTruthRow, RunRow, day};
use contracts::{Champion, RunId, UseCase};
use flate2::read::MultiGzDecoder;
use futures::{StreamExt, TryStreamExt, stream};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use platform::{Documents, Error, Listed};
use report::dashboard::{Dashboard, Model, Unreadable, WindowErrors};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};

/// How far back the page shows.
const DAYS: u32 = 90;
/// Most windows of a model: what the page can show without getting large.
const WINDOWS: usize = 200;
/// Most bytes of a model's windows: with very many columns it is fewer windows.
const WINDOW_BYTES: u64 = 64 << 20;
/// Most monitoring runs: there are a hundred a day, and the windows tell of them.
const MONITORING_RUNS: usize = 300;
/// Most other runs.
const RUNS: usize = 600;
/// Most former champions of a model.
const CHAMPIONS: usize = 50;
/// Reads at the same time.
const READS: usize = 16;

/// Everything that the page shows of a use case.
///
/// # Errors
/// A call of AWS failed.
pub(crate) async fn dashboard(
    documents: &Documents,
    stack: &str,
    document: &UseCase,
    now: Timestamp,
) -> Result<Dashboard, Error> {
    let since = now - SignedDuration::from_hours(24 * i64::from(DAYS));
    let mut reader = Reader {
        documents,
        use_case: &document.use_case,
        since: day(since),
        unreadable: Vec::new(),
    };
    let drift = reader.reported(Table::Drift).await?;
    let truths = reader.reported(Table::GroundTruth).await?;
    let mut models = Vec::new();
    for model in &document.models {
        models.push(reader.model(&model.name, &drift, &truths).await?);
    }
    let runs = reader.runs(document).await?;
    Ok(Dashboard {
        stack: stack.to_owned(),
        use_case: document.use_case.clone(),
        description: document.description.clone().unwrap_or_default(),
        target: document.target.name.clone(),
        generated_at: now,
        days: DAYS,
        models,
        runs,
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
    async fn model(&mut self, name: &str, drift: &[Listed], truths: &[Listed]) -> Result<Model, Error> {
        let champion = places::use_case::champion(self.use_case, name);
        let champion: Option<Champion> = self.document(&champion).await?;
        let history = places::use_case::histories(self.use_case, name);
        let history = self.documents.listed(&history, Some(&history)).await?;
        let (former, _) = newest(history, CHAMPIONS, u64::MAX);
        let mut champions = Vec::new();
        for object in former {
            champions.extend(self.document(&object.key).await?);
        }
        let (windows, older) = newest(of_model(drift, name), WINDOWS, WINDOW_BYTES);
        let rows = self.files(windows, |row: DriftRow, rows: &mut Vec<DriftRow>| rows.push(row));
        let rows: Vec<DriftRow> = rows.await?.into_iter().flatten().collect();
        let (joined, _) = newest(of_model(truths, name), WINDOWS, u64::MAX);
        // Added up as they are read: a window may have more labels than fit into memory with those of all others.
        let sums = self
            .files(joined, |row: GroundTruthRow, sums: &mut Sums| sums.add(&row))
            .await?;
        Ok(Model {
            name: name.to_owned(),
            champion,
            history: champions,
            drift: rows,
            errors: sums.into_iter().flat_map(Sums::errors).collect(),
            older_windows: older as u64,
        })
    }

    /// The newest runs. Monitoring runs have their own measure, lest they leave no place for the others.
    async fn runs(&mut self, document: &UseCase) -> Result<Vec<RunRow>, Error> {
        let mut watching = BTreeSet::new();
        for model in &document.models {
            let folder = places::use_case::monitoring(self.use_case, &model.name);
            // Run ids begin with their day.
            let after = format!("{folder}{}", self.since.strftime("%Y%m%d"));
            watching.extend(self.documents.folders(&folder, Some(&after)).await?);
        }
        let mut all = self.reported(Table::Runs).await?;
        all.sort_by(|one, other| name_of(&one.key).cmp(name_of(&other.key)));
        let (watches, others): (Vec<_>, Vec<_>) = all
            .into_iter()
            .partition(|object| watching.contains(name_of(&object.key).trim_end_matches(".jsonl")));
        let mut keys = newest(watches, MONITORING_RUNS, u64::MAX).0;
        keys.extend(newest(others, RUNS, u64::MAX).0);
        let rows = self.files(keys, |row: RunRow, rows: &mut Vec<RunRow>| rows.push(row));
        Ok(rows.await?.into_iter().flatten().collect())
    }

    /// The reported files of a table, the oldest first.
    async fn reported(&self, table: Table) -> Result<Vec<Listed>, Error> {
        let folder = table.folder(self.use_case);
        let after = format!("{folder}day={}", self.since);
        self.documents.listed(&folder, Some(&after)).await
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

    /// What `add` makes of the rows of each file, in their order; files that don't read are told of, and nothing of
    /// them is kept.
    async fn files<T: DeserializeOwned, Made: Default>(
        &mut self,
        objects: Vec<Listed>,
        add: impl Fn(T, &mut Made) + Copy,
    ) -> Result<Vec<Made>, Error> {
        let documents = self.documents;
        let reads = objects.into_iter().map(|object| async move {
            let found = documents.get_bytes(&object.key, None).await?;
            // One that is gone since it was listed has been made again elsewhere.
            let made = found.map(|(bytes, _)| parse(&object.key, &bytes, add));
            Ok::<_, Error>((object.key, made))
        });
        let mut all = Vec::new();
        let mut files = std::pin::pin!(stream::iter(reads).buffered(READS));
        while let Some((key, made)) = files.try_next().await? {
            match made {
                Some(Ok(made)) => all.push(made),
                Some(Err(reason)) => self.unreadable.push(Unreadable {
                    uri: places::uri(documents.bucket(), &key),
                    reason,
                }),
                None => {}
            }
        }
        Ok(all)
    }
}

/// JSON lines, plain or gzip.
fn parse<T: DeserializeOwned, Made: Default>(
    key: &str,
    bytes: &[u8],
    add: impl Fn(T, &mut Made),
) -> Result<Made, String> {
    let lines: Box<dyn BufRead> = if key.ends_with(".gz") {
        Box::new(BufReader::new(MultiGzDecoder::new(bytes)))
    } else {
        Box::new(bytes)
    };
    let mut made = Made::default();
    for (number, line) in lines.lines().enumerate() {
        let line = line.map_err(|error| error.to_string())?;
        let row = serde_json::from_str(&line).map_err(|error| format!("line {}: {error}", number + 1))?;
        add(row, &mut made);
    }
    Ok(made)
}

/// Errors added up, by window and champion: labels, and the sums of squares, sizes and differences.
#[derive(Default)]
struct Sums(BTreeMap<(u64, RunId), (u64, [f64; 3])>);

impl Sums {
    fn add(&mut self, row: &GroundTruthRow) {
        let error = row.prediction - row.label;
        let (labels, sums) = self.0.entry((row.window, row.champion.clone())).or_default();
        *labels += 1;
        for (sum, value) in sums.iter_mut().zip([error * error, error.abs(), error]) {
            *sum += value;
        }
    }

    fn errors(self) -> impl Iterator<Item = WindowErrors> {
        self.0.into_iter().map(|((window, champion), (labels, sums))| {
            let [squares, sizes, differences] = sums.map(|sum| sum / labels as f64);
            WindowErrors {
                window,
                champion,
                labels,
                rmse: squares.sqrt(),
                mae: sizes,
                mean_error: differences,
            }
        })
    }
}

/// The last ones, as many as are wanted and no more bytes than that, and how many others there are.
fn newest(mut objects: Vec<Listed>, most: usize, most_bytes: u64) -> (Vec<Listed>, usize) {
    let mut bytes = 0u64;
    let fits = |object: &&Listed| {
        bytes = bytes.saturating_add(object.bytes);
        bytes <= most_bytes
    };
    let kept = objects.iter().rev().take(most).take_while(fits).count();
    let older = objects.len() - kept;
    objects.drain(..older);
    (objects, older)
}

fn of_model(objects: &[Listed], model: &str) -> Vec<Listed> {
    let part = format!("/model={model}/");
    objects
        .iter()
        .filter(|object| object.key.contains(&part))
        .cloned()
        .collect()
}

fn name_of(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}
