//! The error of a step, made readable for people.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;

/// Long enough for the message of a container, short enough for an e-mail.
const CAUSE_LIMIT_CHARACTERS: usize = 1_000;

/// The error of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The stable `error_type`.
    pub error: String,
    /// What went wrong.
    pub cause: String,
}

impl Failure {
    /// The error and cause that Step Functions passes to a Catch or to an event, made readable.
    ///
    /// The cause of a failed function is `{"errorType", "errorMessage"}`, that of a failed SageMaker job is the job's
    /// whole description. Of both, only the part that says what went wrong is kept.
    pub fn readable(error: &str, cause: &str) -> Self {
        let document = serde_json::from_str::<Value>(cause).unwrap_or_default();
        let error = said(&document, "errorType").unwrap_or_else(|| or(error, "Unknown"));
        let text = from_document(&document).unwrap_or_else(|| or(cause, "no cause was given").to_owned());
        Self {
            error: error.to_owned(),
            cause: shorten(&text),
        }
    }

    /// The error and cause that an execution has ended with, made readable, so that mails, `status` and commands that
    /// follow a run all report the same.
    ///
    /// Besides the causes that [`Self::readable`] understands, the cause may be the list of results of a machine's
    /// branches, one for each model: the failed ones are kept.
    pub fn of_execution(error: &str, cause: &str) -> Self {
        let branches = serde_json::from_str::<Vec<Branch>>(cause).unwrap_or_default();
        let failed: Vec<String> = branches.iter().filter_map(Branch::failure).collect();
        if failed.is_empty() {
            return Self::readable(error, cause);
        }
        Self {
            error: or(error, "Unknown").to_owned(),
            cause: shorten(&failed.join("; ")),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error, self.cause)
    }
}

/// The result of a machine's branch for its model: a decision of training, or the error that scoring has caught.
#[derive(Deserialize)]
struct Branch {
    model: String,
    #[serde(default)]
    decision: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    error: Option<Caught>,
}

impl Branch {
    fn failure(&self) -> Option<String> {
        let why = match &self.error {
            Some(caught) => Failure::readable(&caught.error, &caught.cause).cause,
            None if self.decision == "failed" => self.reason.clone(),
            None => return None,
        };
        Some(format!("{}: {why}", self.model))
    }
}

/// An error as Step Functions passes it to a Catch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Caught {
    /// The error's name.
    pub error: String,
    /// Text or JSON; empty for some errors, such as `States.Timeout`.
    pub cause: String,
}

fn from_document(document: &Value) -> Option<String> {
    if let Some(message) = said(document, "errorMessage") {
        return Some(message.to_owned());
    }
    // A processing job gives the reason in ExitMessage; its FailureReason says only that it ended.
    let reason = said(document, "ExitMessage").or_else(|| said(document, "FailureReason"));
    let job = ["Training", "Processing", "Transform"].into_iter().find_map(|kind| {
        let name = said(document, &format!("{kind}JobName"))?;
        Some((
            format!("{} job {name}", kind.to_lowercase()),
            said(document, &format!("{kind}JobStatus")),
        ))
    });
    match (job, reason) {
        // The reason comes first, because headlines are cut at their end.
        (Some((job, _)), Some(reason)) => Some(format!("{reason}{} ({job})", advice(reason))),
        (Some((job, status)), None) => Some(format!("{job} is {}", status.unwrap_or("Failed"))),
        (None, reason) => reason.map(str::to_owned),
    }
}

/// What to do about what an algorithm's container has said, where that is known.
fn advice(reason: &str) -> &'static str {
    let counts = ["fewer", "less", "smaller", "larger", "greater"];
    if reason.contains("mini_batch_size") && counts.iter().any(|word| reason.contains(word)) {
        "; drop more rows, or set a smaller `mini_batch_size` in the model's `hyperparameters`"
    } else {
        ""
    }
}

fn said<'a>(document: &'a Value, name: &str) -> Option<&'a str> {
    document[name].as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.trim().is_empty() { otherwise } else { text }
}

/// Joins the text into one line of at most [`CAUSE_LIMIT_CHARACTERS`].
fn shorten(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(CAUSE_LIMIT_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_its_form() {
        for (cause, error, text) in [
            (
                r#"{"errorType":"MetricMissing","errorMessage":"no metric"}"#,
                "MetricMissing",
                "no metric",
            ),
            (
                r#"{"TrainingJobName":"t-1","TrainingJobStatus":"Failed","FailureReason":"AlgorithmError: bad\n  column"}"#,
                "E",
                "AlgorithmError: bad column (training job t-1)",
            ),
            (
                r#"{"TrainingJobName":"t-1","FailureReason":"ClientError: 39 rows, fewer than mini_batch_size 100"}"#,
                "E",
                "ClientError: 39 rows, fewer than mini_batch_size 100; drop more rows, or set a smaller `mini_batch_size` in \
                 the model's `hyperparameters` (training job t-1)",
            ),
            (
                r#"{"ProcessingJobName":"p-1","FailureReason":"AlgorithmError","ExitMessage":"NoUsableRows: 0 of 3 rows"}"#,
                "E",
                "NoUsableRows: 0 of 3 rows (processing job p-1)",
            ),
            (
                r#"{"TransformJobName":"x-1","TransformJobStatus":"Stopped"}"#,
                "E",
                "transform job x-1 is Stopped",
            ),
            (r#"{"FailureReason":"CapacityError"}"#, "E", "CapacityError"),
            (r#"{"other":"thing"}"#, "E", r#"{"other":"thing"}"#),
            (
                "Rolled back (Service: SageMaker)\n",
                "E",
                "Rolled back (Service: SageMaker)",
            ),
            ("12", "E", "12"),
            (" \n", "E", "no cause was given"),
        ] {
            let failure = Failure::readable("E", cause);
            assert_eq!(
                (failure.error.as_str(), failure.cause.as_str()),
                (error, text),
                "{cause}"
            );
        }
        assert_eq!(Failure::readable("", "").error, "Unknown");
    }

    #[test]
    fn an_execution_tells_the_models_that_failed() {
        let trained = r#"[
            {"model": "a", "decision": "exported", "reason": "better"},
            {"model": "b", "decision": "failed", "reason": "AlgorithmError: out of memory"}
        ]"#;
        let scored = r#"[
            {"model": "a", "error": {"Error": "States.TaskFailed",
                                     "Cause": "{\"TransformJobName\":\"x-1\",\"FailureReason\":\"ClientError: 413\"}"}},
            {"model": "b", "error": {"Error": "States.Timeout"}}
        ]"#;
        let prepared = r#"{"ProcessingInputs": [{"InputName": "code"}], "ProcessingJobName": "p-1", "ProcessingJobStatus":
            "Failed", "ExitMessage": "NoUsableRows: 0 of 3 rows", "FailureReason": "AlgorithmError: exit code 1"}"#;
        for (cause, text) in [
            (trained, "E: b: AlgorithmError: out of memory"),
            (
                scored,
                "E: a: ClientError: 413 (transform job x-1); b: no cause was given",
            ),
            (prepared, "E: NoUsableRows: 0 of 3 rows (processing job p-1)"),
            ("[]", "E: []"),
        ] {
            assert_eq!(Failure::of_execution("E", cause).to_string(), text);
        }
    }

    #[test]
    fn long_causes_are_cut_between_characters() {
        let cut = Failure::readable("E", &"ü".repeat(5_000)).cause;
        assert_eq!(cut.chars().count(), CAUSE_LIMIT_CHARACTERS + 1);
        assert!(cut.ends_with("ü…"));
    }
}
