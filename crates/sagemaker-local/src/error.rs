//! The one error that operations answer with: an AWS error code, a text, an HTTP status.
//!
//! Codes and texts are AWS's own where AWS has one; clients match on them. What is refused only here says
//! "sagemaker-local" in its text.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// What an operation is refused or failed with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// AWS's error code, for example `ValidationException`.
    pub code: String,
    /// What is wrong with what, and what to do.
    pub message: String,
    /// HTTP status of the answer.
    pub status: StatusCode,
}

impl ApiError {
    /// An error with HTTP status 400, as nearly all of SageMaker's are.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status: StatusCode::BAD_REQUEST,
        }
    }

    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    pub fn serialization(message: impl Into<String>) -> Self {
        Self::new("SerializationException", message)
    }

    pub fn throttling() -> Self {
        Self::new("ThrottlingException", "Rate exceeded")
    }

    /// The request is right on AWS, but not done here.
    pub fn not_done(what: &str) -> Self {
        Self::validation(format!(
            "sagemaker-local does not do {what}; docs/semantics.md lists what it does"
        ))
    }

    /// A whole operation that is right on AWS, but not done here.
    pub fn unsupported_operation(operation: &str) -> Self {
        Self {
            status: StatusCode::NOT_IMPLEMENTED,
            ..Self::new(
                "UnsupportedOperation",
                format!("sagemaker-local does not do the operation {operation}"),
            )
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        // SDKs read the code from the body (JSON 1.1) or from the header (REST-JSON); both are there.
        let body = Json(json!({"__type": self.code, "message": self.message}));
        let mut response = (self.status, body).into_response();
        if let Ok(value) = self.code.parse() {
            response.headers_mut().insert("x-amzn-ErrorType", value);
        }
        response
    }
}
