//! Our own requests to the local stack.

use anyhow::{Context, Result, bail};
use drivetrain::local::{self, State};
use std::time::Duration;

/// A client for the stack's own addresses, which never uses a proxy for 127.0.0.1.
///
/// # Errors
/// The TLS set-up of the machine is broken.
pub fn client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()?)
}

/// Calls EventBridge without its SDK crate, which would cost minutes of compiling for one request.
///
/// # Errors
/// There is no answer, or one that is not a success; the text has it.
pub async fn events(state: &State, operation: &str, request: &serde_json::Value) -> Result<()> {
    let scope = format!("{}/20260101/{}/events/aws4_request", local::ACCESS_KEY, local::REGION);
    let answer = client()?
        .post(format!("{}/", state.endpoint()))
        .header("x-amz-target", format!("AWSEvents.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        // LocalStack reads the service from the scope and does not check the signature.
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"),
        )
        .body(request.to_string())
        .send()
        .await
        .with_context(|| format!("EventBridge does not answer at {}", state.endpoint()))?;
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{operation} was answered {status}: {text}");
    }
    Ok(())
}
