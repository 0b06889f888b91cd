//! Reads a file of ground truth: CSV with a header, or JSON lines.

use consolidate::text::number;
use contracts::use_case::Input;
use files::{JsonLabel, Numbers};

/// Rows are parsed once this many bytes have arrived.
const PIECE_BYTES: usize = 1 << 20;
/// A row longer than this is not a row, but the result of a quote that is never closed.
const ROW_BYTES: usize = 16 << 20;

/// The content of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Row {
    /// An id and its label.
    Label(String, f64),
    /// No label; the number is that of the lines it takes.
    Unreadable(u64),
    /// Quotes that are never closed: this many lines are not read, from this one to the end of the file.
    Unclosed(u64),
}

impl Row {
    /// The number of lines that the row takes.
    pub fn lines(&self) -> u64 {
        match self {
            Self::Label(..) => 1,
            Self::Unreadable(lines) | Self::Unclosed(lines) => *lines,
        }
    }
}

/// A file that is being read.
pub(crate) struct TruthFile<'a> {
    target: &'a str,
    delimiter: u8,
    /// The format of numbers; `None` for that of JSON.
    numbers: Option<Numbers>,
    form: Form,
    text: Vec<u8>,
    /// The number of bytes to wait for before rows are parsed.
    piece_bytes: usize,
    /// The line of the next row, counted from 1.
    line: u64,
}

enum Form {
    /// Nothing has been read yet.
    Unknown,
    JsonLines,
    Csv(Columns),
    /// The rest is not read: its lines are counted and reported at the end.
    Unread(Unread),
}

#[derive(Clone, Copy)]
struct Columns {
    id: usize,
    label: usize,
    /// The number of columns.
    all: usize,
}

/// Lines that are not read, up to the end of the file.
struct Unread {
    /// The first of them.
    line: u64,
    lines: u64,
    /// Whether the last of them ends with a line end.
    ended: bool,
    /// The reason: quotes that are never closed, or else a header that does not name id and label exactly once each.
    unclosed: bool,
}

impl Unread {
    fn from(line: u64, unclosed: bool) -> Self {
        Self {
            line,
            lines: 0,
            ended: true,
            unclosed,
        }
    }

    fn add(&mut self, text: &[u8]) {
        self.lines += line_ends(text);
        self.ended = text.last().map_or(self.ended, |last| *last == b'\n');
    }

    fn row(&self) -> Row {
        let lines = self.lines + u64::from(!self.ended);
        if self.unclosed {
            Row::Unclosed(lines)
        } else {
            Row::Unreadable(lines)
        }
    }
}

fn line_ends(text: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', text).count() as u64
}

impl<'a> TruthFile<'a> {
    pub fn new(target: &'a str, input: &Input) -> Self {
        let plain = input.decimal == '.' && input.thousands.is_none();
        Self {
            target,
            // The document's check allows only ASCII delimiters.
            delimiter: u8::try_from(input.delimiter).unwrap_or(b','),
            numbers: (!plain).then(|| Numbers::new(input)),
            form: Form::Unknown,
            text: Vec::new(),
            piece_bytes: PIECE_BYTES,
            line: 1,
        }
    }

    /// Adds bytes; `row` is called with the line and the content of each row.
    pub fn read(&mut self, chunk: &[u8], ended: bool, mut row: impl FnMut(u64, Row)) {
        self.text.extend_from_slice(chunk);
        if matches!(self.form, Form::Unread(_)) {
            return self.pass_over(ended, &mut row);
        }
        if !ended && self.text.len() < self.piece_bytes {
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
            Form::Csv(_) | Form::Unread(_) => false,
        };
        let too_long = self.text.len() > ROW_BYTES;
        let mut end = if ended {
            self.text.len()
        } else {
            memchr::memrchr(b'\n', &self.text).map_or(0, |at| at + 1)
        };
        if end == 0 && too_long {
            end = self.text.len();
        }
        let mut unclosed = None;
        // JSON escapes its quotes differently, and no string in it contains a line end.
        if !json && let Some(start) = files::unclosed(&self.text[..end], self.delimiter) {
            if ended || too_long && start.at == 0 {
                unclosed = Some(self.line - 1 + start.line);
            }
            end = start.at;
        }
        // A long row is not searched again with each chunk of it.
        let more = if end == 0 { 2 * self.text.len() } else { PIECE_BYTES };
        self.piece_bytes = more.clamp(PIECE_BYTES, ROW_BYTES + 1);
        let rest = self.text.split_off(end);
        let text = std::mem::replace(&mut self.text, rest);
        if json {
            self.form = Form::JsonLines;
            json_lines(&text, self.line, &mut row);
        } else if !text.is_empty() {
            self.csv(&text, &mut row);
        }
        self.line += line_ends(&text);
        match (&mut self.form, unclosed) {
            (Form::Unread(_), _) => self.pass_over(ended, &mut row),
            (_, Some(line)) => {
                self.form = Form::Unread(Unread::from(line, true));
                self.pass_over(ended, &mut row);
            }
            _ => {}
        }
    }

    /// The file can't be read any further: reads the lines that have arrived completely, and returns the number of the
    /// first that has not.
    pub fn cut(&mut self, row: impl FnMut(u64, Row)) -> u64 {
        let whole = memchr::memrchr(b'\n', &self.text).map_or(0, |at| at + 1);
        self.text.truncate(whole);
        self.read(b"", true, row);
        self.line
    }

    /// Counts lines that are not read, and reports them at the end of the file.
    fn pass_over(&mut self, ended: bool, row: &mut impl FnMut(u64, Row)) {
        let Form::Unread(unread) = &mut self.form else { return };
        unread.add(&std::mem::take(&mut self.text));
        if ended {
            row(unread.line, unread.row());
        }
    }

    fn csv(&mut self, text: &[u8], row: &mut impl FnMut(u64, Row)) {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.delimiter)
            .from_reader(text);
        let mut records = reader.records();
        if let Form::Unknown = self.form {
            let header = records.next().and_then(Result::ok).unwrap_or_default();
            let called = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
                let columns = header.iter().enumerate().filter(|(_, column)| is(column.trim()));
                columns.map(|(at, _)| at).collect()
            };
            let ids = called(&|name| name == "id");
            let labels = called(&|name| name == "label" || name == self.target);
            // If two columns are possible, neither is used.
            self.form = match (&ids[..], &labels[..]) {
                ([id], [label]) => Form::Csv(Columns {
                    id: *id,
                    label: *label,
                    all: header.len(),
                }),
                _ => {
                    let mut unread = Unread::from(1, false);
                    unread.add(text);
                    Form::Unread(unread)
                }
            };
        }
        let Form::Csv(columns) = self.form else { return };
        let line = |position: Option<&csv::Position>| self.line - 1 + files::row_start(text, position).line;
        for record in records {
            match record {
                Ok(fields) => {
                    let lines = 1 + fields.iter().map(|field| line_ends(field.as_bytes())).sum::<u64>();
                    let label = self.label(&fields, columns);
                    let label = label.map_or(Row::Unreadable(lines), |(id, value)| Row::Label(id, value));
                    row(line(fields.position()), label);
                }
                Err(error) => row(line(error.position()), Row::Unreadable(1)),
            }
        }
    }

    /// Id and label of a row, if it has both and as many fields as the header.
    fn label(&self, fields: &csv::StringRecord, columns: Columns) -> Option<(String, f64)> {
        let id = fields.get(columns.id).map(str::trim);
        // Quotes that a later line happens to close turn everything in between into one id.
        let id = id.filter(|id| !id.is_empty() && !id.contains(['\r', '\n']) && fields.len() == columns.all)?;
        let text = fields.get(columns.label)?;
        let value = match &self.numbers {
            Some(numbers) => numbers.read(text),
            None => number(text.trim()),
        };
        Some((with_row(id.to_owned()), value?))
    }
}

fn json_lines(text: &[u8], first: u64, row: &mut impl FnMut(u64, Row)) {
    for (line, text) in (first..).zip(text.split(|byte| *byte == b'\n')) {
        if text.trim_ascii().is_empty() {
            continue;
        }
        let label = JsonLabel::read(text).and_then(|label| Some((label.id, number(label.text.trim())?)));
        let label = label.map_or(Row::Unreadable(1), |(id, value)| Row::Label(with_row(id), value));
        row(line, label);
    }
}

/// Completes the id of a request with only one row, which may be given without the row.
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

    fn of(text: &str) -> Vec<(u64, Row)> {
        let mut rows = Vec::new();
        let mut file = TruthFile::new("price", &Input::default());
        file.read(text.as_bytes(), false, |line, row| rows.push((line, row)));
        file.read(b"", true, |line, row| rows.push((line, row)));
        rows
    }

    fn label(id: &str, value: f64) -> Row {
        Row::Label(id.to_owned(), value)
    }

    #[test]
    fn labels_are_read_in_every_form() {
        assert_eq!(
            of("id,label\na#0,1\na#1, 2.5 \n"),
            [(2, label("a#0", 1.0)), (3, label("a#1", 2.5))]
        );
        assert_eq!(of("\u{feff}price,x,id\n3,y,b\n"), [(2, label("b#0", 3.0))]);
        let line = r#"{"groundTruthData":{"data":"7","encoding":"CSV"},"eventMetadata":{"eventId":"c#2"}}"#;
        assert_eq!(
            of(&format!("{line}\n\n{{}}\n")),
            [(1, label("c#2", 7.0)), (3, Row::Unreadable(1))]
        );
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
        let no_label = |line: u64| (line, Row::Unreadable(1));
        assert_eq!(
            of("id,label\na#0\n,1\na#1,x\na#2,nan\na#3,1,5\n"),
            [2, 3, 4, 5, 6].map(no_label)
        );
        // Whatever the line ends are, and also after blank lines.
        assert_eq!(of("id,label\r\na#0,x\r\n\r\na#1,y\r\n"), [2, 4].map(no_label));
        // A file without the necessary columns is lost as a whole.
        assert_eq!(of("id,worth\na,1\nb,2"), [(1, Row::Unreadable(3))]);
        // So is a file in which two columns could be the label, or the id.
        for header in ["id,label,price", "price,id,label", "id,price,price", "id,label,id"] {
            assert_eq!(of(&format!("{header}\n1,5,6\n")), [(1, Row::Unreadable(2))], "{header}");
        }
    }

    #[test]
    fn a_label_in_json_is_read_as_its_encoding_says() {
        let line = |data: &str| {
            format!(
                r#"{{"groundTruthData":{{"data":"{data}","encoding":"BASE64"}},"eventMetadata":{{"eventId":"c#2"}}}}"#
            )
        };
        assert_eq!(of(&line("Ny41")), [(1, label("c#2", 7.5))]);
        assert_eq!(of(&line("300000")), [(1, Row::Unreadable(1))]);
    }

    #[test]
    fn quotes_that_nothing_closes_end_a_file() {
        assert_eq!(
            of("id,label\na,1\n\"b,2\nc,3\nd,4\n"),
            [(2, label("a#0", 1.0)), (3, Row::Unclosed(3))]
        );
        assert_eq!(
            of("id,label\na,1\nb,\"2"),
            [(2, label("a#0", 1.0)), (3, Row::Unclosed(1))]
        );
        assert_eq!(of("id,\"label\na,1\n"), [(1, Row::Unclosed(2))]);
        // Quotes that a later line closes make one row of several lines, and no id.
        assert_eq!(
            of("id,label\n\"a,1\nb,2\nc\",3\nd,4\n"),
            [(2, Row::Unreadable(3)), (5, label("d#0", 4.0))]
        );
        // Quotes in the middle of a field have no meaning.
        assert_eq!(of("id,label\n5\" a,1\nb,2\n").len(), 2);
    }

    /// The rest may be larger than memory.
    #[test]
    fn a_large_rest_is_counted_in_pieces() {
        let line = "some row that is not read,12345678\n";
        let mut file = TruthFile::new("price", &Input::default());
        let mut rows = Vec::new();
        let mut tell = |line: u64, row| rows.push((line, row));
        file.read(b"id,label\na,1\n\"b,2\n", false, &mut tell);
        let chunk = line.repeat(10_000);
        let chunks = 3 * ROW_BYTES / chunk.len();
        for _ in 0..chunks {
            file.read(chunk.as_bytes(), false, &mut tell);
            assert!(file.text.len() <= ROW_BYTES + chunk.len());
        }
        file.read(b"end", true, &mut tell);
        let lines = 2 + 10_000 * chunks as u64;
        assert_eq!(rows, [(2, label("a#0", 1.0)), (3, Row::Unclosed(lines))]);
    }

    #[test]
    fn of_a_damaged_file_whole_lines_are_read() {
        let mut file = TruthFile::new("price", &Input::default());
        let mut rows = Vec::new();
        file.read(b"id,label\na,1\nb,2\nc,3", false, |line, row| rows.push((line, row)));
        let broken_at = file.cut(|line, row| rows.push((line, row)));
        assert_eq!(broken_at, 4);
        assert_eq!(rows, [(2, label("a#0", 1.0)), (3, label("b#0", 2.0))]);
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
