//! Errors and warnings about a file of the contract, with their places.

/// Why a file can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}")]
pub struct DocumentError {
    /// Name of the file, as given by the caller.
    pub file: String,
    /// Line number, from 1.
    pub line: u64,
    /// Column, from 1, in characters.
    pub column: u64,
    /// What is wrong, and what to write instead.
    pub what: String,
}

/// A member of a file that has no effect, or perhaps not the intended one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Line number, from 1.
    pub line: u64,
    /// Column, from 1, in characters.
    pub column: u64,
    /// One sentence for people.
    pub message: String,
}

/// A file that was read, with its warnings.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed<T> {
    /// The content of the file.
    pub document: T,
    /// The warnings, in the order of the lines.
    pub warnings: Vec<Warning>,
}
