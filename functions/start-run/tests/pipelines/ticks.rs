//! Ticks start what is due, once; somebody who asks need not wait.

use crate::account::{BUCKET, account, call, call_at, export, machines, manifest, outcome, tick};
use contracts::MonitorPlan;
use fake_aws::{FakeAws, Reply};
use serde_json::{Value, json};
use start_run::Outcome;

fn watched() -> FakeAws {
    let aws = account(&json!({"monitoring": {"every_minutes": 60, "minimum_rows": 50}}));
    export(&aws, "one");
    aws
}

async fn started(aws: &FakeAws, time: &str) -> usize {
    call_at(aws, tick(time), time).await.unwrap().runs.len()
}

fn end(aws: &FakeAws) {
    let last = aws.executions().last().unwrap().name.clone();
    aws.end_execution(&last);
}

#[tokio::test]
async fn a_tick_looks_at_every_model_that_has_a_champion() {
    let aws = watched();
    let response = call(&aws, tick("2026-11-22T18:00:00Z")).await;
    assert_eq!(response.outcome, Outcome::Started);
    let run = response.run_id.unwrap().to_string();
    assert!(run.starts_with("20261122t180000z-"));
    assert_eq!(machines(&aws), ["dev-monitor"]);
    let execution = &aws.executions()[0];
    assert_eq!(execution.name, run);
    let plan: MonitorPlan = serde_json::from_value(execution.input.clone()).unwrap();
    insta::assert_json_snapshot!("plan_of_a_monitoring_run", plan);
    let manifest = manifest(&aws, &run);
    assert_eq!(
        (&manifest["kind"], &manifest["source"]["watched_model"]),
        (&json!("monitoring"), &json!("one"))
    );
    let watch = aws.object_json(BUCKET, "use-cases/cars/models/one/watch.json").unwrap();
    assert_eq!(watch["execution_arn"], execution.arn.as_str());
}

#[tokio::test]
async fn a_tick_starts_what_is_due_and_nothing_twice() {
    let aws = watched();
    assert_eq!(started(&aws, "2026-11-22T18:00:00Z").await, 1);
    // The same event again, and the next ticks within the hour.
    assert_eq!(started(&aws, "2026-11-22T18:00:00Z").await, 0);
    assert_eq!(started(&aws, "2026-11-22T18:45:00Z").await, 0);
    // Due, but the run before goes on.
    assert_eq!(started(&aws, "2026-11-22T19:00:00Z").await, 0);
    end(&aws);
    assert_eq!(
        started(&aws, "2026-11-22T18:59:30Z").await,
        1,
        "ticks come a little early"
    );
    end(&aws);
    // What another champion answered last is looked at without waiting.
    let bookmark = json!({
        "format": 1, "next_window": 1, "opened_at": "2026-11-22T18:00:00Z", "horizon": "2026-11-22T18:00:00Z",
        "seen": [], "ground_truth_seen": [], "ground_truth_horizon": "2026-11-22T18:00:00Z", "windows": [], "more": true,
    });
    aws.put_object(BUCKET, "use-cases/cars/models/one/bookmark.json", bookmark.to_string());
    assert_eq!(started(&aws, "2026-11-22T19:15:00Z").await, 1);
}

#[tokio::test]
async fn of_two_ticks_at_once_one_starts_a_run() {
    let aws = watched();
    aws.before("PutObject", "watch.json", |aws| {
        let theirs = json!({"run_id": "20261122t180000z-00000000", "tick": "2026-11-22T18:00:00Z"});
        aws.put_object(BUCKET, "use-cases/cars/models/one/watch.json", theirs.to_string());
    });
    assert_eq!(started(&aws, "2026-11-22T18:00:00Z").await, 0);
    assert!(aws.executions().is_empty());
    // That call died before it could start anything: the next tick does.
    assert_eq!(started(&aws, "2026-11-22T19:00:00Z").await, 1);
}

#[tokio::test]
async fn one_unsound_document_does_not_keep_others_from_being_watched() {
    let aws = watched();
    aws.put_object(BUCKET, "use-cases/aaa/config.json", "{");
    aws.put_parameter("/drivetrain/dev/aaa/config", "no pointer");
    assert_eq!(started(&aws, "2026-11-22T18:00:00Z").await, 1);
    assert_eq!(machines(&aws), ["dev-monitor"]);
    // Told once a day, to those who hear of that use case; no call fails for it.
    assert_eq!(started(&aws, "2026-11-22T18:15:00Z").await, 0);
    let told = aws.published();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(told[0].attributes["use_case"], "aaa");
    assert_eq!(
        told[0].subject.as_deref(),
        Some("[drivetrain] aaa: what is due can't be done")
    );
    assert!(
        told[0].message.contains("parameter /drivetrain/dev/aaa/config"),
        "{}",
        told[0].message
    );
    started(&aws, "2026-11-23T18:15:00Z").await;
    assert_eq!(aws.published().len(), 2);
}

#[tokio::test]
async fn a_call_of_aws_that_fails_fails_the_tick_which_is_made_again() {
    let aws = watched();
    aws.fail_next("StartExecution", Reply::error(500, "InternalError", "try again"));
    let failed = call_at(&aws, tick("2026-11-22T18:00:00Z"), "2026-11-22T18:00:00Z").await;
    assert_eq!(failed.unwrap_err().error_type(), "AwsCallFailed");
    assert!(aws.published().is_empty());
}

#[tokio::test]
async fn documents_without_monitoring_are_left_alone() {
    let aws = account(&json!({}));
    export(&aws, "one");
    assert_eq!(outcome(&aws, tick("2026-11-22T18:00:00Z")).await, Outcome::Ignored);
}

#[tokio::test]
async fn somebody_who_asks_need_not_wait() {
    let aws = watched();
    let one = json!({"monitor": {"use_case": "cars", "model": "one"}});
    assert_eq!(outcome(&aws, tick("2026-11-22T18:00:00Z")).await, Outcome::Started);
    assert_eq!(outcome(&aws, one.clone()).await, Outcome::Busy);
    end(&aws);
    let response = call(&aws, one.clone()).await;
    assert_eq!(response.outcome, Outcome::Started);
    assert!(response.run_id.is_some() && response.execution_arn.is_some());
    end(&aws);
    let rerun = json!({"rerun": response.run_id.unwrap().to_string(), "use_case": "cars"});
    let again = call_at(&aws, rerun, "2026-11-22T18:10:00Z").await.unwrap();
    assert_eq!(again.outcome, Outcome::Started);

    let refused = async |request: Value| call_at(&aws, request, "2026-11-22T18:00:05Z").await.unwrap_err();
    for (request, reason) in [
        (json!({"monitor": {"use_case": "cars", "model": "two"}}), "no champion"),
        (
            json!({"monitor": {"use_case": "cars", "model": "three"}}),
            "no such model",
        ),
    ] {
        let error = refused(request).await;
        assert_eq!(error.error_type(), "NotWatched");
        assert!(error.to_string().contains(reason), "{error}");
    }
    let unknown = refused(json!({"monitor": {"use_case": "boats"}})).await;
    assert_eq!(unknown.error_type(), "UseCaseUnknown");
}

#[tokio::test]
async fn a_tick_that_died_is_carried_on_under_the_same_name() {
    let fault = || Reply::error(500, "InternalError", "try again");
    for step in ["the execution", "the manifest", "the watch"] {
        let aws = watched();
        match step {
            "the execution" => aws.fail_next("StartExecution", fault()),
            "the manifest" => aws.before("PutObject", "run.json", move |aws| aws.fail_next("PutObject", fault())),
            // Its second write.
            _ => aws.before("PutObject", "run.json", move |aws| {
                aws.before("PutObject", "watch.json", move |aws| {
                    aws.fail_next("PutObject", fault());
                });
            }),
        }
        let request = tick("2026-11-22T18:00:00Z");
        let died = call_at(&aws, request.clone(), "2026-11-22T18:00:05Z").await;
        assert_eq!(died.unwrap_err().error_type(), "AwsCallFailed", "{step}");
        call(&aws, request).await;
        assert_eq!(aws.executions().len(), 1, "{step}");
        let execution = aws.executions()[0].clone();
        assert!(execution.name.starts_with("20261122t180000z-"));
        assert_eq!(manifest(&aws, &execution.name)["execution_arn"], execution.arn.as_str());
        let watch = aws.object_json(BUCKET, "use-cases/cars/models/one/watch.json").unwrap();
        assert_eq!(watch["execution_arn"], execution.arn.as_str());
        // And the next one is as ever.
        end(&aws);
        assert_eq!(started(&aws, "2026-11-22T18:15:00Z").await, 0);
        assert_eq!(started(&aws, "2026-11-22T19:00:00Z").await, 1);
    }
}

#[tokio::test]
async fn an_execution_that_was_started_without_a_word_is_not_started_twice() {
    let aws = watched();
    aws.fail_next_after_doing("StartExecution", Reply::connection_lost());
    let died = call_at(&aws, tick("2026-11-22T18:00:00Z"), "2026-11-22T18:00:05Z").await;
    died.unwrap_err();
    end(&aws);
    assert_eq!(started(&aws, "2026-11-22T18:00:00Z").await, 0);
    let execution = aws.executions()[0].clone();
    assert_eq!(manifest(&aws, &execution.name)["execution_arn"], execution.arn.as_str());
    assert_eq!(aws.executions().len(), 1);
}

#[tokio::test]
async fn somebody_who_asks_while_a_tick_is_starting_a_run_starts_the_same() {
    let aws = watched();
    // The tick has claimed its run and not started it yet.
    let theirs = json!({"run_id": "20261122t180000z-00000000", "tick": "2026-11-22T18:00:00Z"});
    aws.put_object(BUCKET, "use-cases/cars/models/one/watch.json", theirs.to_string());
    let response = call(&aws, json!({"monitor": {"use_case": "cars", "model": "one"}})).await;
    assert_eq!(response.outcome, Outcome::Started);
    assert_eq!(response.run_id.unwrap().to_string(), "20261122t180000z-00000000");
    assert_eq!(aws.executions().len(), 1);
}

#[tokio::test]
async fn one_model_that_cannot_be_watched_does_not_keep_the_others_from_it() {
    let aws = watched();
    export(&aws, "two");
    aws.put_object(BUCKET, "use-cases/cars/models/one/watch.json", "{");
    assert_eq!(started(&aws, "2026-11-22T18:00:00Z").await, 1);
    assert_eq!(aws.executions()[0].input["run"]["model"], "two");
    assert!(aws.published()[0].message.contains("models/one/watch.json"));
}

#[tokio::test]
async fn all_models_are_looked_at_when_none_is_named() {
    let aws = watched();
    let all = json!({"monitor": {"use_case": "cars"}});
    let response = call(&aws, all.clone()).await;
    assert_eq!((response.outcome, response.runs.len()), (Outcome::Started, 1));
    assert_eq!(outcome(&aws, all.clone()).await, Outcome::Busy);
    let aws = account(&json!({"monitoring": {}}));
    let error = call_at(&aws, all.clone(), "2026-11-22T18:00:05Z").await.unwrap_err();
    assert!(error.to_string().contains("none has a champion"), "{error}");
    let aws = account(&json!({}));
    let error = call_at(&aws, all, "2026-11-22T18:00:05Z").await.unwrap_err();
    assert!(error.to_string().contains("has no `monitoring`"), "{error}");
}

#[tokio::test]
async fn of_two_calls_that_start_the_same_run_one_says_so() {
    let aws = watched();
    let one = json!({"monitor": {"use_case": "cars", "model": "one"}});
    let look = || call(&aws, one.clone());
    let (first, second) = tokio::join!(look(), look());
    let mut outcomes = [first.outcome, second.outcome].map(|outcome| format!("{outcome:?}"));
    outcomes.sort();
    assert_eq!(outcomes, ["Busy", "Started"]);
    assert_eq!(aws.executions().len(), 1);
}

#[tokio::test]
async fn a_run_that_another_call_has_carried_on_is_not_said_to_be_started_twice() {
    let aws = watched();
    // The other call finds the claim before the execution is written down in it, and does so first.
    aws.before("PutObject", "run.json", |aws| {
        let key = "use-cases/cars/models/one/watch.json";
        let mut watch = aws.object_json(BUCKET, key).unwrap();
        watch["execution_arn"] = aws.executions()[0].arn.as_str().into();
        aws.put_object(BUCKET, key, watch.to_string());
    });
    let one = json!({"monitor": {"use_case": "cars", "model": "one"}});
    assert_eq!(outcome(&aws, one).await, Outcome::Busy);
    assert_eq!(aws.executions().len(), 1);
}

#[tokio::test]
async fn a_use_case_without_a_document_costs_one_call_of_parameter_store() {
    let aws = FakeAws::new();
    let version = aws.put_object(BUCKET, "boats/training/incoming/a.csv", "length,price\n7,100\n");
    let object = json!({"key": "boats/training/incoming/a.csv", "version-id": version});
    let drop = json!({
        "detail-type": "Object Created", "time": "2026-11-22T18:30:00Z",
        "detail": {"bucket": {"name": BUCKET}, "object": object},
    });
    assert_eq!(call(&aws, drop).await.outcome, Outcome::Refused);
    assert_eq!(aws.calls_of("GetParameter").len(), 1);
    assert_eq!(call(&aws, tick("2026-11-22T18:45:00Z")).await.outcome, Outcome::Ignored);
    assert_eq!(aws.calls_of("GetParameter").len(), 2, "at each tick");
}
