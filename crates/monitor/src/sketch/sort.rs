//! The order of a sketch's items, and sorting in it.
//!
//! The order is `f64::total_cmp`: the reference sorts by Java's `Double.compare`, which puts `-0.0` before `0.0` too.
//! NaN, where the two part, never gets here.

/// A number whose order among integers is that of `value` among doubles.
#[inline]
pub(super) fn key(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The double of a key.
#[inline]
pub(super) fn value(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

/// The keys of values in no particular order, sorted.
pub(super) fn keys_of_values(values: &[f64]) -> Vec<i64> {
    let mut keys: Vec<i64> = values.iter().map(|&v| key(v)).collect();
    keys.sort_unstable();
    keys
}

/// The keys of values that are a few sorted runs one after another, sorted.
pub(super) fn keys_of_runs(values: &[f64]) -> Vec<i64> {
    let mut keys: Vec<i64> = values.iter().map(|&v| key(v)).collect();
    // The stable sort finds the runs and merges them.
    keys.sort();
    keys
}
