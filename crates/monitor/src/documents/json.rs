//! JSON in which every value has its position, so that an error can give line and column.
//!
//! Strict, except for what tools really write: a byte order mark before the document, and `NaN`, `Infinity` and
//! `-Infinity` as written by Python. Never panics; the depth is limited. `fields` interprets the values.

use super::error::DocumentError;

/// Maximum depth of nested arrays and objects; the contract's files need 9.
const MAX_DEPTH: usize = 64;

/// A value and its position.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Offset in bytes from the beginning; see [`line_and_column`].
    pub offset: usize,
    /// The value.
    pub value: Value,
}

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without point and exponent, if it fits.
    Whole(i64),
    /// Any other number.
    Double(f64),
    /// A string.
    Text(String),
    /// `[ … ]`.
    Array(Vec<Node>),
    /// `{ … }`: the members in order, including repeated ones.
    Object(Vec<Member>),
}

impl Value {
    /// For messages: `a string`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Whole(_) | Self::Double(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The key as written.
    pub key: String,
    /// Offset of the key in bytes from the beginning.
    pub offset: usize,
    /// Its value.
    pub node: Node,
}

/// Parses a document; `name` is the name of its file for the error.
pub fn parse(text: &str, name: &str) -> Result<Node, DocumentError> {
    let mut parser = Parser { text, at: 0 };
    if text.starts_with('\u{feff}') {
        parser.at = '\u{feff}'.len_utf8();
    }
    let document = (|| {
        let node = parser.value(0)?;
        parser.blanks();
        if parser.at < text.len() {
            return Err(parser.wrong("something follows the end of the document: remove it"));
        }
        Ok(node)
    })();
    document.map_err(|wrong| error_at(text, name, wrong.offset, wrong.what))
}

/// The bytes of a file as text; an error if they are not UTF-8.
pub fn utf8<'a>(bytes: &'a [u8], name: &str) -> Result<&'a str, DocumentError> {
    std::str::from_utf8(bytes).map_err(|error| {
        // Everything before the error is valid.
        let valid = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        error_at(
            valid,
            name,
            valid.len(),
            "this is not UTF-8: save the file as UTF-8".to_owned(),
        )
    })
}

/// Line and column of an offset: both from 1, the column in characters.
pub fn line_and_column(text: &str, offset: usize) -> (u64, u64) {
    let before = text.get(..offset).unwrap_or(text);
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() as u64 + 1;
    (
        line,
        before[start..].trim_start_matches('\u{feff}').chars().count() as u64 + 1,
    )
}

/// An error at an offset.
pub(super) fn error_at(text: &str, name: &str, offset: usize, what: String) -> DocumentError {
    let (line, column) = line_and_column(text, offset);
    DocumentError {
        file: name.to_owned(),
        line,
        column,
        what,
    }
}

/// An error and its position.
struct Wrong {
    offset: usize,
    what: String,
}

struct Parser<'a> {
    text: &'a str,
    /// Offset in bytes; always between two characters.
    at: usize,
}

impl Parser<'_> {
    fn wrong(&self, what: &str) -> Wrong {
        Wrong {
            offset: self.at,
            what: what.to_owned(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Consumes the byte if it comes next.
    fn accept(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn value(&mut self, depth: usize) -> Result<Node, Wrong> {
        self.blanks();
        let offset = self.at;
        if depth > MAX_DEPTH {
            return Err(
                self.wrong("arrays and objects are nested too deeply here: this is not one of the contract's files")
            );
        }
        let value = match self.peek() {
            None if self.text.trim().is_empty() => {
                return Err(self.wrong("the file is empty: a JSON object was expected"));
            }
            None => return Err(self.wrong("the file ends in the middle of the document: is it complete?")),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') if !self.rest().starts_with("-Infinity") => self.number()?,
            Some(_) => self.word()?,
        };
        Ok(Node { offset, value })
    }

    fn object(&mut self, depth: usize) -> Result<Value, Wrong> {
        self.at += 1;
        let mut members = Vec::new();
        self.blanks();
        if self.accept(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.blanks();
            let offset = self.at;
            match self.peek() {
                Some(b'"') => {}
                Some(b'}') => return Err(self.wrong("there is a comma before this brace: remove it")),
                None => return Err(self.wrong("the file ends within an object: is it complete?")),
                Some(_) => return Err(self.wrong("a key in double quotes was expected here")),
            }
            let key = self.string()?;
            self.blanks();
            if !self.accept(b':') {
                return Err(self.wrong("a colon was expected here, after the key"));
            }
            let node = self.value(depth + 1)?;
            members.push(Member { key, offset, node });
            self.blanks();
            if self.accept(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.accept(b',') {
                return Err(self.wrong("a comma or a closing brace was expected here"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, Wrong> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.accept(b']') {
            return Ok(Value::Array(items));
        }
        loop {
            self.blanks();
            if self.peek() == Some(b']') {
                return Err(self.wrong("there is a comma before this bracket: remove it"));
            }
            items.push(self.value(depth + 1)?);
            self.blanks();
            if self.accept(b']') {
                return Ok(Value::Array(items));
            }
            if !self.accept(b',') {
                return Err(self.wrong("a comma or a closing bracket was expected here"));
            }
        }
    }

    fn word(&mut self) -> Result<Value, Wrong> {
        for (word, value) in [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Double(f64::NAN)),
            ("Infinity", Value::Double(f64::INFINITY)),
            ("-Infinity", Value::Double(f64::NEG_INFINITY)),
        ] {
            if let Some(after) = self.rest().strip_prefix(word)
                && !after.starts_with(|next: char| next.is_alphanumeric() || next == '_')
            {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.wrong(
            "a value was expected here: an object, an array, a string in double quotes, a number, true, false or null",
        ))
    }

    fn digits(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start {
            Err(self.wrong("a digit was expected here"))
        } else {
            Ok(())
        }
    }

    fn number(&mut self) -> Result<Value, Wrong> {
        let start = self.at;
        self.accept(b'-');
        if self.accept(b'0') {
            if matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.wrong("a number does not begin with a zero: remove it"));
            }
        } else {
            self.digits()?;
        }
        let mut whole = true;
        if self.accept(b'.') {
            whole = false;
            self.digits()?;
        }
        if self.accept(b'e') || self.accept(b'E') {
            whole = false;
            let _ = self.accept(b'+') || self.accept(b'-');
            self.digits()?;
        }
        let text = &self.text[start..self.at];
        // -0 is read as a double, because an integer would lose its sign.
        if whole
            && text != "-0"
            && let Ok(value) = text.parse()
        {
            return Ok(Value::Whole(value));
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Value::Double(value)),
            _ => Err(Wrong {
                offset: start,
                what: "this number is too large".to_owned(),
            }),
        }
    }

    fn string(&mut self) -> Result<String, Wrong> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let plain = self.rest().find(|next: char| next < ' ' || next == '"' || next == '\\');
            let Some(plain) = plain else {
                return Err(Wrong {
                    offset: start,
                    what: "this string does not end: a double quote is missing".to_owned(),
                });
            };
            out.push_str(&self.text[self.at..self.at + plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => out.push(self.escape()?),
                _ => return Err(self.wrong("a string does not go over the end of a line, and a tab is written \\t")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Wrong> {
        let wrong = self.wrong("this is not an escape of JSON: a backslash itself is written \\\\");
        self.at += 1;
        let plain = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let Some(unit) = self.hex() else { return Err(wrong) };
                // Characters beyond U+FFFF are written as two escapes: a high surrogate and a low one.
                let code = if (0xd800..0xdc00).contains(&unit) && self.accept(b'\\') && self.accept(b'u') {
                    match self.hex() {
                        Some(low @ 0xdc00..0xe000) => 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00),
                        _ => unit,
                    }
                } else {
                    unit
                };
                return char::from_u32(code).ok_or(Wrong {
                    what: "this escape is half a character".to_owned(),
                    ..wrong
                });
            }
            _ => return Err(wrong),
        };
        self.at += 1;
        Ok(plain)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests;
