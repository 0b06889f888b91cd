//! Numbers and strange names as people can read them.
//!
//! Numbers keep to one typography: groups of thousands by commas, a real minus sign, no-break spaces. Escaping is not
//! done here but by the templates.

/// The longest name or category that is shown, in characters: hostile or broken data must not blow up the file.
const LONGEST: usize = 160;

/// What stands for a number that is none.
const NONE: &str = "–";

/// `1,234,567`.
pub(crate) fn count(value: u64) -> String {
    group(&value.to_string())
}

/// A measured value in a number of significant digits, never fewer than its integer part has: `12,346`, `0.0123`,
/// `1.2 × 10⁻⁷`.
pub(crate) fn significant(value: f64, digits: usize) -> String {
    if value.is_nan() {
        return NONE.to_owned();
    }
    let sign = if value < 0.0 { "−" } else { "" };
    let size = value.abs();
    if size.is_infinite() {
        return format!("{sign}∞");
    }
    if size == 0.0 {
        return "0".to_owned();
    }
    // The exponent after rounding: 9999.9 has five digits, not four.
    let scientific = format!("{size:.*e}", digits.saturating_sub(1));
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i32 = exponent.parse().unwrap_or(0);
    if !(-4..12).contains(&power) {
        return format!(
            "{sign}{}\u{a0}×\u{a0}10{}",
            without_zeros(mantissa),
            superscript(exponent)
        );
    }
    let decimals = usize::try_from(i32::try_from(digits).unwrap_or(i32::MAX) - 1 - power).unwrap_or(0);
    let fixed = format!("{size:.decimals$}");
    let fixed = without_zeros(&fixed);
    // With four digits at most, what has decimals has no thousands.
    if fixed.contains('.') {
        format!("{sign}{fixed}")
    } else {
        format!("{sign}{}", group(fixed))
    }
}

/// Values from `low` to `high` are probably years: `2,019` would be strange.
pub(crate) fn are_years(low: f64, high: f64) -> bool {
    low >= 1000.0 && high < 3000.0
}

/// As `significant`, without groups where the values are years.
pub(crate) fn measured(value: f64, digits: usize, years: bool) -> String {
    let text = significant(value, digits);
    if years { text.replace(',', "") } else { text }
}

/// A difference: `+1.5`, `−3`, `0`.
pub(crate) fn signed(value: f64, digits: usize) -> String {
    let plus = if value > 0.0 { "+" } else { "" };
    format!("{plus}{}", significant(value, digits))
}

/// A share as `12.3 %`. What is not quite nothing or all never reads as `0 %` or `100 %`.
pub(crate) fn share(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let percent = value * 100.0;
    if percent == 0.0 {
        "0\u{a0}%".to_owned()
    } else if percent > 0.0 && percent < 0.01 {
        "<\u{a0}0.01\u{a0}%".to_owned()
    } else if percent.abs() < 0.995 {
        format!("{}\u{a0}%", minus(&format!("{percent:.2}")))
    } else if (99.95..100.0).contains(&percent) {
        ">\u{a0}99.9\u{a0}%".to_owned()
    } else if percent == 100.0 {
        "100\u{a0}%".to_owned()
    } else {
        format!("{}\u{a0}%", minus(&format!("{percent:.1}")))
    }
}

/// A distance: at most four decimals, because smaller ones say nothing.
pub(crate) fn distance(value: f64) -> String {
    if value > 0.0 && value < 0.0001 {
        "<\u{a0}0.0001".to_owned()
    } else if value.abs() < 0.01 {
        significant((value * 10_000.0).round() / 10_000.0, 3)
    } else {
        significant(value, 3)
    }
}

/// A multiple of a threshold: `0.35×`, `2.4×`, `17×`.
pub(crate) fn multiple(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.01 {
        "<\u{a0}0.01×".to_owned()
    } else if (0.01..1.995).contains(&ratio) {
        format!("{ratio:.2}×")
    } else {
        format!("{}×", significant(ratio, 2))
    }
}

/// A share that is round, such as the end of an axis or a setting: `5 %`.
pub(crate) fn round_share(value: f64) -> String {
    format!("{}\u{a0}%", significant(value * 100.0, 3))
}

/// A difference of shares in percentage points: `+12.3 pp`.
pub(crate) fn points(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    let tenths = (value * 1000.0).round();
    if tenths == 0.0 {
        return if value == 0.0 {
            "0".to_owned()
        } else {
            "±\u{a0}0.0\u{a0}pp".to_owned()
        };
    }
    let plus = if tenths > 0.0 { "+" } else { "" };
    format!("{plus}{}\u{a0}pp", minus(&format!("{:.1}", tenths / 10.0)))
}

/// A p- or q-value: `0.0312`, `< 0.0001`.
pub(crate) fn probability(value: f64) -> String {
    if (0.0..0.0001).contains(&value) {
        "<\u{a0}0.0001".to_owned()
    } else {
        significant(value, 3)
    }
}

/// A name or category as it can be shown: shortened, and with characters that would be invisible or turn the text
/// around replaced by visible ones.
pub(crate) fn shown(value: &str) -> String {
    shortened(value, LONGEST)
}

/// The same with another limit, in characters.
pub(crate) fn shortened(value: &str, most: usize) -> String {
    if value.is_empty() {
        return "(empty)".to_owned();
    }
    let mut characters = value.chars();
    let mut text: String = characters.by_ref().take(most).map(visible).collect();
    if characters.next().is_some() {
        text.push('…');
    }
    text
}

fn visible(character: char) -> char {
    match character {
        // The pictures of the control characters stand in their order.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(character)).unwrap_or('\u{fffd}'),
        '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' => '\u{fffd}',
        // Marks and overrides of the writing direction.
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        other => other,
    }
}

fn group(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn without_zeros(number: &str) -> &str {
    if number.contains('.') {
        number.trim_end_matches('0').trim_end_matches('.')
    } else {
        number
    }
}

fn minus(number: &str) -> String {
    number.replace('-', "−")
}

fn superscript(exponent: &str) -> String {
    let digit = |character| match character {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        _ => '⁹',
    };
    exponent.chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped() {
        let texts = [0, 999, 1000, 1_234_567, u64::MAX].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn measured_values_keep_four_digits() {
        let cases = [
            (0.0, "0"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (0.012_345_6, "0.01235"),
            (12.5, "12.5"),
            (2019.4, "2,019"),
            (9999.96, "10,000"),
            (-62_345.67, "−62,346"),
            (0.000_012_346, "1.235\u{a0}×\u{a0}10⁻⁵"),
            (6.5e300, "6.5\u{a0}×\u{a0}10³⁰⁰"),
            (f64::NAN, "–"),
            (f64::NEG_INFINITY, "−∞"),
        ];
        for (value, text) in cases {
            assert_eq!(significant(value, 4), text);
        }
        assert_eq!(measured(2019.4, 4, are_years(1994.0, 2026.0)), "2019");
        assert_eq!(measured(2019.4, 4, are_years(0.0, 2026.0)), "2,019");
        assert_eq!(
            (round_share(0.15), round_share(1.0)),
            ("15\u{a0}%".to_owned(), "100\u{a0}%".to_owned())
        );
        assert_eq!(signed(3.0, 4), "+3");
        assert_eq!(signed(-3.0, 4), "−3");
        assert_eq!(signed(0.0, 4), "0");
    }

    #[test]
    fn a_share_never_rounds_to_nothing_or_all() {
        let cases = [
            (0.0, "0\u{a0}%"),
            (0.000_000_1, "<\u{a0}0.01\u{a0}%"),
            (0.004, "0.40\u{a0}%"),
            (0.009_99, "1.0\u{a0}%"),
            (0.123, "12.3\u{a0}%"),
            (0.999_9, ">\u{a0}99.9\u{a0}%"),
            (1.0, "100\u{a0}%"),
            (f64::NAN, "–"),
        ];
        for (value, text) in cases {
            assert_eq!(share(value), text);
        }
        let differences = [0.123, -0.02, 0.0, 0.000_01, f64::INFINITY].map(points);
        assert_eq!(
            differences,
            ["+12.3\u{a0}pp", "−2.0\u{a0}pp", "0", "±\u{a0}0.0\u{a0}pp", "–"]
        );
    }

    #[test]
    fn distances_and_multiples_are_short() {
        let distances = [0.0, 0.000_01, 0.004_92, 0.0349, 1.7249, f64::INFINITY].map(distance);
        assert_eq!(distances, ["0", "<\u{a0}0.0001", "0.0049", "0.0349", "1.72", "∞"]);
        let multiples = [0.0, 0.001, 0.347, 1.04, 2.42, 17.2, f64::NAN].map(multiple);
        assert_eq!(multiples, ["0×", "<\u{a0}0.01×", "0.35×", "1.04×", "2.4×", "17×", "–×"]);
    }

    #[test]
    fn tiny_probabilities_are_bounded() {
        let texts = [0.0, 0.000_099, 0.0001, 0.031_24, 1.0, f64::NAN].map(probability);
        assert_eq!(texts, ["<\u{a0}0.0001", "<\u{a0}0.0001", "0.0001", "0.0312", "1", "–"]);
    }

    #[test]
    fn names_are_short_and_visible() {
        assert_eq!(shown(""), "(empty)");
        assert_eq!(shown("Diesel 🚗"), "Diesel 🚗");
        assert_eq!(shown("a\u{202e}b\nc\u{7f}"), "a\u{fffd}b␊c\u{fffd}");
        assert_eq!(shown(&"é".repeat(1000)), format!("{}…", "é".repeat(160)));
    }
}
