//! The step `promote` against an account in memory.

// Clippy's exception for tests does not include their helpers.
#![allow(clippy::unwrap_used)]

use contracts::{Decision, Verdict};
use fake_aws::FakeAws;
use rmse_gate::{Error, Request, RmseGate};
use serde_json::{Value, json};

const RUN: &str = "20261122t183000z-ab12cd34";
const DECISION: &str = "cars/runs/20261122t183000z-ab12cd34/decisions/one.json";
const CHAMPION: &str = "use-cases/cars/models/one/champion.json";
const REPLACED: &str = "20261110t000000z-0a0b0c0d";
const FORMER: &str = "20261101t000000z-00000000";

async fn promote(aws: &FakeAws, anyway: bool) -> Result<Value, Error> {
    let request = json!({
        "step": "promote",
        "run": {"bucket": "bucket", "use_case": "cars", "model": "one", "run_id": RUN},
        "promotion": {
            "action": "rollback", "by": "kim", "reason": "prices are off", "at": "2026-11-22T18:30:00Z",
            "replaces": REPLACED, "anyway": anyway,
            "candidate": {
                "trained_by": FORMER, "image": "i", "training_job": "t", "model_name": "former", "schema_hash": "a1b2c3",
                "columns": ["year"], "holdout_rmse": 4.25, "holdout_rows": 120, "holdout": "s3://bucket/h/",
                "holdout_reference_rmse": 4.25, "baselines": null,
            },
        },
    });
    let request: Request = serde_json::from_value(request).unwrap();
    let gate = RmseGate::new(
        &aws.sdk_config(),
        "dev",
        "bucket",
        "arn:aws:sns:us-east-1:123456789012:dev",
    );
    let now = "2026-11-22T18:31:00Z".parse().unwrap();
    Ok(serde_json::to_value(gate.handle(request, now).await?).unwrap())
}

fn champion(aws: &FakeAws, run: &str) {
    let champion = json!({
        "use_case": "cars", "model": "one", "run_id": run, "config_version": "v", "image": "i", "training_job": "t",
        "model_name": "n", "endpoint_name": "e", "endpoint_config": "c", "variant_name": "AllTraffic",
        "schema_hash": "a1b2c3", "columns": ["year"], "holdout_rmse": 1.5, "holdout_rows": 8,
        "exported_at": "2026-11-10T00:00:00Z",
    });
    aws.put_object_json("bucket", CHAMPION, &champion);
}

fn decision(aws: &FakeAws) -> Decision {
    serde_json::from_value(aws.object_json("bucket", DECISION).unwrap()).unwrap()
}

#[tokio::test]
async fn the_decision_says_who_wants_it_and_why_and_the_champion_is_replaced_on_condition() {
    let aws = FakeAws::new();
    champion(&aws, REPLACED);
    let answer = promote(&aws, false).await.unwrap();
    assert_eq!(answer["etag"], aws.etag("bucket", CHAMPION).unwrap());
    assert_eq!(answer["superseded"], false);
    let decision = decision(&aws);
    assert_eq!(decision.decision, None);
    assert_eq!(
        decision.reason,
        format!(
            "kim rolled back to the model of run {FORMER} in the place of champion {REPLACED} (RMSE 4.25 on the 120 rows of \
             its holdout): prices are off"
        )
    );
    let approval = decision.approval.unwrap();
    assert_eq!(
        (approval.by.as_str(), approval.reason.as_str()),
        ("kim", "prices are off")
    );
    assert_eq!(decision.promoted.unwrap().model_name, "former");
}

#[tokio::test]
async fn another_champion_than_the_one_that_was_seen_is_replaced_only_anyway() {
    let aws = FakeAws::new();
    champion(&aws, "20261111t000000z-0a0b0c0d");
    let error = promote(&aws, false).await.unwrap_err();
    assert_eq!(error.error_type(), "ChampionChanged");
    assert!(error.to_string().contains(REPLACED), "{error}");
    promote(&aws, true).await.unwrap();

    let gone = FakeAws::new();
    assert_eq!(promote(&gone, false).await.unwrap_err().error_type(), "ChampionChanged");
    assert_eq!(promote(&gone, true).await.unwrap()["etag"], "");
}

#[tokio::test]
async fn a_newer_champion_is_never_replaced() {
    let aws = FakeAws::new();
    champion(&aws, "20261130t000000z-11111111");
    assert_eq!(promote(&aws, true).await.unwrap()["superseded"], true);
    assert_eq!(decision(&aws).decision, Some(Verdict::Superseded));
}

#[tokio::test]
async fn a_run_that_has_exported_it_already_goes_on() {
    let aws = FakeAws::new();
    champion(&aws, RUN);
    assert_eq!(promote(&aws, false).await.unwrap()["superseded"], false);
}
