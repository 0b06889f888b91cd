//! An open file and its row groups.

use super::super::error::Error;
use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use ::parquet::basic::{Compression, Encoding};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use arrow_array::builder::StringDictionaryBuilder;
use arrow_array::types::Int32Type;
use arrow_array::{Array, RecordBatch, StringArray};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Approximate size of a batch of one column, in bytes.
const BATCH_BYTES: i64 = 4 << 20;
const MOST_ROWS: i64 = 16 << 10;
const FEWEST_ROWS: i64 = 64;

/// The metadata of a file, read before its columns.
pub(super) struct Opened {
    pub path: PathBuf,
    pub file: usize,
    pub plain: ArrowReaderMetadata,
    /// The metadata for reading texts as dictionaries, for columns that are written so.
    dictionaries: ArrowReaderMetadata,
}

impl Opened {
    pub fn open(path: &Path, file: usize) -> Result<Self, Error> {
        let broken = |error: ParquetError| damaged(path, &error);
        let source = File::open(path).map_err(|error| Error::file(path, &error))?;
        // Arrow adds the original types of the columns to a file; Parquet's own types are sufficient here.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let plain = caught(path, || ArrowReaderMetadata::load(&source, options).map_err(broken))?;
        let nested = plain
            .parquet_schema()
            .root_schema()
            .get_fields()
            .iter()
            .find(|it| !it.is_primitive());
        if let Some(nested) = nested {
            return Err(Error::File {
                path: path.to_owned(),
                what: format!(
                    "column `{}` is a list, a struct or a map: make columns of its values, or leave it out",
                    nested.name()
                ),
            });
        }
        let length = source.metadata().map_err(|error| Error::file(path, &error))?.len();
        if let Some(column) = outside(plain.metadata(), length) {
            return Err(damaged(path, &format!("column `{column}` lies outside of the file")));
        }
        let text = StringArray::from(Vec::<&str>::new());
        let dictionary = StringDictionaryBuilder::<Int32Type>::new().finish();
        let mut schema = plain.schema().as_ref().clone();
        schema.fields = schema
            .fields
            .iter()
            .map(|field| {
                if field.data_type() == text.data_type() {
                    let field = field.as_ref().clone();
                    Arc::new(field.with_data_type(dictionary.data_type().clone()))
                } else {
                    field.clone()
                }
            })
            .collect();
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let dictionaries = caught(path, || {
            ArrowReaderMetadata::try_new(plain.metadata().clone(), options).map_err(broken)
        })?;
        Ok(Self {
            path: path.to_owned(),
            file,
            plain,
            dictionaries,
        })
    }

    pub fn names(&self) -> Vec<String> {
        let fields = self.plain.schema().fields();
        fields.iter().map(|it| it.name().clone()).collect()
    }

    /// Files that are read together must have the same columns of the same types.
    pub fn check(&self, first: &Self) -> Result<(), Error> {
        let (own, other) = (self.plain.schema().fields(), first.plain.schema().fields());
        let different = (0..own.len().max(other.len())).find(|at| match (own.get(*at), other.get(*at)) {
            (Some(a), Some(b)) => a.name() != b.name() || a.data_type() != b.data_type(),
            _ => true,
        });
        let Some(at) = different else {
            return Ok(());
        };
        let [own, other] = [own, other].map(|fields| match fields.get(at) {
            Some(field) => format!("`{}` ({})", field.name(), field.data_type()),
            None => "no column".to_owned(),
        });
        Err(Error::File {
            path: self.path.clone(),
            what: format!(
                "column {} is {own} where {} has {other}: files that are read together must have the same columns",
                at + 1,
                first.path.display(),
            ),
        })
    }

    /// Whether the pages of a column are written with a dictionary. If the file doesn't say so for the pages, this is
    /// very likely but not certain; a wrong guess only costs time.
    fn has_dictionary(&self, row_group: usize, column: usize) -> bool {
        let chunk = self.plain.metadata().row_group(row_group).column(column);
        let dictionaries = [Encoding::RLE_DICTIONARY, Encoding::PLAIN_DICTIONARY];
        match chunk.page_encoding_stats_mask() {
            Some(pages) => dictionaries.iter().any(|it| pages.is_only(*it)),
            // Without a dictionary, every text takes four bytes for its length.
            None => {
                chunk.encodings().any(|it| dictionaries.contains(&it))
                    && chunk.uncompressed_size() < chunk.num_values().saturating_mul(4)
            }
        }
    }

    /// Number of rows in a batch, chosen so that its memory is limited.
    fn batch_rows(&self, row_group: usize, columns: &[usize]) -> usize {
        let group = self.plain.metadata().row_group(row_group);
        let sizes = columns.iter().map(|it| group.column(*it).uncompressed_size());
        let bytes = sizes.fold(0, i64::saturating_add);
        let per_row = bytes / group.num_rows().max(1);
        (BATCH_BYTES / per_row.max(1)).clamp(FEWEST_ROWS, MOST_ROWS) as usize
    }

    /// Reads these columns of a row group, batch by batch.
    pub fn read(
        &self,
        row_group: usize,
        columns: &[usize],
    ) -> Result<impl Iterator<Item = Result<RecordBatch, Error>>, Error> {
        let group = self.plain.metadata().row_group(row_group);
        for &column in columns {
            let chunk = group.column(column);
            if matches!(chunk.compression(), Compression::BROTLI(_) | Compression::LZO) {
                return Err(Error::File {
                    path: self.path.clone(),
                    what: format!(
                        "column `{}` is compressed with {}: write the file with snappy, zstd, gzip or lz4",
                        chunk.column_path(),
                        chunk.compression()
                    ),
                });
            }
        }
        // Opened again, because threads that share an open file also share the position in it.
        let source = File::open(&self.path).map_err(|error| Error::file(&self.path, &error))?;
        let dictionaries = columns.iter().all(|it| self.has_dictionary(row_group, *it));
        let metadata = if dictionaries { &self.dictionaries } else { &self.plain };
        let wanted = ProjectionMask::roots(self.plain.parquet_schema(), columns.iter().copied());
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(source, metadata.clone())
            .with_row_groups(vec![row_group])
            .with_projection(wanted)
            .with_batch_size(self.batch_rows(row_group, columns));
        let mut batches = caught(&self.path, || {
            builder.build().map_err(|error| damaged(&self.path, &error))
        })?;
        let mut next = move || {
            let batch = caught(&self.path, || Ok(batches.next()))?;
            batch.transpose().map_err(|error| damaged(&self.path, &error))
        };
        Ok(std::iter::from_fn(move || next().transpose()))
    }
}

/// Finds a column with a chunk outside of a file of this length in bytes, which the library doesn't check.
fn outside(metadata: &ParquetMetaData, length: u64) -> Option<String> {
    let chunks = metadata.row_groups().iter().flat_map(RowGroupMetaData::columns);
    let within = |chunk: &ColumnChunkMetaData| {
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let [start, size] = [start, chunk.compressed_size()].map(|it| u64::try_from(it).ok());
        let end = start.zip(size).and_then(|(start, size)| start.checked_add(size));
        end.is_some_and(|end| end <= length)
    };
    let mut outside = chunks.filter(|it| !within(it));
    outside.next().map(|it| it.column_path().string())
}

/// The library panics for some damaged files. They are reported as damaged like all others.
fn caught<T>(path: &Path, read: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    // Whatever was being read when it panicked is not used any more.
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(read));
    result.unwrap_or_else(|_| Err(damaged(path, &"its parts contradict each other")))
}

pub(super) fn damaged(path: &Path, error: &impl std::fmt::Display) -> Error {
    Error::File {
        path: path.to_owned(),
        what: format!("this is not a Parquet file, or it is damaged or cut off ({error}): copy it again"),
    }
}
