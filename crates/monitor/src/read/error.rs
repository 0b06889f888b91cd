//! Errors in the data that is read.

use std::path::{Path, PathBuf};

/// Why data could not be read. Rows that can be left out are not errors: they are counted, see `Profile::notes`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be opened, read or decompressed.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// There is an error at a place in a file.
    #[error("{}:{line}:{column}: {what}", path.display())]
    At {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: u64,
        /// Position in the line in characters, from 1.
        column: u64,
        /// What is wrong, and what to do.
        what: String,
    },
    /// There is no data.
    #[error("{0}")]
    NoData(String),
}

impl Error {
    pub(crate) fn file(path: &Path, error: &std::io::Error) -> Self {
        let what = match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the compressed file ends in the middle: copy it again".to_owned(),
            std::io::ErrorKind::NotFound => "no such file".to_owned(),
            std::io::ErrorKind::InvalidInput | std::io::ErrorKind::InvalidData => {
                format!("the compressed file is damaged ({error}): copy it again")
            }
            // Decoders report errors in the data, but not all of them with a specific kind.
            _ if error.raw_os_error().is_none() => format!("the compressed file is damaged ({error}): copy it again"),
            _ => error.to_string(),
        };
        Self::File {
            path: path.to_owned(),
            what,
        }
    }

    pub(crate) fn record(path: &Path, line: u64, length: usize, quotes: bool) -> Self {
        let why = if quotes {
            "a quote that is opened here or later is never closed"
        } else {
            "each line must be one record"
        };
        Self::At {
            path: path.to_owned(),
            line,
            column: 1,
            what: format!("this record has not ended after {length} bytes: {why}"),
        }
    }
}

/// The error if there are no rows in these files.
pub(super) fn no_rows(files: &[PathBuf]) -> Error {
    let names: Vec<_> = files.iter().take(5).map(|it| it.display().to_string()).collect();
    Error::NoData(format!("there is no row to analyse in {}", names.join(", ")))
}
