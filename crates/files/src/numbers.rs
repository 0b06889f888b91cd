//! Parsing of numbers with the decimal mark and digit grouping that a document names.

use contracts::use_case::Input;

/// What a field may contain to mean a missing value, compared without case: `MISSING` in processing/features.py.
const MISSING: [&str; 5] = ["", "na", "n/a", "nan", "null"];

/// Parses numbers as the document's `input` describes them.
#[derive(Clone, Debug)]
pub struct Numbers {
    decimal: char,
    thousands: Option<char>,
    missing: Vec<String>,
}

impl Numbers {
    /// A parser for the marks and missing values of `input`.
    pub fn new(input: &Input) -> Self {
        Self {
            decimal: input.decimal,
            thousands: input.thousands,
            missing: input.missing.iter().map(|word| squeeze(word).to_lowercase()).collect(),
        }
    }

    /// Whether a field means a missing value.
    pub fn is_missing(&self, field: &str) -> bool {
        let word = squeeze(field).to_lowercase();
        MISSING.contains(&word.as_str()) || self.missing.contains(&word)
    }

    /// The number in a field; `None` if the value is missing or is no number.
    pub fn read(&self, field: &str) -> Option<f64> {
        if self.is_missing(field) {
            return None;
        }
        let text = squeeze(field);
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(&text);
        let (mantissa, exponent) = unsigned.split_at(unsigned.find(['e', 'E']).unwrap_or(unsigned.len()));
        let (whole, part) = match mantissa.split_once(self.decimal) {
            Some((whole, part)) => (whole, Some(part)),
            None => (mantissa, None),
        };
        let whole = self.whole(whole)?;
        if whole.is_empty() && part.is_none_or(str::is_empty) || !digits(part.unwrap_or_default()) {
            return None;
        }
        if let Some(exponent) = exponent.get(1..) {
            let power = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if power.is_empty() || !digits(power) {
                return None;
            }
        }
        let sign = &text[..text.len() - unsigned.len()];
        let canonical = format!(
            "{sign}{whole}.{}{exponent}",
            part.filter(|part| !part.is_empty()).unwrap_or("0")
        );
        canonical.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// The digits of a number's whole part, which may be grouped in threes.
    fn whole(&self, text: &str) -> Option<String> {
        if digits(text) {
            return Some(text.to_owned());
        }
        let mark = self.thousands?;
        let groups: Vec<&str> = text
            .split(|it| it == mark || mark == '\'' && it == '\u{2019}')
            .collect();
        let (first, others) = groups.split_first()?;
        let sound = (1..=3).contains(&first.len()) && others.iter().all(|group| group.len() == 3);
        (sound && groups.iter().all(|group| digits(group))).then(|| groups.concat())
    }
}

fn digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A field without control characters and with single spaces between its words: `squeeze` in processing/features.py.
pub fn squeeze(field: &str) -> String {
    let control = |it: char| it < ' ' || ('\u{7f}'..'\u{a0}').contains(&it) || it == '\u{feff}';
    let words: Vec<&str> = field
        .split(|it: char| it.is_whitespace() || control(it))
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn input(decimal: char, thousands: Option<char>) -> Input {
        Input {
            decimal,
            thousands,
            missing: vec!["brak".to_owned(), "-".to_owned()],
            ..Input::default()
        }
    }

    /// The tests of the containers read the same file.
    #[test]
    fn marks_are_read_as_the_containers_read_them() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../processing/tests/data/marks/numbers.csv"
        );
        let mut cases = 0;
        for row in csv::Reader::from_path(path).unwrap().records() {
            let row = row.unwrap();
            let numbers = Numbers::new(&input(row[0].chars().next().unwrap(), row[1].chars().next()));
            assert_eq!(numbers.read(&row[2]), row[3].parse().ok(), "{row:?}");
            cases += 1;
        }
        assert!(cases > 30);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(number in -1e9_f64..1e9, decimal in prop::sample::select(vec!['.', ','])) {
            let text = number.to_string().replace('.', &decimal.to_string());
            prop_assert_eq!(Numbers::new(&input(decimal, None)).read(&text), Some(number));
        }

        #[test]
        fn any_text_is_judged(text in any::<String>(), mark in prop::sample::select(vec![None, Some('.'), Some(' '), Some('\'')])) {
            let _ = Numbers::new(&input(',', mark)).read(&text);
        }
    }
}
