//! From lines of capture files to rows of the analyzer's input and of reporting.

use crate::skipped::{Reason, Skips};
use crate::text::{json_text, number};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use std::borrow::Cow;
use std::io::Write as _;

/// What all records of a window have in common.
#[derive(Clone, Debug)]
pub struct Whose {
    /// The model that answered.
    pub model: String,
    /// The run that trained its champion.
    pub champion: String,
    /// That champion's endpoint configuration.
    pub endpoint_config: String,
    /// The champion's raw columns, in the order of captured rows.
    pub columns: Vec<String>,
}

/// What a piece of a file has become.
#[derive(Clone, Debug, Default)]
pub struct Piece {
    /// CSV without header: the raw columns, prediction.
    pub data: Vec<u8>,
    /// JSON lines: `contracts::reporting::PredictionRow`.
    pub records: Vec<u8>,
    /// Records.
    pub count: u64,
    /// What was left out.
    pub skips: Skips,
}

/// A captured request. Text is borrowed where it has no escapes.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "captureData", borrow)]
    data: CaptureData<'a>,
    #[serde(rename = "eventMetadata", borrow)]
    event: Event<'a>,
}

#[derive(Deserialize)]
struct CaptureData<'a> {
    #[serde(rename = "endpointInput", borrow, default)]
    input: Option<Side<'a>>,
    #[serde(rename = "endpointOutput", borrow, default)]
    output: Option<Side<'a>>,
}

#[derive(Deserialize)]
struct Side<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow)]
    encoding: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "inferenceId", borrow, default)]
    inference_id: Option<Cow<'a, str>>,
    #[serde(rename = "eventId", borrow, default)]
    event_id: Option<Cow<'a, str>>,
    #[serde(rename = "inferenceTime")]
    time: Timestamp,
}

/// Whose rows, from which file, asked when.
struct Origin<'a> {
    whose: &'a Whose,
    file: &'a str,
    request: &'a str,
    time: Timestamp,
    source: &'static str,
}

/// Whole lines of an endpoint's capture file; `first` is the number of the first line, from 1.
pub fn endpoint_lines(whose: &Whose, file: &str, text: &[u8], first: u64) -> Piece {
    let mut piece = Piece::default();
    for (number, line) in (first..).zip(text.split(|byte| *byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Err((reason, rows)) = request(whose, file, line, &mut piece) {
            piece.skips.add(reason, rows, || format!("{file}:{number}"));
        }
        // Rows of a request that were left out one by one are told at the request's line.
        piece.skips.place(|| format!("{file}:{number}"));
    }
    piece
}

fn request(whose: &Whose, file: &str, line: &[u8], piece: &mut Piece) -> Result<(), (Reason, u64)> {
    let line: Line = serde_json::from_slice(line).map_err(|_| (Reason::NoRecord, 1))?;
    let id = line.event.inference_id.or(line.event.event_id);
    let request = id.ok_or((Reason::NoRecord, 1))?;
    let (Some(input), Some(output)) = (&line.data.input, &line.data.output) else {
        return Err((Reason::OneSided, 1));
    };
    let (input, output) = (input.text()?, output.text()?);
    let mut rows = Vec::new();
    csv_rows(&input, |fields| rows.push(fields));
    let answers: Vec<&str> = output.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if rows.len() != answers.len() {
        return Err((Reason::Answers, (rows.len() as u64).max(1)));
    }
    let origin = Origin {
        whose,
        file,
        request: &request,
        time: line.event.time,
        source: "endpoint",
    };
    for (row, (fields, answer)) in rows.iter().zip(answers).enumerate() {
        let id = format!("{request}#{row}");
        if let Err(reason) = record(&origin, &id, fields, answer, piece) {
            piece.skips.add(reason, 1, String::new);
        }
    }
    Ok(())
}

impl Side<'_> {
    fn text(&self) -> Result<Cow<'_, str>, (Reason, u64)> {
        match &*self.encoding {
            "CSV" => Ok(Cow::Borrowed(&self.data)),
            "BASE64" => {
                let bytes = BASE64_STANDARD.decode(self.data.as_bytes());
                let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
                text.map(Cow::Owned).ok_or((Reason::NoCsv, 1))
            }
            _ => Err((Reason::NoCsv, 1)),
        }
    }
}

/// Whole rows of a scoring run's capture file, without its header; `first` is the number of the first line, from 1.
pub fn batch_rows(whose: &Whose, file: &str, request: &str, time: Timestamp, text: &[u8], first: u64) -> Piece {
    let mut piece = Piece::default();
    let origin = Origin {
        whose,
        file,
        request,
        time,
        source: "batch",
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text);
    let mut row = csv::ByteRecord::new();
    loop {
        let line = first + reader.position().line() - 1;
        match reader.read_byte_record(&mut row) {
            Ok(true) => {}
            // From text in memory nothing else can come.
            Ok(false) | Err(_) => break,
        }
        let line = row.position().map_or(line, |position| first + position.line() - 1);
        let outcome = match csv::StringRecord::from_byte_record(row.clone()) {
            Err(_) => Err(Reason::NoText),
            Ok(fields) if fields.len() != whose.columns.len() + 2 => Err(Reason::Fields),
            Ok(fields) => {
                let columns = fields.iter().skip(1).take(whose.columns.len());
                let answer = fields.get(fields.len() - 1).unwrap_or_default().trim();
                record(&origin, &fields[0], &Row::Parsed(columns.collect()), answer, &mut piece)
            }
        };
        if let Err(reason) = outcome {
            piece.skips.add(reason, 1, || format!("{file}:{line}"));
        }
    }
    piece
}

/// Whether a batch file's header is that of the champion's columns.
pub fn is_batch_header(whose: &Whose, header: &[u8]) -> bool {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(header);
    let mut row = csv::StringRecord::new();
    let read = reader.read_record(&mut row).unwrap_or(false);
    let wanted = std::iter::once("id")
        .chain(whose.columns.iter().map(String::as_str))
        .chain(["prediction"]);
    read && row.iter().map(|name| name.trim_start_matches('\u{feff}')).eq(wanted)
}

/// A row of fields.
#[derive(Clone, Debug)]
enum Row<'a> {
    /// Without a quote: fields are what stands between commas.
    Plain(&'a str),
    /// Without their quotes.
    Owned(csv::StringRecord),
    /// The same.
    Parsed(Vec<&'a str>),
}

impl Row<'_> {
    fn each(&self, mut field: impl FnMut(&str)) {
        match self {
            Self::Plain(text) => text.split(',').for_each(field),
            Self::Owned(record) => record.iter().for_each(field),
            Self::Parsed(fields) => fields.iter().for_each(|it| field(it)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Plain(text) => text.split(',').count(),
            Self::Owned(record) => record.len(),
            Self::Parsed(fields) => fields.len(),
        }
    }
}

/// The rows of a CSV text without header; blank lines are nothing.
fn csv_rows<'a>(text: &'a str, mut row: impl FnMut(Row<'a>)) {
    if !text.contains('"') {
        let lines = text.split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
        lines
            .filter(|line| !line.trim().is_empty())
            .for_each(|line| row(Row::Plain(line)));
        return;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    for record in reader.records().map_while(Result::ok) {
        let blank = record.len() == 1 && record[0].trim().is_empty();
        if !blank {
            row(Row::Owned(record));
        }
    }
}

/// Writes a record to both outputs.
fn record(origin: &Origin<'_>, id: &str, row: &Row<'_>, answer: &str, piece: &mut Piece) -> Result<(), Reason> {
    if row.len() != origin.whose.columns.len() {
        return Err(Reason::Fields);
    }
    let prediction = number(answer).ok_or(Reason::NoNumber)?;
    let data = &mut piece.data;
    if let Row::Plain(text) = row {
        data.extend_from_slice(text.as_bytes());
    } else {
        let mut first = true;
        row.each(|field| {
            if !std::mem::take(&mut first) {
                data.push(b',');
            }
            quoted(field, data);
        });
    }
    data.push(b',');
    data.extend_from_slice(answer.as_bytes());
    data.push(b'\n');

    let out = &mut piece.records;
    let pairs = [
        (&b"{\"model\":"[..], origin.whose.model.as_str()),
        (b",\"id\":", id),
        (b",\"request\":", origin.request),
        (b",\"source\":", origin.source),
        (b",\"file\":", origin.file),
        (b",\"champion\":", origin.whose.champion.as_str()),
        (b",\"endpoint_config\":", origin.whose.endpoint_config.as_str()),
    ];
    for (name, value) in pairs {
        out.extend_from_slice(name);
        json_text(value, out);
    }
    // Writing into memory can't fail; a finite number always has a text.
    let _ = write!(out, ",\"time\":\"{}\",\"prediction\":", origin.time);
    let _ = serde_json::to_writer(&mut *out, &prediction);
    out.extend_from_slice(b",\"features\":{");
    let mut columns = origin.whose.columns.iter();
    let mut first = true;
    row.each(|field| {
        let column = columns.next().map_or("", String::as_str);
        if field.is_empty() {
            return;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        json_text(column, out);
        out.push(b':');
        json_text(field, out);
    });
    out.extend_from_slice(b"}}\n");
    piece.count += 1;
    Ok(())
}

/// A field of CSV, in quotes where it needs them.
fn quoted(field: &str, out: &mut Vec<u8>) {
    if !field.contains(['"', ',', '\n', '\r']) {
        out.extend_from_slice(field.as_bytes());
        return;
    }
    out.push(b'"');
    for part in field.split_inclusive('"') {
        out.extend_from_slice(part.as_bytes());
        if part.ends_with('"') {
            out.push(b'"');
        }
    }
    out.push(b'"');
}
