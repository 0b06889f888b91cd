//! What Step Functions reports of an execution's end, through EventBridge.

use crate::Error;
use contracts::Failure;
use contracts::Verdict;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The end of an execution.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    pub execution_arn: String,
    /// The execution's name: its run.
    pub name: String,
    pub status: Status,
    pub started_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
    /// From the plan; none when the event does not carry it (EventBridge leaves large inputs out).
    pub use_case: Option<String>,
    /// The models of the plan.
    pub models: Vec<String>,
    /// What the machine says of the models when one of them failed: of a failure that could not be written down,
    /// nothing else tells.
    pub said: Vec<Said>,
    /// What ended the execution, when it was not a model's failure.
    pub failure: Option<Failure>,
}

/// A model's end, as the machine says it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Said {
    pub model: String,
    pub decision: Verdict,
    pub reason: String,
}

/// How an execution stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    /// Not ended: running, or waiting for its redrive.
    #[serde(other)]
    Running,
}

impl End {
    pub fn parse(event: Value) -> Result<Self, Error> {
        let event: Event = serde_json::from_value(event).map_err(|error| Error::EventInvalid(error.to_string()))?;
        let detail = event.detail;
        // Not every execution is ours to understand: one started by hand may have any input.
        let plan = match &detail.input {
            Some(Value::String(text)) => serde_json::from_str::<Plan>(text).ok(),
            _ => None,
        };
        let plan = plan.unwrap_or_default();
        let (error, cause) = (detail.error.unwrap_or_default(), detail.cause.unwrap_or_default());
        let said = serde_json::from_str::<Vec<Said>>(&cause).unwrap_or_default();
        let failed = said.is_empty() && !(error.is_empty() && cause.is_empty());
        Ok(Self {
            execution_arn: detail.execution_arn,
            name: detail.name,
            status: detail.status,
            started_at: detail.start_date.and_then(Time::timestamp),
            stopped_at: detail.stop_date.and_then(Time::timestamp),
            use_case: plan.use_case,
            models: plan.models.into_iter().map(|model| model.run.model).collect(),
            said,
            failure: failed.then(|| Failure::readable(&error, &cause)),
        })
    }
}

#[derive(Deserialize)]
struct Event {
    detail: Detail,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    execution_arn: String,
    name: String,
    status: Status,
    start_date: Option<Time>,
    stop_date: Option<Time>,
    input: Option<Value>,
    error: Option<String>,
    cause: Option<String>,
}

/// Milliseconds since 1970 in events; ISO 8601 in Step Functions' other forms.
#[derive(Deserialize)]
#[serde(untagged)]
enum Time {
    Milliseconds(i64),
    Text(Timestamp),
}

impl Time {
    fn timestamp(self) -> Option<Timestamp> {
        match self {
            Self::Milliseconds(ms) => Timestamp::from_millisecond(ms).ok(),
            Self::Text(timestamp) => Some(timestamp),
        }
    }
}

/// What is needed of a plan.
#[derive(Default, Deserialize)]
struct Plan {
    use_case: Option<String>,
    #[serde(default)]
    models: Vec<Branch>,
}

#[derive(Deserialize)]
struct Branch {
    run: Run,
}

#[derive(Deserialize)]
struct Run {
    model: String,
}
