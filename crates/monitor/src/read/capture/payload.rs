//! Converts the body of a request or response to rows of values: CSV and JSON, of which one record may hold many rows.
//!
//! JSON may be an array of values (one row), of arrays or of objects (one row each), a single object (one row with
//! names), a single value, or several of these one after the other. As with several model servers, each may also be the
//! only member `instances` or `predictions` of an object; the only member `features` is one row.

use super::super::cells::{NOTHING, Place};
use super::super::json_lines::scan::{self, Broken, Scanner, Token};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::borrow::Cow;

/// `captureData.endpointInput` and similar members.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payload<'l> {
    #[serde(borrow, default)]
    observed_content_type: Option<Text<'l>>,
    #[serde(borrow, default)]
    encoding: Option<Text<'l>>,
    #[serde(borrow)]
    data: Cow<'l, str>,
}

/// Borrowed if there are no escapes, which an `Option<Cow>` would not be.
#[derive(Deserialize)]
struct Text<'l>(#[serde(borrow)] Cow<'l, str>);

/// The rows of a payload, by the positions of their values.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Positional values, row after row.
    pub places: Vec<Place>,
    /// End of each row in `places`.
    pub ends: Vec<usize>,
    /// Named values, with their row.
    pub named: Vec<(usize, Vec<u8>, Place)>,
    /// Number of lists that were read as text.
    pub lists: usize,
    path: Vec<u8>,
}

impl Values {
    pub fn clear(&mut self) {
        self.places.clear();
        self.ends.clear();
        self.named.clear();
        self.lists = 0;
    }

    pub fn rows(&self) -> usize {
        self.ends.len()
    }

    /// The positional values of a row.
    pub fn row(&self, row: usize) -> &[Place] {
        let end = self.ends.get(row).copied().unwrap_or_default();
        let start = row.checked_sub(1).and_then(|it| self.ends.get(it)).copied();
        self.places.get(start.unwrap_or(0)..end).unwrap_or_default()
    }

    /// Treats several rows of one value as a single row, because some servers answer in this form.
    pub fn turn(&mut self) {
        self.ends = (1..=self.places.len()).collect();
    }

    /// Reads a payload. It borrows from `text`; values that are not in the text in their final form are added to
    /// `side`, which will begin at `side_start`.
    pub fn read(
        &mut self,
        payload: &Payload<'_>,
        text: &[u8],
        side: &mut Vec<u8>,
        side_start: usize,
    ) -> Result<(), Cow<'static, str>> {
        let decoded;
        let mut data = payload.data.as_bytes();
        let encoding = payload.encoding.as_ref().map_or("", |it| it.0.as_ref());
        let kind = payload.observed_content_type.as_ref().map_or("", |it| it.0.as_ref());
        let mut json = kind.contains("json");
        match encoding {
            "JSON" => json = true,
            "CSV" => json = false,
            "BASE64" => {
                let bytes = STANDARD
                    .decode(data)
                    .map_err(|error| format!("the BASE64 data is not valid: {error}"))?;
                decoded = String::from_utf8_lossy(&bytes).into_owned();
                data = decoded.as_bytes();
                if !json && !kind.contains("csv") {
                    json = matches!(data.trim_ascii_start().first(), Some(b'{' | b'['));
                }
            }
            "" => {}
            other => return Err(format!("the encoding is {other}: only CSV, JSON and BASE64 are known").into()),
        }
        if json {
            return self
                .json(data, side, side_start)
                .map_err(|broken| format!("the JSON data is broken at byte {}: {}", broken.at, broken.what).into());
        }
        // If data is borrowed from the line, its distance from the beginning of the text is its position.
        let at = (data.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        let base = if at < text.len() {
            at
        } else {
            let base = side_start + side.len();
            side.extend_from_slice(data);
            base
        };
        self.csv(data, base);
        Ok(())
    }

    /// Reads CSV without a header that begins at `base`.
    fn csv(&mut self, data: &[u8], base: usize) {
        let mut at = 0;
        let mut row_start = self.places.len();
        while at < data.len() {
            let rest = data.get(at..).unwrap_or_default();
            let quoted = if rest.first() == Some(&b'"') {
                closing_quote(rest)
            } else {
                0
            };
            let end = memchr::memchr2(b',', b'\n', rest.get(quoted..).unwrap_or_default())
                .map_or(data.len(), |length| at + quoted + length);
            let ends_row = data.get(end) != Some(&b',');
            let return_before = usize::from(ends_row && end > at && data.get(end - 1) == Some(&b'\r'));
            let field = data.get(at..end - return_before).unwrap_or_default();
            let alone = ends_row && self.places.len() == row_start;
            if !alone || field.iter().any(|it| *it > b' ') {
                self.places.push(((base + at) as u32, (base + at + field.len()) as u32));
                if ends_row {
                    self.ends.push(self.places.len());
                    row_start = self.places.len();
                }
            }
            at = end + 1;
        }
        if data.last() == Some(&b',') {
            // The field after the last delimiter is empty.
            self.places.push(NOTHING);
        }
        if self.places.len() > row_start {
            self.ends.push(self.places.len());
        }
    }

    fn json(&mut self, data: &[u8], side: &mut Vec<u8>, side_start: usize) -> Result<(), Broken> {
        // The scanner stops at a newline, but here it is white space like any other.
        let text: Vec<u8> = data.iter().map(|it| if *it == b'\n' { b' ' } else { *it }).collect();
        let mut scanner = Scanner::new(&text, 0);
        let mut target = Target { side, side_start };
        loop {
            scanner.spaces();
            if scanner.at >= text.len() {
                return Ok(());
            }
            if !scanner.take(b',') {
                self.document(&mut scanner, &mut target)?;
            }
        }
    }

    /// Reads a top-level value: one row or many.
    fn document(&mut self, scanner: &mut Scanner<'_>, target: &mut Target<'_>) -> Result<(), Broken> {
        let mut ahead = *scanner;
        match ahead.value()? {
            Token::Array(start, _) => {
                *scanner = ahead;
                self.rows_of(Scanner::from(&ahead, start + 1), target)
            }
            Token::Object => {
                if let Some((key, start, end)) = only_list(ahead)? {
                    scanner.at = end;
                    if matches!(key, b"instances" | b"predictions") {
                        return self.rows_of(Scanner::from(&ahead, start + 1), target);
                    }
                    return self.positional(Scanner::from(&ahead, start + 1), target);
                }
                self.row_of(scanner, target)
            }
            _ => self.row_of(scanner, target),
        }
    }

    /// Reads the elements of an array after its `[`: each is a row, or all of them form one row.
    fn rows_of(&mut self, mut scanner: Scanner<'_>, target: &mut Target<'_>) -> Result<(), Broken> {
        scanner.spaces();
        match scanner.peek() {
            Some(b']') => Ok(()),
            Some(b'[' | b'{') => loop {
                self.row_of(&mut scanner, target)?;
                if !scanner.more(b']')? {
                    return Ok(());
                }
            },
            _ => self.positional(scanner, target),
        }
    }

    /// Reads a value that is a row.
    fn row_of(&mut self, scanner: &mut Scanner<'_>, target: &mut Target<'_>) -> Result<(), Broken> {
        match scanner.value()? {
            Token::Array(start, _) => self.positional(Scanner::from(scanner, start + 1), target),
            Token::Object => {
                if let Some((b"features", start, end)) = only_list(*scanner)? {
                    let within = Scanner::from(scanner, start + 1);
                    scanner.at = end;
                    return self.positional(within, target);
                }
                let row = self.ends.len();
                let mut path = std::mem::take(&mut self.path);
                path.clear();
                let text = *scanner;
                let result = scanner.members(&mut path, &mut |name, token| {
                    self.lists += usize::from(matches!(token, Token::Array(..)));
                    self.named.push((row, name.to_vec(), target.put(&text, token)));
                });
                self.path = path;
                self.ends.push(self.places.len());
                result
            }
            token => {
                self.places.push(target.put(scanner, token));
                self.ends.push(self.places.len());
                Ok(())
            }
        }
    }

    /// Reads the elements of an array after its `[`, as one row.
    fn positional(&mut self, mut scanner: Scanner<'_>, target: &mut Target<'_>) -> Result<(), Broken> {
        scanner.spaces();
        if !scanner.take(b']') {
            loop {
                let start = scanner.at;
                let token = match scanner.value()? {
                    Token::Object => {
                        scanner.at = start;
                        scanner.skip(0)?;
                        Token::Array(start, scanner.at)
                    }
                    token => token,
                };
                self.lists += usize::from(matches!(token, Token::Array(..)));
                self.places.push(target.put(&scanner, token));
                if !scanner.more(b']')? {
                    break;
                }
            }
        }
        self.ends.push(self.places.len());
        Ok(())
    }
}

type OnlyList<'t> = (&'t [u8], usize, usize);

/// Reads an object after its `{` if its only member is a list with one of the known names: returns the key, the start
/// of the list, and the end of the object.
fn only_list(mut scanner: Scanner<'_>) -> Result<Option<OnlyList<'_>>, Broken> {
    scanner.spaces();
    if scanner.peek() != Some(b'"') {
        return Ok(None);
    }
    let (start, end, _) = scanner.key()?;
    let key = scanner.text(start, end);
    if !matches!(key, b"instances" | b"predictions" | b"features") || scanner.peek() != Some(b'[') {
        return Ok(None);
    }
    let start = scanner.at;
    scanner.skip(0)?;
    Ok((!scanner.more(b'}')?).then_some((key, start, scanner.at)))
}

/// End of the field's closing quote; the end of the text if there is none.
fn closing_quote(field: &[u8]) -> usize {
    let mut at = 1;
    while let Some(length) = memchr::memchr(b'"', field.get(at..).unwrap_or_default()) {
        at += length + 1;
        if field.get(at) != Some(&b'"') {
            return at;
        }
        at += 1;
    }
    field.len()
}

/// Where values are written that are not in the text in their final form.
struct Target<'s> {
    side: &'s mut Vec<u8>,
    side_start: usize,
}

impl Target<'_> {
    /// Adds a value in the form of a CSV field: an empty text and one that begins with a quote need quotes.
    fn put(&mut self, scanner: &Scanner<'_>, token: Token) -> Place {
        let (start, end, escapes) = match token {
            Token::Null | Token::Object => return NOTHING,
            Token::Scalar(start, end) | Token::Array(start, end) => (start, end, false),
            Token::String(start, end, escapes) => (start, end, escapes),
        };
        let from = self.side.len();
        scan::append(self.side, scanner.text(start, end), escapes);
        if matches!(self.side.get(from), None | Some(b'"')) {
            let value = self.side.split_off(from);
            self.side.push(b'"');
            for byte in value {
                self.side.push(byte);
                if byte == b'"' {
                    self.side.push(byte);
                }
            }
            self.side.push(b'"');
        }
        let at = |offset: usize| (self.side_start + offset) as u32;
        (at(from), at(self.side.len()))
    }
}
