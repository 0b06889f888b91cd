//! The function against an AWS in memory: outcomes, rows, and which notices people get when.

// Clippy's exception for tests does not include their helpers.
#![allow(clippy::unwrap_used)]

use contracts::places::Table;
use contracts::reporting::DriftRow;
use evaluate_drift::{Error, EvaluateDrift, Request};
use fake_aws::{FakeAws, Reply};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const BUCKET: &str = "drivetrain-dev";
const RUN: &str = "20261127t170000z-5f3a9c01";
const FINDING: &str = "use-cases/used-car-price/models/xgboost/finding.json";

fn file(folder: &str, name: &str) -> Value {
    let path = format!("{}/tests/{folder}/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn event(name: &str) -> Value {
    file("events", name)
}

fn rows_key() -> String {
    let day = "2026-11-27".parse().unwrap();
    Table::Drift.key("used-car-price", "xgboost", day, "window-000017.jsonl")
}

fn hour(hours: i64) -> Timestamp {
    "2026-11-27T17:02:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

/// An account in which the analyzer has left these results.
fn account(data: &str, quality: &str) -> FakeAws {
    let aws = FakeAws::new();
    put_results(&aws, RUN, data, quality);
    aws
}

fn put_results(aws: &FakeAws, run: &str, data: &str, quality: &str) {
    for (of, name) in [("data", data), ("quality", quality)] {
        if !name.is_empty() {
            let key = format!("used-car-price/monitoring/xgboost/{run}/{of}/drift.json");
            aws.put_object_json(BUCKET, &key, &file("results", &format!("{of}-{name}")));
        }
    }
}

async fn ask_at(aws: &FakeAws, event: Value, now: Timestamp) -> Result<Value, Error> {
    let request: Request = serde_json::from_value(event).unwrap();
    let topic = "arn:aws:sns:us-east-1:123456789012:dev";
    let function = EvaluateDrift::new(&aws.sdk_config(), "dev", BUCKET, topic);
    Ok(serde_json::to_value(function.handle(request, now).await?).unwrap())
}

async fn ask(aws: &FakeAws, name: &str) -> Value {
    ask_at(aws, event(name), hour(0)).await.unwrap()
}

/// Evaluates the same window as if a run `hours` later had made it.
async fn later(aws: &FakeAws, name: &str, hours: i64, data: &str, quality: &str) -> Value {
    let run = hour(hours).strftime("%Y%m%dt%H%M%Sz-00000000").to_string();
    put_results(aws, &run, data, quality);
    let text = event(name).to_string().replace(RUN, &run);
    ask_at(aws, serde_json::from_str(&text).unwrap(), hour(hours))
        .await
        .unwrap()
}

fn rows(aws: &FakeAws) -> Vec<DriftRow> {
    let text = String::from_utf8(aws.object(BUCKET, &rows_key()).unwrap()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn mail(aws: &FakeAws) -> String {
    let published = aws.published();
    let last = published.last().unwrap();
    format!(
        "{}\nuse_case={} severity={}\n\n{}",
        last.subject.as_deref().unwrap(),
        last.attributes["use_case"],
        last.attributes["severity"],
        last.message
    )
}

#[tokio::test]
async fn drift_is_told_announced_and_committed() {
    let aws = account("drifted", "drifted");
    let answer = ask(&aws, "analysed").await;
    insta::assert_json_snapshot!("answer_drifted", answer);
    insta::assert_snapshot!("mail_drifted", mail(&aws));
    insta::assert_json_snapshot!("finding_drifted", aws.object_json(BUCKET, FINDING).unwrap());
    let text = String::from_utf8(aws.object(BUCKET, &rows_key()).unwrap()).unwrap();
    insta::assert_snapshot!("rows_drifted", text);
    assert_eq!(rows(&aws).len(), 8, "4 features, 4 metrics");
}

#[tokio::test]
async fn only_the_model_drifts() {
    let aws = account("clean", "drifted");
    let answer = ask(&aws, "analysed").await;
    assert_eq!(answer["outcome"], "drifted");
    assert_eq!(answer["reason"], "quality: rmse is 5120, above 4100");
    assert_eq!(answer["detail"]["kinds"], json!(["model"]));
    assert_eq!(answer["detail"]["top_features"], json!([]));
    assert_eq!(answer["detail"]["drifted_metrics"], json!(["rmse"]));
    insta::assert_snapshot!("mail_model_drifted", mail(&aws));
}

#[tokio::test]
async fn a_clean_window_is_not_told() {
    let aws = account("clean", "clean");
    let answer = ask(&aws, "analysed").await;
    assert_eq!(
        answer,
        json!({
            "outcome": "clean", "announce": false, "detail": null, "commit": true, "told": null,
            "reason": "data: nothing drifted in 1 column: 1234 rows against 5010 of the baseline; \
                       quality: 4 quality metrics within the thresholds on 120 rows",
        })
    );
    assert!(aws.published().is_empty());
    assert_eq!(aws.object(BUCKET, FINDING), None);
    let rows = rows(&aws);
    assert_eq!(rows.len(), 5, "1 feature, 4 metrics");
    assert!(
        rows.iter()
            .all(|row| row.status == Some(contracts::drift::Status::Clean))
    );
}

#[tokio::test]
async fn too_few_rows_are_not_told_but_have_rows() {
    let aws = account("few", "few");
    let answer = ask(&aws, "analysed").await;
    assert_eq!(answer["outcome"], "insufficient-data");
    assert_eq!((&answer["commit"], &answer["announce"]), (&json!(true), &json!(false)));
    assert!(aws.published().is_empty());
    let rows = rows(&aws);
    let analyses: Vec<&str> = rows.iter().map(|row| row.analysis.as_str()).collect();
    assert_eq!(analyses, ["data", "quality"]);
    assert!(rows.iter().all(|row| row.outcome == "insufficient-data"));
    // For quality there is nothing to show except that it was evaluated.
    assert_eq!((&rows[1].feature, &rows[1].metric), (&None, &None));
}

/// With ten labels, the analyzer lists what would be drift among more of them; it is not called drift.
#[tokio::test]
async fn what_too_few_labels_say_is_never_called_drift() {
    let aws = account("drifted", "few");
    let key = format!("used-car-price/monitoring/xgboost/{RUN}/quality/drift.json");
    let mut few = file("results", "quality-few");
    few["quality"] = json!({"problem_type": "Regression", "metrics": [{
        "name": "r2", "value": -0.95, "threshold": 0.72, "comparison_operator": "LessThanThreshold",
        "violated": true, "drifted": true,
    }]});
    aws.put_object_json(BUCKET, &key, &few);
    let answer = ask(&aws, "analysed").await;
    assert_eq!(answer["outcome"], "drifted");
    assert_eq!(answer["detail"]["kinds"], json!(["data"]));
    let mail = mail(&aws);
    let subject = mail.lines().next().unwrap();
    assert!(!subject.contains("r2"), "{subject}");
    assert!(
        mail.contains("r2 is -0.95, below 0.72, of too few rows to say"),
        "{mail}"
    );
    let finding = aws.object_json(BUCKET, FINDING).unwrap();
    assert!(!finding["fingerprint"].as_str().unwrap().contains("r2"), "{finding}");
    let rows = rows(&aws);
    let r2 = rows.iter().find(|row| row.metric.as_deref() == Some("r2")).unwrap();
    assert_eq!(r2.status, Some(contracts::drift::Status::InsufficientData));
}

#[tokio::test]
async fn corrections_and_labels_that_are_left_over_are_told() {
    let aws = account("drifted", "drifted");
    let mut event = event("analysed");
    event["window"]["ground_truth"]["corrected"] = json!(3);
    event["window"]["ground_truth"]["more"] = json!(true);
    ask_at(&aws, event, hour(0)).await.unwrap();
    let mail = mail(&aws);
    assert!(mail.contains(", 3 of them corrected"), "{mail}");
    assert!(
        mail.contains("ground truth:  more than a window takes: the next one continues"),
        "{mail}"
    );
}

#[tokio::test]
async fn without_ground_truth_the_data_decides() {
    let aws = account("clean", "");
    let answer = ask(&aws, "data-only").await;
    assert_eq!(answer["outcome"], "clean");
}

#[tokio::test]
async fn a_failed_job_is_an_error_told_and_left_open() {
    let aws = account("", "clean");
    let answer = ask(&aws, "job-failed").await;
    assert_eq!(answer["outcome"], "error");
    assert_eq!((&answer["commit"], &answer["announce"]), (&json!(false), &json!(false)));
    insta::assert_snapshot!("mail_job_failed", mail(&aws));
    let rows = rows(&aws);
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].analysis.as_str(), rows[0].outcome.as_str()),
        ("window", "error")
    );
}

#[tokio::test]
async fn results_that_are_missing_damaged_or_errors_are_never_clean() {
    let errors = [
        ("", "the data analysis failed: its job has left no drift.json"),
        ("{", "is not what it should be: EOF"),
        ("{}", "is not what it should be: missing field"),
        (
            r#"{"format":1,"outcome":"error","reason":"no header","samples":{"baseline_rows":1,"current_rows":0},
                "settings":{"minimum_rows":1,"false_discovery_rate":0.01,"thresholds":[]},"features":[]}"#,
            "the data analysis failed: no header",
        ),
    ];
    for (content, reason) in errors {
        let aws = account("", "clean");
        if !content.is_empty() {
            let key = format!("used-car-price/monitoring/xgboost/{RUN}/data/drift.json");
            aws.put_object(BUCKET, &key, content);
        }
        let answer = ask(&aws, "analysed").await;
        assert_eq!(answer["outcome"], "error", "{content}");
        assert!(answer["reason"].as_str().unwrap().contains(reason), "{answer}");
        assert_eq!(aws.published().len(), 1);
    }
}

#[tokio::test]
async fn an_analysis_that_was_not_started_is_an_error() {
    let aws = account("clean", "clean");
    let mut skipped = event("analysed");
    skipped["analyses"]["quality"]["ran"] = false.into();
    let answer = ask_at(&aws, skipped, hour(0)).await.unwrap();
    assert_eq!(answer["reason"], "the quality analysis failed: its job was not started");
}

#[tokio::test]
async fn a_champion_without_baselines_is_told_and_not_looked_at_again() {
    let aws = FakeAws::new();
    let answer = ask(&aws, "no-baselines").await;
    assert_eq!(answer["outcome"], "error");
    assert_eq!(answer["commit"], true);
    insta::assert_snapshot!("mail_no_baselines", mail(&aws));
}

#[tokio::test]
async fn twice_the_same_writes_the_same_and_tells_once() {
    let aws = account("drifted", "clean");
    let first = ask(&aws, "analysed").await;
    let written = aws.object(BUCKET, &rows_key());
    let mut second = ask(&aws, "analysed").await;
    assert_eq!(second["told"], Value::Null);
    second["told"].clone_from(&first["told"]);
    assert_eq!(second, first);
    assert_eq!(aws.object(BUCKET, &rows_key()), written);
    assert_eq!(aws.published().len(), 1);
}

#[tokio::test]
async fn an_unchanged_finding_is_told_once_a_day_and_another_at_once() {
    let aws = FakeAws::new();
    for hours in 0..24 {
        later(&aws, "data-only", hours, "drifted", "").await;
    }
    assert_eq!(aws.published().len(), 1);
    later(&aws, "data-only", 24, "drifted", "").await;
    assert_eq!(aws.published().len(), 2);

    // Now the model has drifted, too.
    later(&aws, "analysed", 25, "drifted", "drifted").await;
    assert_eq!(aws.published().len(), 3);
    // Now the analysis fails.
    assert_eq!(later(&aws, "job-failed", 26, "", "clean").await["outcome"], "error");
    assert_eq!(aws.published().len(), 4);
    assert_eq!(aws.published()[3].attributes["severity"], "error");
    later(&aws, "job-failed", 27, "", "clean").await;
    assert_eq!(aws.published().len(), 4);
}

#[tokio::test]
async fn the_end_of_a_finding_is_told_once() {
    let aws = FakeAws::new();
    later(&aws, "data-only", 0, "drifted", "").await;
    // Too few rows don't show that it has ended.
    later(&aws, "data-only", 1, "few", "").await;
    assert_eq!(aws.published().len(), 1);
    let answer = later(&aws, "analysed", 2, "clean", "clean").await;
    assert_eq!(
        answer["told"],
        "[drivetrain] used-car-price: info: xgboost is clean again"
    );
    insta::assert_snapshot!("mail_clean_again", mail(&aws));
    later(&aws, "analysed", 3, "clean", "clean").await;
    later(&aws, "analysed", 48, "clean", "clean").await;
    assert_eq!(aws.published().len(), 2);
    // The finding returns.
    later(&aws, "data-only", 49, "drifted", "").await;
    assert_eq!(aws.published().len(), 3);
}

#[tokio::test]
async fn a_notice_that_was_not_sent_is_sent_by_the_next_call() {
    let aws = account("drifted", "clean");
    aws.fail_next("Publish", Reply::error(500, "InternalError", "try again"));
    let error = ask_at(&aws, event("analysed"), hour(0)).await.unwrap_err();
    assert_eq!(error.error_type(), "AwsCallFailed");
    assert_eq!(aws.object_json(BUCKET, FINDING).unwrap()["sent"], false);
    ask(&aws, "analysed").await;
    assert_eq!(aws.published().len(), 1);
    assert_eq!(aws.object_json(BUCKET, FINDING).unwrap()["sent"], true);

    // The same for the end of a finding.
    aws.fail_next("Publish", Reply::error(500, "InternalError", "try again"));
    put_results(&aws, RUN, "clean", "clean");
    ask_at(&aws, event("analysed"), hour(1)).await.unwrap_err();
    assert_ne!(ask(&aws, "analysed").await["told"], Value::Null);
    assert_eq!(aws.published().len(), 2);
}

#[tokio::test]
async fn of_two_calls_at_once_one_tells() {
    let aws = account("drifted", "clean");
    let other = json!({
        "fingerprint": "drifted of champion 20261122t183000z-ab12cd34: fuel (new_categories), odometer_mi (missing), \
                        prediction (psi)",
        "run_id": RUN, "told_at": "2026-11-27T17:02:00Z", "sent": true,
    });
    aws.before("PutObject", "finding.json", move |aws| {
        aws.put_object_json(BUCKET, FINDING, &other);
    });
    assert_eq!(ask(&aws, "analysed").await["told"], Value::Null);
    assert!(aws.published().is_empty());
}

#[tokio::test]
async fn a_finding_that_does_not_read_is_written_over() {
    let aws = account("drifted", "clean");
    aws.put_object(BUCKET, FINDING, "{");
    ask(&aws, "analysed").await;
    assert_eq!(aws.published().len(), 1);
    assert_eq!(aws.object_json(BUCKET, FINDING).unwrap()["sent"], true);
}

#[tokio::test]
async fn records_that_can_not_be_read_are_told() {
    let skip = |rows: u64| {
        let mut event = event("analysed");
        event["window"]["skipped"] = json!([
            {"reason": "another number of fields", "rows": rows, "first": "capture/c/e/v/2026/11/27/16/a.jsonl:3"}
        ]);
        event
    };
    // One in a thousand is only mentioned in notices that are sent anyway.
    let aws = account("clean", "clean");
    ask_at(&aws, skip(1), hour(0)).await.unwrap();
    assert!(aws.published().is_empty());
    assert_eq!(rows(&aws)[0].skipped_rows, 1);
    put_results(&aws, RUN, "drifted", "clean");
    ask_at(&aws, skip(1), hour(0)).await.unwrap();
    assert!(mail(&aws).contains("not readable:  1 row: another number of fields; first: "));

    // More than one in a hundred is worth a notice of its own.
    let aws = account("clean", "clean");
    let answer = ask_at(&aws, skip(40), hour(0)).await.unwrap();
    assert_eq!(answer["outcome"], "clean");
    insta::assert_snapshot!("mail_unreadable", mail(&aws));
    ask_at(&aws, skip(0), hour(1)).await.unwrap();
    assert_eq!(aws.published().last().unwrap().attributes["severity"], "info");
}

#[tokio::test]
async fn what_was_not_consolidated_is_not_evaluated() {
    let change = |path: &str, value: Value| {
        let mut event = event("analysed");
        *event.pointer_mut(path).unwrap() = value;
        event
    };
    let aws = account("clean", "clean");
    for (event, reason) in [
        (change("/window/payload", "waiting".into()), "nothing in it to analyse"),
        (
            change("/run/run_id", "20261127t170000z-00000000".into()),
            "it is of another run",
        ),
        (change("/window/champion", Value::Null), "names no champion"),
    ] {
        let error = ask_at(&aws, event, hour(0)).await.unwrap_err();
        assert_eq!(error.error_type(), "WindowInvalid");
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert!(aws.calls().is_empty());
}

#[tokio::test]
async fn rows_that_can_not_be_written_are_an_error_and_nobody_is_told() {
    let aws = account("drifted", "clean");
    aws.fail_next("PutObject", Reply::error(503, "SlowDown", "slow down"));
    let error = ask_at(&aws, event("analysed"), hour(0)).await.unwrap_err();
    assert_eq!(error.error_type(), "AwsCallFailed");
    assert!(aws.published().is_empty());
}

fn with_skipped(skipped: Value) -> Value {
    let mut event = event("analysed");
    // A busy endpoint, and a file with 150 labels.
    event["window"]["records"] = json!(100_000);
    event["window"]["ground_truth"]["read"] = json!(150);
    event["window"]["skipped"] = skipped;
    event
}

/// A file that was extended and dropped again contains the labels that it had before.
#[tokio::test]
async fn ground_truth_that_was_joined_before_is_no_loss() {
    let again = json!([
        {"reason": "the prediction had its ground truth before", "kind": "known", "rows": 150, "first": "r1#0"}
    ]);
    let aws = account("clean", "clean");
    let mut event = with_skipped(again);
    event["window"]["records"] = json!(200);
    ask_at(&aws, event.clone(), hour(0)).await.unwrap();
    assert!(aws.published().is_empty(), "{}", mail(&aws));
    assert!(rows(&aws).iter().all(|row| row.skipped_rows == 0));
    put_results(&aws, RUN, "drifted", "clean");
    ask_at(&aws, event, hour(0)).await.unwrap();
    let mail = mail(&aws);
    assert!(mail.contains("had before:    150 labels, not joined again"), "{mail}");
    assert!(
        !mail.contains("not readable") && !mail.contains("not joined:"),
        "{mail}"
    );
}

#[tokio::test]
async fn ground_truth_that_is_left_out_is_told_as_a_share_of_the_labels() {
    let file = "s3://drivetrain-dev/used-car-price/ground-truth/incoming/sold-in-november.csv";
    let three = json!([
        {"reason": "the line is no ground truth", "kind": "label", "rows": 3, "first": format!("{file}:3, 70, 80")}
    ]);
    let aws = account("clean", "clean");
    let answer = ask_at(&aws, with_skipped(three.clone()), hour(0)).await.unwrap();
    assert_eq!(answer["outcome"], "clean");
    insta::assert_snapshot!("mail_labels_left_out", mail(&aws));
    let skipped = |analysis: &str| {
        let of = rows(&aws).into_iter().filter(|row| row.analysis == analysis);
        of.map(|row| row.skipped_rows).max()
    };
    assert_eq!((skipped("data"), skipped("quality")), (Some(0), Some(3)));
    // The same file is reported once a day, another file at once.
    ask_at(&aws, with_skipped(three.clone()), hour(1)).await.unwrap();
    assert_eq!(aws.published().len(), 1);
    let mut other = three;
    other[0]["first"] = json!("s3://drivetrain-dev/used-car-price/ground-truth/incoming/other.csv:2, 3, 4");
    ask_at(&aws, with_skipped(other), hour(2)).await.unwrap();
    assert_eq!(aws.published().len(), 2);
    // One in 150 is only mentioned in notices that are sent anyway.
    let aws = account("clean", "clean");
    let one = json!([{"reason": "the line is no ground truth", "kind": "label", "rows": 1, "first": "a.csv:3"}]);
    ask_at(&aws, with_skipped(one), hour(0)).await.unwrap();
    assert!(aws.published().is_empty());
}

/// Shares of records and of labels are computed separately: neither hides the other.
#[tokio::test]
async fn records_and_ground_truth_are_judged_apart() {
    let both = json!([
        {"reason": "another number of fields", "rows": 5_000, "first": "a.jsonl:3"},
        {"reason": "the line is no ground truth", "kind": "label", "rows": 15, "first": "a.csv:3, 4, 5"}
    ]);
    let aws = account("clean", "clean");
    ask_at(&aws, with_skipped(both), hour(0)).await.unwrap();
    let told = mail(&aws);
    assert!(
        told.contains("4.8 % of xgboost's records, 10 % of its labels can't be used"),
        "{told}"
    );
}

/// How much follows the place at which reading a file had to stop is unknown.
#[tokio::test]
async fn a_file_of_ground_truth_that_is_not_read_to_its_end_is_always_told() {
    let rest = json!([
        {"reason": "the rest of the file can't be read", "kind": "rest", "rows": 1, "first": "a.csv:149"}
    ]);
    let aws = account("clean", "clean");
    ask_at(&aws, with_skipped(rest), hour(0)).await.unwrap();
    let told = mail(&aws);
    assert!(told.contains("0.7 % of xgboost's labels can't be used"), "{told}");
    assert!(
        told.contains("not joined:    1 row: the rest of the file can't be read; first: a.csv:149"),
        "{told}"
    );
}
