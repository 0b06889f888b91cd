//! Direct calls of the function start-run.

use crate::target::{Target, describe};
use anyhow::{Context, Result, bail};
use aws_sdk_lambda::primitives::Blob;
use contracts::RunId;
use contracts::promotion::{Action, Word};
use serde_json::{Value, json};

/// Runs a drop or a failed promotion again; returns the new run's id. `by` is who wants it, where that is to be told.
///
/// # Errors
/// There is no such run, or start-run refuses: the text holds its reason.
pub async fn rerun(target: &Target, use_case: &str, run: &RunId, by: Option<&str>) -> Result<RunId> {
    let mut asked = json!({"rerun": run, "use_case": use_case});
    if let Some(by) = by {
        asked["by"] = json!(by);
    }
    started(&call(target, &asked).await?)
}

/// Monitors a model's live data now; returns the monitoring run's id.
///
/// # Errors
/// The model is not monitored, has no champion, or a monitoring run of it is under way: the text holds the reason.
pub async fn monitor(target: &Target, use_case: &str, model: &str) -> Result<RunId> {
    started(&call(target, &json!({"monitor": {"use_case": use_case, "model": model}})).await?)
}

/// Has a candidate or former champion promoted; returns the id of the run that does it, which may be under way already.
///
/// # Errors
/// It may not be promoted: the text holds the reason.
pub async fn promote(target: &Target, word: &Word, action: Action, anyway: bool) -> Result<RunId> {
    let mut asked = json!(word);
    asked["action"] = json!(action);
    asked["anyway"] = json!(anyway);
    let answer = call(target, &json!({"promote": asked})).await?;
    let run = answer["run_id"].as_str().and_then(RunId::parse);
    match (answer["outcome"].as_str(), run) {
        (Some("started" | "duplicate"), Some(run)) => Ok(run),
        _ => started(&answer),
    }
}

/// Has a held candidate rejected; returns the reason in its decision.
///
/// # Errors
/// It may not be rejected: the text holds the reason.
pub async fn reject(target: &Target, word: &Word) -> Result<String> {
    Ok(text(&call(target, &json!({"reject": word})).await?, "reason"))
}

/// Calls the function; returns its answer.
///
/// # Errors
/// It failed: the text holds its reason.
pub async fn call(target: &Target, request: &Value) -> Result<Value> {
    let name = format!("{}-start-run", target.stack);
    let call = target.lambda().invoke().function_name(&name);
    let answer = call.payload(Blob::new(request.to_string())).send().await;
    let answer = answer.map_err(|error| describe(&format!("Invoke {name}"), error))?;
    let payload = answer.payload().map(|blob| String::from_utf8_lossy(blob.as_ref()));
    let payload: Value = serde_json::from_str(&payload.unwrap_or_default()).context("start-run did not answer JSON")?;
    if answer.function_error().is_some() {
        bail!(failed(&payload, &target.command("logs start-run")));
    }
    Ok(payload)
}

/// The errors by which the function says no: their texts are written for whoever has asked.
const REFUSALS: [&str; 9] = [
    "RunUnknown",
    "NotWatched",
    "NoSuchCandidate",
    "NotHeld",
    "AlreadyDecided",
    "ChampionChanged",
    "SchemaChanged",
    "AlreadyChampion",
    "UseCaseUnknown",
];

/// The function's error, in words; `logs` is the command that shows what the function has logged.
fn failed(payload: &Value, logs: &str) -> String {
    let message = text(payload, "errorMessage");
    if payload["errorType"]
        .as_str()
        .is_some_and(|kind| REFUSALS.contains(&kind))
    {
        message
    } else {
        format!("start-run failed: {message}\n`{logs}` may say more")
    }
}

/// The id of the run in an answer.
fn started(answer: &Value) -> Result<RunId> {
    let run = answer["run_id"].as_str().and_then(RunId::parse);
    match (answer["outcome"].as_str(), run) {
        (Some("started"), Some(run)) => Ok(run),
        (outcome, _) => bail!("nothing was started: {}", why(answer, outcome)),
    }
}

/// Why an answer is no start.
fn why(answer: &Value, outcome: Option<&str>) -> String {
    match (answer["reason"].as_str(), outcome) {
        (Some(reason), _) => reason.to_owned(),
        (None, Some("busy")) => "the model is being looked at by another run; try again when that has ended".to_owned(),
        (None, Some(outcome)) => format!("start-run says `{outcome}`, without a reason"),
        (None, None) => format!("start-run's answer can't be read: {answer}"),
    }
}

fn text(answer: &Value, field: &str) -> String {
    answer[field].as_str().map_or_else(|| answer.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_starts_nothing_is_told_by_its_reason() {
        let told = |answer: Value| started(&answer).unwrap_err().to_string();
        let refused = json!({"outcome": "refused", "reason": "the run has no candidate of `xgboost`"});
        assert_eq!(
            told(refused),
            "nothing was started: the run has no candidate of `xgboost`"
        );
        assert!(told(json!({"outcome": "busy"})).contains("another run"));
        assert!(told(json!({})).contains("can't be read: {}"));
    }

    #[test]
    fn every_refusal_is_an_error_of_the_function() {
        // The list of errors is held to the functions' types by a test of its own.
        let errors = include_str!("../../../docs/errors.md");
        let (own, _) = errors.split_once("\n## Preprocess\n").unwrap();
        for kind in REFUSALS {
            assert!(own.contains(&format!("| `{kind}` |")), "{kind}");
        }
    }

    #[test]
    fn what_is_refused_is_told_in_the_words_of_the_function_alone() {
        let refused = json!({"errorType": "AlreadyChampion", "errorMessage": "m is the champion"});
        let logs = "drivetrain logs start-run";
        assert_eq!(failed(&refused, logs), "m is the champion");
        let broken = json!({"errorType": "AwsCallFailed", "errorMessage": "GetObject: throttled"});
        assert!(
            failed(&broken, logs).starts_with("start-run failed: GetObject: throttled\n`drivetrain logs start-run`")
        );
    }
}
