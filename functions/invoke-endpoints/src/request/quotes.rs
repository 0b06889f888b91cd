//! Finds quotes in a CSV that are never closed. The reader takes everything after them for one field, and does not
//! report it.

/// Where the reader is within a field.
enum At {
    Begin,
    Bare,
    Quoted,
    /// After a quote within quotes: either they end, or it is the first half of an escaped quote.
    Quote,
}

/// The line, counted from 1, that opens quotes that are never closed.
///
/// Quotes only open at the beginning of a field; elsewhere they are text. The crate `csv` reads them that way, as
/// Python does in files.
pub fn unclosed(body: &str) -> Option<usize> {
    let (mut at, mut line, mut opened, mut before) = (At::Begin, 1, 1, 0);
    for byte in body.bytes() {
        if byte == b'\r' || (byte == b'\n' && before != b'\r') {
            line += 1;
        }
        before = byte;
        at = match (at, byte) {
            (At::Begin, b'"') => {
                opened = line;
                At::Quoted
            }
            (At::Quoted, b'"') => At::Quote,
            (At::Quoted, _) | (At::Quote, b'"') => At::Quoted,
            (_, b',' | b'\r' | b'\n') => At::Begin,
            _ => At::Bare,
        };
    }
    matches!(at, At::Quoted).then_some(opened)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_line_is_that_of_the_quote() {
        for (body, line) in [
            ("a\n\"x\ny\"\n\"z\nz\n", Some(4)),
            ("a\r\n1\r\n\"z\r\nz\r\n", Some(3)),
            ("a\r1\r\"z\rz\r", Some(3)),
            ("\"a\n1\n", Some(1)),
            ("a\n\"x\"\"\n", Some(2)),
            ("a\n\"", Some(2)),
            ("a\n\"x\"\"\"\n", None),
            ("a\n\"x\"", None),
            ("a\n5\" disk\n", None),
            ("a\n\"x\"y\"\n", None),
            ("a\n \"x\n", None),
        ] {
            assert_eq!(unclosed(body), line, "{body:?}");
        }
    }

    proptest! {
        /// The reader loses lines after unclosed quotes, and in no other case.
        #[test]
        fn it_sees_what_the_reader_sees(body in "[a,\"\r\n]{0,40}") {
            let marked = format!("{body}\nthe end,");
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(marked.as_bytes());
            let last = reader.records().last().unwrap().unwrap();
            prop_assert_eq!(unclosed(&body).is_none(), last == vec!["the end", ""]);
        }
    }
}
