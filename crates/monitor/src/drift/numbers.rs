//! Selection of a column's values for comparison: its numbers, or the counts of its categories.

use std::collections::HashMap;

use super::weighted::Weighted;
use crate::documents::statistics::{Category, Detail, Feature, Numeric};
use crate::profile::ColumnFacts;

/// The numbers of a column: its own, or those in a text column whose baseline is numeric.
pub fn of<'a>(feature: &'a Feature, facts: Option<&'a ColumnFacts>) -> Option<&'a Numeric> {
    match &feature.detail {
        Detail::Numeric(numeric) => Some(numeric),
        Detail::Text(_) => facts.and_then(|facts| facts.numbers.as_ref()),
    }
}

/// The numbers that [`of`] returns, sorted; `None` if there are none.
pub fn weighted(feature: &Feature, facts: Option<&ColumnFacts>) -> Option<Weighted> {
    of(feature, facts)
        .map(|numeric| Weighted::of_levels(&numeric.levels))
        .filter(|numbers| numbers.total() > 0)
}

/// Like [`weighted`], but with the reference's error: see `Ranks::of_levels_as_reference`.
pub fn weighted_as_reference(feature: &Feature, facts: Option<&ColumnFacts>) -> Option<Weighted> {
    of(feature, facts)
        .map(|numeric| Weighted::of_levels_as_reference(&numeric.levels))
        .filter(|numbers| numbers.total() > 0)
}

/// The counts of a text column with few different values.
pub fn categories(feature: &Feature) -> Option<&[Category]> {
    match &feature.detail {
        Detail::Text(text) => text.categories.as_deref().filter(|categories| !categories.is_empty()),
        Detail::Numeric(_) => None,
    }
}

/// Counts of both sides, baseline first, over the union of the categories: those of the baseline in its order, followed
/// by new ones.
pub fn union(baseline: &[Category], current: &[Category]) -> Vec<(u64, u64)> {
    let mut now: HashMap<&str, u64> = current
        .iter()
        .map(|category| (category.value.as_str(), category.count))
        .collect();
    let mut cells: Vec<(u64, u64)> = baseline
        .iter()
        .map(|category| (category.count, now.remove(category.value.as_str()).unwrap_or(0)))
        .collect();
    let unseen = current
        .iter()
        .filter(|category| now.contains_key(category.value.as_str()));
    cells.extend(unseen.map(|category| (0, category.count)));
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_union_has_what_either_side_lacks() {
        let (before, now) = (of(&[("a", 3), ("b", 2)]), of(&[("c", 5), ("a", 1)]));
        assert_eq!(union(&before, &now), [(3, 1), (2, 0), (0, 5)]);
    }

    fn of(counts: &[(&str, u64)]) -> Vec<Category> {
        counts
            .iter()
            .map(|(value, count)| Category {
                value: (*value).to_owned(),
                count: *count,
            })
            .collect()
    }
}
