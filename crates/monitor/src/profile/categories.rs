//! Exact counts of the values of a column, as long as there are few different ones.

use crate::sketch::hll::Hll;
use hashbrown::HashTable;
use serde::{Deserialize, Serialize};

/// Beyond this many different values, as the distinct count estimates them, the reference counts none.
pub const MOST_DISTINCT: u64 = 120;
/// No more are kept, whatever the estimate says; and so many bytes of text, that a column of long texts can't fill
/// the memory.
const MOST_KEPT: usize = 512;
const MOST_BYTES: usize = 1 << 20;

/// The counts, or the fact that there are too many.
#[derive(Clone, Debug, Default)]
pub struct Categories {
    table: Option<HashTable<Counted>>,
    bytes: usize,
    overflowed: bool,
}

#[derive(Clone, Debug)]
struct Counted {
    hash: u64,
    count: u64,
    value: Box<[u8]>,
}

impl Categories {
    /// Whether there are too many to be counted.
    pub fn overflowed(&self) -> bool {
        self.overflowed
    }

    /// `count` more of a value. `distinct` knows the value already.
    #[inline]
    pub fn add(&mut self, value: &[u8], hash: u64, count: u64, distinct: &Hll) {
        if self.overflowed {
            return;
        }
        let table = self.table.get_or_insert_default();
        if let Some(entry) = table.find_mut(hash, |it| it.hash == hash && *it.value == *value) {
            entry.count += count;
            return;
        }
        table.insert_unique(
            hash,
            Counted {
                hash,
                count,
                value: value.into(),
            },
            |it| it.hash,
        );
        self.bytes += value.len();
        // The estimate errs by a few per cent: below that it can't be over.
        let kept = table.len();
        if kept > MOST_KEPT || self.bytes > MOST_BYTES || (kept > 90 && distinct.count() > MOST_DISTINCT) {
            self.overflow();
        }
    }

    /// The counts of both. `distinct` knows the values of both already.
    pub fn merge(&mut self, other: &Self, distinct: &Hll) {
        if other.overflowed {
            self.overflow();
        }
        for it in other.table.iter().flatten() {
            self.add(&it.value, it.hash, it.count, distinct);
        }
    }

    /// The values and their counts, the most frequent first, then by text; `None` when there are too many.
    pub fn counts(&self) -> Option<Vec<(&[u8], u64)>> {
        if self.overflowed {
            return None;
        }
        let mut counts: Vec<_> = self.table.iter().flatten().map(|it| (&*it.value, it.count)).collect();
        counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        Some(counts)
    }

    /// Gives up: there are too many.
    pub fn overflow(&mut self) {
        self.table = None;
        self.bytes = 0;
        self.overflowed = true;
    }
}

impl PartialEq for Categories {
    fn eq(&self, other: &Self) -> bool {
        self.counts() == other.counts()
    }
}

/// Values with their counts, or null; values that are no UTF-8 do not come here.
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
        // What was saved was not too much: an empty estimate keeps it all.
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
