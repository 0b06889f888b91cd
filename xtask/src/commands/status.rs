//! `status`: what runs, where, and what it is at.

use crate::aws::{Platform, Target, describe};
use crate::demo::follow;
use crate::layout::Layout;
use crate::stack::State;
use crate::{deploy, ui};
use anyhow::{Context, Result};
use aws_sdk_sfn::types::ExecutionStatus;
use clap::Args;
use contracts::places::{self, RunPlaces};
use contracts::queue::{Telling, Why};
use contracts::scoring::ScoringSummary;
use contracts::{Manifest, RunId, RunState, ScoringPlan};
use std::collections::BTreeSet;

/// How many runs of each machine are shown.
const SHOWN_RUNS: i32 = 10;
/// How many queued and overtaken runs of each use case are shown.
const SHOWN_QUEUED: usize = 20;

/// Show the local stack: processes, ports, functions, endpoints, runs in progress.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask status\n  cargo xtask --instance second status")]
pub struct Status {}

impl Status {
    /// Prints the tables.
    ///
    /// # Errors
    /// A running stack doesn't answer.
    #[allow(clippy::unused_self, reason = "every subcommand runs alike")]
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let Some(state) = State::load(layout)? else {
            ui::show(&format!(
                "The local stack `{}` is down. `cargo xtask up` starts it.",
                layout.instance()
            ));
            return Ok(());
        };
        ui::show(&processes(layout, &state));
        if !state.is_up() {
            ui::show("It is broken: `cargo xtask logs` shows why, `cargo xtask up` starts it anew.");
            return Ok(());
        }
        let Some(deployed) = &state.deployed else {
            ui::show("Nothing is deployed: `cargo xtask up` does it.");
            return Ok(());
        };
        ui::show(&format!(
            "Deployed: `{}` at {}\n",
            deployed.stack,
            deployed.at.strftime("%F %T UTC")
        ));
        let target = Target::local(state.clone(), deploy::STACK);
        let platform = target.platform().await?;
        ui::show(&functions(&target).await?);
        ui::show(&endpoints(&state).await?);
        ui::show(&runs(&target, &platform).await?);
        ui::show(&queued(&target, &platform).await?);
        ui::show(&format!("Prediction API: {}", platform.reachable_api_url(&target)));
        Ok(())
    }
}

fn processes(layout: &Layout, state: &State) -> String {
    let mut rows = vec![
        ["process", "state", "pid", "address", "log"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for process in &state.processes {
        let alive = process.identity.is_alive();
        rows.push(vec![
            process.name.clone(),
            if alive { "running" } else { "ended" }.to_owned(),
            process.identity.pid.to_string(),
            if process.name == "sagemaker" {
                state.sagemaker_url()
            } else {
                state.endpoint()
            },
            layout.shown(&process.log),
        ]);
    }
    ui::table(&rows)
}

async fn functions(target: &Target) -> Result<String> {
    let answer = target.lambda().list_functions().send().await;
    let answer = answer.map_err(|error| describe("ListFunctions", error))?;
    let mut rows: Vec<Vec<String>> = answer
        .functions()
        .iter()
        .map(|function| {
            vec![
                function.function_name().unwrap_or_default().to_owned(),
                format!("{:.1} MB", megabytes(function.code_size())),
            ]
        })
        .collect();
    rows.sort();
    rows.insert(0, ["function", "code"].map(str::to_owned).to_vec());
    Ok(ui::table(&rows))
}

async fn endpoints(state: &State) -> Result<String> {
    let answer = crate::stack::sagemaker(state, "ListEndpoints", &serde_json::json!({})).await?;
    let mut rows = vec![["endpoint", "status"].map(str::to_owned).to_vec()];
    for endpoint in answer["Endpoints"].as_array().into_iter().flatten() {
        let text = |name: &str| endpoint[name].as_str().unwrap_or_default().to_owned();
        rows.push(vec![text("EndpointName"), text("EndpointStatus")]);
    }
    Ok(if rows.len() == 1 {
        "No endpoints.\n".to_owned()
    } else {
        ui::table(&rows)
    })
}

/// The last runs of each machine, the newest first.
async fn runs(target: &Target, platform: &Platform) -> Result<String> {
    let machines = [
        ("training", &platform.training_state_machine_arn),
        ("scoring", &platform.scoring_state_machine_arn),
        ("monitoring", &platform.monitor_state_machine_arn),
    ];
    let mut found = Vec::new();
    for (kind, arn) in machines {
        let request = target.sfn().list_executions().state_machine_arn(arn);
        let answer = request.max_results(SHOWN_RUNS).send().await;
        let answer = answer.map_err(|error| describe("ListExecutions", error))?;
        found.extend(answer.executions.into_iter().map(|execution| (kind, execution)));
    }
    found.sort_by_key(|(_, execution)| std::cmp::Reverse(execution.start_date().secs()));
    let mut rows = vec![["run", "of", "status", "began", "note"].map(str::to_owned).to_vec()];
    for (kind, execution) in found {
        let scored = kind == "scoring" && execution.status() == &ExecutionStatus::Succeeded;
        let note = if scored {
            without(target, platform, execution.execution_arn()).await?
        } else {
            String::new()
        };
        let began = jiff::Timestamp::from_second(execution.start_date().secs()).unwrap_or_default();
        let kind = match kind {
            "training" if promotes(target, execution.execution_arn()).await? => "promotion",
            kind => kind,
        };
        rows.push(vec![
            execution.name().to_owned(),
            kind.to_owned(),
            execution.status().as_str().to_owned(),
            began.strftime("%F %T UTC").to_string(),
            note,
        ]);
    }
    Ok(if rows.len() == 1 {
        "No runs.\n".to_owned()
    } else {
        ui::table(&rows)
    })
}

/// Whether an execution of the training machine is a promotion.
async fn promotes(target: &Target, execution_arn: &str) -> Result<bool> {
    let request = target.sfn().describe_execution().execution_arn(execution_arn);
    let answer = request
        .send()
        .await
        .map_err(|error| describe("DescribeExecution", error))?;
    let plan: serde_json::Value = serde_json::from_str(answer.input().unwrap_or_default()).unwrap_or_default();
    Ok(plan["models"][0]["promotion"].is_object())
}

/// Which models took no part in a scoring run, and why.
async fn without(target: &Target, platform: &Platform, execution_arn: &str) -> Result<String> {
    let answer = target
        .sfn()
        .describe_execution()
        .execution_arn(execution_arn)
        .send()
        .await;
    let answer = answer.map_err(|error| describe("DescribeExecution", error))?;
    let Ok(plan) = serde_json::from_str::<ScoringPlan>(answer.input().unwrap_or_default()) else {
        return Ok("its plan does not read".to_owned());
    };
    let key = places::use_case::scored(&plan.use_case, &plan.run_id) + "summary.json";
    let summary: Option<ScoringSummary> = follow::read(target, platform, &key).await?;
    Ok(match summary {
        Some(summary) => shown(&summary),
        None => "it has left no summary".to_owned(),
    })
}

fn shown(summary: &ScoringSummary) -> String {
    let models = summary.absent.iter().map(|model| {
        let why = summary.absent_because.get(model).map(String::as_str);
        format!("without {model}: {}", why.unwrap_or("it did not answer"))
    });
    models.collect::<Vec<_>>().join("; ")
}

/// The training runs that wait for another to end, and those that newer ones have overtaken lately.
async fn queued(target: &Target, platform: &Platform) -> Result<String> {
    let mut rows = vec![["run", "use case", "state", "file", "by"].map(str::to_owned).to_vec()];
    for use_case in target.use_cases(&platform.bucket).await? {
        let queued = target
            .keys(&platform.bucket, &places::use_case::queued(&use_case))
            .await?;
        let untold = places::use_case::untold(&use_case, Why::Overtaken);
        let untold = target.keys(&platform.bucket, &untold).await?;
        let name = |key: &String| RunId::parse(key.rsplit('/').next()?.trim_end_matches(".json"));
        let mut runs: BTreeSet<RunId> = queued.iter().chain(&untold).filter_map(name).collect();
        let telling = places::use_case::telling(&use_case);
        if let Some(bytes) = target.get(&platform.bucket, &telling).await? {
            let telling: Telling = serde_json::from_slice(&bytes).context(telling)?;
            runs.extend(telling.overtaken);
        }
        for run_id in runs.iter().rev().take(SHOWN_QUEUED) {
            let use_case = use_case.as_str();
            let key = RunPlaces { use_case, run_id }.manifest();
            let Some(bytes) = target.get(&platform.bucket, &key).await? else {
                continue;
            };
            let manifest: Manifest = serde_json::from_slice(&bytes).context(key)?;
            let state = match manifest.state {
                RunState::Queued => "queued",
                RunState::Overtaken => "overtaken",
                // It has been started meanwhile, or its call is at it.
                _ => continue,
            };
            let file = manifest
                .source
                .object()
                .map(|object| contracts::notice::plain(&object.key));
            let by = manifest.overtaken_by.map(|run| run.to_string());
            rows.push(vec![
                run_id.to_string(),
                use_case.to_owned(),
                state.to_owned(),
                file.unwrap_or_else(|| "retraining by drift".to_owned()),
                by.unwrap_or_default(),
            ]);
        }
        let more = runs.len().saturating_sub(SHOWN_QUEUED);
        if more > 0 {
            rows.push(vec![
                format!("and {more} more"),
                use_case,
                String::new(),
                String::new(),
                String::new(),
            ]);
        }
    }
    Ok(if rows.len() == 1 {
        "No training runs are queued.\n".to_owned()
    } else {
        ui::table(&rows)
    })
}

#[allow(clippy::cast_precision_loss, reason = "a size for people")]
fn megabytes(bytes: i64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scoring_run_without_a_model_says_so() {
        let summary = |more: serde_json::Value| {
            let mut summary = serde_json::json!({
                "run_id": "20261122t183000z-ab12cd34", "file": "a.csv", "rows": 1, "scored": 1, "rejected": 0, "reasons": [],
                "models": {}, "absent": [],
            });
            summary
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            serde_json::from_value::<ScoringSummary>(summary).unwrap()
        };
        assert_eq!(shown(&summary(serde_json::json!({}))), "");
        let why = serde_json::json!({"absent": ["a", "b"], "absent_because": {"b": "the job was stopped"}});
        assert_eq!(
            shown(&summary(why)),
            "without a: it did not answer; without b: the job was stopped"
        );
    }
}
