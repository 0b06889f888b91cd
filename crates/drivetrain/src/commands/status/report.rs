//! Everything that is shown.

use super::{endpoints, local, queued, runs, use_cases, waiting};
use crate::target::Reach;
use serde::Serialize;

/// Everything that is shown.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub stack: String,
    #[serde(skip)]
    pub reach: Reach,
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
