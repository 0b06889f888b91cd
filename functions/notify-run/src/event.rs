//! The event of an execution's end, which Step Functions sends through EventBridge.

use crate::Error;
use contracts::run::RunKind;
use contracts::{Failure, Verdict};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The end of an execution.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct End {
    pub execution_arn: String,
    /// The execution's name, which is the run's id.
    pub name: String,
    /// The kind of its state machine; `None` when the machine's name does not tell.
    pub kind: Option<RunKind>,
    pub status: Status,
    pub started_at: Option<Timestamp>,
    pub stopped_at: Option<Timestamp>,
    /// Its input; `None` when the event does not include it (EventBridge leaves large ones out).
    pub input: Option<String>,
    /// The machine's output about its models when one of them failed: the only source for a failure that could not be
    /// recorded.
    pub said: Vec<Said>,
    /// What ended the execution, unless it was a model's failure.
    pub failure: Option<Failure>,
}

/// The end of a model, according to the machine.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Said {
    pub model: String,
    pub decision: Verdict,
    pub reason: String,
}

/// The status of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
    /// Not ended: running, or waiting to be redriven.
    #[serde(other)]
    Running,
}

impl Status {
    /// The status as Step Functions writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
            Self::Aborted => "ABORTED",
            Self::Running => "RUNNING",
        }
    }
}

impl End {
    pub fn parse(event: Value) -> Result<Self, Error> {
        let event: Event = serde_json::from_value(event).map_err(|error| Error::EventInvalid(error.to_string()))?;
        let detail = event.detail;
        let (error, cause) = (detail.error.unwrap_or_default(), detail.cause.unwrap_or_default());
        let said = serde_json::from_str::<Vec<Said>>(&cause).unwrap_or_default();
        let failed = said.is_empty() && !(error.is_empty() && cause.is_empty());
        Ok(Self {
            execution_arn: detail.execution_arn,
            name: detail.name,
            kind: detail.state_machine_arn.as_deref().and_then(kind),
            status: detail.status,
            started_at: detail.start_date.and_then(Time::timestamp),
            stopped_at: detail.stop_date.and_then(Time::timestamp),
            input: detail.input,
            said,
            failure: failed.then(|| Failure::of_execution(&error, &cause)),
        })
    }
}

/// The kind of a state machine, by its name: `<stack>-training`, `-scoring`, `-monitor`.
fn kind(state_machine_arn: &str) -> Option<RunKind> {
    match state_machine_arn.rsplit_once('-')?.1 {
        "training" => Some(RunKind::Training),
        "scoring" => Some(RunKind::Scoring),
        "monitor" => Some(RunKind::Monitoring),
        _ => None,
    }
}

/// What is needed of a plan, whichever machine it is for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Planned {
    pub use_case: Option<String>,
    pub models: Vec<String>,
}

impl Planned {
    /// Reads an input. An execution started by hand may have any input, which need not be a plan.
    pub fn parse(input: &str) -> Self {
        let Ok(plan) = serde_json::from_str::<Plan>(input) else {
            return Self::default();
        };
        let branches = plan.models.into_iter().map(|model| model.run);
        let (use_cases, models): (Vec<_>, Vec<_>) =
            branches.chain(plan.run).map(|run| (run.use_case, run.model)).unzip();
        Self {
            use_case: plan.use_case.or_else(|| use_cases.into_iter().flatten().next()),
            models,
        }
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
    state_machine_arn: Option<String>,
    name: String,
    status: Status,
    start_date: Option<Time>,
    stop_date: Option<Time>,
    input: Option<String>,
    error: Option<String>,
    cause: Option<String>,
}

/// Milliseconds since 1970 in events; ISO 8601 in Step Functions' other formats.
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

/// Training and scoring plans have a branch for each model, monitoring plans are for one model.
#[derive(Deserialize)]
struct Plan {
    use_case: Option<String>,
    #[serde(default)]
    models: Vec<Branch>,
    run: Option<Run>,
}

#[derive(Deserialize)]
struct Branch {
    run: Run,
}

#[derive(Deserialize)]
struct Run {
    use_case: Option<String>,
    model: String,
}
