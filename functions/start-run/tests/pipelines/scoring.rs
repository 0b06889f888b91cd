//! A file is scored by the champions that there are, or waits for the first.

use crate::account::{
    BUCKET, CHAMPION, account, call, call_at, document, dropped, ended, export, machines, manifest, outcome, recorded,
    replace, tick,
};
use contracts::scoring::CombineJob;
use contracts::{RunId, ScoringPlan, places};
use fake_aws::{FakeAws, Reply};
use serde_json::{Value, json};
use start_run::Outcome;

const KEY: &str = "cars/scoring/incoming/stock.csv";
const CONTENT: &str = "year,fuel,vin\n2015,gas,7\n";

fn exported() -> Value {
    recorded(include_str!("../events/champion-exported.json"))
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
        // A scored file has the dropped one's columns, and these.
        (
            json!({}),
            "year,fuel,inference_id,one,price_predicted\n2015,gas,1,2,3\n",
            "has the columns `inference_id`, `one`, `price_predicted`, which the scored file adds",
        ),
        (
            json!({}),
            "two,year,fuel\n2,2015,gas\n",
            "has the column `two`, which the scored file adds",
        ),
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
async fn a_file_waits_for_the_end_of_the_run_that_exports_several_champions() {
    let aws = account(&json!({}));
    let rows = "year,fuel,price\n2015,gas,1\n";
    call(&aws, dropped(&aws, "cars/training/incoming/cars.csv", rows)).await;
    let training = aws.executions()[0].name.clone();
    assert_eq!(outcome(&aws, dropped(&aws, KEY, CONTENT)).await, Outcome::Waiting);
    export(&aws, "one");
    assert_eq!(outcome(&aws, exported()).await, Outcome::Ignored);
    export(&aws, "two");
    assert_eq!(outcome(&aws, exported()).await, Outcome::Ignored);
    aws.end_execution(&training);
    let answer = call(&aws, ended(&aws, &training)).await;
    assert_eq!(answer.outcome, Outcome::Started);
    assert_eq!(machines(&aws), ["dev-training", "dev-scoring"]);
    let plan: ScoringPlan = serde_json::from_value(aws.executions()[1].input.clone()).unwrap();
    assert_eq!(plan.models.len(), 2);
    assert_eq!(waiting(&aws), Vec::<String>::new());
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

#[tokio::test]
async fn a_run_that_is_carried_on_keeps_its_champions() {
    let aws = account(&json!({}));
    export(&aws, "one");
    let event = dropped(&aws, KEY, CONTENT);
    aws.fail_next("StartExecution", Reply::error(400, "InvalidExecutionInput", "not now"));
    let died = crate::account::call_at(&aws, event.clone(), "2026-11-22T18:00:05Z").await;
    died.unwrap_err();
    // Meanwhile one model has another champion, and the other its first.
    replace(&aws, "one", "20261122t175900z-ab12cd34");
    export(&aws, "two");
    let run = call(&aws, event).await.run_id.unwrap();
    let plan: ScoringPlan = serde_json::from_value(aws.executions()[0].input.clone()).unwrap();
    let models: Vec<&str> = plan.models.iter().map(|model| model.model_name.as_str()).collect();
    assert_eq!(models, ["pipeline-one"]);
    let job = aws
        .object_json(BUCKET, &format!("cars/runs/{run}/code/scoring.json"))
        .unwrap();
    assert_eq!(
        job["models"],
        json!({"one": {"version": CHAMPION, "endpoint_config": "config-one"}})
    );
}

#[tokio::test]
async fn two_champions_exported_together_start_one_run_whose_plan_and_job_agree() {
    let aws = account(&json!({}));
    assert_eq!(outcome(&aws, dropped(&aws, KEY, CONTENT)).await, Outcome::Waiting);
    let told = aws.published().len();
    export(&aws, "one");
    // The call that takes the file up for the second champion is done while the first looks.
    let run = RunId::parse(waiting(&aws)[0].rsplit('/').next().unwrap()).unwrap();
    let key = format!("cars/runs/{run}/code/scoring.json");
    aws.before("PutObject", "scoring.json", {
        let key = key.clone();
        move |aws| {
            export(aws, "two");
            let document = document(&json!({}));
            let of = |model: &str| json!({"version": CHAMPION, "endpoint_config": format!("config-{model}")});
            let theirs = json!({
                "run_id": run.to_string(), "document": document, "scored_at": "2026-11-22T18:00:05Z",
                "models": {"one": of("one"), "two": of("two")},
            });
            aws.put_object(BUCKET, &key, theirs.to_string());
        }
    });
    assert_eq!(outcome(&aws, exported()).await, Outcome::Started);
    assert_eq!(aws.executions().len(), 1);
    let plan: ScoringPlan = serde_json::from_value(aws.executions()[0].input.clone()).unwrap();
    let job: CombineJob = serde_json::from_value(aws.object_json(BUCKET, &key).unwrap()).unwrap();
    let planned: Vec<&str> = plan.models.iter().map(|model| model.run.model.as_str()).collect();
    assert_eq!(planned, ["one", "two"]);
    assert!(job.models.keys().eq(["one", "two"].iter().copied()));
    assert_eq!(aws.published().len(), told);
}

#[tokio::test]
async fn people_are_told_that_a_file_waits_even_when_the_first_call_died() {
    let aws = account(&json!({}));
    let event = dropped(&aws, KEY, CONTENT);
    aws.fail_next("Publish", Reply::error(500, "InternalError", "try again"));
    let died = crate::account::call_at(&aws, event.clone(), "2026-11-22T18:00:05Z").await;
    died.unwrap_err();
    assert_eq!(outcome(&aws, event).await, Outcome::Waiting);
    assert_eq!(aws.published().len(), 1);
}

#[tokio::test]
async fn a_file_that_waits_goes_by_the_document_of_its_champion() {
    let aws = account(&json!({}));
    assert_eq!(outcome(&aws, dropped(&aws, KEY, CONTENT)).await, Outcome::Waiting);
    crate::account::onboard(&aws, &json!({"scoring": {"carry": ["vin"]}}));
    export(&aws, "one");
    assert_eq!(outcome(&aws, exported()).await, Outcome::Started);
    let plan = &aws.executions()[0].input;
    assert_eq!(plan["models"][0]["request"]["DataProcessing"]["InputFilter"], "$[2:]");
}

#[tokio::test]
async fn one_waiting_file_that_is_gone_does_not_keep_the_others_waiting() {
    let aws = account(&json!({}));
    let events: Vec<Value> = ["a", "b", "c"]
        .iter()
        .map(|name| dropped(&aws, &format!("cars/scoring/incoming/{name}.csv"), CONTENT))
        .collect();
    for event in &events {
        assert_eq!(outcome(&aws, event.clone()).await, Outcome::Waiting);
    }
    let told = aws.published().len();
    aws.delete_version(
        BUCKET,
        "cars/scoring/incoming/a.csv",
        events[0]["detail"]["object"]["version-id"].as_str().unwrap(),
    );
    export(&aws, "one");
    let answer = call(&aws, exported()).await;
    assert_eq!(answer.outcome, Outcome::Started);
    assert_eq!(machines(&aws), ["dev-scoring", "dev-scoring"]);
    let refused = &aws.published()[told];
    assert!(
        refused.message.contains("was deleted before it could be copied"),
        "{}",
        refused.message
    );
    assert!(refused.message.contains("/a.csv"));
    assert_eq!(waiting(&aws), Vec::<String>::new());
}

#[tokio::test]
async fn a_tick_takes_up_what_waits_when_the_event_was_lost() {
    let aws = account(&json!({}));
    assert_eq!(outcome(&aws, dropped(&aws, KEY, CONTENT)).await, Outcome::Waiting);
    // Nothing is tried while there is no champion.
    let calls = aws.calls_of("PutObject").len();
    assert_eq!(outcome(&aws, tick("2026-11-22T18:15:00Z")).await, Outcome::Ignored);
    assert_eq!(aws.calls_of("PutObject").len(), calls);
    export(&aws, "one");
    assert_eq!(outcome(&aws, tick("2026-11-22T18:30:00Z")).await, Outcome::Started);
    assert_eq!(machines(&aws), ["dev-scoring"]);
    assert_eq!(waiting(&aws), Vec::<String>::new());
}

#[tokio::test]
async fn a_file_that_cannot_be_taken_up_waits_for_the_next_call_and_the_others_go_on() {
    let aws = account(&json!({}));
    for name in ["a", "b"] {
        let event = dropped(&aws, &format!("cars/scoring/incoming/{name}.csv"), CONTENT);
        assert_eq!(outcome(&aws, event).await, Outcome::Waiting);
    }
    export(&aws, "one");
    aws.fail_next("CopyObject", Reply::error(503, "SlowDown", "slow down"));
    let failed = call_at(&aws, exported(), "2026-11-22T18:00:05Z").await;
    assert_eq!(failed.unwrap_err().error_type(), "AwsCallFailed");
    assert_eq!((machines(&aws).len(), waiting(&aws).len()), (1, 1));
    assert_eq!(outcome(&aws, tick("2026-11-22T18:15:00Z")).await, Outcome::Started);
    assert_eq!((machines(&aws).len(), waiting(&aws).len()), (2, 0));
}
