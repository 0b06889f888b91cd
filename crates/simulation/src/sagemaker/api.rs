//! What all operations share: errors, names, and the fields of requests.

use fake_aws::{ACCOUNT_ID, REGION};
use serde_json::Value;
use std::collections::BTreeMap;

/// An answer that is an error.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    pub code: String,
    pub message: String,
}

impl ApiError {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }
}

/// At most 63 letters, digits and single hyphens between them, as SageMaker's names are.
pub(super) fn unique<T>(known: &BTreeMap<String, T>, name: &str, what: &str) -> Result<(), ApiError> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if name.is_empty() || name.len() > 63 || !plain || name.starts_with('-') || name.ends_with('-') {
        return Err(ApiError::invalid(format!("`{name}` is no name of a {what}")));
    }
    if known.contains_key(name) {
        return Err(ApiError::invalid(format!(
            "Cannot create already existing {what} \"{name}\"."
        )));
    }
    Ok(())
}

pub(super) fn text(input: &Value, field: &str) -> Result<String, ApiError> {
    let found = input[field].as_str().map(str::to_owned);
    found.ok_or_else(|| ApiError::invalid(format!("{field} is missing in {input}")))
}

pub(super) fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:{kind}/{name}")
}
