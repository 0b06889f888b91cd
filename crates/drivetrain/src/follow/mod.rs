//! Follows a run live: prints a line for each state that ends, and shows a moving line for each model.

mod ended;
pub mod history;

pub use ended::{Ended, ModelEnded, Scored};

use crate::target::{Platform, Target, describe};
use crate::{interrupt, ui};
use anyhow::{Result, bail};
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionError;
use aws_sdk_sfn::operation::get_execution_history::builders::GetExecutionHistoryFluentBuilder;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEvent, HistoryEventType};
use contracts::places::RunPlaces;
use contracts::{Decision, Failure, Manifest, PreprocessSummary, RunId, RunState};
use history::{Event, Kind, Visit};
use indicatif::{MultiProgress, ProgressBar};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How long it may take until a drop has started an execution.
const START_PATIENCE: Duration = Duration::from_secs(120);

/// How a run went.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The status in which the execution ended: `SUCCEEDED`, `FAILED`.
    pub status: String,
    /// Its error and cause in words, if it failed.
    pub failure: Option<String>,
    /// Seconds from the execution's start to its end.
    pub seconds: f64,
    /// The part of those seconds during which no job existed.
    pub seconds_outside_jobs: f64,
    /// The states that did work, each with its seconds, by model; the run's own under the empty name.
    pub states: BTreeMap<String, Vec<(String, f64)>>,
}

/// Follows the run of a drop to its end.
///
/// # Errors
/// The drop is refused (the text holds the reason), starts nothing, or the stack doesn't answer.
pub async fn follow(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    run: &RunId,
    models: &[String],
) -> Result<Followed> {
    interrupt::goes_on(Some(goes_on(use_case, run)));
    let arn = execution_arn(&platform.training_state_machine_arn, run);
    wait_for_start(target, platform, use_case, run, &arn).await?;
    let mut screen = Screen::new(models);
    loop {
        let (events, followed) = look(target, &arn).await?;
        screen
            .show(target, platform, use_case, run, &history::visits(&events))
            .await;
        if let Some(followed) = followed {
            interrupt::goes_on(None);
            return Ok(followed);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Waits for the end of any run, without showing its states.
///
/// # Errors
/// It is refused (the text holds the reason), starts nothing, or the stack doesn't answer.
pub async fn finished(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    run: &RunId,
    arn: &str,
) -> Result<Followed> {
    interrupt::goes_on(Some(goes_on(use_case, run)));
    wait_for_start(target, platform, use_case, run, arn).await?;
    loop {
        if let (_, Some(followed)) = look(target, arn).await? {
            interrupt::goes_on(None);
            return Ok(followed);
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What people should know who stop following a run.
pub fn goes_on(use_case: &str, run: &RunId) -> String {
    format!(
        "run {run} goes on: `drivetrain status {use_case} --follow` shows how it ends, `drivetrain logs {run}` what it writes"
    )
}

/// The ARN of a run's execution of a machine: executions are named after their runs.
pub fn execution_arn(machine_arn: &str, run: &RunId) -> String {
    format!("{}:{run}", machine_arn.replacen(":stateMachine:", ":execution:", 1))
}

/// Whether there is an execution with this ARN.
///
/// # Errors
/// Step Functions refuses.
pub async fn exists(target: &Target, arn: &str) -> Result<bool> {
    match target.sfn().describe_execution().execution_arn(arn).send().await {
        Ok(_) => Ok(true),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(DescribeExecutionError::is_execution_does_not_exist) =>
        {
            Ok(false)
        }
        Err(error) => Err(describe("DescribeExecution", error)),
    }
}

/// The jobs that an execution has started, in order: kind (`Training`, `Processing` or `Transform`) and name.
///
/// # Errors
/// Step Functions refuses.
pub async fn jobs(target: &Target, arn: &str) -> Result<Vec<(String, String)>> {
    let mut pages = history_of(target, arn).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("GetExecutionHistory", error))?;
        let scheduled = page
            .events()
            .iter()
            .filter_map(HistoryEvent::task_scheduled_event_details);
        found.extend(scheduled.filter_map(|task| job(task.parameters())));
    }
    Ok(found)
}

/// Kind and name of the job that the parameters of a task ask for.
fn job(parameters: &str) -> Option<(String, String)> {
    let parameters: serde_json::Value = serde_json::from_str(parameters).ok()?;
    ["Training", "Processing", "Transform"].into_iter().find_map(|kind| {
        let name = parameters[format!("{kind}JobName")].as_str()?;
        Some((kind.to_owned(), name.to_owned()))
    })
}

/// The events of an execution so far, and how it went once it has ended.
async fn look(target: &Target, arn: &str) -> Result<(Vec<Event>, Option<Followed>)> {
    let execution = target.sfn().describe_execution().execution_arn(arn).send().await;
    let execution = execution.map_err(|error| describe("DescribeExecution", error))?;
    let events = events(target, arn).await?;
    if *execution.status() == ExecutionStatus::Running {
        return Ok((events, None));
    }
    let began_s = execution.start_date().as_secs_f64();
    let ended_s = execution
        .stop_date()
        .map_or(began_s, aws_sdk_sfn::primitives::DateTime::as_secs_f64);
    let failure = execution
        .error()
        .map(|error| Failure::of_execution(error, execution.cause().unwrap_or_default()).to_string());
    let followed = Followed {
        status: execution.status().as_str().to_owned(),
        failure,
        seconds: ended_s - began_s,
        seconds_outside_jobs: history::seconds_outside_jobs(&events, began_s, ended_s),
        states: by_model(&history::visits(&events)),
    };
    Ok((events, Some(followed)))
}

/// The decision on a model in its present state; `None` before the first question is asked.
///
/// # Errors
/// It can't be read.
pub async fn decision(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    run_id: &RunId,
    model: &str,
) -> Result<Option<Decision>> {
    let key = RunPlaces { use_case, run_id }.decision(model);
    target.document(platform, &key).await
}

/// What became of the rows of a training run's files; `None` before Preprocess has ended.
///
/// # Errors
/// It can't be read.
pub async fn preprocessed(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    run_id: &RunId,
) -> Result<PreprocessSummary> {
    let key = RunPlaces { use_case, run_id }.data("summary") + "summary.json";
    Ok(target.document(platform, &key).await?.unwrap_or_default())
}

async fn wait_for_start(target: &Target, platform: &Platform, use_case: &str, run: &RunId, arn: &str) -> Result<()> {
    let deadline = Instant::now() + START_PATIENCE;
    loop {
        if exists(target, arn).await? {
            return Ok(());
        }
        let key = format!("{}run.json", RunPlaces { use_case, run_id: run }.root());
        let manifest: Option<Manifest> = target.document(platform, &key).await?;
        if let Some(manifest) = manifest.filter(|manifest| manifest.state == RunState::Refused) {
            bail!("start-run refused the drop: {}", manifest.reason.unwrap_or_default());
        }
        if Instant::now() > deadline {
            bail!(
                "the drop has started nothing within {} s: `{}` may say why, and `{}`",
                START_PATIENCE.as_secs(),
                target.command("logs start-run"),
                target.command("dead-letters")
            );
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}

/// What has been shown of a run so far.
struct Screen {
    began: Instant,
    shown: BTreeSet<usize>,
    lines: MultiProgress,
    bars: BTreeMap<Option<String>, ProgressBar>,
    width: usize,
}

impl Screen {
    fn new(models: &[String]) -> Self {
        let lines = MultiProgress::new();
        let mut bars = BTreeMap::new();
        if ui::on_terminal() {
            for model in std::iter::once(None).chain(models.iter().cloned().map(Some)) {
                let bar = lines.add(ui::spinner(""));
                bars.insert(model, bar);
            }
        }
        Self {
            began: Instant::now(),
            shown: BTreeSet::new(),
            lines,
            bars,
            width: models
                .iter()
                .map(String::len)
                .max()
                .unwrap_or_default()
                .max("(run)".len()),
        }
    }

    async fn show(&mut self, target: &Target, platform: &Platform, use_case: &str, run: &RunId, visits: &[Visit]) {
        for (position, visit) in visits.iter().enumerate() {
            let Some(seconds) = visit.seconds() else { continue };
            if !visit.is_work() || !self.shown.insert(position) {
                continue;
            }
            let mut note = String::new();
            if let Some(model) = &visit.model {
                // The decision is only shown, never waited for: a document that isn't there yet is no failure of the
                // run.
                let decision = decision(target, platform, use_case, run, model).await.ok().flatten();
                note = decision
                    .and_then(|decision| decisive(&visit.state, &decision))
                    .unwrap_or_default();
            }
            let name = visit.model.as_deref().unwrap_or("(run)");
            self.line(&format!(
                "  {name:<width$}  {:<23} {seconds:>6.1} s  {note}",
                visit.state,
                width = self.width
            ));
        }
        for (model, bar) in &self.bars {
            let open: Vec<&str> = visits
                .iter()
                .filter(|visit| visit.model == *model && visit.left_s.is_none() && visit.of_type != "Map")
                .map(|visit| visit.state.as_str())
                .collect();
            let name = model.as_deref().unwrap_or("(run)");
            bar.set_message(format!("{name:<width$}  {}", open.join(", "), width = self.width));
        }
        if self.bars.is_empty() && self.shown.is_empty() && self.began.elapsed() > Duration::from_secs(600) {
            ui::say("  still waiting for the first state to end");
        }
    }

    fn line(&self, text: &str) {
        if self.bars.is_empty() {
            ui::say(text.trim_end());
        } else {
            // A line that can't be drawn is no reason to stop.
            let _ = self.lines.println(ui::plain(text.trim_end()));
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        for bar in self.bars.values() {
            bar.finish_and_clear();
        }
    }
}

/// The numbers on which a state's decision was based.
fn decisive(state: &str, decision: &Decision) -> Option<String> {
    let number = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| format!("{value:.0}"));
    match state {
        "RmseThreshold" => decision.threshold.as_ref().map(|it| {
            let sign = if it.passed { "<" } else { "not <" };
            format!(
                "{} as RMSE {} {sign} {:.0}",
                it.metric,
                number(it.value_rmse),
                it.threshold_rmse
            )
        }),
        "CompareWithChampion" => decision.comparison.as_ref().map(|it| {
            let against = match it.champion_rmse {
                Some(champion) => format!("champion {champion:.0}"),
                None => "no champion".to_owned(),
            };
            let end = if it.passed { "wins" } else { "does not win" };
            format!("holdout RMSE {} against {against}: {end}", number(it.candidate_rmse))
        }),
        "NotifyRejection" | "ExportConfig" | "RecordFailure" | "RecordSuperseded" => {
            decision.decision.map(|verdict| verdict.to_string())
        }
        "RestoreEndpoint" => decision.serves.clone(),
        _ => None,
    }
}

fn by_model(visits: &[Visit]) -> BTreeMap<String, Vec<(String, f64)>> {
    let mut found: BTreeMap<String, Vec<(String, f64)>> = BTreeMap::new();
    for visit in visits.iter().filter(|visit| visit.is_work()) {
        let states = found.entry(visit.model.clone().unwrap_or_default()).or_default();
        let seconds = visit.seconds().unwrap_or_default();
        match states.iter_mut().find(|(state, _)| *state == visit.state) {
            Some((_, sum)) => *sum += seconds,
            None => states.push((visit.state.clone(), seconds)),
        }
    }
    found
}

fn history_of(target: &Target, arn: &str) -> GetExecutionHistoryFluentBuilder {
    let request = target.sfn().get_execution_history().execution_arn(arn);
    request.max_results(1000)
}

async fn events(target: &Target, arn: &str) -> Result<Vec<Event>> {
    let mut pages = history_of(target, arn).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("GetExecutionHistory", error))?;
        found.extend(page.events().iter().map(event));
    }
    Ok(found)
}

fn event(event: &HistoryEvent) -> Event {
    Event {
        id: event.id(),
        previous: event.previous_event_id(),
        at_s: event.timestamp().as_secs_f64(),
        kind: kind(event),
    }
}

fn kind(event: &HistoryEvent) -> Kind {
    if let Some(details) = event.state_entered_event_details() {
        return Kind::Entered {
            state: details.name().to_owned(),
            of_type: event.r#type().as_str().trim_end_matches("StateEntered").to_owned(),
            input: details.input().unwrap_or_default().to_owned(),
        };
    }
    if let Some(details) = event.state_exited_event_details() {
        return Kind::Exited {
            state: details.name().to_owned(),
        };
    }
    let ended = |description: Option<&str>| Kind::TaskEnded {
        description: description.unwrap_or_default().to_owned(),
    };
    if let Some(details) = event.task_succeeded_event_details() {
        return ended(details.output());
    }
    if let Some(details) = event.task_failed_event_details() {
        return ended(details.cause());
    }
    match event.r#type() {
        HistoryEventType::MapStateSucceeded | HistoryEventType::MapStateFailed | HistoryEventType::MapStateAborted => {
            Kind::Joined
        }
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::Verdict;
    use fake_aws::{FakeAws, Reply};
    use serde_json::json;

    fn decision() -> Decision {
        serde_json::from_value(json!({
            "bucket": "b", "use_case": "cars", "model": "a", "run_id": "20261122t183000z-ab12cd34",
            "reason": "", "decided_at": "2026-11-22T18:30:00Z",
            "threshold": {"metric": "validation:rmse", "value_rmse": 4321.4, "threshold_rmse": 9000.0, "passed": true},
            "comparison": {"candidate_rmse": 4400.0, "champion_rmse": 4390.0, "champion_run_id": null,
                           "holdout_rows": 800, "min_improvement": 0.0, "passed": false},
        }))
        .unwrap()
    }

    /// Step Functions passes on the whole description of a failed job; people need only the reason of its failure.
    #[tokio::test]
    async fn a_failed_job_is_told_by_its_reason() {
        let aws = FakeAws::new();
        let described = json!({
            "ProcessingInputs": [{"InputName": "code"}], "ProcessingJobName": "dev--cars-prep-0",
            "ProcessingJobStatus": "Failed", "ExitMessage": "NoUsableRows: none of 3 rows", "FailureReason": "AlgorithmError",
        });
        let ended = json!({
            "executionArn": "arn", "stateMachineArn": "m", "status": "FAILED", "startDate": 1_795_372_200.5,
            "stopDate": 1_795_372_230.5, "error": "States.TaskFailed", "cause": described.to_string(),
        });
        aws.reply("DescribeExecution", [Reply::json(200, ended)]);
        aws.reply("GetExecutionHistory", [Reply::json(200, json!({"events": []}))]);
        let target = Target::with_config("dev", aws.sdk_config());
        let (_, followed) = look(&target, "arn").await.unwrap();
        assert_eq!(
            followed.unwrap().failure.as_deref(),
            Some("States.TaskFailed: NoUsableRows: none of 3 rows (processing job dev--cars-prep-0)")
        );
    }

    #[test]
    fn jobs_are_found_in_what_tasks_ask_for() {
        let found = job(r#"{"TrainingJobName": "dev--cars-train-0", "RoleArn": "r"}"#);
        assert_eq!(found, Some(("Training".to_owned(), "dev--cars-train-0".to_owned())));
        assert_eq!(job(r#"{"FunctionName": "f"}"#), None);
    }

    #[test]
    fn the_numbers_that_decide_are_told() {
        let mut decision = decision();
        assert_eq!(
            decisive("RmseThreshold", &decision).unwrap(),
            "validation:rmse as RMSE 4321 < 9000"
        );
        assert_eq!(
            decisive("CompareWithChampion", &decision).unwrap(),
            "holdout RMSE 4400 against champion 4390: does not win"
        );
        assert_eq!(decisive("TrainModel", &decision), None);
        assert_eq!(decisive("NotifyRejection", &decision), None);
        decision.decision = Some(Verdict::RejectedChampion);
        assert_eq!(decisive("NotifyRejection", &decision).unwrap(), "rejected-champion");
        decision.serves = Some("endpoint e of champion c is gone".to_owned());
        assert_eq!(decisive("RestoreEndpoint", &decision), decision.serves);
    }
}
