//! How a file is written, told from its first bytes: encoding, delimiter, and the marks of its numbers.

use anyhow::{Result, bail};
use contracts::use_case::{Encoding, Input};
use contracts::words;
use csv::{ReaderBuilder, StringRecord};
use files::{Kind, Numbers};
use std::collections::BTreeMap;

/// How much of a file is looked at: as much as when it is dropped.
pub(super) const HEAD_BYTES: usize = 1 << 16;
/// Rows that tell delimiter and marks.
const ROWS: usize = 500;
const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// Marks of a fraction and of thousands, the likeliest first.
const MARKS: [(char, Option<char>); 8] = [
    ('.', None),
    (',', None),
    ('.', Some(',')),
    (',', Some('.')),
    ('.', Some(' ')),
    (',', Some(' ')),
    ('.', Some('\'')),
    (',', Some('\'')),
];

/// How the file is written whose first bytes are `head`; `encoding` where that is known better.
///
/// # Errors
/// It is no CSV with a header; the text goes on from the file's name.
pub(super) fn recognise(head: &[u8], encoding: Option<Encoding>) -> Result<Input> {
    let head = inner(head)?;
    let encoding = match encoding {
        Some(encoding) => encoding,
        None => encoding_of(&head)?,
    };
    let Ok(text) = files::decode_head(&head, true, encoding) else {
        bail!("is not text in {}: save it in UTF-8", encoding.as_str().to_uppercase())
    };
    if text.trim().is_empty() {
        bail!("is empty: give a CSV file with a header and rows");
    }
    if text.trim_start_matches([' ', '\t']).starts_with(['\r', '\n']) {
        bail!("begins with an empty line: its first line must be the header, so remove what is above it");
    }
    if text.trim_start().starts_with(['{', '[']) {
        bail!(
            "is JSON, not CSV: write a header and a row a line, as `pandas.read_json(\"…\", lines=True).to_csv(\"…\", \
             index=False)` does for JSON lines"
        );
    }
    let delimiter = delimiter(&text);
    let rows = records(&text, delimiter);
    header(&text, delimiter, &rows)?;
    let (decimal, thousands) = marks(rows.get(1..).unwrap_or_default());
    Ok(Input {
        delimiter,
        decimal,
        thousands,
        encoding,
        ..Input::default()
    })
}

/// The first bytes of the text, decompressed.
fn inner(head: &[u8]) -> Result<Vec<u8>> {
    let kind = Kind::of(head);
    let inner = match kind {
        Kind::Text => head.to_vec(),
        Kind::Gzip | Kind::Zstd => match files::decompressed_head(head, kind, HEAD_BYTES) {
            Ok((inner, _)) => inner,
            Err(broken) => bail!("{broken}"),
        },
        other => return Err(foreign(other)),
    };
    match Kind::of(&inner) {
        Kind::Text => Ok(inner),
        Kind::Gzip | Kind::Zstd => bail!("is compressed twice: unpack it once"),
        other => Err(foreign(other)),
    }
}

fn foreign(kind: Kind) -> anyhow::Error {
    match kind {
        Kind::Foreign(kind) => anyhow::anyhow!("is {kind}, not CSV: save its table as CSV first"),
        _ => anyhow::anyhow!(
            "is a Parquet file, which `init` doesn't read: give it some rows as CSV, as \
             `pandas.read_parquet(\"…\").head(100000).to_csv(\"rows.csv\", index=False)` writes them. The document that comes of \
             it takes Parquet drops as well"
        ),
    }
}

fn encoding_of(head: &[u8]) -> Result<Encoding> {
    if files::utf_32(head) {
        bail!("is text in UTF-32, which is not read: save it in UTF-8");
    }
    if files::utf_16(head).is_some() {
        return Ok(Encoding::Utf16);
    }
    if head.contains(&0) {
        bail!("is binary, not text: it holds NUL bytes. Give a CSV file");
    }
    Ok(if files::maybe_utf_8(head) {
        Encoding::Utf8
    } else {
        files::likely_encoding(head)
    })
}

/// What separates the most fields in the most rows.
fn delimiter(text: &str) -> char {
    let fit = |delimiter: &char| {
        let rows = records(text, *delimiter);
        // A title above the header separates nothing.
        let first = rows.iter().take(files::TITLES).position(|row| row.len() > 1);
        let Some(first) = first else { return (0, false, 0) };
        let width = rows[first].len();
        let equal = rows.iter().filter(|row| row.len() == width).count();
        // A letter in a name or a comma in a number separates some rows, and not others.
        (equal * 100 / rows.len() / 5, first == 0, width)
    };
    // The first of equals.
    let best = DELIMITERS.iter().rev().max_by_key(|delimiter| fit(delimiter));
    *best.unwrap_or(&',')
}

fn records(text: &str, delimiter: char) -> Vec<StringRecord> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true);
    let mut reader = builder.delimiter(delimiter as u8).from_reader(text.as_bytes());
    let mut rows: Vec<StringRecord> = reader.records().take(ROWS).filter_map(Result::ok).collect();
    // The end of the head may have cut the last row.
    if rows.len() > 2 && rows.len() < ROWS {
        rows.pop();
    }
    rows
}

/// Whether the first row names columns.
fn header(text: &str, delimiter: char, rows: &[StringRecord]) -> Result<()> {
    let first = rows.first().cloned().unwrap_or_default();
    let below = rows.get(1..).unwrap_or_default();
    let width = usual_width(below);
    let filled = |row: &StringRecord| row.iter().filter(|field| !field.trim().is_empty()).count();
    // A title fills a cell or two of a row; names fill nearly all.
    let is_header = |row: &StringRecord| row.len() == width && filled(row) * 2 > width && !is_values(row);
    if width > 1
        && (filled(&first) == 1 || filled(&first) * 2 < width)
        && let Some(line) = files::header_below(text, delimiter as u8, is_header)
    {
        bail!("has its header in line {line}, below other lines: remove what is above it");
    }
    if first.len() < 2 {
        bail!(
            "has one column, `{}`: a use case needs one to predict and at least one to predict from. If its fields are \
             separated, then by none of `,`, `;`, tab and `|`: save it with one of these",
            words::name(first.get(0).unwrap_or_default())
        );
    }
    if is_values(&first) {
        let shown: Vec<&str> = first.iter().take(4).collect();
        bail!(
            "has no header: its first line is a row (`{}`). Put a line with the columns' names above it",
            words::name(&shown.join(", "))
        );
    }
    Ok(())
}

/// The width of the most rows; of equals the larger.
fn usual_width(rows: &[StringRecord]) -> usize {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.len()).or_default() += 1;
    }
    let most = counts.into_iter().max_by_key(|(width, count)| (*count, *width));
    most.map_or(0, |(width, _)| width)
}

/// Whether a row holds values where a header names columns.
fn is_values(row: &StringRecord) -> bool {
    let numbers = Numbers::new(&Input::default());
    let german = Numbers::new(&Input {
        decimal: ',',
        ..Input::default()
    });
    let is_value =
        |field: &&str| numbers.read(field).is_some() || german.read(field).is_some() || super::dates::is_date(field);
    // Columns may be called by years that follow on each other.
    let fields = row.iter().filter_map(|field| field.trim().parse().ok());
    let years: Vec<u32> = fields.filter(|year| (1900..=2100).contains(year)).collect();
    let named_by_years = years.len() > 1 && years.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    let values = row.iter().filter(is_value).count() - if named_by_years { years.len() } else { 0 };
    values * 2 >= row.len()
}

/// The marks by which the most fields are numbers.
fn marks(rows: &[StringRecord]) -> (char, Option<char>) {
    let fields = || rows.iter().flat_map(StringRecord::iter);
    let read = |(decimal, thousands): &(char, Option<char>)| {
        let numbers = Numbers::new(&Input {
            decimal: *decimal,
            thousands: *thousands,
            ..Input::default()
        });
        fields().filter(|field| numbers.read(field).is_some()).count()
    };
    let counts: Vec<usize> = MARKS.iter().map(read).collect();
    let most = counts.iter().max().copied().unwrap_or_default();
    // Of equals the first; a mark for a value or two would make numbers of words.
    let enough = |count: &usize| *count == most || (most - count) * 200 < most;
    let best = MARKS[counts.iter().position(enough).unwrap_or_default()];
    let commas = || fields().map(str::trim).filter(|field| is_comma_number(field));
    if best == (',', None) && commas().all(is_grouped) {
        return ('.', Some(','));
    }
    best
}

fn is_comma_number(field: &str) -> bool {
    field.contains(',') && field.bytes().all(|it| it.is_ascii_digit() || b",+-".contains(&it))
}

/// `15,735`: whether its comma begins the fraction is told by other numbers alone.
fn is_grouped(field: &str) -> bool {
    let digits = field.trim_start_matches(['+', '-']);
    let (whole, rest) = digits.split_once(',').unwrap_or_default();
    (1..=3).contains(&whole.len()) && rest.len() == 3 && !whole.starts_with('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match recognise(text.as_bytes(), None) {
            Ok(input) => format!(
                "{:?} {:?} {:?} {}",
                input.delimiter,
                input.decimal,
                input.thousands,
                input.encoding.as_str()
            ),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn delimiters_and_marks_are_told_by_the_rows() {
        for (text, expected) in [
            ("a,b\n1,2\n3,4.5\n5,6\n", "',' '.' None utf-8"),
            ("a;b\n1,5;x\n2,25;y, z\n", "';' ',' None utf-8"),
            ("a;b\n1.234,5;x\n2,25;y\n", "';' ',' Some('.') utf-8"),
            ("a;b\n15,735;x\n2,250;y\n", "';' '.' Some(',') utf-8"),
            ("a\tb\n1 234\tx\n12\ty\n", "'\\t' '.' Some(' ') utf-8"),
            ("a,b\n\"1,234\",x\n\"1,234,567\",y\n", "',' '.' Some(',') utf-8"),
            ("a|b\n1|2,3,4\n5|6\n", "'|' '.' None utf-8"),
            (
                "region,2022,2023,2024\nnorth,1,2,3\nsouth,4,5,6\n",
                "',' '.' None utf-8",
            ),
        ] {
            assert_eq!(told(text), expected, "{text:?}");
        }
        assert_eq!(
            recognise(b"a,b\nCitro\xebn,1\n", None).unwrap().encoding,
            Encoding::Cp1252
        );
        assert_eq!(
            recognise(b"\xff\xfea\0,\0b\0\n\0", None).unwrap().encoding,
            Encoding::Utf16
        );
    }

    #[test]
    fn what_is_no_table_is_told_with_what_to_do() {
        let cases = [
            "",
            "\n\na,b\n1,2\n",
            "{\"a\": 1}\n",
            "a\n1\n2\n",
            "2015,3.5,red\n2016,4.5,blue\n",
            "Sales of 2024\nyear,price\n1,2\n3,4\n5,6\n",
            "Report 2024,,\n,,\nyear,rooms,price\n1,2,3\n3,4,5\n5,6,7\n",
            "Report 2024\n\n\nyear;rooms;price\n1;2;3,5\n3;4;5,5\n5;6;7,5\n",
            "PK\u{3}\u{4}",
            "PAR1",
            "a\0b,c\n",
        ];
        let told: Vec<String> = cases.iter().map(|case| format!("{case:?}: {}", told(case))).collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
