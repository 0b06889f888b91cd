//! Dates, as files write them.

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
/// Words beside the digits of a time.
const TIME_WORDS: [&str; 6] = ["am", "pm", "utc", "gmt", "z", "t"];

/// Whether a text is a date, alone or with a time: `2024-01-31`, `31.12.2024 10:15`, `12/31/24`, `Jan 5, 2024`, `2024-01`.
pub(super) fn is_date(text: &str) -> bool {
    if text.len() > 40 || !text.is_ascii() || !text.bytes().any(|it| it.is_ascii_digit()) {
        return false;
    }
    // The T of `2024-01-31T10:15:00Z` stands between digits.
    let spaced: String = text
        .char_indices()
        .map(|(at, it)| {
            let digits = text[..at].ends_with(|it: char| it.is_ascii_digit())
                && text[at + 1..].starts_with(|it: char| it.is_ascii_digit());
            if it == 'T' && digits { ' ' } else { it }
        })
        .collect();
    let parts: Vec<&str> = spaced
        .split(|it: char| !it.is_ascii_alphanumeric())
        .filter(|part| !part.is_empty())
        .collect();
    match parts.as_slice() {
        [year, month] => text.contains('-') && is_year(year) && month.len() == 2 && within(month, 12),
        [one, two, three, time @ ..] => {
            let slashed = text.matches('/').count() == 2;
            let year_first = is_year(one) && is_month(two) && within(three, 31);
            let year_last = (is_year(three) || slashed && three.len() == 2 && within(three, 99))
                && (is_month(one) && within(two, 31) || within(one, 31) && is_month(two));
            (year_first || year_last) && time.iter().all(|part| is_time(part))
        }
        _ => false,
    }
}

/// Whether a whole number is a day as `20240131`.
pub(super) fn is_day_number(number: f64) -> bool {
    if !(19_000_101.0..=21_001_231.0).contains(&number) || number.fract() != 0.0 {
        return false;
    }
    // In that range it is whole and fits.
    let (month, day) = ((number as u64 / 100) % 100, number as u64 % 100);
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

fn is_year(part: &str) -> bool {
    part.len() == 4 && part.parse::<u32>().is_ok_and(|year| (1000..3000).contains(&year))
}

fn is_month(part: &str) -> bool {
    let word = part.to_ascii_lowercase();
    within(part, 12)
        || word.len() >= 3 && word.bytes().all(|it| it.is_ascii_lowercase()) && MONTHS.contains(&&word[..3])
}

fn within(part: &str, most: u32) -> bool {
    part.len() <= 2
        && part
            .parse::<u32>()
            .is_ok_and(|number| (1..=most).contains(&number) || most == 99)
}

fn is_time(part: &str) -> bool {
    let digits = part.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let word = part[digits.len()..].to_ascii_lowercase();
    digits.bytes().all(|it| it.is_ascii_digit()) && (word.is_empty() || TIME_WORDS.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_from_what_looks_like_them() {
        for date in [
            "2024-01-31",
            "2024/1/5",
            "2024.01.31",
            "31.12.2024",
            "12/31/2024",
            "12/31/24",
            "2024-01",
            "5-Jan-2024",
            "Jan 5, 2024",
            "5 March 2024",
            "2024-01-31T10:15:00Z",
            "2024-01-31 10:15:00.250 +01:00",
            "12/31/2024 10:15 PM",
        ] {
            assert!(is_date(date), "{date}");
        }
        for other in [
            "",
            "2024",
            "1.2.3",
            "10.0.19",
            "2010-2012",
            "555-12-3456",
            "red",
            "a-b-c",
            "2024-13-01",
            "12 km",
            "A-1-2024x",
            "2024-01-31 or so",
            "1,234.5",
        ] {
            assert!(!is_date(other), "{other}");
        }
        assert!(is_day_number(20_240_131.0) && !is_day_number(20_241_331.0) && !is_day_number(2024.0));
    }
}
