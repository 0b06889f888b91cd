//! Doubles in the form of the contract's files: exactly as `Double.toString` of Java 8 to 18 prints them.
//!
//! The analyzer that defined the contract runs on Java 8, so its files contain what that version prints, which is not
//! always the shortest text. Java's result is the shortest decimal that lies within half a gap of the double, with
//! these differences from what Rust prints:
//! - whole numbers below 2⁶³ are written out; only digits well below the double's precision are dropped (2⁶⁰ is
//!   `1.15292150460684698E18`);
//! - a power of two gets only half the room, even on its upper side (2⁻⁴⁴ is `5.6843418860808015E-14`);
//! - from 2⁶³ on, as long as Java can compute with 64 bits (up to about 10²⁶), a decimal exactly half-way to the
//!   neighbour is not used, although it would be read back correctly (10²³ is `9.999999999999999E22`), and an overflow
//!   can make the last digit one too low (`1.9657511733611726E25`);
//! - of two decimals that are equally short and equally near, the even one is used (2⁻²⁴ · 10 is
//!   `5.960464477539062E-7`);
//! - the form with an exponent has at least two digits (`4.9E-324`).
//!
//! Rust's own digits are used if none of these differences can matter. The rest is computed digit by digit, mostly with
//! big integers, which is slow and rare. Nothing here depends on JSON.

use std::cmp::Ordering;
use std::fmt::Write as _;

/// The double as Java prints it: `231.0`, `1.8463239666666668E7`, `NaN`, `-Infinity`.
pub fn java_double(value: f64) -> String {
    let mut text = String::with_capacity(24);
    push_java_double(&mut text, value);
    text
}

/// Appends the result of [`java_double`].
pub(super) fn push_java_double(out: &mut String, value: f64) {
    if value.is_nan() {
        out.push_str("NaN");
        return;
    }
    if value.is_sign_negative() {
        out.push('-');
    }
    let magnitude = value.abs();
    if magnitude.is_infinite() {
        out.push_str("Infinity");
    } else if magnitude == 0.0 {
        out.push_str("0.0");
    } else {
        decimal(magnitude).push_to(out);
    }
}

/// `d.ddd · 10^exponent` with the digits of `digits`, the last of which is not 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decimal {
    digits: u64,
    exponent: i32,
}

impl Decimal {
    /// Removes trailing zeros; `exponent` is that of the first digit.
    fn new(mut digits: u64, exponent: i32) -> Self {
        while digits != 0 && digits.is_multiple_of(10) {
            digits /= 10;
        }
        Self { digits, exponent }
    }

    /// Appends the number: without an exponent from 10⁻³ up to 10⁷, otherwise with one; there is a digit on either side
    /// of the point.
    fn push_to(self, out: &mut String) {
        let digits = self.digits.to_string();
        let or_zero = |rest: &str| {
            if rest.is_empty() {
                "0".to_owned()
            } else {
                rest.to_owned()
            }
        };
        // Writing to a String can't fail.
        let _ = match usize::try_from(self.exponent) {
            Ok(exponent) if exponent < 7 => {
                let whole = exponent + 1;
                if digits.len() > whole {
                    write!(out, "{}.{}", &digits[..whole], &digits[whole..])
                } else {
                    write!(out, "{digits:0<whole$}.0")
                }
            }
            Err(_) if self.exponent >= -3 => {
                let zeros = self.exponent.unsigned_abs() as usize - 1;
                write!(out, "0.{:0<zeros$}{digits}", "")
            }
            _ => write!(out, "{}.{}E{}", &digits[..1], or_zero(&digits[1..]), self.exponent),
        };
    }
}

const MANTISSA_BITS: i32 = 52;
const TWO_53: f64 = 9_007_199_254_740_992.0;
const TWO_63: f64 = 9_223_372_036_854_775_808.0;

/// The decimal for a positive, finite double.
fn decimal(value: f64) -> Decimal {
    if value < TWO_63 && value.fract() == 0.0 {
        return whole(value);
    }
    // Below 2⁵³ no decimal of 17 digits is half-way between two neighbours. A normal double has so many digits that a
    // second one, if it must be added, is a zero.
    let (mantissa, _) = parts(value);
    if value < TWO_53 && value.is_normal() && !mantissa.is_power_of_two() && !short_of_a_digit(value) {
        shortest(value)
    } else if value >= TWO_63
        && let Some(decimal) = in_64_bits(value)
    {
        decimal
    } else {
        exact(value)
    }
}

/// Mantissa and exponent of a positive, finite double, which is mantissa · 2^exponent.
fn parts(value: f64) -> (u64, i32) {
    let biased = (value.to_bits() >> MANTISSA_BITS) as i32;
    let fraction = value.to_bits() & ((1 << MANTISSA_BITS) - 1);
    if biased == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << MANTISSA_BITS, biased - 1075)
    }
}

/// Whether the double itself is a decimal of 16 to 18 digits, so that it may be half-way between two shorter ones.
fn short_of_a_digit(value: f64) -> bool {
    let (mantissa, exponent) = parts(value);
    let odd = mantissa >> mantissa.trailing_zeros();
    match u32::try_from(-exponent - mantissa.trailing_zeros() as i32) {
        // odd · 2^-places is odd · 5^places · 10^-places.
        Ok(places @ 0..=25) => (10_u128.pow(15)..10_u128.pow(18)).contains(&(u128::from(odd) * 5_u128.pow(places))),
        _ => false,
    }
}

/// The decimal for a whole number below 2⁶³.
fn whole(value: f64) -> Decimal {
    // Exact, because it is whole and below 2⁶³.
    let all = value as u64;
    let exponent = all.ilog10();
    // The bits that a double above 2⁵⁴ leaves undetermined, minus a digit to be safe.
    let open_bits = all.ilog2().saturating_sub(54);
    let drop = 10_u64.pow((1_u64 << open_bits).ilog10());
    let kept = all / drop + u64::from(drop > 1 && all % drop >= drop / 2);
    // Rounding up may carry into a new digit: 99…9 becomes 100…0.
    let carried = (kept * drop).ilog10() > exponent;
    Decimal::new(kept, exponent as i32 + i32::from(carried))
}

/// The digits that Rust prints.
fn shortest(value: f64) -> Decimal {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = digits
        .bytes()
        .filter(u8::is_ascii_digit)
        .fold(0, |all, digit| all * 10 + u64::from(digit - b'0'));
    Decimal::new(digits, exponent.parse().unwrap_or(0))
}

/// Like [`exact`] for a double from 2⁶³ on, but in Java's 64 bits with their overflows; `None` if Java uses more bits.
fn in_64_bits(value: f64) -> Option<Decimal> {
    let (mantissa, exponent) = parts(value);
    let top = exponent + MANTISSA_BITS;
    let significant = MANTISSA_BITS + 1 - mantissa.trailing_zeros() as i32;
    // Java's estimate of the exponent: the tangent of the logarithm at the middle between two powers of two. It may be
    // one too large.
    let leading = mantissa as f64 / (1_u64 << MANTISSA_BITS) as f64;
    let decimal = (leading - 1.5) * 0.289529654 + 0.176091259 + f64::from(top) * std::f64::consts::LOG10_2;
    let decimal = decimal.floor() as i32;
    // Common powers of two of value and scale are removed, but half a gap stays a whole number.
    let common = (top - significant + 1).min(decimal);
    let margin_shift = top - MANTISSA_BITS - 1 - common - i32::from(significant == 1);
    let lacking = (-margin_shift).max(0);
    let rest_shift = top - significant + 1 - common + lacking;
    let scale_shift = decimal - common + lacking;
    let five = 5_i64.checked_pow(u32::try_from(decimal).ok()?)?;
    let ten_bits = scale_shift + 1 + five.checked_mul(5)?.ilog2() as i32 + 1;
    if significant + rest_shift >= 64 || ten_bits >= 64 {
        return None;
    }
    let mut rest = (mantissa >> mantissa.trailing_zeros()) as i64 * (1 << rest_shift);
    let mut margin = 1_i64 << (margin_shift + lacking);
    let scale = five << scale_shift;
    let (mut digits, mut count) = (0_u64, 0);
    loop {
        digits = digits * 10 + (rest / scale).unsigned_abs();
        count += 1;
        rest = rest % scale * 10;
        margin = margin.wrapping_mul(10);
        // Java detects an overflow of the margin, but not one of the sum.
        let low = margin <= 0 || rest < margin;
        let high = margin <= 0 || rest.wrapping_add(margin) > scale * 10;
        if (low || high) && count > 1 {
            let up = match (rest / 5).cmp(&scale) {
                _ if !low => true,
                Ordering::Less => false,
                Ordering::Equal => rest % 5 > 0 || digits % 2 == 1,
                Ordering::Greater => true,
            };
            digits += u64::from(high && up);
            break;
        }
    }
    // If the estimate was too large, or after a carry, there are fewer or more digits than were counted.
    Some(Decimal::new(digits, decimal + digits.ilog10() as i32 + 1 - count))
}

/// Computes digit by digit (Steele and White's free format) until the rest is less than half a gap. In units of the
/// digit, the rest is `rest / scale`, and half a gap is `margin / scale`.
fn exact(value: f64) -> Decimal {
    let (mantissa, exponent) = parts(value);
    // value = rest / scale · 10^decimal, and half a gap is margin / scale · 10^decimal. Both are in quarters of the
    // last bit.
    let mut rest = Big::new(mantissa * 4);
    let mut margin = Big::new(if mantissa.is_power_of_two() { 1 } else { 2 });
    let mut scale = Big::new(1);
    let shift = exponent - 2;
    if shift >= 0 {
        rest.shift_left(shift.unsigned_abs());
        margin.shift_left(shift.unsigned_abs());
    } else {
        scale.shift_left(shift.unsigned_abs());
    }
    // An estimate that may be one off.
    let mut decimal = value.log10().floor() as i32;
    for _ in 0..decimal.unsigned_abs() {
        if decimal > 0 {
            scale.times(10);
        } else {
            rest.times(10);
            margin.times(10);
        }
    }
    if rest.cmp(&scale) == Ordering::Less {
        decimal -= 1;
        rest.times(10);
        margin.times(10);
    }
    let mut next = scale.clone();
    next.times(10);
    if rest.cmp(&next) != Ordering::Less {
        decimal += 1;
        scale = next;
    } else if reaches(&rest, &margin, &next) {
        return Decimal::new(1, decimal + 1);
    }

    let at_least = if (-3..7).contains(&decimal) { 1 } else { 2 };
    let (mut digits, mut count) = (0_u64, 0);
    loop {
        let mut digit = 0;
        while rest.cmp(&scale) != Ordering::Less {
            rest.minus(&scale);
            digit += 1;
        }
        digits = digits * 10 + digit;
        count += 1;
        let low = rest.cmp(&margin) == Ordering::Less;
        let high = reaches(&rest, &margin, &scale);
        if (low || high) && count >= at_least {
            rest.times(2);
            let up = match rest.cmp(&scale) {
                _ if !low => true,
                Ordering::Less => false,
                Ordering::Equal => digit % 2 == 1,
                Ordering::Greater => true,
            };
            if high && up {
                digits += 1;
            }
            break;
        }
        rest.times(10);
        margin.times(10);
    }
    let carried = digits == 10_u64.pow(count);
    Decimal::new(digits, decimal + i32::from(carried))
}

/// Whether `a + b >= c`.
fn reaches(a: &Big, b: &Big, c: &Big) -> bool {
    let mut sum = a.clone();
    sum.plus(b);
    sum.cmp(c) != Ordering::Less
}

/// A natural number of any size: limbs of 32 bits, least significant first, with no 0 at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Big(Vec<u32>);

impl Big {
    fn new(value: u64) -> Self {
        let mut big = Self(vec![value as u32, (value >> 32) as u32]);
        big.trim();
        big
    }

    fn trim(&mut self) {
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    fn times(&mut self, factor: u32) {
        let mut carry = 0;
        for limb in &mut self.0 {
            let product = u64::from(*limb) * u64::from(factor) + carry;
            *limb = product as u32;
            carry = product >> 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift_left(&mut self, bits: u32) {
        self.times(1 << (bits % 32));
        if !self.0.is_empty() {
            self.0.splice(0..0, std::iter::repeat_n(0, (bits / 32) as usize));
        }
    }

    fn plus(&mut self, other: &Self) {
        let mut carry = 0;
        for index in 0..self.0.len().max(other.0.len()) {
            if index == self.0.len() {
                self.0.push(0);
            }
            let sum = u64::from(self.0[index]) + u64::from(other.0.get(index).copied().unwrap_or(0)) + carry;
            self.0[index] = sum as u32;
            carry = sum >> 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    /// Subtracts `other`, which must not be larger.
    fn minus(&mut self, other: &Self) {
        let mut borrow = false;
        for (index, limb) in self.0.iter_mut().enumerate() {
            let (once, first) = limb.overflowing_sub(other.0.get(index).copied().unwrap_or(0));
            let (twice, second) = once.overflowing_sub(u32::from(borrow));
            *limb = twice;
            borrow = first || second;
        }
        self.trim();
    }

    fn cmp(&self, other: &Self) -> Ordering {
        self.0
            .len()
            .cmp(&other.0.len())
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

#[cfg(test)]
mod tests;
