//! Deliberate mistakes of every kind: each must be found, and in the right place.

use super::{Finding, check, errors, machine, plans};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A state of a machine, at any depth.
fn state<'a>(machine: &'a mut Value, name: &str) -> &'a mut Value {
    fn find<'a>(machine: &'a mut Value, name: &str) -> Option<&'a mut Value> {
        machine["States"].as_object_mut()?.iter_mut().find_map(|(own, state)| {
            if own == name {
                return Some(state);
            }
            let state = state.as_object_mut()?;
            if state.contains_key("ItemProcessor") {
                return find(state.get_mut("ItemProcessor")?, name);
            }
            state
                .get_mut("Branches")?
                .as_array_mut()?
                .iter_mut()
                .find_map(|branch| find(branch, name))
        })
    }
    find(machine, name).unwrap_or_else(|| panic!("there is no state {name}"))
}

/// What is found in the training machine, given one of its plans and changes to both.
fn training(change: impl FnOnce(&mut Value), plan: usize, replan: impl FnOnce(&mut Value)) -> BTreeSet<Finding> {
    let mut machine = machine("training");
    change(&mut machine);
    let mut plan = plans::training().remove(plan);
    replan(&mut plan);
    check("training", &machine, &[plan])
}

/// The index of the plan of a run with one model, and that of a promotion.
const RUN: usize = 1;
const PROMOTION: usize = 2;

fn of_machine(change: impl FnOnce(&mut Value)) -> BTreeSet<Finding> {
    training(change, RUN, |_| {})
}

fn of_plan(replan: impl FnOnce(&mut Value)) -> BTreeSet<Finding> {
    training(|_| {}, RUN, replan)
}

fn monitoring(change: impl FnOnce(&mut Value)) -> BTreeSet<Finding> {
    let mut machine = machine("monitor");
    change(&mut machine);
    check("monitor", &machine, &plans::monitoring())
}

/// Whether there is a finding about that state whose text contains all the parts.
#[track_caller]
fn has(findings: &BTreeSet<Finding>, state: &str, parts: &[&str]) {
    let fits =
        |finding: &&Finding| finding.state == state && parts.iter().all(|part| finding.to_string().contains(part));
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(
        findings.iter().any(|it| fits(&it)),
        "{state} {parts:?} is not among:\n{}",
        lines.join("\n")
    );
}

#[test]
fn a_field_of_the_plan_under_another_name() {
    let findings = of_plan(|plan| {
        let endpoint = plan["models"][0]["endpoint"].as_object_mut().unwrap();
        let seconds = endpoint.remove("poll_seconds").unwrap();
        endpoint.insert("poll_s".to_owned(), seconds);
    });
    let parts = [
        "Parameters.poll_seconds.$",
        "`$.endpoint.poll_seconds` is not there",
        "poll_s",
    ];
    has(&findings, "CheckEndpoint", &parts);
}

#[test]
fn a_misspelt_path() {
    let findings = of_machine(|machine| {
        state(machine, "SaveCandidate")["Parameters"]["Value.$"] = json!("States.JsonToString($.candidat)");
    });
    has(
        &findings,
        "SaveCandidate",
        &["Parameters.Value.$", "`$.candidat`", "candidate"],
    );
    let findings = of_machine(|machine| {
        state(machine, "WaitForTurn")["SecondsPath"] = json!("$.endpoint.name");
    });
    has(&findings, "WaitForTurn", &["SecondsPath", "must be a number"]);
}

#[test]
fn a_path_into_a_job_that_the_job_does_not_promise() {
    let findings = of_machine(|machine| {
        state(machine, "TrainModel")["ResultSelector"]["model_data_url.$"] = json!("$.ModelArtifacts.S3Uri");
    });
    let parts = [
        "ResultSelector.model_data_url.$",
        "`$.ModelArtifacts.S3Uri`",
        "S3ModelArtifacts",
    ];
    has(&findings, "TrainModel", &parts);
}

#[test]
fn an_error_that_the_function_does_not_have() {
    let findings = of_machine(|machine| {
        state(machine, "ExportConfig")["Retry"][0]["ErrorEquals"][0] = json!("ChampionUnsetled");
    });
    has(
        &findings,
        "ExportConfig",
        &["Retry.ErrorEquals", "`ChampionUnsetled`", "ChampionUnsettled"],
    );
    // Neither does another function's.
    let findings = of_machine(|machine| {
        state(machine, "VerifyEndpoint")["Catch"][0]["ErrorEquals"] = json!(["ChampionUnsettled"]);
    });
    has(
        &findings,
        "VerifyEndpoint",
        &["Catch.ErrorEquals", "`ChampionUnsettled`"],
    );
}

#[test]
fn a_word_that_is_never_said() {
    let findings = of_machine(|machine| {
        state(machine, "EndpointAction")["Choices"][0]["StringEquals"] = json!("make");
    });
    has(
        &findings,
        "EndpointAction",
        &["`$.check.action` is never `make`", "create", "rolled-back"],
    );
}

#[test]
fn a_comparison_with_another_type() {
    let findings = monitoring(|machine| {
        let rule = &mut state(machine, "Commits")["Choices"][0];
        *rule = json!({"Variable": "$.evaluation.commit", "StringEquals": "true", "Next": "CommitBookmark"});
    });
    has(&findings, "Commits", &["`$.evaluation.commit`", "another type"]);
}

#[test]
fn a_parameter_that_is_missing() {
    let findings = of_machine(|machine| {
        let parameters = state(machine, "CompareWithChampion")["Parameters"]
            .as_object_mut()
            .unwrap();
        parameters.remove("gate.$").unwrap();
    });
    has(&findings, "CompareWithChampion", &["missing field `gate`"]);
    // An optional field is not allowed to go missing either if another field takes its place.
    let findings = of_machine(|machine| {
        let parameters = state(machine, "CompareWithChampion")["Parameters"]
            .as_object_mut()
            .unwrap();
        let errors = parameters.remove("champion_error.$").unwrap();
        parameters.insert("champions_error.$".to_owned(), errors);
    });
    has(
        &findings,
        "CompareWithChampion",
        &["Parameters.champions_error", "doesn't read it"],
    );
}

#[test]
fn a_parameter_too_many() {
    let findings = of_machine(|machine| {
        state(machine, "ExportConfig")["Parameters"]["champion"]["region"] = json!("us-east-1");
    });
    has(
        &findings,
        "ExportConfig",
        &["Parameters.champion.region", "doesn't read it"],
    );
    let findings = monitoring(|machine| {
        state(machine, "TakeUpDrift")["Parameters"]["source"] = json!("monitor");
    });
    has(&findings, "TakeUpDrift", &["Parameters.source", "doesn't read it"]);
}

#[test]
fn a_result_at_another_place() {
    let findings = of_machine(|machine| {
        state(machine, "SaveModel")["ResultPath"] = json!("$.stored");
    });
    has(
        &findings,
        "DescribeCandidate",
        &["Parameters.model_name.$", "`$.saved.model_name`", "stored"],
    );
    let findings = of_machine(|machine| {
        state(machine, "SaveModel")["ResultPath"] = json!("$.run.model.saved");
    });
    has(
        &findings,
        "SaveModel",
        &["ResultPath", "goes through what is no object"],
    );
}

#[test]
fn an_error_without_a_line_in_the_document() {
    let document = errors::document();
    let lines = document.lines().filter(|line| !line.starts_with("| `HoldoutMismatch`"));
    let findings = errors::of_document(&lines.collect::<Vec<_>>().join("\n"));
    assert_eq!(findings.len(), 1, "{findings:?}");
    has(
        &findings,
        "rmse-gate",
        &["docs/errors.md", "`HoldoutMismatch`", "has no line"],
    );
    let findings = errors::of_document(&document.replace("`DriftUnannounced`", "`DriftUntold`"));
    has(
        &findings,
        "The monitoring machine",
        &["`DriftUnannounced`", "has no line"],
    );
    has(
        &findings,
        "The monitoring machine",
        &["`DriftUntold`", "is none of its errors"],
    );
}

#[test]
fn a_request_that_sagemaker_refuses() {
    let findings = of_machine(|machine| {
        let variant = &mut state(machine, "CreateEndpointConfig")["Parameters"]["ProductionVariants"][0];
        variant["InitialWeight"] = json!(1);
    });
    has(&findings, "CreateEndpointConfig", &["InitialWeight"]);
    let findings = of_plan(|plan| {
        plan["models"][0]["holdout"]["BatchStrategy"] = json!("ManyRecords");
    });
    has(
        &findings,
        "ScoreCandidate",
        &["CreateTransformJob", "ManyRecords", "MultiRecord"],
    );
}

#[test]
fn a_request_without_what_another_service_needs() {
    let findings = monitoring(|machine| {
        let parameters = state(machine, "RefreshDataSet")["Parameters"].as_object_mut().unwrap();
        parameters.remove("IngestionId.$").unwrap();
    });
    has(&findings, "RefreshDataSet", &["Parameters.IngestionId", "needs it"]);
}

#[test]
fn an_event_or_a_document_that_its_reader_does_not_take() {
    let findings = of_machine(|machine| {
        let entry = &mut state(machine, "AnnounceChampion")["Parameters"]["Entries"][0];
        entry["Detail"] = json!({"usecase.$": "$.run.use_case"});
    });
    has(
        &findings,
        "AnnounceChampion",
        &["start-run can't read the event", "`use_case`"],
    );
    let mut machine = machine("scoring");
    state(&mut machine, "ModelScored")["Parameters"] = json!({"name.$": "$.run.model", "outcome": "scored"});
    let findings = check("scoring", &machine, &plans::scoring());
    has(
        &findings,
        "RecordOutcomes",
        &["drivetrain-combine can't read it", "`model`"],
    );
}

#[test]
fn a_cause_that_an_error_need_not_have() {
    let findings = monitoring(|machine| {
        state(machine, "DriftUnannounced")["CausePath"] = json!("$.error.Cause");
    });
    has(
        &findings,
        "DriftUnannounced",
        &["CausePath", "`$.error.Cause` is not there", "has Error"],
    );
}

#[test]
fn a_path_into_another_branch() {
    let findings = of_machine(|machine| {
        state(machine, "ScoreHoldout")["ResultSelector"]["champion_error.$"] = json!("$[0].error");
    });
    has(
        &findings,
        "ScoreHoldout",
        &["ResultSelector.champion_error.$", "`$[0].error`", "scored"],
    );
    // What one branch knows is unknown to the other.
    let findings = monitoring(|machine| {
        state(machine, "ModelDriftUnknown")["Parameters"]["error.$"] = json!("$.analyses.data.error");
    });
    has(&findings, "ModelDriftUnknown", &["`$.analyses.data.error`"]);
}

#[test]
fn a_way_on_which_something_is_not_there_yet() {
    // A bookmark is not committed on every way.
    let findings = monitoring(|machine| {
        let rule = &mut state(machine, "Announces")["Choices"][0];
        rule["And"].as_array_mut().unwrap().remove(0);
    });
    has(&findings, "Announces", &["Variable $.commit.outcome", "is not there"]);
    // A promotion has no judgement.
    let change = |machine: &mut Value| {
        let rule = &mut state(machine, "DoubtPossible")["Choices"][0];
        rule["And"].as_array_mut().unwrap().remove(0);
    };
    let findings = training(change, PROMOTION, |_| {});
    has(
        &findings,
        "DoubtPossible",
        &["Variable $.comparison.passed", "candidate_rmse"],
    );
}

#[test]
fn a_state_that_nothing_leads_to() {
    let findings = of_machine(|machine| {
        state(machine, "QuotaWaitsLeft")["Default"] = json!("WaitForQuota");
        state(machine, "RoundsLeft")["Default"] = json!("Promoted");
    });
    has(
        &findings,
        "TooManyRounds",
        &["nothing that plans, functions and AWS say leads here"],
    );
}
