//! The order of a sketch's items, and sorting in that order.
//!
//! The order is `f64::total_cmp`: the reference sorts by Java's `Double.compare`, which puts `-0.0` before `0.0` as
//! well. The two differ only for NaN, which never occurs here.

/// An integer whose order among integers is that of `value` among doubles.
#[inline]
pub(super) fn key(value: f64) -> i64 {
    let bits = value.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The double for a key.
#[inline]
pub(super) fn value(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

/// The sorted keys of values in any order.
pub(super) fn keys_of_values(values: &[f64]) -> Vec<i64> {
    let mut keys: Vec<i64> = values.iter().map(|&v| key(v)).collect();
    keys.sort_unstable();
    keys
}

/// The sorted keys of values that consist of a few sorted runs.
pub(super) fn keys_of_runs(values: &[f64]) -> Vec<i64> {
    let mut keys: Vec<i64> = values.iter().map(|&v| key(v)).collect();
    // The stable sort detects the runs and merges them.
    keys.sort();
    keys
}
