//! Rows in the form that an endpoint reads, and its answers: CSV without a header, and one number per line.

use std::collections::BTreeMap;

/// The body for a champion: its columns in its order, one row per instance.
pub fn rows(columns: &[String], cells: &[BTreeMap<&str, String>]) -> String {
    let mut body = String::new();
    for row in cells {
        for (position, column) in columns.iter().enumerate() {
            if position > 0 {
                body.push(',');
            }
            field(row.get(column.as_str()).map_or("", String::as_str), &mut body);
        }
        // A row with one missing value would be a blank line, which readers skip.
        if columns.len() == 1 && body.ends_with('\n') | body.is_empty() {
            body.push_str("\"\"");
        }
        body.push('\n');
    }
    body
}

fn field(cell: &str, body: &mut String) {
    // A byte-order mark at the very start would be stripped by readers.
    if cell.contains([',', '"', '\n', '\r', '\u{feff}']) {
        body.push('"');
        body.push_str(&cell.replace('"', "\"\""));
        body.push('"');
    } else {
        body.push_str(cell);
    }
}

/// The numbers of an answer.
///
/// # Errors
/// What is wrong with the answer if it isn't exactly one finite number for each of `expected` rows.
pub fn numbers(body: &[u8], expected: usize) -> Result<Vec<f64>, String> {
    let text = std::str::from_utf8(body).map_err(|_| "the answer is not text".to_owned())?;
    let numbers = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| match line.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err("the answer has something that is not a finite number".to_owned()),
        })
        .collect::<Result<Vec<_>, _>>()?;
    if numbers.len() == expected {
        Ok(numbers)
    } else {
        Err(format!("{} numbers were answered for {expected} rows", numbers.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::check;
    use crate::request::{self, Sent};
    use contracts::use_case::{Column, ColumnType, UseCase};
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    #[test]
    fn a_row_has_the_champions_columns_in_its_order() {
        let row = BTreeMap::from([("b", "x, \"y\"".to_owned()), ("a", "1".to_owned())]);
        let columns = ["b", "missing", "a"].map(str::to_owned);
        assert_eq!(rows(&columns, &[row]), "\"x, \"\"y\"\"\",,1\n");
    }

    /// Values as people write them, and as training writes them, byte for byte: processing's tests read the same files.
    /// A live row written differently than the baseline's would drift from it for no reason.
    #[test]
    fn live_rows_are_written_as_training_writes_them() {
        let document: UseCase =
            serde_json::from_str(include_str!("../../../processing/tests/data/cells/use-case.json")).unwrap();
        let written = include_str!("../../../processing/tests/data/cells/written.csv");
        let written = written.split_once('\n').unwrap().1;
        let sent = include_bytes!("../../../processing/tests/data/cells/sent.csv");
        let request = request::parse(Some("text/csv"), sent).unwrap();
        let instance = |number| -> Map<String, Value> {
            let fields = request
                .instances
                .fields(number)
                .filter_map(|(name, value)| match value {
                    Sent::Text(text) if name != document.target.name => Some((name.to_owned(), Value::from(&*text))),
                    _ => None,
                });
            fields.collect()
        };
        let texts: Vec<_> = (0..request.instances.len()).map(instance).collect();
        let typed: Vec<_> = texts.iter().map(|instance| typed(&document, instance)).collect();
        assert_ne!(texts, typed);
        for instances in [texts, typed] {
            let body = json!({"instances": instances}).to_string();
            let request = request::parse(None, body.as_bytes()).unwrap();
            let rows = check(&document, &[], &request.instances).unwrap().rows;
            assert_eq!(super::rows(&document.columns(), &rows), written);
        }
    }

    /// The instance, with JSON's own numbers, booleans and null where the text is one.
    fn typed(document: &UseCase, instance: &Map<String, Value>) -> Map<String, Value> {
        let cell = |column: &Column| {
            let text = &instance[&column.name];
            let value: Value = serde_json::from_str(text.as_str().unwrap()).unwrap_or_else(|_| text.clone());
            let fits = match column.kind {
                ColumnType::Integer | ColumnType::Number => value.is_number() || value.is_null(),
                ColumnType::Boolean => value.is_boolean() || value.is_null(),
                ColumnType::Category => value.is_null(),
            };
            (column.name.clone(), if fits { value } else { text.clone() })
        };
        document.schema.columns.iter().map(cell).collect()
    }

    #[test]
    fn a_byte_order_mark_stays_a_part_of_its_cell() {
        let row = BTreeMap::from([("a", "\u{feff}x".to_owned())]);
        assert_eq!(rows(&["a".to_owned()], &[row]), "\"\u{feff}x\"\n");
    }

    #[test]
    fn an_answer_is_one_finite_number_a_row() {
        assert_eq!(numbers(b"1.5\n-2e3\r\n", 2), Ok(vec![1.5, -2000.0]));
        for body in ["1.5", "1\n2\n3", "1\nnan", "1\ninf", "1\nx", "", "[1,2]"] {
            assert!(numbers(body.as_bytes(), 2).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_cells_are_read_back(cells in proptest::collection::vec("[^\r\n]{0,12}", 1..6)) {
            let columns: Vec<String> = (0..cells.len()).map(|number| number.to_string()).collect();
            let row = columns.iter().map(String::as_str).zip(cells.clone()).collect();
            let body = rows(&columns, &[row]);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(body.as_bytes());
            let read: Vec<String> = reader.records().next().unwrap().unwrap().iter().map(str::to_owned).collect();
            prop_assert_eq!(read, cells);
        }

        #[test]
        fn reading_an_answer_never_panics(body in proptest::collection::vec(any::<u8>(), 0..100), rows in 0..5_usize) {
            let _ = numbers(&body, rows);
        }
    }
}
