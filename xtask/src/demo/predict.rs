//! Listings that no model has seen, and predictions of their prices through API Gateway.

use anyhow::{Context, Result, bail};
use contracts::UseCase;
use contracts::use_case::ColumnType;
use drivetrain::api::{Answer, Api};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// A listing of the holdout, with its actual price.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listing {
    /// The value of each column; missing ones are left out.
    pub instance: Map<String, Value>,
    /// The target's true value.
    pub actual: f64,
}

/// Selects rows of a holdout file (`row_id,label,<raw columns>`, no header), spread over it.
///
/// # Errors
/// The file does not have this form.
pub fn listings(holdout: &[u8], document: &UseCase, count: usize) -> Result<Vec<Listing>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(holdout);
    let rows: Vec<csv::StringRecord> = reader
        .records()
        .collect::<Result<_, _>>()
        .context("the holdout is not CSV")?;
    let step = (rows.len() / count.max(1)).max(1);
    rows.iter()
        .step_by(step)
        .take(count)
        .map(|row| listing(row, document))
        .collect()
}

/// The rows that a run trained on, from two files with the same rows in the same order: the raw columns with a header,
/// and the algorithm's input, which has the label first.
///
/// # Errors
/// They do not have this form, or have different rows.
pub fn trained(raw: &[u8], encoded: &[u8], document: &UseCase) -> Result<Vec<Listing>> {
    let mut labels = csv::ReaderBuilder::new().has_headers(false).from_reader(encoded);
    let mut rows = csv::Reader::from_reader(raw);
    let mut listings = Vec::new();
    let mut labels = labels.records();
    for row in rows.records() {
        let row = row.context("the training rows are not CSV")?;
        let label = labels.next().context("there are fewer labels than training rows")??;
        let id_and_label = ["", &label[0]];
        listings.push(listing(
            &id_and_label.into_iter().chain(row.iter()).collect(),
            document,
        )?);
    }
    Ok(listings)
}

fn listing(row: &csv::StringRecord, document: &UseCase) -> Result<Listing> {
    if row.len() != document.schema.columns.len() + 2 {
        bail!(
            "a row of the holdout has {} fields, not {}",
            row.len(),
            document.schema.columns.len() + 2
        );
    }
    let actual = row[1].parse().context("a label of the holdout is not a number")?;
    let cells = document.schema.columns.iter().zip(row.iter().skip(2));
    let instance = cells
        .filter_map(|(column, text)| Some((column.name.clone(), value(column.kind, text)?)))
        .collect();
    Ok(Listing { instance, actual })
}

/// A value in the form of a request; `None` for a missing one.
fn value(kind: ColumnType, text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    match kind {
        // A file may write whole numbers with a decimal point.
        #[allow(clippy::cast_possible_truncation, reason = "a whole number of a listing")]
        ColumnType::Integer => text.parse::<f64>().ok().map(|number| (number as i64).into()),
        ColumnType::Number => text.parse::<f64>().ok().map(Into::into),
        ColumnType::Boolean => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "1.0" => Some(true.into()),
            "false" | "0" | "0.0" => Some(false.into()),
            _ => None,
        },
        ColumnType::Category => Some(text.into()),
    }
}

/// Requests predictions of all listings at once; returns the answer and how long it took.
///
/// # Errors
/// The status is not 200; the text says what the API answered.
pub async fn ask(api: &Api, use_case: &str, listings: &[Listing]) -> Result<(Answer, Duration)> {
    let instances: Vec<&Map<String, Value>> = listings.iter().map(|listing| &listing.instance).collect();
    api.predict(use_case, &instances).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> UseCase {
        serde_saphyr::from_str(
            "use_case: cars\nschema: {columns: [{name: year, type: integer, required: true}, {name: fuel, type: category},\
             {name: miles, type: number}, {name: clean, type: boolean}]}\ntarget: {name: price}\n\
             models: [{name: x, algorithm: xgboost, metric: {name: 'validation:rmse'}, threshold_rmse: 1}]\n",
        )
        .unwrap()
    }

    #[test]
    fn holdout_rows_become_requests() {
        let holdout = b"r1,9000,2012.0,\"gas, mostly\",10.5,True\nr2,1,2013,,,\nr3,2,2014,diesel,3,0\n";
        let found = listings(holdout, &document(), 3).unwrap();
        let told: Vec<String> = found
            .iter()
            .map(|it| serde_json::to_string(&it.instance).unwrap())
            .collect();
        assert_eq!(
            told,
            [
                r#"{"clean":true,"fuel":"gas, mostly","miles":10.5,"year":2012}"#,
                r#"{"year":2013}"#,
                r#"{"clean":false,"fuel":"diesel","miles":3.0,"year":2014}"#
            ]
        );
        assert!((found[0].actual - 9000.0).abs() < f64::EPSILON);
    }

    #[test]
    fn rows_are_spread_over_the_file_and_checked() {
        let holdout: String = (0..100).map(|row| format!("r{row},{row},2012,gas,1,true\n")).collect();
        let found = listings(holdout.as_bytes(), &document(), 4).unwrap();
        let actual: Vec<f64> = found.iter().map(|it| it.actual).collect();
        assert_eq!(actual, [0.0, 25.0, 50.0, 75.0]);
        assert!(
            listings(b"r1,1,2012\n", &document(), 1)
                .unwrap_err()
                .to_string()
                .contains("3 fields, not 6")
        );
    }
}
