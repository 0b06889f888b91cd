//! Instances checked against the document's schema, as cells in one canonical form.

use crate::request::shown;
use contracts::use_case::{Categories, Column, ColumnType, UseCase};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The most mistakes that an answer lists.
pub const MAX_MISTAKES: usize = 20;
/// The most known words that a message lists.
const MAX_WORDS: usize = 20;
/// What a field without a value says, in any case of letters: the same words as in training files.
const MISSING: [&str; 5] = ["", "na", "n/a", "nan", "null"];

/// Checked instances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// Cell by column, a map a row; a missing value has no entry.
    pub rows: Vec<BTreeMap<String, String>>,
    /// Warnings, a list a row.
    pub warnings: Vec<Vec<Warning>>,
}

/// Something about a row that people should know; it is answered all the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The column.
    pub field: String,
    /// What about it.
    pub message: String,
}

/// A value that the document doesn't allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The instance, counted from 0.
    pub instance: usize,
    /// The column.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// Checks every instance.
///
/// # Errors
/// The first 20 mistakes.
pub fn check(document: &UseCase, instances: &[Map<String, Value>]) -> Result<Checked, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut checked = Checked::default();
    for (number, instance) in instances.iter().enumerate() {
        let mut mistake = |field: &str, message: String| {
            if mistakes.len() < MAX_MISTAKES {
                mistakes.push(Mistake {
                    instance: number,
                    field: shown(field),
                    message,
                });
            }
        };
        for field in instance.keys() {
            if field == &document.target.name {
                mistake(field, "is what is predicted: leave it out".to_owned());
            } else if !document.schema.columns.iter().any(|column| &column.name == field) {
                mistake(field, "is no column of this use case".to_owned());
            }
        }
        let (mut row, mut warnings) = (BTreeMap::new(), Vec::new());
        for column in &document.schema.columns {
            match cell(column, instance.get(&column.name)) {
                Ok(None) if column.required => mistake(&column.name, "is required".to_owned()),
                Ok(None) => {}
                Ok(Some(cell)) => {
                    match &column.categories {
                        Some(categories) if unknown(categories, &cell) => {
                            let (word, words) = (shown(&cell), listed(&categories.values));
                            if categories.open {
                                let message = format!(
                                    "`{word}` is none of the known words ({words}): the models may not know it"
                                );
                                warnings.push(Warning {
                                    field: column.name.clone(),
                                    message,
                                });
                            } else {
                                mistake(&column.name, format!("`{word}` is none of: {words}"));
                            }
                        }
                        _ => {}
                    }
                    row.insert(column.name.clone(), cell);
                }
                Err(message) => mistake(&column.name, message),
            }
        }
        checked.rows.push(row);
        checked.warnings.push(warnings);
        if mistakes.len() >= MAX_MISTAKES {
            break;
        }
    }
    if mistakes.is_empty() {
        Ok(checked)
    } else {
        Err(mistakes)
    }
}

fn unknown(categories: &Categories, word: &String) -> bool {
    // An open column that names no words welcomes all.
    !(categories.values.contains(word) || (categories.open && categories.values.is_empty()))
}

fn listed(words: &[String]) -> String {
    let listed = words[..words.len().min(MAX_WORDS)].join(", ");
    match words.len().saturating_sub(MAX_WORDS) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// The canonical form of a value, `None` when it is missing.
///
/// A text means what it would mean in a training file. Other JSON values must be of the column's type.
fn cell(column: &Column, value: Option<&Value>) -> Result<Option<String>, String> {
    let numeric = matches!(column.kind, ColumnType::Integer | ColumnType::Number);
    let text = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => one_line(text),
        Some(Value::Number(number)) if numeric => number.to_string(),
        Some(Value::Bool(value)) if column.kind == ColumnType::Boolean => value.to_string(),
        Some(other) => return Err(format!("must be {}, not {}", wanted(column.kind), kind(other))),
    };
    if MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(None);
    }
    match column.kind {
        ColumnType::Category => Ok(Some(text)),
        ColumnType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" => Ok(Some("true".to_owned())),
            "false" | "f" | "no" | "n" => Ok(Some("false".to_owned())),
            // Some tools write a truth as 1.0.
            other => match other.parse::<f64>() {
                Ok(1.0) => Ok(Some("true".to_owned())),
                Ok(0.0) => Ok(Some("false".to_owned())),
                _ => Err("must be true or false".to_owned()),
            },
        },
        ColumnType::Integer | ColumnType::Number => number(column, &text).map(Some),
    }
}

fn number(column: &Column, text: &str) -> Result<String, String> {
    let number: f64 = match text.parse() {
        // Rust reads "inf", which is no number of a caller's.
        Ok(number) if f64::is_finite(number) => number,
        _ => return Err(format!("must be {}", wanted(column.kind))),
    };
    if column.kind == ColumnType::Integer && number.fract() != 0.0 {
        return Err("must be a whole number".to_owned());
    }
    match (column.minimum, column.maximum) {
        (Some(minimum), _) if number < minimum => Err(format!("must be at least {minimum}")),
        (_, Some(maximum)) if number > maximum => Err(format!("must be at most {maximum}")),
        _ => Ok(number_text(number)),
    }
}

/// The text of a finite number, to the character as training writes it: baselines are made of those files, and live
/// rows are compared with them.
fn number_text(number: f64) -> String {
    // Adding 0 makes -0 a plain 0.
    let number = number + 0.0;
    // The debug form is the shortest that reads back as the same number.
    let mut text = format!("{number:?}");
    if text.len() > 16 {
        // Of two such texts that are equally near Rust takes the upper one, Python the even one.
        let decimals = text.split(['.', 'e']).nth(1).map_or(0, str::len);
        let even = if text.contains('e') {
            format!("{number:.decimals$e}")
        } else {
            format!("{number:.decimals$}")
        };
        if even.parse() == Ok(number) {
            text = even;
        }
    }
    match text.split_once('e') {
        // Python writes a sign and two digits at least: 1e+16, 1e-05.
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent
                .strip_prefix('-')
                .map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned),
    }
}

/// Words joined by single spaces, as training reads fields. Endpoints split their input by lines, without regard to
/// quotes, and their CSV readers refuse some control characters, or take a byte-order mark off.
fn one_line(text: &str) -> String {
    let ends_word = |character: char| character.is_whitespace() || character.is_control() || character == '\u{feff}';
    let words = text.split(ends_word);
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn wanted(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::Integer => "a whole number",
        ColumnType::Number => "a number",
        ColumnType::Category => "text",
        ColumnType::Boolean => "true or false",
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn document() -> UseCase {
        serde_json::from_value(json!({
            "use_case": "cars",
            "schema": {"columns": [
                {"name": "model", "type": "category", "required": true},
                {"name": "year", "type": "integer", "minimum": 1900, "maximum": 2100},
                {"name": "odometer", "type": "number"},
                {"name": "condition", "type": "category", "categories": {"open": false, "values": ["good", "bad"]}},
                {"name": "fuel", "type": "category", "categories": {"open": true, "values": ["gas"]}},
                {"name": "salvage", "type": "boolean"},
            ]},
            "target": {"name": "price"},
            "models": [{"name": "m", "algorithm": "xgboost", "metric": {"name": "validation:rmse"}, "threshold_rmse": 1}],
        }))
        .unwrap()
    }

    fn checked(instance: &Value) -> Result<Checked, Vec<Mistake>> {
        check(&document(), &[instance.as_object().unwrap().clone()])
    }

    #[test]
    fn cells_have_one_form_however_they_are_written() {
        let written = [
            json!({"model": " c ", "year": 2015, "fuel": "N/A", "odometer": 60000.50, "salvage": true}),
            json!({"model": "c", "year": "2015.0", "odometer": "6.00005e4", "salvage": "Yes", "fuel": null, "condition": ""}),
        ];
        for instance in &written {
            let row = &checked(instance).unwrap().rows[0];
            let cells: Vec<_> = row.iter().map(|(name, cell)| format!("{name}={cell}")).collect();
            assert_eq!(cells, ["model=c", "odometer=60000.5", "salvage=true", "year=2015"]);
        }
    }

    #[test]
    fn each_mistake_names_its_field() {
        for (instance, field, message) in [
            (json!({"year": 2015}), "model", "is required"),
            (
                json!({"model": "c", "colour": "red"}),
                "colour",
                "is no column of this use case",
            ),
            (
                json!({"model": "c", "price": 1}),
                "price",
                "is what is predicted: leave it out",
            ),
            (json!({"model": "c", "year": "soon"}), "year", "must be a whole number"),
            (json!({"model": "c", "year": 2015.5}), "year", "must be a whole number"),
            (json!({"model": "c", "year": 1800}), "year", "must be at least 1900"),
            (json!({"model": "c", "year": 2200}), "year", "must be at most 2100"),
            (json!({"model": "c", "odometer": "inf"}), "odometer", "must be a number"),
            (
                json!({"model": "c", "odometer": true}),
                "odometer",
                "must be a number, not true or false",
            ),
            (json!({"model": 5}), "model", "must be text, not a number"),
            (json!({"model": ["c"]}), "model", "must be text, not a list"),
            (
                json!({"model": "c", "condition": "fair"}),
                "condition",
                "`fair` is none of: good, bad",
            ),
            (json!({"model": "NaN"}), "model", "is required"),
            (
                json!({"model": "c", "salvage": 1}),
                "salvage",
                "must be true or false, not a number",
            ),
            (
                json!({"model": "c", "salvage": "perhaps"}),
                "salvage",
                "must be true or false",
            ),
        ] {
            let mistakes = checked(&instance).unwrap_err();
            assert!(
                mistakes.iter().any(|it| it.field == field && it.message == message),
                "{instance}: {mistakes:?}"
            );
        }
    }

    /// Batch scoring sets a row aside for what a request is refused for: processing's tests read the same files.
    #[test]
    fn rows_are_refused_as_in_batch_scoring() {
        let document: UseCase =
            serde_json::from_str(include_str!("../../../processing/tests/data/refused/use-case.json")).unwrap();
        let sent = include_bytes!("../../../processing/tests/data/refused/sent.csv");
        let instances = crate::request::parse(Some("text/csv"), sent).unwrap().instances;
        let mut refused = vec!["row,reason".to_owned()];
        for (number, instance) in instances.iter().enumerate() {
            let Err(mistakes) = check(&document, std::slice::from_ref(instance)) else {
                continue;
            };
            let reasons: Vec<String> = mistakes
                .iter()
                // Reasons are counted, so they leave out the word.
                .map(|it| match it.message.find("` is none of: ") {
                    Some(end) => format!("`{}` {}", it.field, &it.message[end + 2..]),
                    None => format!("`{}` {}", it.field, it.message),
                })
                .collect();
            let reason = reasons.join("; ");
            let quote = if reason.contains(',') { "\"" } else { "" };
            refused.push(format!("{number},{quote}{reason}{quote}"));
        }
        let recorded = include_str!("../../../processing/tests/data/refused/reasons.csv");
        assert_eq!(refused, recorded.lines().collect::<Vec<_>>());
    }

    #[test]
    fn an_unknown_word_in_an_open_column_is_a_warning() {
        let answer = checked(&json!({"model": "c", "fuel": "hydro\ngen"})).unwrap();
        assert_eq!(answer.rows[0]["fuel"], "hydro gen");
        assert_eq!(answer.warnings[0][0].field, "fuel");
    }

    #[test]
    fn numbers_are_written_in_their_shortest_form() {
        for (sent, expected) in [
            (json!(60000), "60000"),
            (json!(-0.0), "0"),
            (json!("+.5"), "0.5"),
            (json!(1e300), "1e+300"),
            (json!(0.1), "0.1"),
            (json!("12.50"), "12.5"),
        ] {
            let instance = json!({"model": "c", "odometer": sent});
            assert_eq!(checked(&instance).unwrap().rows[0]["odometer"], expected);
        }
    }

    #[test]
    fn no_more_than_20_words_are_listed() {
        let words: Vec<String> = (0..23).map(|number| number.to_string()).collect();
        assert!(listed(&words).ends_with("18, 19 and 3 more"));
    }

    #[test]
    fn no_more_than_20_mistakes_are_listed() {
        let instances = vec![Map::new(); 100];
        assert_eq!(check(&document(), &instances).unwrap_err().len(), 20);
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_one_line_and_is_accepted_again(fields in proptest::collection::vec("\\PC{0,8}|[0-9.eE+-]{0,6}|[\\s\\x00-\\x1f]{0,4}", 6)) {
            let names = ["model", "year", "odometer", "condition", "fuel", "salvage"];
            let instance: Map<_, _> = names.iter().zip(&fields).map(|(name, field)| ((*name).to_owned(), json!(field))).collect();
            if let Ok(once) = check(&document(), &[instance]) {
                let row = &once.rows[0];
                prop_assert!(row.values().all(|cell| !cell.is_empty() && !cell.contains(char::is_control)));
                let again: Map<_, _> = row.iter().map(|(name, cell)| (name.clone(), json!(cell))).collect();
                prop_assert_eq!(check(&document(), &[again]), Ok(once));
            }
        }
    }
}
