//! Quotes of a CSV that nothing closes. The reader takes all that follows them for one field, and doesn't say so.

/// Where the reader is within a field.
enum At {
    Begin,
    Bare,
    Quoted,
    /// Behind a quote within quotes: their end, or the first half of a quote.
    Quote,
}

/// The line, counted from 1, in which quotes are opened that nothing closes.
///
/// Quotes open at a field's beginning alone; elsewhere they are text. So the crate `csv` reads, and Python for files.
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
        /// The reader loses a line that follows unclosed quotes, and no other.
        #[test]
        fn it_sees_what_the_reader_sees(body in "[a,\"\r\n]{0,40}") {
            let marked = format!("{body}\nthe end,");
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(marked.as_bytes());
            let last = reader.records().last().unwrap().unwrap();
            prop_assert_eq!(unclosed(&body).is_none(), last == vec!["the end", ""]);
        }
    }
}
