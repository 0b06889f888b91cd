//! The arguments that select data, and reading it with progress.

use super::{Result, terminal};
use crate::analysis::Error;
use crate::profile::Profile;
use crate::read::{self, Format, Options, Source};
use clap::{Args, ValueEnum};
use std::num::NonZero;
use std::path::{Path, PathBuf};

/// Format of the data, and how it is read.
#[derive(Args, Clone, Debug)]
pub struct How {
    /// Format of the files; detected from their names and first bytes if not given
    #[arg(long, value_enum, help_heading = "Data")]
    format: Option<Kind>,
    /// CSV: the first line is data; columns are called _c0, _c1, …
    #[arg(long, help_heading = "Data")]
    no_header: bool,
    /// CSV: the field separator, one character or `\t`
    #[arg(long, value_name = "CHARACTER", help_heading = "Data")]
    delimiter: Option<String>,
    /// Number of threads; as many as there are cores if not given
    #[arg(long, value_name = "NUMBER", help_heading = "Data")]
    threads: Option<NonZero<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// With or without header, also gzip and zstd
    Csv,
    /// One JSON object on each line
    JsonLines,
    /// Data captured by SageMaker from endpoints and batch transform
    Capture,
    /// Columns of plain values only
    Parquet,
}

impl How {
    /// The data at a path.
    ///
    /// # Errors
    /// There is none, or an argument is invalid for it.
    pub fn source(&self, path: &Path) -> Result<Source> {
        let guessed = Format::detect(path)?;
        let mut format = match self.format {
            None => guessed,
            Some(Kind::JsonLines) => Format::JsonLines,
            Some(Kind::Capture) => Format::captured(),
            Some(Kind::Parquet) => Format::Parquet,
            Some(Kind::Csv) => match guessed {
                csv @ Format::Csv { .. } => csv,
                _ => Format::Csv {
                    header: true,
                    delimiter: b',',
                },
            },
        };
        if let Format::Csv { header, delimiter } = &mut format {
            *header = !self.no_header;
            match self.delimiter.as_deref() {
                None => {}
                Some("\\t") => *delimiter = b'\t',
                Some(text) => match text.as_bytes() {
                    [byte] if !matches!(byte, b'"' | b'\n' | b'\r') => *delimiter = *byte,
                    _ => {
                        return Err(Error::Unusable(format!(
                            "--delimiter is `{text}`, which is not one plain character"
                        )));
                    }
                },
            }
        }
        Ok(Source {
            path: path.to_owned(),
            format,
        })
    }

    /// The options for reading.
    pub fn options(&self, segment: Option<&String>) -> Options<'static> {
        Options {
            threads: self.threads,
            segment: segment.cloned(),
            ..Options::default()
        }
    }
}

/// Reads a profile, with progress on the terminal.
///
/// # Errors
/// The data can't be read.
pub fn profile(source: &Source, options: Options<'_>) -> Result<Profile> {
    let progress = terminal::Progress::new(&source.path);
    let on_progress = |read, total| progress.tell(read, total);
    let options = Options {
        on_progress: Some(&on_progress),
        ..options
    };
    let profile = read::profile(source, &options);
    progress.end();
    Ok(profile?)
}

/// Reads a saved profile, if one is given.
///
/// # Errors
/// It can't be read.
pub fn state(path: Option<&PathBuf>) -> Result<Option<Profile>> {
    path.map(|it| crate::analysis::read_state(it)).transpose()
}
