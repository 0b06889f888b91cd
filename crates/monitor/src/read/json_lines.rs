//! Reads JSON lines into profiles: one object on each line, with mostly the same keys in the same order.
//!
//! Columns are all keys that occur, sorted by name as in the reference. A key that is absent from a row and `null` are
//! missing values; `""` is a value. The value is its text: numbers as written (`5`, `5.0`, `1e3`), strings without
//! escapes, so that `5` and `"5"` are the same, as in the reference, which reads either as a number. The values of a
//! nested object become columns named `outer.inner`. Lists do not become columns: their JSON is read as text, and
//! noted.

pub(super) mod scan;

use super::blocks::Block;
use super::cells::{Batch, Place};
use super::engine::Parse;
use super::error::Error;
use crate::profile::{Column, Expected, Form, Oddity, Profile};
use hashbrown::{HashMap, HashSet};
use scan::{Broken, Scanner, Token};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Number of values in a batch: as many as stay in the cache, with their text, while it is read column by column.
const BATCH_VALUES: usize = 20_000;
/// Number of lines that are searched for columns before the first block is read. Others may come later.
const FIRST_LINES: usize = 1000;
/// Maximum number of columns that come later. With more, the keys are values rather than names.
const MOST_LATE: usize = 1000;

const FORM: Form = Form {
    quotes: false,
    empty_is_missing: false,
};

/// How the lines are read.
pub(super) struct JsonLines {
    pub files: Vec<PathBuf>,
    pub late: Late,
    pub segment: Option<usize>,
}

#[derive(Default)]
pub(super) struct Scratch {
    batch: Batch,
    columns: Columns,
    memo: Memo,
    path: Vec<u8>,
}

/// Positions of the columns in the current profile, by name.
#[derive(Default)]
pub(super) struct Columns {
    by_name: HashMap<Vec<u8>, usize>,
}

impl Columns {
    /// Adopts the columns of `profile`; returns whether they were different before. A profile begins with the columns
    /// that are known when its block is read, so late columns may or may not be included.
    pub fn follow(&mut self, profile: &Profile) -> bool {
        let known = |(at, it): (usize, &Column)| self.find(it.name.as_bytes()) == Some(at);
        let same = self.by_name.len() == profile.columns.len() && profile.columns.iter().enumerate().all(known);
        if !same {
            let names = profile.columns.iter().enumerate();
            self.by_name = names.map(|(at, it)| (it.name.clone().into_bytes(), at)).collect();
        }
        !same
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Position of the column; `None` if it is new.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// Adds a new column, which is missing in all rows so far.
    pub fn add(&mut self, name: &[u8], profile: &mut Profile, late: &Late, path: &Path) -> Result<(), Error> {
        let text = String::from_utf8_lossy(name).into_owned();
        let expected = late.add(&text, path)?;
        self.by_name.insert(name.to_vec(), profile.columns.len());
        let column = Column::new(text, expected);
        let segments = profile.segments.iter_mut().flat_map(|it| it.profiles.values_mut());
        for segment in segments {
            push_column(segment, column.clone());
        }
        push_column(profile, column);
        Ok(())
    }
}

/// Adds a column that is missing in all rows so far.
fn push_column(profile: &mut Profile, mut column: Column) {
    column.push_missing(profile.rows);
    profile.columns.push(column);
}

/// Columns that came after the first lines, over all blocks, so that their number can be limited.
#[derive(Default)]
pub(super) struct Late {
    expected: BTreeMap<String, Expected>,
    names: Mutex<HashSet<String>>,
}

impl Late {
    pub fn new(expected: &BTreeMap<String, Expected>) -> Self {
        Self {
            expected: expected.clone(),
            names: Mutex::default(),
        }
    }

    /// What the baseline says about a column that comes late.
    fn add(&self, name: &str, path: &Path) -> Result<Expected, Error> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.insert(name.to_owned());
        if names.len() > MOST_LATE {
            return Err(Error::File {
                path: path.to_owned(),
                what: format!(
                    "more than {MOST_LATE} keys come after the first {FIRST_LINES} lines: each key makes a column, so \
                     keys must be names, not values"
                ),
            });
        }
        Ok(self.expected.get(name).cloned().unwrap_or_default())
    }
}

/// The keys of the previous lines in their order, each with its quotes and the position of its column.
#[derive(Default)]
struct Memo {
    keys: Vec<(Box<[u8]>, usize)>,
    /// For each column, its position in `keys` plus one.
    ranks: Vec<usize>,
}

impl Memo {
    /// Learns a key that did not come where it was expected; returns the position of the key after it.
    #[cold]
    fn learn(&mut self, quoted: &[u8], column: usize) -> usize {
        if self.ranks.len() <= column {
            self.ranks.resize(column + 1, 0);
        }
        let Some(rank) = self.ranks.get_mut(column) else {
            return 0;
        };
        if *rank == 0 {
            self.keys.push((quoted.into(), column));
            *rank = self.keys.len();
        }
        *rank
    }
}

/// Keys are short, so that calling a function to compare them would take longer than the comparison.
#[inline(always)]
fn begins_with(text: &[u8], key: &[u8]) -> bool {
    let Some(text) = text.get(..key.len()) else {
        return false;
    };
    let ((words, bytes), (key_words, key_bytes)) = (text.as_chunks::<8>(), key.as_chunks::<8>());
    let same = |(a, b): (&[u8; 8], &[u8; 8])| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b);
    words.iter().zip(key_words).all(same) && bytes.iter().zip(key_bytes).all(|(a, b)| a == b)
}

/// Why a row was not completed.
enum Stop {
    Broken(Broken),
    /// A key that has no column yet.
    NewColumn(Vec<u8>),
}

impl From<Broken> for Stop {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

impl Parse for JsonLines {
    type Scratch = Scratch;

    fn parse(&self, block: &mut Block, scratch: &mut Scratch, profile: &mut Profile) -> Result<(), Error> {
        let path = self.files.get(block.file).map_or(Path::new(""), PathBuf::as_path);
        super::text::repair(block, path, &mut profile.notes);
        if scratch.columns.follow(profile) {
            scratch.memo = Memo::default();
        }
        scratch.batch.side.clear();
        scratch.batch.cells.clear(profile.columns.len());
        let mut at = 0;
        while at < block.len {
            let new = self.batch(block, &mut at, scratch, profile, path);
            scratch.batch.flush(block, profile, FORM, self.segment);
            if let Some(name) = new {
                scratch.columns.add(&name, profile, &self.late, path)?;
                scratch.batch.cells.clear(profile.columns.len());
            }
        }
        super::text::note_wide(profile, block, path);
        Ok(())
    }
}

impl JsonLines {
    /// Reads lines from `at` on until a batch is full. Returns the name of a column if it must be added before the line
    /// at `at` can be read.
    fn batch(
        &self,
        block: &Block,
        at: &mut usize,
        scratch: &mut Scratch,
        profile: &mut Profile,
        path: &Path,
    ) -> Option<Vec<u8>> {
        let text = block.text.get(..block.len).unwrap_or_default();
        let rows = (BATCH_VALUES / profile.columns.len().max(1)).clamp(32, 4096);
        let side_start = Batch::side_start(block);
        while *at < text.len() && scratch.batch.cells.len() < rows {
            let mut scanner = Scanner::new(text, *at);
            scanner.spaces();
            if scanner.take(b'\n') {
                *at = scanner.at;
                continue;
            }
            let mut row = Row {
                cells: scratch.batch.cells.add_row(),
                side: &mut scratch.batch.side,
                side_start,
                columns: &scratch.columns,
                memo: &mut scratch.memo,
                path: &mut scratch.path,
                lists: 0,
            };
            match row.read(&mut scanner) {
                Ok(()) => {
                    for _ in 0..row.lists {
                        profile
                            .notes
                            .add(Oddity::List, || place(path, block, *at, "a list", *at));
                    }
                    *at = scanner.at;
                }
                Err(stop) => {
                    scratch.batch.cells.drop_row();
                    let broken = match stop {
                        Stop::Broken(broken) => broken,
                        // If the rest of the line is invalid, no column must be added.
                        Stop::NewColumn(name) => match line_is_object(text, *at) {
                            Ok(()) => return Some(name),
                            Err(broken) => broken,
                        },
                    };
                    let notes = &mut profile.notes;
                    notes.add(Oddity::Unreadable, || place(path, block, *at, broken.what, broken.at));
                    *at = memchr::memchr(b'\n', text.get(*at..).unwrap_or_default())
                        .map_or(text.len(), |length| *at + length + 1);
                }
            }
        }
        None
    }
}

/// Whether the line at `at` is valid.
fn line_is_object(text: &[u8], at: usize) -> Result<(), Broken> {
    let mut scanner = Scanner::new(text, at);
    scanner.spaces();
    scanner.skip(0)?;
    scanner.end()
}

/// The place as `FILE:LINE:COLUMN: what`.
fn place(path: &Path, block: &Block, line_start: usize, what: &str, at: usize) -> String {
    let before = block.text.get(..line_start).unwrap_or_default();
    let line = block.first_line + memchr::memchr_iter(b'\n', before).count() as u64;
    let within = block.text.get(line_start..at).unwrap_or_default();
    let column = String::from_utf8_lossy(within).chars().count() + 1;
    format!("{}:{line}:{column}: {what}", path.display())
}

struct Row<'s> {
    cells: &'s mut [Place],
    side: &'s mut Vec<u8>,
    side_start: usize,
    columns: &'s Columns,
    memo: &'s mut Memo,
    path: &'s mut Vec<u8>,
    lists: usize,
}

impl Row<'_> {
    /// Reads a line that is not blank, including its newline.
    #[inline(always)]
    fn read(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        if !scanner.take(b'{') {
            return Err(scanner.broken("an object is expected: each line must be one").into());
        }
        scanner.spaces();
        if !scanner.take(b'}') {
            let mut next = 0;
            loop {
                self.member(scanner, &mut next)?;
                if !scanner.more(b'}')? {
                    break;
                }
            }
        }
        Ok(scanner.end()?)
    }

    #[inline(always)]
    fn member(&mut self, scanner: &mut Scanner<'_>, next: &mut usize) -> Result<(), Stop> {
        if let Some((key, column)) = self.memo.keys.get(*next)
            && begins_with(scanner.rest(), key)
        {
            let column = *column;
            *next += 1;
            scanner.at += key.len();
            scanner.colon()?;
            let token = scanner.value()?;
            if token != Token::Object {
                self.set(scanner, column, token);
                return Ok(());
            }
            // The value of this column is an object in this line.
            let name = self.columns.by_name.iter().find(|(_, at)| **at == column);
            self.path.clear();
            self.path.extend(name.into_iter().flat_map(|(name, _)| name));
            return self.object(scanner);
        }
        self.unexpected(scanner, next)
    }

    /// Handles a key that differs from the expected one.
    #[inline(never)]
    fn unexpected(&mut self, scanner: &mut Scanner<'_>, next: &mut usize) -> Result<(), Stop> {
        let key_start = scanner.at;
        let (start, end, escapes) = scanner.key()?;
        let quoted = scanner.text(key_start, end + 1);
        self.path.clear();
        scan::append(self.path, scanner.text(start, end), escapes);
        let token = scanner.value()?;
        if token == Token::Object {
            return self.object(scanner);
        }
        match self.columns.find(self.path) {
            Some(column) => {
                *next = self.memo.learn(quoted, column);
                self.set(scanner, column, token);
                Ok(())
            }
            None => Err(Stop::NewColumn(self.path.clone())),
        }
    }

    /// Reads the rest of an object after its `{`; `path` is the object's key.
    fn object(&mut self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        let mut path = std::mem::take(self.path);
        let mut new = None;
        let text = *scanner;
        let result = scanner.members(&mut path, &mut |name, token| match self.columns.find(name) {
            Some(column) => self.set(&text, column, token),
            None => _ = new.get_or_insert_with(|| name.to_vec()),
        });
        *self.path = path;
        result?;
        new.map_or(Ok(()), |name| Err(Stop::NewColumn(name)))
    }

    #[inline(always)]
    fn set(&mut self, scanner: &Scanner<'_>, column: usize, token: Token) {
        let Some(cell) = self.cells.get_mut(column) else {
            return;
        };
        *cell = match token {
            Token::Scalar(start, end) | Token::String(start, end, false) => (start as u32, end as u32),
            Token::String(start, end, true) => {
                let from = self.side_start + self.side.len();
                scan::append(self.side, scanner.text(start, end), true);
                (from as u32, (self.side_start + self.side.len()) as u32)
            }
            Token::Array(start, end) => {
                self.lists += 1;
                (start as u32, end as u32)
            }
            Token::Null | Token::Object => super::cells::NOTHING,
        };
    }
}

/// The columns of the first lines, sorted by name.
pub(super) fn first_columns(block: &Block) -> Vec<String> {
    let text = block.text.get(..block.len).unwrap_or_default();
    let mut names = std::collections::BTreeSet::new();
    let mut path = Vec::new();
    for line in text.split_inclusive(|it| *it == b'\n').take(FIRST_LINES) {
        let mut scanner = Scanner::new(line, 0);
        scanner.spaces();
        path.clear();
        // An invalid line is reported when it is read.
        if scanner.take(b'{') {
            let mut found = Vec::new();
            let whole = scanner.members(&mut path, &mut |name, _| {
                if !names.contains(name) {
                    found.push(name.to_vec());
                }
            });
            if whole.is_ok() && scanner.end().is_ok() {
                names.extend(found);
            }
        }
    }
    names
        .into_iter()
        .map(|it| String::from_utf8_lossy(&it).into_owned())
        .collect()
}
