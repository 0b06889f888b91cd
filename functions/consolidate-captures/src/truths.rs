//! A file of ground truth: CSV with header, or JSON lines.

use consolidate::text::{number, whole_lines};
use contracts::use_case::Input;
use files::Numbers;
use serde::Deserialize;

/// Rows are read when there is so much of them.
const PIECE_BYTES: usize = 1 << 20;
/// A row longer than this is none: a quote that nobody has closed.
const ROW_BYTES: usize = 16 << 20;

/// A file that is being read.
pub(crate) struct TruthFile<'a> {
    target: &'a str,
    delimiter: u8,
    /// How numbers are written; none where they are as in JSON.
    numbers: Option<Numbers>,
    form: Form,
    text: Vec<u8>,
    /// Of the next row, from 1.
    line: u64,
}

enum Form {
    /// Nothing has been read.
    Unknown,
    JsonLines,
    /// The places of id and label.
    Csv(usize, usize),
    /// Without the columns that it needs: told once.
    Nothing,
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "groundTruthData")]
    data: Data,
    #[serde(rename = "eventMetadata")]
    event: Event,
}

#[derive(Deserialize)]
struct Data {
    data: String,
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "eventId")]
    id: String,
}

impl<'a> TruthFile<'a> {
    pub fn new(target: &'a str, input: &Input) -> Self {
        let plain = input.decimal == '.' && input.thousands.is_none();
        Self {
            target,
            // The document's is one of ASCII.
            delimiter: u8::try_from(input.delimiter).unwrap_or(b','),
            numbers: (!plain).then(|| Numbers::new(input)),
            form: Form::Unknown,
            text: Vec::new(),
            line: 1,
        }
    }

    /// The next bytes; `row` gets each row's line, and its id and label where it has both.
    pub fn read(&mut self, chunk: &[u8], ended: bool, mut row: impl FnMut(u64, Option<(String, f64)>)) {
        self.text.extend_from_slice(chunk);
        if !ended && self.text.len() < PIECE_BYTES {
            return;
        }
        if let Form::Unknown = self.form {
            let text = &self.text[..];
            let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
            self.text = text.to_vec();
        }
        let json = match self.form {
            Form::Unknown => self.text.trim_ascii_start().starts_with(b"{"),
            Form::JsonLines => true,
            Form::Csv(..) | Form::Nothing => false,
        };
        let mut end = if ended {
            self.text.len()
        } else {
            // JSON escapes its quotes another way, and no text of it holds a line's end.
            whole_lines(&self.text, !json)
        };
        if end == 0 && self.text.len() > ROW_BYTES {
            end = self.text.len();
        }
        let rest = self.text.split_off(end);
        let text = std::mem::replace(&mut self.text, rest);
        let lines = memchr::memchr_iter(b'\n', &text).count() as u64;
        if json {
            self.form = Form::JsonLines;
            json_lines(&text, self.line, &mut row);
        } else if !text.is_empty() {
            self.csv(&text, &mut row);
        }
        self.line += lines;
    }

    fn csv(&mut self, text: &[u8], row: &mut impl FnMut(u64, Option<(String, f64)>)) {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(text);
        let mut records = reader.records();
        if let Form::Unknown = self.form {
            let header = records.next().and_then(Result::ok).unwrap_or_default();
            let at = |name: &str| header.iter().position(|column| column.trim() == name);
            self.form = match (at("id"), at("label").or_else(|| at(self.target))) {
                (Some(id), Some(label)) => Form::Csv(id, label),
                _ => {
                    row(1, None);
                    Form::Nothing
                }
            };
        }
        let Form::Csv(id, label) = self.form else { return };
        let line = |position: Option<&csv::Position>| self.line - 1 + position.map_or(0, csv::Position::line);
        for record in records {
            match record {
                Ok(fields) => {
                    let id = fields.get(id).map(str::trim).filter(|id| !id.is_empty());
                    let value = fields.get(label).and_then(|text| match &self.numbers {
                        Some(numbers) => numbers.read(text),
                        None => number(text.trim()),
                    });
                    row(line(fields.position()), id.map(|id| with_row(id.to_owned())).zip(value));
                }
                Err(error) => row(line(error.position()), None),
            }
        }
    }
}

fn json_lines(text: &[u8], first: u64, row: &mut impl FnMut(u64, Option<(String, f64)>)) {
    for (line, text) in (first..).zip(text.split(|byte| *byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let label = serde_json::from_slice::<Line>(text).ok();
        row(
            line,
            label.and_then(|label| Some((with_row(label.event.id), number(label.data.data.trim())?))),
        );
    }
}

/// Requests of one row may be named without it.
fn with_row(id: String) -> String {
    let row = id.rsplit_once('#').map_or("", |(_, row)| row);
    if !row.is_empty() && row.bytes().all(|byte| byte.is_ascii_digit()) {
        id
    } else {
        format!("{id}#0")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<(u64, Option<(String, f64)>)> {
        let mut rows = Vec::new();
        let mut file = TruthFile::new("price", &Input::default());
        file.read(text.as_bytes(), false, |line, row| rows.push((line, row)));
        file.read(b"", true, |line, row| rows.push((line, row)));
        rows
    }

    fn label(id: &str, value: f64) -> Option<(String, f64)> {
        Some((id.to_owned(), value))
    }

    #[test]
    fn labels_are_read_in_every_form() {
        assert_eq!(
            of("id,label\na#0,1\na#1, 2.5 \n"),
            [(2, label("a#0", 1.0)), (3, label("a#1", 2.5))]
        );
        assert_eq!(of("\u{feff}price,x,id\n3,y,b\n"), [(2, label("b#0", 3.0))]);
        let line = r#"{"groundTruthData":{"data":"7","encoding":"CSV"},"eventMetadata":{"eventId":"c#2"}}"#;
        assert_eq!(of(&format!("{line}\n\n{{}}\n")), [(1, label("c#2", 7.0)), (3, None)]);
        assert_eq!(of(&format!("\u{feff}\n{line}")), [(2, label("c#2", 7.0))]);
        assert_eq!(of(""), []);
        assert_eq!(
            of("id,label\na#b,1\na#,2\na#1#0,3\n"),
            [
                (2, label("a#b#0", 1.0)),
                (3, label("a##0", 2.0)),
                (4, label("a#1#0", 3.0))
            ]
        );
    }

    #[test]
    fn what_is_no_label_is_told_with_its_line() {
        assert_eq!(of("id,worth\na,1\n"), [(1, None)]);
        assert_eq!(
            of("id,label\na#0\n,1\na#1,x\na#2,nan\n"),
            [(2, None), (3, None), (4, None), (5, None)]
        );
    }

    #[test]
    fn a_large_file_is_read_in_pieces() {
        let rows = 60_000_u32;
        let csv = |row: u32| format!("\"two\nlines\",r#{row},{row}\n");
        let csv: String = std::iter::once("note,id,label\n".to_owned())
            .chain((0..rows).map(csv))
            .collect();
        let json = |row| {
            let note = "\\\" ".repeat(row as usize % 2);
            format!(
                r#"{{"note":"{note}","groundTruthData":{{"data":"{row}"}},"eventMetadata":{{"eventId":"r#{row}"}}}}{}"#,
                "\n"
            )
        };
        let json: String = (0..rows).map(json).collect();
        for (text, line_of) in [(csv, [2, 2]), (json, [1, 1])] {
            assert!(text.len() > PIECE_BYTES);
            let mut file = TruthFile::new("price", &Input::default());
            let mut found = 0_u32;
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(100_001).collect();
            for (number, chunk) in chunks.iter().enumerate() {
                file.read(chunk, number + 1 == chunks.len(), |line, row| {
                    assert_eq!(row, label(&format!("r#{found}"), f64::from(found)));
                    assert_eq!(line, line_of[0] + line_of[1] * u64::from(found));
                    found += 1;
                });
            }
            assert_eq!(found, rows);
        }
    }
}
