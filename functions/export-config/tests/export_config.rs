//! Exports against an account in memory: every order of events, every place to die, and races.

// Clippy's exception for tests does not include their helpers.
#![allow(clippy::unwrap_used)]

use contracts::{Champion, Decision, Lease, RunId, Verdict};
use export_config::{Error, ExportConfig, Outcome, Request, Response};
use fake_aws::{FakeAws, Reply};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const CHAMPION: &str = "use-cases/used-car-price/models/xgboost/champion.json";
const HISTORY: &str = "use-cases/used-car-price/models/xgboost/history/";
const LEASE: &str = "use-cases/used-car-price/models/xgboost/lease";
const DECISION: &str = "used-car-price/runs/20261122t183000z-ab12cd34/decisions/xgboost.json";
const PARAMETERS: &str = "/drivetrain/dev/used-car-price/xgboost/";
const OURS: &str = "20261122t183000z-ab12cd34";
const OLDER: &str = "20261101t000000z-00000000";
const NEWER: &str = "20261130t000000z-11111111";

fn now() -> Timestamp {
    "2026-11-22T19:00:00Z".parse().unwrap()
}

fn event() -> Value {
    serde_json::from_str(include_str!("events/export.json")).unwrap()
}

/// An account with the use case.
fn account() -> FakeAws {
    let aws = FakeAws::new();
    let pointer = json!({"uri": "s3://bucket/use-cases/used-car-price/config.json", "version_id": "v", "sha256": "0"});
    aws.put_parameter("/drivetrain/dev/used-car-price/config", &pointer.to_string());
    aws
}

/// An account in which the run holds the lease.
fn leased() -> FakeAws {
    let aws = account();
    lease_to(&aws, OURS, now());
    aws
}

/// The lease, unless it has expired or was given back.
fn lease(aws: &FakeAws) -> Option<Lease> {
    let lease: Lease = serde_json::from_value(aws.object_json("bucket", LEASE)?).unwrap();
    Some(lease).filter(|lease| lease.expires_at > now())
}

fn lease_to(aws: &FakeAws, run: &str, since: Timestamp) {
    let lease = Lease::new(RunId::parse(run).unwrap(), since, 0);
    aws.put_object_json("bucket", LEASE, &serde_json::to_value(lease).unwrap());
}

async fn ask(aws: &FakeAws, event: Value) -> Result<Response, Error> {
    let request: Request = serde_json::from_value(event).unwrap();
    let function = ExportConfig::new(&aws.sdk_config(), "bucket", "dev");
    function.handle(request, now()).await
}

/// Exports on condition of the champion that is there now.
async fn export(aws: &FakeAws) -> Result<Response, Error> {
    let mut request = event();
    request["champion_etag"] = json!(aws.etag("bucket", CHAMPION).unwrap_or_default());
    ask(aws, request).await
}

fn champion(aws: &FakeAws) -> Champion {
    serde_json::from_value(aws.object_json("bucket", CHAMPION).unwrap()).unwrap()
}

fn put_champion(aws: &FakeAws, run: &str) {
    let mut champion = event()["champion"].clone();
    champion["use_case"] = json!("used-car-price");
    champion["model"] = json!("xgboost");
    champion["run_id"] = json!(run);
    champion["model_name"] = json!(format!("model-of-{run}"));
    champion["exported_at"] = json!("2026-11-01T00:00:00Z");
    aws.put_object_json("bucket", CHAMPION, &champion);
}

fn verdict(aws: &FakeAws) -> Option<Verdict> {
    let document = aws.object_json("bucket", DECISION)?;
    serde_json::from_value::<Decision>(document).unwrap().decision
}

fn mirrored_version(aws: &FakeAws) -> Option<String> {
    let mirror: Value = serde_json::from_str(&aws.parameter(&format!("{PARAMETERS}champion"))?).unwrap();
    Some(mirror["version"].as_str().unwrap().to_owned())
}

fn history(aws: &FakeAws) -> Vec<String> {
    let keys = aws.keys("bucket", HISTORY);
    keys.iter()
        .map(|key| key.trim_start_matches(HISTORY).trim_end_matches(".json").to_owned())
        .collect()
}

fn assert_exported(aws: &FakeAws) {
    assert_eq!(champion(aws).run_id.to_string(), OURS);
    assert!(history(aws).contains(&OURS.to_owned()));
    assert_eq!(verdict(aws), Some(Verdict::Exported));
    assert_eq!(mirrored_version(aws).as_deref(), Some(OURS));
    assert_eq!(lease(aws), None, "the lease is given back");
}

#[tokio::test]
async fn a_promoted_champion_says_which_run_trained_it() {
    let aws = leased();
    let mut request = event();
    request["champion"]["trained_by"] = json!(OLDER);
    ask(&aws, request).await.unwrap();
    assert_eq!(champion(&aws).promoted_from, RunId::parse(OLDER));
    assert_eq!(champion(&aws).trained_by().to_string(), OLDER);

    let aws = leased();
    let mut request = event();
    request["champion"]["trained_by"] = json!(OURS);
    ask(&aws, request).await.unwrap();
    assert_eq!(champion(&aws).promoted_from, None);
}

#[tokio::test]
async fn an_execution_older_than_baselines_exports_without() {
    let aws = leased();
    let mut request = event();
    request["champion"].as_object_mut().unwrap().remove("baselines");
    ask(&aws, request).await.unwrap();
    assert_exported(&aws);
    assert_eq!(champion(&aws).baselines, None);
    assert_eq!(aws.object_json("bucket", CHAMPION).unwrap().get("baselines"), None);
}

#[tokio::test]
async fn the_first_champion_is_written_kept_decided_and_mirrored() {
    let aws = leased();
    let answer = ask(&aws, event()).await.unwrap();
    assert_eq!(
        (answer.decision, answer.version.to_string()),
        (Outcome::Exported, OURS.to_owned())
    );
    assert_exported(&aws);
    insta::assert_json_snapshot!("champion", aws.object_json("bucket", CHAMPION).unwrap());
    let parameters: Vec<String> = aws
        .parameter_names(PARAMETERS)
        .into_iter()
        .map(|name| format!("{name} = {}", aws.parameter(&name).unwrap()))
        .collect();
    insta::assert_snapshot!("parameters", parameters.join("\n"));
    assert_eq!(
        aws.object_json("bucket", CHAMPION),
        aws.object_json("bucket", &format!("{HISTORY}{OURS}.json"))
    );
}

#[tokio::test]
async fn a_later_champion_names_the_one_before() {
    let aws = leased();
    put_champion(&aws, OLDER);
    assert_eq!(export(&aws).await.unwrap().decision, Outcome::Exported);
    assert_exported(&aws);
    assert_eq!(champion(&aws).previous, RunId::parse(OLDER));
    assert_eq!(
        history(&aws),
        [OLDER, OURS],
        "the former champion's export had died before its history"
    );
}

#[tokio::test]
async fn exporting_twice_changes_nothing() {
    let aws = leased();
    let first = ask(&aws, event()).await.unwrap();
    let champion = aws.object("bucket", CHAMPION);
    assert_eq!(ask(&aws, event()).await.unwrap(), first);
    assert_eq!(aws.object("bucket", CHAMPION), champion);
    assert_eq!(aws.version_ids("bucket", CHAMPION).len(), 1);
    assert_eq!(aws.version_ids("bucket", DECISION).len(), 1);
    assert_exported(&aws);
}

#[tokio::test]
async fn the_gates_reason_stays_in_the_decision() {
    let aws = leased();
    let run = event()["run"].clone();
    let mut decision = json!({"reason": "RMSE 1 is better", "decided_at": "2026-11-22T18:50:00Z"});
    decision
        .as_object_mut()
        .unwrap()
        .extend(run.as_object().unwrap().clone());
    aws.put_object_json("bucket", DECISION, &decision);
    ask(&aws, event()).await.unwrap();
    assert_eq!(
        aws.object_json("bucket", DECISION).unwrap()["reason"],
        "RMSE 1 is better"
    );
    assert_exported(&aws);
}

#[tokio::test]
async fn a_call_that_died_anywhere_is_made_good_by_the_next() {
    let against_an_older_champion = || {
        let aws = leased();
        put_champion(&aws, OLDER);
        let mut request = event();
        request["champion_etag"] = json!(aws.etag("bucket", CHAMPION).unwrap());
        (aws, request)
    };
    let (aws, request) = against_an_older_champion();
    ask(&aws, request).await.unwrap();
    let calls = aws.calls();
    assert!(calls.len() > 15, "{} calls", calls.len());
    for (step, call) in calls.iter().enumerate() {
        let of_that_kind = |before: &&fake_aws::Request| before.operation == call.operation;
        let skipped = calls[..step].iter().filter(of_that_kind).count();
        for done in [true, false] {
            let (aws, request) = against_an_older_champion();
            fail_call(&aws, call.operation.clone(), skipped, done);
            let case = format!("{} {skipped}, done: {done}", call.operation);
            let error = ask(&aws, request.clone()).await.expect_err(&case);
            assert_eq!(error.error_type(), "AwsCallFailed", "{case}");
            assert_eq!(ask(&aws, request).await.unwrap().decision, Outcome::Exported, "{case}");
            assert_exported(&aws);
            assert_eq!(history(&aws), [OLDER, OURS], "{case}");
        }
    }
}

/// Lets `skipped` calls of an operation through and makes the next one fail, after or instead of doing it.
fn fail_call(aws: &FakeAws, operation: String, skipped: usize, done: bool) {
    aws.before(&operation.clone(), "", move |aws| {
        let died = Reply::error(500, "InternalError", "died");
        match (skipped, done) {
            (0, true) => aws.fail_next_after_doing(&operation, died),
            (0, false) => aws.fail_next(&operation, died),
            _ => fail_call(aws, operation, skipped - 1, done),
        }
    });
}

#[tokio::test]
async fn a_newer_champion_is_never_overwritten() {
    let aws = leased();
    put_champion(&aws, NEWER);
    let before = aws.object("bucket", CHAMPION);
    // Even with the condition of the newer champion.
    for answer in [ask(&aws, event()).await.unwrap(), export(&aws).await.unwrap()] {
        assert_eq!(answer.decision, Outcome::Superseded);
        assert!(answer.reason.contains(NEWER), "{}", answer.reason);
    }
    assert_eq!(aws.object("bucket", CHAMPION), before);
    assert_eq!(verdict(&aws), Some(Verdict::Superseded));
    assert_eq!(lease(&aws), None);
    assert!(
        aws.parameter_names(PARAMETERS).is_empty(),
        "the mirror is the newer run's business"
    );
}

#[tokio::test]
async fn another_champion_than_the_one_compared_with_sends_the_run_back() {
    for (champion, etag) in [(Some(OLDER), ""), (Some(OLDER), "\"another\""), (None, "\"gone\"")] {
        let aws = leased();
        if let Some(run) = champion {
            put_champion(&aws, run);
        }
        let before = aws.object("bucket", CHAMPION);
        let mut request = event();
        request["champion_etag"] = json!(etag);
        assert_eq!(ask(&aws, request).await.unwrap().decision, Outcome::ChampionChanged);
        assert_eq!(aws.object("bucket", CHAMPION), before);
        assert_eq!((verdict(&aws), lease(&aws)), (None, None));
    }
}

#[tokio::test]
async fn a_race_at_the_conditional_write_has_one_winner() {
    for (winner, outcome) in [(OLDER, Outcome::ChampionChanged), (NEWER, Outcome::Superseded)] {
        for first in [true, false] {
            let aws = leased();
            if !first {
                put_champion(&aws, "20261001t000000z-22222222");
            }
            aws.before("PutObject", CHAMPION, move |aws| put_champion(aws, winner));
            assert_eq!(export(&aws).await.unwrap().decision, outcome);
            assert_eq!(champion(&aws).run_id.to_string(), winner);
            assert!(!history(&aws).contains(&OURS.to_owned()));
        }
    }
}

#[tokio::test]
async fn a_write_in_conflict_with_none_is_tried_again() {
    let aws = leased();
    let conflict = || Reply::error(409, "ConditionalRequestConflict", "another write is under way");
    aws.before("PutObject", CHAMPION, move |aws| aws.fail_next("PutObject", conflict()));
    assert_eq!(ask(&aws, event()).await.unwrap().decision, Outcome::Exported);
    assert_exported(&aws);
}

#[tokio::test]
async fn conflicts_without_end_are_an_error() {
    let aws = leased();
    aws.reply_to("PutObject", CHAMPION, [Reply::error(412, "PreconditionFailed", "no")]);
    let error = ask(&aws, event()).await.unwrap_err();
    assert_eq!(error.error_type(), "ChampionUnsettled");
}

#[tokio::test]
async fn an_older_run_that_mirrors_late_mirrors_the_newer_champion() {
    let aws = leased();
    aws.before("PutParameter", "endpoint-name", |aws| {
        put_champion(aws, NEWER);
        for name in ["champion", "model-name", "endpoint-name", "endpoint-config"] {
            aws.put_parameter(&format!("{PARAMETERS}{name}"), "the newer run's");
        }
    });
    assert_eq!(ask(&aws, event()).await.unwrap().decision, Outcome::Exported);
    assert_eq!(mirrored_version(&aws).as_deref(), Some(NEWER));
    let model_name = aws.parameter(&format!("{PARAMETERS}model-name")).unwrap();
    assert_eq!(model_name, format!("model-of-{NEWER}"));
}

#[tokio::test]
async fn a_champion_replaced_before_its_call_was_repeated_was_exported() {
    let aws = leased();
    ask(&aws, event()).await.unwrap();
    aws.delete_object("bucket", DECISION);
    put_champion(&aws, NEWER);
    let answer = ask(&aws, event()).await.unwrap();
    assert_eq!(answer.decision, Outcome::Exported);
    assert_eq!(answer.reason, format!("exported, and replaced by run {NEWER} since"));
    assert_eq!(verdict(&aws), Some(Verdict::Exported));
    assert_eq!(mirrored_version(&aws).as_deref(), Some(NEWER));
}

#[tokio::test]
async fn without_the_lease_nothing_is_exported() {
    let aws = account();
    assert_eq!(
        ask(&aws, event()).await.unwrap().decision,
        Outcome::ChampionChanged,
        "nobody has it"
    );
    lease_to(&aws, OLDER, now());
    assert_eq!(ask(&aws, event()).await.unwrap().decision, Outcome::ChampionChanged);
    assert_eq!(aws.object("bucket", CHAMPION), None);
    assert!(lease(&aws).is_some(), "it is the other's");

    lease_to(&aws, OURS, now() - SignedDuration::from_hours(1));
    assert_eq!(
        ask(&aws, event()).await.unwrap().decision,
        Outcome::Exported,
        "expired, but nobody took it"
    );
    assert_exported(&aws);
}

#[tokio::test]
async fn nothing_is_exported_of_a_use_case_that_was_removed() {
    for champion in [None, Some(OLDER)] {
        let aws = FakeAws::new();
        lease_to(&aws, OURS, now());
        if let Some(run) = champion {
            put_champion(&aws, run);
        }
        let before = aws.object("bucket", CHAMPION);
        let error = export(&aws).await.unwrap_err();
        assert_eq!(error.error_type(), "UseCaseRemoved");
        let command = "`drivetrain onboard models/used-car-price.yaml --stack dev`";
        assert!(error.to_string().contains(command), "{error}");
        assert_eq!(aws.object("bucket", CHAMPION), before);
        assert_eq!(aws.parameter_names("/drivetrain/"), Vec::<String>::new());
        assert!(lease(&aws).is_some(), "the way out of the run needs it");
    }
}

#[tokio::test]
async fn a_use_case_that_was_onboarded_again_gets_no_champion_of_before() {
    let stored = |aws: &FakeAws, onboarding: &str| {
        let pointer = json!({"uri": "s3://bucket/use-cases/used-car-price/config.json", "version_id": "v", "sha256": "0",
                             "onboarding": onboarding});
        aws.put_parameter("/drivetrain/dev/used-car-price/config", &pointer.to_string());
    };
    for planned in ["", "2026-11-01T08:00:00Z"] {
        let aws = leased();
        stored(&aws, "2026-11-22T18:40:00Z");
        let mut request = event();
        request["onboarding"] = json!(planned);
        let error = ask(&aws, request).await.unwrap_err();
        assert_eq!(error.error_type(), "UseCaseRemoved");
        assert!(error.to_string().contains("onboarded again"), "{error}");
        assert_eq!(aws.object("bucket", CHAMPION), None);
    }
    // Under the same onboarding; or in an execution that predates onboardings and doesn't say.
    for planned in [json!("2026-11-22T18:40:00Z"), Value::Null] {
        let aws = leased();
        stored(&aws, "2026-11-22T18:40:00Z");
        let mut request = event();
        request["onboarding"] = planned;
        ask(&aws, request).await.unwrap();
        assert_exported(&aws);
    }
}

#[tokio::test]
async fn a_lease_lost_at_the_last_moment_is_noticed() {
    let aws = leased();
    aws.before("PutObject", LEASE, |aws| lease_to(aws, NEWER, now()));
    assert_eq!(ask(&aws, event()).await.unwrap().decision, Outcome::ChampionChanged);
    assert_eq!(aws.object("bucket", CHAMPION), None);
}

#[tokio::test]
async fn a_broken_champion_is_an_error_and_stays() {
    let aws = leased();
    aws.put_object("bucket", CHAMPION, "{");
    let error = ask(&aws, event()).await.unwrap_err();
    assert_eq!(error.error_type(), "DocumentInvalid");
    assert_eq!(aws.object("bucket", CHAMPION).unwrap(), b"{");
}

#[tokio::test]
async fn the_champion_says_how_wide_its_rows_become() {
    let summary = "used-car-price/runs/20261122t183000z-ab12cd34/data/summary/summary.json";
    for (text, width) in [
        (
            Some(r#"{"bytes_per_row": {"raw": 20.5, "encoded": 44.25, "encoded_max": 76}}"#),
            Some(76),
        ),
        (Some(r#"{"rows": {"train": 5}}"#), None),
        // A document that can't be read is no reason not to export a deployed candidate.
        (Some("{"), None),
        (None, None),
    ] {
        let aws = leased();
        if let Some(text) = text {
            aws.put_object("bucket", summary, text);
        }
        assert_eq!(export(&aws).await.unwrap().decision, Outcome::Exported);
        assert_eq!(champion(&aws).encoded_row_bytes, width, "{text:?}");
    }
}
