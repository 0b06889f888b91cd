//! People decide what serves: a rollback to a former champion during requests, a held candidate approved, another
//! rejected.

use crate::case::Case;
use crate::replacement::Requests;
use contracts::decision::ApprovalAction;
use contracts::{Champion, RunId, Verdict};
use std::collections::BTreeSet;

const ALWAYS_ASK: [(&str, &str); 1] = [("min_holdout_rows: 4", "min_holdout_rows: 4, approval: always")];

/// The model's answer for the test's car.
async fn answer(case: &Case) -> f64 {
    let answer = case.predict().await;
    answer.predictions()[0]["models"]["xgboost"]["value"].as_f64().unwrap()
}

/// Runs a command, and returns the run that it prints.
async fn command(case: &Case, arguments: &[&str]) -> RunId {
    let said = case.stack.drivetrain(arguments).await;
    assert!(said.success, "{arguments:?}: {}", said.stderr);
    let run = said.stdout.lines().find_map(|line| RunId::parse(line.trim()));
    run.unwrap_or_else(|| panic!("{arguments:?} names no run: {}", said.stdout))
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_former_champion_comes_back_in_one_command_and_no_request_fails() {
    let case = Case::new("rollback", "one-model.yaml").await;
    let (first, _) = case.trained("cars.csv", 120).await;
    case.answers_as("xgboost", &first.id).await;
    let (former, before) = (case.champion("xgboost").await.unwrap(), answer(&case).await);
    let (second, ended) = case.trained("cars.csv", 800).await;
    ended.decided(&[("xgboost", Verdict::Exported)]);
    case.answers_as("xgboost", &second.id).await;
    assert_ne!(answer(&case).await, before);

    let requests = Requests::begin(&case);
    let arguments = [
        "rollback",
        &case.id,
        "xgboost",
        "--by",
        "kim",
        "--reason",
        "prices are off",
    ];
    let run = command(&case, &arguments).await;
    let mut versions = requests.until_answered_by(&run).await;
    // Until the promotion is exported, the former champion's value may be reported as that of the run that trained it.
    if let Some(values) = versions.remove(&first.id.to_string()) {
        assert_eq!(values, versions[&run.to_string()], "the same model");
    }
    let expected: BTreeSet<String> = [&second.id, &run].into_iter().map(ToString::to_string).collect();
    assert_eq!(versions.keys().cloned().collect::<BTreeSet<_>>(), expected);
    // Each version has one value for the same request, and the new one has the former champion's.
    assert!(versions.values().all(|values| values.len() == 1), "{versions:?}");
    assert_eq!(answer(&case).await, before, "the former champion's own answer");

    let champion = case.champion("xgboost").await.unwrap();
    of_the_same_model(&champion, &former);
    assert_eq!(champion.run_id, run);
    assert_eq!(champion.promoted_from.as_ref(), Some(&first.id));
    assert_eq!(champion.previous.as_ref(), Some(&second.id));
    assert_eq!(champion.baselines, former.baselines);
    let endpoint = case.endpoint(&champion.endpoint_name).await;
    assert_eq!(endpoint["EndpointStatus"], "InService");
    assert_eq!(endpoint["EndpointConfigName"], champion.endpoint_config.as_str());
    let key = contracts::places::use_case::history(&case.id, "xgboost", &run);
    assert_eq!(case.stack.document::<Champion>(&key).await.as_ref(), Some(&champion));

    let decisions = case.decisions(&run).await;
    let decision = &decisions["xgboost"];
    assert_eq!(decision.decision, Some(Verdict::Exported));
    let approval = decision.approval.as_ref().unwrap();
    assert_eq!(
        (approval.action, approval.by.as_str(), approval.reason.as_str()),
        (ApprovalAction::Rollback, "kim", "prices are off")
    );
    for text in ["rolls xgboost back", "rollback of xgboost by kim succeeded"] {
        let mail = case.mail(text, |mail| mail.subject.contains(text)).await;
        assert!(mail.message.contains("prices are off"), "{mail:?}");
    }
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_held_candidate_serves_once_it_is_approved_and_a_rejected_one_does_not() {
    let case = Case::with("approve", "one-model.yaml", &ALWAYS_ASK).await;
    let (first, ended) = case.trained("cars.csv", 400).await;
    ended.decided(&[("xgboost", Verdict::Held)]);
    assert_eq!(case.champion("xgboost").await, None);
    let first_run = first.id.to_string();
    let of_first = [
        "approve",
        &case.id,
        "xgboost",
        &first_run,
        "--by",
        "kim",
        "--reason",
        "the first",
    ];
    let run = command(&case, &of_first).await;
    let champion = case.champion("xgboost").await.unwrap();
    assert_eq!((&champion.run_id, champion.trained_by()), (&run, &first.id));
    assert!(champion.baselines.is_some());
    case.answers_as("xgboost", &run).await;
    let approval = case.decisions(&first.id).await["xgboost"].approval.clone().unwrap();
    assert_eq!(
        (approval.action, approval.run_id.as_ref()),
        (ApprovalAction::Approve, Some(&run))
    );

    let (second, ended) = case.trained("cars.csv", 2500).await;
    ended.decided(&[("xgboost", Verdict::Held)]);
    let second_run = second.id.to_string();
    let of_second = [
        "reject",
        &case.id,
        "xgboost",
        &second_run,
        "--by",
        "lee",
        "--reason",
        "a test file",
    ];
    let said = case.stack.drivetrain(&of_second).await;
    assert!(said.success, "{}", said.stderr);
    assert_eq!(case.champion("xgboost").await.as_ref(), Some(&champion));
    let decisions = case.decisions(&second.id).await;
    assert_eq!(decisions["xgboost"].decision, Some(Verdict::RejectedByPerson));
    assert_eq!(decisions["xgboost"].approval.as_ref().unwrap().by, "lee");
    case.finish().await;
}

/// Asserts that two champions are the same model.
fn of_the_same_model(one: &Champion, other: &Champion) {
    let of = |it: &Champion| {
        (
            it.model_name.clone(),
            it.training_job.clone(),
            it.holdout_rmse,
            it.columns.clone(),
        )
    };
    assert_eq!(of(one), of(other));
}
