//! The data to judge: newly read, or joined with a saved profile.
//!
//! A saved profile may have been made without a baseline. When it is joined with later data, the result is the same as
//! if the baseline had been known from the start, as far as the saved values allow; otherwise there is a warning.

use super::error::Error;
use crate::documents::statistics::Detail;
use crate::profile::{Column, ColumnFacts, Expected, Profile, Segments};
use drift_document::words;
use std::collections::BTreeMap;

/// A profile, and the facts that the checks need beyond its statistics.
#[derive(Clone, Debug)]
pub struct Data {
    /// The profile of all rows.
    pub profile: Profile,
    /// Facts about its columns.
    pub facts: Vec<ColumnFacts>,
    /// Facts about the columns of its segments, by the segment's value.
    pub segment_facts: BTreeMap<String, Vec<ColumnFacts>>,
    /// Warnings about what can't be determined for data that was saved before.
    pub warnings: Vec<String>,
}

impl From<Profile> for Data {
    fn from(profile: Profile) -> Self {
        let segments = profile.segments.iter().flat_map(|it| &it.profiles);
        Self {
            facts: profile.facts(),
            segment_facts: segments.map(|(value, it)| (value.clone(), it.facts())).collect(),
            warnings: Vec::new(),
            profile,
        }
    }
}

impl Data {
    /// Joins a saved profile with later data, which was read with `expected`.
    ///
    /// # Errors
    /// They have different segments.
    pub fn joined(before: &Profile, later: &Profile, expected: &BTreeMap<String, Expected>) -> Result<Self, Error> {
        same_segments(before, later)?;
        let mut profile = empty(before, expected);
        profile.merge(before);
        profile.merge(later);
        let facts = joined_facts(&profile, Some(before), Some(later), expected);
        let segment_facts = profile
            .segments
            .iter()
            .flat_map(|it| &it.profiles)
            .map(|(value, both)| {
                let of = |part: &'_ Profile| part.segments.as_ref().and_then(|it| it.profiles.get(value)).cloned();
                let (before, later) = (of(before), of(later));
                let facts = joined_facts(both, before.as_ref(), later.as_ref(), expected);
                (value.clone(), facts)
            });
        Ok(Self {
            segment_facts: segment_facts.collect(),
            warnings: lost(&profile, &facts, expected),
            facts,
            profile,
        })
    }
}

/// Joins a saved profile with later data, without expectations about either.
///
/// # Errors
/// They have different segments.
pub fn join(mut before: Profile, later: &Profile) -> Result<Profile, Error> {
    same_segments(&before, later)?;
    before.merge(later);
    Ok(before)
}

/// Rows with different segments, or with and without segments, can't be counted together.
fn same_segments(before: &Profile, later: &Profile) -> Result<(), Error> {
    let column = |profile: &Profile| profile.segments.as_ref().map(|it| it.column.clone());
    let (saved, read) = (column(before), column(later));
    if saved == read || before.rows == 0 {
        return Ok(());
    }
    let named = |column: &Option<String>| match column {
        Some(column) => format!("segments by `{column}`"),
        None => "no segments".to_owned(),
    };
    Err(Error::Unusable(format!(
        "the saved state has {}, and the data is to have {}: name the same column, or make the state anew",
        named(&saved),
        named(&read),
    )))
}

/// A profile without rows that has the same columns and segments, and knows what is expected of them.
fn empty(like: &Profile, expected: &BTreeMap<String, Expected>) -> Profile {
    let columns = like.columns.iter();
    let mut empty = Profile::new(columns.map(|it| (it.name.clone(), of(expected, &it.name))));
    empty.segments = like.segments.as_ref().map(|segments| Segments {
        column: segments.column.clone(),
        profiles: segments
            .profiles
            .iter()
            .map(|(value, it)| (value.clone(), self::empty(it, expected)))
            .collect(),
        rows_beyond: 0,
    });
    empty
}

fn of(expected: &BTreeMap<String, Expected>, name: &str) -> Expected {
    expected.get(name).cloned().unwrap_or_default()
}

/// The facts of both together. A saved column may have counted another domain or none, so its values are looked up
/// again.
fn joined_facts(
    both: &Profile,
    before: Option<&Profile>,
    later: Option<&Profile>,
    expected: &BTreeMap<String, Expected>,
) -> Vec<ColumnFacts> {
    let later: BTreeMap<String, Option<u64>> = later
        .iter()
        .flat_map(|it| it.facts())
        .map(|it| (it.name, it.in_domain))
        .collect();
    let saved = |name: &str| before.and_then(|it| it.columns.iter().find(|it| it.name == name));
    let mut facts = both.facts();
    for fact in &mut facts {
        let expected = of(expected, &fact.name);
        let before = match saved(&fact.name) {
            None => expected.domain.as_ref().map(|_| 0),
            Some(column) => in_domain(column, &expected),
        };
        let later = later.get(&fact.name).copied().unwrap_or(Some(0));
        fact.in_domain = before.zip(later).map(|(before, later)| before + later);
    }
    facts
}

/// Number of a column's values in the domain; `None` if there is no domain, or the values are no longer known.
fn in_domain(column: &Column, expected: &Expected) -> Option<u64> {
    let domain = expected.domain.as_ref()?;
    if column.present == 0 {
        return Some(0);
    }
    let Detail::Text(text) = column.feature().detail else {
        return None;
    };
    let inside = |value: &str| domain.contains(value.as_bytes());
    let categories = text.categories?;
    Some(
        categories
            .iter()
            .filter(|it| inside(&it.value))
            .map(|it| it.count)
            .sum(),
    )
}

/// Descriptions of what the saved part no longer allows to determine.
fn lost(profile: &Profile, facts: &[ColumnFacts], expected: &BTreeMap<String, Expected>) -> Vec<String> {
    const ANEW: &str = "make the state with `check` and this baseline";
    let mut warnings = Vec::new();
    for (column, fact) in profile.columns.iter().zip(facts) {
        let Some(expected) = expected.get(&column.name).filter(|_| column.present > 0) else {
            continue;
        };
        let numbers = fact.types.integral + fact.types.fractional;
        let name = words::name(&column.name);
        if expected.numeric
            && numbers > 0
            && matches!(column.feature().detail, Detail::Text(_))
            && fact.numbers.is_none()
        {
            warnings.push(format!(
                "`{name}` should be numeric, and the saved state kept no numbers of it: its distribution is not \
                 compared; {ANEW}"
            ));
        }
        if expected.domain.is_some() && fact.in_domain.is_none() {
            warnings.push(format!(
                "the saved state does not know the values of `{name}` any more: its domain is not checked; {ANEW}"
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::{self, Format, Options, Source};
    use std::path::Path;
    use std::sync::Arc;

    fn read(folder: &Path, text: &str, expected: &BTreeMap<String, Expected>, segment: Option<&str>) -> Profile {
        let path = folder.join("data.csv");
        std::fs::write(&path, text).unwrap();
        let format = Format::Csv {
            header: true,
            delimiter: b',',
        };
        let options = Options {
            expected: expected.clone(),
            segment: segment.map(str::to_owned),
            ..Options::default()
        };
        read::profile(&Source { path, format }, &options).unwrap()
    }

    fn expected() -> BTreeMap<String, Expected> {
        let domain = [b"gas".to_vec(), b"diesel".to_vec()].into_iter().collect();
        [
            (
                "price".to_owned(),
                Expected {
                    numeric: true,
                    domain: None,
                },
            ),
            (
                "fuel".to_owned(),
                Expected {
                    numeric: false,
                    domain: Some(Arc::new(domain)),
                },
            ),
        ]
        .into()
    }

    const FIRST: &str = "price,fuel\n10,gas\n20,steam\n30,gas\n";
    const SECOND: &str = "price,fuel\nabc,diesel\n50,steam\n";
    const BOTH: &str = "price,fuel\n10,gas\n20,steam\n30,gas\nabc,diesel\n50,steam\n";

    #[test]
    fn a_state_that_knew_nothing_is_judged_as_if_it_had_known() {
        let folder = tempfile::tempdir().unwrap();
        let expected = expected();
        let before = read(folder.path(), FIRST, &BTreeMap::new(), Some("fuel"));
        let later = read(folder.path(), SECOND, &expected, Some("fuel"));
        let whole = Data::from(read(folder.path(), BOTH, &expected, Some("fuel")));
        let joined = Data::joined(&before, &later, &expected).unwrap();
        assert_eq!(joined.facts, whole.facts);
        assert_eq!(joined.segment_facts, whole.segment_facts);
        assert_eq!(joined.profile.statistics(), whole.profile.statistics());
        assert_eq!(joined.facts[1].in_domain, Some(3));
        assert!(joined.facts[0].numbers.is_some());
        assert_eq!(joined.warnings, Vec::<String>::new());
    }

    #[test]
    fn what_a_state_no_longer_tells_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let expected = expected();
        let mut many = "price,fuel\n".to_owned();
        for row in 0..1_000 {
            many += &format!("{},fuel {row}\n", if row == 0 { "abc" } else { "1" });
        }
        let before = read(folder.path(), &many, &BTreeMap::new(), None);
        let later = read(folder.path(), SECOND, &expected, None);
        let joined = Data::joined(&before, &later, &expected).unwrap();
        assert_eq!(joined.facts[1].in_domain, None);
        assert_eq!(joined.warnings.len(), 2, "{:?}", joined.warnings);
        assert!(joined.warnings[0].contains("`price`"), "{:?}", joined.warnings);
        assert!(joined.warnings[1].contains("`fuel`"), "{:?}", joined.warnings);
    }

    #[test]
    fn different_segments_are_not_mixed() {
        let folder = tempfile::tempdir().unwrap();
        let read = |segment| read(folder.path(), FIRST, &BTreeMap::new(), segment);
        let (fuel, price, none) = (read(Some("fuel")), read(Some("price")), read(None));
        for (before, later) in [(&fuel, &price), (&fuel, &none), (&none, &fuel)] {
            let error = join(before.clone(), later).unwrap_err().to_string();
            assert!(error.contains("segments by `fuel`"), "{error}");
            assert!(Data::joined(before, later, &BTreeMap::new()).is_err());
        }
        let both = join(fuel.clone(), &fuel).unwrap();
        let rows: u64 = both.segments.unwrap().profiles.values().map(|it| it.rows).sum();
        assert_eq!(rows, 6);
        assert!(join(none.clone(), &none).is_ok());
    }
}
