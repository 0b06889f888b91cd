//! What a file's columns hold, read once from the first row to the last in bounded memory.

use super::dates;
use super::text::{Open, Text};
use anyhow::{Result, anyhow, bail};
use contracts::use_case::Input;
use contracts::words;
use csv::{ByteRecord, ReaderBuilder, StringRecord};
use files::{Numbers, squeeze};
use std::collections::HashMap;
use std::io::Read as _;

/// Different values that are remembered, of all columns together.
const REMEMBERED: usize = 2_000_000;
/// And of one column, at least and at most.
const OF_A_COLUMN: (usize, usize) = (500, 20_000);
/// Longer values are text for people.
const LONGEST_WORD_BYTES: usize = 200;
/// Rows that are kept for quantiles and baselines, and their bytes.
const SAMPLE_ROWS: usize = 20_000;
const SAMPLE_BYTES: usize = 64 << 20;
/// How often progress is told.
const PROGRESS_ROWS: u64 = 10_000;
/// A row of its own behind the last, unless the file ends within quotes.
const MARK: &[u8] = b"\n\0\n";

/// A file's rows, counted.
#[derive(Debug)]
pub(super) struct Profile {
    /// The header, without white space around names.
    pub names: Vec<String>,
    /// Rows with as many fields as the header.
    pub rows: u64,
    /// Rows with others.
    pub misfits: u64,
    /// A column each.
    pub columns: Vec<Tally>,
    /// Every so many-th row, evenly over the file.
    pub sample: Vec<StringRecord>,
    pub step: u64,
    /// Length of the text, decompressed.
    pub bytes: u64,
}

/// Why a file can't be read as it was meant to.
pub(super) enum Unread {
    /// These bytes are no UTF-8: another encoding is likely.
    NotUtf8(Vec<u8>),
    /// Goes on from the file's name.
    Wrong(anyhow::Error),
}

impl From<anyhow::Error> for Unread {
    fn from(error: anyhow::Error) -> Self {
        Self::Wrong(error)
    }
}

impl From<csv::Error> for Unread {
    fn from(error: csv::Error) -> Self {
        Self::Wrong(anyhow!("can't be read: {error}"))
    }
}

impl From<std::io::Error> for Unread {
    fn from(error: std::io::Error) -> Self {
        Self::Wrong(anyhow!("can't be read: {error}"))
    }
}

/// What a value reads as, in the platform's ways.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    pub missing: bool,
    pub number: Option<f64>,
    /// A number with zeros in front: a code.
    pub padded: bool,
    /// One of the words for true and false, or 1 and 0.
    pub truth: bool,
    pub date: bool,
}

/// What a column's values are.
#[derive(Debug)]
pub(super) struct Tally {
    /// How often each value occurs, as far as they are remembered.
    pub words: HashMap<Box<str>, (u64, Reading)>,
    /// Values that are not remembered.
    pub forgotten: u64,
    pub missing: u64,
    pub numbers: u64,
    pub whole: u64,
    pub padded: u64,
    pub truths: u64,
    pub dates: u64,
    pub days: u64,
    pub minimum: f64,
    pub maximum: f64,
    /// Whether each number is the one before and 1.
    pub counts_on: bool,
    last: Option<f64>,
    room: usize,
}

impl Tally {
    fn new(room: usize) -> Self {
        Self {
            words: HashMap::new(),
            forgotten: 0,
            missing: 0,
            numbers: 0,
            whole: 0,
            padded: 0,
            truths: 0,
            dates: 0,
            days: 0,
            minimum: f64::INFINITY,
            maximum: f64::NEG_INFINITY,
            counts_on: true,
            last: None,
            room,
        }
    }

    fn add(&mut self, field: &str, numbers: &Numbers) {
        let reading = if let Some((count, reading)) = self.words.get_mut(field) {
            *count += 1;
            *reading
        } else {
            let reading = read(field, numbers);
            if self.words.len() < self.room && field.len() <= LONGEST_WORD_BYTES {
                self.words.insert(field.into(), (1, reading));
            } else {
                self.forgotten += 1;
            }
            reading
        };
        if reading.missing {
            self.missing += 1;
            return;
        }
        self.truths += u64::from(reading.truth);
        self.dates += u64::from(reading.date);
        self.padded += u64::from(reading.padded);
        let Some(number) = reading.number else {
            self.counts_on = false;
            return;
        };
        self.numbers += 1;
        self.whole += u64::from(number.fract() == 0.0);
        self.days += u64::from(dates::is_day_number(number));
        self.minimum = self.minimum.min(number);
        self.maximum = self.maximum.max(number);
        self.counts_on &= self.last.is_none_or(|last| number - last == 1.0);
        self.last = Some(number);
    }

    /// The values that hold something.
    pub fn values(&self, rows: u64) -> u64 {
        rows - self.missing
    }

    /// Takes a word for a missing value from now on.
    pub fn miss(&mut self, is_missing: impl Fn(&str) -> bool) {
        for (word, (count, reading)) in &mut self.words {
            if !reading.missing && is_missing(word) {
                self.missing += *count;
                self.truths -= *count * u64::from(reading.truth);
                self.dates -= *count * u64::from(reading.date);
                *reading = Reading {
                    missing: true,
                    ..Reading::default()
                };
            }
        }
    }

    /// The different values as categories read them, and how often each occurs; the most frequent first.
    pub fn categories(&self) -> Vec<(String, u64)> {
        let mut counts: HashMap<String, u64> = HashMap::new();
        for (word, (count, reading)) in &self.words {
            if !reading.missing {
                *counts.entry(squeeze(word)).or_default() += count;
            }
        }
        let mut counts: Vec<(String, u64)> = counts.into_iter().collect();
        most_first(&mut counts);
        counts
    }

    /// Values that are no numbers, the most frequent first.
    pub fn not_numbers(&self) -> Vec<(String, u64)> {
        let mut words = self.words.iter();
        let mut found: Vec<(String, u64)> = words
            .by_ref()
            .filter(|(_, (_, reading))| !reading.missing && reading.number.is_none())
            .map(|(word, (count, _))| (squeeze(word), *count))
            .collect();
        most_first(&mut found);
        found
    }

    /// The most frequent value that is no number; nothing where there is none.
    pub fn text_example(&self) -> String {
        let first = self.not_numbers().into_iter().next();
        first.map(|(word, _)| word).unwrap_or_default()
    }
}

fn most_first(words: &mut [(String, u64)]) {
    words.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
}

fn read(field: &str, numbers: &Numbers) -> Reading {
    // Digits alone are a number, whatever the marks, and most fields of large files are such.
    if field.len() < 16 && !field.is_empty() && field.bytes().all(|it| it.is_ascii_digit()) {
        return Reading {
            number: field.parse().ok(),
            padded: field.len() > 1 && field.starts_with('0'),
            truth: matches!(field, "0" | "1"),
            ..Reading::default()
        };
    }
    if numbers.is_missing(field) {
        return Reading {
            missing: true,
            ..Reading::default()
        };
    }
    let text = squeeze(field);
    let number = numbers.read(&text);
    let word = text.to_lowercase();
    let digits = text.as_bytes();
    Reading {
        missing: false,
        number,
        padded: number.is_some() && digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit(),
        truth: ["true", "t", "yes", "y", "false", "f", "no", "n", "1", "0"].contains(&word.as_str()),
        date: number.is_none() && dates::is_date(&text),
    }
}

/// Reads all rows.
///
/// # Errors
/// The file can't be read to its end, or too many rows don't fit the header.
pub(super) fn profile(open: Open<'_>, input: &Input, progress: &mut dyn FnMut(u64)) -> Result<Profile, Unread> {
    let text = Text::new(open()?, input.encoding).chain(MARK);
    let mut builder = ReaderBuilder::new();
    builder
        .has_headers(false)
        .flexible(true)
        .delimiter(input.delimiter as u8);
    let mut reader = builder.from_reader(text);
    let mut record = ByteRecord::new();
    reader.read_byte_record(&mut record)?;
    let names: Vec<String> = text_of(&record)?.iter().map(|name| name.trim().to_owned()).collect();
    let room = (REMEMBERED / names.len().max(1)).clamp(OF_A_COLUMN.0, OF_A_COLUMN.1);
    let mut profile = Profile {
        columns: names.iter().map(|_| Tally::new(room)).collect(),
        names,
        rows: 0,
        misfits: 0,
        sample: Vec::new(),
        step: 1,
        bytes: 0,
    };
    let numbers = Numbers::new(input);
    let mut kept_bytes = 0;
    loop {
        let begins = reader.position().line();
        if !reader.read_byte_record(&mut record)? || is_mark(&record) {
            break;
        }
        // The mark within a field: quotes were never closed.
        if record
            .iter()
            .next_back()
            .is_some_and(|field| field.ends_with(b"\n\0\n"))
        {
            return Err(Unread::Wrong(anyhow!(
                "ends within quotes: the row in line {begins} opens some that nothing closes. Close them, or write a quote \
                 within a field twice"
            )));
        }
        if record.iter().any(|field| field.contains(&0)) {
            return Err(Unread::Wrong(anyhow!(
                "holds NUL bytes in line {begins}: write it again without them"
            )));
        }
        let row = text_of(&record)?;
        if row.len() != profile.names.len() {
            profile.misfits += 1;
            continue;
        }
        for (tally, field) in profile.columns.iter_mut().zip(&row) {
            tally.add(field, &numbers);
        }
        if profile.rows.is_multiple_of(profile.step) {
            kept_bytes += row.as_slice().len();
            profile.sample.push(row);
            if profile.sample.len() > SAMPLE_ROWS || kept_bytes > SAMPLE_BYTES {
                profile.thin();
                kept_bytes = profile.sample.iter().map(|row| row.as_slice().len()).sum();
            }
        }
        profile.rows += 1;
        if profile.rows.is_multiple_of(PROGRESS_ROWS) {
            progress(profile.rows);
        }
    }
    profile.bytes = reader.position().byte();
    profile.judge()?;
    Ok(profile)
}

impl Profile {
    /// Keeps every other row of the sample.
    fn thin(&mut self) {
        let mut keep = false;
        self.sample.retain(|_| {
            keep = !keep;
            keep
        });
        self.step *= 2;
    }

    fn judge(&self) -> Result<()> {
        let all = self.rows + self.misfits;
        if all == 0 {
            bail!("has a header and no rows: give a file with rows");
        }
        // What Preprocess refuses by default.
        if self.misfits * 20 > all {
            bail!(
                "has {} of {} whose number of fields is not the header's: put fields that hold the delimiter in quotes",
                words::counted(self.misfits, "row", "rows"),
                words::count(all)
            );
        }
        Ok(())
    }
}

fn is_mark(record: &ByteRecord) -> bool {
    record.len() == 1 && record.get(0) == Some(b"\0")
}

fn text_of(record: &ByteRecord) -> Result<StringRecord, Unread> {
    StringRecord::from_byte_record(record.clone()).map_err(|_| Unread::NotUtf8(record.as_slice().to_vec()))
}
