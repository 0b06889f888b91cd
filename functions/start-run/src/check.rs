//! Whether a dropped file can be used, by its size and its first bytes. Rows are the containers' business.

mod labels;
mod recognise;
mod refusal;

pub(crate) use refusal::Refusal;

use contracts::UseCase;
use contracts::use_case::{Format, Input};
use csv::ByteRecord;
use files::{JsonLabel, Kind, Numbers};
use labels::LabelRules;
use std::borrow::Cow;

/// How much of a file is looked at.
pub(crate) const WINDOW_BYTES: usize = 64 * 1024;
/// How many names a message lists.
const NAMES_SHOWN: usize = 12;

/// What the header of a file must hold.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// Must be there.
    needed: Vec<String>,
    /// Exactly one of these must be there.
    one_of: Vec<String>,
    /// Must not be there twice.
    known: Vec<String>,
    /// Must not be there at all: what a scored file adds.
    added: Vec<String>,
    /// Whether JSON lines will do as well.
    json_lines: bool,
    /// How it is written.
    input: Input,
    /// How its labels are judged, where it has some.
    labels: Option<LabelRules>,
    /// The largest file.
    pub max_bytes: u64,
}

impl Columns {
    /// Rows to train on: every raw column, and the target.
    pub fn of_training(document: &UseCase) -> Self {
        let mut columns = document.columns();
        columns.push(document.target.name.clone());
        Self {
            needed: columns.clone(),
            one_of: Vec::new(),
            known: columns,
            added: Vec::new(),
            json_lines: false,
            input: document.input.clone(),
            labels: None,
            max_bytes: document.drops.max_bytes,
        }
    }

    /// Rows to score: the required columns, and those that are carried.
    pub fn of_scoring(document: &UseCase) -> Self {
        let required = document.schema.columns.iter().filter(|column| column.required);
        let carried = &document.scoring.carry;
        Self {
            needed: required
                .map(|column| column.name.clone())
                .chain(carried.clone())
                .collect(),
            one_of: Vec::new(),
            known: document.columns().into_iter().chain(carried.clone()).collect(),
            added: document.added_columns(),
            json_lines: false,
            input: document.input.clone(),
            labels: None,
            max_bytes: document.drops.max_bytes,
        }
    }

    /// Ground truth: the predicted row's id, and a label.
    pub fn of_ground_truth(document: &UseCase) -> Self {
        let mut labels = vec!["label".to_owned(), document.target.name.clone()];
        labels.dedup();
        Self {
            needed: vec!["id".to_owned()],
            known: std::iter::once("id".to_owned()).chain(labels.clone()).collect(),
            added: Vec::new(),
            one_of: labels,
            json_lines: true,
            input: document.input.clone(),
            labels: Some(LabelRules {
                numbers: Numbers::new(&document.input),
                max_unreadable: document.cleaning.max_unreadable,
            }),
            max_bytes: document.drops.max_bytes,
        }
    }
}

/// Whether the size will do.
pub(crate) fn size(bytes: u64, max_bytes: u64) -> Result<(), Refusal> {
    if bytes == 0 {
        return Err(Refusal::new("is empty", "Drop a CSV file with a header and rows."));
    }
    if bytes > max_bytes {
        return Err(Refusal::new(
            format!("has {bytes} bytes; the use case allows {max_bytes}"),
            "Drop fewer rows, or raise `drops.max_bytes` in the use case's document.",
        ));
    }
    Ok(())
}

/// Whether the first bytes of a file of `bytes` bytes are those of a table with such columns.
pub(crate) fn head(head: &[u8], bytes: u64, wanted: &Columns) -> Result<(), Refusal> {
    let Some((text, cut)) = text(head, (head.len() as u64) < bytes, wanted)? else {
        return Ok(());
    };
    if text.trim_start_matches([' ', '\t']).starts_with(['\r', '\n']) || text.trim().is_empty() {
        return Err(Refusal::new(
            "begins with an empty line",
            "Its first line must be the header: remove what is above it.",
        ));
    }
    if wanted.json_lines && text.trim_start().starts_with('{') {
        return label_line(text.lines().next().unwrap_or_default());
    }
    let delimiter = recognise::delimiter(&wanted.input);
    // Of other files the containers say so, with their rows.
    if wanted.labels.is_some()
        && !cut
        && let Some(row) = files::unclosed(text.as_bytes(), delimiter)
    {
        return Err(Refusal::new(
            format!("ends within quotes: line {} opens some that nothing closes", row.line),
            "Close them, or write a quote within a field twice, and drop the file again.",
        ));
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    // A reader of UTF-8 text in memory that takes rows of any length has nothing to fail at.
    let mut header = ByteRecord::new();
    let _ = reader.read_byte_record(&mut header);
    if cut && reader.position().byte() >= text.len() as u64 {
        let endless = Refusal::new(
            format!("has no end of its header within the first {WINDOW_BYTES} bytes"),
            "Look for a quote that is opened and never closed, and for line ends.",
        );
        return Err(recognise::json(&text, wanted.json_lines).unwrap_or(endless));
    }
    columns(&header, &text, wanted)?;
    let mut row = ByteRecord::new();
    if !cut && !reader.read_byte_record(&mut row).unwrap_or(false) {
        return Err(Refusal::new("has a header and no rows", "Drop a file with rows."));
    }
    let Some(rules) = &wanted.labels else {
        return Ok(());
    };
    let label = |name: &String| header.iter().position(|found| found.trim_ascii() == name.as_bytes());
    let at = wanted.one_of.iter().find_map(label).unwrap_or(usize::MAX);
    let first = std::iter::once(row).filter(|row| !row.is_empty());
    let whole = header.len();
    // The end of the head may have cut the last row.
    let rest = reader
        .byte_records()
        .map_while(Result::ok)
        .filter(|row| row.len() == whole);
    labels::judge(first.chain(rest), at, rules)
}

/// The head as text, and whether more follows; `None` for a file that only a container can look into.
fn text(head: &[u8], cut: bool, wanted: &Columns) -> Result<Option<(String, bool)>, Refusal> {
    let formats = "Drop CSV, CSV compressed with gzip or zstd, or Parquet.";
    let foreign = |kind: &str| Refusal::new(format!("is {kind}, not CSV"), formats);
    let kind = Kind::of(head);
    let (inner, cut) = match kind {
        Kind::Foreign(kind) => return Err(foreign(kind)),
        Kind::Parquet if wanted.json_lines => {
            return Err(Refusal::new(
                "is a Parquet file, and ground truth is not read from those",
                "Drop it as CSV with the columns `id` and `label`, compressed if you like.",
            ));
        }
        Kind::Parquet if wanted.input.format == Format::Csv => {
            return Err(Refusal::new(
                "is a Parquet file, and the use case takes CSV alone",
                "Remove `format` from `input` in the use case's document, or drop CSV.",
            ));
        }
        // Its columns stand at its end, and Preprocess says what is wrong with them.
        Kind::Parquet => return Ok(None),
        _ if wanted.input.format == Format::Parquet && !wanted.json_lines => {
            return Err(Refusal::new(
                "is no Parquet file, and the use case takes no other",
                "Remove `format` from `input` in the use case's document, or drop Parquet.",
            ));
        }
        Kind::Text => (Cow::Borrowed(head), cut),
        Kind::Gzip | Kind::Zstd => {
            let inner = files::decompressed_head(head, kind, WINDOW_BYTES);
            let (inner, whole) =
                inner.map_err(|error| Refusal::new(error.to_string(), "Compress and drop it again."))?;
            if !whole && !cut && inner.len() < WINDOW_BYTES {
                return Err(Refusal::new(
                    "ends before its compressed content does",
                    "Drop it again.",
                ));
            }
            if inner.is_empty() && !whole {
                return Ok(None);
            }
            match Kind::of(&inner) {
                Kind::Text => {}
                Kind::Foreign(kind) => return Err(foreign(kind)),
                Kind::Parquet => {
                    return Err(foreign(
                        "a compressed Parquet file, which needs no compression of its own",
                    ));
                }
                Kind::Gzip | Kind::Zstd => return Err(foreign("compressed twice")),
            }
            (Cow::Owned(inner), !whole)
        }
    };
    if inner.is_empty() {
        return Err(Refusal::new("is empty", "Drop a CSV file with a header and rows."));
    }
    Ok(Some((recognise::decoded(&inner, cut, &wanted.input)?, cut)))
}

/// Whether a line is a label in JSON, as SageMaker Model Monitor takes it.
fn label_line(line: &str) -> Result<(), Refusal> {
    if JsonLabel::read(line.as_bytes()).is_some() {
        return Ok(());
    }
    Err(Refusal::new(
        "begins with a line of JSON that is no ground truth, or whose `data` is not what its `encoding` says",
        "Write `{\"groundTruthData\": {\"data\": \"<label>\", \"encoding\": \"CSV\"}, \"eventMetadata\": {\"eventId\": \
         \"<row id>\"}, \"eventVersion\": \"0\"}` a line, or a CSV file with the columns `id` and `label`.",
    ))
}

/// Whether the header has every column that is needed, none that is known twice, and one label. Others are welcome.
fn columns(header: &ByteRecord, text: &str, wanted: &Columns) -> Result<(), Refusal> {
    let header: Vec<String> = header
        .iter()
        .map(|name| String::from_utf8_lossy(name).trim().to_owned())
        .collect();
    let lacks_all = !wanted.one_of.iter().any(|name| header.contains(name));
    let one: &[String] = if lacks_all { &wanted.one_of } else { &[] };
    // Predictions and scored files call a row's id so.
    let of_prediction = |found: &&String| wanted.labels.is_some() && found.as_str() == "inference_id";
    let stands_for_id = header
        .iter()
        .find(of_prediction)
        .filter(|_| !header.iter().any(|found| found == "id"));
    let stands_for = |name: &str| {
        let other = header.iter().find(|found| alike(found, name));
        other.or_else(|| stands_for_id.filter(|_| name == "id"))
    };
    let named = |name: &String| match stands_for(name) {
        Some(found) => format!("`{name}` (it has `{found}`)"),
        None => format!("`{name}`"),
    };
    let absent = wanted.needed.iter().filter(|name| !header.contains(name));
    let mut missing: Vec<String> = absent.map(named).collect();
    if !one.is_empty() {
        missing.push(one.iter().map(named).collect::<Vec<_>>().join(" or "));
    }
    if !missing.is_empty() {
        let needed = wanted.needed.iter().chain(one.first());
        let names: Vec<&str> = needed.map(String::as_str).collect();
        let other = || recognise::other(text, &header, &names, &wanted.input);
        if let Some(refusal) = recognise::json(text, wanted.json_lines).or_else(other) {
            return Err(refusal);
        }
        let remedy = if stands_for_id.is_some() && missing.len() == 1 {
            "Rename the column `inference_id` to `id`: it holds the rows' ids."
        } else if wanted.one_of.is_empty() {
            "Name the columns in its first line exactly as the use case's document does."
        } else {
            "Name the columns in its first line exactly so."
        };
        return Err(Refusal::new(format!("lacks {}", listed(&missing, "column")), remedy));
    }
    let twice: Vec<String> = wanted
        .known
        .iter()
        .filter(|name| header.iter().filter(|found| found == name).count() > 1)
        .map(|name| format!("`{name}`"))
        .collect();
    if !twice.is_empty() {
        return Err(Refusal::new(
            format!("names {} more than once", listed(&twice, "column")),
            "Rename or remove all but one.",
        ));
    }
    let added: Vec<String> = wanted
        .added
        .iter()
        .filter(|name| header.contains(name))
        .cloned()
        .collect();
    if !added.is_empty() {
        let named: Vec<String> = added.iter().map(|name| format!("`{name}`")).collect();
        return Err(Refusal::new(
            format!("has {}, which the scored file adds", listed(&named, "column")),
            "Rename or remove what is called so: a file that was scored can be scored again without what came back.",
        ));
    }
    let labels: Vec<String> = wanted
        .one_of
        .iter()
        .filter(|name| header.contains(name))
        .cloned()
        .collect();
    if labels.len() > 1 {
        return Err(Refusal::new(
            format!(
                "has the columns `{}`: either could be the label",
                labels.join("` and `")
            ),
            "Keep the one that holds what turned out to be true, and rename or remove the other.",
        ));
    }
    Ok(())
}

fn listed(names: &[String], what: &str) -> String {
    let plural = if names.len() == 1 { "" } else { "s" };
    let more = names.len().saturating_sub(NAMES_SHOWN);
    let shown = names[..names.len() - more].join(", ");
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("the {what}{plural} {shown}{more}")
}

/// Equal but for case, blanks, underscores and hyphens.
fn alike(one: &str, other: &str) -> bool {
    let plain = |name: &str| -> String {
        name.chars()
            .filter(|c| !matches!(c, ' ' | '_' | '-'))
            .flat_map(char::to_lowercase)
            .collect()
    };
    plain(one) == plain(other)
}

#[cfg(test)]
mod tests;
