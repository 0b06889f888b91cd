//! Promotions: held candidates are approved or rejected, and former champions come back, once each.

use crate::account::{BUCKET, CHAMPION, account, call, call_at, document, dropped, export, machines, onboard, replace};
use fake_aws::{FakeAws, Reply};
use serde_json::{Value, json};
use start_run::{Error, Outcome};

/// The run of the champion that has replaced the first.
const SUCCESSOR: &str = "20261110t000000z-0a0b0c0d";

/// An account in which model `one` has had two champions.
fn two_champions() -> FakeAws {
    let aws = account(&json!({}));
    export(&aws, "one");
    replace(&aws, "one", SUCCESSOR);
    aws
}

fn rollback(run: &str) -> Value {
    promote(run, "rollback")
}

fn promote(run: &str, action: &str) -> Value {
    json!({"promote": {
        "use_case": "cars", "model": "one", "run_id": run, "action": action, "by": "kim", "reason": "prices are off",
    }})
}

fn reject(run: &str) -> Value {
    json!({"reject": {"use_case": "cars", "model": "one", "run_id": run, "by": "kim", "reason": "too few vans"}})
}

fn decision_key(run: &str) -> String {
    format!("cars/runs/{run}/decisions/one.json")
}

fn decision(aws: &FakeAws, run: &str) -> Value {
    aws.object_json(BUCKET, &decision_key(run)).unwrap()
}

/// A run whose candidate of model `one` was held; gives the run.
async fn held(aws: &FakeAws, compared_with: Option<&str>) -> String {
    let event = dropped(aws, "cars/training/incoming/a.csv", "year,fuel,price\n2015,gas,1\n");
    let run = call(aws, event).await.run_id.unwrap().to_string();
    aws.end_execution(&run);
    let decision = json!({
        "bucket": BUCKET, "use_case": "cars", "model": "one", "run_id": run, "decision": "held",
        "reason": "year has drifted", "decided_at": "2026-11-22T18:00:00Z", "notified_at": "2026-11-22T18:00:00Z",
        "candidate": {"model_name": "held-pipeline", "training_job": "held-job", "scores_uri": "s3://b/scores/"},
        "comparison": {
            "candidate_rmse": 4.5, "champion_rmse": 5.0, "champion_run_id": compared_with, "holdout_rows": 120,
            "min_improvement": 0.0, "passed": true,
        },
    });
    aws.put_object(BUCKET, &decision_key(&run), decision.to_string());
    run
}

/// Leaves in the account what the run of a promotion leaves when it has ended.
fn ended(aws: &FakeAws, run: &str, verdict: &str) {
    aws.end_execution(run);
    let decision = json!({
        "bucket": BUCKET, "use_case": "cars", "model": "one", "run_id": run, "decision": verdict, "reason": "",
        "decided_at": "2026-11-22T18:00:00Z",
    });
    aws.put_object(BUCKET, &decision_key(run), decision.to_string());
}

async fn refusal(aws: &FakeAws, request: Value) -> Error {
    call_at(aws, request, "2026-11-22T18:00:09Z").await.unwrap_err()
}

#[tokio::test]
async fn a_former_champion_comes_back_by_a_run_that_trains_nothing() {
    let aws = two_champions();
    let response = call(&aws, rollback(CHAMPION)).await;
    assert_eq!(response.outcome, Outcome::Started);
    assert_eq!(machines(&aws), ["dev-training"]);
    let execution = &aws.executions()[0];
    let plan: contracts::Plan = serde_json::from_value(execution.input.clone()).unwrap();
    assert_eq!((plan.preprocess.is_none(), plan.models.len()), (true, 1));
    let branch = &plan.models[0];
    let made = branch.made.as_ref().unwrap();
    assert_eq!(made.saved.model_name, "pipeline-one");
    assert_eq!(branch.trained_by.to_string(), CHAMPION);
    assert!(branch.baselines.made);
    // Newer than every champion and every run before it.
    let run = response.run_id.unwrap();
    assert!(run.to_string().as_str() > SUCCESSOR);
    let branch: Value = execution.input["models"][0].clone();
    insta::assert_json_snapshot!(
        "plan_of_a_rollback",
        json!({
            "promotion": branch["promotion"], "trained": branch["trained"], "saved": branch["saved"],
            "comparison": branch["comparison"], "trained_by": branch["trained_by"], "names": branch["names"],
        })
    );
    insta::assert_json_snapshot!(
        "manifest_of_a_rollback",
        crate::account::manifest(&aws, &run.to_string())
    );
    insta::assert_snapshot!("mail_of_a_rollback", aws.published()[0].message);
    // Nothing was read or copied but documents.
    assert!(aws.calls_of("CopyObject").is_empty());
}

#[tokio::test]
async fn a_held_candidate_is_approved_and_its_decision_says_by_whom() {
    let aws = two_champions();
    let held = held(&aws, Some(SUCCESSOR)).await;
    // Another document since then: the candidate is what its own document says.
    onboard(&aws, &json!({"gate": {"min_improvement": 0.01}}));
    let response = call(&aws, promote(&held, "approve")).await;
    let run = response.run_id.unwrap().to_string();
    let decision = decision(&aws, &held);
    assert_eq!(decision["decision"], "held");
    assert_eq!(
        decision["approval"],
        json!({"action": "approve", "by": "kim", "reason": "prices are off", "at": "2026-11-22T18:00:05Z", "run_id": run})
    );
    let execution = aws.executions().pop().unwrap();
    let branch = &execution.input["models"][0];
    assert_eq!(branch["saved"]["model_name"], "held-pipeline");
    assert_eq!(branch["trained"]["training_job"], "held-job");
    assert_eq!(branch["comparison"]["candidate_rmse"], 4.5);
    assert_eq!(
        branch["comparison"]["holdout"],
        format!("s3://{BUCKET}/cars/runs/{held}/data/holdout/")
    );
    assert_eq!(branch["promotion"]["replaces"], SUCCESSOR);
    // Its baselines are made in the run that trained it, since they are not there.
    assert_eq!(branch["baselines"]["made"], false);
    assert_eq!(
        branch["baselines"]["places"]["data"],
        format!("s3://{BUCKET}/cars/runs/{held}/baselines/one/data/")
    );
    assert_eq!(
        crate::account::manifest(&aws, &run)["config_version"],
        execution.input["config_version"]
    );
}

#[tokio::test]
async fn baselines_that_are_there_are_not_made_again() {
    let aws = two_champions();
    let held = held(&aws, Some(SUCCESSOR)).await;
    for of in ["data", "quality"] {
        aws.put_object(
            BUCKET,
            &format!("cars/runs/{held}/baselines/one/{of}/constraints.json"),
            "{}",
        );
    }
    call(&aws, promote(&held, "approve")).await;
    let branch = &aws.executions().pop().unwrap().input["models"][0];
    assert_eq!(branch["baselines"]["made"], true);
}

#[tokio::test]
async fn the_same_promotion_asked_for_twice_is_one_run() {
    for action in ["approve", "rollback"] {
        let aws = two_champions();
        let run = match action {
            "approve" => held(&aws, Some(SUCCESSOR)).await,
            _ => CHAMPION.to_owned(),
        };
        let before = aws.executions().len();
        let (one, other) = tokio::join!(
            call_at(&aws, promote(&run, action), "2026-11-22T18:00:05Z"),
            call_at(&aws, promote(&run, action), "2026-11-22T18:00:07Z"),
        );
        let later = call_at(&aws, promote(&run, action), "2026-11-22T18:00:30Z")
            .await
            .unwrap();
        assert_eq!(later.outcome, Outcome::Duplicate, "{action}");
        let runs = [one.unwrap().run_id, other.unwrap().run_id];
        assert_eq!(runs, [later.run_id.clone(), later.run_id], "{action}");
        assert_eq!(aws.executions().len(), before + 1, "{action}");
    }
}

fn by(mut request: Value, name: &str, reason: &str) -> Value {
    request["promote"]["by"] = name.into();
    request["promote"]["reason"] = reason.into();
    request
}

/// Who and why stand in decisions and mails: they are one person's, and the other must not believe that it was theirs.
#[tokio::test]
async fn of_two_people_at_once_one_is_carried_out_and_the_other_is_told() {
    for action in ["approve", "rollback"] {
        let aws = two_champions();
        let run = match action {
            "approve" => held(&aws, Some(SUCCESSOR)).await,
            _ => CHAMPION.to_owned(),
        };
        let (executions, mails) = (aws.executions().len(), aws.published().len());
        let ask = |name: &str| by(promote(&run, action), name, &format!("{name}'s reason"));
        let (kim, lee) = tokio::join!(
            call_at(&aws, ask("kim"), "2026-11-22T18:00:05Z"),
            call_at(&aws, ask("lee"), "2026-11-22T18:00:05Z"),
        );
        let (first, started, error) = match (kim, lee) {
            (Ok(started), Err(error)) => ("kim", started, error),
            (Err(error), Ok(started)) => ("lee", started, error),
            both => panic!("{action}: {both:?}"),
        };
        assert_eq!(started.outcome, Outcome::Started, "{action}");
        assert_eq!(error.error_type(), "AlreadyDecided");
        let promotion = started.run_id.unwrap().to_string();
        for told in [
            &format!("{first} has said `{action}` at 2026-11-22 18:00:05 UTC:"),
            &promotion,
        ] {
            assert!(error.to_string().contains(told.as_str()), "{action}: {error}");
        }
        assert_eq!(aws.executions().len(), executions + 1, "{action}");
        assert_eq!(aws.published().len(), mails + 1, "{action}");
        let source = &crate::account::manifest(&aws, &promotion)["source"];
        assert_eq!(source["by"], first, "{action}: {source}");
        if action == "approve" {
            assert_eq!(decision(&aws, &run)["approval"]["by"], first);
        }
        // The same while the run is under way; whoever was first is answered as before.
        let other = if first == "kim" { "lee" } else { "kim" };
        let late = call_at(&aws, ask(other), "2026-11-22T18:20:00Z").await.unwrap_err();
        assert_eq!(late.error_type(), "AlreadyDecided", "{action}");
        let again = call_at(&aws, ask(first), "2026-11-22T18:20:00Z").await.unwrap();
        assert_eq!(again.outcome, Outcome::Duplicate, "{action}");
        assert_eq!(aws.published().len(), mails + 1, "{action}");
    }
}

#[tokio::test]
async fn what_a_dead_call_has_claimed_another_carries_out_in_its_name() {
    let aws = two_champions();
    aws.fail_next("StartExecution", Reply::error(500, "InternalError", "try again"));
    let ask = |name: &str| by(rollback(CHAMPION), name, "prices are off");
    call_at(&aws, ask("kim"), "2026-11-22T18:00:05Z").await.unwrap_err();
    for at in ["2026-11-22T18:01:00Z", "2026-11-22T18:06:00Z"] {
        let error = call_at(&aws, ask("lee"), at).await.unwrap_err().to_string();
        assert!(error.contains("kim has said `rollback`"), "{error}");
    }
    let executions = aws.executions();
    assert_eq!(executions.len(), 1);
    assert_eq!(executions[0].input["models"][0]["promotion"]["by"], "kim");
}

#[tokio::test]
async fn a_call_that_died_is_carried_on_as_the_same_run() {
    for operation in ["StartExecution", "Publish", "HeadObject"] {
        let aws = two_champions();
        let held = held(&aws, Some(SUCCESSOR)).await;
        let before = aws.executions().len();
        aws.fail_next(operation, Reply::error(500, "InternalError", "try again"));
        let died = call_at(&aws, promote(&held, "approve"), "2026-11-22T18:00:05Z").await;
        assert_eq!(died.unwrap_err().error_type(), "AwsCallFailed", "{operation}");
        let response = call_at(&aws, promote(&held, "approve"), "2026-11-22T18:01:00Z")
            .await
            .unwrap();
        assert_eq!(response.outcome, Outcome::Started, "{operation}");
        let approval = &decision(&aws, &held)["approval"];
        assert_eq!(approval["run_id"], response.run_id.unwrap().to_string(), "{operation}");
        assert_eq!(aws.executions().len(), before + 1, "{operation}");
    }
}

#[tokio::test]
async fn a_promotion_that_failed_may_be_asked_for_again() {
    let aws = two_champions();
    let held = held(&aws, Some(SUCCESSOR)).await;
    let first = call(&aws, promote(&held, "approve")).await.run_id.unwrap().to_string();
    ended(&aws, &first, "failed");
    let again = call_at(&aws, promote(&held, "approve"), "2026-11-22T19:00:00Z")
        .await
        .unwrap();
    let second = again.run_id.unwrap().to_string();
    assert_eq!((again.outcome, second == first), (Outcome::Started, false));
    assert_eq!(decision(&aws, &held)["approval"]["run_id"], second);
    // By the run as well, as any other.
    ended(&aws, &second, "failed");
    let rerun = json!({"rerun": second, "use_case": "cars"});
    let third = call_at(&aws, rerun, "2026-11-22T20:00:00Z").await.unwrap();
    assert_eq!(third.outcome, Outcome::Started);
    assert_ne!(third.run_id.clone().unwrap().to_string(), second);
    ended(&aws, &third.run_id.unwrap().to_string(), "exported");
    let error = refusal(&aws, promote(&held, "approve")).await;
    assert_eq!(error.error_type(), "AlreadyDecided");
    assert!(error.to_string().contains("kim has said `approve`"), "{error}");
}

/// The word of one person about one champion is not said again in their name once it has been carried out, or once another
/// model serves.
#[tokio::test]
async fn only_a_promotion_that_failed_is_run_again() {
    for verdict in ["exported", "superseded"] {
        let aws = two_champions();
        let run = call(&aws, rollback(CHAMPION)).await.run_id.unwrap().to_string();
        ended(&aws, &run, verdict);
        let (executions, mails) = (aws.executions().len(), aws.published().len());
        let error = refusal(&aws, json!({"rerun": run, "use_case": "cars", "by": "lee"})).await;
        assert_eq!(error.error_type(), "AlreadyDecided");
        let text = error.to_string();
        assert!(text.contains(&format!("has ended `{verdict}`")), "{text}");
        assert!(
            text.contains(&format!("rollback cars one {CHAMPION} --reason '…'")),
            "{text}"
        );
        assert_eq!((aws.executions().len(), aws.published().len()), (executions, mails));
    }
    // It has failed, but another champion than the one that it was to replace serves by now.
    let aws = two_champions();
    let run = call(&aws, rollback(CHAMPION)).await.run_id.unwrap().to_string();
    ended(&aws, &run, "failed");
    replace(&aws, "one", "20261112t000000z-0a0b0c0e");
    let error = refusal(&aws, json!({"rerun": run, "use_case": "cars"})).await;
    assert_eq!(error.error_type(), "AlreadyDecided");
    assert!(
        error
            .to_string()
            .contains("the champion is 20261112t000000z-0a0b0c0e now"),
        "{error}"
    );
}

#[tokio::test]
async fn a_promotion_that_is_run_again_says_by_whom() {
    let aws = two_champions();
    let run = call(&aws, rollback(CHAMPION)).await.run_id.unwrap().to_string();
    ended(&aws, &run, "failed");
    let rerun = json!({"rerun": run, "use_case": "cars", "by": "lee"});
    let again = call_at(&aws, rerun, "2026-11-22T20:00:00Z").await.unwrap();
    let source = crate::account::manifest(&aws, &again.run_id.unwrap().to_string())["source"].clone();
    assert_eq!((&source["by"], &source["rerun_by"]), (&json!("kim"), &json!("lee")));
    let told = aws.published().pop().unwrap().message;
    assert!(told.contains("kim; run again by lee"), "{told}");
    let empty = json!({"rerun": run, "use_case": "cars", "by": " "});
    assert_eq!(refusal(&aws, empty).await.error_type(), "EventInvalid");
}

#[tokio::test]
async fn a_held_candidate_is_rejected_once_and_people_are_told() {
    let aws = two_champions();
    let held = held(&aws, Some(SUCCESSOR)).await;
    assert_eq!(call(&aws, reject(&held)).await.outcome, Outcome::Rejected);
    let decided = decision(&aws, &held);
    assert_eq!(decided["decision"], "rejected-by-person");
    assert_eq!(
        decided["approval"],
        json!({"action": "reject", "by": "kim", "reason": "too few vans", "at": "2026-11-22T18:00:05Z"})
    );
    assert!(
        decided["reason"].as_str().unwrap().contains("year has drifted"),
        "{decided}"
    );
    let told = aws.published().pop().unwrap();
    assert!(told.message.contains("too few vans"), "{}", told.message);
    let key = format!("cars/reporting/runs/day=2026-11-22/model=one/{held}-rejected.jsonl");
    let row = aws.object_json(BUCKET, &key).unwrap();
    for (name, value) in [
        ("kind", "promotion"),
        ("started_by", "person"),
        ("source", held.as_str()),
        ("decision", "rejected-by-person"),
    ] {
        assert_eq!(row[name], value, "{row}");
    }
    assert_eq!(row["candidate_rmse"], decided["comparison"]["candidate_rmse"]);
    assert!(
        row["reason"]
            .as_str()
            .unwrap()
            .contains("kim has rejected it: too few vans"),
        "{row}"
    );
    assert_eq!(call(&aws, reject(&held)).await.outcome, Outcome::Duplicate);
    assert_eq!(aws.keys(BUCKET, "cars/reporting/runs/"), [key]);
    let error = refusal(&aws, promote(&held, "approve")).await;
    assert_eq!(error.error_type(), "AlreadyDecided");
    assert!(error.to_string().contains("kim has said `reject`"), "{error}");
}

#[tokio::test]
async fn what_is_being_approved_is_not_rejected() {
    let aws = two_champions();
    let held = held(&aws, Some(SUCCESSOR)).await;
    let run = call(&aws, promote(&held, "approve")).await.run_id.unwrap().to_string();
    let error = refusal(&aws, reject(&held)).await;
    assert_eq!(error.error_type(), "AlreadyDecided");
    assert!(
        error.to_string().contains(&format!("run {run} is under way")),
        "{error}"
    );
    // It came to nothing: people may think again.
    ended(&aws, &run, "failed");
    assert_eq!(call(&aws, reject(&held)).await.outcome, Outcome::Rejected);
}

#[tokio::test]
async fn of_approval_and_rejection_at_once_one_holds() {
    let aws = two_champions();
    let held = held(&aws, Some(SUCCESSOR)).await;
    let before = aws.executions().len();
    let key = decision_key(&held);
    // The rejection is written between the approval's look and its word.
    aws.before("PutObject", &key, {
        let key = key.clone();
        move |aws| {
            let mut decision = aws.object_json(BUCKET, &key).unwrap();
            decision["decision"] = "rejected-by-person".into();
            decision["approval"] =
                json!({"action": "reject", "by": "lee", "reason": "no", "at": "2026-11-22T18:00:04Z"});
            aws.put_object(BUCKET, &key, decision.to_string());
        }
    });
    let error = refusal(&aws, promote(&held, "approve")).await;
    assert!(error.to_string().contains("lee has said `reject`"), "{error}");
    assert_eq!(aws.executions().len(), before);
}

#[tokio::test]
async fn what_can_not_be_promoted_is_refused_by_name() {
    let aws = two_champions();
    let unknown = "20261101t000000z-99999999";
    for (request, error_type, says) in [
        (rollback(unknown), "NoSuchCandidate", "was never its champion"),
        (promote(unknown, "approve"), "NoSuchCandidate", "has no decision"),
        (reject(unknown), "NoSuchCandidate", "has no decision"),
        (rollback(SUCCESSOR), "NoSuchCandidate", "was never its champion"),
    ] {
        let error = refusal(&aws, request).await;
        assert_eq!(error.error_type(), error_type);
        assert!(error.to_string().contains(says), "{error}");
    }

    let present = aws
        .object_json(BUCKET, "use-cases/cars/models/one/champion.json")
        .unwrap();
    let key = format!("use-cases/cars/models/one/history/{SUCCESSOR}.json");
    aws.put_object(BUCKET, &key, present.to_string());
    assert_eq!(refusal(&aws, rollback(SUCCESSOR)).await.error_type(), "AlreadyChampion");

    let run = held(&aws, Some(CHAMPION)).await;
    let error = refusal(&aws, promote(&run, "approve")).await;
    assert_eq!(error.error_type(), "ChampionChanged");
    assert!(
        error.to_string().contains(CHAMPION) && error.to_string().contains(SUCCESSOR),
        "{error}"
    );
    let mut anyway = promote(&run, "approve");
    anyway["promote"]["anyway"] = true.into();
    assert_eq!(call(&aws, anyway).await.outcome, Outcome::Started);

    ended(&aws, &run, "rejected-champion");
    let error = refusal(&aws, promote(&run, "approve")).await;
    assert_eq!(error.error_type(), "NotHeld");
    assert!(error.to_string().contains("rejected-champion"), "{error}");
}

#[tokio::test]
async fn a_model_of_other_columns_stays_where_it_is() {
    let aws = two_champions();
    let mut changed = document(&json!({}))["schema"].clone();
    changed["columns"][1]["name"] = "colour".into();
    onboard(&aws, &json!({"schema": changed}));
    assert_eq!(refusal(&aws, rollback(CHAMPION)).await.error_type(), "SchemaChanged");
}

/// The document that a run went by, with or without a unit of the target.
fn went_by(aws: &FakeAws, run: &str, unit: Option<&str>) {
    let document = document(&json!({"target": target(unit)}));
    aws.put_object(
        BUCKET,
        &format!("cars/runs/{run}/code/use-case.json"),
        document.to_string(),
    );
}

fn target(unit: Option<&str>) -> Value {
    match unit {
        Some(unit) => json!({"name": "price", "unit": unit}),
        None => json!({"name": "price"}),
    }
}

#[tokio::test]
async fn a_former_champion_of_another_unit_stays_where_it_is() {
    let aws = two_champions();
    onboard(&aws, &json!({"target": target(Some("EUR"))}));
    went_by(&aws, CHAMPION, Some("USD"));
    let error = refusal(&aws, rollback(CHAMPION)).await;
    assert_eq!(error.error_type(), "SchemaChanged");
    let text = error.to_string();
    assert!(text.contains("USD") && text.contains("EUR"), "{text}");
    assert!(aws.executions().is_empty());
    // One that was brought back by a promotion has the unit of the run that trained it.
    let key = format!("use-cases/cars/models/one/history/{CHAMPION}.json");
    let mut former = aws.object_json(BUCKET, &key).unwrap();
    former["run_id"] = "20261105t000000z-0c0c0c0c".into();
    former["promoted_from"] = CHAMPION.into();
    aws.put_object(
        BUCKET,
        "use-cases/cars/models/one/history/20261105t000000z-0c0c0c0c.json",
        former.to_string(),
    );
    let error = refusal(&aws, rollback("20261105t000000z-0c0c0c0c")).await;
    assert_eq!(error.error_type(), "SchemaChanged");
}

#[tokio::test]
async fn a_unit_that_is_the_same_or_not_known_keeps_no_champion_from_coming_back() {
    for (was, is) in [(Some("EUR"), Some("EUR")), (None, Some("EUR")), (Some("EUR"), None)] {
        let aws = two_champions();
        onboard(&aws, &json!({"target": target(is)}));
        went_by(&aws, CHAMPION, was);
        assert_eq!(
            call(&aws, rollback(CHAMPION)).await.outcome,
            Outcome::Started,
            "{was:?} {is:?}"
        );
    }
    // What its run went by is not there any more, or doesn't read.
    for document in [None, Some("{")] {
        let aws = two_champions();
        onboard(&aws, &json!({"target": target(Some("EUR"))}));
        if let Some(document) = document {
            aws.put_object(BUCKET, &format!("cars/runs/{CHAMPION}/code/use-case.json"), document);
        }
        assert_eq!(call(&aws, rollback(CHAMPION)).await.outcome, Outcome::Started);
    }
}

#[tokio::test]
async fn a_held_candidate_of_another_unit_is_not_approved() {
    let aws = two_champions();
    onboard(&aws, &json!({"target": target(Some("USD"))}));
    let held = held(&aws, Some(SUCCESSOR)).await;
    onboard(&aws, &json!({"target": target(Some("EUR"))}));
    let error = refusal(&aws, promote(&held, "approve")).await;
    assert_eq!(error.error_type(), "SchemaChanged");
    assert!(error.to_string().contains("in USD"), "{error}");
    assert_eq!(decision(&aws, &held)["approval"], Value::Null);
}

#[tokio::test]
async fn a_model_that_was_deleted_is_not_promoted_and_nothing_is_begun() {
    let aws = two_champions();
    let held = held(&aws, Some(SUCCESSOR)).await;
    let before = aws.executions().len();
    // What is older than the champion would be superseded by it, were it run again.
    for (model, request, again) in [
        ("pipeline-one", rollback(CHAMPION), "would end `superseded`"),
        ("held-pipeline", promote(&held, "approve"), "drivetrain rerun"),
    ] {
        let gone = format!("Could not find model \"arn:aws:sagemaker:us-east-1:123456789012:model/{model}\".");
        aws.reply_to("DescribeModel", model, [Reply::error(400, "ValidationException", gone)]);
        let error = refusal(&aws, request).await;
        assert_eq!(error.error_type(), "NoSuchCandidate");
        let text = error.to_string();
        assert!(
            text.contains(&format!("no model {model}")) && text.contains(again),
            "{text}"
        );
    }
    assert_eq!(aws.executions().len(), before);
    assert_eq!(decision(&aws, &held)["approval"], Value::Null);
    // Whether it is there is not known: an answer that says nothing, and one that a role may not have.
    aws.fail_next(
        "DescribeModel",
        Reply::error(400, "ThrottlingException", "Rate exceeded"),
    );
    assert_eq!(refusal(&aws, rollback(CHAMPION)).await.error_type(), "AwsCallFailed");
    aws.fail_next("DescribeModel", Reply::error(400, "AccessDeniedException", "no"));
    aws.fail_next("DescribeModel", Reply::error(400, "AccessDeniedException", "no"));
    assert_eq!(call(&aws, rollback(CHAMPION)).await.outcome, Outcome::Started);
}

#[tokio::test]
async fn who_and_why_must_be_said() {
    let aws = two_champions();
    for (field, value) in [
        ("by", " "),
        ("reason", ""),
        ("by", "kim\nrun: another"),
        ("action", "reject"),
    ] {
        let mut request = rollback(CHAMPION);
        request["promote"][field] = value.into();
        assert_eq!(refusal(&aws, request).await.error_type(), "EventInvalid", "{field}");
    }
    assert!(aws.executions().is_empty());
}
