//! The functions, as the machines see them: what they accept, and one answer of every form. The answers are built from
//! the functions' own types and include every variant of their enums: a new variant doesn't compile until it is listed
//! here.

use super::payload::{Faults, ignored, not_taken, request};
use check_endpoint::{Action, Look};
use consolidate_captures::Committed;
use contracts::champion::Baselines;
use contracts::drift::{Outcome, Skipped, SkippedKind};
use contracts::monitoring::{DriftDetected, Joined, Payload};
use contracts::{ModelRun, RunId, Verdict, Window};
use export_config::Outcome as Exported;
use refresh_dashboard::Ingestion;
use rmse_gate::ChampionFound;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Debug;

/// The result of a call.
#[derive(Clone, Debug, Default)]
pub struct Called {
    /// What is wrong with the call: field and fault.
    pub faults: Faults,
    /// The possible forms of the answer; empty for a call that isn't accepted.
    pub results: Vec<Value>,
}

/// The names of a function's own errors; `None` if there is no such function.
pub fn errors(function: &str) -> Option<&'static [&'static str]> {
    Some(match function {
        "check-endpoint" => check_endpoint::Error::TYPES,
        "consolidate-captures" => consolidate_captures::Error::TYPES,
        "evaluate-drift" => evaluate_drift::Error::TYPES,
        "export-config" => export_config::Error::TYPES,
        "notify-run" => notify_run::Error::TYPES,
        "query-metrics" => query_metrics::Error::TYPES,
        "refresh-dashboard" => refresh_dashboard::Error::TYPES,
        "rmse-gate" => rmse_gate::Error::TYPES,
        "start-run" => start_run::Error::TYPES,
        _ => return None,
    })
}

/// Calls a function by name.
pub fn call(function: &str, payload: &Value) -> Called {
    match function {
        "check-endpoint" => answered(payload, check_endpoint),
        "consolidate-captures" => answered(payload, consolidate_captures),
        "evaluate-drift" => answered(payload, evaluate_drift),
        "export-config" => answered(payload, export_config),
        "query-metrics" => answered(payload, query_metrics),
        "refresh-dashboard" => answered(payload, refresh_dashboard),
        "rmse-gate" => answered(payload, rmse_gate),
        "start-run" => start_run(payload),
        other => Called {
            faults: vec![(
                String::new(),
                format!("no machine has called {other} before: say here what it answers"),
            )],
            results: Vec::new(),
        },
    }
}

fn answered<Q, A>(payload: &Value, answers: fn(&Q) -> Vec<A>) -> Called
where
    Q: DeserializeOwned + Debug,
    A: Serialize,
{
    match request(payload) {
        Ok(request) => Called {
            faults: Faults::new(),
            results: answers(&request)
                .iter()
                .map(|it| serde_json::to_value(it).unwrap())
                .collect(),
        },
        Err(faults) => Called {
            faults,
            results: Vec::new(),
        },
    }
}

/// All variants of an enum. The match makes sure that none is missing.
macro_rules! every {
    ($of:ident: $($word:ident),+ $(,)?) => {{
        let known = |word: &$of| match word { $($of::$word)|+ => () };
        let all = [$($of::$word),+];
        all.iter().for_each(known);
        all
    }};
}

fn check_endpoint(request: &check_endpoint::Request) -> Vec<check_endpoint::Response> {
    use check_endpoint::{Request, Response};
    match request {
        Request::Prepare { .. } | Request::Verify { .. } | Request::Restore { .. } => {}
        Request::Reconcile | Request::Onboard { .. } | Request::Offboard { .. } => return Vec::new(),
    }
    let actions = every!(Action: Create, Update, Wait, Replace, Verify, Recompare, Superseded, Verified, RolledBack, Fail,
        Serving, Left, Stuck);
    let looks = actions.into_iter().map(|action| (action, false));
    let begun = [(Action::Update, true), (Action::Wait, true)];
    let looks = looks.chain(begun).map(|(action, changes)| Look {
        action,
        reason: "because".to_owned(),
        endpoint_status: "InService".to_owned(),
        deregister_scaling: changes,
        begun: changes,
    });
    looks.map(Response::Look).collect()
}

fn consolidate_captures(request: &consolidate_captures::Request) -> Vec<consolidate_captures::Response> {
    use consolidate_captures::{Request, Response};
    match request {
        Request::Consolidate(task) | Request::Adopt(task) => windows(&task.run)
            .into_iter()
            .map(|window| Response::Window(Box::new(window)))
            .collect(),
        Request::Commit { .. } => every!(Committed: Committed, Superseded)
            .map(|outcome| Response::Commit { outcome })
            .into(),
    }
}

/// Windows with every combination of their optional parts.
fn windows(run: &ModelRun) -> Vec<Window> {
    let mut windows = Vec::new();
    for payload in every!(Payload: None, Waiting, Ready) {
        for bits in 0..16_u8 {
            let has = |bit: u8| bits & (1 << bit) != 0;
            let skipped = every!(SkippedKind: Record, Label, Rest, Known).map(|kind| Skipped {
                reason: "too few fields".to_owned(),
                kind,
                rows: 1,
                first: "a.jsonl: line 1".to_owned(),
            });
            let folder = |name: &str| format!("s3://{}/{name}/", run.bucket);
            windows.push(Window {
                run: run.clone(),
                number: 0,
                from: "2026-11-22T18:00:00Z".parse().unwrap(),
                to: "2026-11-22T18:15:00Z".parse().unwrap(),
                payload,
                oversize: has(0),
                has_data: has(1),
                has_ground_truth: has(2),
                has_baselines: has(3),
                endpoint_config: if has(1) { "config" } else { "" }.to_owned(),
                champion: has(1).then(|| run.run_id.clone()),
                baselines: Baselines {
                    data: if has(3) { folder("data") } else { String::new() },
                    quality: if has(3) { folder("quality") } else { String::new() },
                },
                files: 1,
                bytes: 1,
                records: 1,
                batch_records: 0,
                skipped: if has(1) { skipped.into() } else { Vec::new() },
                ground_truth: Joined::default(),
                data_uri: folder("window/data"),
                quality_uri: folder("window/quality"),
                sources_uri: folder("window") + "sources.json",
                scoring_runs: if has(2) { vec![run.run_id.clone()] } else { Vec::new() },
                more: false,
            });
        }
    }
    windows
}

/// As the function's rules have it: drift is announced, and a window that could not be analysed is not committed,
/// unless the champion has no baselines.
fn evaluate_drift(request: &evaluate_drift::Request) -> Vec<evaluate_drift::Response> {
    let run = &request.run;
    let outcomes = every!(Outcome: Clean, Drifted, InsufficientData, Error);
    let forms = outcomes
        .into_iter()
        .flat_map(|outcome| [(outcome, None), (outcome, Some("subject".to_owned()))]);
    forms
        .map(|(outcome, told)| {
            let detail = (outcome == Outcome::Drifted).then(|| drift(run));
            evaluate_drift::Response {
                outcome,
                reason: "because".to_owned(),
                announce: detail.is_some(),
                detail,
                commit: outcome != Outcome::Error || !request.window.has_baselines,
                told,
            }
        })
        .collect()
}

fn drift(run: &ModelRun) -> DriftDetected {
    DriftDetected {
        stack: "sim".to_owned(),
        use_case: run.use_case.clone(),
        model: run.model.clone(),
        run_id: run.run_id.clone(),
        champion: run.run_id.clone(),
        found_at: "2026-11-22T18:15:00Z".parse().unwrap(),
        kinds: vec!["data".to_owned()],
        top_features: vec!["year".to_owned()],
        drifted_metrics: vec!["rmse".to_owned()],
    }
}

fn export_config(request: &export_config::Request) -> Vec<export_config::Response> {
    every!(Exported: Exported, Superseded, ChampionChanged)
        .map(|decision| export_config::Response {
            decision,
            version: request.run.run_id.clone(),
            reason: "because".to_owned(),
        })
        .into()
}

fn query_metrics(request: &query_metrics::Request) -> Vec<query_metrics::Response> {
    [Some(1.5), None]
        .map(|value_rmse| query_metrics::Response {
            metric: request.metric.name.clone(),
            value_rmse,
            training_seconds: value_rmse.map(|_| 60),
        })
        .into()
}

fn refresh_dashboard(request: &refresh_dashboard::Request) -> Vec<refresh_dashboard::Response> {
    // The machine asks for a run's.
    let refresh_dashboard::Request::Watched { run } = request else {
        return Vec::new();
    };
    let ingestion = Ingestion {
        data_set_id: "windows".to_owned(),
        ingestion_id: run.run_id.to_string(),
    };
    [vec![ingestion], Vec::new()]
        .map(|ingestions| refresh_dashboard::Response {
            dashboard_uri: Some("s3://bucket/dashboard.html".to_owned()),
            ingestions,
        })
        .into()
}

fn rmse_gate(request: &rmse_gate::Request) -> Vec<rmse_gate::Response> {
    use rmse_gate::{Request, Response};
    let reason = || "because".to_owned();
    match request {
        Request::Threshold { .. } => [true, false]
            .map(|passed| Response::Threshold {
                passed,
                reason: reason(),
            })
            .into(),
        Request::Champion { run, .. } => champions(run)
            .into_iter()
            .map(|it| Response::Champion(Box::new(it)))
            .collect(),
        Request::Compare(_) => [(true, Some(2.5)), (true, None), (false, Some(2.5)), (false, None)]
            .map(|(passed, champion_rmse)| Response::Compare {
                passed,
                reason: reason(),
                candidate_rmse: 1.5,
                champion_rmse,
                holdout_rows: 100,
                holdout: "s3://bucket/holdout/".to_owned(),
                holdout_reference_rmse: 1.5,
            })
            .into(),
        Request::Doubt { .. } => [true, false]
            .map(|held| Response::Doubt { held, reason: reason() })
            .into(),
        Request::Promote { .. } => [("etag", true), ("etag", false), ("", false)]
            .map(|(etag, superseded)| Response::Replaced {
                etag: etag.to_owned(),
                superseded,
                reason: reason(),
            })
            .into(),
        Request::NotifyRejection { run } | Request::Fail { run, .. } | Request::Supersede { run, .. } => {
            let verdicts = every!(Verdict: Exported, RejectedThreshold, RejectedChampion, RejectedNaive, Held,
                RejectedByPerson, Superseded, Failed);
            verdicts
                .map(|decision| Response::Ended {
                    model: run.model.clone(),
                    decision,
                    reason: reason(),
                })
                .into()
        }
    }
}

/// No champion, one that can be compared, the same with doubts, one that can't be compared, and one of a newer run.
fn champions(run: &ModelRun) -> Vec<ChampionFound> {
    let found = ChampionFound {
        found: true,
        comparable: true,
        etag: "etag".to_owned(),
        model_name: "model".to_owned(),
        run_id: run.run_id.to_string(),
        superseded: false,
        holdout: "s3://bucket/holdout/".to_owned(),
        holdout_reference_rmse: 1.5,
        data_baseline: "s3://bucket/baselines/data/".to_owned(),
        own_scores_uri: "s3://bucket/scores/".to_owned(),
        doubts: Vec::new(),
        reason: "because".to_owned(),
    };
    vec![
        ChampionFound::default(),
        ChampionFound {
            doubts: vec!["the target has changed".to_owned()],
            ..found.clone()
        },
        ChampionFound {
            comparable: false,
            ..found.clone()
        },
        ChampionFound {
            superseded: true,
            ..found.clone()
        },
        found,
    ]
}

/// Its answer is not used: machines call it in place of an event.
fn start_run(payload: &Value) -> Called {
    let read = |payload: Value| match start_run::read(payload) {
        Ok(request) => Ok(format!("{request:?}")),
        Err(error) => Err(error.to_string()),
    };
    let faults = match read(payload.clone()) {
        Ok(_) => ignored(payload, &read),
        Err(error) => vec![(String::new(), not_taken(&error, payload))],
    };
    let results = if faults.is_empty() {
        vec![Value::Null]
    } else {
        Vec::new()
    };
    Called { faults, results }
}

/// The run that all samples belong to.
pub fn run_id() -> RunId {
    RunId::parse("20261122t183000z-ab12cd34").unwrap()
}
