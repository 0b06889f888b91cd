//! Mends the mistake at which the reader of a document has stopped, so that it can be read on for others.
//!
//! A word becomes one that may stand there, a field that isn't known becomes the known one that it resembles, or spaces.
//! Lines stay what they are, and columns can be told as they were.

use super::yaml::{self, Entry, Marked, Position};
use serde_saphyr::Error;
use std::ops::Range;

/// How much a word must resemble a known one to be taken for it, from 0 to 1.
const ALIKE: f64 = 0.75;
/// How many letters it may differ in to be read as that one.
const LETTERS: usize = 2;

/// A document in which mistakes are being mended.
pub(super) struct Mended {
    pub(super) source: String,
    /// Values that were replaced, with what can't be judged because of that.
    unsure: Vec<String>,
    moved: Vec<Moved>,
}

/// What follows a column of a line stands elsewhere than in the document.
struct Moved {
    from: Position,
    by: isize,
}

impl Mended {
    pub(super) fn new(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            unsure: Vec::new(),
            moved: Vec::new(),
        }
    }

    /// Mends the mistake at `at`; returns whether it can be mended.
    pub(super) fn mend(&mut self, error: &Error, at: Position) -> bool {
        match error {
            Error::SerdeUnknownField { field, expected, .. } => self.field(field, expected, at),
            Error::DuplicateMappingKey { .. } => match self.entry(at) {
                Some((entry, others)) => {
                    self.blank(&entry, others.is_empty());
                    true
                }
                None => false,
            },
            Error::SerdeUnknownVariant { variant, expected, .. } => {
                let near = nearest(variant, expected).filter(|near| is_slip(variant, near));
                match near.or(expected.first().copied()) {
                    Some(word) => self.value(at, word, near.is_some()),
                    None => false,
                }
            }
            Error::InvalidScalar { ty: "boolean", .. } => self.value(at, "true", true),
            Error::InvalidScalar { .. } => self.value(at, "1", true),
            _ => false,
        }
    }

    /// Where a place of the mended text is in the document.
    pub(super) fn restore(&self, at: Position) -> Position {
        let mut at = at;
        for moved in self.moved.iter().rev() {
            if at.line == moved.from.line && at.column > moved.from.column {
                at.column = at.column.saturating_add_signed(-moved.by).max(1);
            }
        }
        at
    }

    /// Whether a mistake at a path may come of mending alone.
    pub(super) fn is_unsure(&self, path: &str) -> bool {
        self.unsure.iter().any(|unsure| path.starts_with(unsure.as_str()))
    }

    fn field(&mut self, field: &str, expected: &[&str], at: Position) -> bool {
        let Some((entry, others)) = self.entry(at) else {
            return false;
        };
        let near = nearest(field, expected).filter(|near| is_slip(field, near));
        match near.filter(|near| others.iter().all(|other| other != near)) {
            Some(near) => self.replace(entry.key, at, near),
            None => self.blank(&entry, others.is_empty()),
        }
        true
    }

    fn value(&mut self, at: Position, word: &str, is_likely: bool) -> bool {
        let Ok(marked) = Marked::parse(&self.source) else {
            return false;
        };
        let Some((path, node)) = marked
            .path_at(at)
            .and_then(|path| Some((path.to_owned(), marked.get(path)?.clone())))
        else {
            return false;
        };
        let unsure = match path.rfind('.') {
            // Another word may change what its neighbours mean.
            Some(end) if !is_likely => path[..=end].to_owned(),
            _ => path,
        };
        self.unsure.push(unsure);
        self.replace(node.bytes, at, word);
        true
    }

    /// The entry of a mapping whose key stands at a place, and the names of the others of that mapping.
    fn entry(&self, at: Position) -> Option<(Entry, Vec<String>)> {
        let entries = yaml::entries(&self.source).ok()?;
        let found = entries.iter().find(|entry| entry.at == at)?;
        let others = entries.iter().filter(|it| it.mapping == found.mapping && it.at != at);
        let others = others.map(|it| it.name.clone()).collect();
        Some((found.clone(), others))
    }

    fn replace(&mut self, bytes: Range<usize>, at: Position, word: &str) {
        let before = self.source[bytes.clone()].chars().count();
        let by = word.len().cast_signed() - before.cast_signed();
        self.moved.push(Moved { from: at, by });
        self.source.replace_range(bytes, word);
    }

    /// Puts spaces in the place of an entry; for the only one of a mapping in block style an empty mapping.
    fn blank(&mut self, entry: &Entry, is_only: bool) {
        let mut bytes = entry.bytes.clone();
        if entry.in_braces {
            let rest = &self.source[bytes.end..];
            let next = rest.trim_start();
            if next.starts_with(',') {
                bytes.end += rest.len() - next.len() + 1;
            }
        }
        let kept = |character: char| if character == '\n' { '\n' } else { ' ' };
        let mut blank: String = self.source[bytes.clone()].chars().map(kept).collect();
        if is_only && !entry.in_braces {
            blank.replace_range(..2, "{}");
        }
        self.source.replace_range(bytes, &blank);
    }
}

/// The known word that a word resembles most, if it resembles one.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let alike = known.iter().map(|known| (strsim::jaro_winkler(word, known), *known));
    let best = alike.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (best.0 > ALIKE).then_some(best.1)
}

fn is_slip(word: &str, near: &str) -> bool {
    strsim::damerau_levenshtein(word, near) <= LETTERS
}
