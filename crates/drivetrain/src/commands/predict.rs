//! `predict`: sends a few rows to the prediction API.

use crate::api::{self, Answer, Api, Form};
use crate::{Context as Asked, ui};
use anyhow::{Context, Result, bail};
use clap::Args;
use contracts::{UseCase, places, words};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Ask the prediction API for predictions of a file's rows: JSON, JSON lines, or CSV with a header.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain predict used-car-price cars.csv\n  \
    drivetrain predict used-car-price cars.json --json\n  \
    echo '{\"year\": 2015, \"model\": \"c-class\"}' | drivetrain predict used-car-price -\n\n\
    At most 500 rows; `drivetrain score` takes files of any length. These requests are monitored like any others.")]
pub struct Predict {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The rows: `{\"instances\": […]}`, a list of rows, a row, or CSV; `-` reads standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
}

impl Predict {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// The file can't be read, or the API refuses: the text names each wrong value.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        let (form, body) = request(&read(&self.file)?)?;
        let target = context.target_to_change().await?;
        let platform = target.platform().await?;
        let api = Api::of(&target, &platform).await?;
        let (text, took) = api.ask(&self.use_case, form, body).await?;
        if context.json() {
            ui::show_json(text.trim_end());
            return Ok(());
        }
        let answer = api::read(&text)?;
        let models = if answer.degraded {
            let key = places::use_case::config(&self.use_case);
            let document: Option<UseCase> = target.document(&platform, &key).await?;
            document
                .into_iter()
                .flat_map(|it| it.models)
                .map(|it| it.name)
                .collect()
        } else {
            Vec::new()
        };
        ui::show(in_words(&answer, &models).trim_end());
        ui::say(&format!(
            "{} in {} ms, inference id {}",
            words::counted(answer.predictions.len() as u64, "prediction", "predictions"),
            took.as_millis(),
            answer.inference_id
        ));
        Ok(())
    }
}

fn read(file: &Path) -> Result<Vec<u8>> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin()
            .read_to_end(&mut bytes)
            .context("cannot read standard input")?;
        return Ok(bytes);
    }
    std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Makes a request of a file: JSON is brought into the API's form, CSV is sent unchanged.
fn request(bytes: &[u8]) -> Result<(Form, Vec<u8>)> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        None => bail!("there are no rows: the file is empty"),
        Some(b'{' | b'[') => {}
        Some(_) => return Ok((Form::Csv, bytes.to_vec())),
    }
    let values: Result<Vec<Value>, _> = serde_json::Deserializer::from_slice(bytes).into_iter().collect();
    let mut values = values.context("the file begins like JSON, but is not valid JSON")?;
    let body = match values.as_mut_slice() {
        [whole] if whole.get("instances").is_some() => whole.take(),
        [rows @ Value::Array(_)] => json!({"instances": rows}),
        rows => json!({"instances": rows}),
    };
    Ok((Form::Json, body.to_string().into_bytes()))
}

/// One line per prediction, followed by warnings. `known` are the models of the use case, where one did not answer.
fn in_words(answer: &Answer, known: &[String]) -> String {
    let models: BTreeSet<&String> = answer.predictions.iter().flat_map(|it| it.models.keys()).collect();
    let mut header = vec!["row".to_owned(), "predicted".to_owned()];
    header.extend(models.iter().map(|model| (*model).clone()));
    header.push("id".to_owned());
    let mut rows = vec![header];
    let mut below = String::new();
    for (number, prediction) in answer.predictions.iter().enumerate() {
        let mut row = vec![number.to_string(), words::number(prediction.value)];
        row.extend(
            models
                .iter()
                .map(|model| prediction.of(model).map_or_else(|| "none".to_owned(), words::number)),
        );
        row.push(prediction.id.clone());
        rows.push(row);
        for warning in &prediction.warnings {
            below += &format!(
                "  row {number}, {}: {}\n",
                warning["field"].as_str().unwrap_or_default(),
                warning["message"].as_str().unwrap_or_default()
            );
        }
    }
    for model in models {
        let versions: BTreeSet<&str> = answer
            .predictions
            .iter()
            .filter_map(|it| it.models.get(model)?["version"].as_str())
            .collect();
        let versions: Vec<&str> = versions.into_iter().collect();
        below += &format!("  {model} is version {}\n", versions.join(", "));
    }
    if answer.degraded {
        let is_lacking = |model: &&String| answer.predictions.iter().any(|it| it.of(model).is_none());
        let lacking: Vec<&str> = known.iter().filter(is_lacking).map(String::as_str).collect();
        let lacking = if lacking.is_empty() {
            "a model".to_owned()
        } else {
            lacking.join(", ")
        };
        below += &format!(
            "  {lacking} did not answer: the values are of the others; `drivetrain status` shows champions and endpoints\n"
        );
    }
    ui::table(&rows) + &below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_rows_becomes_a_request() {
        let made = |text: &str| {
            let (form, body) = request(text.as_bytes()).unwrap();
            (form, String::from_utf8(body).unwrap())
        };
        let one = (Form::Json, r#"{"instances":[{"year":2015}]}"#.to_owned());
        let rows = r#"{"instances":[{"year":2015},{"year":2016}]}"#;
        assert_eq!(made("{\"year\": 2015}\n"), one);
        assert_eq!(made("[{\"year\": 2015}]"), one);
        assert_eq!(made("\u{feff}{\"instances\": [{\"year\": 2015}]}"), one);
        assert_eq!(
            made("{\"year\": 2015}\n{\"year\": 2016}\n"),
            (Form::Json, rows.to_owned())
        );
        assert_eq!(made("year\n2015\n"), (Form::Csv, "year\n2015\n".to_owned()));
        assert!(request(b"  \n").is_err());
        assert!(request(b"{\"year\": }").is_err());
    }

    #[test]
    fn an_answer_says_values_versions_and_warnings() {
        let answer = serde_json::from_value(json!({
            "inference_id": "i", "degraded": true,
            "predictions": [{"id": "i#0", "value": 18250.4,
                "models": {"xgboost": {"value": 18250.4, "version": "20261122t183000z-ab12cd34"}},
                "warnings": [{"field": "fuel", "message": "`hydrogen` is not one of the known words"}]}],
        }))
        .unwrap();
        insta::assert_snapshot!(in_words(&answer, &["linear".to_owned(), "xgboost".to_owned()]));
    }
}
