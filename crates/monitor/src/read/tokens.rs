//! Finds the start and end of the fields in CSV text. Separators are found sixteen bytes at a time.
//!
//! The rules are those of RFC 4180, applied leniently: a quote opens a field only at the beginning of the field, `""`
//! within quotes is a quote, and quotes anywhere else are text. Lines with nothing but spaces are dropped, as in the
//! reference. Quotes are not removed here: [`crate::quotes::unquoted`] does that for the few fields that have them.

use wide::u8x16;

/// Number of bytes that must follow a text in its buffer.
pub const PADDING: usize = 128;

/// The characters that separate and enclose fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Character between fields.
    pub delimiter: u8,
    /// Whether the text contains quotes at all; without, there is less to search for.
    pub quotes: bool,
}

/// Iterates over whole records, in batches of rows.
pub struct Tokens<'a> {
    text: &'a [u8],
    len: usize,
    dialect: Dialect,
    columns: usize,
    /// Offset of the 64 bytes that `marks` describes.
    base: usize,
    marks: u64,
    row_start: usize,
    in_quotes: bool,
    /// Number of lines that ended so far, including those within quotes.
    lines: u64,
}

/// The fields of some rows: for each row, its start, followed by the end of each field plus one.
#[derive(Debug, Default)]
pub struct Rows {
    offsets: Vec<u32>,
    columns: usize,
    /// The rows whose number of fields differs from the number of columns.
    pub irregular: Vec<Irregular>,
}

/// A row with too few or too many fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Irregular {
    /// Line number within the text, from 0.
    pub line: u64,
    /// Number of its fields.
    pub fields: usize,
}

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.offsets.len() / (self.columns + 1)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Start and end of a field. Fields that a row lacks are empty.
    #[inline(always)]
    pub fn field(&self, row: usize, column: usize) -> (usize, usize) {
        let at = row * (self.columns + 1) + column;
        match self.offsets.get(at..at + 2) {
            Some(&[start, end]) => (start as usize, end as usize - 1),
            _ => (0, 0),
        }
    }

    /// All fields of a column.
    #[inline(always)]
    pub fn column(&self, column: usize) -> impl Iterator<Item = (usize, usize)> {
        self.offsets
            .get(column..)
            .unwrap_or_default()
            .chunks(self.columns + 1)
            .map_while(|it| match it {
                [start, end, ..] => Some((*start as usize, *end as usize - 1)),
                _ => None,
            })
    }
}

impl<'a> Tokens<'a> {
    /// Iterates over the first `len` bytes of `text`, which end with a newline and are followed by [`PADDING`] bytes.
    pub fn new(text: &'a [u8], len: usize, dialect: Dialect, columns: usize) -> Self {
        let mut tokens = Self {
            text,
            len,
            dialect,
            columns: columns.max(1),
            base: 0,
            marks: 0,
            row_start: 0,
            in_quotes: false,
            lines: 0,
        };
        tokens.marks = tokens.marks_at(0);
        tokens
    }

    /// Reads the next rows, at most `limit`; returns false if there are no more.
    pub fn next_rows(&mut self, limit: usize, rows: &mut Rows) -> bool {
        rows.offsets.clear();
        rows.irregular.clear();
        rows.columns = self.columns;
        if self.dialect.quotes {
            self.fill::<true>(limit, rows);
        } else {
            self.fill::<false>(limit, rows);
        }
        !rows.is_empty()
    }

    fn fill<const QUOTES: bool>(&mut self, limit: usize, rows: &mut Rows) {
        let mut found = 0;
        let mut field = 0;
        let mut field_start = self.row_start;
        let mut first_line = self.lines;
        // Larger than the length of any text.
        let mut closed_at = usize::MAX - 1;
        rows.offsets.reserve(limit * (self.columns + 1));
        rows.offsets.push(self.row_start as u32);
        while found < limit {
            while self.marks == 0 {
                self.base += 64;
                if self.base >= self.len {
                    // Only whole records count: the last row that was begun doesn't exist.
                    rows.offsets.truncate(found * (self.columns + 1));
                    return;
                }
                self.marks = self.marks_at(self.base);
            }
            let at = self.base + self.marks.trailing_zeros() as usize;
            self.marks &= self.marks - 1;
            let mark = match self.text.get(at) {
                Some(&mark) if at < self.len => mark,
                _ => {
                    self.marks = 0;
                    continue;
                }
            };
            if QUOTES {
                if mark == b'"' {
                    // `""` within quotes closes and opens again; no separator can be between the two.
                    if self.in_quotes {
                        self.in_quotes = false;
                        closed_at = at;
                    } else if at == field_start || at == closed_at + 1 {
                        self.in_quotes = true;
                    }
                    continue;
                }
                if self.in_quotes {
                    self.lines += u64::from(mark == b'\n');
                    continue;
                }
            }
            if mark == self.dialect.delimiter {
                field += 1;
                field_start = at + 1;
                if field <= self.columns {
                    rows.offsets.push(at as u32 + 1);
                }
                continue;
            }
            // End of a record.
            let carriage_return = at > field_start && self.text.get(at - 1) == Some(&b'\r');
            self.lines += 1;
            if field == 0 && self.is_blank(at) {
                if let Some(start) = rows.offsets.last_mut() {
                    *start = at as u32 + 1;
                }
            } else {
                field += 1;
                if field == self.columns {
                    rows.offsets.push((at - usize::from(carriage_return)) as u32 + 1);
                } else {
                    rows.irregular.push(Irregular {
                        line: first_line,
                        fields: field,
                    });
                    if field < self.columns {
                        let end = (at - usize::from(carriage_return)) as u32 + 1;
                        rows.offsets
                            .extend((0..=(self.columns - field) as u32).map(|missing| end + missing));
                    }
                }
                found += 1;
                if found < limit {
                    rows.offsets.push(at as u32 + 1);
                }
            }
            field = 0;
            field_start = at + 1;
            self.row_start = field_start;
            first_line = self.lines;
        }
    }

    fn is_blank(&self, end: usize) -> bool {
        self.text
            .get(self.row_start..end)
            .is_none_or(|line| line.iter().all(|&it| it <= b' '))
    }

    #[inline(always)]
    fn marks_at(&self, base: usize) -> u64 {
        let (delimiter, newline, quote) = (
            u8x16::splat(self.dialect.delimiter),
            u8x16::splat(b'\n'),
            u8x16::splat(b'"'),
        );
        let Some(chunk) = self
            .text
            .get(base..base + 64)
            .and_then(|it| <&[u8; 64]>::try_from(it).ok())
        else {
            return 0;
        };
        let mut marks = 0;
        let (parts, _) = chunk.as_chunks::<16>();
        for (i, part) in parts.iter().enumerate() {
            let part = u8x16::new(*part);
            let mut found = part.simd_eq(delimiter) | part.simd_eq(newline);
            if self.dialect.quotes {
                found |= part.simd_eq(quote);
            }
            marks |= u64::from(found.to_bitmask()) << (16 * i);
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quotes::unquoted;
    use proptest::prelude::*;

    fn read(text: &str, columns: usize) -> Vec<Vec<String>> {
        let mut padded = text.as_bytes().to_vec();
        if !text.is_empty() && !text.ends_with('\n') {
            padded.push(b'\n');
        }
        let len = padded.len();
        padded.resize(len + PADDING, 0);
        let dialect = Dialect {
            delimiter: b',',
            quotes: text.contains('"'),
        };
        let mut tokens = Tokens::new(&padded, len, dialect, columns);
        let mut rows = Rows::default();
        let mut all = Vec::new();
        // In batches of two, because errors would occur at their seams.
        while tokens.next_rows(2, &mut rows) {
            for row in 0..rows.len() {
                let field = |column| {
                    let (start, end) = rows.field(row, column);
                    String::from_utf8_lossy(&unquoted(&padded[start..end])).into_owned()
                };
                all.push((0..columns).map(field).collect());
            }
        }
        all
    }

    #[test]
    fn fields_are_found() {
        assert_eq!(read("a,b\n1,2\n", 2), [["a", "b"], ["1", "2"]]);
        assert_eq!(read("a,b\r\n1,2\r\n", 2), [["a", "b"], ["1", "2"]]);
        assert_eq!(read("a,b\n1,2", 2), [["a", "b"], ["1", "2"]]);
        assert_eq!(read(",\n\n  \n\t\r\n,x\n", 2), [["", ""], ["", "x"]]);
        assert_eq!(
            read("\"a,\nb\",\"say \"\"hi\"\"\"\nc\"d,\"\"\n", 2),
            [["a,\nb", "say \"hi\""], ["c\"d", ""]]
        );
        assert_eq!(read("a\nb\n\nc\n", 1), [["a"], ["b"], ["c"]]);
    }

    #[test]
    fn rows_of_other_lengths_are_filled_up_cut_and_told() {
        assert_eq!(
            read("1\n1,2,3\r\n1,2\r\n1\r\n", 2),
            [["1", ""], ["1", "2"], ["1", "2"], ["1", ""]]
        );
        let mut text = b"1,2\n\"x\n\",2,3\n\n1\n".to_vec();
        let len = text.len();
        text.resize(len + PADDING, 0);
        let dialect = Dialect {
            delimiter: b',',
            quotes: true,
        };
        let mut tokens = Tokens::new(&text, len, dialect, 2);
        let mut rows = Rows::default();
        assert!(tokens.next_rows(10, &mut rows));
        let irregular: Vec<_> = rows.irregular.iter().map(|it| (it.line, it.fields)).collect();
        assert_eq!(irregular, [(1, 3), (4, 1)]);
    }

    proptest! {
        #[test]
        fn fields_are_those_of_the_csv_crate(
            table in proptest::collection::vec(proptest::collection::vec("[a-z0-9,\"\n\r é]{0,9}", 3), 1..40)
        ) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(read(&text, 3), table);
        }

        #[test]
        fn any_bytes_are_walked_over(bytes in proptest::collection::vec(prop::sample::select(b",\"\n\ra ".to_vec()), 0..300), columns in 1usize..5) {
            let mut padded = bytes.clone();
            padded.push(b'\n');
            let len = padded.len();
            padded.resize(len + PADDING, 0);
            for quotes in [true, false] {
                let mut tokens = Tokens::new(&padded, len, Dialect { delimiter: b',', quotes }, columns);
                let mut rows = Rows::default();
                while tokens.next_rows(3, &mut rows) {
                    for row in 0..rows.len() {
                        for column in 0..columns {
                            let (start, end) = rows.field(row, column);
                            prop_assert!(start <= end);
                        }
                    }
                }
            }
        }
    }
}
