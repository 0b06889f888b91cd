//! Numbers that are written with a unit or a sign: `12 km`, `$5`, `80%`, `(63)`.

use std::collections::BTreeMap;

/// Longer words beside a number are text.
const LONGEST_CHARACTERS: usize = 12;
/// Money's words before a number; any others name a thing, as `Zone 5`.
const CURRENCIES: [&str; 14] = [
    "usd", "eur", "gbp", "chf", "pln", "jpy", "cny", "inr", "cad", "aud", "us", "rs", "rs.", "kr",
];

/// What most numbers of a column are written with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Measure {
    /// Before the number; may be empty.
    pub before: String,
    /// Behind it; may be empty, but not both.
    pub behind: String,
    /// The most frequent value.
    pub example: String,
}

impl Measure {
    /// The measure of a column, from its different values and how often each occurs, the most frequent first, `numbers` of
    /// them plain numbers; none where fewer than three quarters are numbers with the same word.
    pub fn of(values: &[(String, u64)], numbers: u64) -> Option<Self> {
        let mut found: BTreeMap<(String, String), (u64, &str)> = BTreeMap::new();
        for (value, count) in values {
            if let Some(words) = words(value) {
                found.entry(words).or_insert((0, value)).0 += count;
            }
        }
        let all: u64 = values.iter().map(|(_, count)| count).sum();
        let ((before, behind), (count, example)) = found.into_iter().max_by_key(|(_, (count, _))| *count)?;
        // A few among plain numbers are values that don't read.
        let enough = (count + numbers) * 4 >= all * 3 && count * 20 > all;
        enough.then(|| Self {
            before,
            behind,
            example: example.to_owned(),
        })
    }

    /// The words, for people.
    pub fn words(&self) -> String {
        let words = [&self.before, &self.behind].into_iter().filter(|word| !word.is_empty());
        words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" and ")
    }
}

/// What stands before and behind the number of a value that is no plain number.
fn words(value: &str) -> Option<(String, String)> {
    let begin = value.find(|it: char| it.is_ascii_digit())?;
    let (before, rest) = value.split_at(begin);
    let end = rest.find(|it: char| !(it.is_ascii_digit() || ".,'\u{2019} ".contains(it)));
    let (number, behind) = rest.split_at(end.unwrap_or(rest.len()));
    let before = before.trim().trim_end_matches(['-', '+', '.', ',', '\u{2212}']).trim();
    let behind = behind.trim();
    let is_sign = |it: char| !it.is_alphanumeric() && !"#:/_".contains(it);
    let is_money = CURRENCIES.contains(&before.trim_end_matches(is_sign).to_lowercase().as_str());
    let sound_before = before.chars().all(is_sign) || is_money;
    // A time, a range, a size in two numbers: none of them is one number with a unit.
    let is_more = |it: char| ":/-_#*x\u{d7}".contains(it);
    let sound_behind = !behind.starts_with(is_more) || behind.chars().all(char::is_alphabetic) && behind.len() > 1;
    let short = [before, behind]
        .iter()
        .all(|word| word.chars().count() <= LONGEST_CHARACTERS);
    let some = !(before.is_empty() && behind.is_empty()) && number.len() < 30;
    (some && short && sound_before && sound_behind).then(|| (before.to_owned(), behind.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_unit_is_told_from_a_name_with_a_number() {
        for (value, before, behind) in [
            ("12 km", "", "km"),
            ("12km", "", "km"),
            ("0%", "", "%"),
            ("$5", "$", ""),
            ("-$1,200.50", "-$", ""),
            ("$ -5", "$", ""),
            ("US$ 5", "US$", ""),
            ("EUR 5", "EUR", ""),
            ("(63)", "(", ")"),
            ("20 m\u{b2}", "", "m\u{b2}"),
            ("20 m2", "", "m2"),
            ("21.5 \u{b0}C", "", "\u{b0}c"),
            ("1 200,5 z\u{142}", "", "z\u{142}"),
        ] {
            assert_eq!(words(value), Some((before.to_owned(), behind.to_owned())), "{value}");
        }
        for value in [
            "",
            "red",
            "12",
            "1,234.5",
            "Zone 5",
            "c-300",
            "#5",
            "10:30",
            "2010-2012",
            "1/2",
            "90x60",
            "5 rooms and a kitchen",
            "T1",
        ] {
            assert_eq!(words(value), None, "{value}");
        }
    }

    #[test]
    fn most_values_have_the_same_word() {
        let of = |values: &[(&str, u64)], numbers| {
            let values: Vec<(String, u64)> = values
                .iter()
                .map(|(value, count)| ((*value).to_owned(), *count))
                .collect();
            Measure::of(&values, numbers).map(|it| (it.words(), it.example))
        };
        let km = Some(("`km`".to_owned(), "12 km".to_owned()));
        assert_eq!(of(&[("12 km", 9), ("13 KM", 3), ("unknown", 2)], 0), km);
        assert_eq!(of(&[("12", 9), ("12 km", 3)], 9), km);
        assert_eq!(
            of(&[("(63)", 2)], 0),
            Some(("`(` and `)`".to_owned(), "(63)".to_owned()))
        );
        // Half in miles, a few among numbers, a word among words.
        assert_eq!(of(&[("12 km", 5), ("12 mi", 5)], 0), None);
        assert_eq!(of(&[("12", 99), ("12 km", 1)], 99), None);
        assert_eq!(of(&[("rwd", 5), ("fwd", 4), ("4wd", 5)], 0), None);
    }
}
