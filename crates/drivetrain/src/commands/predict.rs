//! `predict`: sends a few rows to the prediction API.

use crate::api::{self, Answer, Api, Form};
use crate::request::Rows;
use crate::target::{Platform, Target};
use crate::{Context as Asked, onboarding, ui};
use anyhow::{Context, Result};
use clap::Args;
use contracts::{Champion, UseCase, places, words};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Ask the prediction API for predictions of a file's rows: JSON, JSON lines, or CSV with a header.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain predict used-car-price cars.csv\n  \
    drivetrain predict used-car-price cars.json --json\n  \
    echo '{\"year\": 2015, \"model\": \"c-class\"}' | drivetrain predict used-car-price -\n\n\
    At most 500 rows; `drivetrain score` takes files of any length. CSV is read as the document's `input` says, and columns \
    that the document doesn't have are left out. These requests are monitored like any others.")]
pub struct Predict {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The rows: `{"instances": […]}`, a list of rows, a row, or CSV; `-` reads standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
}

impl Predict {
    /// Asks and shows the answer.
    ///
    /// # Errors
    /// The file can't be read, there is no such use case, or the API refuses: the text names each wrong value.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        let bytes = read(&self.file)?;
        let target = context.target_to_change().await?;
        let platform = target.platform().await?;
        // The use case's id becomes a part of a URL.
        let document = onboarding::document(&target, &platform, &self.use_case).await?;
        let (form, body) = self.request(&target, &platform, &document, &bytes).await?;
        let api = Api::of(&target, &platform).await?;
        let (text, took) = api.ask(&self.use_case, form, body).await?;
        if context.json() {
            ui::show_json(text.trim_end());
            return Ok(());
        }
        let answer = api::read(&text)?;
        let models: Vec<String> = document.models.into_iter().map(|model| model.name).collect();
        ui::show(in_words(&answer, &models).trim_end());
        ui::say(&format!(
            "{} in {} ms, inference id {}",
            words::counted(answer.predictions.len() as u64, "prediction", "predictions"),
            took.as_millis(),
            answer.inference_id
        ));
        Ok(())
    }

    /// Makes a request of the file's bytes; says which columns it leaves out.
    async fn request(
        &self,
        target: &Target,
        platform: &Platform,
        document: &UseCase,
        bytes: &[u8],
    ) -> Result<(Form, Vec<u8>)> {
        let name = match self.file.to_str() {
            Some("-") => "standard input".to_owned(),
            _ => self.file.display().to_string(),
        };
        let table = match Rows::read(&name, bytes, &document.input)? {
            Rows::Json(body) => return Ok((Form::Json, body)),
            Rows::Csv(table) => table,
        };
        let former = if table.has_others(document) {
            known_to_champions(target, platform, document).await?
        } else {
            Vec::new()
        };
        let request = table.request(document, &former)?;
        if !request.left_out.is_empty() {
            ui::say(&format!(
                "left out {} of {name} that the document doesn't predict from: {}",
                words::counted(request.left_out.len() as u64, "column", "columns"),
                words::list(request.left_out.iter().map(String::as_str))
            ));
        }
        Ok((Form::Csv, request.body))
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

/// The columns that champions were trained with: the API takes them even when the document no longer has them.
async fn known_to_champions(target: &Target, platform: &Platform, document: &UseCase) -> Result<Vec<String>> {
    let mut known = Vec::new();
    for model in &document.models {
        let key = places::use_case::champion(&document.use_case, &model.name);
        let champion: Option<Champion> = target.document(platform, &key).await?;
        known.extend(champion.into_iter().flat_map(|champion| champion.columns));
    }
    Ok(known)
}

/// One line per prediction, followed by warnings. `known` are the models of the use case.
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
    use fake_aws::FakeAws;
    use serde_json::json;

    #[tokio::test]
    async fn columns_that_only_champions_know_are_sent_and_others_are_not() {
        let document: UseCase = serde_json::from_value(json!({
            "use_case": "flats", "schema": {"columns": [{"name": "area", "type": "number"}]}, "target": {"name": "rent"},
            "models": [{"name": "m", "algorithm": "xgboost", "metric": {"name": "validation:rmse"}, "threshold_rmse": 1}],
        }))
        .unwrap();
        let champion = json!({
            "use_case": "flats", "model": "m", "run_id": "20261122t183000z-ab12cd34", "config_version": "v", "image": "i",
            "training_job": "t", "model_name": "n", "endpoint_name": "e", "endpoint_config": "c", "variant_name": "AllTraffic",
            "schema_hash": "h", "columns": ["area", "floor"], "holdout_rmse": 1.5, "holdout_rows": 800,
            "exported_at": "2026-11-22T18:30:00Z",
        });
        let platform = Platform::of_tests("bucket");
        let aws = FakeAws::new();
        aws.put_object(
            "bucket",
            &places::use_case::champion("flats", "m"),
            champion.to_string(),
        );
        let target = Target::with_config("dev", aws.sdk_config());
        let predict = Predict {
            use_case: "flats".to_owned(),
            file: PathBuf::from("flats.csv"),
        };
        let rows = b"id,floor,area,rent\n1,3,50,900\n";
        let (form, body) = predict.request(&target, &platform, &document, rows).await.unwrap();
        assert_eq!((form, body.as_slice()), (Form::Csv, &b"floor,area\n3,50\n"[..]));
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
