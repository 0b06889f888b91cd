//! Reads files into profiles: formats, compression, threads.

mod blocks;
mod capture;
mod cells;
mod csv;
mod detect;
mod engine;
mod error;
mod files;
mod json_lines;
mod options;
mod parquet;
mod records;
mod segments;
mod table;
mod text;
mod tokens;

pub use error::Error;
pub use options::{Format, Options, OutputPosition, Source};
pub use records::{Place, Record, records};

use crate::profile::Profile;
use blocks::{Block, Blocks, Records};
use error::no_rows;
use options::segment_column;
use std::path::{Path, PathBuf};

/// The files that are read for a path: the file itself, or all files in the folder, by name.
///
/// # Errors
/// There is none.
pub fn files(path: &Path) -> Result<Vec<PathBuf>, Error> {
    files::list(path)
}

/// A whole file, decompressed, for data that is kept in memory.
///
/// # Errors
/// It can't be read or decompressed.
pub fn bytes(path: &Path) -> Result<Vec<u8>, Error> {
    blocks::bytes(path)
}

/// Reads all data in a single pass.
///
/// # Errors
/// There is nothing to read, a file can't be read, or its format is invalid in a place where no row can be
/// left out.
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

/// Sorts the columns from `first` on by name, so that the order doesn't depend on when late keys came.
fn sort_columns(profile: &mut Profile, first: usize) {
    let late = profile.columns.get_mut(first..).unwrap_or_default();
    late.sort_by(|a, b| a.name.cmp(&b.name));
    for segment in profile.segments.iter_mut().flat_map(|it| it.profiles.values_mut()) {
        sort_columns(segment, first);
    }
}

/// The error if no line could be read, with the first reason, if there is one.
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
