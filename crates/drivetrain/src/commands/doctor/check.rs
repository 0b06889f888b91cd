//! The outcome of a check.

use serde::Serialize;

/// What was found.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// How it stands.
    pub level: Level,
    /// What was looked at.
    pub of: &'static str,
    /// What was found.
    pub found: String,
    /// What to do; none where all is well.
    pub to_do: Option<String>,
}

/// How something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Somebody should look.
    Warning,
    /// Nothing works without it.
    Missing,
}

impl Check {
    /// All is well.
    pub fn ok(of: &'static str, found: impl Into<String>) -> Self {
        Self {
            level: Level::Ok,
            of,
            found: found.into(),
            to_do: None,
        }
    }

    /// Somebody should look.
    pub fn warning(of: &'static str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            level: Level::Warning,
            of,
            found: found.into(),
            to_do: Some(to_do.into()),
        }
    }

    /// Nothing works without it.
    pub fn missing(of: &'static str, found: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            level: Level::Missing,
            ..Self::warning(of, found, to_do)
        }
    }

    /// A check that could not be made.
    pub fn unchecked(of: &'static str, error: &anyhow::Error) -> Self {
        Self::warning(
            of,
            format!("could not be looked at: {error:#}"),
            "fix that, then look again",
        )
    }

    /// A line, and one below with what to do.
    pub fn in_words(&self) -> String {
        let level = match self.level {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Missing => "missing",
        };
        let line = format!("{level:<8} {:<14} {}\n", self.of, self.found);
        match &self.to_do {
            Some(to_do) => format!("{line}{:<8} {:<14} -> {to_do}\n", "", ""),
            None => line,
        }
    }
}
