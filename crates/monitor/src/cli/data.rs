//! The arguments that say which data is meant, and reading it with progress.

use super::{Result, terminal};
use crate::analysis::Error;
use crate::profile::Profile;
use crate::read::{self, Format, Options, Source};
use clap::{Args, ValueEnum};
use std::num::NonZero;
use std::path::{Path, PathBuf};

/// How data is written down, and how it is read.
#[derive(Args, Clone, Debug)]
pub struct How {
    /// What the files hold; guessed from their names and first bytes otherwise
    #[arg(long, value_enum, help_heading = "Data")]
    format: Option<Kind>,
    /// CSV: the first line is data; columns are called _c0, _c1, …
    #[arg(long, help_heading = "Data")]
    no_header: bool,
    /// CSV: what separates fields, one character or `\t`
    #[arg(long, value_name = "CHARACTER", help_heading = "Data")]
    delimiter: Option<String>,
    /// As many as there are cores otherwise
    #[arg(long, value_name = "NUMBER", help_heading = "Data")]
    threads: Option<NonZero<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// With or without header, also gzip and zstd
    Csv,
    /// One JSON object a line
    JsonLines,
    /// What SageMaker captures of endpoints and batch transform
    Capture,
    /// Each column of plain values
    Parquet,
}

impl How {
    /// The data at a path.
    ///
    /// # Errors
    /// There is none, or an argument does not fit.
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

    /// What is wanted of it.
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

/// Reads a saved profile, where one is named.
///
/// # Errors
/// It can't be read.
pub fn state(path: Option<&PathBuf>) -> Result<Option<Profile>> {
    path.map(|it| crate::analysis::read_state(it)).transpose()
}
