//! Jobs: containers that run once over data from S3.

pub mod inputs;
pub mod metrics;
pub mod processing;
pub mod training;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use crate::containers::{Container, Exit};
use crate::names::epoch_seconds;

/// How long a container may take to end after SIGTERM, as on AWS.
const STOP_GRACE: Duration = Duration::from_secs(120);

/// The longest `FailureReason` and `ExitMessage`.
const MAX_REASON_CHARS: usize = 1024;

/// The status that all kinds of jobs share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobStatus {
    InProgress,
    Completed,
    Failed,
    Stopping,
    Stopped,
}

impl JobStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Stopping => "Stopping",
            Self::Stopped => "Stopped",
        }
    }
}

/// The state of a job, and since when it has been in it.
#[derive(Debug, Clone)]
pub struct Progress {
    pub status: JobStatus,
    pub created: Timestamp,
    pub modified: Timestamp,
    pub started: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    pub failure_reason: Option<String>,
}

impl Progress {
    pub fn begin() -> Self {
        let now = Timestamp::now();
        Self {
            status: JobStatus::InProgress,
            created: now,
            modified: now,
            started: None,
            ended: None,
            failure_reason: None,
        }
    }

    pub fn started(&mut self) {
        self.modified = Timestamp::now();
        self.started = Some(self.modified);
    }

    /// Changes the state to Stopping if the job is still running; `false` if there is nothing to stop.
    #[must_use]
    pub fn stopping(&mut self) -> bool {
        if self.status != JobStatus::InProgress {
            return false;
        }
        self.status = JobStatus::Stopping;
        self.modified = Timestamp::now();
        true
    }

    pub fn ended(&mut self, status: JobStatus, failure_reason: Option<&str>) {
        self.status = status;
        self.modified = Timestamp::now();
        self.ended = Some(self.modified);
        self.failure_reason = failure_reason.map(|reason| reason.chars().take(MAX_REASON_CHARS).collect());
    }

    /// Writes `FailureReason`, the times that all kinds of jobs report, and the times of this kind
    /// (`<kind>StartTime`, `<kind>EndTime`).
    pub fn describe(&self, answer: &mut Value, kind: &str) {
        answer["CreationTime"] = epoch_seconds(self.created);
        answer["LastModifiedTime"] = epoch_seconds(self.modified);
        if let Some(started) = self.started {
            answer[format!("{kind}StartTime")] = epoch_seconds(started);
        }
        if let Some(ended) = self.ended {
            answer[format!("{kind}EndTime")] = epoch_seconds(ended);
        }
        if let Some(reason) = &self.failure_reason {
            answer["FailureReason"] = Value::from(reason.as_str());
        }
    }
}

/// Asks a running job to stop.
#[derive(Debug, Clone)]
pub struct StopSignal {
    asked: Arc<watch::Sender<bool>>,
}

impl StopSignal {
    pub fn new() -> Self {
        Self {
            asked: Arc::new(watch::Sender::new(false)),
        }
    }

    pub fn ask(&self) {
        self.asked.send_replace(true);
    }

    /// Returns once the job was asked to stop.
    pub async fn asked(&self) {
        let mut asked = self.asked.subscribe();
        // The sender lives as long as `self`.
        let _ = asked.wait_for(|asked| *asked).await;
    }
}

/// Why a job's container is no longer running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Exited(Exit),
    Stopped,
    MaxRuntimeExceeded,
}

/// Waits for a container until it ends, is stopped, or has run for too long.
pub async fn supervise(container: &Container, stop: &StopSignal, max_runtime: Duration) -> Ending {
    let ending = tokio::select! {
        exit = container.wait() => return Ending::Exited(exit),
        () = stop.asked() => Ending::Stopped,
        () = tokio::time::sleep(max_runtime) => Ending::MaxRuntimeExceeded,
    };
    container.terminate(STOP_GRACE).await;
    ending
}

/// The beginning of a message that a container left in a file, of the length that AWS reads; empty if it left none.
pub fn message_file(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text)
        .trim()
        .chars()
        .take(MAX_REASON_CHARS)
        .collect()
}

/// AWS's text for a container that failed. The exit code is kept, however long the message is.
///
/// A container that reports its failure as a `ClientError` (a mistake of the user's) is believed, as on AWS.
pub fn algorithm_error(message: &str, exit: Exit) -> String {
    let code = format!(", exit code: {}", exit.code);
    let (begin, message) = ["ClientError: ", "AlgorithmError: "]
        .into_iter()
        .find_map(|begin| Some((begin, message.strip_prefix(begin)?)))
        .unwrap_or(("AlgorithmError: ", message));
    let room = MAX_REASON_CHARS - begin.len() - code.len();
    let message: String = message.chars().take(room).collect();
    format!("{begin}{message}{code}")
}

/// The text for a failure of this server itself.
pub fn internal_error(what: impl std::fmt::Display) -> String {
    format!("InternalServerError: sagemaker-local: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_survives_a_long_message() {
        let reason = algorithm_error(&format!("begin{}", "x".repeat(3000)), Exit { code: 7 });
        assert_eq!(reason.chars().count(), MAX_REASON_CHARS);
        assert!(reason.starts_with("AlgorithmError: beginxxx") && reason.ends_with("xxx, exit code: 7"));
    }

    #[test]
    fn a_failure_that_names_its_kind_keeps_it() {
        let exit = Exit { code: 1 };
        assert_eq!(
            algorithm_error("no data", exit),
            "AlgorithmError: no data, exit code: 1"
        );
        assert_eq!(
            algorithm_error("AlgorithmError: no data", exit),
            "AlgorithmError: no data, exit code: 1"
        );
        assert_eq!(
            algorithm_error("ClientError: unknown hyperparameter", exit),
            "ClientError: unknown hyperparameter, exit code: 1"
        );
    }

    #[tokio::test]
    async fn a_stop_asked_for_before_anyone_waits_is_not_lost() {
        let stop = StopSignal::new();
        stop.ask();
        stop.asked().await;
    }

    #[test]
    fn only_a_running_job_can_be_stopped() {
        let mut progress = Progress::begin();
        assert!(progress.stopping());
        assert!(!progress.stopping());
        progress.ended(JobStatus::Stopped, None);
        assert!(!progress.stopping());
    }
}
