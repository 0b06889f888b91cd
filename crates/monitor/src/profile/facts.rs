//! What the checks need to know about the current data in addition to its statistics.

use crate::documents::statistics::Numeric;

/// Facts about one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnFacts {
    /// Name of the column.
    pub name: String,
    /// Number of values by their type.
    pub types: TypeCounts,
    /// Number of values within the domain of the constraints; `None` if the constraints name no domain.
    pub in_domain: Option<u64>,
    /// Statistics of the numbers in a text column whose baseline is numeric, so that one stray word doesn't keep the
    /// numbers from being compared. `None` for every other column.
    pub numbers: Option<Numeric>,
}

/// Number of values by their type; each value counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct TypeCounts {
    /// Integers.
    pub integral: u64,
    /// Numbers with a fraction or an exponent.
    pub fractional: u64,
    /// `true` and `false`.
    pub boolean: u64,
    /// Anything else.
    pub text: u64,
}
