//! A file is scored by the champions that there are, or waits for the first.

use crate::account::{BUCKET, CHAMPION, account, call, dropped, event, export, machines, manifest, outcome};
use contracts::scoring::CombineJob;
use contracts::{ScoringPlan, places};
use fake_aws::{FakeAws, Reply};
use serde_json::{Value, json};
use start_run::Outcome;

const KEY: &str = "cars/scoring/incoming/stock.csv";
const CONTENT: &str = "year,fuel,vin\n2015,gas,7\n";

fn exported() -> Value {
    let detail = json!({"use_case": "cars", "model": "one", "run_id": CHAMPION, "bucket": BUCKET});
    event("Champion Exported", "2026-11-22T18:05:00Z", &detail)
}

fn waiting(aws: &FakeAws) -> Vec<String> {
    aws.keys(BUCKET, &places::use_case::waiting("cars"))
}

#[tokio::test]
async fn a_file_is_scored_by_every_champion_that_there_is() {
    let aws = account(&json!({"scoring": {"carry": ["vin"]}}));
    export(&aws, "one");
    let response = call(&aws, dropped(&aws, KEY, CONTENT)).await;
    assert_eq!(response.outcome, Outcome::Started);
    assert_eq!(machines(&aws), ["dev-scoring"]);
    let plan: ScoringPlan = serde_json::from_value(aws.executions()[0].input.clone()).unwrap();
    insta::assert_json_snapshot!("plan_of_a_scoring_run", plan);
    let run = response.run_id.unwrap().to_string();
    assert_eq!(manifest(&aws, &run)["kind"], "scoring");
    let folder = format!("cars/runs/{run}/");
    let job = aws.object_json(BUCKET, &format!("{folder}code/scoring.json")).unwrap();
    let job: CombineJob = serde_json::from_value(job).unwrap();
    assert_eq!(job.models["one"].version.to_string(), CHAMPION);
    assert_eq!(job.models["one"].endpoint_config, "config-one");
    assert_eq!(job.models.len(), 1, "the other has no champion");
    let copy = aws.object(BUCKET, &format!("{folder}input/stock.csv")).unwrap();
    assert_eq!(copy, CONTENT.as_bytes());
    assert!(
        aws.object(BUCKET, &format!("{folder}code/prepare_scoring.py"))
            .is_some()
    );
    assert!(aws.published().is_empty() && waiting(&aws).is_empty());
}

#[tokio::test]
async fn files_that_cannot_be_scored_are_refused_with_the_reason() {
    for (more, content, reason) in [
        (json!({}), "fuel\ngas\n", "lacks the column `year`"),
        (
            json!({"scoring": {"carry": ["vin"]}}),
            "year\n2015\n",
            "lacks the column `vin`",
        ),
        (json!({}), "year,fuel,fuel\n2015,gas,gas\n", "`fuel` more than once"),
        (json!({}), "", "is empty"),
        (
            json!({"prediction": {"combine": {"rule": "lambda", "function": "dev-combine-x"}}}),
            CONTENT,
            "dev-combine-x",
        ),
    ] {
        let aws = account(&more);
        export(&aws, "one");
        let event = dropped(&aws, KEY, content);
        assert_eq!(outcome(&aws, event.clone()).await, Outcome::Refused, "{content:?}");
        let told = aws.published();
        assert!(told[0].message.contains(reason), "{}", told[0].message);
        assert!(aws.executions().is_empty());
        assert_eq!(outcome(&aws, event).await, Outcome::Duplicate);
        assert_eq!(aws.published().len(), 1);
    }
}

#[tokio::test]
async fn a_file_waits_for_the_first_champion() {
    let aws = account(&json!({}));
    let event = dropped(&aws, KEY, CONTENT);
    let response = call(&aws, event.clone()).await;
    assert_eq!(response.outcome, Outcome::Waiting);
    let run = response.run_id.unwrap().to_string();
    assert_eq!(manifest(&aws, &run)["state"], "waiting");
    assert_eq!(
        aws.published()[0].subject.as_deref(),
        Some("[drivetrain] cars: stock.csv waits for a champion")
    );
    assert_eq!(outcome(&aws, event).await, Outcome::Duplicate);
    // An event that comes too early changes nothing, and tells nobody again.
    assert_eq!(outcome(&aws, exported()).await, Outcome::Waiting);
    assert_eq!(aws.published().len(), 1);

    export(&aws, "one");
    let response = call(&aws, exported()).await;
    assert_eq!(
        (response.outcome, response.run_id.unwrap().to_string()),
        (Outcome::Started, run.clone())
    );
    assert_eq!(manifest(&aws, &run)["state"], "started");
    assert_eq!(waiting(&aws), Vec::<String>::new());
    assert_eq!(outcome(&aws, exported()).await, Outcome::Ignored);
    assert_eq!(aws.executions().len(), 1);
}

#[tokio::test]
async fn a_champion_that_comes_between_two_looks_is_found() {
    let aws = account(&json!({}));
    aws.before("PutObject", "/waiting/", |aws| export(aws, "two"));
    assert_eq!(outcome(&aws, dropped(&aws, KEY, CONTENT)).await, Outcome::Started);
    assert_eq!(waiting(&aws), Vec::<String>::new());
    assert!(aws.published().is_empty());
}

#[tokio::test]
async fn a_policy_that_needs_all_models_waits_for_all() {
    let aws = account(&json!({"prediction": {"when_a_model_fails": "fail"}}));
    export(&aws, "one");
    assert_eq!(outcome(&aws, dropped(&aws, KEY, CONTENT)).await, Outcome::Waiting);
    assert!(
        aws.published()[0].message.contains("lacking:       two"),
        "{}",
        aws.published()[0].message
    );
    export(&aws, "two");
    assert_eq!(outcome(&aws, exported()).await, Outcome::Started);
}

#[tokio::test]
async fn a_champion_of_another_schema_does_not_count() {
    let aws = account(&json!({}));
    export(&aws, "one");
    let key = "use-cases/cars/models/one/champion.json";
    let mut champion = aws.object_json(BUCKET, key).unwrap();
    champion["schema_hash"] = "000000".into();
    aws.put_object(BUCKET, key, champion.to_string());
    assert_eq!(outcome(&aws, dropped(&aws, KEY, CONTENT)).await, Outcome::Waiting);
}

#[tokio::test]
async fn a_call_that_died_is_carried_on() {
    let aws = account(&json!({}));
    export(&aws, "one");
    let event = dropped(&aws, KEY, CONTENT);
    aws.fail_next("StartExecution", Reply::error(400, "InvalidExecutionInput", "not now"));
    let died = crate::account::call_at(&aws, event.clone(), "2026-11-22T18:00:05Z").await;
    assert_eq!(died.unwrap_err().error_type(), "AwsCallFailed");
    assert_eq!(outcome(&aws, event).await, Outcome::Started);
    assert_eq!(aws.executions().len(), 1);
    // Another run of it has names of its own.
    let run = aws.executions()[0].name.clone();
    let again = call(&aws, json!({"rerun": run, "use_case": "cars"})).await;
    assert_eq!(again.run_id.unwrap().to_string(), format!("{run}-r2"));
    assert_eq!(machines(&aws), ["dev-scoring", "dev-scoring"]);
}
