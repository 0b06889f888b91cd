//! However many files are dropped at once, no more runs run at once than the document allows, and the newest wins.

use crate::account::{
    BUCKET, account, at, call, call_at, dropped, ended, machines, manifest, offboard, onboard, onboard_under, tick,
};
use fake_aws::{FakeAws, Reply};
use futures::future::join_all;
use serde_json::{Value, json};
use start_run::Outcome;
use std::collections::HashSet;

const ROWS: &str = "year,fuel,price\n2015,gas,1\n";

/// Drops a file at a second of the day.
fn dropped_at(aws: &FakeAws, second: i64, content: &str) -> Value {
    let time = at("2026-11-22T18:00:00Z") + jiff::SignedDuration::from_secs(second);
    aws.set_now(std::time::SystemTime::from(time));
    dropped(aws, &format!("cars/training/incoming/{second:03}.csv"), content)
}

/// The states of the manifests, by the second of the drop.
fn states(aws: &FakeAws) -> Vec<(String, String)> {
    let keys = aws.keys(BUCKET, "cars/runs/").into_iter();
    let manifests = keys.filter(|key| key.ends_with("/run.json"));
    let mut states: Vec<_> = manifests
        .map(|key| aws.object_json(BUCKET, &key).unwrap())
        .map(|it| {
            let name = it["source"]["key"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap()
                .to_owned();
            (name, it["state"].as_str().unwrap().to_owned())
        })
        .collect();
    states.sort();
    states
}

fn count(aws: &FakeAws, state: &str) -> usize {
    states(aws).iter().filter(|(_, it)| it == state).count()
}

fn markers(aws: &FakeAws) -> Vec<String> {
    let folders = ["claimed", "queued", "untold"].map(|it| aws.keys(BUCKET, &format!("use-cases/cars/{it}/")));
    folders.concat()
}

fn newest(aws: &FakeAws) -> String {
    aws.executions().last().unwrap().name.clone()
}

#[tokio::test]
async fn of_300_files_dropped_at_once_one_is_trained_on_and_then_the_newest() {
    let aws = account(&json!({}));
    let events: Vec<Value> = (0..300).map(|second| dropped_at(&aws, second, ROWS)).collect();
    let answers = join_all(events.iter().map(|event| call(&aws, event.clone()))).await;
    assert_eq!(machines(&aws), ["dev-training"]);
    let with = |outcome| answers.iter().filter(|it| it.outcome == outcome).count();
    assert_eq!(with(Outcome::Started), 1, "one call says so");
    assert_eq!(with(Outcome::Queued) + with(Outcome::Overtaken), 299);
    assert!(aws.published().is_empty(), "a flood is no flood of mails");

    let first = newest(&aws);
    aws.end_execution(&first);
    // The events come again, in any order, at the same time.
    let end = ended(&aws, &first);
    join_all((0..3).map(|_| call(&aws, end.clone()))).await;
    assert_eq!(machines(&aws).len(), 2);
    let second = newest(&aws);
    assert_eq!(
        manifest(&aws, &second)["source"]["key"],
        "cars/training/incoming/299.csv"
    );
    assert_eq!((count(&aws, "started"), count(&aws, "overtaken")), (2, 298));
    let told = aws.published();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_eq!(
        told[0].subject.as_deref(),
        Some("[drivetrain] cars: 298 files were overtaken by newer ones")
    );
    for name in ["/007.csv", "/298.csv"] {
        assert!(told[0].message.contains(name), "{name}");
    }
    let overtaken = aws
        .keys(BUCKET, "cars/runs/")
        .into_iter()
        .filter(|key| key.ends_with("/run.json"));
    let overtaken = overtaken
        .map(|key| aws.object_json(BUCKET, &key).unwrap())
        .filter(|it| it["state"] == "overtaken");
    for manifest in overtaken {
        let by = manifest["overtaken_by"].as_str().unwrap();
        assert!(by == first || by == second, "{manifest}");
    }
    assert_eq!(markers(&aws), Vec::<String>::new());

    // An event that is delivered again changes nothing.
    assert_eq!(call(&aws, events[5].clone()).await.outcome, Outcome::Duplicate);
    aws.end_execution(&second);
    assert_eq!(call(&aws, ended(&aws, &second)).await.outcome, Outcome::Ignored);
    assert_eq!(machines(&aws).len(), 2);
    assert_eq!(aws.published().len(), 1);
}

#[tokio::test]
async fn a_file_is_queued_while_another_is_trained_on_and_the_newest_goes_on() {
    let aws = account(&json!({}));
    assert_eq!(call(&aws, dropped_at(&aws, 0, ROWS)).await.outcome, Outcome::Started);
    let first = newest(&aws);
    for second in [20, 10] {
        let answer = call(&aws, dropped_at(&aws, second, ROWS)).await;
        assert_eq!(answer.outcome, Outcome::Queued);
        assert_eq!(
            answer.reason.as_deref(),
            Some("waits for a training run of the use case to end")
        );
    }
    // A bad file overtakes nothing.
    assert_eq!(
        call(&aws, dropped_at(&aws, 30, "cost\n1\n")).await.outcome,
        Outcome::Refused
    );
    aws.end_execution_as(&first, "FAILED");
    let answer = call(&aws, ended(&aws, &first)).await;
    assert_eq!(answer.outcome, Outcome::Started);
    assert!(
        manifest(&aws, &newest(&aws))["source"]["key"]
            .as_str()
            .unwrap()
            .ends_with("020.csv")
    );
    let states = states(&aws);
    let states: Vec<&str> = states.iter().map(|(_, state)| state.as_str()).collect();
    assert_eq!(states, ["started", "overtaken", "started", "refused"]);
    let told = aws.published();
    insta::assert_snapshot!("notice_of_an_overtaken_file", told[1].message);
    // One that comes late, and is older than what is trained on, is overtaken at once, and told at the next tick.
    assert_eq!(call(&aws, dropped_at(&aws, 15, ROWS)).await.outcome, Outcome::Overtaken);
    assert_eq!(aws.published().len(), 2);
    call(&aws, tick("2026-11-22T18:15:00Z")).await;
    assert_eq!(aws.published().len(), 3);
    assert_eq!(markers(&aws), Vec::<String>::new());
}

#[tokio::test]
async fn the_document_says_how_many_run_at_once() {
    let aws = account(&json!({"drops": {"max_concurrent_runs": 3}}));
    let events: Vec<Value> = (0..20).map(|second| dropped_at(&aws, second, ROWS)).collect();
    join_all(events.iter().map(|event| call(&aws, event.clone()))).await;
    assert_eq!(machines(&aws).len(), 3);
    let one = aws.executions()[0].name.clone();
    aws.end_execution(&one);
    call(&aws, ended(&aws, &one)).await;
    assert!(
        states(&aws).iter().all(|(_, state)| state != "queued"),
        "{:?}",
        states(&aws)
    );
    let newest = states(&aws).pop().unwrap();
    assert_eq!(newest, ("019.csv".to_owned(), "started".to_owned()));
    assert!(machines(&aws).len() <= 4);
}

#[tokio::test]
async fn a_tick_finds_a_run_whose_end_nobody_told_of() {
    let aws = account(&json!({}));
    call(&aws, dropped_at(&aws, 0, ROWS)).await;
    assert_eq!(call(&aws, dropped_at(&aws, 1, ROWS)).await.outcome, Outcome::Queued);
    call(&aws, tick("2026-11-22T18:15:00Z")).await;
    assert_eq!(machines(&aws).len(), 1, "it runs still");
    aws.end_execution(&newest(&aws));
    assert_eq!(call(&aws, tick("2026-11-22T18:30:00Z")).await.outcome, Outcome::Started);
    assert_eq!(count(&aws, "started"), 2);
}

#[tokio::test]
async fn what_people_ask_for_by_name_waits_for_nothing_and_drops_wait_for_it() {
    let aws = account(&json!({}));
    call(&aws, dropped_at(&aws, 0, ROWS)).await;
    let first = newest(&aws);
    let rerun = json!({"rerun": first, "use_case": "cars"});
    assert_eq!(call(&aws, rerun).await.outcome, Outcome::Started);
    let again = newest(&aws);
    assert_eq!(again, format!("{first}-r2"));
    call(&aws, dropped_at(&aws, 1, ROWS)).await;
    aws.end_execution(&first);
    assert_eq!(call(&aws, ended(&aws, &first)).await.outcome, Outcome::Ignored);
    aws.end_execution(&again);
    assert_eq!(call(&aws, ended(&aws, &again)).await.outcome, Outcome::Started);
}

#[tokio::test]
async fn a_call_that_dies_between_claim_and_start_is_made_up_for_by_a_tick() {
    let fault = || Reply::error(500, "InternalError", "try again");
    for step in [
        "the claim",
        "the manifest's state",
        "the place",
        "the copy",
        "the execution",
        "the last word",
    ] {
        let aws = account(&json!({}));
        let event = dropped_at(&aws, 0, ROWS);
        let fails = move |aws: &FakeAws| {
            // Whatever the call does after that fails, too.
            for operation in ["PutObject", "DeleteObject", "CopyObject"] {
                (0..10).for_each(|_| aws.fail_next(operation, fault()));
            }
        };
        match step {
            "the claim" => aws.before("PutObject", "run.json", fails),
            "the manifest's state" => aws.before("PutObject", "/queued/", fails),
            "the place" => aws.before("PutObject", "trainings.json", fails),
            "the copy" => aws.before("CopyObject", "", fails),
            "the execution" => aws.fail_next_after_doing("StartExecution", Reply::connection_lost()),
            _ => aws.before("StartExecution", "", fails),
        }
        let died = call_at(&aws, event, "2026-11-22T18:00:05Z").await;
        assert_eq!(died.unwrap_err().error_type(), "AwsCallFailed", "{step}");
        let aws = survivor(&aws);
        // Its call may be at it still, for all that the tick knows.
        call_at(&aws, tick("2026-11-22T18:03:00Z"), "2026-11-22T18:03:00Z")
            .await
            .unwrap();
        call_at(&aws, tick("2026-11-22T18:15:00Z"), "2026-11-22T18:15:00Z")
            .await
            .unwrap();
        assert_eq!(aws.executions().len(), 1, "{step}");
        assert_eq!(count(&aws, "started"), 1, "{step}");
        assert_eq!(markers(&aws), Vec::<String>::new(), "{step}");
    }
}

/// The same account when nothing fails any more.
fn survivor(aws: &FakeAws) -> FakeAws {
    aws.clear_faults();
    aws.clone()
}

#[tokio::test]
async fn a_claimed_run_that_never_starts_is_told_and_given_up_after_a_day() {
    let aws = account(&json!({}));
    aws.on("CopyObject", |_| Reply::error(403, "AccessDenied", "no"));
    let died = call_at(&aws, dropped_at(&aws, 0, ROWS), "2026-11-22T18:00:05Z").await;
    died.unwrap_err();
    // Claimed by a call that has died before it could queue it.
    let run = aws.keys(BUCKET, "cars/runs/")[0].split('/').nth(2).unwrap().to_owned();
    let key = format!("cars/runs/{run}/run.json");
    let mut claimed = aws.object_json(BUCKET, &key).unwrap();
    claimed["state"] = "claimed".into();
    aws.put_object(BUCKET, &key, claimed.to_string());
    aws.put_object(BUCKET, &format!("use-cases/cars/claimed/{run}"), claimed.to_string());
    for time in ["2026-11-22T18:15:00Z", "2026-11-22T18:30:00Z"] {
        call_at(&aws, tick(time), time).await.unwrap();
    }
    let told = aws.published();
    assert_eq!(told.len(), 1, "once a day: {told:#?}");
    assert!(
        told[0].message.contains("a run can't be started: CopyObject"),
        "{}",
        told[0].message
    );
    call_at(&aws, tick("2026-11-23T18:15:00Z"), "2026-11-23T18:15:00Z")
        .await
        .unwrap();
    assert_eq!(manifest(&aws, &run)["state"], "refused");
    assert!(
        aws.published()
            .last()
            .unwrap()
            .message
            .contains("could not be started: CopyObject")
    );
}

/// The rows of runs, by file.
fn reported(aws: &FakeAws) -> Vec<Vec<Value>> {
    let keys = aws.keys(BUCKET, "cars/reporting/runs/");
    let rows = |key: &String| {
        let text = String::from_utf8(aws.object(BUCKET, key).unwrap()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    keys.iter().map(rows).collect()
}

#[tokio::test]
async fn a_refused_file_is_a_row_that_says_why() {
    let aws = account(&json!({}));
    call(&aws, dropped_at(&aws, 0, "")).await;
    let keys = aws.keys(BUCKET, "cars/reporting/runs/");
    assert!(
        keys[0].contains("/model=all/") && keys[0].ends_with("-refused.jsonl"),
        "{keys:?}"
    );
    let row = &reported(&aws)[0][0];
    for (name, value) in [
        ("model", "all"),
        ("kind", "training"),
        ("started_by", "drop"),
        ("status", "REFUSED"),
        ("decision", "refused"),
    ] {
        assert_eq!(row[name], value, "{row}");
    }
    assert!(row["reason"].as_str().unwrap().starts_with("is empty. "), "{row}");
    assert!(
        row["source"].as_str().unwrap().ends_with("/training/incoming/000.csv"),
        "{row}"
    );
    // S3 tells of it once more.
    call(&aws, dropped_at(&aws, 0, "")).await;
    assert!(reported(&aws).iter().all(|rows| rows.len() == 1));
}

#[tokio::test]
async fn a_flood_of_refused_files_is_few_mails() {
    let aws = account(&json!({}));
    let events: Vec<Value> = (0..300).map(|second| dropped_at(&aws, second, "cost\n1\n")).collect();
    join_all(events.iter().map(|event| call(&aws, event.clone()))).await;
    call(&aws, tick("2026-11-22T18:15:00Z")).await;
    let told = aws.published();
    assert!((1..=6).contains(&told.len()), "{} mails", told.len());
    let text: String = told.iter().map(|it| it.message.as_str()).collect();
    for second in 0..300 {
        let name = format!("/{second:03}.csv");
        assert_eq!(text.matches(&name).count(), 1, "{name}");
    }
    assert_eq!(count(&aws, "refused"), 300);
    // A file of rows a mail, so that the dashboard is not made 300 times.
    let files = reported(&aws);
    assert_eq!(files.len(), told.len());
    let sources: HashSet<&str> = files
        .iter()
        .flatten()
        .filter_map(|row| row["source"].as_str())
        .collect();
    assert_eq!(sources.len(), 300);
    assert_eq!(markers(&aws), Vec::<String>::new());
    call(&aws, tick("2026-11-22T18:30:00Z")).await;
    assert_eq!(aws.published().len(), told.len(), "told once");
}

#[tokio::test]
async fn refusals_after_a_few_are_gathered_until_the_tick() {
    let aws = account(&json!({}));
    for second in 0..7 {
        call(&aws, dropped_at(&aws, second, "")).await;
    }
    assert_eq!(aws.published().len(), 5);
    call(&aws, tick("2026-11-22T18:15:00Z")).await;
    let told = aws.published();
    assert_eq!(told.len(), 6);
    insta::assert_snapshot!("notice_of_two_refused_files", told[5].message);
}

#[tokio::test]
async fn of_two_versions_within_a_second_the_later_one_is_newer() {
    let aws = account(&json!({}));
    call(&aws, dropped_at(&aws, 0, ROWS)).await;
    let first = newest(&aws);
    aws.set_now(std::time::SystemTime::from(at("2026-11-22T18:00:10Z")));
    let key = "cars/training/incoming/cars.csv";
    // As many as it takes for digits of chance to be in the wrong order.
    let versions: Vec<Value> = (0..8)
        .map(|n| dropped(&aws, key, &format!("{ROWS}{n},gas,2\n")))
        .collect();
    for event in versions.iter().rev() {
        assert_eq!(call(&aws, event.clone()).await.outcome, Outcome::Queued);
    }
    aws.end_execution(&first);
    call(&aws, ended(&aws, &first)).await;
    let started = manifest(&aws, &newest(&aws));
    assert_eq!(
        started["source"]["version_id"], versions[7]["detail"]["object"]["version-id"],
        "{started}"
    );
    assert_eq!(count(&aws, "overtaken"), 7);
}

#[tokio::test]
async fn a_queued_version_that_is_deleted_gives_its_turn_away() {
    let aws = account(&json!({}));
    call(&aws, dropped_at(&aws, 0, ROWS)).await;
    let first = newest(&aws);
    call(&aws, dropped_at(&aws, 1, ROWS)).await;
    call(&aws, dropped_at(&aws, 2, ROWS)).await;
    aws.fail_next("CopyObject", Reply::error(404, "NoSuchVersion", "gone"));
    aws.end_execution(&first);
    call(&aws, ended(&aws, &first)).await;
    let states: Vec<String> = states(&aws).into_iter().map(|(_, state)| state).collect();
    assert_eq!(states, ["started", "started", "refused"]);
    assert!(
        aws.published()[0]
            .message
            .contains("was deleted before it could be copied")
    );
}

#[tokio::test]
async fn names_that_do_not_fit_are_cut_and_names_that_forge_a_line_are_told_in_one() {
    let aws = account(&json!({"drops": {"max_concurrent_runs": 2}}));
    // The longest key that S3 takes.
    let long = format!("cars/training/incoming/{}", "x".repeat(1_001));
    for key in [long.as_str(), "cars/training/incoming/.csv"] {
        assert_eq!(
            call(&aws, dropped(&aws, key, ROWS)).await.outcome,
            Outcome::Started,
            "{key}"
        );
    }
    let forged = "cars/training/incoming/a\nrun:           20261122t183000z-00000000.csv";
    assert_eq!(call(&aws, dropped(&aws, forged, "")).await.outcome, Outcome::Refused);
    let told = &aws.published()[0].message;
    assert_eq!(
        told.lines().filter(|line| line.starts_with("run:")).count(),
        1,
        "{told}"
    );
}

fn places_taken(aws: &FakeAws) -> usize {
    let trainings = aws.object_json(BUCKET, "use-cases/cars/trainings.json").unwrap();
    trainings["runs"].as_object().unwrap().len()
}

#[tokio::test]
async fn a_run_that_ends_while_its_use_case_is_removed_frees_its_place() {
    let aws = account(&json!({}));
    call(&aws, dropped_at(&aws, 0, ROWS)).await;
    let first = newest(&aws);
    offboard(&aws);
    aws.end_execution(&first);
    call(&aws, ended(&aws, &first)).await;
    assert_eq!(places_taken(&aws), 0);
    onboard(&aws, &json!({}));
    assert_eq!(call(&aws, dropped_at(&aws, 1, ROWS)).await.outcome, Outcome::Started);
}

#[tokio::test]
async fn what_is_queued_of_a_use_case_that_was_removed_is_refused_and_told_once() {
    for told_by in ["the end of the run", "a tick"] {
        let aws = account(&json!({}));
        call(&aws, dropped_at(&aws, 0, ROWS)).await;
        let first = newest(&aws);
        for second in [1, 2] {
            assert_eq!(
                call(&aws, dropped_at(&aws, second, ROWS)).await.outcome,
                Outcome::Queued
            );
        }
        offboard(&aws);
        aws.end_execution(&first);
        if told_by == "the end of the run" {
            call(&aws, ended(&aws, &first)).await;
        }
        for time in ["2026-11-22T18:15:00Z", "2026-11-22T18:30:00Z"] {
            call_at(&aws, tick(time), time).await.unwrap();
        }
        assert_eq!((count(&aws, "refused"), places_taken(&aws)), (2, 0), "{told_by}");
        assert_eq!(aws.executions().len(), 1);
        assert_eq!(markers(&aws), Vec::<String>::new());
        let told: String = aws.published().into_iter().map(|it| it.message).collect();
        for name in ["001.csv", "002.csv"] {
            assert_eq!(
                told.matches(&format!(
                    "file:          s3://drivetrain-dev/cars/training/incoming/{name}"
                ))
                .count(),
                1,
                "{told}"
            );
        }
        assert!(
            told.contains("belongs to use case `cars`, which has no document"),
            "{told}"
        );
    }
}

#[tokio::test]
async fn what_is_queued_of_before_a_removal_is_not_run_under_the_next_onboarding() {
    let aws = account(&json!({}));
    offboard(&aws);
    onboard_under(&aws, &json!({}), &json!("1"));
    call(&aws, dropped_at(&aws, 0, ROWS)).await;
    let first = newest(&aws);
    assert_eq!(call(&aws, dropped_at(&aws, 1, ROWS)).await.outcome, Outcome::Queued);
    offboard(&aws);
    onboard_under(&aws, &json!({}), &json!("2"));
    aws.end_execution(&first);
    call(&aws, ended(&aws, &first)).await;
    assert_eq!((count(&aws, "refused"), places_taken(&aws)), (1, 0));
    call_at(&aws, tick("2026-11-22T18:15:00Z"), "2026-11-22T18:15:00Z")
        .await
        .unwrap();
    let told: String = aws.published().into_iter().map(|it| it.message).collect();
    assert!(
        told.contains("as it was before it was removed and onboarded again"),
        "{told}"
    );
    // What is dropped now is of now; its plan says so.
    assert_eq!(call(&aws, dropped_at(&aws, 2, ROWS)).await.outcome, Outcome::Started);
    let plans: Vec<Value> = aws.executions().into_iter().map(|it| it.input).collect();
    let under: Vec<&Value> = plans.iter().map(|plan| &plan["models"][0]["onboarding"]).collect();
    assert_eq!(under, ["1", "2"]);
}

#[tokio::test]
async fn a_drop_takes_the_place_of_a_run_that_has_ended() {
    let aws = account(&json!({}));
    call(&aws, dropped_at(&aws, 0, ROWS)).await;
    aws.end_execution(&newest(&aws));
    // Nobody has told of the end.
    assert_eq!(call(&aws, dropped_at(&aws, 1, ROWS)).await.outcome, Outcome::Started);
    // What can't be asked counts as running: it is queued, and the next tick sees.
    aws.end_execution(&newest(&aws));
    aws.fail_next("DescribeExecution", Reply::error(400, "AccessDeniedException", "no"));
    assert_eq!(call(&aws, dropped_at(&aws, 2, ROWS)).await.outcome, Outcome::Queued);
    assert_eq!(call(&aws, tick("2026-11-22T18:15:00Z")).await.outcome, Outcome::Started);
}

#[tokio::test]
async fn files_of_an_unknown_use_case_are_told_with_one_reason() {
    let aws = account(&json!({}));
    offboard(&aws);
    for second in 0..8 {
        call(&aws, dropped_at(&aws, second, ROWS)).await;
    }
    call(&aws, tick("2026-11-22T18:15:00Z")).await;
    let told = aws.published();
    assert_eq!(told.len(), 6);
    insta::assert_snapshot!("notice_of_three_files_of_an_unknown_use_case", told[5].message);
}
