//! Asks every model at once, each within what is left of the time.

use crate::payload;
use aws_sdk_sagemakerruntime::Client;
use aws_sdk_sagemakerruntime::error::SdkError;
use aws_sdk_sagemakerruntime::operation::invoke_endpoint::InvokeEndpointError;
use aws_sdk_sagemakerruntime::primitives::Blob;
use combine::Values;
use contracts::Champion;
use futures::future::join_all;
use std::collections::BTreeMap;
use tokio::time::{Instant, timeout_at};

/// The largest request that an endpoint takes, in bytes.
const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// Why a model has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It did not answer in time.
    Late,
    /// It answered with an error, or with something else than one number a row.
    Failed,
    /// Its rows are more than an endpoint takes.
    TooLarge,
}

/// What came back: values by model, and why others have none.
#[derive(Debug, Default)]
pub struct Answers {
    /// One value a row.
    pub values: Values,
    /// The models without.
    pub failures: BTreeMap<String, Failure>,
}

/// Asks every champion for a prediction of every row.
pub async fn ask(
    client: &Client,
    champions: &BTreeMap<String, Champion>,
    rows: &[BTreeMap<String, String>],
    inference_id: &str,
    deadline: Instant,
) -> Answers {
    // Champions of one schema read the same rows: one payload serves them.
    let mut payloads: BTreeMap<&[String], Blob> = BTreeMap::new();
    for champion in champions.values() {
        payloads
            .entry(&champion.columns)
            .or_insert_with(|| Blob::new(payload::rows(&champion.columns, rows)));
    }
    let calls = champions.iter().map(|(model, champion)| {
        // Every champion's columns were entered above; an empty payload could only be answered by an error.
        let payload = payloads
            .get(champion.columns.as_slice())
            .cloned()
            .unwrap_or_else(|| Blob::new([]));
        async move {
            let answer = timeout_at(deadline, ask_one(client, champion, payload, inference_id, rows.len())).await;
            let answer = answer.unwrap_or_else(|_| {
                tracing::warn!(model, endpoint = champion.endpoint_name, "no answer in time");
                Err(Failure::Late)
            });
            (model.clone(), answer)
        }
    });
    let mut answers = Answers::default();
    for (model, answer) in join_all(calls).await {
        match answer {
            Ok(values) => drop(answers.values.insert(model, values)),
            Err(failure) => drop(answers.failures.insert(model, failure)),
        }
    }
    answers
}

async fn ask_one(
    client: &Client,
    champion: &Champion,
    payload: Blob,
    inference_id: &str,
    rows: usize,
) -> Result<Vec<f64>, Failure> {
    let failed = |reason: &str| {
        tracing::warn!(
            model = champion.model,
            endpoint = champion.endpoint_name,
            reason,
            "the model failed"
        );
        Failure::Failed
    };
    if payload.as_ref().len() > MAX_PAYLOAD_BYTES {
        return Err(Failure::TooLarge);
    }
    let call = client
        .invoke_endpoint()
        .endpoint_name(&champion.endpoint_name)
        .content_type("text/csv")
        .accept("text/csv")
        .inference_id(inference_id)
        .body(payload);
    let answer = call.send().await.map_err(|error| failed(&reason(&error)))?;
    let body = answer.body.as_ref().map_or(&[][..], AsRef::as_ref);
    payload::numbers(body, rows).map_err(|reason| failed(&reason))
}

fn reason<R: std::fmt::Debug>(error: &SdkError<InvokeEndpointError, R>) -> String {
    match error.as_service_error() {
        // Its message quotes the container, which may quote rows: they stay out of the log.
        Some(InvokeEndpointError::ModelError(error)) => format!(
            "ModelError: its container answered {}; see {}",
            error.original_status_code().unwrap_or_default(),
            error.log_stream_arn().unwrap_or("the endpoint's log"),
        ),
        _ => platform::Error::aws_call("InvokeEndpoint", error).to_string(),
    }
}
