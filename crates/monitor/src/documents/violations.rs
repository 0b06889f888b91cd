//! `constraint_violations.json`. Its entries are quoted in `drift.json`, so their type is one of `contracts`.

use contracts::drift::Violation;

/// The document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Violations {
    /// In the order of the features.
    pub violations: Vec<Violation>,
}
