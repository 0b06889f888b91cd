//! InvokeEndpoint: `POST /endpoints/{EndpointName}/invocations`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::capture::{Invocation, Payload};
use crate::endpoints::Endpoint;
use crate::error::ApiError;
use crate::faults::FaultKind;
use crate::serving::{Answer, CUSTOM_ATTRIBUTES, InvokeError, Request};

const OPERATION: &str = "InvokeEndpoint";
/// Maximum size of a request body in bytes.
const MAX_BODY_BYTES: usize = 6_291_456;
/// Time limit for all containers of a pipeline together.
const TIME_LIMIT: Duration = Duration::from_secs(60);

const INFERENCE_ID: &str = "x-amzn-sagemaker-inference-id";
const TARGET_VARIANT: &str = "x-amzn-sagemaker-target-variant";
const INVOKED_VARIANT: &str = "x-amzn-invoked-production-variant";
/// The members of the request that are sent as headers.
const MEMBERS: [(&str, &str); 5] = [
    ("ContentType", "content-type"),
    ("Accept", "accept"),
    ("CustomAttributes", CUSTOM_ATTRIBUTES),
    ("InferenceId", INFERENCE_ID),
    ("TargetVariant", TARGET_VARIANT),
];
/// Members of the request that exist on AWS but are not implemented here.
const NOT_DONE: [&str; 5] = [
    "x-amzn-sagemaker-target-model",
    "x-amzn-sagemaker-target-container-hostname",
    "x-amzn-sagemaker-enable-explanations",
    "x-amzn-sagemaker-inference-component",
    "x-amzn-sagemaker-session-id",
];

/// Why an invocation has no answer.
enum Error {
    /// Refused before it reached a container.
    Refused(ApiError),
    /// The container's answer was not a success: `ModelError`.
    Model {
        message: String,
        original_status: u16,
        original_message: String,
        endpoint: String,
    },
}

/// Answers an invocation.
pub async fn invoke(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer(&app, &name, &headers, body).await {
        Ok(response) => response,
        Err(error) => {
            let (code, text) = match &error {
                Error::Refused(error) => (error.code.as_str(), &error.message),
                Error::Model { message, .. } => ("ModelError", message),
            };
            tracing::info!(operation = OPERATION, endpoint = name, code, text, "refused");
            error.into_response(&app)
        }
    }
}

async fn answer(app: &Arc<App>, name: &str, headers: &HeaderMap, body: Bytes) -> Result<Response, Error> {
    let deadline = Instant::now() + TIME_LIMIT;
    app.faults.strike(OPERATION, name).await?;
    check(app, name, headers, &body)?;
    let not_found = || {
        let account = &app.host.arns.account;
        Error::validation(format!("Endpoint {name} of account {account} not found."))
    };
    let deployment = app
        .endpoints
        .read(name, Endpoint::serving)
        .flatten()
        .ok_or_else(not_found)?;
    let variant = match text(headers, TARGET_VARIANT)? {
        None => deployment.next_variant().ok_or_else(not_found)?,
        Some(target) => deployment
            .variant(target)
            .ok_or_else(|| Error::validation(format!("Variant {target} not found for Endpoint {name}.")))?,
    };
    if app.faults.take(OPERATION, name, FaultKind::KillServing).is_some() {
        variant.serving.kill().await;
    }
    if let Some(fault) = app.faults.take(OPERATION, name, FaultKind::SlowServing) {
        let delay = Duration::from_millis(fault.delay_ms.unwrap_or(1000));
        sleep(delay.min(TIME_LIMIT)).await;
    }

    let captured = variant
        .capture
        .as_ref()
        .filter(|capture| capture.samples())
        .map(|capture| {
            let time = Timestamp::now();
            let input = Payload {
                content_type: shown(headers.get(CONTENT_TYPE)),
                body: body.clone(),
            };
            (capture, time, input)
        });
    let request = Request {
        content_type: headers.get(CONTENT_TYPE).cloned(),
        accept: headers.get(ACCEPT).cloned(),
        custom_attributes: headers.get(CUSTOM_ATTRIBUTES).cloned(),
        body,
    };
    let answer = variant
        .serving
        .invoke(request, deadline)
        .await
        .map_err(|error| Error::from_serving(error, app, name))?;
    if let Some((capture, time, input)) = captured {
        capture.record(Invocation {
            time,
            input,
            output: Payload {
                content_type: shown(answer.content_type.as_ref()),
                body: answer.body.clone(),
            },
            inference_id: text(headers, INFERENCE_ID)?.map(ToOwned::to_owned),
            custom_attributes: text(headers, CUSTOM_ATTRIBUTES)?.map(ToOwned::to_owned),
        });
    }
    Ok(respond(answer, &variant.name))
}

/// The checks that AWS makes before a container gets the request.
fn check(app: &App, name: &str, headers: &HeaderMap, body: &Bytes) -> Result<(), Error> {
    if body.len() > MAX_BODY_BYTES {
        // AWS gives this error no code; SDKs then show the status.
        return Err(Error::Refused(ApiError {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            ..ApiError::new("413", format!("HTTP content length exceeded {MAX_BODY_BYTES} bytes."))
        }));
    }
    if let Some(name) = NOT_DONE.iter().find(|name| headers.contains_key(**name)) {
        return Err(Error::validation(format!(
            "sagemaker-local does not do the header {name}; docs/semantics.md lists what it does"
        )));
    }
    // The body is left out: it may hold any bytes, and its length has been checked.
    let mut request = json!({"EndpointName": name, "Body": ""});
    for (member, header) in MEMBERS {
        if let Some(value) = text(headers, header)? {
            request[member] = value.into();
        }
    }
    let validated = app.service_models.runtime().validate(OPERATION, &request);
    validated.map_err(|error| Error::validation(error.message))
}

fn respond(answer: Answer, variant: &str) -> Response {
    let mut response = Response::new(answer.body.into());
    let headers = response.headers_mut();
    if let Some(content_type) = answer.content_type {
        headers.insert(CONTENT_TYPE, content_type);
    }
    if let Some(attributes) = answer.custom_attributes {
        headers.insert(CUSTOM_ATTRIBUTES, attributes);
    }
    if let Ok(variant) = HeaderValue::from_str(variant) {
        headers.insert(INVOKED_VARIANT, variant);
    }
    response
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Error> {
    let value = headers.get(name).map(HeaderValue::to_str).transpose();
    value.map_err(|_| Error::validation(format!("The header {name} holds other characters than visible ASCII.")))
}

fn shown(value: Option<&HeaderValue>) -> String {
    value
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .unwrap_or_default()
}

impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl Error {
    fn validation(message: String) -> Self {
        Self::Refused(ApiError::new("ValidationError", message))
    }

    fn from_serving(error: InvokeError, app: &App, endpoint: &str) -> Self {
        let log = app.host.log_path("endpoints", endpoint);
        let see = format!("See {}* for more information.", log.with_extension("").display());
        let model = |message: String, original_status: u16, original_message: String| Self::Model {
            message,
            original_status,
            original_message,
            endpoint: endpoint.to_owned(),
        };
        match error {
            InvokeError::NotReady { .. } => Self::Refused(ApiError {
                status: StatusCode::SERVICE_UNAVAILABLE,
                ..ApiError::new(
                    "ServiceUnavailable",
                    format!("The endpoint {endpoint} has no healthy instance ({error})."),
                )
            }),
            InvokeError::Status {
                container,
                status,
                message,
            } => {
                let side = if status < 500 { "client" } else { "server" };
                let text =
                    format!("Received {side} error ({status}) from {container} with message \"{message}\". {see}");
                model(text, status, message)
            }
            InvokeError::Timeout { container } => {
                let original =
                    format!("Your invocation timed out while waiting for a response from container {container}.");
                model(
                    format!("Received server error (0) from {container} with message \"{original}\". {see}"),
                    0,
                    original,
                )
            }
            InvokeError::Broken { container, problem } => {
                let original =
                    format!("Amazon SageMaker could not get a response from the {endpoint} endpoint: {problem}.");
                model(
                    format!("Received server error (0) from {container} with message \"{original}\". {see}"),
                    0,
                    original,
                )
            }
        }
    }

    fn into_response(self, app: &App) -> Response {
        match self {
            Self::Refused(error) => error.into_response(),
            Self::Model {
                message,
                original_status,
                original_message,
                endpoint,
            } => {
                let group = format!("/aws/sagemaker/Endpoints/{endpoint}");
                let body = json!({
                    "Message": message,
                    "OriginalStatusCode": original_status,
                    "OriginalMessage": original_message,
                    "LogStreamArn": format!("arn:aws:logs:{}:{}:log-group:{group}", app.host.arns.region, app.host.arns.account),
                });
                let mut response = (StatusCode::FAILED_DEPENDENCY, Json(body)).into_response();
                response
                    .headers_mut()
                    .insert("x-amzn-ErrorType", HeaderValue::from_static("ModelError"));
                response
            }
        }
    }
}
