//! invoke-endpoints: answers predictions from every model of a use case at once.
//!
//! A request passes through `request` (reads it), `check` (checks it against the document), `models` (asks all models),
//! the crate `combine` or `combine_lambda`, and `answer`. `source` provides what is known about the use case. Access
//! control is up to API Gateway.

mod answer;
mod check;
mod combine_lambda;
mod limits;
mod models;
mod payload;
mod request;
mod source;

pub use answer::{Error, ModelValue, Prediction, Response};
pub use check::{Mistake, Warning};
pub use limits::Limits;
pub use request::{Error as RequestError, Request};

use aws_config::retry::RetryConfig;
use aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayProxyResponse};
use aws_lambda_events::encodings::Body;
use aws_lambda_events::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use combine::suffices;
use combine_lambda::CombineLambda;
use contracts::names;
use contracts::use_case::{Combine, UseCase, WhenAModelFails};
use models::{Answers, Failure};
use platform::{Documents, UseCases, setting};
use source::{Known, Source};
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tracing::Instrument as _;

/// A throttled or interrupted call is repeated once, soon, because a caller is waiting.
const RETRY_BACKOFF: Duration = Duration::from_millis(50);

/// The function, wired once a process.
#[derive(Debug)]
pub struct Function {
    source: Source,
    endpoints: aws_sdk_sagemakerruntime::Client,
    combine_lambda: CombineLambda,
    deadline: Duration,
}

impl Function {
    /// Makes the function from its environment: STACK, BUCKET and, unless it is to be 25,000, DEADLINE_MS.
    ///
    /// # Errors
    /// [`platform::Error::Settings`].
    pub async fn from_env() -> Result<Self, platform::Error> {
        let mut limits = Limits::default();
        if let Ok(text) = std::env::var("DEADLINE_MS") {
            let deadline_ms = text.parse().map_err(|_| platform::Error::Settings("DEADLINE_MS"))?;
            limits.deadline = Duration::from_millis(deadline_ms);
        }
        let config = platform::sdk_config().await;
        Ok(Self::new(&config, setting("STACK")?, setting("BUCKET")?, limits))
    }

    /// The function for a stack and its bucket.
    pub fn new(config: &aws_config::SdkConfig, stack: String, bucket: String, limits: Limits) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        let use_cases = UseCases::new(aws_sdk_ssm::Client::new(config), documents.clone(), stack);
        let use_cases = use_cases.remembering_unknown(limits.unknown);
        // The configuration's own retries wait for seconds.
        let retries = RetryConfig::standard()
            .with_max_attempts(2)
            .with_initial_backoff(RETRY_BACKOFF);
        let endpoints = aws_sdk_sagemakerruntime::config::Builder::from(config).retry_config(retries.clone());
        let functions = aws_sdk_lambda::config::Builder::from(config).retry_config(retries);
        Self {
            source: Source::new(use_cases, documents, limits),
            endpoints: aws_sdk_sagemakerruntime::Client::from_conf(endpoints.build()),
            combine_lambda: CombineLambda::new(aws_sdk_lambda::Client::from_conf(functions.build())),
            deadline: limits.deadline,
        }
    }

    /// Answers a request by API Gateway. Errors are answers, too.
    pub async fn handle(&self, event: ApiGatewayProxyRequest) -> ApiGatewayProxyResponse {
        let started = Instant::now();
        let request_id = event.request_context.request_id.clone().unwrap_or_else(new_id);
        // Log lines of the request carry the id that the caller gets.
        let span = tracing::info_span!("prediction", request_id);
        // Boxed: the compiler can't lay out a more deeply nested future.
        let answer = Box::pin(self.predict(&event, started + self.deadline));
        let answer = answer.instrument(span.clone()).await;
        let (status, body) = match &answer {
            Ok(response) => (200, serde_json::to_string(response)),
            Err(error) => (error.kind().0, serde_json::to_string(&error.body(&request_id))),
        };
        let error_type = answer.as_ref().err().map(|error| error.kind().1);
        let degraded = answer.as_ref().is_ok_and(|response| response.degraded);
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        span.in_scope(|| tracing::info!(status, error_type, degraded, elapsed_ms, "answered"));
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            headers.insert("x-request-id", id);
        }
        let mut response = ApiGatewayProxyResponse::default();
        response.status_code = i64::from(status);
        response.headers = headers;
        // The answer has only finite numbers, text and maps with text keys, so it always serialises.
        response.body = Some(Body::Text(body.unwrap_or_default()));
        response
    }

    async fn predict(&self, event: &ApiGatewayProxyRequest, deadline: Instant) -> Result<Response, Error> {
        let content_type = event.headers.get(header::CONTENT_TYPE);
        let body = body(event)?;
        let request = request::parse(content_type.and_then(|value| value.to_str().ok()), &body)?;
        let use_case = event.path_parameters.get("use_case").map_or("", String::as_str);
        let known = self.known(use_case, deadline).await?;
        let document = &known.document;
        let checked = check::check(document, &known.former, &request.instances).map_err(Error::InstancesInvalid)?;
        if !suffices(document, |model| known.champions.contains_key(model)) {
            return Err(Error::NoChampionYet);
        }
        let inference_id = request.inference_id.map_or_else(new_id, Cow::into_owned);
        // The instances have been checked; their memory is free for the answer.
        drop(request.instances);
        let combining_takes = match &document.prediction.combine {
            // The combining function gets its share of the time, however late a model is.
            Combine::Lambda { .. } => self.deadline / 5,
            _ => Duration::ZERO,
        };
        let answers = models::ask(
            &self.endpoints,
            &known.champions,
            &checked.rows,
            &inference_id,
            deadline - combining_takes,
        )
        .await;
        if !suffices(document, |model| answers.values.contains_key(model)) {
            return Err(refusal(document, &answers));
        }
        let combined = match &document.prediction.combine {
            Combine::Lambda { function } => {
                let call = self.combine_lambda.call(function, &document.use_case, &answers.values);
                match timeout_at(deadline, call).await {
                    Ok(combined) => combined.map_err(|reason| {
                        tracing::error!(function, reason, "the combining function failed");
                        Error::CombineFailed
                    })?,
                    Err(_) => return Err(Error::CombineLate),
                }
            }
            rule => combine::combine(rule, &answers.values).ok_or_else(|| refusal(document, &answers))?,
        };
        let degraded = answers.values.len() < document.models.len();
        Ok(answer::response(
            inference_id,
            &combined,
            &answers,
            (checked.warnings, checked.warnings_left_out),
            degraded,
        ))
    }

    async fn known(&self, use_case: &str, deadline: Instant) -> Result<Arc<Known>, Error> {
        let unknown = || Error::UseCaseUnknown(request::shown(use_case));
        if use_case.len() > names::MAX_ID || !names::is_id(use_case) {
            return Err(unknown());
        }
        match timeout_at(deadline, self.source.get(use_case)).await {
            Ok(Ok(known)) => Ok(known),
            Ok(Err(platform::Error::UseCaseUnknown(_))) => Err(unknown()),
            Ok(Err(error)) => {
                tracing::error!(%error, "the use case can't be read");
                Err(Error::Internal)
            }
            Err(_) => {
                tracing::error!("the use case can't be read in time");
                Err(Error::Internal)
            }
        }
    }
}

/// Why the models that answered are not enough: of the failures of required models, the one that says most about what
/// to do.
fn refusal(document: &UseCase, answers: &Answers) -> Error {
    let needed = |model: &String| match &document.prediction.combine {
        Combine::Model { model: named } => {
            model == named || document.prediction.when_a_model_fails == WhenAModelFails::Fail
        }
        _ => true,
    };
    let failed = |kind| {
        answers
            .failures
            .iter()
            .any(|(model, failure)| *failure == kind && needed(model))
    };
    if failed(Failure::TooLarge) {
        Error::PayloadTooLarge
    } else if failed(Failure::Late) {
        Error::ModelLate
    } else {
        Error::ModelFailed
    }
}

fn body(event: &ApiGatewayProxyRequest) -> Result<Cow<'_, [u8]>, request::Error> {
    let body = event.body.as_deref().unwrap_or_default();
    if event.is_base64_encoded {
        let decoded = base64::engine::general_purpose::STANDARD.decode(body);
        let decoded = decoded.map_err(|_| request::Error::Malformed("the body is not base64".to_owned()))?;
        Ok(Cow::Owned(decoded))
    } else {
        Ok(Cow::Borrowed(body.as_bytes()))
    }
}

fn new_id() -> String {
    uuid::Uuid::new_v4().to_string()
}
