//! A notice to people: an SNS message whose attributes choose who gets it.

use std::fmt::Write as _;

/// The longest subject that SNS takes.
const SUBJECT_LIMIT: usize = 100;

/// How urgent a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Good to know.
    Info,
    /// Somebody should look.
    Warning,
    /// Something failed.
    Error,
}

impl Severity {
    /// The value of the message attribute `severity`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A notice: subject `[drivetrain] used-car-price: …`, and `name: value` lines under a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The message attribute `use_case` that subscriptions filter by.
    pub use_case: String,
    /// The message attribute `severity`.
    pub severity: Severity,
    headline: String,
    body: String,
}

impl Notice {
    /// A notice with its headline (part of the subject) and its first paragraph.
    pub fn new(use_case: &str, severity: Severity, headline: &str, text: &str) -> Self {
        Self {
            use_case: use_case.to_owned(),
            severity,
            headline: headline.to_owned(),
            body: format!("{text}\n\n"),
        }
    }

    /// Adds a line `name: value`.
    #[must_use]
    pub fn line(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        // Writing into a String can't fail.
        let _ = writeln!(self.body, "{:<14} {value}", format!("{name}:"));
        self
    }

    /// At most 100 printable ASCII characters, as SNS demands.
    pub fn subject(&self) -> String {
        let text = format!("[drivetrain] {}: {}", self.use_case, self.headline);
        let clean: String = text
            .chars()
            .map(|c| if c.is_ascii_graphic() || c == ' ' { c } else { '?' })
            .collect();
        if clean.len() > SUBJECT_LIMIT {
            format!("{}...", &clean[..SUBJECT_LIMIT - 3])
        } else {
            clean
        }
    }

    /// The message.
    pub fn body(&self) -> &str {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_what_sns_takes() {
        let notice = Notice::new("cars", Severity::Info, &"über\n".repeat(40), "text").line("run", "r1");
        assert!(notice.subject().len() <= 100 && notice.subject().is_ascii());
        assert!(notice.subject().starts_with("[drivetrain] cars: ?ber?"));
        assert_eq!(notice.body(), "text\n\nrun:           r1\n");
    }
}
