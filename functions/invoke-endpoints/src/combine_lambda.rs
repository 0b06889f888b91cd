//! The combine rule `lambda`: a function of the user combines the models' values into one.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::primitives::Blob;
use combine::Values;
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Calls combining functions.
#[derive(Clone, Debug)]
pub struct CombineLambda {
    client: Client,
}

impl CombineLambda {
    /// Makes calls through `client`.
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// One value per row, computed by `function`. Models that did not answer are absent from its input.
    ///
    /// # Errors
    /// What went wrong, for the log.
    pub async fn call(&self, function: &str, use_case: &str, values: &Values) -> Result<Vec<f64>, String> {
        let rows = values.values().next().map_or(0, Vec::len);
        let request = json!({"use_case": use_case, "predictions": by_row(values, rows)});
        let call = self.client.invoke().function_name(function);
        let answer = call
            .payload(Blob::new(request.to_string()))
            .send()
            .await
            .map_err(|error| platform::Error::aws_call("Invoke", &error).to_string())?;
        if let Some(error) = answer.function_error() {
            return Err(format!("it ended with an error ({error}): its own log says which"));
        }
        let body = answer.payload().map_or(&[][..], AsRef::as_ref);
        combined(body, rows)
    }
}

fn by_row(values: &Values, rows: usize) -> Vec<Map<String, Value>> {
    let row = |row: usize| {
        values
            .iter()
            .filter_map(move |(model, values)| Some((model.clone(), json!(values.get(row)?))))
    };
    (0..rows).map(|number| row(number).collect()).collect()
}

/// The answer of a combining function.
#[derive(Deserialize)]
struct Combined {
    values: Vec<f64>,
}

fn combined(body: &[u8], rows: usize) -> Result<Vec<f64>, String> {
    let combined: Combined =
        serde_json::from_slice(body).map_err(|error| format!("its answer has no values: {error}"))?;
    if combined.values.len() != rows {
        return Err(format!("it answered {} values for {rows} rows", combined.values.len()));
    }
    Ok(combined.values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_sees_every_row_of_every_model() {
        let values = Values::from([("a".to_owned(), vec![1.0, 2.0]), ("b".to_owned(), vec![3.0, 4.0])]);
        assert_eq!(
            json!(by_row(&values, 2)),
            json!([{"a": 1.0, "b": 3.0}, {"a": 2.0, "b": 4.0}])
        );
    }

    #[test]
    fn an_answer_is_one_number_a_row() {
        assert_eq!(combined(br#"{"values": [1, 2.5]}"#, 2), Ok(vec![1.0, 2.5]));
        for body in [
            "",
            "null",
            "[1, 2]",
            r#"{"values": [1]}"#,
            r#"{"values": [1, null]}"#,
            r#"{"values": [1, 1e999]}"#,
        ] {
            assert!(combined(body.as_bytes(), 2).is_err(), "{body}");
        }
    }
}
