//! Runs that die, and analyses that can't be done: no record is lost, none is counted twice, and no error counts as
//! clean.

use crate::case::{Case, execution_arn};
use crate::data;
use crate::monitoring::{WATCHED, only};
use contracts::places::MonitoringPlaces;
use contracts::{RunId, places};
use serde_json::{Value, json};

const MODEL: &str = "xgboost";

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn a_run_that_dies_anywhere_loses_no_record_and_doubles_none() {
    let case = Case::with("crash", "one-model.yaml", &[WATCHED]).await;
    case.trained("cars.csv", 400).await;
    case.answers(&[MODEL]).await;
    // The requests sent until the champion answered are analysed first.
    let mut ids = vec![case.send("first", &only(&data::instances(400, 480)), &[MODEL]).await];
    let first = case.watch(MODEL).await;
    let asked: Vec<String> = case.predictions(MODEL).await.into_iter().map(|row| row.id).collect();
    ids.push(asked.iter().filter(|id| !id.starts_with("first-")).cloned().collect());
    assert_eq!(first.window.records as usize, asked.len());

    // Before the write: the run is stopped as soon as it has begun.
    ids.push(case.send("second", &only(&data::instances(480, 560)), &[MODEL]).await);
    let stopped = case.start_watch(MODEL).await;
    let arn = execution_arn(&case.stack.monitor_arn, &stopped);
    let stop = case.stack.executions.stop_execution().execution_arn(&arn);
    stop.cause("a crash before the write").send().await.unwrap();

    // After the write: a consolidation whose run then disappears.
    let lost = RunId::parse("20261101t000000z-0badc0de").unwrap();
    consolidate(&case, &lost).await;
    let places = MonitoringPlaces {
        use_case: &case.id,
        model: MODEL,
        run_id: &lost,
    };
    assert!(!case.stack.keys(&places.input("data")).await.is_empty());

    // Before the commit: the analyzer fails. More is captured meanwhile.
    analyzer_fails(&case, "ddrif").await;
    let failed = case.watch_in_vain(MODEL).await;
    assert_eq!(failed.outcome("window"), "error", "{failed:#?}");
    ids.push(case.send("third", &only(&data::instances(560, 640)), &[MODEL]).await);
    assert_eq!(case.bookmark(MODEL).await.unwrap().next_window, 1);

    let done = case.watch(MODEL).await;
    assert_eq!(done.window.records, 160, "{done:#?}");
    assert_eq!(done.outcome("data"), "clean", "{done:#?}");
    case.reported(MODEL, &ids).await;
    // The rows of the window that failed were replaced by those of the one that did not.
    let window: Vec<_> = case.drift_rows(MODEL).await;
    assert!(window.iter().all(|row| row.run_id != failed.run_id), "{window:#?}");
    assert_eq!(case.bookmark(MODEL).await.unwrap().next_window, 2);

    // A repeated commit commits nothing new.
    let request = json!({"step": "commit", "run": run(&case, &done.run_id)});
    let answer = case.stack.call("consolidate-captures", &request).await.unwrap();
    assert_eq!(answer["outcome"], "committed", "{answer}");
    // Nor does the commit of a run that others have overtaken.
    let request = json!({"step": "commit", "run": run(&case, &lost)});
    let answer = case.stack.call("consolidate-captures", &request).await.unwrap();
    assert_eq!(answer["outcome"], "superseded", "{answer}");
    case.reported(MODEL, &ids).await;
    assert_eq!(case.bookmark(MODEL).await.unwrap().next_window, 2);
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn what_cannot_be_analysed_is_an_error_that_is_told() {
    let case = Case::with("nobase", "one-model.yaml", &[WATCHED]).await;
    case.trained("cars.csv", 500).await;
    case.answers(&[MODEL]).await;
    let ids = case.send("live", &only(&data::instances(500, 700)), &[MODEL]).await;
    let champion = case.champion(MODEL).await.unwrap();
    let baseline = champion.baselines.unwrap().data + "statistics.json";
    let (_, key) = places::parse_uri(&baseline).unwrap();
    let kept = case.stack.get(key).await.unwrap();
    case.stack.delete(key).await;

    let failed = case.watch_in_vain(MODEL).await;
    assert_eq!(failed.outcome("window"), "error", "{failed:#?}");
    let mail = case
        .mail("the error", |mail| mail.message_attributes["severity"] == "error")
        .await;
    assert!(mail.subject.contains(MODEL), "{mail:?}");
    assert_eq!(case.bookmark(MODEL).await.unwrap().next_window, 0);
    // The same error is not reported again on the same day.
    case.watch_in_vain(MODEL).await;
    let errors = case
        .mails()
        .into_iter()
        .filter(|mail| mail.message_attributes["severity"] == "error");
    assert_eq!(errors.count(), 1);

    case.stack.put(key, kept).await;
    let judged = case.watch(MODEL).await;
    assert_eq!(judged.outcome("data"), "clean", "{judged:#?}");
    let reported = case.predictions(MODEL).await;
    assert!(ids.iter().all(|id| reported.iter().any(|row| row.id == *id)));
    case.finish().await;
}

/// Makes the next job of a kind fail, among the analyzer's.
async fn analyzer_fails(case: &Case, step: &str) {
    let own = format!("{}-{MODEL}-", case.id);
    let reason = format!("AlgorithmError: {step} went its own way");
    case.stack
        .fault(json!({"operation": "CreateProcessingJob", "match": own, "kind": "fail-job", "reason": reason}))
        .await;
}

/// Consolidates for a run that has no execution.
async fn consolidate(case: &Case, run_id: &RunId) {
    let request = json!({
        "step": "consolidate",
        "run": run(case, run_id),
        "tick": jiff::Timestamp::now(),
        "rules": {"minimum_rows": 60, "patience_minutes": 1440, "ground_truth_days": 30, "target": "price"},
    });
    let window = case.stack.call("consolidate-captures", &request).await.unwrap();
    assert_eq!(window["payload"], "ready", "{window}");
}

fn run(case: &Case, run_id: &RunId) -> Value {
    json!({"bucket": case.stack.bucket, "use_case": case.id, "model": MODEL, "run_id": run_id})
}
