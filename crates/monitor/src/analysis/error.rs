//! Errors of an analysis.

use crate::documents::error::DocumentError;
use crate::profile::StateError;
use crate::read;
use std::io;
use std::path::{Path, PathBuf};

/// Why an analysis has no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data can't be read.
    #[error(transparent)]
    Read(#[from] read::Error),
    /// A document of the baseline is invalid.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A saved state can't be used.
    #[error("{}: {error}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// The error.
        error: StateError,
    },
    /// A file of the baseline can't be read, or a file of the result can't be written.
    #[error("{}: {what}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// The request can't be carried out with the given input.
    #[error("{0}")]
    Unusable(String),
}

impl Error {
    pub(super) fn reading(path: &Path, error: &io::Error) -> Self {
        let what = match error.kind() {
            io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => format!("it can't be read: {error}"),
        };
        Self::File {
            path: path.to_owned(),
            what,
        }
    }

    pub(super) fn writing(path: &Path, error: &io::Error) -> Self {
        Self::File {
            path: path.to_owned(),
            what: format!("it can't be written: {error}"),
        }
    }
}
