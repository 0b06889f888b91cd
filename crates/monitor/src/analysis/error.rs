//! What can keep an analysis from its end.

use crate::documents::error::DocumentError;
use crate::profile::StateError;
use crate::read;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data.
    #[error(transparent)]
    Read(#[from] read::Error),
    /// A document of the baseline.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// A saved state.
    #[error("{}: {error}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: StateError,
    },
    /// A file of the baseline can't be read, or a file of the result can't be written.
    #[error("{}: {what}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// What is asked for can't be done with what is given.
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
