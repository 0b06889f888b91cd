//! Files to profiles: formats, compression, threads.

mod blocks;
mod csv;
mod engine;
mod error;
mod files;
mod segments;
mod text;
mod tokens;

pub use error::Error;
pub use tokens::unquoted;

use crate::profile::{Expected, Profile};
use blocks::{Block, Blocks, Records};
use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How data is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV.
    Csv {
        /// Whether each file begins with the names of the columns.
        header: bool,
        /// Between fields: `,` in the contract.
        delimiter: u8,
    },
}

/// What is to be read, and how.
#[derive(Clone, Debug)]
pub struct Source {
    /// A file, or a folder with all that is in it.
    pub path: PathBuf,
    /// How it is written down.
    pub format: Format,
}

/// What is wanted of it.
#[derive(Clone, Default)]
pub struct Options<'a> {
    /// As many as there are cores where it is `None`.
    pub threads: Option<NonZero<usize>>,
    /// The column whose values make segments.
    pub segment: Option<String>,
    /// The columns' names where the data has none: those of the baseline.
    pub names: Option<Vec<String>>,
    /// What the baseline says of columns.
    pub expected: BTreeMap<String, Expected>,
    /// Told the bytes read and the bytes in all, now and then.
    pub on_progress: Option<&'a (dyn Fn(u64, u64) + Sync)>,
}

/// Reads everything once.
///
/// # Errors
/// Nothing is there to read, a file can't be read, or its form is broken where no row can be left out.
pub fn profile(source: &Source, options: &Options<'_>) -> Result<Profile, Error> {
    let files = files::list(&source.path)?;
    match source.format {
        Format::Csv { header, delimiter } => csv_profile(files, header, delimiter, options),
    }
}

fn csv_profile(files: Vec<PathBuf>, header: bool, delimiter: u8, options: &Options<'_>) -> Result<Profile, Error> {
    let mut blocks = Blocks::new(files.clone(), Records::Csv { delimiter });
    let Some(first) = blocks.next(Block::default())? else {
        return Err(no_rows(&files));
    };
    let names = if header {
        csv::header(&first, delimiter)
    } else {
        let count = csv::first_record(&first, delimiter).len();
        let unnamed = (0..count).map(|at| format!("_c{at}"));
        let known = options.names.iter().flatten().cloned();
        known
            .take(count)
            .chain(unnamed.skip(options.names.as_ref().map_or(0, Vec::len)))
            .collect()
    };
    let segment = segment_column(&names, options, files.first().map(PathBuf::as_path))?;
    let empty = Profile::new(names.iter().map(|name| (name.clone(), options.expected_of(name))));
    let parser = csv::Csv {
        files: files.clone(),
        delimiter,
        header,
        names,
        segment,
    };
    let profile = engine::run(blocks, Some(first), &parser, &empty, options)?;
    if profile.rows == 0 {
        return Err(no_rows(&files));
    }
    Ok(profile)
}

fn segment_column(names: &[String], options: &Options<'_>, path: Option<&Path>) -> Result<Option<usize>, Error> {
    let Some(wanted) = &options.segment else {
        return Ok(None);
    };
    match names.iter().position(|it| it == wanted) {
        Some(at) => Ok(Some(at)),
        None => Err(Error::File {
            path: path.unwrap_or(Path::new("")).to_owned(),
            what: format!(
                "there is no column `{wanted}` to make segments of; there are: {}",
                names.join(", ")
            ),
        }),
    }
}

fn no_rows(files: &[PathBuf]) -> Error {
    let names: Vec<_> = files.iter().take(5).map(|it| it.display().to_string()).collect();
    Error::NoData(format!("there is no row to analyse in {}", names.join(", ")))
}

impl Options<'_> {
    fn expected_of(&self, name: &str) -> Expected {
        self.expected.get(name).cloned().unwrap_or_default()
    }
}

/// Tells how far reading is.
#[derive(Default)]
struct Progress<'a> {
    told: Option<&'a (dyn Fn(u64, u64) + Sync)>,
    read: Arc<AtomicU64>,
    total: u64,
}

impl<'a> Progress<'a> {
    fn new(told: Option<&'a (dyn Fn(u64, u64) + Sync)>, total: u64, read: Arc<AtomicU64>) -> Self {
        Self { told, read, total }
    }

    fn tick(&self) {
        if let Some(told) = self.told {
            told(self.read.load(Ordering::Relaxed), self.total);
        }
    }
}
