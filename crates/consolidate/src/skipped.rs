//! What was left out of a window, and why.

use contracts::drift::{Skipped, SkippedKind};

/// Why a row is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// No JSON, or not that of a captured request.
    NoRecord,
    /// A request without its answer, or the other way round.
    OneSided,
    /// A payload that is no CSV.
    NoCsv,
    /// More or fewer answers than rows.
    Answers,
    /// Another number of fields than the champion has columns.
    Fields,
    /// An answer that is no number.
    NoNumber,
    /// A scoring run's file of other columns.
    Columns,
    /// Bytes that are no text.
    NoText,
    /// A ground-truth file without the columns that it needs, or a line that is none.
    NoLabel,
    /// The row of a ground-truth file in which quotes are opened that nothing closes, and all that follow.
    Unclosed,
    /// What follows in a ground-truth file that is damaged or too large.
    Broken,
    /// A label outside of the target's bounds in `cleaning`.
    OutOfBounds,
    /// A label that comes again for a row that has it.
    Again,
    /// A label whose id is that of a row, and that of a request.
    Confused,
    /// A label that waits for its prediction, and is one of too many.
    TooMany,
}

impl Reason {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoRecord => "the line is no captured record",
            Self::OneSided => "the line lacks its input or its output",
            Self::NoCsv => "input or output is no CSV",
            Self::Answers => "there are not as many answers as rows",
            Self::Fields => "the row has another number of fields than the champion has columns",
            Self::NoNumber => "the answer is no number",
            Self::Columns => "the file has other columns than the champion",
            Self::NoText => "the row is no text in UTF-8",
            Self::NoLabel => "the line is no ground truth",
            Self::Unclosed => "quotes are opened and never closed: from there on the file is not read",
            Self::Broken => "the file is damaged, cut short or too large: from there on it is not read",
            Self::OutOfBounds => "the label is outside of the bounds that `cleaning` has for the target",
            Self::Again => "the prediction had its ground truth before",
            Self::Confused => "the id names a row, and is a request's of its own: name its row, with `#0` behind it",
            Self::TooMany => "more labels wait for their prediction than are kept",
        }
    }

    /// Of what the rows are.
    pub fn kind(self) -> SkippedKind {
        match self {
            Self::NoRecord
            | Self::OneSided
            | Self::NoCsv
            | Self::Answers
            | Self::Fields
            | Self::NoNumber
            | Self::Columns
            | Self::NoText => SkippedKind::Record,
            Self::NoLabel | Self::OutOfBounds | Self::Confused | Self::TooMany => SkippedKind::Label,
            Self::Unclosed | Self::Broken => SkippedKind::Rest,
            Self::Again => SkippedKind::Known,
        }
    }
}

/// Counts and first places, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skips(Vec<(Reason, u64, String)>);

impl Skips {
    /// Counts rows; `place` is asked for the first of a reason only.
    pub fn add(&mut self, reason: Reason, rows: u64, place: impl FnOnce() -> String) {
        match self.0.iter_mut().find(|(known, ..)| *known == reason) {
            Some((_, count, _)) => *count += rows,
            None => self.0.push((reason, rows, place())),
        }
    }

    /// The place of those that have none yet.
    pub fn place(&mut self, place: impl Fn() -> String) {
        for (.., first) in self.0.iter_mut().filter(|(.., first)| first.is_empty()) {
            *first = place();
        }
    }

    /// Whether there is anything but ground truth that was joined before.
    pub fn has_losses(&self) -> bool {
        self.0.iter().any(|(reason, ..)| reason.kind() != SkippedKind::Known)
    }

    /// Adds what was left out after these.
    pub fn merge(&mut self, later: Self) {
        for (reason, rows, first) in later.0 {
            self.add(reason, rows, || first);
        }
    }

    /// Most rows first, then by the alphabet.
    pub fn told(mut self) -> Vec<Skipped> {
        self.0
            .sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.as_str().cmp(other.0.as_str())));
        let told = self.0.into_iter().map(|(reason, rows, first)| Skipped {
            reason: reason.as_str().to_owned(),
            kind: reason.kind(),
            rows,
            first,
        });
        told.collect()
    }
}
