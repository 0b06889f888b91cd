//! The result of the commands, and their output for programs.

use crate::analysis::Error;
use serde_json::{Value, json};

/// Two documents as one JSON object.
///
/// # Errors
/// Never, because this program wrote them.
pub(super) fn both(statistics: &str, constraints: &str) -> Result<Value> {
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| Error::Unusable(error.to_string()));
    Ok(json!({"statistics": read(statistics)?, "constraints": read(constraints)?}))
}

/// The result of a command.
pub(super) type Result<T> = std::result::Result<T, Error>;
