//! Which column is predicted.

use super::columns::{has_word, is_numeric, name_words};
use super::profile::{Profile, Tally};
use anyhow::{Result, bail};
use contracts::words;

/// Names of what is predicted, the surest first: as the whole name, then as a word of it. Where both a demand and a price
/// are there, the demand is predicted from the price.
const NAMES: [&str; 25] = [
    "target",
    "label",
    "y",
    "demand",
    "sales",
    "sold",
    "quantity",
    "qty",
    "price",
    "revenue",
    "turnover",
    "amount",
    "cost",
    "rent",
    "salary",
    "wage",
    "income",
    "consumption",
    "load",
    "yield",
    "value",
    "score",
    "duration",
    "total",
    "sale",
];
/// Words beside these: when something was sold is not how much of it.
const OTHERWISE: [&str; 9] = ["year", "yr", "month", "mo", "week", "date", "day", "time", "id"];
/// Units in names.
const UNITS: [(&str, &str); 24] = [
    ("usd", "USD"),
    ("eur", "EUR"),
    ("gbp", "GBP"),
    ("chf", "CHF"),
    ("pln", "PLN"),
    ("jpy", "JPY"),
    ("kwh", "kWh"),
    ("mwh", "MWh"),
    ("kw", "kW"),
    ("mw", "MW"),
    ("km", "km"),
    ("mi", "mi"),
    ("m2", "m2"),
    ("sqft", "sqft"),
    ("kg", "kg"),
    ("g", "g"),
    ("t", "t"),
    ("ms", "ms"),
    ("s", "s"),
    ("min", "min"),
    ("h", "h"),
    ("days", "days"),
    ("percent", "%"),
    ("c", "°C"),
];

/// The column that is predicted.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub at: usize,
    /// Why this one.
    pub why: String,
    /// What else to know of the choice.
    pub notes: Vec<String>,
}

/// The target: `wanted`, or by name, or the last column of numbers.
///
/// # Errors
/// No column is one; the text goes on from the file's name.
pub(super) fn choose(profile: &Profile, wanted: Option<&str>) -> Result<Target> {
    if let Some(wanted) = wanted {
        return named(profile, wanted);
    }
    let fit = |at: &usize| unfit(profile, *at).is_none();
    let all: Vec<usize> = (0..profile.names.len()).filter(fit).collect();
    let lower = |at: usize| name_words(&profile.names[at]).join(" ");
    let by_whole = NAMES
        .iter()
        .filter_map(|name| all.iter().find(|at| lower(**at) == *name));
    let called = |at: usize, word: &str| {
        word.len() > 1 && has_word(&profile.names[at], &[word]) && !has_word(&profile.names[at], &OTHERWISE)
    };
    let by_word = NAMES
        .iter()
        .filter_map(|word| all.iter().rev().find(|at| called(**at, word)));
    let mut by_name: Vec<usize> = Vec::new();
    for at in by_whole.chain(by_word) {
        if !by_name.contains(at) {
            by_name.push(*at);
        }
    }
    // What is meant by its name, and can't be predicted: a word of the name is enough for one number in every row.
    let meant = |at: &usize| {
        let is_whole = NAMES.contains(&lower(*at).as_str());
        is_whole || is_constant(profile, *at) && NAMES.iter().any(|word| called(*at, word))
    };
    let passed: Vec<(usize, String)> = (0..profile.names.len())
        .filter(meant)
        .filter_map(|at| Some((at, unfit(profile, at)?)))
        .collect();
    let last = all.iter().rev().find(|at| !is_id(profile, **at));
    // Any other column would be a guess that nobody asked for.
    if let (true, Some((at, why)), Some(other)) = (by_name.is_empty(), passed.first(), last) {
        bail!(
            "has no column to predict: `{}` is called as targets are, and {why}. Give a file in which it can be predicted, or \
             name another column, as `--target {}`",
            words::name(&profile.names[*at]),
            words::name(&profile.names[*other])
        );
    }
    let (at, why) = match (by_name.first(), last) {
        (Some(at), _) => (*at, "by its name".to_owned()),
        (None, Some(at)) => (
            *at,
            "the last column of numbers: none is called as targets are".to_owned(),
        ),
        (None, None) => {
            let columns = words::list(profile.names.iter().map(String::as_str));
            bail!(
                "has no column of numbers to predict (its columns are {columns}): a use case predicts a number, so write \
                 classes as 0 and 1, and amounts without units"
            )
        }
    };
    // That one which is surely meant is text is told, and that one has a single value.
    let told = |at: usize| NAMES[..3].contains(&lower(at).as_str()) || is_constant(profile, at);
    let mut notes: Vec<String> = passed
        .iter()
        .filter(|(at, _)| told(*at))
        .map(|(at, why)| {
            format!(
                "`{}` is not taken for the target: {why}",
                words::name(&profile.names[*at])
            )
        })
        .collect();
    if by_name.len() > 1 {
        let others = words::list(by_name[1..].iter().map(|at| profile.names[*at].as_str()));
        notes.push(format!(
            "other columns could be the target, too ({others}): they are columns to predict from now. If they are known only \
             after what is predicted, take them out of the schema; `--target` names another"
        ));
    }
    Ok(Target { at, why, notes })
}

/// The unit that a name ends with: `USD` of `price_USD`.
pub(super) fn unit(name: &str) -> Option<&'static str> {
    let words = name_words(name);
    let last = words.last().filter(|_| words.len() > 1)?;
    UNITS.iter().find(|(word, _)| word == last).map(|(_, unit)| *unit)
}

fn named(profile: &Profile, wanted: &str) -> Result<Target> {
    let found: Vec<usize> = (0..profile.names.len())
        .filter(|at| profile.names[*at] == wanted)
        .collect();
    match found.as_slice() {
        [] => {
            let alike = profile.names.iter().find(|name| name_words(name) == name_words(wanted));
            let alike = alike.or_else(|| profile.names.iter().find(|name| name.eq_ignore_ascii_case(wanted)));
            let meant = alike.map_or_else(|| ".".to_owned(), |name| format!("; do you mean `{name}`?"));
            let columns: Vec<String> = profile.names.iter().take(30).map(|name| words::name(name)).collect();
            bail!(
                "has no column `{wanted}`{meant} Its columns are {}.",
                columns.join(", ")
            )
        }
        [at] => match unfit(profile, *at) {
            None => Ok(Target {
                at: *at,
                why: "by --target".to_owned(),
                notes: Vec::new(),
            }),
            Some(why) => bail!("can't be learned from with the target `{wanted}`: {why}"),
        },
        _ => bail!("names the column `{wanted}` more than once: rename all but one"),
    }
}

/// Why a column can't be predicted.
fn unfit(profile: &Profile, at: usize) -> Option<String> {
    let (name, tally) = (&profile.names[at], &profile.columns[at]);
    let twice = profile.names.iter().filter(|other| *other == name).count() > 1;
    if name.is_empty() || name.chars().any(char::is_control) || twice {
        return Some("it has no name of its own in the header".to_owned());
    }
    if tally.values(profile.rows) == 0 {
        return Some("it holds no value".to_owned());
    }
    if !is_numeric(tally, profile.rows) {
        let example = tally.text_example();
        return Some(format!(
            "it holds text, as `{}`, and a use case predicts a number: write classes as 0 and 1, and amounts without units",
            words::name(&example)
        ));
    }
    is_constant(profile, at).then(|| format!("it is {} in every row", words::number(tally.minimum)))
}

/// Whether there is one number, and no other.
fn is_constant(profile: &Profile, at: usize) -> bool {
    let tally = &profile.columns[at];
    is_numeric(tally, profile.rows) && tally.minimum >= tally.maximum
}

fn is_id(profile: &Profile, at: usize) -> bool {
    let Tally {
        counts_on,
        days,
        numbers,
        ..
    } = profile.columns[at];
    counts_on || days == numbers || has_word(&profile.names[at], &["id", "index", "key", "code", "zip"])
}
