//! The lines and rows that were left out of a window, with the reasons.

use contracts::drift::{Skipped, SkippedKind};

/// Why a line or row is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The line is no JSON, or not the JSON of a captured request.
    NoRecord,
    /// A request without its answer, or an answer without its request.
    OneSided,
    /// A payload that is not CSV.
    NoCsv,
    /// The number of answers differs from the number of rows.
    Answers,
    /// The number of fields differs from the number of the champion's columns.
    Fields,
    /// An answer that is not a number.
    NoNumber,
    /// A file of a scoring run that has other columns than the champion.
    Columns,
    /// Bytes that are not UTF-8 text.
    NoText,
    /// A ground-truth file without the required columns, or a line that is no ground truth.
    NoLabel,
    /// A row of a ground-truth file with an opening quote that is never closed, and everything after it.
    Unclosed,
    /// The rest of a ground-truth file that is damaged or too large.
    Broken,
    /// A label outside the target's bounds in `cleaning`.
    OutOfBounds,
    /// A repeated label for a row that has the same one already.
    Again,
    /// A label whose id is both that of a row and that of a request.
    Confused,
    /// A label that waits for its prediction, beyond the number of labels that are kept.
    TooMany,
}

impl Reason {
    /// Description for people.
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

    /// The kind of data that is lost.
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

/// Counts and first places of left-out rows, by reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Skips(Vec<(Reason, u64, String)>);

impl Skips {
    /// Counts rows. `place` is called only for the first one of each reason.
    pub fn add(&mut self, reason: Reason, rows: u64, place: impl FnOnce() -> String) {
        match self.0.iter_mut().find(|(known, ..)| *known == reason) {
            Some((_, count, _)) => *count += rows,
            None => self.0.push((reason, rows, place())),
        }
    }

    /// Sets the place of all reasons that have none yet.
    pub fn place(&mut self, place: impl Fn() -> String) {
        for (.., first) in self.0.iter_mut().filter(|(.., first)| first.is_empty()) {
            *first = place();
        }
    }

    /// Whether anything was lost, that is, anything but ground truth that was joined before.
    pub fn has_losses(&self) -> bool {
        self.0.iter().any(|(reason, ..)| reason.kind() != SkippedKind::Known)
    }

    /// Adds the counts of a later part of the data.
    pub fn merge(&mut self, later: Self) {
        for (reason, rows, first) in later.0 {
            self.add(reason, rows, || first);
        }
    }

    /// The counts for the report: most rows first, then alphabetically.
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
