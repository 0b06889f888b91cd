//! Records of a short CSV text in memory: a captured payload, or a ground-truth file.
//!
//! RFC 4180 with any line ending; blank lines are dropped, as in the contract. There are no errors: a quote that is not
//! closed extends to the end of the text. Data sets are not read by this module (`read` has its own tokens).
//!
//! The crate `csv` reads the same records, as a test proves. But there is a text for every captured line, and a reader of
//! that crate builds its tables for each: that takes a hundred times as long as reading the line.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr3};

/// The records of a text, which is not searched for a header.
#[derive(Clone, Debug)]
pub struct Records<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

/// The fields of a record, unquoted.
pub type Record<'t> = Vec<Cow<'t, str>>;

impl<'t> Records<'t> {
    /// The records from the beginning of `text`.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line (from 1) at which the next record, or a blank line before it, begins.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Moves past the line ending at `end`.
    fn skip_ending(&mut self, end: usize) {
        let rest = &self.text.as_bytes()[end..];
        let length = match rest {
            [b'\r', b'\n', ..] => 2,
            [_, ..] => 1,
            [] => return self.at = end,
        };
        self.line += 1;
        self.at = end + length;
    }

    /// Reads a record with quotes from the current position.
    fn quoted(&mut self) -> Record<'t> {
        let bytes = self.text.as_bytes();
        let mut record = Vec::new();
        loop {
            let (field, end) = if bytes.get(self.at) == Some(&b'"') {
                self.quoted_field()
            } else {
                let end = memchr3(b',', b'\n', b'\r', &bytes[self.at..]).map_or(bytes.len(), |length| self.at + length);
                (Cow::Borrowed(&self.text[self.at..end]), end)
            };
            record.push(field);
            if bytes.get(end) != Some(&b',') {
                self.skip_ending(end);
                return record;
            }
            self.at = end + 1;
        }
    }

    /// Reads a field that begins with a quote; returns it and the position after it.
    fn quoted_field(&mut self) -> (Cow<'t, str>, usize) {
        let bytes = self.text.as_bytes();
        let mut field = Cow::Borrowed("");
        let mut at = self.at + 1;
        loop {
            let Some(length) = memchr(b'"', &bytes[at..]) else {
                self.line += newlines(&bytes[at..]);
                append(&mut field, &self.text[at..]);
                return (field, bytes.len());
            };
            self.line += newlines(&bytes[at..at + length]);
            append(&mut field, &self.text[at..at + length]);
            at += length + 1;
            if bytes.get(at) == Some(&b'"') {
                append(&mut field, "\"");
                at += 1;
                continue;
            }
            // Text after a closing quote still belongs to the field.
            let end = memchr3(b',', b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |length| at + length);
            append(&mut field, &self.text[at..end]);
            return (field, end);
        }
    }
}

impl<'t> Iterator for Records<'t> {
    type Item = Record<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.at < self.text.len() {
            let rest = &self.text[self.at..];
            let line = memchr2(b'\n', b'\r', rest.as_bytes()).map_or(rest, |end| &rest[..end]);
            if line.trim().is_empty() {
                self.skip_ending(self.at + line.len());
                continue;
            }
            if memchr(b'"', line.as_bytes()).is_some() {
                return Some(self.quoted());
            }
            self.skip_ending(self.at + line.len());
            return Some(line.split(',').map(Cow::Borrowed).collect());
        }
        None
    }
}

/// Writes a field so that it is read back unchanged, even if it is empty and the only one.
pub(crate) fn write_field(text: &mut String, field: &str) {
    if field.trim().is_empty() || memchr3(b',', b'\n', b'\r', field.as_bytes()).is_some() || field.contains('"') {
        text.push('"');
        text.push_str(&field.replace('"', "\"\""));
        text.push('"');
    } else {
        text.push_str(field);
    }
}

fn append<'t>(field: &mut Cow<'t, str>, text: &'t str) {
    if field.is_empty() {
        *field = Cow::Borrowed(text);
    } else if !text.is_empty() {
        field.to_mut().push_str(text);
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        Records::new(text)
            .map(|record| record.into_iter().map(Cow::into_owned).collect())
            .collect()
    }

    #[test]
    fn fields_may_hold_commas_quotes_and_lines() {
        assert_eq!(
            read("a,\"b,\"\"c\"\"\"\r\n\n  \n\"x\ny\",\n\"\""),
            [vec!["a", "b,\"c\""], vec!["x\ny", ""], vec![""]]
        );
        assert_eq!(read("\"never closed,\n"), [["never closed,\n"]]);
        assert!(read(" \r\n").is_empty());
    }

    #[test]
    fn plain_fields_are_not_copied() {
        let record = Records::new("a,\"b\",c").next().unwrap();
        assert!(record.iter().all(|field| matches!(field, Cow::Borrowed(_))));
    }

    #[test]
    fn lines_are_counted_through_quotes() {
        let mut records = Records::new("\"a\nb\",1\nc,2\n");
        records.next();
        assert_eq!(records.line(), 3);
    }

    #[test]
    fn written_fields_are_read_back() {
        for field in ["", " ", "a", "a,b", "a\"b", "\"", "a\nb"] {
            let mut text = String::new();
            write_field(&mut text, field);
            assert_eq!(read(&text), [[field]]);
        }
    }

    proptest! {
        #[test]
        fn records_are_those_of_the_csv_crate(text in "[ab,\"\n\r]{0,40}") {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let expected: Vec<Vec<String>> =
                reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect();
            prop_assert_eq!(read(&text), expected);
        }
    }
}
