//! A table in CSV files that is read record by record and knows its position.

use crate::error::Error;
use csv::ByteRecord;
use std::fs::File;
use std::path::{Path, PathBuf};

const BUFFER_BYTES: usize = 1 << 17;

/// A file of a table, and its name in error messages.
pub type Part = (PathBuf, String);

/// A table positioned at one of its records or past the last. Fields are bytes, so that invalid UTF-8 passes through.
pub struct Table {
    name: String,
    reader: csv::Reader<File>,
    record: ByteRecord,
    past_end: bool,
    /// The files that follow the current one.
    rest: std::vec::IntoIter<Part>,
}

impl Table {
    /// Opens a file at its first record, which may be a header. `name` is used for the file in errors.
    pub fn open(path: &Path, name: String) -> Result<Self, Error> {
        Self::open_parts(path, name, Vec::new())
    }

    /// Opens several files as one table, at the first record of the first; the records of `rest` follow.
    pub fn open_parts(path: &Path, name: String, rest: Vec<Part>) -> Result<Self, Error> {
        let mut table = Self {
            reader: reader(path, &name)?,
            name,
            record: ByteRecord::new(),
            past_end: false,
            rest: rest.into_iter(),
        };
        table.advance()?;
        Ok(table)
    }

    /// Moves to the next record.
    pub fn advance(&mut self) -> Result<(), Error> {
        loop {
            let there = self.reader.read_byte_record(&mut self.record);
            if there.map_err(|error| Error::unreadable(&self.name, &error))? {
                return Ok(());
            }
            let Some((path, name)) = self.rest.next() else {
                self.past_end = true;
                return Ok(());
            };
            self.reader = reader(&path, &name)?;
            self.name = name;
        }
    }

    /// The current record; `None` past the last.
    pub fn record(&self) -> Option<&ByteRecord> {
        (!self.past_end).then_some(&self.record)
    }

    /// The first field of the current record; `None` past the last record.
    pub fn key(&self) -> Option<&[u8]> {
        self.record().and_then(|record| record.get(0))
    }

    /// Name of the current file, for errors.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// File and line of the current record. Exact in files whose lines end in a newline alone, such as those of jobs.
    pub fn place(&self) -> String {
        match self.record().and_then(ByteRecord::position) {
            Some(position) => format!("{} line {}", self.name, position.line()),
            None => format!("the end of {}", self.name),
        }
    }

    /// Key and place of the current record, for messages.
    pub fn shown(&self) -> String {
        match self.key() {
            Some(key) => format!("`{}` ({})", shown(key), self.place()),
            None => self.place(),
        }
    }
}

fn reader(path: &Path, name: &str) -> Result<csv::Reader<File>, Error> {
    let file = File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::InputMissing(format!("there is no {name}")),
        _ => Error::unreadable(name, &error),
    })?;
    Ok(csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(BUFFER_BYTES)
        .from_reader(file))
}

/// A field for a message, shortened if necessary.
pub fn shown(field: &[u8]) -> String {
    const MAX_SHOWN: usize = 80;
    let text = String::from_utf8_lossy(field);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
