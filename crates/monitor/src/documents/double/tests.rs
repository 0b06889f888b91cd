use proptest::prelude::*;

use super::*;

/// The output of Java 17, which uses the algorithm of Java 8: `crates/monitor/tests/documents/Doubles.java`.
const JAVA: &str = include_str!("../../../tests/documents/doubles.txt");

#[test]
fn each_double_is_what_java_printed() {
    let mut pairs = 0;
    for line in JAVA.lines() {
        let (bits, text) = line.split_once(' ').unwrap();
        let value = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
        assert_eq!(java_double(value), text, "{bits}");
        pairs += 1;
    }
    assert!(pairs > 4000, "{pairs}");
}

#[test]
fn the_peculiar_ones() {
    for (value, text) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
        (1e-3, "0.001"),
        (9.99e-4, "9.99E-4"),
        (9_999_999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (1e23, "9.999999999999999E22"),
        (1.024e26, "1.024E26"),
        (1.965_751_173_361_172_6e25, "1.9657511733611726E25"),
        (1_152_921_504_606_846_976.0, "1.15292150460684698E18"),
        (2_f64.powi(-44), "5.6843418860808015E-14"),
        (10.0 * 2_f64.powi(-24), "5.960464477539062E-7"),
        (f64::from_bits(1), "4.9E-324"),
        (f64::from_bits(2), "1.0E-323"),
        (f64::MAX, "1.7976931348623157E308"),
    ] {
        assert_eq!(java_double(value), text);
    }
}

proptest! {
    #[test]
    fn the_text_is_the_double(bits: u64) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        prop_assert_eq!(java_double(value).parse::<f64>().unwrap().to_bits(), bits);
    }

    /// Where Rust's digits are used, exact arithmetic gives the same result.
    #[test]
    fn the_quick_way_is_the_exact_way(fraction in 1..(1_u64 << 52), exponent in 1..1076_u64) {
        let value = f64::from_bits(exponent << 52 | fraction);
        prop_assume!(value.fract() != 0.0 && !short_of_a_digit(value));
        prop_assert_eq!(shortest(value), exact(value));
    }
}
