//! Putting a batch together: the dropped file's rows with ids and predicted values.

use crate::error::Error;
use crate::outputs::{Output, Outputs};
use crate::parts::{Absent, Parts};
use crate::rules::{OfARow, of_a_row, suffices};
use crate::table::{Table, shown};
use contracts::Unreadable;
use contracts::scoring::{CombineJob, ScoringSummary};
use contracts::use_case::{self, WhenAModelFails};
use serde::Deserialize;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

const PROGRESS_ROWS: u64 = 100_000;
const REJECTS: &str = "rejects.csv";

/// Combines a batch. `input` holds the folders `data` (the dropped file), `rows`, `rejects`, `prepared` (a summary, and
/// the file converted to plain CSV if it is not that already) and `scores`. The folders `scored` and `capture` are
/// written below `output`, with the summary last.
///
/// # Errors
/// [`Error`]; nothing is left in `output` then.
pub fn merge(job: &CombineJob, input: &Path, output: &Path) -> Result<ScoringSummary, Error> {
    let prepared = Prepared::read(&input.join("prepared/summary.json"))?;
    let folder = if prepared.plain { "data" } else { "prepared" };
    let dropped = input.join(folder).join(&prepared.file);
    let mut outputs = Outputs::new(output);
    let parts = Parts::read(&input.join("rows"))?;
    let mut absent = Absent::read(job, &input.join("scores"))?;
    let mut batch = Batch {
        // Positioned at the header.
        dropped: Table::open(&dropped, prepared.file.clone())?,
        rows: parts.rows()?,
        rejects: Table::open(&input.join("rejects").join(REJECTS), "rejects/rejects.csv".to_owned())?,
        scored: outputs.csv(&format!("scored/{}", scored_name(&prepared.file)))?,
        models: models(job, &input.join("scores"), &parts, &mut absent, &mut outputs)?,
        rule: Box::new(|_| f64::NAN),
        job,
    };
    let names: Vec<&str> = batch.models.iter().map(|model| model.name.as_str()).collect();
    batch.rule = rule(job, &names, &absent)?;
    let counts = batch.run()?;
    prepared.confirm(&counts)?;
    let summary = ScoringSummary {
        run_id: job.run_id.clone(),
        file: prepared.file,
        rows: counts.scored + counts.rejected,
        scored: counts.scored,
        rejected: counts.rejected,
        reasons: prepared.reasons,
        unreadable: prepared.unreadable,
        models: batch
            .models
            .iter()
            .filter_map(|model| Some((model.name.clone(), job.models.get(&model.name)?.version.clone())))
            .collect(),
        absent: absent.names(),
        absent_because: absent.because,
    };
    batch.finish()?;
    if counts.rejected > 0 {
        outputs.copy(&input.join("rejects").join(REJECTS), &format!("scored/{REJECTS}"))?;
    }
    // Maps of numbers and texts can always be written as JSON.
    let text = serde_json::to_string_pretty(&summary).unwrap_or_default();
    outputs.write("scored/summary.json", &(text + "\n"))?;
    outputs.finish()?;
    Ok(summary)
}

/// Name of the scored file. A person may correct the rejects and drop the file again.
fn scored_name(file: &str) -> String {
    if file.eq_ignore_ascii_case(REJECTS) {
        format!("scored-{file}")
    } else {
        file.to_owned()
    }
}

/// The summary that `prepare_scoring.py` writes.
#[derive(Deserialize)]
struct Prepared {
    rows: u64,
    usable: u64,
    rejected: u64,
    reasons: Vec<(String, u64)>,
    file: String,
    /// Whether the dropped file is plain CSV; otherwise Prepare has written a plain CSV version next to the summary.
    #[serde(default = "yes")]
    plain: bool,
    #[serde(default)]
    unreadable: Vec<Unreadable>,
}

fn yes() -> bool {
    true
}

impl Prepared {
    fn read(path: &Path) -> Result<Self, Error> {
        const NAME: &str = "prepared/summary.json";
        let text = fs::read(path).map_err(|error| Error::InputMissing(format!("{NAME} can't be read: {error}")))?;
        let prepared: Self = serde_json::from_slice(&text).map_err(|error| Error::unreadable(NAME, &error))?;
        // It is used as part of a path.
        if Path::new(&prepared.file).file_name() == Some(prepared.file.as_ref()) {
            Ok(prepared)
        } else {
            Err(Error::unreadable(
                NAME,
                &format!("`{}` is not the name of a file", prepared.file),
            ))
        }
    }

    fn confirm(&self, found: &Counts) -> Result<(), Error> {
        let Counts { scored, rejected } = *found;
        if (self.rows, self.usable, self.rejected) == (scored + rejected, scored, rejected) {
            return Ok(());
        }
        Err(Error::RowsMismatch(format!(
            "{} has {scored} rows to score and {rejected} set aside; Prepare counted {} and {} of {}",
            self.file, self.usable, self.rejected, self.rows
        )))
    }
}

/// The models that answered, ordered by name, which is also the order in which real time combines them.
fn models(
    job: &CombineJob,
    folder: &Path,
    parts: &Parts,
    absent: &mut Absent,
    outputs: &mut Outputs,
) -> Result<Vec<Answers>, Error> {
    let mut models = Vec::new();
    for (name, champion) in &job.models {
        // Answers that a job has written before it failed don't count.
        if absent.has(name) {
            continue;
        }
        let table = match parts.scores(&folder.join(name), name)? {
            Ok(table) => table,
            Err(lacking) => {
                absent.add(name, format!("there is no {lacking}: look at its transform job"));
                continue;
            }
        };
        let capture = format!("capture/{}/batch/{}.csv", champion.endpoint_config, job.run_id);
        models.push(Answers {
            name: name.clone(),
            table,
            capture: outputs.csv(&capture)?,
        });
    }
    Ok(models)
}

fn rule(job: &CombineJob, models: &[&str], absent: &Absent) -> Result<OfARow, Error> {
    let document = &job.document;
    if models.is_empty() || !suffices(document, |name| models.contains(&name)) {
        // A rule may require one particular model.
        let needed = match (&document.prediction.combine, document.prediction.when_a_model_fails) {
            (contracts::use_case::Combine::Model { model }, WhenAModelFails::Answer) => absent.told(model),
            _ => {
                let told: Vec<String> = absent.names().iter().map(|model| absent.told(model)).collect();
                told.join(", ")
            }
        };
        return Err(Error::ModelMissing(needed));
    }
    of_a_row(&document.prediction.combine, models).ok_or(Error::RuleUnsupported)
}

/// One model's answers: row id, carried columns, prediction.
struct Answers {
    name: String,
    table: Table,
    capture: Output,
}

impl Answers {
    /// The value that is the answer to a row.
    fn value(&self, id: &str, fields: usize) -> Result<f64, Error> {
        let invalid = |problem: String| Error::ScoresInvalid {
            place: self.table.place(),
            problem,
        };
        let Some(record) = self.table.record() else {
            return Err(invalid(format!("there is no answer to row `{id}`")));
        };
        let found = self.table.key().unwrap_or_default();
        if found != id.as_bytes() {
            let found = shown(found);
            return Err(invalid(format!(
                "row `{id}` is due, and it answers `{found}`: an answer is missing, doubled or foreign"
            )));
        }
        if record.len() != fields {
            let problem = format!(
                "the answer to row `{id}` has {} fields instead of {fields}",
                record.len()
            );
            return Err(invalid(problem));
        }
        let text = String::from_utf8_lossy(self.text());
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(invalid(format!(
                "the answer to row `{id}` is not a finite number: `{}`",
                shown(text.as_bytes())
            ))),
        }
    }

    /// The answer's text, as the model wrote it.
    fn text(&self) -> &[u8] {
        let last = self.table.record().and_then(|record| record.iter().next_back());
        last.unwrap_or_default().trim_ascii()
    }
}

struct Counts {
    scored: u64,
    rejected: u64,
}

/// All tables that are read or written row by row.
struct Batch<'a> {
    job: &'a CombineJob,
    dropped: Table,
    rows: Table,
    rejects: Table,
    models: Vec<Answers>,
    rule: OfARow,
    scored: Output,
}

impl Batch<'_> {
    fn run(&mut self) -> Result<Counts, Error> {
        self.headers()?;
        self.dropped.advance()?;
        self.rejects.advance()?;
        let mut counts = Counts { scored: 0, rejected: 0 };
        let (mut id, mut number) = (String::new(), String::new());
        while self.dropped.record().is_some() {
            let row = counts.scored + counts.rejected;
            id.clear();
            number.clear();
            // Writing into a string never fails.
            let _ = write!(number, "{row}");
            let _ = write!(id, "{}#{row}", self.job.run_id);
            if self.rows.key() == Some(id.as_bytes()) {
                self.row(&id)?;
                counts.scored += 1;
            } else if self.rejects.key() == Some(number.as_bytes()) {
                self.rejects.advance()?;
                counts.rejected += 1;
            } else {
                return Err(Error::RowsMismatch(format!(
                    "row `{id}` of {} is neither to be scored, where {} is next, nor set aside, where {} is next",
                    self.dropped.name(),
                    self.rows.shown(),
                    self.rejects.shown()
                )));
            }
            self.dropped.advance()?;
            if (row + 1).is_multiple_of(PROGRESS_ROWS) {
                println!("combined {} rows, {} of them set aside", row + 1, counts.rejected);
            }
        }
        self.all_read()?;
        Ok(counts)
    }

    fn headers(&mut self) -> Result<(), Error> {
        let document = &self.job.document;
        let models = self.models.iter().map(|model| model.name.as_str());
        let added = use_case::added_columns(models, &document.target.name);
        let dropped = self.dropped.record().into_iter().flatten();
        self.scored.record(dropped.chain(added.iter().map(String::as_bytes)))?;
        let columns = document.schema.columns.iter().map(|column| column.name.as_bytes());
        for model in &mut self.models {
            let header = [&b"id"[..]].into_iter().chain(columns.clone());
            model.capture.record(header.chain([&b"prediction"[..]]))?;
        }
        Ok(())
    }

    /// Processes a row to score, at which the dropped file, the prepared rows and every model's answers are positioned.
    fn row(&mut self, id: &str) -> Result<(), Error> {
        let document = &self.job.document;
        let (carried, columns) = (document.scoring.carry.len(), document.schema.columns.len());
        let prepared = self.rows.record().map_or(0, csv::ByteRecord::len);
        if prepared != 1 + carried + columns {
            return Err(Error::RowsMismatch(format!(
                "row `{id}` has {prepared} fields ({}) instead of id, {carried} carried and {columns} raw columns",
                self.rows.place()
            )));
        }
        let mut values = Vec::with_capacity(self.models.len());
        for model in &self.models {
            values.push(model.value(id, 2 + carried)?);
        }
        let combined = (self.rule)(&values);
        if !combined.is_finite() {
            return Err(Error::ScoresInvalid {
                place: self.rows.place(),
                problem: format!("the combined value of row `{id}` is not a finite number"),
            });
        }
        let combined = number_text(combined);
        let dropped = self.dropped.record().into_iter().flatten();
        let answers = self.models.iter().map(Answers::text);
        let fields = dropped.chain([id.as_bytes()]).chain(answers);
        self.scored.record(fields.chain([combined.as_bytes()]))?;
        for model in &mut self.models {
            let raw = self.rows.record().into_iter().flatten().skip(1 + carried);
            let last = model.table.record().and_then(|record| record.iter().next_back());
            let answer = last.unwrap_or_default().trim_ascii();
            model
                .capture
                .record([id.as_bytes()].into_iter().chain(raw).chain([answer]))?;
            model.table.advance()?;
        }
        self.rows.advance()
    }

    fn all_read(&self) -> Result<(), Error> {
        for (table, what) in [(&self.rows, "to be scored"), (&self.rejects, "set aside")] {
            if table.record().is_some() {
                let text = format!("{} is {what}, and the dropped file has no such row", table.shown());
                return Err(Error::RowsMismatch(text));
            }
        }
        match self.models.iter().find(|model| model.table.record().is_some()) {
            Some(model) => Err(Error::ScoresInvalid {
                place: model.table.place(),
                problem: format!(
                    "every row has its answer, and it answers `{}`: doubled or foreign",
                    shown(model.table.key().unwrap_or_default())
                ),
            }),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<(), Error> {
        self.scored.finish()?;
        self.models.into_iter().try_for_each(|model| model.capture.finish())
    }
}

/// The shortest text that parses to the same number: `13000.5`, `13000`, `1e300`.
fn number_text(number: f64) -> String {
    let text = format!("{number:?}");
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}
