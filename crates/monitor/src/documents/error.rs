//! What can be wrong with a file of the contract, and where.

/// A file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}")]
pub struct DocumentError {
    /// Its name, as the caller gave it.
    pub file: String,
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// What is wrong, and what to write instead.
    pub what: String,
}

/// Something in a file that has no effect, or perhaps not the one that was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// From 1.
    pub line: u64,
    /// From 1, in characters.
    pub column: u64,
    /// One sentence for people.
    pub message: String,
}

/// A file that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<T> {
    /// What it says.
    pub document: T,
    /// In the order of the lines.
    pub warnings: Vec<Warning>,
}
