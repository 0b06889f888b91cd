//! Values of one column of a batch, of any type, which are added to the column's accumulator.

use crate::profile::{Column, Form, MISSING, number};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal128Type, Decimal256Type, Float16Type, Float32Type, Float64Type,
    Int8Type, Int16Type, Int32Type, Int64Type, Time32MillisecondType, Time32SecondType, Time64MicrosecondType,
    Time64NanosecondType, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, PrimitiveArray};
use hashbrown::HashMap;
use jiff::ToSpan;
use jiff::civil::date;
use std::borrow::Cow;

const FORM: Form = Form {
    quotes: false,
    empty_is_missing: false,
};
/// Key for a missing value.
const NO_KEY: u32 = u32::MAX;

/// The values of all rows.
pub(super) enum Values<'a> {
    /// No values at all, for a number of rows.
    Nothing(usize),
    /// Numbers, and for each row whether its number is present; none if all are.
    Numbers {
        numbers: Vec<f64>,
        present: Option<Vec<bool>>,
        integral: bool,
    },
    /// Texts by their position.
    Texts {
        text: Cow<'a, [u8]>,
        places: Vec<(usize, usize)>,
        /// Number of values that were not UTF-8.
        repaired: usize,
    },
    /// Distinct texts, and the index of one of them for each row.
    Dictionary {
        text: Cow<'a, [u8]>,
        places: Vec<(usize, usize)>,
        keys: Vec<u32>,
    },
}

/// Reused memory.
#[derive(Default)]
pub(super) struct Scratch {
    finite: Vec<f64>,
    numbers: Vec<f64>,
    counts: Vec<u64>,
}

/// The values of an array; `None` if its type can't be read.
pub(super) fn values(array: &dyn Array) -> Option<Values<'_>> {
    macro_rules! try_numbers {
        ($integral:expr, $($type:ty),*) => {
            $(if let Some(array) = array.as_primitive_opt::<$type>() {
                return Some(numbers(array, $integral, |it| it as f64));
            })*
        };
    }
    macro_rules! try_moments {
        ($($type:ty => $text:expr),* $(,)?) => {
            $(if let Some(array) = array.as_primitive_opt::<$type>() {
                return Some(moments(array, |it| i64::from(it), $text));
            })*
        };
    }
    try_numbers!(true, Int64Type, Int32Type, Int16Type, Int8Type);
    try_numbers!(true, UInt64Type, UInt32Type, UInt16Type, UInt8Type);
    try_numbers!(false, Float64Type);
    if let Some(array) = array.as_primitive_opt::<Float32Type>() {
        return Some(numbers(array, false, f64::from));
    }
    if let Some(array) = array.as_primitive_opt::<Float16Type>() {
        return Some(numbers(
            array,
            false,
            <Float16Type as ArrowPrimitiveType>::Native::to_f64,
        ));
    }
    if let Some(array) = array.as_primitive_opt::<Decimal128Type>() {
        let scale = array.scale();
        return Some(numbers(array, false, |it| decimal(it, scale)));
    }
    if let Some(array) = array.as_primitive_opt::<Decimal256Type>() {
        let number = |at| array.value_as_string(at).parse().unwrap_or(f64::NAN);
        let numbers = (0..array.len()).map(|at| if array.is_valid(at) { number(at) } else { 0.0 });
        return Some(Values::Numbers {
            numbers: numbers.collect(),
            present: present(array),
            integral: false,
        });
    }
    try_moments!(
        Date32Type => day,
        Date64Type => |milliseconds| day(milliseconds.div_euclid(86_400_000)),
        Time32SecondType => |it| time(it, 1),
        Time32MillisecondType => |it| time(it, 1000),
        Time64MicrosecondType => |it| time(it, 1_000_000),
        Time64NanosecondType => |it| time(it, 1_000_000_000),
        TimestampSecondType => |it| timestamp(it, 1),
        TimestampMillisecondType => |it| timestamp(it, 1000),
        TimestampMicrosecondType => |it| timestamp(it, 1_000_000),
        TimestampNanosecondType => |it| timestamp(it, 1_000_000_000),
    );
    if let Some(array) = array.as_boolean_opt() {
        let key = |at| {
            if array.is_valid(at) {
                u32::from(array.value(at))
            } else {
                NO_KEY
            }
        };
        return Some(Values::Dictionary {
            text: Cow::Borrowed(b"falsetrue"),
            places: vec![(0, 5), (5, 9)],
            keys: (0..array.len()).map(key).collect(),
        });
    }
    if let Some(array) = array.as_string_opt::<i32>() {
        return Some(Values::Texts {
            places: places(array, array.value_offsets()),
            text: Cow::Borrowed(array.value_data()),
            repaired: 0,
        });
    }
    if let Some(array) = array.as_binary_opt::<i32>() {
        let places = places(array, array.value_offsets());
        return Some(binary(array.value_data(), places));
    }
    if let Some(array) = array.as_dictionary_opt::<Int32Type>() {
        let texts = array.values().as_string_opt::<i32>()?;
        let keys = array.keys();
        let key = |at| {
            if keys.is_valid(at) {
                keys.value(at) as u32
            } else {
                NO_KEY
            }
        };
        return Some(Values::Dictionary {
            places: places(texts, texts.value_offsets()),
            text: Cow::Borrowed(texts.value_data()),
            keys: (0..keys.len()).map(key).collect(),
        });
    }
    (array.null_count() == array.len() || array.as_any().is::<arrow_array::NullArray>())
        .then(|| Values::Nothing(array.len()))
}

fn present(array: &dyn Array) -> Option<Vec<bool>> {
    let nulls = array.nulls().filter(|it| it.null_count() > 0)?;
    Some(nulls.iter().collect())
}

fn numbers<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    integral: bool,
    number: impl Fn(T::Native) -> f64,
) -> Values<'_> {
    Values::Numbers {
        numbers: array.values().iter().map(|it| number(*it)).collect(),
        present: present(array),
        integral,
    }
}

/// Times have few different values, so that each of these is formatted only once.
fn moments<T: ArrowPrimitiveType>(
    array: &PrimitiveArray<T>,
    number: impl Fn(T::Native) -> i64,
    write: impl Fn(i64) -> Option<String>,
) -> Values<'_> {
    let mut text = Vec::new();
    let mut places = Vec::new();
    let mut known: HashMap<i64, u32> = HashMap::new();
    let keys = (0..array.len()).map(|at| {
        if array.is_null(at) {
            return NO_KEY;
        }
        let value = number(array.value(at));
        *known.entry(value).or_insert_with(|| {
            let start = text.len();
            // A value beyond the calendar is written as its number.
            let written = write(value).unwrap_or_else(|| value.to_string());
            text.extend_from_slice(written.as_bytes());
            places.push((start, text.len()));
            places.len() as u32 - 1
        })
    });
    let keys = keys.collect();
    Values::Dictionary {
        text: Cow::Owned(text),
        places,
        keys,
    }
}

fn places(array: &dyn Array, offsets: &[i32]) -> Vec<(usize, usize)> {
    let place = |(at, pair): (usize, &[i32])| match *pair {
        [start, end] if array.is_valid(at) => (start as usize, end as usize),
        _ => MISSING,
    };
    offsets.windows(2).enumerate().map(place).collect()
}

/// Bytes are read as text, because older programs write it so.
fn binary(text: &[u8], mut places: Vec<(usize, usize)>) -> Values<'_> {
    let mut own = Vec::new();
    let mut repaired = 0;
    let whole = std::str::from_utf8(text).is_ok();
    for place in places.iter_mut().filter(|it| !whole && **it != MISSING) {
        let bytes = text.get(place.0..place.1).unwrap_or_default();
        let value = String::from_utf8_lossy(bytes);
        repaired += usize::from(matches!(value, Cow::Owned(_)));
        let start = own.len();
        own.extend_from_slice(value.as_bytes());
        *place = (start, own.len());
    }
    Values::Texts {
        text: if whole { Cow::Borrowed(text) } else { Cow::Owned(own) },
        places,
        repaired,
    }
}

/// The nearest double to a decimal.
fn decimal(value: i128, scale: i8) -> f64 {
    let exact = value.unsigned_abs() < 1 << 53;
    match usize::try_from(scale) {
        Ok(scale @ 0..=22) if exact => value as f64 / 10f64.powi(scale as i32),
        _ => format!("{value}e{}", -i32::from(scale)).parse().unwrap_or(f64::NAN),
    }
}

fn day(days: i64) -> Option<String> {
    let span = 0.days().try_days(days).ok()?;
    Some(date(1970, 1, 1).checked_add(span).ok()?.to_string())
}

fn time(value: i64, per_second: i64) -> Option<String> {
    let seconds = value.div_euclid(per_second);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let fraction = fraction(value.rem_euclid(per_second), per_second);
    (0..24)
        .contains(&hours)
        .then(|| format!("{hours:02}:{minutes:02}:{:02}{fraction}", seconds % 60))
}

/// A time as `2021-05-18 00:21:45.5`, in UTC.
fn timestamp(value: i64, per_second: i64) -> Option<String> {
    let day = day(value.div_euclid(86_400 * per_second))?;
    let time = time(value.rem_euclid(86_400 * per_second), per_second)?;
    Some(format!("{day} {time}"))
}

/// The fraction of a second with its point and without trailing zeros; empty if it is zero.
fn fraction(part: i64, per_second: i64) -> String {
    if part == 0 {
        return String::new();
    }
    let digits = per_second.ilog10() as usize;
    format!(".{part:0digits$}").trim_end_matches('0').to_owned()
}

impl Values<'_> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Nothing(rows) => *rows,
            Self::Numbers { numbers, .. } => numbers.len(),
            Self::Texts { places, .. } => places.len(),
            Self::Dictionary { keys, .. } => keys.len(),
        }
    }

    /// The text of a value; `None` if it is missing.
    pub fn text(&self, row: usize) -> Option<Cow<'_, str>> {
        let (text, places, at) = match self {
            Self::Nothing(_) => return None,
            Self::Numbers {
                numbers,
                present,
                integral,
            } => {
                let there = present.as_ref().is_none_or(|it| it.get(row) == Some(&true));
                let number = numbers.get(row).filter(|_| there)?;
                return Some(Cow::Owned(if *integral {
                    format!("{number}")
                } else {
                    format!("{number:?}")
                }));
            }
            Self::Texts { text, places, .. } => (text, places, row),
            Self::Dictionary { text, places, keys } => (text, places, *keys.get(row)? as usize),
        };
        let (start, end) = *places.get(at)?;
        (start <= end).then(|| String::from_utf8_lossy(text.get(start..end).unwrap_or_default()))
    }

    /// Adds all values to `column`; returns how many were NaN or infinite.
    pub fn push_all(&self, column: &mut Column, scratch: &mut Scratch) -> u64 {
        match self {
            Self::Numbers {
                numbers,
                present: None,
                integral,
            } if numbers.iter().all(|it| it.is_finite()) => {
                column.push_numbers(numbers, *integral);
                0
            }
            _ => self.push(column, 0..self.len(), scratch),
        }
    }

    /// Adds the values of these rows to `column`; returns how many were NaN or infinite.
    pub fn push(&self, column: &mut Column, rows: impl Iterator<Item = usize> + Clone, scratch: &mut Scratch) -> u64 {
        match self {
            Self::Nothing(_) => column.push_missing(rows.count() as u64),
            Self::Numbers {
                numbers,
                present,
                integral,
            } => {
                let finite = &mut scratch.finite;
                finite.clear();
                let (mut missing, mut other) = (0, 0);
                for row in rows {
                    let there = present.as_ref().is_none_or(|it| it.get(row) == Some(&true));
                    match numbers.get(row) {
                        Some(number) if there && number.is_finite() => finite.push(*number),
                        Some(_) if there => other += 1,
                        _ => missing += 1,
                    }
                }
                column.push_numbers(finite, *integral);
                column.push_missing(missing);
                column.push_not_finite(other);
                return other;
            }
            Self::Texts { text, places, .. } => {
                let cells = rows.map(|row| places.get(row).copied().unwrap_or(MISSING));
                column.push(text, cells, FORM, &mut scratch.numbers);
            }
            Self::Dictionary { text, places, keys } => {
                let key = |row: usize| keys.get(row).copied().unwrap_or(NO_KEY) as usize;
                if places.len() > keys.len() || !counted(text, places, rows.clone().map(key), scratch) {
                    let cells = rows.map(|row| places.get(key(row)).copied().unwrap_or(MISSING));
                    column.push(text, cells, FORM, &mut scratch.numbers);
                    return 0;
                }
                let mut missing = rows.count() as u64;
                for (place, &count) in places.iter().zip(&scratch.counts) {
                    if *place != MISSING {
                        missing -= count;
                        column.push_repeated(text.get(place.0..place.1).unwrap_or_default(), count);
                    }
                }
                column.push_missing(missing);
            }
        }
        0
    }
}

/// Counts how often each entry of a dictionary occurs. Returns false if an entry that occurs is a number, because
/// numbers must be processed in their order.
fn counted(text: &[u8], places: &[(usize, usize)], keys: impl Iterator<Item = usize>, scratch: &mut Scratch) -> bool {
    let counts = &mut scratch.counts;
    counts.clear();
    counts.resize(places.len(), 0);
    for key in keys {
        if let Some(count) = counts.get_mut(key) {
            *count += 1;
        }
    }
    !places.iter().zip(counts.iter()).any(|(&(start, end), &count)| {
        count > 0
            && start < end
            && !matches!(
                number::read(text, start, end),
                number::Value::Text | number::Value::Boolean
            )
    })
}
