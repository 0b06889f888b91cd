//! Finding where CSV rows begin, quotes that are never closed, and a header below other lines.

use csv::{ByteRecord, Position, ReaderBuilder, StringRecord};
use std::io::Read as _;

/// Appended to a text, this is a row of its own, unless the text ends within quotes. It can't occur within a text: the
/// reader returns it as a row only when it stands alone.
const MARK: &[u8] = b"\n\0\n";

/// Number of first rows that are searched for a header below other lines.
pub const TITLES: usize = 6;

/// Where a row begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Offset in bytes from the beginning of the text.
    pub at: usize,
    /// Line number, from 1.
    pub line: u64,
}

/// The row with an opening quote that is never closed, so that `text` ends within quotes. `None` if it ends outside of
/// quotes.
pub fn unclosed(text: &[u8], delimiter: u8) -> Option<Start> {
    if !text.contains(&b'"') {
        return None;
    }
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.chain(MARK));
    let (mut row, mut last) = (ByteRecord::new(), ByteRecord::new());
    // Reading rows of any length from memory can't fail.
    while reader.read_byte_record(&mut row).unwrap_or(false) {
        std::mem::swap(&mut row, &mut last);
    }
    let is_mark = last.len() == 1 && last.get(0) == Some(b"\0");
    (!is_mark).then(|| row_start(text, last.position()))
}

/// Where the row begins that a reader of `text` has reported at `position`. The reader counts the end of the previous
/// line and blank lines as part of the row; they are skipped here.
pub fn row_start(text: &[u8], position: Option<&Position>) -> Start {
    let (at, line) = position.map_or((0, 1), |it| (it.byte(), it.line()));
    let at = usize::try_from(at).unwrap_or(usize::MAX).min(text.len());
    let blank = text[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    let (bytes, lines) = blank.fold((0, 0), |(bytes, lines), byte| {
        (bytes + 1, lines + u64::from(*byte == b'\n'))
    });
    Start {
        at: at + bytes,
        line: line + lines,
    }
}

/// The line number, from 1, of a header below a title: among the first rows without the very first, the first row that
/// is a header.
pub fn header_below(text: &str, delimiter: u8, is_header: impl Fn(&StringRecord) -> bool) -> Option<u64> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let rows = reader.records().take(TITLES).filter_map(Result::ok);
    let header = rows.skip(1).find(is_header)?;
    Some(row_start(text.as_bytes(), header.position()).line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes_that_nothing_closes_are_found_with_their_row() {
        for (text, expected) in [
            ("a,b\n1,2\n", None),
            ("a,b\n\"1\n\n2\",\"\"\"\"\n", None),
            ("a,b\n5\" pipe,2\n", None),
            ("\0\n", None),
            ("a,b\n\n\"1,2\n3,4\n", Some((5, 3))),
            ("a,b\r\n1,2\r\n3,\"4\r\n5,6\r\n", Some((10, 3))),
            ("\"a,b\n1,2\n", Some((0, 1))),
            ("a,b\n1,2\n\"", Some((8, 3))),
        ] {
            let found = unclosed(text.as_bytes(), b',').map(|it| (it.at, it.line));
            assert_eq!(found, expected, "{text:?}");
        }
        assert_eq!(unclosed(b"a;b\n1;\"2\n", b';').map(|it| it.line), Some(2));
        assert_eq!(unclosed(b"a;b\n1;\"2\n", b','), None);
    }

    #[test]
    fn a_header_below_others_is_told_by_its_line_in_the_file() {
        for (text, expected) in [
            ("Listings\na,b\n1,2\n", Some(2)),
            ("Listings\n\n\na,b\n1,2\n", Some(4)),
            ("Listings\r\n\r\na,b\r\n1,2\r\n", Some(3)),
            ("Listings,\n\"of\nOctober\",\n\na,b\n", Some(5)),
            ("a,b\n1,2\n", None),
        ] {
            let found = header_below(text, b',', |row| row == vec!["a", "b"]);
            assert_eq!(found, expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_stands_before_the_row_is_whole(text in "[a,\"\r\n]{0,60}") {
            if let Some(start) = unclosed(text.as_bytes(), b',') {
                prop_assert_eq!(unclosed(&text.as_bytes()[..start.at], b','), None);
                prop_assert!(text[start.at..].contains('"'));
            }
        }
    }
}
