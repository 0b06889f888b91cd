//! What becomes of a column: its type and bounds, or why it is left out.

use super::measures::Measure;
use super::numbers::{self, Fence};
use super::profile::{Profile, Tally};
use contracts::use_case::ColumnType;
use contracts::words;

/// Rows in which a word must occur to have a feature of its own: the platform's default.
pub(super) const RARE_BELOW: u64 = 10;
/// More different words than these are not written out.
const WORDS_WRITTEN: usize = 40;
/// Codes are numbers with no more different values.
const MOST_CODES: usize = 1000;
/// Different values of a column are an id from so many rows on.
const ENOUGH_ROWS: u64 = 20;
/// Words of names whose whole numbers are names, not amounts.
const CODE_WORDS: [&str; 22] = [
    "id",
    "code",
    "zip",
    "zipcode",
    "postcode",
    "postal",
    "store",
    "shop",
    "item",
    "product",
    "sku",
    "customer",
    "user",
    "category",
    "class",
    "region",
    "district",
    "branch",
    "department",
    "dept",
    "warehouse",
    "route",
];
/// Words of names whose values only name a row.
const ROW_WORDS: [&str; 12] = [
    "id", "uuid", "guid", "key", "index", "row", "rowid", "number", "no", "nr", "unnamed", "vin",
];

/// What becomes of a column.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    Kept(Kept),
    LeftOut(String),
}

/// A column of the schema.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub kind: ColumnType,
    /// No value is missing or unreadable.
    pub complete: bool,
    /// Values that are missing.
    pub missing: u64,
    pub minimum: Option<f64>,
    pub maximum: Option<f64>,
    /// The frequent words of a category, where they are few.
    pub words: Vec<String>,
    /// Bounds beyond which values are errors, and how many of the sample are.
    pub rule: Option<Fence>,
    /// The most features that it makes, but for `features.max_categories`.
    pub width: usize,
    /// Why it is what it is.
    pub why: String,
}

/// Whether at most the platform's default of a column's values are no numbers.
pub(super) fn is_numeric(tally: &Tally, rows: u64) -> bool {
    let values = tally.values(rows);
    values > 0 && (values - tally.numbers) * 20 <= values
}

/// The fate of the column at `at`, which is not the target.
pub(super) fn decide(profile: &Profile, at: usize, numbers: &[f64]) -> Fate {
    let (name, tally, rows) = (&profile.names[at], &profile.columns[at], profile.rows);
    let values = tally.values(rows);
    if let Some(reason) = nameless(profile, at)
        .or_else(|| empty(tally, rows))
        .or_else(|| date(tally, rows))
    {
        return Fate::LeftOut(reason);
    }
    let categories = tally.categories();
    let same = tally.forgotten == 0 && categories.len() == 1;
    // A value that some rows have and some have not tells them apart.
    if same && tally.missing * 20 <= rows {
        let value = words::name(&categories[0].0);
        return Fate::LeftOut(format!("it says `{value}` in every row, which tells none apart"));
    }
    let is_boolean = tally.truths == values && tally.numbers < values;
    let is_code = tally.whole == values
        && values > 0
        && (tally.padded > 0
            // Ids of rows are other numbers everywhere, those of stores come again.
            || has_word(name, &CODE_WORDS) && categories.len() <= MOST_CODES && categories.len() as u64 * 2 <= values);
    if is_numeric(tally, rows) && !is_code {
        return number(profile, at, numbers, categories.len());
    }
    if let Some(measure) = Measure::of(&categories, tally.numbers).filter(|_| !is_code) {
        return Fate::LeftOut(format!(
            "its values are numbers with {}, as `{}`: write plain numbers, and what stands for a missing one into \
             `input.missing`",
            measure.words(),
            words::name(&measure.example)
        ));
    }
    let missing = told_missing(tally, rows);
    if is_boolean {
        return Fate::Kept(Kept {
            kind: ColumnType::Boolean,
            complete: tally.missing == 0,
            missing: tally.missing,
            minimum: None,
            maximum: None,
            words: Vec::new(),
            rule: None,
            width: 2,
            why: format!(
                "{}{missing}",
                words::list(categories.iter().map(|(word, _)| word.as_str()))
            ),
        });
    }
    category(tally, rows, &categories, is_code)
}

fn nameless(profile: &Profile, at: usize) -> Option<String> {
    let name = &profile.names[at];
    if name.is_empty() {
        return Some("it has no name in the header".to_owned());
    }
    if name.chars().any(char::is_control) {
        return Some("its name holds control characters, as line breaks: rename it in the header".to_owned());
    }
    let twice = profile.names.iter().filter(|other| *other == name).count() > 1;
    twice.then(|| "the header names it more than once: rename all but one".to_owned())
}

fn empty(tally: &Tally, rows: u64) -> Option<String> {
    let values = tally.values(rows);
    if values == 0 {
        return Some("it holds no value".to_owned());
    }
    (values * 50 < rows).then(|| {
        format!(
            "{} of the rows hold no value",
            words::percent(1.0 - share(values, rows))
        )
    })
}

fn date(tally: &Tally, rows: u64) -> Option<String> {
    let values = tally.values(rows);
    let dates = (tally.dates * 20 >= values * 19).then(|| tally.categories().into_iter().next());
    let days = tally.days == values && values >= ENOUGH_ROWS;
    let example = match dates {
        Some(Some((example, _))) => example,
        Some(None) => String::new(),
        None if days => format!("{}", tally.minimum),
        None => return None,
    };
    let example = if example.is_empty() {
        example
    } else {
        format!(" (`{}`)", words::name(&example))
    };
    Some(format!(
        "it is a date{example}, a type that columns don't have. To learn from it, add columns as month, weekday or age in \
         days to the file, and name them here"
    ))
}

fn number(profile: &Profile, at: usize, numbers: &[f64], different: usize) -> Fate {
    let (name, tally, rows) = (&profile.names[at], &profile.columns[at], profile.rows);
    let values = tally.values(rows);
    let whole = tally.whole == tally.numbers;
    let distinct = different as u64 + tally.forgotten;
    let counted_on = tally.counts_on && tally.missing == 0 && rows >= ENOUGH_ROWS;
    let named_id = has_word(name, &ROW_WORDS) && whole && values >= ENOUGH_ROWS && distinct * 20 >= values * 19;
    if counted_on || named_id {
        let how = if counted_on {
            "it counts the rows"
        } else {
            "nearly every value is another"
        };
        return Fate::LeftOut(format!("{how}: an id names a row, and says nothing of the next one"));
    }
    let unreadable = values - tally.numbers;
    let rule = numbers::fence(numbers, 10.0).filter(|fence| tally.minimum < fence.low || tally.maximum > fence.high);
    let (low, high) = (
        rule.map_or(tally.minimum, |fence| fence.low.max(tally.minimum)),
        rule.map_or(tally.maximum, |fence| fence.high.min(tally.maximum)),
    );
    let (minimum, maximum) = numbers::request_bounds(low, high, whole);
    // What would be a typing error in training is one in a request.
    let maximum = rule.map_or(maximum, |fence| Some(fence.high.max(high)));
    let mut why = format!("{} to {}", words::number(tally.minimum), words::number(tally.maximum));
    why += &told_missing(tally, rows);
    if unreadable > 0 {
        let example = tally.text_example();
        why += &format!(
            ", {} count as missing: no number, as `{}`",
            words::count(unreadable),
            words::name(&example)
        );
    }
    Fate::Kept(Kept {
        kind: if whole { ColumnType::Integer } else { ColumnType::Number },
        complete: tally.missing == 0 && unreadable == 0,
        missing: tally.missing + unreadable,
        minimum,
        maximum,
        words: Vec::new(),
        rule,
        width: 2,
        why,
    })
}

fn category(tally: &Tally, rows: u64, categories: &[(String, u64)], is_code: bool) -> Fate {
    let values = tally.values(rows);
    let distinct = categories.len() as u64 + tally.forgotten;
    let rare_below = rare_below(rows);
    let frequent: Vec<&(String, u64)> = categories.iter().filter(|(_, count)| *count >= rare_below).collect();
    let covered: u64 = frequent.iter().map(|(_, count)| count).sum();
    let example = words::name(categories.first().map_or("", |(word, _)| word));
    if covered * 5 < values {
        let measured = categories.iter().filter(|(word, _)| is_measure(word)).count();
        if tally.numbers < values && (tally.numbers * 2 >= values || measured * 2 > categories.len()) {
            return Fate::LeftOut(format!(
                "its values are numbers in part, or have units (`{example}`): write plain numbers, and what stands for a \
                 missing one into `input.missing`"
            ));
        }
        let how = if distinct == values {
            "every value is another".to_owned()
        } else {
            format!("{} different values", words::count(distinct))
        };
        return Fate::LeftOut(format!(
            "{how}, as `{example}`: an id or free text, of which a model learns nothing for the next row"
        ));
    }
    let mut why = words::counted(distinct, "word", "words");
    if tally.forgotten > 0 {
        why = format!("over {}", words::counted(categories.len() as u64, "word", "words"));
    }
    if is_code {
        why += if tally.padded > 0 {
            ", zeros in front: codes, not amounts"
        } else {
            ", codes by its name, not amounts"
        };
    }
    why += &told_missing(tally, rows);
    let written = frequent.len() <= WORDS_WRITTEN;
    if !written {
        why += &format!(
            ", most often {}",
            words::list(frequent.iter().map(|(word, _)| word.as_str()).take(4))
        );
    }
    let words = frequent.iter().filter(|_| written).map(|(word, _)| word.clone());
    Fate::Kept(Kept {
        kind: ColumnType::Category,
        complete: tally.missing == 0,
        missing: tally.missing,
        minimum: None,
        maximum: None,
        words: words.collect(),
        rule: None,
        // One for the others, and one for those without a value.
        width: frequent.len() + 2,
        why,
    })
}

/// Rows below which a word counts as "other": fewer in a small file.
pub(super) fn rare_below(rows: u64) -> u64 {
    (rows / 100).clamp(2, RARE_BELOW)
}

fn told_missing(tally: &Tally, rows: u64) -> String {
    match tally.missing {
        0 => String::new(),
        missing => format!(", {} missing", words::percent(share(missing, rows))),
    }
}

/// `12 km`, `$ 5`.
fn is_measure(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let starts = word
        .trim_start_matches(|it: char| !it.is_alphanumeric())
        .starts_with(|it: char| it.is_ascii_digit());
    starts && digits > 0 && word.split_whitespace().count() <= 2 && word.len() <= 20
}

pub(super) fn share(part: u64, all: u64) -> f64 {
    part as f64 / all.max(1) as f64
}

/// Whether a name has one of these words: `store_id` and `StoreId` have `id`.
pub(super) fn has_word(name: &str, wanted: &[&str]) -> bool {
    name_words(name).iter().any(|word| wanted.contains(&word.as_str()))
}

/// The words of a name, in lower case: `sale`, `price` of `SalePrice` and `sale_price`.
pub(super) fn name_words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for letter in name.chars() {
        if !letter.is_alphanumeric() || (was_lower && letter.is_uppercase()) {
            words.push(String::new());
        }
        was_lower = letter.is_lowercase();
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
