//! Drift starts a training run where the document says so, seldom enough, on what it names.

use crate::account::{BUCKET, account, at, call, call_at, dropped, ended, machines, manifest, onboard, recorded};
use fake_aws::{FakeAws, Reply};
use serde_json::{Value, json};
use start_run::{Outcome, Response};

const FOUND_BY: &str = "20261122t180000z-0a0b0c0d";

fn found(model: &str, run: &str) -> Value {
    let mut event = recorded(include_str!("../events/drift-detected.json"));
    event["detail"]["model"] = model.into();
    event["detail"]["run_id"] = run.into();
    event
}

fn document(cooldown_hours: u32, data: &Value) -> Value {
    json!({
        "monitoring": {},
        "retraining": {"on_drift": true, "cooldown_hours": cooldown_hours, "max_per_week": 2, "data": data},
    })
}

/// An account with two drops and two windows of labelled rows.
fn with_data(more: &Value) -> FakeAws {
    let aws = account(more);
    for name in ["training/incoming/a.csv", "training/incoming/b.csv"] {
        aws.put_object(BUCKET, &format!("cars/{name}"), "year,fuel,price\n2015,gas,1\n");
    }
    for window in ["window-000000.csv", "window-000001.csv"] {
        aws.put_object(
            BUCKET,
            &format!("cars/labelled/one/{window}"),
            "year,fuel,price\n2016,gas,2\n",
        );
    }
    aws
}

async fn end(aws: &FakeAws, run: &str) {
    aws.end_execution(run);
    call(aws, ended(aws, run)).await;
}

async fn later(aws: &FakeAws, request: Value, now: &str) -> Response {
    call_at(aws, request, now).await.unwrap()
}

#[tokio::test]
async fn drift_starts_a_run_on_the_newest_drop_and_what_was_labelled() {
    let aws = with_data(&document(24, &json!({})));
    let response = call(&aws, found("one", FOUND_BY)).await;
    assert_eq!(response.outcome, Outcome::Started);
    assert_eq!(machines(&aws), ["dev-training"]);
    let run = response.run_id.unwrap().to_string();
    let manifest = manifest(&aws, &run);
    assert_eq!(manifest["source"]["found_by"], FOUND_BY);
    let inputs: Vec<&str> = manifest["inputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["key"].as_str().unwrap())
        .collect();
    assert_eq!(
        inputs,
        [
            "cars/training/incoming/b.csv",
            "cars/labelled/one/window-000000.csv",
            "cars/labelled/one/window-000001.csv"
        ]
    );
    let folder = format!("cars/runs/{run}/input/");
    let copies = aws.keys(BUCKET, &folder);
    let names: Vec<&str> = copies.iter().map(|key| &key[folder.len()..]).collect();
    assert_eq!(
        names,
        [
            "000-b.csv",
            "labelled/001-window-000000.csv",
            "labelled/002-window-000001.csv"
        ]
    );
    let told = &aws.published()[0];
    assert!(
        told.message.contains("1 dropped file, 2 files of labelled rows"),
        "{}",
        told.message
    );

    // The event again: the same run, which is there.
    assert_eq!(call(&aws, found("one", FOUND_BY)).await.outcome, Outcome::Duplicate);
    assert_eq!(aws.published().len(), 1);
    // Run again by hand: the same data.
    let again = call(&aws, json!({"rerun": run, "use_case": "cars"})).await;
    assert_eq!(again.run_id.unwrap().to_string(), format!("{run}-r2"));
}

#[tokio::test]
async fn the_document_names_the_data() {
    for (data, expected) in [
        (json!({"drops": "all", "labelled_days": 0}), 2),
        (json!({"drops": "none"}), 2),
        (json!({"drops": "all"}), 4),
        (json!({"drops": "latest", "labelled_days": 0}), 1),
    ] {
        let aws = with_data(&document(24, &data));
        let run = call(&aws, found("one", FOUND_BY)).await.run_id.unwrap().to_string();
        assert_eq!(
            manifest(&aws, &run)["inputs"].as_array().unwrap().len(),
            expected,
            "{data}"
        );
    }
}

#[tokio::test]
async fn without_data_people_are_told() {
    let aws = account(&document(24, &json!({})));
    assert_eq!(call(&aws, found("one", FOUND_BY)).await.outcome, Outcome::Refused);
    assert!(
        aws.published()[0]
            .message
            .contains("the data that it names is not there")
    );
    assert!(aws.executions().is_empty());
    // What could not start does not stand in the way of what can.
    aws.put_object(BUCKET, "cars/training/incoming/a.csv", "year,fuel,price\n2015,gas,1\n");
    let next = found("one", "20261122t181500z-22222222");
    assert_eq!(call(&aws, next).await.outcome, Outcome::Started);
}

#[tokio::test]
async fn files_that_were_refused_are_not_trained_on() {
    let aws = with_data(&document(24, &json!({"labelled_days": 0})));
    aws.put_object(BUCKET, "cars/training/incoming/c.csv", "cost\n1\n");
    aws.put_object(BUCKET, "cars/training/incoming/d.csv", "");
    let run = call(&aws, found("one", FOUND_BY)).await.run_id.unwrap().to_string();
    assert_eq!(manifest(&aws, &run)["inputs"][0]["key"], "cars/training/incoming/b.csv");
    assert_eq!(manifest(&aws, &run)["inputs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_call_that_died_is_carried_on_with_the_same_data_and_people_are_told() {
    for operation in ["PutObject", "CopyObject", "StartExecution", "Publish"] {
        let aws = with_data(&document(24, &json!({})));
        let fault = Reply::error(500, "InternalError", "try again");
        if operation == "PutObject" {
            // That of the manifest, after the list of retrainings.
            aws.before("PutObject", "retrainings.json", |aws| {
                aws.before("PutObject", "run.json", |aws| {
                    aws.fail_next("PutObject", Reply::error(500, "InternalError", "try again"));
                });
            });
        } else {
            aws.fail_next(operation, fault);
        }
        let died = call_at(&aws, found("one", FOUND_BY), "2026-11-22T18:00:05Z").await;
        assert_eq!(died.unwrap_err().error_type(), "AwsCallFailed", "{operation}");
        let response = call(&aws, found("one", FOUND_BY)).await;
        assert_eq!(response.outcome, Outcome::Started, "{operation}");
        assert_eq!(aws.executions().len(), 1, "{operation}");
        let told = aws.published();
        assert_eq!(told.len(), 1, "{operation}");
        assert!(told[0].message.contains("1 dropped file, 2 files of labelled rows"));
    }
}

#[tokio::test]
async fn drift_cools_down_and_is_capped() {
    let aws = with_data(&document(24, &json!({})));
    assert_eq!(call(&aws, found("one", FOUND_BY)).await.outcome, Outcome::Started);
    // The other model drifts at the same time.
    let response = call(&aws, found("two", "20261122t180000z-11111111")).await;
    assert_eq!(response.outcome, Outcome::Ignored);
    assert!(response.reason.unwrap().contains("cool-down"));
    let run = aws.executions()[0].name.clone();
    let next = found("one", "20261123t180000z-22222222");
    // The cool-down is over, and the run goes on still.
    let response = later(&aws, next.clone(), "2026-11-23T18:00:05Z").await;
    assert!(response.reason.unwrap().contains("is under way"));
    end(&aws, &run).await;
    assert_eq!(
        later(&aws, next, "2026-11-23T18:00:05Z").await.outcome,
        Outcome::Started
    );
    let run = aws.executions()[1].name.clone();
    end(&aws, &run).await;
    let third = found("one", "20261125t180000z-33333333");
    let response = later(&aws, third.clone(), "2026-11-25T18:00:05Z").await;
    assert!(response.reason.unwrap().contains("the document allows 2"));
    // A week after the first there is room again.
    assert_eq!(
        later(&aws, third, "2026-11-29T18:00:06Z").await.outcome,
        Outcome::Started
    );
}

#[tokio::test]
async fn of_two_models_that_drift_at_once_one_starts_a_run() {
    let aws = with_data(&document(0, &json!({})));
    aws.before("PutObject", "retrainings.json", |aws| {
        let theirs = json!({"runs": {"20261122t180000z-44444444": "2026-11-22T18:00:04Z"}});
        aws.put_object(BUCKET, "use-cases/cars/retrainings.json", theirs.to_string());
    });
    let response = call(&aws, found("one", FOUND_BY)).await;
    assert_eq!(response.outcome, Outcome::Ignored);
    assert!(response.reason.unwrap().contains("under way"));
}

#[tokio::test]
async fn people_decide_where_the_document_says_nothing() {
    let aws = with_data(&json!({"monitoring": {}}));
    let response = call(&aws, found("one", FOUND_BY)).await;
    assert_eq!(response.outcome, Outcome::Ignored);
    assert!(response.reason.unwrap().contains("leaves retraining to people"));
}

#[tokio::test]
async fn a_retraining_obeys_the_limit_and_is_overtaken_by_a_newer_drop_alone() {
    let rows = "year,fuel,price\n2015,gas,1\n";
    let aws = with_data(&document(24, &json!({})));
    let drop = |name: &str, time: &str| {
        aws.set_now(std::time::SystemTime::from(crate::account::at(time)));
        dropped(&aws, &format!("cars/training/incoming/{name}"), rows)
    };
    let event = drop("c.csv", "2026-11-22T17:00:00Z");
    assert_eq!(call(&aws, event).await.outcome, Outcome::Started);
    let first = aws.executions()[0].name.clone();
    // Drift is found while it runs, then comes an older file's event, then a newer file.
    let queued = call(&aws, found("one", FOUND_BY)).await;
    assert_eq!(queued.outcome, Outcome::Queued);
    assert!(aws.published().is_empty(), "it is told when it is started");
    let event = drop("d.csv", "2026-11-22T17:30:00Z");
    assert_eq!(call(&aws, event).await.outcome, Outcome::Queued);
    end(&aws, &first).await;
    // The drop goes first, and the retraining is not overtaken by it: it is newer.
    let second = aws.executions()[1].name.clone();
    assert_eq!(manifest(&aws, &second)["source"]["key"], "cars/training/incoming/d.csv");
    let retraining = queued.run_id.unwrap().to_string();
    assert_eq!(manifest(&aws, &retraining)["state"], "queued");
    let event = drop("e.csv", "2026-11-22T18:10:00Z");
    assert_eq!(call(&aws, event).await.outcome, Outcome::Queued);
    end(&aws, &second).await;
    assert_eq!(manifest(&aws, &retraining)["state"], "overtaken");
    assert_eq!(aws.published().len(), 1);
    // It was never started: drift may start another.
    let list = aws.object_json(BUCKET, "use-cases/cars/retrainings.json").unwrap();
    assert_eq!(list["runs"], json!({}));
    let third = aws.executions()[2].name.clone();
    end(&aws, &third).await;
    let again = found("one", "20261122t183000z-22222222");
    assert_eq!(call(&aws, again).await.outcome, Outcome::Started);
    assert!(
        aws.published()[1].message.contains("drifted:"),
        "{}",
        aws.published()[1].message
    );
}

#[tokio::test]
async fn inputs_that_were_copied_are_not_copied_again() {
    let aws = with_data(&document(24, &json!({"drops": "all"})));
    aws.before("CopyObject", "", |aws| {
        aws.fail_next_after_doing("CopyObject", Reply::connection_lost());
    });
    let died = call_at(&aws, found("one", FOUND_BY), "2026-11-22T18:00:05Z").await;
    died.unwrap_err();
    let before: Vec<String> = aws
        .keys(BUCKET, "cars/runs/")
        .into_iter()
        .filter(|key| key.contains("/input/"))
        .collect();
    assert!(!before.is_empty());
    let calls = aws.calls_of("CopyObject").len();
    let run = call(&aws, found("one", FOUND_BY)).await.run_id.unwrap().to_string();
    assert_eq!(aws.keys(BUCKET, &format!("cars/runs/{run}/input/")).len(), 4);
    assert_eq!(aws.calls_of("CopyObject").len() - calls, 4 - before.len());
    for key in before {
        assert_eq!(aws.version_ids(BUCKET, &key).len(), 1, "{key}");
    }
}

#[tokio::test]
async fn the_newest_of_one_second_is_that_with_the_greatest_run() {
    let aws = account(&document(24, &json!({"labelled_days": 0})));
    let rows = "year,fuel,price\n2015,gas,1\n";
    let object = |name: &str| {
        let key = format!("cars/training/incoming/{name}");
        let version = aws.put_object(BUCKET, &key, rows);
        let time = crate::account::at("2026-11-22T18:00:00Z");
        (contracts::RunId::for_drop(time, BUCKET, &key, &version), key)
    };
    let newest = ["a.csv", "b.csv", "c.csv", "d.csv", "e.csv"]
        .map(object)
        .into_iter()
        .max()
        .unwrap();
    let run = call(&aws, found("one", FOUND_BY)).await.run_id.unwrap().to_string();
    assert_eq!(manifest(&aws, &run)["inputs"][0]["key"], newest.1.as_str());
}

#[tokio::test]
async fn drift_whose_event_could_not_be_sent_is_taken_up_and_told() {
    let aws = with_data(&document(24, &json!({})));
    let mut call_of_the_machine = json!({
        "detail-type": "Drift Detected",
        "time": "2026-11-22T18:00:05Z",
        "unannounced": {"Error": "EventBridge.FailedEntry", "Cause": "InternalFailure"},
    });
    call_of_the_machine["detail"] = found("one", FOUND_BY)["detail"].clone();
    assert_eq!(call(&aws, call_of_the_machine).await.outcome, Outcome::Started);
    let told = aws.published();
    assert_eq!(told.len(), 2);
    assert!(told[1].message.contains("has not taken the event") && told[1].message.contains("InternalFailure"));
}

#[tokio::test]
async fn a_file_that_preprocess_has_refused_is_not_trained_on_until_the_document_has_changed() {
    let more = document(0, &json!({"labelled_days": 0}));
    let aws = account(&more);
    aws.put_object(BUCKET, "cars/training/incoming/a.csv", "year,fuel,price\n2015,gas,1\n");
    aws.set_now(std::time::SystemTime::from(at("2026-11-22T18:00:01Z")));
    let newest = dropped(&aws, "cars/training/incoming/b.csv", "year,fuel,price\nsoon,gas,1\n");
    let run = call(&aws, newest).await.run_id.unwrap().to_string();
    let trained_on =
        |response: Response| manifest(&aws, &response.run_id.unwrap().to_string())["inputs"][0]["key"].clone();
    aws.end_execution_as(&run, "FAILED");
    call(&aws, ended(&aws, &run)).await;

    let drift = call(&aws, found("one", FOUND_BY)).await;
    assert_eq!(trained_on(drift.clone()), "cars/training/incoming/a.csv");
    end(&aws, &drift.run_id.unwrap().to_string()).await;

    // Another document may read it.
    onboard(&aws, &more);
    let next = call(&aws, found("one", "20261122t181500z-22222222")).await;
    assert_eq!(trained_on(next), "cars/training/incoming/b.csv");
}

#[tokio::test]
async fn a_file_whose_run_has_failed_after_preprocess_is_trained_on() {
    let aws = account(&document(0, &json!({"labelled_days": 0})));
    aws.put_object(BUCKET, "cars/training/incoming/a.csv", "year,fuel,price\n2015,gas,1\n");
    aws.set_now(std::time::SystemTime::from(at("2026-11-22T18:00:01Z")));
    let newest = dropped(&aws, "cars/training/incoming/b.csv", "year,fuel,price\n2016,gas,1\n");
    let run = call(&aws, newest).await.run_id.unwrap().to_string();
    aws.put_object(BUCKET, &format!("cars/runs/{run}/data/summary/summary.json"), "{}");
    aws.end_execution_as(&run, "FAILED");
    call(&aws, ended(&aws, &run)).await;

    let run = call(&aws, found("one", FOUND_BY)).await.run_id.unwrap().to_string();
    assert_eq!(manifest(&aws, &run)["inputs"][0]["key"], "cars/training/incoming/b.csv");
}

#[tokio::test]
async fn a_run_by_drift_of_the_errors_alone_is_told_with_what_drifted_and_files_in_grammar() {
    let aws = with_data(&document(24, &json!({})));
    let mut event = found("one", FOUND_BY);
    event["detail"]["top_features"] = json!([]);
    event["detail"]["drifted_metrics"] = json!(["mae", "rmse", "r2"]);
    assert_eq!(call(&aws, event).await.outcome, Outcome::Started);
    let mail = &aws.published()[0].message;
    assert!(mail.contains("mae, rmse, r2"), "{mail}");
    assert!(mail.contains("1 dropped file, 2 files of labelled rows"), "{mail}");

    // What named neither, an event of before, is not told as nothing.
    let aws = with_data(&document(24, &json!({"drops": "none"})));
    let mut event = found("one", FOUND_BY);
    event["detail"]["top_features"] = json!([]);
    assert_eq!(call(&aws, event).await.outcome, Outcome::Started);
    let mail = &aws.published()[0].message;
    assert!(!mail.contains("drifted:"), "{mail}");
    assert!(mail.contains("  2 files of labelled rows"), "{mail}");
}
