//! Files to profiles: formats, compression, threads.

mod blocks;
mod capture;
mod cells;
mod csv;
mod detect;
mod engine;
mod error;
mod files;
mod json_lines;
mod parquet;
mod records;
mod segments;
mod text;
mod tokens;

pub use capture::OutputPosition;
pub use error::Error;
pub use records::{Place, Record, records};
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
    /// JSON lines: one object a line.
    JsonLines,
    /// What SageMaker captures of an endpoint or of batch transform, and what is merged with ground truth.
    Capture {
        /// The parts of a line that are read: `endpointInput`, `endpointOutput`, `batchTransformInput`,
        /// `batchTransformOutput`.
        index_names: Vec<String>,
        /// Whether the columns of the output come before or after those of the input.
        output_position: OutputPosition,
        /// The columns' names, by position. `None`: those of [`Options::names`], or `_c0` and so on.
        names: Option<Vec<String>>,
    },
    /// Parquet.
    Parquet,
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
    /// Bytes of a block, where it is not the reference's 4 MiB. Figures depend on it in their last digits, so it is
    /// for tests, which see the seams of blocks in small files.
    pub block: Option<NonZero<usize>>,
    /// Told the bytes read and the bytes in all, now and then.
    pub on_progress: Option<&'a (dyn Fn(u64, u64) + Sync)>,
}

/// The files that are read of a path: itself, or all in the folder, by name.
///
/// # Errors
/// There is none.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    files::list(path)
}

/// A whole file, decompressed: for what is kept in memory anyway.
///
/// # Errors
/// It can't be read or decompressed.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    blocks::bytes(path)
}

/// Reads everything once.
///
/// # Errors
/// Nothing is there to read, a file can't be read, or its form is broken where no row can be left out.
pub fn profile(source: &Source, options: &Options<'_>) -> Result<Profile, Error> {
    let files = files::list(&source.path)?;
    match &source.format {
        Format::Csv { header, delimiter } => csv_profile(&files, *header, *delimiter, options),
        Format::JsonLines => json_lines_profile(&files, options),
        Format::Capture {
            index_names,
            output_position,
            names,
        } => {
            let names = names.as_ref().or(options.names.as_ref());
            capture_profile(&files, index_names, *output_position, names.map(Vec::as_slice), options)
        }
        Format::Parquet => parquet::profile(&files, options),
    }
}

fn json_lines_profile(files: &[PathBuf], options: &Options<'_>) -> Result<Profile, Error> {
    let mut blocks = Blocks::new(files.to_vec(), Records::Lines).of(options.block);
    let Some(first) = blocks.next(Block::default())? else {
        return Err(no_rows(files));
    };
    let names = json_lines::first_columns(&first);
    let empty = Profile::new(names.iter().map(|name| (name.clone(), options.expected_of(name))));
    let parser = json_lines::JsonLines {
        files: files.to_vec(),
        late: json_lines::Late::new(&options.expected),
        segment: segment_column(&names, options, files.first().map(PathBuf::as_path))?,
    };
    let mut profile = engine::run(blocks, Some(first), &parser, &empty, options)?;
    if profile.rows == 0 {
        return Err(no_readable_rows(files, &profile, "one JSON object a line"));
    }
    sort_columns(&mut profile, 0);
    Ok(profile)
}

fn capture_profile(
    files: &[PathBuf],
    index_names: &[String],
    output_position: OutputPosition,
    names: Option<&[String]>,
    options: &Options<'_>,
) -> Result<Profile, Error> {
    let mut blocks = Blocks::new(files.to_vec(), Records::Lines).of(options.block);
    let Some(first) = blocks.next(Block::default())? else {
        return Err(no_rows(files));
    };
    let (layout, names) = capture::layout(&first, index_names, output_position, names);
    let empty = Profile::new(names.iter().map(|name| (name.clone(), options.expected_of(name))));
    let parser = capture::Capture {
        files: files.to_vec(),
        index_names: index_names.to_vec(),
        layout,
        late: json_lines::Late::new(&options.expected),
        segment: segment_column(&names, options, files.first().map(PathBuf::as_path))?,
    };
    let mut profile = engine::run(blocks, Some(first), &parser, &empty, options)?;
    if profile.rows == 0 {
        return Err(no_readable_rows(files, &profile, "one captured record a line"));
    }
    sort_columns(&mut profile, names.len());
    Ok(profile)
}

/// Columns by name from `first` on: keys that came late, at one time or another, have one order.
fn sort_columns(profile: &mut Profile, first: usize) {
    let late = profile.columns.get_mut(first..).unwrap_or_default();
    late.sort_by(|a, b| a.name.cmp(&b.name));
    for segment in profile.segments.iter_mut().flat_map(|it| it.profiles.values_mut()) {
        sort_columns(segment, first);
    }
}

/// No line could be read: the first reason, if there is one.
fn no_readable_rows(files: &[PathBuf], profile: &Profile, expected: &str) -> Error {
    let unreadable = profile.notes.iter().find(|(it, ..)| it.skips());
    match unreadable {
        Some((_, count, first)) => Error::NoData(format!(
            "none of the {count} lines can be read, where {expected} is expected; the first: {first}"
        )),
        None => no_rows(files),
    }
}

fn csv_profile(files: &[PathBuf], header: bool, delimiter: u8, options: &Options<'_>) -> Result<Profile, Error> {
    let mut blocks = Blocks::new(files.to_vec(), Records::Csv { delimiter }).of(options.block);
    let Some(first) = blocks.next(Block::default())? else {
        return Err(no_rows(files));
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
        files: files.to_vec(),
        delimiter,
        header,
        names,
        segment,
    };
    let profile = engine::run(blocks, Some(first), &parser, &empty, options)?;
    if profile.rows == 0 {
        return Err(no_rows(files));
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
