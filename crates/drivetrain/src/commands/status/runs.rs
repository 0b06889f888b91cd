//! The last runs: of what, how they ended, and what came of them.

use super::reads::READS;
use crate::follow;
use crate::target::{Platform, Target, describe};
use anyhow::Result;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use contracts::scoring::ScoringSummary;
use contracts::{Failure, RunId, places, words};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;

/// How many executions of a machine are looked through.
const LOOKED_AT: usize = 100;

/// A machine's kind of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Trains, judges, deploys.
    Training,
    /// Deploys what is there already.
    Promotion,
    /// Scores a file.
    Scoring,
    /// Watches live data.
    Monitoring,
}

impl Kind {
    /// In a word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Promotion => "promotion",
            Self::Scoring => "scoring",
            Self::Monitoring => "monitoring",
        }
    }
}

/// An execution of one of the machines.
#[derive(Clone, Debug)]
pub struct Execution {
    kind: Kind,
    arn: String,
    name: String,
    began_ms: i64,
}

/// A run.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// Its execution's name: the run's id.
    pub run_id: String,
    /// What it does.
    pub kind: Kind,
    /// Its use case.
    pub use_case: Option<String>,
    /// Its models; of a scoring run those that score.
    pub models: Vec<String>,
    /// How its execution stands: `RUNNING`, `SUCCEEDED`, `FAILED`, …
    pub status: String,
    /// When it began.
    pub began_at: Timestamp,
    /// How long it took, or has taken so far.
    pub seconds: f64,
    /// What came of it: decisions, an outcome, rows scored.
    pub result: Vec<String>,
    /// Why it failed.
    pub failure: Option<String>,
}

impl Execution {
    fn of(kind: Kind, listed: ExecutionListItem) -> Self {
        Self {
            kind,
            began_ms: listed.start_date.to_millis().unwrap_or_default(),
            arn: listed.execution_arn,
            name: listed.name,
        }
    }

    /// Whether it is one of these runs.
    pub fn is_one_of(&self, runs: &BTreeSet<RunId>) -> bool {
        RunId::parse(&self.name).is_some_and(|run| runs.contains(&run))
    }

    /// The training run that it is.
    pub fn training_run(&self) -> Option<RunId> {
        (self.kind == Kind::Training).then(|| RunId::parse(&self.name))?
    }
}

/// The runs of a use case that are under way, of every kind, the newest first.
///
/// # Errors
/// Step Functions refuses.
pub async fn under_way(target: &Target, platform: &Platform, use_case: &str) -> Result<Vec<Run>> {
    let mut found = Vec::new();
    for (kind, machine) in machines(platform) {
        let request = target.sfn().list_executions().state_machine_arn(machine);
        let request = request.status_filter(ExecutionStatus::Running);
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| describe("ListExecutions", error))?;
            found.extend(page.executions.into_iter().map(|it| Execution::of(kind, it)));
        }
    }
    found.sort_by_key(|it| std::cmp::Reverse(it.began_ms));
    let described = stream::iter(&found).map(|execution| async move {
        let request = target.sfn().describe_execution().execution_arn(&execution.arn);
        let described = request.send().await;
        let described = described.map_err(|error| describe("DescribeExecution", error))?;
        anyhow::Ok(of_execution(execution, &described, Timestamp::now()))
    });
    let mut runs: Vec<Run> = described.buffered(READS).try_collect().await?;
    // One may have ended meanwhile.
    runs.retain(|run| run.use_case.as_deref() == Some(use_case) && run.status == "RUNNING");
    Ok(runs)
}

fn machines(platform: &Platform) -> [(Kind, &str); 3] {
    [
        (Kind::Training, &platform.training_state_machine_arn),
        (Kind::Scoring, &platform.scoring_state_machine_arn),
        (Kind::Monitoring, &platform.monitor_state_machine_arn),
    ]
}

/// The last executions of each machine, the newest first.
///
/// # Errors
/// Step Functions refuses.
pub async fn executions(target: &Target, platform: &Platform) -> Result<Vec<Execution>> {
    let mut found = Vec::new();
    for (kind, machine) in machines(platform) {
        let request = target.sfn().list_executions().state_machine_arn(machine);
        let mut pages = request.into_paginator().send();
        let mut of_machine = 0;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| describe("ListExecutions", error))?;
            of_machine += page.executions.len();
            found.extend(page.executions.into_iter().map(|it| Execution::of(kind, it)));
            if of_machine >= LOOKED_AT {
                break;
            }
        }
    }
    found.sort_by_key(|it| std::cmp::Reverse(it.began_ms));
    Ok(found)
}

/// The last `count` runs of each kind, the newest first.
///
/// # Errors
/// A run can't be described.
pub async fn look(target: &Target, platform: &Platform, executions: &[Execution], count: usize) -> Result<Vec<Run>> {
    let mut chosen = Vec::new();
    for kind in [Kind::Training, Kind::Scoring, Kind::Monitoring] {
        chosen.extend(executions.iter().filter(|it| it.kind == kind).take(count));
    }
    chosen.sort_by_key(|it| std::cmp::Reverse(it.began_ms));
    let runs = stream::iter(chosen).map(|execution| run(target, platform, execution));
    runs.buffered(READS).try_collect().await
}

async fn run(target: &Target, platform: &Platform, execution: &Execution) -> Result<Run> {
    let request = target.sfn().describe_execution().execution_arn(&execution.arn);
    let described = request.send().await;
    let described = described.map_err(|error| describe("DescribeExecution", error))?;
    let mut run = of_execution(execution, &described, Timestamp::now());
    let (Some(use_case), Some(run_id)) = (run.use_case.clone(), RunId::parse(&run.run_id)) else {
        return Ok(run);
    };
    match run.kind {
        Kind::Training | Kind::Promotion => {
            for model in run.models.clone() {
                let decision = follow::decision(target, platform, &use_case, &run_id, &model).await?;
                if let Some(verdict) = decision.and_then(|decision| decision.decision) {
                    run.result.push(format!("{model} {verdict}"));
                }
            }
            if run.kind == Kind::Training {
                let summary = follow::preprocessed(target, platform, &use_case, &run_id).await?;
                run.result.extend(summary.dropped_in_short());
            }
        }
        Kind::Scoring if run.status == "SUCCEEDED" => {
            let key = places::use_case::scored(&use_case, &run_id) + "summary.json";
            let summary: Option<ScoringSummary> = target.document(platform, &key).await?;
            run.result = summary.map_or_else(|| vec!["it has left no summary".to_owned()], |it| of_scoring(&it));
        }
        Kind::Scoring | Kind::Monitoring => {}
    }
    Ok(run)
}

/// What an execution says of itself.
fn of_execution(execution: &Execution, described: &DescribeExecutionOutput, now: Timestamp) -> Run {
    let input: Value = serde_json::from_str(described.input().unwrap_or_default()).unwrap_or_default();
    let output: Value = serde_json::from_str(described.output().unwrap_or_default()).unwrap_or_default();
    let began = described.start_date().to_millis().unwrap_or_default();
    let ended = described.stop_date().and_then(|time| time.to_millis().ok());
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let kind = match execution.kind {
        Kind::Training if input["models"][0]["promotion"].is_object() => Kind::Promotion,
        kind => kind,
    };
    let of_models = input["models"].as_array().into_iter().flatten();
    let mut models: Vec<String> = of_models
        .filter_map(|it| text(&it["run"]["model"]).or_else(|| text(&it["model"])))
        .collect();
    models.extend(text(&input["run"]["model"]));
    let failure = described
        .error()
        .map(|error| Failure::of_execution(error, described.cause().unwrap_or_default()).to_string());
    #[allow(clippy::cast_precision_loss, reason = "a duration in milliseconds fits")]
    let seconds = (ended.unwrap_or_else(|| now.as_millisecond()) - began).max(0) as f64 / 1e3;
    Run {
        run_id: execution.name.clone(),
        kind,
        use_case: text(&input["use_case"]).or_else(|| text(&input["run"]["use_case"])),
        models,
        status: described.status().as_str().to_owned(),
        began_at: Timestamp::from_millisecond(began).unwrap_or_default(),
        seconds,
        result: if kind == Kind::Monitoring {
            of_monitoring(&output)
        } else {
            Vec::new()
        },
        failure,
    }
}

/// What a monitoring run's output says came of it: evaluate-drift's answer, or the window where there was nothing to do.
fn of_monitoring(output: &Value) -> Vec<String> {
    let waiting = match output["payload"].as_str() {
        Some("none") => Some("nothing new"),
        Some("waiting") => Some("too few new rows yet"),
        _ => None,
    };
    let outcome = output["outcome"].as_str().or(waiting);
    outcome.map(str::to_owned).into_iter().collect()
}

/// What became of a file's rows.
fn of_scoring(summary: &ScoringSummary) -> Vec<String> {
    let mut result = vec![format!(
        "{} scored, {} set aside",
        words::count(summary.scored),
        words::count(summary.rejected)
    )];
    result.extend(summary.absent.iter().map(|model| {
        let why = summary.absent_because.get(model).map(String::as_str);
        format!("without {model}: {}", why.unwrap_or("it did not answer"))
    }));
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::{FakeAws, Reply};
    use serde_json::json;

    fn platform() -> Platform {
        let machine = |name: &str| format!("arn:aws:states:us-east-1:123456789012:stateMachine:dev-{name}");
        Platform {
            training_state_machine_arn: machine("training"),
            scoring_state_machine_arn: machine("scoring"),
            monitor_state_machine_arn: machine("monitor"),
            ..Platform::of_tests("bucket")
        }
    }

    async fn told(input: Value, end: Value) -> Vec<Run> {
        let aws = FakeAws::new();
        let listed = json!({"executions": [{"executionArn": "arn", "stateMachineArn": "m", "status": "RUNNING",
                                            "name": "20261122t183000z-ab12cd34", "startDate": 1_795_372_200.5}]});
        aws.reply_to("ListExecutions", "dev-", [Reply::json(200, json!({"executions": []}))]);
        let machine = if input["run"].is_object() {
            "dev-monitor"
        } else {
            "dev-training"
        };
        aws.reply_to("ListExecutions", machine, [Reply::json(200, listed)]);
        let mut described = end;
        for (name, value) in [
            ("executionArn", json!("arn")),
            ("stateMachineArn", json!("m")),
            ("startDate", json!(1_795_372_200.5)),
            ("input", json!(input.to_string())),
        ] {
            described[name] = value;
        }
        aws.reply("DescribeExecution", [Reply::json(200, described)]);
        let decision = json!({"bucket": "b", "use_case": "cars", "model": "a", "run_id": "20261122t183000z-ab12cd34",
                              "decision": "held", "reason": "year has drifted", "decided_at": "2026-11-23T18:40:00Z"});
        let summary = json!({"rows": {"read": 3_000}, "dropped": {"a price above 1400000": 400, "no usable area": 24}});
        for (name, document) in [("decisions/a.json", decision), ("data/summary/summary.json", summary)] {
            let key = format!("cars/runs/20261122t183000z-ab12cd34/{name}");
            aws.put_object("bucket", &key, document.to_string().as_bytes());
        }
        let target = Target::with_config("dev", aws.sdk_config());
        let executions = executions(&target, &platform()).await.unwrap();
        look(&target, &platform(), &executions, 10).await.unwrap()
    }

    #[tokio::test]
    async fn a_training_run_tells_its_decisions_and_its_failure() {
        let input = json!({"use_case": "cars", "models": [{"run": {"model": "a"}}, {"run": {"model": "b"}}]});
        let end = json!({"status": "FAILED", "stopDate": 1_795_372_230.5, "error": "ModelFailed",
                         "cause": "{\"errorType\": \"ModelFailed\", \"errorMessage\": \"b: out of memory\"}"});
        let runs = told(input, end).await;
        assert_eq!(runs.len(), 1);
        let run = &runs[0];
        assert_eq!((run.kind, run.use_case.as_deref()), (Kind::Training, Some("cars")));
        assert_eq!(run.result, ["a held", "424 of 3000 rows left out"]);
        assert!((run.seconds - 30.0).abs() < 1e-9);
        assert_eq!(run.failure.as_deref(), Some("ModelFailed: b: out of memory"));
    }

    #[tokio::test]
    async fn a_monitoring_run_tells_its_outcome_or_that_there_was_nothing() {
        let input = json!({"run": {"use_case": "cars", "model": "a"}});
        let end =
            |output: Value| json!({"status": "SUCCEEDED", "stopDate": 1_795_372_230.5, "output": output.to_string()});
        let drifted = told(input.clone(), end(json!({"outcome": "drifted", "reason": "year"})));
        let drifted = drifted.await;
        assert_eq!(
            (&drifted[0].result, &drifted[0].models),
            (&vec!["drifted".to_owned()], &vec!["a".to_owned()])
        );
        let waiting = told(input, end(json!({"payload": "waiting", "number": 0}))).await;
        assert_eq!(waiting[0].result, ["too few new rows yet"]);
    }

    #[test]
    fn runs_of_one_use_case_are_told_from_others() {
        let execution = Execution {
            kind: Kind::Scoring,
            arn: "arn".to_owned(),
            name: "20261122t183000z-ab12cd34".to_owned(),
            began_ms: 0,
        };
        let run = |text: &str| BTreeSet::from([RunId::parse(text).unwrap()]);
        assert!(execution.is_one_of(&run("20261122t183000z-ab12cd34")));
        assert!(!execution.is_one_of(&run("20261122t183000z-ab12cd35")));
    }

    #[test]
    fn a_scoring_run_without_a_model_says_so() {
        let summary = serde_json::from_value(json!({
            "run_id": "20261122t183000z-ab12cd34", "file": "a.csv", "rows": 1, "scored": 1, "rejected": 0, "reasons": [],
            "models": {}, "absent": ["a", "b"], "absent_because": {"b": "the job was stopped"},
        }));
        assert_eq!(
            of_scoring(&summary.unwrap()),
            [
                "1 scored, 0 set aside",
                "without a: it did not answer",
                "without b: the job was stopped"
            ]
        );
    }
}
