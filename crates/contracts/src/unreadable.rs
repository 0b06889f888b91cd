//! Values of a dropped file that couldn't be read, as reported in the jobs' summaries and to people.

use crate::words;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The unreadable values of one column. They are few: a file with too many of them is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    /// The column.
    pub column: String,
    /// Number of values that are not missing.
    pub values: u64,
    /// Number of those values that can't be read: they count as missing.
    pub unreadable: u64,
    /// Some of the unreadable values, shortened and without control characters.
    #[serde(default)]
    pub examples: Vec<String>,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unreadable, column) = (words::count(self.unreadable), &self.column);
        let values = words::counted(self.values, "value", "values");
        write!(f, "{unreadable} of {values} of `{column}` didn't read")?;
        if self.examples.is_empty() {
            return Ok(());
        }
        let examples: Vec<String> = self.examples.iter().map(|example| format!("`{example}`")).collect();
        write!(f, ": {}", examples.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_in_a_line() {
        let mut told = Unreadable {
            column: "km".to_owned(),
            values: 200,
            unreadable: 2,
            examples: vec!["12,5".to_owned(), "soon".to_owned()],
        };
        assert_eq!(told.to_string(), "2 of 200 values of `km` didn't read: `12,5`, `soon`");
        told.examples.clear();
        assert_eq!(told.to_string(), "2 of 200 values of `km` didn't read");
    }
}
