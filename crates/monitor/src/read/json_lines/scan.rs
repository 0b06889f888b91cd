//! Reads JSON one value at a time, by position in the text.
//!
//! The grammar is that of RFC 8259. In addition, `NaN`, `Infinity` and `-Infinity` are values, because many programs
//! write them and the reference reads them. A value never extends beyond its line: a newline ends everything.

/// Maximum depth of nesting; the stack is just large enough for it.
const DEEPEST: usize = 64;

/// A value, or the beginning of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// `null`.
    Null,
    /// A number, `true` or `false`, by the position of its text.
    Scalar(usize, usize),
    /// A string, by the position of the text within its quotes, and whether it contains escapes.
    String(usize, usize, bool),
    /// A whole array, by the position of its text.
    Array(usize, usize),
    /// The `{` of an object.
    Object,
}

/// An error and its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Offset in the text, from 0.
    pub at: usize,
    /// Description for people.
    pub what: &'static str,
}

/// The function that gets each value of an object with its key.
pub type OnMember<'f> = dyn FnMut(&[u8], Token) + 'f;

/// Scanner of a text.
#[derive(Clone, Copy)]
pub struct Scanner<'t> {
    text: &'t [u8],
    /// Current position.
    pub at: usize,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

impl<'t> Scanner<'t> {
    /// A scanner that begins at a position in a text.
    pub fn new(text: &'t [u8], at: usize) -> Self {
        Self { text, at }
    }

    /// A scanner at another position in the text of `other`.
    pub fn from(other: &Self, at: usize) -> Self {
        Self { text: other.text, at }
    }

    /// The next byte.
    #[inline(always)]
    pub fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// A part of the text.
    #[inline(always)]
    pub fn text(&self, start: usize, end: usize) -> &'t [u8] {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The rest of the text.
    #[inline(always)]
    pub fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Skips spaces, but not a newline.
    #[inline(always)]
    pub fn spaces(&mut self) {
        while let Some(b' ' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    /// Skips this byte if it comes next.
    #[inline(always)]
    pub fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    /// An error at the current position.
    #[cold]
    pub fn broken(&self, what: &'static str) -> Broken {
        Broken { at: self.at, what }
    }

    /// Reads a key, with the colon and the spaces around it.
    #[inline]
    pub fn key(&mut self) -> Result<(usize, usize, bool), Broken> {
        if self.peek() != Some(b'"') {
            return Err(self.broken("a key in quotes is expected"));
        }
        let key = self.string()?;
        self.colon()?;
        Ok(key)
    }

    /// Skips a colon and the spaces around it.
    #[inline(always)]
    pub fn colon(&mut self) -> Result<(), Broken> {
        self.spaces();
        if !self.take(b':') {
            return Err(self.broken("`:` is expected after a key"));
        }
        self.spaces();
        Ok(())
    }

    /// Skips what follows a member or an element; returns true if another one comes.
    #[inline(always)]
    pub fn more(&mut self, close: u8) -> Result<bool, Broken> {
        self.spaces();
        if self.take(b',') {
            self.spaces();
            return Ok(true);
        }
        if self.take(close) {
            return Ok(false);
        }
        Err(self.broken(if close == b'}' {
            "`,` or `}` is expected"
        } else {
            "`,` or `]` is expected"
        }))
    }

    /// Reads the next value; for an object, only its `{`.
    #[inline(always)]
    pub fn value(&mut self) -> Result<Token, Broken> {
        match self.peek() {
            Some(b'"') => self
                .string()
                .map(|(start, end, escapes)| Token::String(start, end, escapes)),
            Some(b'0'..=b'9') => self.number(self.at),
            _ => self.other_value(),
        }
    }

    #[inline(never)]
    fn other_value(&mut self) -> Result<Token, Broken> {
        let start = self.at;
        let mut word = |word: &[u8]| {
            let found = self.text.get(start..).is_some_and(|it| it.starts_with(word));
            self.at += if found { word.len() } else { 0 };
            found
        };
        if word(b"null") {
            return Ok(Token::Null);
        }
        if word(b"true") || word(b"false") || word(b"NaN") || word(b"Infinity") || word(b"-Infinity") {
            return Ok(Token::Scalar(start, self.at));
        }
        match self.peek() {
            Some(b'-') => {
                self.at += 1;
                self.number(start)
            }
            Some(b'{') => {
                self.at += 1;
                Ok(Token::Object)
            }
            Some(b'[') => {
                self.skip(0)?;
                Ok(Token::Array(start, self.at))
            }
            _ => Err(self.broken("a value is expected")),
        }
    }

    /// Reads a number from its first digit on; the number itself begins at `start`.
    #[inline(always)]
    fn number(&mut self, start: usize) -> Result<Token, Broken> {
        let zero = self.peek() == Some(b'0');
        let first = self.at;
        self.digits()?;
        if zero && self.at > first + 1 {
            return Err(self.broken("a number must not begin with 0"));
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Token::Scalar(start, self.at))
    }

    #[inline(always)]
    fn digits(&mut self) -> Result<(), Broken> {
        let count = self.rest().iter().take_while(|it| it.is_ascii_digit()).count();
        self.at += count;
        if count == 0 {
            return Err(self.broken("a digit is expected"));
        }
        Ok(())
    }

    /// Reads a string from its opening quote on: its content, and whether there are escapes. Escapes are validated.
    #[inline(always)]
    pub fn string(&mut self) -> Result<(usize, usize, bool), Broken> {
        self.at += 1;
        let start = self.at;
        let mut escapes = false;
        loop {
            self.plain();
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok((start, self.at - 1, escapes));
                }
                Some(b'\\') => {
                    escapes = true;
                    self.escape()?;
                }
                Some(b'\n') | None => return Err(self.broken("this string is not closed")),
                Some(_) => return Err(self.broken("a control character in a string must be escaped")),
            }
        }
    }

    /// Moves to the next quote, backslash or control character.
    #[inline(always)]
    fn plain(&mut self) {
        while let Some(bytes) = self.rest().first_chunk::<8>() {
            let word = u64::from_le_bytes(*bytes);
            let equal = |byte: u8| {
                let other = word ^ (ONES * u64::from(byte));
                other.wrapping_sub(ONES) & !other
            };
            // High bits above the lowest one may be wrong, but the lowest is right.
            let control = word.wrapping_sub(ONES * 0x20) & !word;
            let found = (equal(b'"') | equal(b'\\') | control) & HIGHS;
            if found != 0 {
                self.at += found.trailing_zeros() as usize / 8;
                return;
            }
            self.at += 8;
        }
        while self.peek().is_some_and(|it| it >= b' ' && it != b'"' && it != b'\\') {
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Result<(), Broken> {
        match self.text.get(self.at + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 2;
                Ok(())
            }
            Some(b'u') if hex(self.text, self.at + 2).is_some() => {
                self.at += 6;
                Ok(())
            }
            _ => Err(self.broken("this escape is none of JSON's")),
        }
    }

    /// Skips the end of the line.
    #[inline(always)]
    pub fn end(&mut self) -> Result<(), Broken> {
        self.spaces();
        if !self.take(b'\n') {
            return Err(self.broken("nothing is expected after the object of a line"));
        }
        Ok(())
    }

    /// Skips a whole value of any type.
    pub fn skip(&mut self, depth: usize) -> Result<(), Broken> {
        if depth > DEEPEST {
            return Err(self.broken("values are nested too deep"));
        }
        if self.take(b'[') {
            self.spaces();
            if self.take(b']') {
                return Ok(());
            }
            loop {
                self.skip(depth + 1)?;
                if !self.more(b']')? {
                    return Ok(());
                }
            }
        }
        if self.value()? == Token::Object {
            self.spaces();
            if self.take(b'}') {
                return Ok(());
            }
            loop {
                self.key()?;
                self.skip(depth + 1)?;
                if !self.more(b'}')? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Reads the members of an object after its `{`. `found` gets each value with its key; the key of a value in a
    /// nested object is `outer.inner`.
    pub fn members(&mut self, path: &mut Vec<u8>, found: &mut OnMember<'_>) -> Result<(), Broken> {
        self.nested(path, 0, found)
    }

    fn nested(&mut self, path: &mut Vec<u8>, depth: usize, found: &mut OnMember<'_>) -> Result<(), Broken> {
        if depth > DEEPEST {
            return Err(self.broken("values are nested too deep"));
        }
        self.spaces();
        if self.take(b'}') {
            return Ok(());
        }
        let outer = path.len();
        loop {
            let (start, end, escapes) = self.key()?;
            if outer > 0 {
                path.push(b'.');
            }
            append(path, self.text.get(start..end).unwrap_or_default(), escapes);
            match self.value()? {
                Token::Object => self.nested(path, depth + 1, found)?,
                token => found(path, token),
            }
            path.truncate(outer);
            if !self.more(b'}')? {
                return Ok(());
            }
        }
    }
}

fn hex(text: &[u8], at: usize) -> Option<u32> {
    let digits = std::str::from_utf8(text.get(at..at + 4)?).ok()?;
    if !digits.bytes().all(|it| it.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// Appends the content of a string without its quotes. Its escapes have been validated; half a surrogate pair becomes
/// U+FFFD.
pub fn append(target: &mut Vec<u8>, string: &[u8], escapes: bool) {
    if !escapes {
        return target.extend_from_slice(string);
    }
    let mut rest = string;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        target.extend_from_slice(rest.get(..at).unwrap_or_default());
        let simple = match rest.get(at + 1) {
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => 0,
            Some(&other) => other,
            None => return,
        };
        if simple != 0 {
            target.push(simple);
            rest = rest.get(at + 2..).unwrap_or_default();
            continue;
        }
        let unit = hex(rest, at + 2).unwrap_or(0xfffd);
        rest = rest.get(at + 6..).unwrap_or_default();
        let mut code = unit;
        if (0xd800..0xdc00).contains(&unit)
            && rest.starts_with(b"\\u")
            && let Some(low @ 0xdc00..0xe000) = hex(rest, 2)
        {
            code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            rest = rest.get(6..).unwrap_or_default();
        }
        let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
        target.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    }
    target.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    fn whole(text: &[u8]) -> bool {
        let mut scanner = Scanner::new(text, 0);
        scanner.spaces();
        scanner.skip(0).is_ok() && {
            scanner.spaces();
            scanner.at == text.len()
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..6)
                    .prop_map(|it| Value::Object(it.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_json_is_read(value in json()) {
            prop_assert!(whole(value.to_string().as_bytes()));
        }

        #[test]
        fn strings_are_what_they_are_elsewhere(text: String, escaped in "[a-z\"\\\\/\u{8}\n\t\u{1f}\u{7f}é😀]{0,40}") {
            for text in [text, escaped] {
                let json = serde_json::to_string(&text).unwrap();
                let (start, end, escapes) = Scanner::new(json.as_bytes(), 0).string().unwrap();
                let mut found = Vec::new();
                append(&mut found, &json.as_bytes()[start..end], escapes);
                prop_assert_eq!(String::from_utf8(found).unwrap(), text);
            }
        }

        #[test]
        fn what_is_no_json_is_not_read(text in r#"[\[\]{}",:0-9.eE+\- a\\utrfalsn]{0,12}"#) {
            // Half surrogates and numbers beyond the range of doubles are accepted here.
            prop_assume!(!text.contains("\\u") && !text.to_lowercase().contains('e'));
            let expected = serde_json::from_str::<Value>(&text).is_ok();
            prop_assert_eq!(whole(text.as_bytes()), expected, "{}", text);
        }
    }

    #[test]
    fn escapes_of_characters_are_read_in_pairs() {
        for (json, expected) in [
            (r"\u00e9\u0041", "éA"),
            (r"\ud83d\ude00", "😀"),
            (r"\ud83d!", "\u{fffd}!"),
            (r"\ude00", "\u{fffd}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\u0000\b\f\/", "\0\u{8}\u{c}/"),
        ] {
            let mut found = Vec::new();
            append(&mut found, json.as_bytes(), true);
            assert_eq!(String::from_utf8(found).unwrap(), expected, "{json}");
        }
    }
}
