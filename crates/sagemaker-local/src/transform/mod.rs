//! Transform jobs: their requests, and how objects become requests to the model and answers become objects.

mod capture;
mod filter;
mod join;
mod records;
mod request;

use serde_json::Value;

pub use capture::BatchCapture;
pub use records::{Batch, Format};
pub use request::{Plan, read};

use crate::jobs::{JobStatus, Progress, StopSignal};

/// A transform job in any state.
#[derive(Debug, Clone)]
pub struct TransformJob {
    pub progress: Progress,
    pub stop: StopSignal,
    pub name: String,
    pub arn: String,
    pub request: Value,
}

impl TransformJob {
    /// Records how the job ended.
    pub fn end(&mut self, result: &Result<Ending, String>) {
        match result {
            Ok(Ending::Completed) => self.progress.ended(JobStatus::Completed, None),
            Ok(Ending::Stopped) => self.progress.ended(JobStatus::Stopped, None),
            Err(reason) => self.progress.ended(JobStatus::Failed, Some(reason)),
        }
    }
}

/// How a job that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Completed,
    Stopped,
}
