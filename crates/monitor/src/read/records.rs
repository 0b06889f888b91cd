//! Rows one by one, in order, for metrics that need the values of a row together. The caller parses JSON.

use super::blocks::{Block, Blocks, Records};
use super::error::Error;
use super::tokens::{Dialect, Rows, Tokens};
use super::{Format, Source, csv, files, no_rows, text};
use crate::profile::{Notes, Oddity};
use crate::quotes::unquoted;
use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// Number of rows that are split into fields at a time.
const BATCH: usize = 256;

/// A row.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// A row of CSV.
    Csv {
        /// Names of the columns: those of the header, or those that are known.
        names: Option<&'a [String]>,
        /// The fields, unquoted; as many as there are columns.
        fields: &'a [Cow<'a, str>],
    },
    /// A line of JSON lines, of captured data, or of data merged with ground truth: not blank, and not yet parsed.
    Json(&'a str),
}

/// The place of a row: `FILE:LINE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// The file.
    pub path: &'a Path,
    /// The line on which the row begins, from 1.
    pub line: u64,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, target: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(target, "{}:{}", self.path.display(), self.line)
    }
}

/// The function that gets each row. If it can't use a row, it returns the reason; the row is counted together with the
/// place of the first such row, and reading continues.
pub type OnRecord<'a> = dyn FnMut(Record<'_>, Place<'_>) -> Result<(), String> + 'a;

/// Reads all rows in order. `names` are the columns of CSV without a header. Returns the irregularities: refused rows
/// count as [`Oddity::Unreadable`].
///
/// # Errors
/// There is nothing to read, a file can't be read, headers differ, or the format is columnar.
pub fn records(source: &Source, names: Option<&[String]>, on_record: &mut OnRecord<'_>) -> Result<Notes, Error> {
    let files = files::list(&source.path)?;
    let mut reader = Reader {
        files: &files,
        notes: Notes::default(),
        rows: 0,
        on_record,
    };
    match &source.format {
        Format::Csv { header, delimiter } => reader.csv(*header, *delimiter, names)?,
        Format::JsonLines | Format::Capture { .. } => reader.lines()?,
        Format::Parquet => {
            return Err(Error::File {
                path: source.path.clone(),
                what: "Parquet can't be read row by row: write CSV or JSON lines".to_owned(),
            });
        }
    }
    if reader.rows == 0 {
        return Err(no_rows(&files));
    }
    Ok(reader.notes)
}

struct Reader<'a, 'c> {
    files: &'a [PathBuf],
    notes: Notes,
    rows: u64,
    on_record: &'a mut OnRecord<'c>,
}

impl Reader<'_, '_> {
    fn tell(&mut self, record: Record<'_>, place: Place<'_>) {
        self.rows += 1;
        if let Err(what) = (self.on_record)(record, place) {
            self.notes.add(Oddity::Unreadable, || format!("{place}: {what}"));
        }
    }

    fn lines(&mut self) -> Result<(), Error> {
        let mut blocks = Blocks::new(self.files.to_vec(), Records::Lines);
        let mut used = Block::default();
        while let Some(mut block) = blocks.next(used)? {
            let path = self.files.get(block.file).map_or(Path::new(""), PathBuf::as_path);
            text::repair(&mut block, path, &mut self.notes);
            let whole = block.text.get(..block.len).unwrap_or_default();
            for (at, line) in whole.split(|it| *it == b'\n').enumerate() {
                let line = String::from_utf8_lossy(line.trim_ascii());
                if !line.is_empty() {
                    let line_number = block.first_line + at as u64;
                    self.tell(
                        Record::Json(&line),
                        Place {
                            path,
                            line: line_number,
                        },
                    );
                }
            }
            used = block;
        }
        Ok(())
    }

    fn csv(&mut self, header: bool, delimiter: u8, names: Option<&[String]>) -> Result<(), Error> {
        let mut blocks = Blocks::new(self.files.to_vec(), Records::Csv { delimiter });
        let mut used = Block::default();
        let mut known: Option<csv::Csv> = None;
        while let Some(mut block) = blocks.next(used)? {
            let path = self.files.get(block.file).map_or(Path::new(""), PathBuf::as_path);
            text::repair(&mut block, path, &mut self.notes);
            let columns = known.get_or_insert_with(|| csv::Csv {
                files: self.files.to_vec(),
                delimiter,
                header,
                names: if header {
                    csv::header(&block, delimiter)
                } else {
                    csv::first_record(&block, delimiter)
                },
                segment: None,
            });
            let names = if header { Some(columns.names.as_slice()) } else { names };
            self.csv_block(&block, path, columns, names)?;
            used = block;
        }
        Ok(())
    }

    fn csv_block(
        &mut self,
        block: &Block,
        path: &Path,
        columns: &csv::Csv,
        names: Option<&[String]>,
    ) -> Result<(), Error> {
        let count = columns.names.len();
        let dialect = Dialect {
            delimiter: columns.delimiter,
            quotes: block.quotes,
        };
        let mut tokens = Tokens::new(&block.text, block.len, dialect, count);
        let mut rows = Rows::default();
        if columns.header && block.begins_file {
            tokens.next_rows(1, &mut rows);
            columns.check_header(&csv::header(block, columns.delimiter), path)?;
        }
        let (mut line, mut counted) = (block.first_line, 0);
        let mut fields = Vec::with_capacity(count);
        while tokens.next_rows(BATCH, &mut rows) {
            columns.note_irregular(&rows, block, path, &mut self.notes);
            for row in 0..rows.len() {
                fields.clear();
                fields.extend((0..count).map(|column| {
                    let (start, end) = rows.field(row, column);
                    match unquoted(block.text.get(start..end).unwrap_or_default()) {
                        Cow::Borrowed(field) => String::from_utf8_lossy(field),
                        Cow::Owned(field) => Cow::Owned(String::from_utf8_lossy(&field).into_owned()),
                    }
                }));
                let start = rows.field(row, 0).0;
                line += memchr::memchr_iter(b'\n', block.text.get(counted..start).unwrap_or_default()).count() as u64;
                counted = start;
                let fields = &fields;
                self.tell(Record::Csv { names, fields }, Place { path, line });
            }
        }
        Ok(())
    }
}
