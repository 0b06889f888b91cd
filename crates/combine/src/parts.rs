//! The files of a batch: the prepared rows in parts, each model's answers to them, and the reasons why a model has
//! none.

use crate::error::Error;
use crate::table::{Part, Table};
use contracts::Failure;
use contracts::scoring::{CombineJob, OUTCOMES, Outcome};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The suffix that a transform job appends to the name of each file.
const SCORED_SUFFIX: &str = ".out";
/// Maximum length of a reason in characters, so that an exit message has room for those of several models.
const REASON_CHARACTERS: usize = 250;

/// The files with the prepared rows, in the order of the rows.
pub struct Parts {
    folder: PathBuf,
    names: Vec<String>,
}

impl Parts {
    /// Lists the files of a folder.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let unreadable = |error: &std::io::Error| Error::InputMissing(format!("rows/ can't be read: {error}"));
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).map_err(|error| unreadable(&error))? {
            let name = entry.map_err(|error| unreadable(&error))?.file_name();
            names.extend(name.into_string().ok().filter(|name| name.ends_with(".csv")));
        }
        // Their names contain numbers with leading zeros.
        names.sort_unstable();
        Ok(Self {
            folder: folder.to_owned(),
            names,
        })
    }

    /// The prepared rows as a table.
    pub fn rows(&self) -> Result<Table, Error> {
        let mut files = self
            .names
            .iter()
            .map(|name| (self.folder.join(name), format!("rows/{name}")));
        let Some((path, name)) = files.next() else {
            return Err(Error::InputMissing("there is no file in rows/".to_owned()));
        };
        Table::open_parts(&path, name, files.collect())
    }

    /// A model's answers to all rows, or the name of the first missing file.
    pub fn scores(&self, folder: &Path, model: &str) -> Result<Result<Table, String>, Error> {
        let files: Vec<Part> = self
            .names
            .iter()
            .map(|name| {
                let scored = format!("{name}{SCORED_SUFFIX}");
                (folder.join(&scored), format!("scores/{model}/{scored}"))
            })
            .collect();
        if let Some((_, lacking)) = files.iter().find(|(path, _)| !path.exists()) {
            return Ok(Err(lacking.clone()));
        }
        let mut files = files.into_iter();
        let Some((path, name)) = files.next() else {
            return Err(Error::InputMissing("there is no file in rows/".to_owned()));
        };
        Table::open_parts(&path, name, files.collect()).map(Ok)
    }
}

/// The document's models that don't take part, and why.
pub struct Absent {
    order: Vec<String>,
    /// The reasons, by model.
    pub because: BTreeMap<String, String>,
}

impl Absent {
    /// Finds the models without a champion, and those whose job has failed according to the outcomes that the machine
    /// has written next to the answers.
    pub fn read(job: &CombineJob, scores: &Path) -> Result<Self, Error> {
        let mut absent = Self {
            order: job.document.models.iter().map(|model| model.name.clone()).collect(),
            because: BTreeMap::new(),
        };
        for model in &absent.order {
            if !job.models.contains_key(model) {
                let reason = "it had no champion for these columns when the run began";
                absent.because.insert(model.clone(), reason.to_owned());
            }
        }
        let path = scores.join(OUTCOMES);
        if !path.exists() {
            return Ok(absent);
        }
        let name = format!("scores/{OUTCOMES}");
        let text = fs::read(&path).map_err(|error| Error::unreadable(&name, &error))?;
        let outcomes: Vec<Outcome> = serde_json::from_slice(&text).map_err(|error| Error::unreadable(&name, &error))?;
        for outcome in outcomes {
            if let Some(caught) = outcome.error {
                let failure = Failure::readable(&caught.error, &caught.cause);
                absent.add(&outcome.model, failure.cause);
            }
        }
        Ok(absent)
    }

    /// Adds a model.
    pub fn add(&mut self, model: &str, reason: String) {
        eprintln!("{model} takes no part: {reason}");
        self.because.insert(model.to_owned(), reason);
    }

    /// Whether a model doesn't take part.
    pub fn has(&self, model: &str) -> bool {
        self.because.contains_key(model)
    }

    /// The models, in the document's order.
    pub fn names(&self) -> Vec<String> {
        self.order.iter().filter(|model| self.has(model)).cloned().collect()
    }

    /// A model with its reason, for use in a message.
    pub fn told(&self, model: &str) -> String {
        let reason = self.because.get(model).map_or("", String::as_str);
        match reason.char_indices().nth(REASON_CHARACTERS) {
            _ if reason.is_empty() => format!("`{model}`"),
            Some((end, _)) => format!("`{model}` ({}…)", &reason[..end]),
            None => format!("`{model}` ({reason})"),
        }
    }
}
