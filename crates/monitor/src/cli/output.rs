//! What the commands come to, and what they print for programs.

use crate::analysis::Error;
use serde_json::{Value, json};

/// Two documents as one JSON object.
///
/// # Errors
/// Never: they are what this program wrote.
pub(super) fn both(statistics: &str, constraints: &str) -> Result<Value> {
    let read = |text: &str| serde_json::from_str::<Value>(text).map_err(|error| Error::Unusable(error.to_string()));
    Ok(json!({"statistics": read(statistics)?, "constraints": read(constraints)?}))
}

/// What a command comes to.
pub(super) type Result<T> = std::result::Result<T, Error>;
