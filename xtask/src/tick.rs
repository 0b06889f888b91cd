//! The rule of the local stack that has live data monitored every 15 minutes. It can be held while a test or the demo
//! decides when.

use crate::{deploy, http};
use anyhow::Result;
use drivetrain::local::State;

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
    http::events(state, operation, &rule).await
}
