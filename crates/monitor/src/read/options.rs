//! What to read, and how.

use super::error::Error;
use crate::profile::Expected;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Format of the data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV.
    Csv {
        /// Whether each file begins with the names of the columns.
        header: bool,
        /// Character between fields: `,` in the contract.
        delimiter: u8,
    },
    /// JSON lines: one object on each line.
    JsonLines,
    /// Data captured by SageMaker from an endpoint or batch transform, possibly merged with ground truth.
    Capture {
        /// The members of a line that are read: `endpointInput`, `endpointOutput`, `batchTransformInput`,
        /// `batchTransformOutput`.
        index_names: Vec<String>,
        /// Whether the columns of the output come before or after those of the input.
        output_position: OutputPosition,
        /// Names of the columns, by position. `None`: those of [`Options::names`], or `_c0` and so on.
        names: Option<Vec<String>>,
    },
    /// Parquet.
    Parquet,
}

/// Position of the columns of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputPosition {
    /// Before the columns of the input.
    #[default]
    Start,
    /// After the columns of the input.
    End,
}

/// The data to read.
#[derive(Clone, Debug)]
pub struct Source {
    /// A file, or a folder with all files in it.
    pub path: PathBuf,
    /// Format of the files.
    pub format: Format,
}

/// How to read it.
#[derive(Clone, Default)]
pub struct Options<'a> {
    /// Number of threads; `None` for as many as there are cores.
    pub threads: Option<NonZero<usize>>,
    /// Name of the column whose values form segments.
    pub segment: Option<String>,
    /// Names of the columns, if the data has none: those of the baseline.
    pub names: Option<Vec<String>>,
    /// What the baseline says about columns.
    pub expected: BTreeMap<String, Expected>,
    /// Size of a block in bytes, if it is not the reference's 4 MiB. The last digits of figures depend on it, so it is
    /// for tests, which need the seams of blocks in small files.
    pub block: Option<NonZero<usize>>,
    /// Called now and then with the number of bytes read and the total number of bytes.
    pub on_progress: Option<&'a (dyn Fn(u64, u64) + Sync)>,
}

impl Options<'_> {
    /// What the baseline says about a column.
    pub(super) fn expected_of(&self, name: &str) -> Expected {
        self.expected.get(name).cloned().unwrap_or_default()
    }
}

/// Reports the progress of reading.
#[derive(Default)]
pub(super) struct Progress<'a> {
    told: Option<&'a (dyn Fn(u64, u64) + Sync)>,
    read: Arc<AtomicU64>,
    total: u64,
}

impl<'a> Progress<'a> {
    pub fn new(told: Option<&'a (dyn Fn(u64, u64) + Sync)>, total: u64, read: Arc<AtomicU64>) -> Self {
        Self { told, read, total }
    }

    pub fn tick(&self) {
        if let Some(told) = self.told {
            told(self.read.load(Ordering::Relaxed), self.total);
        }
    }
}

/// Position of the segment column; `path` is named in the error if there is no such column.
pub(super) fn segment_column(
    names: &[String],
    options: &Options<'_>,
    path: Option<&Path>,
) -> Result<Option<usize>, Error> {
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
