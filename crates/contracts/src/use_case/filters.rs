//! Which columns of a prepared row a model gets, and which columns of its output are kept.

use super::UseCase;

/// The columns of a transform's output that are kept: row id, carried columns, and the prediction, which comes last.
pub fn output_filter(document: &UseCase) -> String {
    let carried = document.scoring.carry.len();
    let last = 1 + carried + document.schema.columns.len();
    let kept: Vec<String> = (0..=carried).chain([last]).map(|it| it.to_string()).collect();
    format!("$[{}]", kept.join(","))
}

/// The raw columns of a prepared row, which are the input of the pipeline.
pub fn input_filter(document: &UseCase) -> String {
    format!("$[{}:]", 1 + document.scoring.carry.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn filters_part_ids_and_carried_columns_from_what_is_predicted_from() {
        // Columns, carried columns, and the filters of a row: id, carried, raw, and the prediction.
        for (columns, carry, input, output) in [
            (1, vec![], "$[1:]", "$[0,2]"),
            (3, vec![], "$[1:]", "$[0,4]"),
            (3, vec!["vin"], "$[2:]", "$[0,1,5]"),
            (3, vec!["vin", "dealer"], "$[3:]", "$[0,1,2,6]"),
        ] {
            let column = |number| json!({"name": format!("c{number}"), "type": "number"});
            let columns: Vec<Value> = (0..columns).map(column).collect();
            let document: UseCase = serde_json::from_value(json!({
                "use_case": "cars", "schema": {"columns": columns}, "target": {"name": "price"}, "models": [],
                "scoring": {"carry": carry},
            }))
            .unwrap();
            assert_eq!(input_filter(&document), input);
            assert_eq!(output_filter(&document), output);
        }
    }
}
