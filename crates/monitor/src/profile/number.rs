//! Classification of a text by the reference's patterns, and its conversion to a number.
//!
//! The patterns, in their order (`\d` is ASCII alone):
//! - fractional `^(-|\+)? ?\d+((\.\d+)|((?:\.\d+)?[Ee][-+]?\d+))$`
//! - integral `^(-|\+)? ?\d+$`
//! - boolean `^(true|false)$`
//!
//! So `5.`, `.5`, `NaN`, `inf` and `1,000` are text. This is the inner loop of the analyzer: short numbers are read
//! eight and sixteen digits at a time.

/// A value of a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// An integer, as the nearest double.
    Integral(f64),
    /// A number with a fraction or an exponent.
    Fractional(f64),
    /// A text that looks like an integer but doesn't fit 64 bits, as the nearest double.
    Wide(f64),
    /// A text that looks like a number but can't be parsed, because of a space between sign and digits. True if
    /// fractional.
    Spaced(bool),
    /// `true` or `false`.
    Boolean,
    /// Anything else.
    Text,
}

/// Number of bytes that must follow a text in its buffer, so that whole words can be loaded.
pub const PADDING: usize = 16;

/// Classifies `text[start..end]`. At least [`PADDING`] bytes must follow `end` in `text`.
#[inline(always)]
pub fn read(text: &[u8], start: usize, end: usize) -> Value {
    let Some(&first) = text.get(start) else {
        return Value::Text;
    };
    let negative = first == b'-';
    let at = start + usize::from(negative);
    let len = end.wrapping_sub(at);
    if len.wrapping_sub(1) < 8 {
        if let Some(value) = short(load(text, at), len) {
            return value.signed(negative);
        }
    } else if len.wrapping_sub(1) < 16
        && let Some(value) = long(load(text, at), load(text, at + 8), len)
    {
        return value.signed(negative);
    }
    slow(text.get(start..end).unwrap_or_default())
}

impl Value {
    #[inline(always)]
    fn signed(self, negative: bool) -> Self {
        match self {
            Self::Integral(it) => Self::Integral(if negative { -it } else { it }),
            Self::Fractional(it) => Self::Fractional(if negative { -it } else { it }),
            other => other,
        }
    }
}

const ZEROS: u64 = 0x3030_3030_3030_3030;
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
/// All powers of ten that doubles represent exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

#[inline(always)]
fn load(text: &[u8], at: usize) -> u64 {
    match text.get(at..at + 8).and_then(|it| <[u8; 8]>::try_from(it).ok()) {
        Some(bytes) => u64::from_le_bytes(bytes),
        None => 0,
    }
}

/// Parses 1 to 8 characters: digits with at most one dot among them.
#[inline(always)]
fn short(word: u64, len: usize) -> Option<Value> {
    let unused = 64 - 8 * len as u32;
    let aligned = (word << unused) | (ZEROS & !(u64::MAX << unused));
    if all_digits(aligned) {
        return Some(Value::Integral(eight_digits(aligned) as f64));
    }
    // The dot is removed and what precedes it moves up; both the first and the last character must be digits.
    let dots = zero_bytes(aligned ^ (ONES * u64::from(b'.')));
    if dots == 0 {
        return None;
    }
    let bit = dots.trailing_zeros() - 7;
    let fraction_digits = 7 - (bit / 8);
    if fraction_digits == 0 || bit <= unused {
        return None;
    }
    let below = aligned & ((1 << bit) - 1);
    let above = aligned & !(u64::MAX >> (63 - bit) | (0xff << bit));
    let joined = above | (below << 8) | 0x30;
    all_digits(joined).then(|| Value::Fractional(eight_digits(joined) as f64 / POWERS[fraction_digits as usize]))
}

/// Parses 9 to 16 characters: digits with at most one dot among them, below 2^53.
#[inline(always)]
fn long(low: u64, high: u64, len: usize) -> Option<Value> {
    const ZEROS_16: u128 = (ZEROS as u128) << 64 | ZEROS as u128;
    let word = u128::from(high) << 64 | u128::from(low);
    let unused = 128 - 8 * len as u32;
    let aligned = (word << unused) | (ZEROS_16 & !(u128::MAX << unused));
    let (first, last) = (aligned as u64, (aligned >> 64) as u64);
    let dot = ONES * u64::from(b'.');
    let (dots_first, dots_last) = (zero_bytes(first ^ dot), zero_bytes(last ^ dot));
    if dots_first | dots_last == 0 {
        if !all_digits(first) || !all_digits(last) {
            return None;
        }
        let digits = eight_digits(first) * 100_000_000 + eight_digits(last);
        return (digits <= 1 << 53).then_some(Value::Integral(digits as f64));
    }
    let bit = if dots_first != 0 {
        dots_first.trailing_zeros() - 7
    } else {
        64 + dots_last.trailing_zeros() - 7
    };
    let fraction_digits = 15 - (bit / 8);
    if fraction_digits == 0 || bit <= unused {
        return None;
    }
    let below = aligned & ((1 << bit) - 1);
    let above = aligned & !(u128::MAX >> (127 - bit) | (0xff << bit));
    let joined = above | (below << 8) | 0x30;
    let (first, last) = (joined as u64, (joined >> 64) as u64);
    if !all_digits(first) || !all_digits(last) {
        return None;
    }
    let digits = eight_digits(first) * 100_000_000 + eight_digits(last);
    (digits <= 1 << 53).then(|| Value::Fractional(digits as f64 / POWERS[fraction_digits as usize]))
}

#[inline(always)]
fn all_digits(word: u64) -> bool {
    let nibbles = 0xf0f0_f0f0_f0f0_f0f0;
    word & nibbles == ZEROS && word.wrapping_add(0x0606_0606_0606_0606) & nibbles == ZEROS
}

/// Sets the high bit of every byte that is zero; bits above the lowest one set may be wrong.
#[inline(always)]
fn zero_bytes(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The number with these eight digits, the first of them in the lowest byte.
#[inline(always)]
fn eight_digits(word: u64) -> u64 {
    let word = word & 0x0f0f_0f0f_0f0f_0f0f;
    let word = word.wrapping_mul(2561) >> 8;
    let word = (word & 0x00ff_00ff_00ff_00ff).wrapping_mul(6_553_601) >> 16;
    (word & 0x0000_ffff_0000_ffff).wrapping_mul(42_949_672_960_001) >> 32
}

/// Applies the patterns byte by byte.
#[cold]
fn slow(value: &[u8]) -> Value {
    if matches!(value, b"true" | b"false") {
        return Value::Boolean;
    }
    let Some(class) = classify(value) else {
        return Value::Text;
    };
    // The reference trims before it parses, but doesn't accept a space after a sign.
    let text = std::str::from_utf8(value).unwrap_or_default().trim_start();
    match (class, text.parse::<f64>()) {
        (Class::Fractional, Ok(number)) => Value::Fractional(number),
        (Class::Integral, Ok(number)) if text.parse::<i64>().is_ok() => Value::Integral(number),
        (Class::Integral, Ok(number)) => Value::Wide(number),
        (class, Err(_)) => Value::Spaced(class == Class::Fractional),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Integral,
    Fractional,
}

fn classify(value: &[u8]) -> Option<Class> {
    let rest = value
        .strip_prefix(b"-")
        .or_else(|| value.strip_prefix(b"+"))
        .unwrap_or(value);
    let rest = digits(rest.strip_prefix(b" ").unwrap_or(rest))?;
    if rest.is_empty() {
        return Some(Class::Integral);
    }
    let rest = match rest.strip_prefix(b".") {
        Some(fraction) => digits(fraction)?,
        None => rest,
    };
    let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) else {
        return rest.is_empty().then_some(Class::Fractional);
    };
    let exponent = exponent
        .strip_prefix(b"-")
        .or_else(|| exponent.strip_prefix(b"+"))
        .unwrap_or(exponent);
    digits(exponent)?.is_empty().then_some(Class::Fractional)
}

/// The rest after at least one digit.
fn digits(value: &[u8]) -> Option<&[u8]> {
    let count = value.iter().take_while(|it| it.is_ascii_digit()).count();
    (count > 0).then(|| &value[count..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_text(text: &str) -> Value {
        let mut padded = b"xx".to_vec();
        padded.extend_from_slice(text.as_bytes());
        let end = padded.len();
        padded.extend_from_slice(b",123456.89012345");
        read(&padded, 2, end)
    }

    #[test]
    fn texts_are_what_the_patterns_say() {
        for (text, expected) in [
            ("0", Value::Integral(0.0)),
            ("12345678", Value::Integral(12_345_678.0)),
            ("-123456789", Value::Integral(-123_456_789.0)),
            ("+5", Value::Integral(5.0)),
            (" 5", Value::Integral(5.0)),
            ("- 5", Value::Spaced(false)),
            ("- 5.5", Value::Spaced(true)),
            ("9223372036854775807", Value::Integral(9_223_372_036_854_775_807.0)),
            ("9223372036854775808", Value::Wide(9_223_372_036_854_775_808.0)),
            ("1.0", Value::Fractional(1.0)),
            ("-0.5", Value::Fractional(-0.5)),
            ("1234.5678", Value::Fractional(1234.5678)),
            ("52.52000812345678901", Value::Fractional(52.520_008_123_456_79)),
            ("1e3", Value::Fractional(1000.0)),
            ("1.5E-3", Value::Fractional(0.0015)),
            ("1e400", Value::Fractional(f64::INFINITY)),
            ("true", Value::Boolean),
            ("True", Value::Text),
            ("5.", Value::Text),
            (".5", Value::Text),
            ("-.5", Value::Text),
            ("1.2.3", Value::Text),
            ("12345678.", Value::Text),
            (".123456789", Value::Text),
            ("1,000", Value::Text),
            ("NaN", Value::Text),
            ("inf", Value::Text),
            ("-", Value::Text),
            ("--5", Value::Text),
            ("5 ", Value::Text),
            ("0x10", Value::Text),
            ("1:3", Value::Text),
            ("1/3", Value::Text),
            ("\u{0661}", Value::Text),
            ("2024-01-01", Value::Text),
        ] {
            assert_eq!(read_text(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_fast_ways_say_what_the_slow_one_says(text in "[-+ ]{0,2}[0-9]{0,17}[.eE:/a]{0,1}[0-9]{0,10}") {
            let (fast, slow) = (read_text(&text), slow(text.as_bytes()));
            prop_assert_eq!(format!("{fast:?}"), format!("{slow:?}"));
        }

        #[test]
        fn any_bytes_are_read(text in proptest::collection::vec(any::<u8>(), 0..24)) {
            let mut padded = text.clone();
            padded.extend_from_slice(&[b'7'; PADDING]);
            let (fast, slow) = (read(&padded, 0, text.len()), slow(&text));
            prop_assert_eq!(format!("{fast:?}"), format!("{slow:?}"));
        }
    }
}
