//! Files that are written another way than the document says: what they are, and the line that makes them welcome.

use super::Refusal;
use contracts::use_case::{Encoding, Input};
use csv::StringRecord;

const DELIMITERS: [(char, &str); 4] = [
    (',', "commas"),
    (';', "semicolons"),
    ('\t', "tabs"),
    ('|', "vertical bars"),
];

/// The document's delimiter; it is one of ASCII.
pub(super) fn delimiter(input: &Input) -> u8 {
    u8::try_from(input.delimiter).unwrap_or(b',')
}

/// The head as text of the document's encoding.
pub(super) fn decoded(head: &[u8], cut: bool, input: &Input) -> Result<String, Refusal> {
    let encoding = input.encoding;
    let in_utf_8 = || {
        Refusal::new(
            format!(
                "is text in UTF-8, and the document's `input` names {}",
                encoding.as_str()
            ),
            format!("Save it in {}, or remove `encoding` from `input`.", encoding.as_str()),
        )
    };
    if files::utf_32(head) {
        return Err(Refusal::new(
            "is text in UTF-32, which is not read",
            "Save it in UTF-8, and drop it again.",
        ));
    }
    if encoding == Encoding::Utf16 {
        // Each line end of UTF-16, and each of its delimiters, holds a NUL.
        if !head.contains(&0) && files::utf_16(head).is_none() {
            if files::maybe_utf_8(head) {
                return Err(in_utf_8());
            }
            let likely = files::likely_encoding(head).as_str();
            return Err(Refusal::new(
                "is not text in UTF-16: it holds no NUL bytes",
                format!("If it was saved in {likely}, name that in `input` instead. Otherwise save it in UTF-16."),
            ));
        }
    } else {
        if files::utf_16(head).is_some() {
            return Err(Refusal::new("is text in UTF-16", add("encoding: utf-16")));
        }
        if head.contains(&0) {
            let remedy = "Save it as a plain CSV file, or as Parquet.";
            return Err(Refusal::new("is binary, not text: it holds NUL bytes", remedy));
        }
    }
    if encoding != Encoding::Utf8 && files::certainly_utf_8(head) {
        return Err(in_utf_8());
    }
    files::decode_head(head, cut, encoding).map_err(|at| {
        let likely = files::likely_encoding(head).as_str();
        let reason = format!(
            "is not text in {}: byte {at} does not belong there",
            encoding.as_str().to_uppercase()
        );
        if encoding == Encoding::Utf8 {
            let remedy = format!(
                "If it was saved in {likely}, {} Otherwise save it in UTF-8.",
                lower(&add(&format!("encoding: {likely}")))
            );
            Refusal::new(reason, remedy)
        } else {
            Refusal::new(reason, format!("Save it in {}.", encoding.as_str()))
        }
    })
}

/// Text that has no header of those columns, where it is JSON.
pub(super) fn json(text: &str, ground_truth: bool) -> Option<Refusal> {
    let remedy = if ground_truth {
        "Drop CSV with the columns `id` and `label`, or JSON lines of ground truth."
    } else {
        "Drop CSV with a header, or Parquet."
    };
    let begins = text.trim_start().starts_with(['{', '[']);
    begins.then(|| Refusal::new("is JSON, not CSV", remedy))
}

/// What a file is instead whose header, `header`, lacks columns of those that are needed.
pub(super) fn other(text: &str, header: &[String], needed: &[&str], input: &Input) -> Option<Refusal> {
    let here = found(header.iter().map(String::as_str), needed);
    for (delimiter, spoken) in DELIMITERS {
        let first = first(text, delimiter as u8);
        if delimiter != input.delimiter && first.len() > 1 && found(first.iter(), needed) > here {
            let line = format!("delimiter: {:?}", delimiter.to_string());
            return Some(Refusal::new(format!("is separated by {spoken}"), add(&line)));
        }
    }
    let is_header = |row: &StringRecord| found(row.iter(), needed) == needed.len();
    if let Some(line) = files::header_below(text, delimiter(input), is_header) {
        return Some(Refusal::new(
            format!("has its header in line {line}, below other lines"),
            "Its first line must be the header: remove what is above it.",
        ));
    }
    let is_number = |field: &String| field.starts_with(|it: char| it.is_ascii_digit()) && field.parse::<f64>().is_ok();
    if here == 0 && header.iter().any(is_number) {
        return Some(Refusal::new(
            "has no header: its first line is a row",
            format!(
                "Put a line with the names of its columns above it, as {}.",
                needed.join(",")
            ),
        ));
    }
    None
}

fn found<'a>(names: impl Iterator<Item = &'a str>, needed: &[&str]) -> usize {
    let names: Vec<&str> = names.map(str::trim).collect();
    needed.iter().filter(|name| names.contains(name)).count()
}

/// The first row.
fn first(text: &str, delimiter: u8) -> StringRecord {
    let mut reader = csv::ReaderBuilder::new();
    let mut reader = reader
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let row = reader.records().find_map(Result::ok);
    row.unwrap_or_default()
}

fn add(line: &str) -> String {
    format!("Add `input: {{ {line} }}` to the use case's document and store it, then drop the file again.")
}

fn lower(text: &str) -> String {
    text.replacen("Add", "add", 1)
}
