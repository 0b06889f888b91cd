//! The prediction API: its key, requests and answers.

use crate::http;
use crate::target::{Platform, Reach, Target, describe};
use anyhow::{Context, Result, bail};
use contracts::words;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::time::{Duration, Instant};

/// The API of a stack, with what a request needs.
#[derive(Clone, Debug)]
pub struct Api {
    /// Its URL.
    pub url: String,
    /// The API key that every request must carry.
    pub key: String,
    client: aws_smithy_runtime_api::client::http::SharedHttpConnector,
    reach: Reach,
}

/// The API's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The request's own inference id, or the one that the API generated.
    pub inference_id: String,
    /// One per row, in the order of the rows.
    pub predictions: Vec<Prediction>,
    /// Whether the answer of a model is missing.
    pub degraded: bool,
}

/// One prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The id by which ground truth refers to the row.
    pub id: String,
    /// The combined value, in the target's unit.
    pub value: f64,
    /// Each model's value and version, by the model's name.
    pub models: Map<String, Value>,
    /// What a reader of the value should know, such as an unknown word in a field.
    #[serde(default)]
    pub warnings: Vec<Value>,
}

impl Prediction {
    /// The value of a model; `None` when the model did not answer.
    pub fn of(&self, model: &str) -> Option<f64> {
        self.models.get(model)?.get("value")?.as_f64()
    }
}

/// The format of a request's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `{"instances": […]}`.
    Json,
    /// A header and rows.
    Csv,
}

impl Form {
    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv",
        }
    }
}

impl Api {
    /// The API of a stack.
    ///
    /// # Errors
    /// API Gateway doesn't return the API key.
    pub async fn of(target: &Target, platform: &Platform) -> Result<Self> {
        let request = target.apigateway().get_api_key().api_key(&platform.api_key_id);
        let answer = request.include_value(true).send().await;
        let answer = answer.map_err(|error| describe("GetApiKey", error))?;
        Ok(Self {
            url: platform.reachable_api_url(target),
            key: answer.value.context("API Gateway gave no key")?,
            client: http::client(target.local.is_some()),
            reach: target.reach.clone(),
        })
    }

    /// The URL to which requests for predictions of a use case go.
    pub fn predictions(&self, use_case: &str) -> String {
        format!("{}/use-cases/{use_case}/predictions", self.url)
    }

    /// Asks for predictions; returns the answer's text and how long it took.
    ///
    /// # Errors
    /// The status is not 200: the text says what the API answered.
    pub async fn ask(&self, use_case: &str, form: Form, body: Vec<u8>) -> Result<(String, Duration)> {
        let url = self.predictions(use_case);
        let headers = [("x-api-key", self.key.as_str()), ("content-type", form.content_type())];
        let began = Instant::now();
        let answer = http::post(&self.client, &url, &headers, body).await?;
        let took = began.elapsed();
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if answer.status != 200 {
            bail!(refusal(answer.status, &text, &self.reach));
        }
        Ok((text, took))
    }

    /// Asks for predictions of instances.
    ///
    /// # Errors
    /// As [`Self::ask`], or the answer cannot be read as predictions.
    pub async fn predict<T: Serialize>(&self, use_case: &str, instances: &[T]) -> Result<(Answer, Duration)> {
        let request = serde_json::json!({"instances": instances});
        let (text, took) = self.ask(use_case, Form::Json, request.to_string().into_bytes()).await?;
        let answer: Answer = read(&text)?;
        if answer.predictions.len() != instances.len() {
            bail!(
                "the API answered {} predictions to {} instances",
                answer.predictions.len(),
                instances.len()
            );
        }
        Ok((answer, took))
    }
}

/// Reads the text of an answer.
///
/// # Errors
/// It is not an answer with predictions.
pub fn read(text: &str) -> Result<Answer> {
    serde_json::from_str(text).with_context(|| format!("the API's answer cannot be read as predictions: {text}"))
}

/// An answer without predictions, in words.
fn refusal(status: u16, text: &str, reach: &Reach) -> String {
    let body: Value = serde_json::from_str(text).unwrap_or_default();
    let error = &body["error"];
    let Some(kind) = error["type"].as_str() else {
        // An error by API Gateway itself has only a message.
        let message = body["message"].as_str().unwrap_or(text);
        return format!("the API answered {status}: {message}");
    };
    let message = error["message"].as_str().unwrap_or_default();
    let mut said = format!("{kind} ({status}): {message}");
    // The same mistake in many rows is told once.
    let mut mistakes: Vec<(&str, &str, Vec<String>)> = Vec::new();
    for mistake in error["fields"].as_array().into_iter().flatten() {
        let field = mistake["field"].as_str().unwrap_or_default();
        let message = mistake["message"].as_str().unwrap_or_default();
        let row = mistake["instance"].to_string();
        match mistakes.iter_mut().find(|it| (it.0, it.1) == (field, message)) {
            Some((.., rows)) => rows.push(row),
            None => mistakes.push((field, message, vec![row])),
        }
    }
    for (field, message, rows) in mistakes {
        let noun = if rows.len() == 1 { "row" } else { "rows" };
        let rows = words::list(rows.iter().map(String::as_str));
        said += &format!("\n  {field}: {message} ({noun} {rows})");
    }
    if kind == "RequestTooLarge" {
        said += &format!("\n  `{}` takes whole files", reach.command("score"));
    }
    if let Some(id) = error["request_id"].as_str().filter(|_| status >= 500) {
        let logs = reach.command("logs invoke-endpoints");
        said += &format!("\n  request {id}: `{logs}` may say more");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn refusals_name_fields_and_what_to_do() {
        let refusal = |status, text: &str| refusal(status, text, &Reach::default());
        let invalid = json!({"error": {"type": "InstancesInvalid", "message": "1 value is wrong", "request_id": "r",
            "fields": [{"instance": 3, "field": "year", "message": "must be at least 1900"}]}});
        assert_eq!(
            refusal(422, &invalid.to_string()),
            "InstancesInvalid (422): 1 value is wrong\n  year: must be at least 1900 (row 3)"
        );
        let mistakes: Vec<Value> = (0..20)
            .map(|row| json!({"instance": row, "field": "id", "message": "is not a column of this use case"}))
            .collect();
        let many = json!({"error": {"type": "InstancesInvalid", "message": "20 or more values are wrong", "fields": mistakes}});
        assert_eq!(
            refusal(422, &many.to_string()),
            "InstancesInvalid (422): 20 or more values are wrong\n  id: is not a column of this use case (rows 0, 1, 2, 3, 4, …)"
        );
        let large = json!({"error": {"type": "RequestTooLarge", "message": "501 instances"}});
        assert!(refusal(413, &large.to_string()).contains("drivetrain score"));
        let internal = json!({"error": {"type": "InternalError", "message": "m", "request_id": "r-1"}});
        assert!(refusal(500, &internal.to_string()).contains("request r-1"));
        assert_eq!(
            refusal(403, r#"{"message": "Forbidden"}"#),
            "the API answered 403: Forbidden"
        );
        assert_eq!(refusal(502, "oops"), "the API answered 502: oops");
    }
}
