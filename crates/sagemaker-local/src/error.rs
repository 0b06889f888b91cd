//! The error that operations return: an AWS error code, a message, an HTTP status.
//!
//! Codes and messages are AWS's own if AWS has one; clients match on them. The messages of errors that occur only here
//! contain "sagemaker-local".

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

/// The error of a refused or failed operation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// AWS's error code, for example `ValidationException`.
    pub code: String,
    /// What is wrong, and what to do.
    pub message: String,
    /// HTTP status of the answer.
    pub status: StatusCode,
}

impl ApiError {
    /// An error with HTTP status 400, like nearly all errors of SageMaker.
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

    /// An error for a request that AWS would accept, but that is not implemented here.
    pub fn not_done(what: &str) -> Self {
        Self::validation(format!(
            "sagemaker-local does not do {what}; docs/semantics.md lists what it does"
        ))
    }

    /// An error for an operation that exists on AWS, but is not implemented here.
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
        // SDKs read the code from the body (JSON 1.1) or from the header (REST-JSON), so both contain it.
        let body = Json(json!({"__type": self.code, "message": self.message}));
        let mut response = (self.status, body).into_response();
        if let Ok(value) = self.code.parse() {
            response.headers_mut().insert("x-amzn-ErrorType", value);
        }
        response
    }
}
