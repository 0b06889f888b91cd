//! The steps of the gate against an account in memory.

// Clippy's exception for tests does not include their helpers.
#![allow(clippy::unwrap_used)]

use contracts::{Champion, Decision, RunId, Verdict};
use fake_aws::{FakeAws, Reply};
use jiff::Timestamp;
use rmse_gate::{Error, Request, Response, RmseGate};
use serde_json::{Value, json};

const DECISION: &str = "used-car-price/runs/20261122t183000z-ab12cd34/decisions/xgboost.json";
const SCORES: &str = "used-car-price/runs/20261122t183000z-ab12cd34/holdout-scores/xgboost";
const CHAMPION: &str = "use-cases/used-car-price/models/xgboost/champion.json";
const OLDER: &str = "20261101t000000z-00000000";
const NEWER: &str = "20261130t000000z-11111111";
const RUN: &str = "20261122t183000z-ab12cd34";
const JUDGED: &str = "used-car-price/runs/20261122t183000z-ab12cd34/judged/xgboost";
const SUMMARY: &str = "used-car-price/runs/20261122t183000z-ab12cd34/data/summary/summary.json";
const OWN_ROWS: &str = "o1,100,104\no2,200,196\n"; // RMSE 4
const CANDIDATE_ROWS: &str = "r1,100,103\nr2,200,196\n"; // RMSE 3.5355…

fn event(name: &str) -> Value {
    let path = format!("{}/tests/events/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

async fn ask(aws: &FakeAws, event: Value) -> Result<Value, Error> {
    let request: Request = serde_json::from_value(event).unwrap();
    let gate = RmseGate::new(
        &aws.sdk_config(),
        "dev",
        "bucket",
        "arn:aws:sns:us-east-1:123456789012:dev",
    );
    let now: Timestamp = "2026-11-22T19:00:00Z".parse().unwrap();
    let response: Response = gate.handle(request, now).await?;
    Ok(serde_json::to_value(response).unwrap())
}

fn decision(aws: &FakeAws) -> Decision {
    serde_json::from_value(aws.object_json("bucket", DECISION).unwrap()).unwrap()
}

fn champion_of(run: &str) -> Champion {
    Champion {
        use_case: "used-car-price".to_owned(),
        model: "xgboost".to_owned(),
        run_id: RunId::parse(run).unwrap(),
        config_version: "v".to_owned(),
        image: "image".to_owned(),
        training_job: "job".to_owned(),
        model_name: "pipeline".to_owned(),
        endpoint_name: "endpoint".to_owned(),
        endpoint_config: "config".to_owned(),
        variant_name: "main".to_owned(),
        schema_hash: "a1b2c3".to_owned(),
        columns: vec!["year".to_owned()],
        holdout_rmse: 4.0,
        holdout_rows: 2,
        holdout: None,
        holdout_reference_rmse: None,
        encoded_row_bytes: None,
        baselines: None,
        promoted_from: None,
        exported_at: Timestamp::UNIX_EPOCH,
        previous: None,
    }
}

fn put_champion(aws: &FakeAws, run: &str) {
    aws.put_object_json("bucket", CHAMPION, &serde_json::to_value(champion_of(run)).unwrap());
}

/// Stores both models' scores of this run's holdout, their scores of the champion's (which are alike), and the run's
/// summary.
fn put_scores(aws: &FakeAws, candidate: &str, champion: &str) {
    for (by, new) in [("candidate", candidate), ("champion", champion)] {
        aws.put_object("bucket", &format!("{SCORES}/{by}/new.00000000.csv.out"), new);
        aws.put_object(
            "bucket",
            &format!("{SCORES}/{by}/champion-{OLDER}.00000000.csv.out"),
            OWN_ROWS,
        );
        aws.put_object("bucket", &format!("{SCORES}/{by}/left-over.csv.out"), "no scores");
    }
    let baseline = json!({"group_by": ["year"], "median": 150.0, "rmse": 30.0, "rmse_of_median": 50.0});
    aws.put_object_json(
        "bucket",
        SUMMARY,
        &json!({"rows": {"holdout": 2}, "baseline": baseline}),
    );
}

/// Stores both runs' holdouts and documents.
fn put_runs(aws: &FakeAws) {
    let document = include_str!("../../start-run/tests/documents/used-car-price.json");
    for run in [OLDER, RUN] {
        let root = format!("used-car-price/runs/{run}");
        aws.put_object(
            "bucket",
            &format!("{root}/data/holdout/holdout.csv"),
            format!("r,1,{run}\n"),
        );
        aws.put_object("bucket", &format!("{root}/code/use-case.json"), document);
    }
}

fn object(aws: &FakeAws, key: &str) -> Option<String> {
    aws.object("bucket", key).map(|bytes| String::from_utf8(bytes).unwrap())
}

async fn compare(candidate: &str, champion: &str) -> (FakeAws, Result<Value, Error>) {
    let aws = FakeAws::new();
    put_scores(&aws, candidate, champion);
    let answer = ask(&aws, event("compare")).await;
    (aws, answer)
}

#[tokio::test]
async fn under_the_threshold_the_run_goes_on() {
    let aws = FakeAws::new();
    let answer = ask(&aws, event("threshold")).await.unwrap();
    assert_eq!(
        answer,
        json!({"passed": true, "reason": "validation:rmse of 4211.75 is under the threshold of 9000"})
    );
    let decision = decision(&aws);
    assert_eq!(decision.decision, None);
    assert!(decision.threshold.unwrap().passed);
}

#[tokio::test]
async fn a_diverged_candidate_is_rejected_and_people_are_told_once() {
    let aws = FakeAws::new();
    let answer = ask(&aws, event("threshold-diverged")).await.unwrap();
    assert_eq!(answer["passed"], false);
    assert_eq!(decision(&aws).decision, Some(Verdict::RejectedThreshold));

    let told = ask(&aws, event("notify-rejection")).await.unwrap();
    assert_eq!(told["decision"], "rejected-threshold");
    assert_eq!(ask(&aws, event("notify-rejection")).await.unwrap(), told);
    let [mail] = &aws.published()[..] else {
        panic!("told {} times", aws.published().len())
    };
    assert_eq!(mail.attributes["use_case"], "used-car-price");
    assert_eq!(mail.attributes["severity"], "warning");
    insta::assert_snapshot!(
        "mail_threshold",
        format!("{}\n\n{}", mail.subject.as_ref().unwrap(), mail.message)
    );
}

#[tokio::test]
async fn the_mail_of_a_rejection_says_what_check_endpoint_has_found() {
    let aws = FakeAws::new();
    put_champion(&aws, OLDER);
    ask(&aws, event("threshold-diverged")).await.unwrap();
    let mut decision = aws.object_json("bucket", DECISION).unwrap();
    decision["serves"] = json!("endpoint e of champion c is gone");
    aws.put_object_json("bucket", DECISION, &decision);
    ask(&aws, event("notify-rejection")).await.unwrap();
    let mail = &aws.published()[0].message;
    let line = mail.lines().find(|line| line.starts_with("serves:")).unwrap();
    assert!(line.ends_with("endpoint e of champion c is gone"), "{mail}");
}

#[tokio::test]
async fn the_first_champion_needs_no_comparison() {
    let aws = FakeAws::new();
    put_runs(&aws);
    let found = ask(&aws, event("champion")).await.unwrap();
    assert_eq!(found, event("compare-first")["champion"]);
    assert_eq!(
        object(&aws, &format!("{JUDGED}/new.00000000.csv")).unwrap(),
        format!("r,1,{RUN}\n")
    );
    put_scores(&aws, CANDIDATE_ROWS, "");
    let answer = ask(&aws, event("compare-first")).await.unwrap();
    assert_eq!(answer["passed"], true);
    assert_eq!(answer["champion_rmse"], Value::Null);
    assert_eq!(answer["holdout_rows"], 2);
    assert_eq!(answer["candidate_rmse"], json!(12.5_f64.sqrt()));
}

#[tokio::test]
async fn an_older_champion_is_found_with_what_the_machine_needs() {
    let aws = FakeAws::new();
    put_champion(&aws, OLDER);
    put_runs(&aws);
    let found = ask(&aws, event("champion")).await.unwrap();
    assert_eq!(
        found,
        json!({
            "found": true, "comparable": true, "etag": aws.etag("bucket", CHAMPION).unwrap(), "model_name": "pipeline",
            "run_id": OLDER, "superseded": false, "reason": format!("the champion is of run {OLDER}"),
            "holdout": format!("s3://bucket/used-car-price/runs/{OLDER}/data/holdout/"), "holdout_reference_rmse": 4.0,
            "data_baseline": "", "doubts": [],
            "own_scores_uri": format!("s3://bucket/used-car-price/runs/{OLDER}/holdout-scores/xgboost/candidate/"),
        })
    );
    let laid_out = |name: &str| object(&aws, &format!("{JUDGED}/{name}"));
    assert_eq!(laid_out("new.00000000.csv").unwrap(), format!("r,1,{RUN}\n"));
    assert_eq!(
        laid_out(&format!("champion-{OLDER}.00000000.csv")).unwrap(),
        format!("r,1,{OLDER}\n")
    );
    assert_eq!(aws.object("bucket", DECISION), None, "nothing is decided yet");

    let mut other_schema = event("champion");
    other_schema["schema_hash"] = json!("ffffff");
    let found = ask(&aws, other_schema).await.unwrap();
    assert_eq!((&found["found"], &found["comparable"]), (&json!(true), &json!(false)));
    assert_eq!(
        found["etag"],
        aws.etag("bucket", CHAMPION).unwrap(),
        "still exported on condition of it"
    );
}

#[tokio::test]
async fn a_newer_champion_ends_the_run_as_superseded() {
    let aws = FakeAws::new();
    ask(&aws, event("threshold")).await.unwrap();
    put_champion(&aws, NEWER);
    put_runs(&aws);
    let found = ask(&aws, event("champion")).await.unwrap();
    assert_eq!(found["superseded"], true);
    let decision = decision(&aws);
    assert_eq!(decision.decision, Some(Verdict::Superseded));
    assert!(decision.threshold.is_some(), "what was decided before stays");
    let ended = ask(&aws, event("supersede")).await.unwrap();
    assert_eq!(ended["decision"], "superseded");
    assert_eq!(ended["reason"], format!("the champion is of the newer run {NEWER}"));
}

#[tokio::test]
async fn a_better_candidate_passes_in_whatever_order_the_rows_come() {
    let (aws, answer) = compare(CANDIDATE_ROWS, "r2,200,190\nr1,100,110\n").await;
    let answer = answer.unwrap();
    assert_eq!(answer["passed"], true);
    assert_eq!(answer["champion_rmse"], 10.0);
    let comparison = decision(&aws).comparison.unwrap();
    assert_eq!(comparison.champion_run_id, RunId::parse(OLDER));
    assert_eq!((comparison.champion_rmse, comparison.holdout_rows), (Some(10.0), 2));
    assert!(comparison.p_value.unwrap() < 0.02, "{comparison:?}");
    assert_eq!(comparison.naive_rmse, Some(30.0), "the better of the two");
    let own = comparison.champions_holdout.unwrap();
    assert_eq!(
        (own.rows, own.candidate_rmse, own.champion_rmse, own.reference_rmse),
        (2, 4.0, 4.0, 4.0)
    );
    assert_eq!(
        answer["holdout"],
        format!("s3://bucket/used-car-price/runs/{RUN}/data/holdout/")
    );
    assert_eq!(answer["holdout_reference_rmse"], answer["candidate_rmse"]);
    let candidate = decision(&aws).candidate.unwrap();
    assert_eq!(candidate.scores_uri, format!("s3://bucket/{SCORES}/candidate/new."));
}

#[tokio::test]
async fn a_worse_candidate_is_rejected_and_the_mail_has_the_numbers() {
    let aws = FakeAws::new();
    ask(&aws, event("threshold")).await.unwrap();
    put_champion(&aws, OLDER);
    put_scores(&aws, CANDIDATE_ROWS, "r1,100,101\nr2,200,201\n");
    let answer = ask(&aws, event("compare")).await.unwrap();
    assert_eq!(answer["passed"], false);
    assert_eq!(
        ask(&aws, event("notify-rejection")).await.unwrap()["decision"],
        "rejected-champion"
    );
    let mail = &aws.published()[0];
    insta::assert_snapshot!(
        "mail_champion",
        format!("{}\n\n{}", mail.subject.as_ref().unwrap(), mail.message)
    );
    let document = String::from_utf8(aws.object("bucket", DECISION).unwrap()).unwrap();
    insta::assert_snapshot!("decision_champion", document);
}

#[tokio::test]
async fn a_tie_keeps_the_champion_and_so_does_too_small_a_gain() {
    for (champion, reason) in [
        (CANDIDATE_ROWS, "equals champion"),
        ("r1,100,96.99\nr2,200,196\n", "is not 1 % better than champion"),
    ] {
        let (_, answer) = compare(CANDIDATE_ROWS, champion).await;
        let answer = answer.unwrap();
        assert_eq!(answer["passed"], false, "{champion}");
        assert!(answer["reason"].as_str().unwrap().contains(reason), "{answer}");
    }
}

#[tokio::test]
async fn a_champion_that_cannot_be_scored_by_its_own_fault_is_doubt() {
    let failed = json!({"Error": "States.TaskFailed", "Cause": json!({
        "TransformJobName": "job", "TransformJobStatus": "Failed", "FailureReason": "AlgorithmError: See job logs",
    }).to_string()});
    for (champion, error, reason) in [
        (
            "",
            Some(failed),
            "its containers answer errors (AlgorithmError: See job logs",
        ),
        (
            "r1,100,{}\nr2,200,1\n",
            None,
            "row 1 has a prediction that is not a number",
        ),
        (
            "r1,100,nan\nr2,200,1\n",
            None,
            "its predictions are not all finite numbers",
        ),
    ] {
        let aws = FakeAws::new();
        put_scores(&aws, CANDIDATE_ROWS, champion);
        let mut request = event("compare");
        if let Some(error) = error {
            request["champion_scored"] = json!(false);
            request["champion_error"] = error;
        }
        let answer = ask(&aws, request).await.unwrap();
        assert_eq!(
            (&answer["passed"], &answer["champion_rmse"]),
            (&json!(true), &Value::Null)
        );
        let comparison = decision(&aws).comparison.unwrap();
        assert!(comparison.doubts[0].contains(reason), "{comparison:?}");
        assert_eq!(comparison.champion_run_id, RunId::parse(OLDER));
        let mut doubt = event("doubt");
        doubt["champion"]["data_baseline"] = json!("");
        assert_eq!(ask(&aws, doubt).await.unwrap()["held"], true);
        assert_eq!(decision(&aws).decision, Some(Verdict::Held));
    }
}

#[tokio::test]
async fn a_champion_that_was_not_scored_by_no_fault_of_its_own_fails_the_run() {
    for (error, cause) in [
        (
            "SageMaker.ResourceLimitExceededException",
            "The account-level service limit is 0 Instances",
        ),
        ("SageMaker.AmazonSageMakerException", "Rate exceeded"),
        (
            "States.TaskFailed",
            r#"{"TransformJobName": "j", "FailureReason": "InternalServerError: We encountered an internal error."}"#,
        ),
        ("States.Timeout", ""),
    ] {
        let aws = FakeAws::new();
        put_scores(&aws, CANDIDATE_ROWS, "");
        let mut request = event("compare");
        request["champion_scored"] = json!(false);
        request["champion_error"] = json!({"Error": error, "Cause": cause});
        let error = ask(&aws, request).await.unwrap_err();
        assert_eq!(error.error_type(), "ChampionNotScored");
        assert!(error.to_string().contains(OLDER), "{error}");
        assert_eq!(aws.object("bucket", DECISION), None, "nothing is decided");
    }
}

#[tokio::test]
async fn a_champion_of_another_schema_does_not_stand_in_the_way() {
    let aws = FakeAws::new();
    put_scores(&aws, CANDIDATE_ROWS, "");
    let mut request = event("compare");
    request["champion"]["comparable"] = json!(false);
    let answer = ask(&aws, request).await.unwrap();
    assert_eq!(answer["passed"], true);
    assert!(
        answer["reason"].as_str().unwrap().contains("another schema"),
        "{answer}"
    );
    // Whether the target has changed can't be told without the champion's scores.
    assert_eq!(decision(&aws).comparison.unwrap().doubts.len(), 1);
}

#[tokio::test]
async fn after_a_change_of_columns_the_target_must_not_have_drifted() {
    let scored = |prices: std::ops::Range<u32>| -> String {
        let rows = prices.map(|number| format!("r{number},{0},{0}\n", 1_000 + number * 37 % 20_000));
        rows.collect()
    };
    let own = format!("used-car-price/runs/{OLDER}/holdout-scores/xgboost/candidate/new.00000000.csv.out");
    let cheap: String = (0..400)
        .map(|number| format!("r{number},{0},{0}\n", 1_000 + number))
        .collect();
    for (now, doubts) in [(scored(500..1_000), 0), (cheap, 1)] {
        let aws = FakeAws::new();
        put_scores(&aws, &now, "");
        aws.put_object("bucket", &own, scored(0..500));
        let mut request = event("compare");
        request["champion"]["comparable"] = json!(false);
        assert_eq!(ask(&aws, request).await.unwrap()["passed"], true);
        let told = decision(&aws).comparison.unwrap().doubts;
        assert_eq!(told.len(), doubts, "{told:?}");
    }
}

#[tokio::test]
async fn different_rows_are_never_compared() {
    for champion in [
        "",
        "r1,100,101\n",
        "r1,100,101\nr3,200,201\n",
        "r1,100,101\nr2,250,201\n",
    ] {
        let (aws, answer) = compare(CANDIDATE_ROWS, champion).await;
        assert_eq!(answer.unwrap_err().error_type(), "HoldoutMismatch", "{champion}");
        assert_eq!(aws.object("bucket", DECISION), None);
    }
}

#[tokio::test]
async fn a_candidate_that_cannot_be_judged_is_an_error() {
    for (candidate, reason) in [
        ("", "there are no scores"),
        ("r1,100,inf\nr2,1,1\n", "predictions are not all finite numbers"),
        ("r1,100\n", "row 1 has 2 fields, not row_id,label,prediction"),
    ] {
        let (_, answer) = compare(candidate, CANDIDATE_ROWS).await;
        let error = answer.unwrap_err();
        assert_eq!(error.error_type(), "HoldoutUnusable");
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[tokio::test]
async fn a_failed_call_is_no_champion_that_cannot_be_scored() {
    let aws = FakeAws::new();
    put_scores(&aws, CANDIDATE_ROWS, CANDIDATE_ROWS);
    let denied = || Reply::error(403, "AccessDenied", "no");
    aws.reply_to("GetObject", "/champion/new", [denied()]);
    let error = ask(&aws, event("compare")).await.unwrap_err();
    assert_eq!(error.error_type(), "AwsCallFailed");

    let mut request = event("compare");
    request["candidate"]["scores_uri"] = json!("scores");
    assert_eq!(ask(&aws, request).await.unwrap_err().error_type(), "ScoresUriInvalid");
}

#[tokio::test]
async fn only_a_rejection_is_told() {
    let aws = FakeAws::new();
    let error = ask(&aws, event("notify-rejection")).await.unwrap_err();
    assert_eq!(error.error_type(), "NotRejected");
    ask(&aws, event("threshold")).await.unwrap();
    let error = ask(&aws, event("notify-rejection")).await.unwrap_err();
    assert_eq!(error.error_type(), "NotRejected");
    assert!(aws.published().is_empty());
}

#[tokio::test]
async fn a_failure_is_recorded_in_words() {
    let aws = FakeAws::new();
    ask(&aws, event("threshold")).await.unwrap();
    let answer = ask(&aws, event("fail")).await.unwrap();
    assert_eq!(answer["decision"], "failed");
    assert_eq!(
        answer["reason"],
        "States.TaskFailed: AlgorithmError: no column price, exit code: 1 \
         (training job dev-used-car-price-xgboost-ab12cd34-train-00)"
    );
    let decision = decision(&aws);
    assert_eq!(decision.decision, Some(Verdict::Failed));
    assert_eq!(decision.error.unwrap().error, "States.TaskFailed");
    assert!(decision.threshold.is_some(), "what was decided before stays");
}

#[tokio::test]
async fn what_fails_once_the_use_case_was_removed_has_failed_for_that() {
    let pointer = "/drivetrain/dev/used-car-price/config";
    let failed = async |aws: &FakeAws, onboarding: Value| {
        let mut request = event("fail");
        request["onboarding"] = onboarding;
        ask(aws, request).await.unwrap();
        decision(aws).error.unwrap()
    };
    let aws = FakeAws::new();
    let error = failed(&aws, json!("2026-11-01T08:00:00Z")).await;
    assert_eq!(error.error, "UseCaseRemoved");
    for part in [
        "was removed",
        "drivetrain onboard",
        "What failed then: States.TaskFailed",
        "no column price",
    ] {
        assert!(error.cause.contains(part), "{part}: {error:?}");
    }
    let stored =
        json!({"uri": "s3://bucket/k", "version_id": "v", "sha256": "0", "onboarding": "2026-11-22T18:40:00Z"});
    for (planned, expected) in [
        ("2026-11-22T18:40:00Z", "States.TaskFailed"),
        ("2026-11-01T08:00:00Z", "UseCaseRemoved"),
    ] {
        let aws = FakeAws::new();
        aws.put_parameter(pointer, &stored.to_string());
        assert_eq!(failed(&aws, json!(planned)).await.error, expected);
    }
    // Whether it was removed is unknown: the failure is recorded as it is.
    let aws = FakeAws::new();
    aws.put_parameter(pointer, "no pointer");
    assert_eq!(failed(&aws, json!("")).await.error, "States.TaskFailed");
}

#[tokio::test]
async fn what_fails_after_the_export_does_not_unmake_the_champion() {
    let aws = FakeAws::new();
    ask(&aws, event("threshold")).await.unwrap();
    // The export died between writing the champion and the decision.
    put_champion(&aws, "20261122t183000z-ab12cd34");
    let answer = ask(&aws, event("fail")).await.unwrap();
    assert_eq!(
        answer["decision"], "failed",
        "the execution fails, so that somebody looks"
    );
    assert!(
        answer["reason"]
            .as_str()
            .unwrap()
            .starts_with("exported, but then States.TaskFailed")
    );
    assert_eq!(decision(&aws).decision, Some(Verdict::Exported));

    // Nor if a newer run's champion has replaced it.
    put_champion(&aws, NEWER);
    assert_eq!(ask(&aws, event("fail")).await.unwrap(), answer);
    ask(&aws, event("supersede")).await.unwrap();
    assert_eq!(decision(&aws).decision, Some(Verdict::Exported));
    assert!(decision(&aws).error.is_some());
}

#[tokio::test]
async fn every_step_can_be_called_twice() {
    for name in ["threshold", "champion", "compare", "fail", "supersede"] {
        let aws = FakeAws::new();
        put_champion(&aws, OLDER);
        put_runs(&aws);
        put_scores(&aws, CANDIDATE_ROWS, "r2,200,190\nr1,100,110\n");
        let first = ask(&aws, event(name)).await.unwrap();
        let (document, versions) = (
            aws.object("bucket", DECISION),
            aws.version_ids("bucket", DECISION).len(),
        );
        assert_eq!(ask(&aws, event(name)).await.unwrap(), first, "{name}");
        assert_eq!(aws.object("bucket", DECISION), document, "{name}");
        assert_eq!(
            aws.version_ids("bucket", DECISION).len(),
            versions,
            "{name}: written once"
        );
    }
}

#[tokio::test]
async fn a_holdout_that_is_gone_and_a_document_that_has_changed_are_doubt() {
    let aws = FakeAws::new();
    put_champion(&aws, OLDER);
    put_runs(&aws);
    let key = |run: &str| format!("used-car-price/runs/{run}/code/use-case.json");
    let mut document = aws.object_json("bucket", &key(RUN)).unwrap();
    document["target"]["unit"] = json!("EUR");
    document["split"]["salt"] = json!("anew");
    aws.put_object_json("bucket", &key(RUN), &document);
    aws.delete_object(
        "bucket",
        &format!("used-car-price/runs/{OLDER}/data/holdout/holdout.csv"),
    );
    let found = ask(&aws, event("champion")).await.unwrap();
    assert_eq!((&found["comparable"], &found["holdout"]), (&json!(true), &json!("")));
    let doubts: Vec<&str> = found["doubts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap())
        .collect();
    assert_eq!(doubts.len(), 3, "{doubts:?}");
    assert_eq!(doubts[0], "the unit of the target has changed from USD to EUR");
    assert!(
        doubts[1].starts_with("`split` or `cleaning` of the document has changed"),
        "{doubts:?}"
    );
    assert!(
        doubts[2].starts_with(&format!("the holdout of champion {OLDER} is not there any more")),
        "{doubts:?}"
    );

    // On the new holdout alone it wins, and is held.
    put_scores(&aws, CANDIDATE_ROWS, "r1,100,110\nr2,200,190\n");
    let mut request = event("compare");
    request["champion"] = found.clone();
    assert_eq!(ask(&aws, request).await.unwrap()["passed"], true);
    let mut request = event("doubt");
    request["champion"] = found;
    let answer = ask(&aws, request).await.unwrap();
    assert_eq!(answer["held"], true);
    assert_eq!(
        decision(&aws).comparison.unwrap().doubts.len(),
        4,
        "the baseline is missing as well"
    );
    assert_eq!(ask(&aws, event("notify-rejection")).await.unwrap()["decision"], "held");
    let mail = &aws.published()[0];
    insta::assert_snapshot!(
        "mail_held",
        format!("{}\n\n{}", mail.subject.as_ref().unwrap(), mail.message)
    );
}

#[tokio::test]
async fn a_champion_that_was_promoted_has_its_holdout_where_it_was_trained() {
    let aws = FakeAws::new();
    put_runs(&aws);
    let promoted = Champion {
        promoted_from: RunId::parse(OLDER),
        ..champion_of("20261110t000000z-22222222")
    };
    aws.put_object_json("bucket", CHAMPION, &serde_json::to_value(promoted).unwrap());
    let found = ask(&aws, event("champion")).await.unwrap();
    assert_eq!(
        found["holdout"],
        format!("s3://bucket/used-car-price/runs/{OLDER}/data/holdout/")
    );
    assert_eq!(found["doubts"], json!([]));
}

#[tokio::test]
async fn what_is_no_better_than_naive_is_rejected_even_without_a_champion() {
    let aws = FakeAws::new();
    put_scores(&aws, "r1,100,130\nr2,200,170\n", "");
    let answer = ask(&aws, event("compare-first")).await.unwrap();
    assert_eq!(answer["passed"], false);
    assert_eq!(
        ask(&aws, event("notify-rejection")).await.unwrap()["decision"],
        "rejected-naive"
    );
    let mail = &aws.published()[0].message;
    assert!(mail.contains("naive RMSE:    30"), "{mail}");
    assert!(mail.contains("There is still no champion."), "{mail}");
}

/// Stores statistics of the training rows of both runs.
fn put_statistics(aws: &FakeAws, before: u32, now: u32) {
    let statistics = |from: u32| {
        let levels: Vec<f64> = (0..400).map(|row| f64::from(from + row % 20)).collect();
        json!({"version": 0.0, "dataset": {"item_count": 400}, "features": [{
            "name": "year", "inferred_type": "Integral", "numerical_statistics": {
                "common": {"num_present": 400, "num_missing": 0}, "mean": f64::from(from) + 9.5, "sum": 0.0,
                "std_dev": 5.77, "min": f64::from(from), "max": f64::from(from + 19),
                "distribution": {"kll": {"buckets": [], "sketch": {"parameters": {"c": 0.64, "k": 2048.0}, "data": [levels]}}},
            },
        }]})
    };
    for (run, from) in [(OLDER, before), (RUN, now)] {
        let key = format!("used-car-price/runs/{run}/baselines/xgboost/data/statistics.json");
        aws.put_object_json("bucket", &key, &statistics(from));
    }
}

#[tokio::test]
async fn features_that_have_drifted_are_doubt_unless_drift_has_started_the_run() {
    for (now, started_by_drift, approval, held, doubts, notes) in [
        (2000, false, "on-doubt", false, 0, 0),
        (2008, false, "on-doubt", true, 1, 0),
        (2008, false, "never", false, 1, 0),
        (2008, true, "on-doubt", false, 0, 1),
        (2000, false, "always", true, 0, 0),
    ] {
        let aws = FakeAws::new();
        put_scores(&aws, CANDIDATE_ROWS, "r1,100,110\nr2,200,190\n");
        put_statistics(&aws, 2000, now);
        ask(&aws, event("compare")).await.unwrap();
        let mut request = event("doubt");
        request["started_by_drift"] = json!(started_by_drift);
        request["approval"] = json!(approval);
        let answer = ask(&aws, request.clone()).await.unwrap();
        assert_eq!(answer["held"], held, "{answer}");
        let decision = decision(&aws);
        assert_eq!(decision.decision, held.then_some(Verdict::Held));
        let comparison = decision.comparison.unwrap();
        assert_eq!(
            (comparison.doubts.len(), comparison.notes.len()),
            (doubts, notes),
            "{comparison:?}"
        );
        // Repeated, it says the same.
        assert_eq!(ask(&aws, request).await.unwrap(), answer);
        assert!(object(&aws, DECISION).unwrap().matches("have drifted").count() <= 2);
    }
}

/// A narrow file arrives together with a change of the document's columns: the columns that both have are compared.
#[tokio::test]
async fn after_a_change_of_columns_those_that_both_have_must_not_have_drifted() {
    for (now, held) in [(2000, false), (2008, true)] {
        let aws = FakeAws::new();
        put_scores(&aws, CANDIDATE_ROWS, "");
        put_statistics(&aws, 2000, now);
        // A column of the new document, and one of the former.
        for (run, other) in [(OLDER, "colour"), (RUN, "doors")] {
            let key = format!("used-car-price/runs/{run}/baselines/xgboost/data/statistics.json");
            let mut written: Value = serde_json::from_str(&object(&aws, &key).unwrap()).unwrap();
            let mut column = written["features"][0].clone();
            column["name"] = json!(other);
            written["features"].as_array_mut().unwrap().push(column);
            aws.put_object_json("bucket", &key, &written);
        }
        ask(&aws, event("compare-first")).await.unwrap();
        let mut request = event("doubt");
        request["champion"]["comparable"] = json!(false);
        assert_eq!(ask(&aws, request).await.unwrap()["held"], held, "{now}");
    }
}

#[tokio::test]
async fn without_a_comparison_there_is_no_doubt_to_have() {
    let error = ask(&FakeAws::new(), event("doubt")).await.unwrap_err();
    assert_eq!(error.error_type(), "NotCompared");
}

/// Both models accept the prepared files: these have as few rows as the wider of the two accepts at once.
#[tokio::test]
async fn holdouts_are_laid_out_in_files_that_both_models_take() {
    let rows = |count: usize| (0..count).map(|row| format!("r{row},1,2015\n")).collect::<String>();
    for (candidate, champion, files) in [
        // 1,500 rows per file if one of them makes 4,000 bytes of a row, 5,000 for 1,200.
        (Some(4_000), Some(1_200), vec!["new.00000000.csv", "new.00000001.csv"]),
        (Some(1_200), Some(1_200), vec!["new.00000000.csv"]),
        (Some(1_200), Some(4_000), vec!["new.00000000.csv", "new.00000001.csv"]),
    ] {
        let aws = FakeAws::new();
        put_runs(&aws);
        aws.put_object_json(
            "bucket",
            SUMMARY,
            &json!({"bytes_per_row": {"raw": 12.5, "encoded_max": candidate}}),
        );
        let mut of_champion = champion_of(OLDER);
        of_champion.encoded_row_bytes = champion;
        aws.put_object_json("bucket", CHAMPION, &serde_json::to_value(of_champion).unwrap());
        let holdout = format!("used-car-price/runs/{RUN}/data/holdout/holdout.csv");
        aws.put_object("bucket", &holdout, rows(2_000));
        // What an earlier round has left is neither scored nor read again.
        aws.put_object("bucket", &format!("{JUDGED}/new.00000009.csv"), "old");
        aws.put_object("bucket", &format!("{SCORES}/champion/new.00000009.csv.out"), "old");
        ask(&aws, event("champion")).await.unwrap();
        let keys = aws.keys("bucket", &format!("{JUDGED}/new."));
        let names: Vec<&str> = keys.iter().map(|key| key.rsplit('/').next().unwrap()).collect();
        assert_eq!(names, files, "{candidate:?} {champion:?}");
        let texts = files
            .iter()
            .map(|name| object(&aws, &format!("{JUDGED}/{name}")).unwrap());
        assert_eq!(texts.collect::<String>(), rows(2_000));
        assert_eq!(object(&aws, &format!("{SCORES}/champion/new.00000009.csv.out")), None);
    }
}

#[tokio::test]
async fn scores_in_several_files_are_those_of_one_holdout() {
    let aws = FakeAws::new();
    put_scores(&aws, CANDIDATE_ROWS, CANDIDATE_ROWS);
    let (first, second) = CANDIDATE_ROWS.split_at(CANDIDATE_ROWS.find('\n').unwrap() + 1);
    for by in ["candidate", "champion"] {
        aws.put_object("bucket", &format!("{SCORES}/{by}/new.00000000.csv.out"), first);
        aws.put_object("bucket", &format!("{SCORES}/{by}/new.00000001.csv.out"), second);
    }
    let (one_file, expected) = compare(CANDIDATE_ROWS, CANDIDATE_ROWS).await;
    let answer = ask(&aws, event("compare")).await.unwrap();
    assert_eq!(answer, expected.unwrap());
    assert_eq!(decision(&aws).comparison, decision(&one_file).comparison);
}
