//! Reads CSV into profiles.

use super::blocks::Block;
use super::engine::Parse;
use super::error::Error;
use super::tokens::{Dialect, Rows, Tokens};
use crate::profile::{Form, Notes, Oddity, Profile};
use crate::quotes::unquoted;
use std::path::{Path, PathBuf};

/// Number of fields in a batch of rows: as many as stay in the cache, with their text, while it is read column by
/// column.
const BATCH_FIELDS: usize = 20_000;

/// How the CSV is read.
pub(super) struct Csv {
    pub files: Vec<PathBuf>,
    pub delimiter: u8,
    pub header: bool,
    /// Names of the columns, which the header of each file must repeat.
    pub names: Vec<String>,
    /// Position of the segment column.
    pub segment: Option<usize>,
}

#[derive(Default)]
pub(super) struct Scratch {
    rows: Rows,
    numbers: Vec<f64>,
    segments: super::segments::Rows,
}

impl Parse for Csv {
    type Scratch = Scratch;

    fn parse(&self, block: &mut Block, scratch: &mut Scratch, profile: &mut Profile) -> Result<(), Error> {
        let path = self.files.get(block.file).map_or(Path::new(""), PathBuf::as_path);
        super::text::repair(block, path, &mut profile.notes);
        let dialect = Dialect {
            delimiter: self.delimiter,
            quotes: block.quotes,
        };
        let mut tokens = Tokens::new(&block.text, block.len, dialect, self.names.len());
        if self.header && block.begins_file {
            tokens.next_rows(1, &mut scratch.rows);
            self.check_header(&header(block, self.delimiter), path)?;
        }
        let batch = (BATCH_FIELDS / self.names.len().max(1)).clamp(32, 4096);
        let form = Form {
            quotes: block.quotes,
            empty_is_missing: true,
        };
        while tokens.next_rows(batch, &mut scratch.rows) {
            let rows = &scratch.rows;
            for (at, column) in profile.columns.iter_mut().enumerate() {
                column.push(&block.text, rows.column(at), form, &mut scratch.numbers);
            }
            profile.rows += rows.len() as u64;
            self.note_irregular(rows, block, path, &mut profile.notes);
            if let Some(at) = self.segment {
                scratch
                    .segments
                    .push(profile, rows, at, block, form, &mut scratch.numbers);
            }
        }
        super::text::note_wide(profile, block, path);
        Ok(())
    }
}

impl Csv {
    pub fn check_header(&self, found: &[String], path: &Path) -> Result<(), Error> {
        if found == self.names {
            return Ok(());
        }
        let first = self
            .files
            .first()
            .map(|it| it.display().to_string())
            .unwrap_or_default();
        let column = found.iter().zip(&self.names).take_while(|(a, b)| a == b).count();
        let named = |names: &[String]| names.get(column).map_or("no column".to_owned(), |it| format!("`{it}`"));
        Err(Error::At {
            path: path.to_owned(),
            line: 1,
            column: column as u64 + 1,
            what: format!(
                "field {} of the header is {} where {first} has {}: files that are read together must have the same \
                 header",
                column + 1,
                named(found),
                named(&self.names),
            ),
        })
    }

    pub fn note_irregular(&self, rows: &Rows, block: &Block, path: &Path, notes: &mut Notes) {
        for odd in &rows.irregular {
            let expected = self.names.len();
            let oddity = if odd.fields < expected {
                Oddity::TooFewFields
            } else {
                Oddity::TooManyFields
            };
            notes.add(oddity, || {
                let line = block.first_line + odd.line;
                format!(
                    "{}:{line}: {} fields where {expected} are expected",
                    path.display(),
                    odd.fields
                )
            });
        }
    }
}

/// The fields of the first record.
pub(super) fn first_record(block: &Block, delimiter: u8) -> Vec<String> {
    let dialect = Dialect {
        delimiter,
        quotes: block.quotes,
    };
    // The number of fields is found by reading the record as if it had one column, which makes it irregular.
    let mut rows = Rows::default();
    Tokens::new(&block.text, block.len, dialect, 1).next_rows(1, &mut rows);
    let columns = rows.irregular.first().map_or(1, |it| it.fields);
    let mut tokens = Tokens::new(&block.text, block.len, dialect, columns);
    if !tokens.next_rows(1, &mut rows) {
        return Vec::new();
    }
    (0..columns)
        .map(|column| {
            let (start, end) = rows.field(0, column);
            let field = block.text.get(start..end).unwrap_or_default();
            String::from_utf8_lossy(&unquoted(field)).into_owned()
        })
        .collect()
}

/// The names in the first record, formed as in the reference: `_c0` if there is no name, and the position is appended
/// to names that occur more than once, ignoring case.
pub(super) fn header(block: &Block, delimiter: u8) -> Vec<String> {
    let names = first_record(block, delimiter);
    let folded: Vec<String> = names.iter().map(|it| it.to_lowercase()).collect();
    let again = |name: &String| folded.iter().filter(|it| *it == name).count() > 1;
    names
        .iter()
        .zip(&folded)
        .enumerate()
        .map(|(at, (name, folded))| match name.as_str() {
            "" => format!("_c{at}"),
            name if again(folded) => format!("{name}{at}"),
            name => name.to_owned(),
        })
        .collect()
}
