//! Joins captured requests with ground truth that arrives later.
//!
//! Ground truth is kept in memory by id, and captured lines are streamed. Ground truth may have two forms: the
//! contract's lines, and the project's own table of `id,label`, in which an id may name one row of a request:
//! `<inference_id>#<row>`, with rows counted from 0.

use std::borrow::Cow;
use std::fmt::Write as _;

use drift_document as drift;
use hashbrown::HashMap;
use serde_json::{Value, json};

use super::capture::{CaptureRecord, Encoding, GroundTruth, GroundTruthLine, Payload};
use super::csv::{Records, write_field};
use super::pair::first_value;
use super::skipped::Skips;

/// Ground truth by id. If there are two values for one id, the one that is read later counts.
#[derive(Clone, Debug, Default)]
pub struct GroundTruthIndex {
    truths: HashMap<Box<str>, Truth>,
    /// The rows that are given as `<id>#<row>`.
    rows: HashMap<String, Vec<u64>>,
    duplicates: u64,
    skips: Skips,
}

#[derive(Clone, Debug)]
struct Truth {
    data: Box<str>,
    encoding: Encoding,
    content_type: Option<Box<str>>,
    rows: Option<Vec<u64>>,
}

impl GroundTruthIndex {
    /// Reads a file of ground truth: JSON lines if it begins with `{`, otherwise a table with the columns `id` and
    /// `label`. Lines that can't be read are left out and noted; `file` is its name in the notes.
    pub fn read(&mut self, file: &str, text: &[u8]) {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        if text.trim_ascii_start().first() == Some(&b'{') {
            for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
                if line.trim_ascii().is_empty() {
                    continue;
                }
                match GroundTruthLine::parse(line) {
                    Ok(line) => self.insert_line(line),
                    Err(error) => {
                        let reason = format!("ground truth: {}", error.reason());
                        self.skips.add(&reason, || format!("{file}:{number}: {error}"));
                    }
                }
            }
        } else {
            match std::str::from_utf8(text) {
                Ok(text) => self.read_table(file, text),
                Err(error) => self.skips.add("ground truth: not UTF-8", || format!("{file}: {error}")),
            }
        }
    }

    fn read_table(&mut self, file: &str, text: &str) {
        let mut records = Records::new(text);
        let Some(header) = records.next() else {
            return;
        };
        let column = |name: &str| header.iter().position(|field| field.trim().eq_ignore_ascii_case(name));
        let (Some(id), Some(label)) = (column("id"), column("label")) else {
            self.skips.add("ground truth: no columns id and label", || {
                format!("{file}:1: expected a header with id and label, or JSON lines")
            });
            return;
        };
        let mut line = records.line();
        while let Some(record) = records.next() {
            let field = |column: usize| {
                let field: Option<&str> = record.get(column).map(|field| field.trim());
                field.filter(|field| !field.is_empty())
            };
            match (field(id), field(label)) {
                (Some(id), Some(label)) => {
                    let mut data = String::with_capacity(label.len());
                    write_field(&mut data, label);
                    let truth = Truth {
                        data: data.into(),
                        encoding: Encoding::Csv,
                        content_type: None,
                        rows: None,
                    };
                    self.insert(id, truth);
                }
                (None, _) => self
                    .skips
                    .add("ground truth: no id", || format!("{file}:{line}: no id")),
                (Some(id), None) => {
                    self.skips
                        .add("ground truth: no label", || format!("{file}:{line}: no label of {id}"));
                }
            }
            line = records.line();
        }
    }

    fn insert_line(&mut self, line: GroundTruthLine<'_>) {
        let payload = line.ground_truth.payload;
        let truth = Truth {
            data: payload.data.into(),
            encoding: payload.encoding,
            content_type: payload.content_type.map(Into::into),
            rows: line.ground_truth.rows,
        };
        self.insert(&line.id, truth);
    }

    fn insert(&mut self, id: &str, truth: Truth) {
        if self.truths.insert(id.into(), truth).is_some() {
            self.duplicates += 1;
        } else if let Some((request, row)) = row_of(id) {
            self.rows.entry_ref(request).or_default().push(row);
        }
    }

    /// The ground truth of a captured request. It is looked up by inference id, then by event id; for each, first for
    /// the whole request, then for its rows.
    pub fn find(&self, record: &CaptureRecord<'_>) -> Option<GroundTruth<'_>> {
        let ids = [record.inference_id.as_deref(), Some(&*record.event_id)];
        ids.into_iter().flatten().find_map(|id| {
            let whole = self.truths.get(id).map(Truth::ground_truth);
            whole.or_else(|| self.rows.get(id).map(|rows| self.of_rows(id, rows)))
        })
    }

    fn of_rows(&self, id: &str, rows: &[u64]) -> GroundTruth<'_> {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        let (mut data, mut key) = (String::new(), String::new());
        for row in &rows {
            key.clear();
            // Writing to a string can't fail.
            let _ = write!(key, "{id}#{row}");
            let value = self
                .truths
                .get(key.as_str())
                .and_then(|truth| first_value(&truth.ground_truth().payload));
            write_field(&mut data, &value.unwrap_or_default());
            data.push('\n');
        }
        GroundTruth {
            payload: Payload {
                content_type: None,
                encoding: Encoding::Csv,
                data: data.into(),
            },
            rows: Some(rows),
        }
    }

    /// Number of ids.
    pub fn len(&self) -> usize {
        self.truths.len()
    }

    /// Whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.truths.is_empty()
    }

    /// Number of values that were replaced by a later one.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// The lines that were left out.
    pub fn skips(&self) -> &Skips {
        &self.skips
    }
}

impl Truth {
    fn ground_truth(&self) -> GroundTruth<'_> {
        GroundTruth {
            payload: Payload {
                content_type: self.content_type.as_deref().map(Cow::Borrowed),
                encoding: self.encoding,
                data: Cow::Borrowed(&self.data),
            },
            rows: self.rows.clone(),
        }
    }
}

/// `a#7` is row 7 of `a`. Only the form in which names are generated is accepted: no sign, no leading zero.
fn row_of(id: &str) -> Option<(&str, u64)> {
    let (request, row) = id.rsplit_once('#')?;
    let plain = row == "0" || !row.starts_with(['0', '+']);
    (plain && !request.is_empty()).then_some(())?;
    Some((request, row.parse().ok()?))
}

/// Joins captured lines with an index, and counts them. Threads may share the index, each with its own `Merge`.
#[derive(Clone, Debug)]
pub struct Merge<'i> {
    index: &'i GroundTruthIndex,
    records: u64,
    joined: u64,
    skips: Skips,
}

impl<'i> Merge<'i> {
    /// A merge that has joined nothing yet.
    pub fn new(index: &'i GroundTruthIndex) -> Self {
        Self {
            index,
            records: 0,
            joined: 0,
            skips: Skips::default(),
        }
    }

    /// Adds the ground truth to a captured request, unless it has one already; returns whether it has one now.
    pub fn join<'r>(&mut self, record: &mut CaptureRecord<'r>) -> bool
    where
        'i: 'r,
    {
        self.records += 1;
        if record.ground_truth.is_none() {
            record.ground_truth = self.index.find(record);
        }
        self.joined += u64::from(record.ground_truth.is_some());
        record.ground_truth.is_some()
    }

    /// Merges a captured line: returns the line with the member `groundTruthData` added. `None` if there is no ground
    /// truth, or if the line can't be read, which is noted with `file` and `number`. Blank lines are ignored.
    pub fn line<'l>(&mut self, file: &str, number: u64, line: &'l str) -> Option<Cow<'l, str>> {
        let line = line.trim();
        if line.is_empty() {
            return None;
        }
        let mut record = match CaptureRecord::parse(line.as_bytes()) {
            Ok(record) => record,
            Err(error) => {
                self.skips.add(error.reason(), || format!("{file}:{number}: {error}"));
                return None;
            }
        };
        let merged_before = record.ground_truth.is_some();
        if !self.join(&mut record) {
            return None;
        }
        match &record.ground_truth {
            Some(truth) if !merged_before => Some(Cow::Owned(with_ground_truth(line, truth))),
            _ => Some(Cow::Borrowed(line)),
        }
    }

    /// Adds the counts of another part.
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.joined += other.joined;
        self.skips.merge(other.skips);
    }

    /// The counts, in the form of `drift.json`.
    pub fn counts(&self) -> drift::GroundTruth {
        drift::GroundTruth {
            records: self.records,
            joined: self.joined,
            joined_share: super::metrics::share(self.joined, self.records),
        }
    }

    /// The captured lines that were left out.
    pub fn skips(&self) -> &Skips {
        &self.skips
    }
}

/// Adds the member at the end of the line, which is a JSON object with members.
fn with_ground_truth(line: &str, truth: &GroundTruth<'_>) -> String {
    let encoding = match truth.payload.encoding {
        Encoding::Csv => "CSV",
        Encoding::Json => "JSON",
        Encoding::Base64 => "BASE64",
    };
    let mut member = json!({"data": truth.payload.data, "encoding": encoding});
    if let Some(content_type) = &truth.payload.content_type {
        member["observedContentType"] = json!(content_type);
    }
    if let Some(rows) = &truth.rows {
        member["rows"] = json!(rows);
    }
    // If the member exists but is null, it must not be written twice.
    if line.contains("groundTruthData")
        && let Ok(Value::Object(mut object)) = serde_json::from_str(line)
    {
        object.insert("groundTruthData".to_owned(), member);
        return Value::Object(object).to_string();
    }
    let open = line.strip_suffix('}').unwrap_or(line).trim_end();
    format!("{open},\"groundTruthData\":{member}}}")
}

#[cfg(test)]
mod tests;
