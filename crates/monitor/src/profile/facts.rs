//! What the checks need to know of the current data beyond its statistics.

use crate::documents::statistics::Numeric;

/// Of one column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnFacts {
    /// The column.
    pub name: String,
    /// How many values look like what.
    pub types: TypeCounts,
    /// Values within the domain of the constraints; `None` where they name none.
    pub in_domain: Option<u64>,
    /// The numbers among the values of a text column whose baseline is numeric, so that one stray word does not
    /// keep the others from being compared. `None` for every other column.
    pub numbers: Option<Numeric>,
}

/// How many values look like what; a value counts once.
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
