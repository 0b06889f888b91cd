//! What is read, and what is wanted of it.

use super::error::Error;
use crate::profile::Expected;
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

/// Where the columns of the output stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputPosition {
    /// Before those of the input.
    #[default]
    Start,
    /// After them.
    End,
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

impl Options<'_> {
    /// What the baseline says of a column.
    pub(super) fn expected_of(&self, name: &str) -> Expected {
        self.expected.get(name).cloned().unwrap_or_default()
    }
}

/// Tells how far reading is.
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

/// The place of the column that makes segments; `path` is said of where it should be.
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
