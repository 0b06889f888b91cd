//! The local stack's rule that has live data looked at every 15 minutes, held while somebody else says when.

use crate::aws::{call_local, http_client};
use crate::deploy;
use crate::stack::State;
use anyhow::Result;

/// Switches the rule off.
///
/// # Errors
/// The stack doesn't answer, or has no such rule.
pub async fn hold(state: &State) -> Result<()> {
    switch(state, "DisableRule").await
}

/// Switches it on again.
///
/// # Errors
/// As [`hold`].
pub async fn resume(state: &State) -> Result<()> {
    switch(state, "EnableRule").await
}

async fn switch(state: &State, operation: &str) -> Result<()> {
    let rule = serde_json::json!({"Name": format!("{}-tick", deploy::STACK)});
    let request = http_client()?
        .post(format!("{}/", state.endpoint()))
        .header("x-amz-target", format!("AWSEvents.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .body(rule.to_string());
    call_local(state, "events", request).await?;
    Ok(())
}
