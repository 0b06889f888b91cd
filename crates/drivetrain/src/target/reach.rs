//! How another command reaches the same stack.

/// The options that a command needs to reach the same stack, for messages that name one; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach(String);

impl Reach {
    /// The reach given by these options and their values.
    pub fn by(options: &[(&str, &str)]) -> Self {
        let options = options.iter().map(|(name, value)| format!(" {name} {}", quoted(value)));
        Self(options.collect())
    }

    /// A command line that can be pasted as it is.
    pub fn command(&self, words: &str) -> String {
        format!("drivetrain {words}{}", self.0)
    }
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_carries_what_it_needs() {
        assert_eq!(Reach::default().command("status"), "drivetrain status");
        let reach = Reach::by(&[("--stack", "prod"), ("--profile", "the team's")]);
        assert_eq!(
            reach.command("onboard DOCUMENT"),
            r"drivetrain onboard DOCUMENT --stack prod --profile 'the team'\''s'"
        );
    }
}
