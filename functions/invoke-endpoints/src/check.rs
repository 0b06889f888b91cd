//! Checks instances against the document's schema, and turns them into cells in one canonical form.

use crate::request::{Instances, Sent, shown};
use crate::source::Former;
use contracts::use_case::{Categories, Column, ColumnType, UseCase};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

/// The most mistakes that an answer lists.
pub const MAX_MISTAKES: usize = 20;
/// The most known words that a message lists.
const MAX_WORDS: usize = 20;
/// The most bytes of all values of a row. Batch scoring sends requests of at most 1 MiB, never splits a row, and
/// doubles the quotes in it; rows that it sets aside are refused here (`MAX_ROW_BYTES` of
/// processing/prepare_scoring.py).
const MAX_ROW_BYTES: usize = 500_000;
/// The texts of a field without a value, in any case of letters: the same as in training files.
const MISSING: [&str; 5] = ["", "na", "n/a", "nan", "null"];

/// The most bytes of warnings in an answer, as JSON: Lambda's answers have at most 6 MB, and predictions need some of
/// it.
const MAX_WARNING_BYTES: usize = 1 << 20;

/// Checked instances.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked<'a> {
    /// One map per row: the cell of each column; a missing value has no entry.
    pub rows: Vec<BTreeMap<&'a str, String>>,
    /// One list of warnings per row.
    pub warnings: Vec<Vec<Warning>>,
    /// How many warnings the answer has no room for.
    pub warnings_left_out: usize,
}

/// Something about a row that people should know; the row is answered nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The column.
    pub field: String,
    /// The message.
    pub message: String,
}

/// A value that the document does not allow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The instance, counted from 0.
    pub instance: usize,
    /// The column.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

/// Checks every instance. Columns in `former`, which the document no longer has but champions were trained with, may
/// still be given; each row's warnings then say how they are used.
///
/// # Errors
/// The first 20 mistakes.
pub fn check<'a>(
    document: &'a UseCase,
    former: &'a [Former],
    instances: &Instances<'_>,
) -> Result<Checked<'a>, Vec<Mistake>> {
    let formerly = former.iter().filter_map(|former| former.column.as_ref());
    let columns: Vec<&Column> = document.schema.columns.iter().chain(formerly).collect();
    let places: HashMap<&str, usize> = columns.iter().map(|column| &*column.name).zip(0..).collect();
    let mut mistakes = Vec::new();
    let mut checked = Checked::default();
    let mut room = MAX_WARNING_BYTES;
    for number in 0..instances.len() {
        let mut mistake = |field: &str, message: String| {
            if mistakes.len() < MAX_MISTAKES {
                mistakes.push(Mistake {
                    instance: number,
                    field: shown(field),
                    message,
                });
            }
        };
        let mut values: Vec<Option<Sent<'_>>> = vec![None; columns.len()];
        for (field, value) in instances.fields(number) {
            match places.get(field) {
                Some(at) if values[*at].is_some() => mistake(field, "is given more than once".to_owned()),
                Some(at) => values[*at] = Some(value),
                None if field == document.target.name => {
                    mistake(field, "is the target, which is predicted: leave it out".to_owned());
                }
                None => mistake(field, "is not a column of this use case".to_owned()),
            }
        }
        let (mut row, mut warnings) = (BTreeMap::new(), Vec::new());
        for (column, value) in columns.iter().zip(&values) {
            match cell(column, value.as_ref()) {
                Ok(None) if column.required => mistake(&column.name, "is required".to_owned()),
                Ok(None) => {}
                Ok(Some(cell)) => {
                    match &column.categories {
                        Some(categories) if unknown(categories, &cell) => {
                            let (word, words) = (shown(&cell), listed(&categories.values));
                            if categories.open {
                                let message = format!(
                                    "`{word}` is not one of the known words ({words}): the models may not know it"
                                );
                                warnings.push(Warning::new(column, message));
                            } else {
                                mistake(&column.name, format!("`{word}` is none of: {words}"));
                            }
                        }
                        _ => {}
                    }
                    if cell.contains(char::REPLACEMENT_CHARACTER) {
                        let message = "holds a character that was lost before it came here (U+FFFD): send the text in \
                                       UTF-8";
                        warnings.push(Warning::new(column, message.to_owned()));
                    }
                    row.insert(column.name.as_str(), cell);
                }
                Err(message) => mistake(&column.name, message),
            }
        }
        warnings.extend(former.iter().map(|it| Warning {
            field: it.name.clone(),
            message: of_former(it, row.contains_key(it.name.as_str())),
        }));
        if row.values().map(String::len).sum::<usize>() > MAX_ROW_BYTES
            && let Some(longest) = longest(&columns, &row)
        {
            let message = format!("is too long: a row's values have at most {MAX_ROW_BYTES} bytes together");
            mistake(longest, message);
        }
        let all = warnings.len();
        warnings.retain(|warning| warning.fits(&mut room));
        checked.warnings_left_out += all - warnings.len();
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

impl Warning {
    fn new(column: &Column, message: String) -> Self {
        Self {
            field: column.name.clone(),
            message,
        }
    }

    /// Whether the answer still has room for the warning; if so, the room is used up.
    fn fits(&self, room: &mut usize) -> bool {
        // Text always serialises. Its quotes are escaped once more, because an answer's body is a text within Lambda's
        // answer.
        let bytes = serde_json::to_string(self).map_or(0, |json| json.len() + json.matches(['"', '\\']).count());
        match room.checked_sub(bytes) {
            Some(left) => {
                *room = left;
                true
            }
            None => false,
        }
    }
}

/// How a row's value, or its lack, is used in a column that only champions know.
fn of_former(former: &Former, given: bool) -> String {
    let champions = match former.models.as_slice() {
        [model] => format!("the champion of {model} was"),
        models => format!("the champions of {} were", models.join(", ")),
    };
    let fate = match (given, &former.column) {
        (true, _) => "it is used until champions of the new schema serve, and refused from then on",
        (false, Some(_)) => "it counts as missing here, and may be given until champions of the new schema serve",
        (false, None) => "it counts as missing until champions of the new schema serve",
    };
    format!("is no longer a column of the document, and {champions} trained with it: {fate}")
}

/// The column of the longest value; of equally long ones, the first.
fn longest<'a>(columns: &[&'a Column], row: &BTreeMap<&str, String>) -> Option<&'a str> {
    let bytes = |name: &&str| row.get(name).map_or(0, String::len);
    columns
        .iter()
        .map(|column| column.name.as_str())
        .rev()
        .max_by_key(bytes)
}

fn unknown(categories: &Categories, word: &String) -> bool {
    // An open column that lists no words accepts all.
    !(categories.values.contains(word) || (categories.open && categories.values.is_empty()))
}

fn listed(words: &[String]) -> String {
    let first = words.iter().take(MAX_WORDS).map(|word| shown(word));
    let listed = first.collect::<Vec<_>>().join(", ");
    match words.len().saturating_sub(MAX_WORDS) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// The canonical form of a value; `None` when it is missing.
///
/// A text is read as in a training file. Other JSON values must have the column's type.
fn cell(column: &Column, value: Option<&Sent<'_>>) -> Result<Option<String>, String> {
    let numeric = matches!(column.kind, ColumnType::Integer | ColumnType::Number);
    let text = match value {
        None | Some(Sent::Null) => return Ok(None),
        Some(Sent::Text(text)) => one_line(text),
        Some(Sent::Number(number)) if numeric => number.to_string(),
        Some(Sent::Bool(value)) if column.kind == ColumnType::Boolean => value.to_string(),
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
            // Some tools write a boolean as 1.0.
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
        // Rust accepts "inf", which no caller means as a number.
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

/// The text of a finite number, exactly as training writes it: baselines are made from training files, and live rows
/// are compared with them.
fn number_text(number: f64) -> String {
    // Adding 0 turns -0 into 0.
    let number = number + 0.0;
    // The debug form is the shortest text that parses to the same number.
    let mut text = format!("{number:?}");
    if text.len() > 16 {
        // If two such texts are equally near, Rust takes the upper one, Python the even one.
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
        // Python writes a sign and at least two digits: 1e+16, 1e-05.
        Some((digits, exponent)) => {
            let (sign, exponent) = exponent
                .strip_prefix('-')
                .map_or(('+', exponent), |exponent| ('-', exponent));
            format!("{digits}e{sign}{exponent:0>2}")
        }
        None => text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned),
    }
}

/// Words joined by single spaces, as training reads fields. Endpoints split their input by lines without regard to
/// quotes, and their CSV readers refuse some control characters, or strip a byte-order mark.
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

fn kind(value: &Sent<'_>) -> &'static str {
    match value {
        Sent::Null => "null",
        Sent::Bool(_) => "true or false",
        Sent::Number(_) => "a number",
        Sent::Text(_) => "text",
        Sent::List => "a list",
        Sent::Object => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request;
    use proptest::prelude::*;
    use serde_json::{Value, json};

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

    /// Rows and warnings.
    type Answer = (Vec<BTreeMap<String, String>>, Vec<Vec<Warning>>);

    /// Checks instances given as JSON.
    fn check_json(document: &UseCase, instances: &Value) -> Result<Answer, Vec<Mistake>> {
        let body = json!({"instances": instances}).to_string();
        let checked = check(document, &[], &request::parse(None, body.as_bytes()).unwrap().instances)?;
        let row = |row: BTreeMap<&str, String>| row.into_iter().map(|(name, cell)| (name.to_owned(), cell)).collect();
        Ok((checked.rows.into_iter().map(row).collect(), checked.warnings))
    }

    fn checked(instance: &Value) -> Result<Answer, Vec<Mistake>> {
        check_json(&document(), &json!([instance]))
    }

    #[test]
    fn cells_have_one_form_however_they_are_written() {
        let written = [
            json!({"model": " c ", "year": 2015, "fuel": "N/A", "odometer": 60000.50, "salvage": true}),
            json!({"model": "c", "year": "2015.0", "odometer": "6.00005e4", "salvage": "Yes", "fuel": null, "condition": ""}),
        ];
        for instance in &written {
            let row = &checked(instance).unwrap().0[0];
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
                "is not a column of this use case",
            ),
            (
                json!({"model": "c", "price": 1}),
                "price",
                "is the target, which is predicted: leave it out",
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

    /// Batch scoring sets aside the rows for which a request is refused: processing's tests read the same files.
    #[test]
    fn rows_are_refused_as_in_batch_scoring() {
        let document: UseCase =
            serde_json::from_str(include_str!("../../../processing/tests/data/refused/use-case.json")).unwrap();
        let sent = include_bytes!("../../../processing/tests/data/refused/sent.csv");
        let request = request::parse(Some("text/csv"), sent).unwrap();
        let Instances::Csv { header, rows } = request.instances else {
            panic!("{request:?}")
        };
        let mut refused = vec!["row,reason".to_owned()];
        for (number, row) in rows.into_iter().enumerate() {
            let (header, rows) = (header.clone(), vec![row]);
            let Err(mistakes) = check(&document, &[], &Instances::Csv { header, rows }) else {
                continue;
            };
            let reasons: Vec<String> = mistakes
                .iter()
                // There, reasons are counted, so they leave out the word.
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

    /// The same limit and words as in processing's tests.
    #[test]
    fn a_row_that_is_too_long_for_a_batch_is_refused_by_its_longest_value() {
        let (fits, too_long) = ("é".repeat(249_998), "é".repeat(249_999));
        assert!(checked(&json!({"model": fits, "year": 2015})).is_ok());
        let mistakes = check_json(
            &document(),
            &json!([{"model": "c"}, {"fuel": "gas", "model": too_long, "year": 2015}]),
        )
        .unwrap_err();
        let expected = Mistake {
            instance: 1,
            field: "model".to_owned(),
            message: "is too long: a row's values have at most 500000 bytes together".to_owned(),
        };
        assert_eq!(mistakes, [expected]);
    }

    #[test]
    fn an_unknown_word_in_an_open_column_is_a_warning() {
        let (rows, warnings) = checked(&json!({"model": "c", "fuel": "hydro\ngen"})).unwrap();
        assert_eq!(rows[0]["fuel"], "hydro gen");
        assert_eq!(warnings[0][0].field, "fuel");
    }

    #[test]
    fn a_character_that_was_lost_on_the_way_is_a_warning() {
        let (rows, warnings) = checked(&json!({"model": "Citro\u{fffd}n"})).unwrap();
        assert_eq!(rows[0]["model"], "Citro\u{fffd}n");
        assert_eq!(warnings[0][0].field, "model");
        assert!(warnings[0][0].message.contains("UTF-8"), "{warnings:?}");
    }

    #[test]
    fn a_field_that_is_given_twice_is_refused_by_name() {
        for body in [
            r#"{"instances": [{"model": "c"}, {"model": "c", "year": 2015, "year": 1995}]}"#,
            r#"{"instances": [{"model": "c"}, {"model": "c", "\u0079ear": 2015, "year": 2015}]}"#,
            r#"{"instances": [{"model": "c"}, {"model": "c", "year": null, "year": 2015}]}"#,
        ] {
            let request = request::parse(None, body.as_bytes()).unwrap();
            let mistakes = check(&document(), &[], &request.instances).unwrap_err();
            let told: Vec<_> = mistakes
                .iter()
                .map(|it| (it.instance, &*it.field, &*it.message))
                .collect();
            assert_eq!(told, [(1, "year", "is given more than once")], "{body}");
        }
    }

    fn former(known: bool) -> Vec<Former> {
        let column = json!({"name": "area", "type": "number", "maximum": 1000});
        vec![Former {
            name: "area".to_owned(),
            column: known.then(|| serde_json::from_value(column).unwrap()),
            models: vec!["a".to_owned(), "b".to_owned()],
        }]
    }

    #[test]
    fn a_column_that_only_champions_know_may_be_given_and_is_told_of() {
        let body = json!({"instances": [{"model": "c", "area": "180.0"}, {"model": "c"}]}).to_string();
        let request = request::parse(None, body.as_bytes()).unwrap();
        let (document, former) = (document(), former(true));
        let checked = check(&document, &former, &request.instances).unwrap();
        assert_eq!(checked.rows[0]["area"], "180");
        assert!(!checked.rows[1].contains_key("area"));
        for (row, part) in [(0, "it is used until"), (1, "counts as missing here")] {
            let warning = &checked.warnings[row][0];
            assert_eq!(warning.field, "area");
            assert!(
                warning.message.contains("champions of a, b were trained with it") && warning.message.contains(part),
                "{warning:?}"
            );
        }
        // The limits are those that the document had for the column.
        let body = json!({"instances": [{"model": "c", "area": 1001}]}).to_string();
        let request = request::parse(None, body.as_bytes()).unwrap();
        let mistakes = check(&document, &former, &request.instances).unwrap_err();
        assert_eq!(mistakes[0].message, "must be at most 1000");
    }

    #[test]
    fn a_column_known_by_name_alone_is_missing_and_can_not_be_given() {
        let (document, former) = (document(), former(false));
        let body = json!({"instances": [{"model": "c"}]}).to_string();
        let request = request::parse(None, body.as_bytes()).unwrap();
        let checked = check(&document, &former, &request.instances).unwrap();
        assert!(
            checked.warnings[0][0].message.contains("counts as missing until"),
            "{checked:?}"
        );
        let body = json!({"instances": [{"model": "c", "area": 5}]}).to_string();
        let request = request::parse(None, body.as_bytes()).unwrap();
        let mistakes = check(&document, &former, &request.instances).unwrap_err();
        assert_eq!(mistakes[0].message, "is not a column of this use case");
    }

    /// Lambda allows no answer of more than 6 MB.
    #[test]
    fn warnings_have_an_end() {
        let word = "\"\\".repeat(200);
        let mut document = document();
        let fuel = document
            .schema
            .columns
            .iter_mut()
            .find(|column| column.name == "fuel")
            .unwrap();
        fuel.categories.as_mut().unwrap().values = vec!["w".repeat(5_000); 30];
        let instances = vec![json!({"model": "c", "fuel": word}); 500];
        let body = json!({"instances": instances}).to_string();
        let request = request::parse(None, body.as_bytes()).unwrap();
        let checked = check(&document, &[], &request.instances).unwrap();
        let bytes = json!(json!(checked.warnings).to_string()).to_string().len();
        assert!((500_000..1_500_000).contains(&bytes), "{bytes}");
        let told: usize = checked.warnings.iter().map(Vec::len).sum();
        assert!(told > 0 && checked.warnings_left_out > 0);
        assert_eq!(told + checked.warnings_left_out, 500);
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
            assert_eq!(checked(&instance).unwrap().0[0]["odometer"], expected);
        }
    }

    #[test]
    fn no_more_than_20_words_are_listed() {
        let words: Vec<String> = (0..23).map(|number| number.to_string()).collect();
        assert!(listed(&words).ends_with("18, 19 and 3 more"));
    }

    #[test]
    fn no_more_than_20_mistakes_are_listed() {
        let instances = json!(vec![json!({}); 100]);
        assert_eq!(check_json(&document(), &instances).unwrap_err().len(), 20);
    }

    proptest! {
        #[test]
        fn what_is_accepted_is_one_line_and_is_accepted_again(fields in proptest::collection::vec("\\PC{0,8}|[0-9.eE+-]{0,6}|[\\s\\x00-\\x1f]{0,4}", 6)) {
            let names = ["model", "year", "odometer", "condition", "fuel", "salvage"];
            let instance: BTreeMap<_, _> = names.iter().zip(&fields).collect();
            if let Ok(once) = checked(&json!(instance)) {
                let row = &once.0[0];
                prop_assert!(row.values().all(|cell| !cell.is_empty() && !cell.contains(char::is_control)));
                prop_assert_eq!(checked(&json!(row)), Ok(once));
            }
        }
    }
}
