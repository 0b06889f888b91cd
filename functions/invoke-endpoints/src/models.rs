//! Calls the endpoints of all models at once, each within what is left of the time.

use crate::payload;
use aws_sdk_sagemakerruntime::Client;
use aws_sdk_sagemakerruntime::error::SdkError;
use aws_sdk_sagemakerruntime::operation::invoke_endpoint::InvokeEndpointError;
use aws_sdk_sagemakerruntime::primitives::Blob;
use combine::Values;
use contracts::{Champion, RunId};
use futures::future::join_all;
use std::collections::BTreeMap;
use tokio::time::{Instant, timeout_at};

/// The largest request that an endpoint accepts, in bytes.
const MAX_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// How often an endpoint is called that answers with another model than the one asked for. While it is updated, the old
/// and the new model may alternate.
const TURNS: usize = 4;
/// The status with which a model refuses to answer for another; its text then has `run=<its run>`.
const ANOTHERS: i32 = 409;
const RUN: &str = "run=";

/// Why a model has no values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It did not answer in time.
    Late,
    /// It answered with an error, or not with exactly one number per row.
    Failed,
    /// Its rows are larger than an endpoint accepts.
    TooLarge,
}

/// The values of the models that answered, and why others have none.
#[derive(Debug, Default)]
pub struct Answers {
    /// By model, one value per row.
    pub values: Values,
    /// The model version of the values: the champion's run or, while the endpoint is being updated, the run of the
    /// model that answered.
    pub versions: BTreeMap<String, RunId>,
    /// The models without values.
    pub failures: BTreeMap<String, Failure>,
}

/// Asks every champion for a prediction of every row.
pub async fn ask(
    client: &Client,
    champions: &BTreeMap<String, Champion>,
    rows: &[BTreeMap<&str, String>],
    inference_id: &str,
    deadline: Instant,
) -> Answers {
    // Champions with the same columns read the same rows, so they share a payload.
    let mut payloads: BTreeMap<(&[String], usize), Vec<Part>> = BTreeMap::new();
    for champion in champions.values() {
        payloads
            .entry((&champion.columns, most_rows(champion)))
            .or_insert_with(|| parts(&champion.columns, most_rows(champion), rows));
    }
    let calls = champions.iter().map(|(model, champion)| {
        // The payloads of all champions were added above; if one were missing, the endpoint would only answer with an
        // error.
        let parts = payloads.get(&(champion.columns.as_slice(), most_rows(champion)));
        let parts = parts.map_or(&[][..], Vec::as_slice);
        async move {
            let answer = timeout_at(deadline, ask_one(client, champion, parts, inference_id)).await;
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
            Ok((version, values)) => {
                answers.versions.insert(model.clone(), version);
                answers.values.insert(model, values);
            }
            Err(failure) => {
                answers.failures.insert(model, failure);
            }
        }
    }
    answers
}

/// The rows that an endpoint is sent in one call.
struct Part {
    /// The number of the first row.
    first: usize,
    rows: usize,
    body: Blob,
}

/// The most rows of a call: what the pipeline makes of them must stay below what its containers accept.
fn most_rows(champion: &Champion) -> usize {
    let rows = contracts::payload::rows_per_request([champion.encoded_row_bytes]);
    usize::try_from(rows).unwrap_or(usize::MAX)
}

fn parts(columns: &[String], most_rows: usize, rows: &[BTreeMap<&str, String>]) -> Vec<Part> {
    let firsts = (0..).step_by(most_rows);
    let parts = firsts.zip(rows.chunks(most_rows));
    parts
        .map(|(first, rows)| Part {
            first,
            rows: rows.len(),
            body: Blob::new(payload::rows(columns, rows)),
        })
        .collect()
}

/// The inference id of a call: the request's, followed by the number of the call's first row unless that is 0. Captured
/// rows are numbered from there; see `consolidate`.
fn call_id(inference_id: &str, first: usize) -> String {
    match first {
        0 => inference_id.to_owned(),
        _ => format!("{inference_id}+{first}"),
    }
}

/// The values of a model, and the run that trained it.
///
/// An endpoint switches to a new model at an unknown moment, seconds before its champion is exported. So each request
/// names the run that trained the model whose answer is wanted, and the pipeline's first container, which knows its own
/// run, refuses requests for another: whatever is answered comes from that run's model. A refusal says which run to ask
/// for instead. Containers of champions that predate this check answer to any name.
async fn ask_one(
    client: &Client,
    champion: &Champion,
    parts: &[Part],
    inference_id: &str,
) -> Result<(RunId, Vec<f64>), Failure> {
    let failed = |reason: &str| {
        tracing::warn!(
            model = champion.model,
            endpoint = champion.endpoint_name,
            reason,
            "the model failed"
        );
        Failure::Failed
    };
    if parts.iter().any(|part| part.body.as_ref().len() > MAX_PAYLOAD_BYTES) {
        return Err(Failure::TooLarge);
    }
    let trained_by = champion.trained_by();
    let mut wanted = trained_by.clone();
    'turns: for _ in 0..TURNS {
        let calls = parts.iter().map(|part| {
            let call = client
                .invoke_endpoint()
                .endpoint_name(&champion.endpoint_name)
                .content_type("text/csv")
                .accept("text/csv")
                .custom_attributes(format!("{RUN}{wanted}"))
                .inference_id(call_id(inference_id, part.first))
                .body(part.body.clone());
            async move { (part.rows, call.send().await) }
        });
        let mut values = Vec::new();
        // All rows of a request are answered by the same model.
        for (rows, answer) in join_all(calls).await {
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => match serving(&error) {
                    Some(run) if run != wanted => {
                        tracing::info!(model = champion.model, %wanted, %run, "another model serves");
                        wanted = run;
                        continue 'turns;
                    }
                    _ => return Err(failed(&reason(&error))),
                },
            };
            let body = answer.body.as_ref().map_or(&[][..], AsRef::as_ref);
            values.extend(payload::numbers(body, rows).map_err(|reason| failed(&reason))?);
        }
        let version = if wanted == *trained_by {
            champion.run_id.clone()
        } else {
            wanted
        };
        return Ok((version, values));
    }
    Err(failed(
        "its endpoint changes hands too often to tell whose answer comes",
    ))
}

/// The run of the model that refused to answer for another.
fn serving<R>(error: &SdkError<InvokeEndpointError, R>) -> Option<RunId> {
    let Some(InvokeEndpointError::ModelError(error)) = error.as_service_error() else {
        return None;
    };
    let text = error
        .original_message()
        .filter(|_| error.original_status_code() == Some(ANOTHERS))?;
    RunId::parse(text.trim().strip_prefix(RUN)?)
}

fn reason<R: std::fmt::Debug>(error: &SdkError<InvokeEndpointError, R>) -> String {
    match error.as_service_error() {
        // The error's message quotes the container, which may quote rows: both stay out of the log.
        Some(InvokeEndpointError::ModelError(error)) => format!(
            "ModelError: its container answered {}; see {}",
            error.original_status_code().unwrap_or_default(),
            error.log_stream_arn().unwrap_or("the endpoint's log"),
        ),
        _ => platform::Error::aws_call("InvokeEndpoint", error).to_string(),
    }
}
