//! The two forms of a record: a row of the analyzer's input, and a line of reporting.

use crate::skipped::{Reason, Skips};
use crate::text::{json_text, number, quoted};
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use std::io::Write as _;

/// Lines of reporting are compressed in steps of this many bytes, so that they stay in the processor's cache.
const STEP_BYTES: usize = 64 << 10;

/// The parts that all records of a window have in common, formatted once.
#[derive(Clone, Debug)]
pub struct Shape {
    columns: Vec<String>,
    /// `{"model":"…","id":`
    head: Vec<u8>,
    /// `,"champion":"…","endpoint_config":"…","prediction":`
    tail: Vec<u8>,
    /// `"<column>":` for each column.
    names: Vec<Vec<u8>>,
}

impl Shape {
    /// `columns` are the champion's raw columns, in the order of captured rows.
    pub fn new(model: &str, champion: &str, endpoint_config: &str, columns: Vec<String>) -> Self {
        let mut head = b"{\"model\":".to_vec();
        json_text(model, &mut head);
        head.extend_from_slice(b",\"id\":");
        let mut tail = b",\"champion\":".to_vec();
        json_text(champion, &mut tail);
        tail.extend_from_slice(b",\"endpoint_config\":");
        json_text(endpoint_config, &mut tail);
        tail.extend_from_slice(b",\"prediction\":");
        let name = |column: &String| {
            let mut name = Vec::new();
            json_text(column, &mut name);
            name.push(b':');
            name
        };
        Self {
            names: columns.iter().map(name).collect(),
            columns,
            head,
            tail,
        }
    }

    /// The raw columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The header of the analyzer's input.
    pub fn header(&self) -> Vec<u8> {
        let mut header = Vec::new();
        for column in &self.columns {
            quoted(column, &mut header);
            header.push(b',');
        }
        header.extend_from_slice(b"prediction\n");
        header
    }
}

/// The parts that the rows of a request have in common.
pub(crate) struct Requested {
    /// For endpoints: `{"model":"…","id":"<request>#`.
    head: Vec<u8>,
    /// The text from after the id to `"prediction":`.
    tail: Vec<u8>,
}

impl Requested {
    pub fn by_endpoint(shape: &Shape, file: &str, request: &str, time: Timestamp) -> Self {
        let mut requested = Self::new(shape, file, request, time, "endpoint");
        json_text(request, &mut requested.head);
        // The closing quote is removed, because the row's number follows.
        requested.head.pop();
        requested.head.push(b'#');
        requested
    }

    pub fn by_batch(shape: &Shape, file: &str, request: &str, time: Timestamp) -> Self {
        Self::new(shape, file, request, time, "batch")
    }

    fn new(shape: &Shape, file: &str, request: &str, time: Timestamp, source: &str) -> Self {
        let mut tail = Vec::with_capacity(512);
        // Writing into memory can't fail.
        let _ = write!(tail, ",\"time\":\"{time}\",\"request\":");
        json_text(request, &mut tail);
        let _ = write!(tail, ",\"source\":\"{source}\",\"file\":");
        json_text(file, &mut tail);
        tail.extend_from_slice(&shape.tail);
        Self {
            head: shape.head.clone(),
            tail,
        }
    }
}

/// The output for a piece of the files, while it is being written.
#[derive(Debug)]
pub struct Output {
    /// CSV without a header: the raw columns and the prediction.
    pub data: Vec<u8>,
    /// Number of records so far.
    pub count: u64,
    /// What was left out.
    pub skips: Skips,
    lines: Vec<u8>,
    packed: GzEncoder<Vec<u8>>,
}

/// The finished output for a piece of the files.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// CSV without a header: the raw columns and the prediction.
    pub data: Vec<u8>,
    /// JSON lines (`contracts::reporting::PredictionRow`), compressed as a gzip member, or empty.
    pub records: Vec<u8>,
    /// Number of records.
    pub count: u64,
    /// What was left out.
    pub skips: Skips,
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

impl Output {
    /// An empty output.
    pub fn new() -> Self {
        Self {
            data: Vec::new(),
            count: 0,
            skips: Skips::default(),
            lines: Vec::with_capacity(STEP_BYTES + (STEP_BYTES >> 2)),
            packed: GzEncoder::new(Vec::new(), Compression::fast()),
        }
    }

    /// Finishes the output. Concatenated gzip members are a valid gzip file.
    pub fn finish(mut self) -> Piece {
        let mut records = Vec::new();
        if self.count > 0 {
            // Writing into memory can't fail.
            let _ = self.packed.write_all(&self.lines);
            records = self.packed.finish().unwrap_or_default();
        }
        Piece {
            data: self.data,
            records,
            count: self.count,
            skips: self.skips,
        }
    }

    /// Adds a row of an endpoint's request that contains no quotes.
    pub(crate) fn plain(
        &mut self,
        shape: &Shape,
        requested: &Requested,
        row: usize,
        text: &str,
        answer: &str,
    ) -> Result<(), Reason> {
        if memchr::memchr_iter(b',', text.as_bytes()).count() + 1 != shape.columns.len() {
            return Err(Reason::Fields);
        }
        let prediction = number(answer).ok_or(Reason::NoNumber)?;
        self.data.extend_from_slice(text.as_bytes());
        self.answer(answer);
        self.numbered(requested, row);
        self.rest(shape, requested, text.split(','), prediction);
        Ok(())
    }

    /// Adds a row of an endpoint's request.
    pub(crate) fn parsed<'a>(
        &mut self,
        shape: &Shape,
        requested: &Requested,
        row: usize,
        fields: impl Iterator<Item = &'a str> + Clone,
        answer: &str,
    ) -> Result<(), Reason> {
        if fields.clone().count() != shape.columns.len() {
            return Err(Reason::Fields);
        }
        let prediction = number(answer).ok_or(Reason::NoNumber)?;
        self.fields(fields.clone());
        self.answer(answer);
        self.numbered(requested, row);
        self.rest(shape, requested, fields, prediction);
        Ok(())
    }

    /// Adds a row that has its own id and as many fields as there are columns.
    pub(crate) fn named<'a>(
        &mut self,
        shape: &Shape,
        requested: &Requested,
        id: &str,
        fields: impl Iterator<Item = &'a str> + Clone,
        answer: &str,
    ) -> Result<(), Reason> {
        let prediction = number(answer).ok_or(Reason::NoNumber)?;
        self.fields(fields.clone());
        self.answer(answer);
        self.lines.extend_from_slice(&requested.head);
        json_text(id, &mut self.lines);
        self.rest(shape, requested, fields, prediction);
        Ok(())
    }

    fn fields<'a>(&mut self, fields: impl Iterator<Item = &'a str>) {
        for (number, field) in fields.enumerate() {
            if number > 0 {
                self.data.push(b',');
            }
            quoted(field, &mut self.data);
        }
    }

    fn answer(&mut self, answer: &str) {
        self.data.push(b',');
        self.data.extend_from_slice(answer.as_bytes());
        self.data.push(b'\n');
    }

    fn numbered(&mut self, requested: &Requested, row: usize) {
        self.lines.extend_from_slice(&requested.head);
        // Writing into memory can't fail.
        let _ = write!(self.lines, "{row}\"");
    }

    /// Appends the part of a reporting line that follows the id.
    fn rest<'a>(
        &mut self,
        shape: &Shape,
        requested: &Requested,
        fields: impl Iterator<Item = &'a str>,
        prediction: f64,
    ) {
        let lines = &mut self.lines;
        lines.extend_from_slice(&requested.tail);
        // A finite number can always be formatted, and writing into memory can't fail.
        let _ = serde_json::to_writer(&mut *lines, &prediction);
        lines.extend_from_slice(b",\"features\":{");
        let mut first = true;
        for (name, field) in shape.names.iter().zip(fields).filter(|(_, field)| !field.is_empty()) {
            if !std::mem::take(&mut first) {
                lines.push(b',');
            }
            lines.extend_from_slice(name);
            json_text(field, lines);
        }
        lines.extend_from_slice(b"}}\n");
        self.count += 1;
        if self.lines.len() >= STEP_BYTES {
            // Writing into memory can't fail.
            let _ = self.packed.write_all(&self.lines);
            self.lines.clear();
        }
    }
}
