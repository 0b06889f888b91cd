//! A table in CSV files, read record by record, and where one is in it.

use crate::error::Error;
use csv::ByteRecord;
use std::fs::File;
use std::path::{Path, PathBuf};

const BUFFER_BYTES: usize = 1 << 17;

/// A file of a table, and what errors call it.
pub type Part = (PathBuf, String);

/// A table at one of its records, or past the last. Fields are bytes: what is no text in UTF-8 passes through.
pub struct Table {
    name: String,
    reader: csv::Reader<File>,
    record: ByteRecord,
    past_end: bool,
    /// The files that follow the one that it is in.
    rest: std::vec::IntoIter<Part>,
}

impl Table {
    /// At the file's first record; a header is a record as any other. `name` is what errors call the file.
    pub fn open(path: &Path, name: String) -> Result<Self, Error> {
        Self::open_parts(path, name, Vec::new())
    }

    /// At the first record of the first of several files; the records of `rest` follow as if all were one.
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

    /// The record; `None` past the last.
    pub fn record(&self) -> Option<&ByteRecord> {
        (!self.past_end).then_some(&self.record)
    }

    /// The record's first field; `None` past the last record.
    pub fn key(&self) -> Option<&[u8]> {
        self.record().and_then(|record| record.get(0))
    }

    /// What errors call the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is: file and line; exact in files whose lines end in a newline alone, as those of jobs do.
    pub fn place(&self) -> String {
        match self.record().and_then(ByteRecord::position) {
            Some(position) => format!("{} line {}", self.name, position.line()),
            None => format!("the end of {}", self.name),
        }
    }

    /// What stands at its place, for people.
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

/// A field, as far as a message repeats it.
pub fn shown(field: &[u8]) -> String {
    const MAX_SHOWN: usize = 80;
    let text = String::from_utf8_lossy(field);
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}
