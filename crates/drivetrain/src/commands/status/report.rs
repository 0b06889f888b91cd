//! Everything that is shown.

use super::{endpoints, local, queued, runs, use_cases, waiting};
use crate::Context;
use serde::Serialize;

/// Everything that is shown.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub stack: String,
    pub place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local: Option<local::Local>,
    pub use_cases: Vec<use_cases::UseCaseStatus>,
    pub runs: Vec<runs::Run>,
    pub queued: Vec<queued::Queued>,
    pub waiting: Vec<waiting::Waiting>,
    pub endpoints: Vec<endpoints::Endpoint>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prediction_api: Option<String>,
}

impl Report {
    /// The report of a local stack of which nothing more can be said.
    pub fn of_none(context: &Context, local: local::Local) -> Self {
        Self {
            stack: context.options().stack.clone(),
            place: format!("local stack `{}`", context.options().instance),
            local: Some(local),
            use_cases: Vec::new(),
            runs: Vec::new(),
            queued: Vec::new(),
            waiting: Vec::new(),
            endpoints: Vec::new(),
            prediction_api: None,
        }
    }
}
