//! The accumulator of a column's values: the inner loop of the analyzer.
//!
//! Data is read in a single pass, so whether a column is numeric is known only after its last value. A column is
//! therefore treated as numeric until a value says otherwise, and until then everything is kept that either kind needs.

use super::categories::Categories;
use super::facts::{ColumnFacts, TypeCounts};
use super::moments::Moments;
use super::number::{self, Value};
use crate::documents::statistics::{Category, Detail, Feature, InferredType, Numeric, Text};
use crate::sketch::hll::{self, Hll};
use crate::sketch::kll::Kll;
use hashbrown::HashSet;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Accumulator of a column's values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Name of the column.
    pub name: String,
    /// Number of values that are present.
    pub present: u64,
    /// Number of missing values.
    pub missing: u64,
    types: TypeCounts,
    /// `None` once a value was not a number, unless the numbers are wanted anyway.
    numbers: Option<Numbers>,
    distinct: Hll,
    categories: Categories,
    /// Number of integers beyond 64 bits, which are in no figure.
    pub(crate) wide: u64,
    #[serde(skip)]
    expected: Expected,
    in_domain: u64,
}

/// What is known about a column before its values are read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Expected {
    /// Whether the baseline is numeric, so that numbers are kept even if other values occur.
    pub numeric: bool,
    /// All values that the constraints allow.
    pub domain: Option<Arc<HashSet<Vec<u8>>>>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Numbers {
    moments: Moments,
    sketch: Kll,
}

/// The form in which values are given within a text: [`number::PADDING`] bytes must follow the last one.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Whether some values may be in quotes.
    pub quotes: bool,
    /// Whether an empty value counts as missing.
    pub empty_is_missing: bool,
}

/// Stands for a missing value: it ends before it begins.
pub const MISSING: (usize, usize) = (1, 0);

/// Statistics of numbers none of which is in any figure.
const NO_FIGURES: Numeric = Numeric {
    mean: f64::NAN,
    sum: f64::NAN,
    std_dev: f64::NAN,
    min: f64::NAN,
    max: f64::NAN,
    buckets: Vec::new(),
    levels: Vec::new(),
};

impl Column {
    /// An accumulator without values.
    pub fn new(name: String, expected: Expected) -> Self {
        Self {
            name,
            present: 0,
            missing: 0,
            types: TypeCounts::default(),
            numbers: Some(Numbers::default()),
            distinct: Hll::new(),
            categories: Categories::default(),
            wide: 0,
            expected,
            in_domain: 0,
        }
    }

    /// An accumulator without values for the same column, which keeps everything.
    pub fn blank(&self) -> Self {
        Self::new(self.name.clone(), self.expected.clone())
    }

    /// An accumulator without values for the same column. It doesn't keep what `self` has stopped keeping, since that
    /// would be discarded anyway when both are merged.
    pub fn fresh(&self) -> Self {
        let mut fresh = self.blank();
        if self.numbers.is_none() {
            fresh.numbers = None;
        }
        if self.categories.overflowed() {
            fresh.categories.overflow();
        }
        fresh
    }

    /// Adds missing values.
    pub fn push_missing(&mut self, count: u64) {
        self.missing += count;
    }

    /// Adds values, given by their start and end in `text`. `buffer` is scratch memory.
    #[inline]
    pub fn push(
        &mut self,
        text: &[u8],
        cells: impl Iterator<Item = (usize, usize)>,
        form: Form,
        buffer: &mut Vec<f64>,
    ) {
        let mut cells = cells;
        if self.numbers.is_some() {
            buffer.clear();
            let go_on = if form.quotes {
                self.push_numeric::<true>(text, &mut cells, form, buffer)
            } else {
                self.push_numeric::<false>(text, &mut cells, form, buffer)
            };
            if let Some(numbers) = &mut self.numbers {
                numbers.sketch.update_all(buffer);
            }
            if !go_on {
                return;
            }
            self.numbers = None;
        }
        self.push_text(text, cells, form);
    }

    /// Returns true when a value was not a number, so that the rest is to be read as text.
    #[inline(always)]
    fn push_numeric<const QUOTES: bool>(
        &mut self,
        text: &[u8],
        cells: &mut impl Iterator<Item = (usize, usize)>,
        form: Form,
        buffer: &mut Vec<f64>,
    ) -> bool {
        let Some(mut moments) = self.numbers.as_ref().map(|it| it.moments) else {
            return true;
        };
        let mut types = self.types;
        let mut text_found = false;
        for (start, end) in cells {
            let (start, end, own) = match Self::cell::<QUOTES>(text, start, end, form) {
                Cell::Missing => {
                    self.missing += 1;
                    continue;
                }
                Cell::At(start, end) => (start, end, None),
                Cell::Own(value) => (0, value.len() - number::PADDING, Some(value)),
            };
            let source = own.as_deref().unwrap_or(text);
            let bytes = source.get(start..end).unwrap_or_default();
            self.count(bytes, 1);
            self.present += 1;
            if let Some(domain) = &self.expected.domain {
                self.in_domain += u64::from(domain.contains(bytes));
            }
            match number::read(source, start, end) {
                Value::Integral(x) => {
                    types.integral += 1;
                    moments.push(x);
                    buffer.push(x);
                }
                Value::Fractional(x) => {
                    types.fractional += 1;
                    moments.push(x);
                    buffer.push(x);
                }
                other => {
                    if let Some(x) = types.odd(other, &mut self.wide) {
                        moments.push(x);
                        buffer.push(x);
                    }
                    if matches!(other, Value::Text | Value::Boolean) && !self.expected.numeric {
                        // There were only booleans so far, which are text here, and no number that would be lost.
                        text_found = true;
                        break;
                    }
                }
            }
        }
        if let Some(numbers) = &mut self.numbers {
            numbers.moments = moments;
        }
        self.types = types;
        text_found
    }

    #[inline(always)]
    fn push_text(&mut self, text: &[u8], cells: impl Iterator<Item = (usize, usize)>, form: Form) {
        for (start, end) in cells {
            let own;
            let (source, start, end) = match Self::cell::<true>(text, start, end, form) {
                Cell::Missing => {
                    self.missing += 1;
                    continue;
                }
                Cell::At(start, end) => (text, start, end),
                Cell::Own(value) => {
                    own = value;
                    (&*own, 0, own.len() - number::PADDING)
                }
            };
            let bytes = source.get(start..end).unwrap_or_default();
            self.count(bytes, 1);
            self.present += 1;
            if let Some(domain) = &self.expected.domain {
                self.in_domain += u64::from(domain.contains(bytes));
            }
            // Few texts begin like numbers or booleans.
            match bytes.first() {
                Some(b'0'..=b'9' | b'-' | b'+' | b' ' | b't' | b'f') => match number::read(source, start, end) {
                    Value::Integral(_) => self.types.integral += 1,
                    Value::Fractional(_) => self.types.fractional += 1,
                    other => {
                        let mut wide = 0;
                        self.types.odd(other, &mut wide);
                    }
                },
                _ => self.types.text += 1,
            }
        }
    }

    /// Adds `count` occurrences of a value to the distinct values.
    #[inline(always)]
    fn count(&mut self, value: &[u8], count: u64) {
        if self.categories.again(value, count) {
            return;
        }
        let hash = hll::hash(value);
        self.distinct.update(hash);
        self.categories.add(value, hash, count, &self.distinct);
    }

    #[inline(always)]
    fn cell<const QUOTES: bool>(text: &[u8], start: usize, end: usize, form: Form) -> Cell {
        if start >= end {
            return if form.empty_is_missing || start > end {
                Cell::Missing
            } else {
                Cell::At(start, end)
            };
        }
        if QUOTES && form.quotes && text.get(start) == Some(&b'"') {
            return quoted(text, start, end);
        }
        Cell::At(start, end)
    }

    /// Adds numbers of a typed source. They are all of one type, so their text is not kept.
    pub fn push_numbers(&mut self, values: &[f64], integral: bool) {
        let numbers = self.numbers.get_or_insert_default();
        for &x in values {
            numbers.moments.push(x);
        }
        numbers.sketch.update_all(values);
        let count = values.len() as u64;
        self.present += count;
        if integral {
            self.types.integral += count;
        } else {
            self.types.fractional += count;
        }
    }

    /// Adds `count` numbers of a typed source that are NaN or infinite: they count as present, but are in no figure.
    pub fn push_not_finite(&mut self, count: u64) {
        self.present += count;
        self.types.fractional += count;
    }

    /// Adds `count` occurrences of one text, for a source with a dictionary.
    pub fn push_repeated(&mut self, value: &[u8], count: u64) {
        if count == 0 {
            return;
        }
        let mut padded = value.to_vec();
        padded.resize(value.len() + number::PADDING, 0);
        self.count(value, count);
        self.present += count;
        if self
            .expected
            .domain
            .as_ref()
            .is_some_and(|domain| domain.contains(value))
        {
            self.in_domain += count;
        }
        match number::read(&padded, 0, value.len()) {
            Value::Integral(_) | Value::Wide(_) | Value::Spaced(false) => self.types.integral += count,
            Value::Fractional(_) | Value::Spaced(true) => self.types.fractional += count,
            Value::Boolean => self.types.boolean += count,
            Value::Text => self.types.text += count,
        }
    }

    /// Adds the values of `later`, as if they had followed.
    pub fn merge(&mut self, later: &Self) {
        self.present += later.present;
        self.missing += later.missing;
        self.types.merge(&later.types);
        self.distinct.merge(&later.distinct);
        self.categories.merge(&later.categories, &self.distinct);
        self.wide += later.wide;
        self.in_domain += later.in_domain;
        match (&mut self.numbers, &later.numbers) {
            (Some(own), Some(other)) => {
                own.moments.merge(&other.moments);
                own.sketch.merge(&other.sketch);
            }
            (own, _) => *own = None,
        }
    }

    /// The common type of all values, determined as in the reference.
    pub fn inferred_type(&self) -> InferredType {
        let types = &self.types;
        let numbers = types.integral + types.fractional;
        if self.present == 0 {
            InferredType::Unknown
        } else if types.text > 0 || types.boolean > 0 || numbers == 0 {
            // The contract has no type for columns that are all boolean: they are text with two values.
            InferredType::String
        } else if types.fractional > 0 {
            InferredType::Fractional
        } else {
            InferredType::Integral
        }
    }

    /// The column's entry in `statistics.json`.
    pub fn feature(&self) -> Feature {
        let inferred_type = self.inferred_type();
        let numeric = matches!(inferred_type, InferredType::Integral | InferredType::Fractional);
        let detail = match self.numeric() {
            Some(numbers) if numeric => Detail::Numeric(numbers),
            // All numbers are too wide or not finite, but the entry of a numeric column must have figures.
            None if numeric => Detail::Numeric(NO_FIGURES),
            _ => Detail::Text(Text {
                distinct_count: self.distinct.count(),
                categories: self.categories.counts().map(|counts| {
                    let category = |(value, count): (&[u8], u64)| Category {
                        value: String::from_utf8_lossy(value).into_owned(),
                        count,
                    };
                    counts.into_iter().map(category).collect()
                }),
            }),
        };
        Feature {
            name: self.name.clone(),
            inferred_type,
            present: self.present,
            missing: self.missing,
            detail,
        }
    }

    /// What the checks need in addition to the statistics.
    pub fn facts(&self) -> ColumnFacts {
        let text = self.inferred_type() == InferredType::String;
        ColumnFacts {
            name: self.name.clone(),
            types: self.types,
            in_domain: self.expected.domain.as_ref().map(|_| self.in_domain),
            numbers: self.numeric().filter(|_| text && self.expected.numeric),
        }
    }

    fn numeric(&self) -> Option<Numeric> {
        let Numbers { moments, sketch } = self.numbers.as_ref().filter(|it| it.moments.count > 0)?;
        Some(Numeric {
            mean: moments.mean(),
            sum: moments.sum,
            std_dev: moments.std_dev(),
            min: moments.min,
            max: moments.max,
            buckets: sketch.buckets(moments.min, moments.max),
            levels: sketch.levels().to_vec(),
        })
    }
}

enum Cell {
    Missing,
    At(usize, usize),
    /// A copy of the value, followed by padding.
    Own(Vec<u8>),
}

/// A value in quotes. A quoted empty value is present: it is an empty text.
fn quoted(text: &[u8], start: usize, end: usize) -> Cell {
    let inner = text.get(start + 1..end).unwrap_or_default();
    if memchr::memchr(b'"', inner) == inner.len().checked_sub(1) && !inner.is_empty() {
        return Cell::At(start + 1, end - 1);
    }
    let mut value = crate::quotes::unquoted(text.get(start..end).unwrap_or_default()).into_owned();
    value.resize(value.len() + number::PADDING, 0);
    Cell::Own(value)
}

impl TypeCounts {
    /// Counts a value that is not a plain number; returns the number that it nevertheless stands for, if any.
    #[inline]
    fn odd(&mut self, value: Value, wide: &mut u64) -> Option<f64> {
        match value {
            Value::Integral(x) | Value::Fractional(x) => return Some(x),
            Value::Wide(x) => {
                self.integral += 1;
                // A column of fractions is read as doubles, which have room for it; a column of integers as 64 bits,
                // which don't.
                if self.fractional > 0 {
                    return Some(x);
                }
                *wide += 1;
            }
            Value::Spaced(true) => self.fractional += 1,
            Value::Spaced(false) => self.integral += 1,
            Value::Boolean => self.boolean += 1,
            Value::Text => self.text += 1,
        }
        None
    }

    fn merge(&mut self, other: &Self) {
        self.integral += other.integral;
        self.fractional += other.fractional;
        self.boolean += other.boolean;
        self.text += other.text;
    }
}
