//! Calls of the function check-endpoint, which manages the champions' endpoints.

use crate::target::{Target, describe};
use anyhow::{Context, Result, bail};
use aws_sdk_lambda::primitives::Blob;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Calls check-endpoint for a use case, in one of the modes that have an answer of their own: `onboard`, `offboard`.
///
/// # Errors
/// The function can't be called, fails, or its answer cannot be read.
pub(crate) async fn ask<T: DeserializeOwned>(target: &Target, mode: &str, use_case: &str) -> Result<T> {
    let request = json!({"mode": mode, "use_case": use_case});
    let function = format!("{}-check-endpoint", target.stack);
    let invoke = target.lambda().invoke().function_name(&function);
    let answer = invoke.payload(Blob::new(request.to_string())).send().await;
    let answer = answer.map_err(|error| describe("Invoke", error))?;
    let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
    if answer.function_error().is_some() {
        bail!("{function}: {}", String::from_utf8_lossy(payload));
    }
    serde_json::from_slice(payload).context("check-endpoint's answer")
}
