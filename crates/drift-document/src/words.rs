//! Formatting of numbers for people, and of lists with a maximum length.

/// At most this many names of a list are written out.
const LISTED: usize = 5;

/// Maximum length of a name or category in characters; data may be hostile.
const LONGEST: usize = 60;

/// A number with four significant digits, whole numbers in full up to a billion: `19,900`, `0.0123`, `3.1e12`.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-4) {
        return format!("{value:.3e}");
    }
    // 999.96 is rounded to as many digits before the point as 1,000 has.
    let decimals = if value == value.trunc() {
        0
    } else {
        (3 - size.log10().floor() as i32).clamp(0, 8)
    };
    let text = format!("{value:.0$}", decimals as usize);
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits
        .split_once('.')
        .map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let whole = grouped(whole);
    match fraction {
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
        None => format!("{sign}{whole}"),
    }
}

/// A count with grouped digits: `1,234,567`.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

/// A count with its noun: `1 row`, `1,234 rows`.
pub fn counted(value: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(value), if value == 1 { one } else { many })
}

/// A share as `12.3 %`. Only a share of 1 is written as `100 %`, and only 0 as `0 %`.
pub fn percent(share: f64) -> String {
    let hundredths = share * 100.0;
    if share > 0.0 && hundredths < 0.1 {
        return "under 0.1 %".to_owned();
    }
    if share < 1.0 && hundredths > 99.9 {
        return "over 99.9 %".to_owned();
    }
    let text = format!("{hundredths:.1}");
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// A name or category without control characters, cut if it is too long.
pub fn name(text: &str) -> String {
    let clean: String = text.chars().filter(|c| !c.is_control()).collect();
    if clean.chars().count() <= LONGEST {
        return clean;
    }
    let cut: String = clean.chars().take(LONGEST - 1).collect();
    format!("{cut}…")
}

/// A list that may be cut: `gas, diesel, …`.
pub fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut names = names.into_iter();
    let mut text = names.by_ref().take(LISTED).map(name).collect::<Vec<_>>().join(", ");
    if names.next().is_some() {
        text.push_str(", …");
    }
    text
}

/// Groups digits by three. Numbers of four digits are not grouped, because they may be years.
fn grouped(digits: &str) -> String {
    if digits.len() <= 4 {
        return digits.to_owned();
    }
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_not_decoded() {
        let cases = [
            (0.0, "0"),
            (12_500.0, "12,500"),
            (-1_234_567.0, "-1,234,567"),
            (19_900.4, "19,900"),
            (0.612_345, "0.6123"),
            (0.2, "0.2"),
            (999.96, "1000"),
            (1.5, "1.5"),
            (0.000_01, "1.000e-5"),
            (3.1e18, "3.100e18"),
            (3_736_928_711.0, "3,736,928,711"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn shares_do_not_pretend() {
        let cases = [
            (0.0, "0 %"),
            (1.0, "100 %"),
            (0.02, "2 %"),
            (0.123_4, "12.3 %"),
            (0.9999, "over 99.9 %"),
            (1e-5, "under 0.1 %"),
        ];
        for (share, text) in cases {
            assert_eq!(percent(share), text);
        }
    }

    #[test]
    fn lists_end() {
        assert_eq!(list(["gas", "diesel"]), "gas, diesel");
        assert_eq!(list(["a", "b", "c", "d", "e", "f"]), "a, b, c, d, e, …");
        assert_eq!(name(&"x".repeat(100)).chars().count(), 60);
        assert_eq!(name("a\nb"), "ab");
        assert_eq!(counted(1, "row", "rows"), "1 row");
    }
}
