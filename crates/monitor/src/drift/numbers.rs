//! Which numbers of a column are compared.

use super::weighted::Weighted;
use crate::documents::statistics::{Category, Detail, Feature, Numeric};
use crate::profile::ColumnFacts;

/// The numbers of a column: its own, or those among the values of a text column whose baseline is numeric.
pub fn of<'a>(feature: &'a Feature, facts: Option<&'a ColumnFacts>) -> Option<&'a Numeric> {
    match &feature.detail {
        Detail::Numeric(numeric) => Some(numeric),
        Detail::Text(_) => facts.and_then(|facts| facts.numbers.as_ref()),
    }
}

/// The same as [`of`], in order; `None` where there is no number.
pub fn weighted(feature: &Feature, facts: Option<&ColumnFacts>) -> Option<Weighted> {
    of(feature, facts)
        .map(|numeric| Weighted::of_levels(&numeric.levels))
        .filter(|numbers| numbers.total() > 0)
}

/// The counts of a text column with few different values.
pub fn categories(feature: &Feature) -> Option<&[Category]> {
    match &feature.detail {
        Detail::Text(text) => text.categories.as_deref().filter(|categories| !categories.is_empty()),
        Detail::Numeric(_) => None,
    }
}
