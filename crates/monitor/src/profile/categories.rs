//! Exact counts of the values of a column, as long as it has few different ones.

use crate::sketch::hll::Hll;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

/// The reference counts no values if there are more different ones than this, by its estimate of their number.
pub const MOST_DISTINCT: u64 = 120;
/// Limits, whatever the estimate is: the number of values that are kept, and the bytes of their text, so that a column
/// of long texts can't fill the memory.
const MOST_KEPT: usize = 512;
const MOST_BYTES: usize = 1 << 20;
/// Number of values that can be found without hashing: a power of two, and a multiple of what most columns have.
const RECENT: usize = 256;

/// The counts, or the fact that there are too many.
#[derive(Clone, Debug, Default)]
pub struct Categories {
    counted: Vec<Counted>,
    /// Indices into `counted`, by hash.
    table: HashTable<u32>,
    /// Indices into `counted`, by [`Ends::slot`]; empty until there is a value.
    recent: Vec<u32>,
    bytes: usize,
    overflowed: bool,
}

#[derive(Clone, Debug)]
struct Counted {
    hash: u64,
    count: u64,
    ends: Ends,
    value: Box<[u8]>,
}

impl Categories {
    /// Whether there are too many values to count.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// Adds `count` occurrences of a recently counted value. Returns false if the value may be new and has to be hashed
    /// and added.
    #[inline(always)]
    pub fn again(&mut self, value: &[u8], count: u64) -> bool {
        if self.recent.is_empty() {
            return false;
        }
        let ends = Ends::of(value);
        let place = self.recent.get(ends.slot()).copied().unwrap_or_default();
        match self.counted.get_mut(place as usize) {
            Some(entry) if entry.ends == ends && (ends.are_all() || *entry.value == *value) => {
                entry.count += count;
                true
            }
            _ => false,
        }
    }

    /// Adds `count` occurrences of a value, which has been added to `distinct` already.
    #[inline]
    pub fn add(&mut self, value: &[u8], hash: u64, count: u64, distinct: &Hll) {
        if self.overflowed {
            return;
        }
        let counted = &mut self.counted;
        let is_it = |place: &u32| {
            let entry = counted.get(*place as usize);
            entry.is_some_and(|it| it.hash == hash && *it.value == *value)
        };
        let found = self.table.find(hash, is_it).copied();
        // The value fits: there are at most `MOST_KEPT` + 1.
        let place = found.unwrap_or(counted.len() as u32);
        let ends = Ends::of(value);
        self.recent.resize(RECENT, 0);
        if let Some(recent) = self.recent.get_mut(ends.slot()) {
            *recent = place;
        }
        if let Some(entry) = counted.get_mut(place as usize) {
            entry.count += count;
            return;
        }
        counted.push(Counted {
            hash,
            count,
            ends,
            value: value.into(),
        });
        let hash_of = |place: &u32| counted.get(*place as usize).map_or(0, |it| it.hash);
        self.table.insert_unique(hash, place, hash_of);
        self.bytes += value.len();
        // The estimate has an error of a few per cent: below this number it can't be over the limit.
        let kept = self.counted.len();
        if kept > MOST_KEPT || self.bytes > MOST_BYTES || (kept > 90 && distinct.count() > MOST_DISTINCT) {
            self.overflow();
        }
    }

    /// Adds the counts of `other`. The values of both have been added to `distinct` already.
    pub fn merge(&mut self, other: &Self, distinct: &Hll) {
        if other.overflowed {
            self.overflow();
        }
        for it in &other.counted {
            self.add(&it.value, it.hash, it.count, distinct);
        }
    }

    /// The values and their counts, most frequent first, then ordered by text; `None` if there are too many.
    pub fn counts(&self) -> Option<Vec<(&[u8], u64)>> {
        if self.overflowed {
            return None;
        }
        let mut counts: Vec<_> = self.counted.iter().map(|it| (&*it.value, it.count)).collect();
        counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        Some(counts)
    }

    /// Stops counting because there are too many values.
    pub fn overflow(&mut self) {
        *self = Self {
            overflowed: true,
            ..Self::default()
        };
    }
}

/// The beginning and end of a value, which hold all of it up to sixteen bytes. Comparing them is faster than comparing
/// texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    first: u64,
    last: u64,
    len: usize,
}

impl Ends {
    #[inline(always)]
    fn of(value: &[u8]) -> Self {
        let len = value.len();
        let (first, last) = match value {
            [_, _, _, _, _, _, _, _, ..] => (
                value.first_chunk().map_or(0, |it| u64::from_le_bytes(*it)),
                value.last_chunk().map_or(0, |it| u64::from_le_bytes(*it)),
            ),
            [_, _, _, _, ..] => (
                value.first_chunk().map_or(0, |it| u32::from_le_bytes(*it).into()),
                value.last_chunk().map_or(0, |it| u32::from_le_bytes(*it).into()),
            ),
            few => few.iter().fold((0, 0), |(text, _), it| (text << 8 | u64::from(*it), 0)),
        };
        Self { first, last, len }
    }

    /// Whether they hold the whole value.
    #[inline(always)]
    fn are_all(self) -> bool {
        self.len <= 16
    }

    /// Slot of the value among the recent ones; different values seldom share a slot.
    #[inline(always)]
    fn slot(self) -> usize {
        let mixed = (self.first ^ self.last.rotate_left(29) ^ self.len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> (u64::BITS - RECENT.ilog2())) as usize
    }
}

impl PartialEq for Categories {
    fn eq(&self, other: &Self) -> bool {
        self.counts() == other.counts()
    }
}

/// Values with their counts, or null. Values that are not UTF-8 don't occur here.
#[derive(Serialize, Deserialize)]
struct Saved(Option<Vec<(String, u64)>>);

impl Serialize for Categories {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Saved(self.counts().map(|counts| {
            counts
                .into_iter()
                .map(|(value, count)| (String::from_utf8_lossy(value).into_owned(), count))
                .collect()
        }))
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Categories {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Saved(counts) = Saved::deserialize(deserializer)?;
        let mut categories = Self {
            overflowed: counts.is_none(),
            ..Self::default()
        };
        // The saved values were not too many, and with an empty estimate all of them are kept.
        let distinct = Hll::default();
        for (value, count) in counts.unwrap_or_default() {
            categories.add(
                value.as_bytes(),
                crate::sketch::hll::hash(value.as_bytes()),
                count,
                &distinct,
            );
        }
        Ok(categories)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Few letters, and lengths around those that `Ends` tells apart, so that many values share a slot.
        #[test]
        fn values_are_counted_whatever_was_recent(values in proptest::collection::vec("[ab]{0,3}|a{6,8}b{0,2}a{6,9}", 1..400)) {
            let (mut categories, distinct) = (Categories::default(), Hll::new());
            let mut expected = BTreeMap::new();
            for value in &values {
                *expected.entry(value.as_bytes()).or_insert(0) += 1;
                if !categories.again(value.as_bytes(), 1) {
                    categories.add(value.as_bytes(), crate::sketch::hll::hash(value.as_bytes()), 1, &distinct);
                }
            }
            let counts = categories.counts().unwrap_or_default();
            prop_assert_eq!(counts.into_iter().collect::<BTreeMap<_, _>>(), expected);
        }
    }

    #[test]
    fn what_was_recent_is_forgotten_with_all_else() {
        let (mut categories, distinct) = (Categories::default(), Hll::new());
        categories.add(b"a", 1, 1, &distinct);
        assert!(categories.again(b"a", 1));
        categories.overflow();
        assert!(!categories.again(b"a", 1));
        assert_eq!(categories.counts(), None);
    }
}
