//! A notice to people: an SNS message whose attributes choose who gets it.
//!
//! The values in a notice come from files, keys and containers. They are escaped, so that no value can start a new line
//! or change the reading order of the text.

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

/// A notice: the subject `[drivetrain] used-car-price: …`, and a body of one sentence followed by lines `name: value`.
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
            headline: plain(headline),
            body: format!("{}\n\n", plain(text)),
        }
    }

    /// Adds a line `name: value`.
    #[must_use]
    pub fn line(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        // Writing into a String can't fail.
        let _ = writeln!(self.body, "{:<14} {}", format!("{name}:"), plain(&value.to_string()));
        self
    }

    /// The subject, cut to 100 printable ASCII characters, which is what SNS accepts.
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

    /// The text of the message.
    pub fn body(&self) -> &str {
        &self.body
    }
}

/// Text that stays on its line and in its reading order: control characters, line and paragraph separators, and
/// characters that are invisible or change the direction of text are escaped, as `\n` or `\u{202e}`.
pub fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if is_plain(character) {
            plain.push(character);
        } else {
            plain.extend(character.escape_default());
        }
    }
    plain
}

/// Whether a character is visible, stays on its line and doesn't change the reading order.
pub fn is_plain(character: char) -> bool {
    let invisible = matches!(
        character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    );
    !character.is_control() && !invisible
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn subjects_are_what_sns_takes() {
        let notice = Notice::new("cars", Severity::Info, &"über\n".repeat(40), "text").line("run", "r1");
        assert!(notice.subject().len() <= 100 && notice.subject().is_ascii());
        assert!(notice.subject().starts_with(r"[drivetrain] cars: ?ber\n?ber"));
        assert_eq!(notice.body(), "text\n\nrun:           r1\n");
    }

    #[test]
    fn a_value_cannot_forge_a_line() {
        let key = "a.csv\nrun:           20261122t183000z-00000000\u{2028}\u{202e}vsc.b\0";
        let notice = Notice::new("cars", Severity::Info, key, key).line("file", key);
        let shown = r"a.csv\nrun:           20261122t183000z-00000000\u{2028}\u{202e}vsc.b\u{0}";
        assert_eq!(notice.body(), format!("{shown}\n\nfile:          {shown}\n"));
        assert!(
            notice.subject().starts_with(r"[drivetrain] cars: a.csv\nrun:"),
            "{}",
            notice.subject()
        );
        assert_eq!(plain("Käufe \u{1f697} 90 % → 3"), "Käufe \u{1f697} 90 % → 3");
    }

    proptest! {
        #[test]
        fn whatever_is_said_stays_in_its_line(headline in any::<String>(), text in any::<String>(), value in any::<String>()) {
            let notice = Notice::new("cars", Severity::Info, &headline, &text).line("file", &value).line("run", "r1");
            let lines: Vec<&str> = notice.body().lines().collect();
            prop_assert_eq!(lines.len(), 4);
            prop_assert!(lines[2].starts_with("file:") && lines[3] == "run:           r1");
            prop_assert!(notice.body().chars().all(|it| it == '\n' || is_plain(it)));
            prop_assert!(notice.subject().bytes().all(|byte| (b' '..=b'~').contains(&byte)));
        }
    }
}
