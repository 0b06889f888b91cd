//! Two drops at once: the newer one's model serves in the end, whichever run ends first.

use crate::case::{Case, Run};
use crate::data;
use crate::wait;
use contracts::{RunState, Verdict};
use serde_json::json;
use std::time::Duration;

/// Three times what the rest of a run takes on a busy machine once its training has begun.
const HELD_UP_MS: u64 = 25_000;

/// Without this, the second drop would be queued.
const AT_ONCE: (&str, &str) = ("recipients:", "drops: { max_concurrent_runs: 2 }\nrecipients:");

/// Delays the calls of a run between training and export.
async fn hold_up(case: &Case, run: &Run) {
    for operation in ["CreateTrainingJob", "CreateModel", "CreateTransformJob"] {
        let own = case.names_of("xgboost", &run.id);
        let fault = json!({"operation": operation, "match": own, "kind": "delay", "delay_ms": HELD_UP_MS});
        case.stack.fault(fault).await;
    }
}

/// Waits, because run ids have whole seconds, as S3's times do.
async fn a_moment_later() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}

async fn the_newer_serves(case: &Case, newer: &Run) {
    let champion = case.champion("xgboost").await.unwrap();
    assert_eq!(champion.run_id, newer.id);
    let endpoint = case.endpoint(&champion.endpoint_name).await;
    assert_eq!(endpoint["EndpointStatus"], "InService");
    assert_eq!(endpoint["EndpointConfigName"], champion.endpoint_config.as_str());
    assert_eq!(
        case.parameter("xgboost", "endpoint-config").await,
        Some(champion.endpoint_config)
    );
    let answer = case.predict().await;
    assert_eq!(
        answer.predictions()[0]["models"]["xgboost"]["version"],
        newer.id.to_string()
    );
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn of_two_drops_the_newer_wins_when_the_older_run_ends_last() {
    let case = Case::with("oldlast", "one-model.yaml", &[AT_ONCE]).await;
    let older = case.drop("older.csv", data::cars(60)).await;
    hold_up(&case, &older).await;
    a_moment_later().await;
    let newer = case.drop("newer.csv", data::cars(400)).await;

    let newer_ended = case.succeeded(&newer.id).await;
    let older_ended = case.succeeded(&older.id).await;
    assert!(
        newer_ended.stopped_at_ms < older_ended.stopped_at_ms,
        "the older run was not held up for long enough"
    );
    newer_ended.decided(&[("xgboost", Verdict::Exported)]);
    older_ended.decided(&[("xgboost", Verdict::Superseded)]);
    the_newer_serves(&case, &newer).await;
    let mail = case.end_mail(&older.id).await;
    assert!(mail.subject.contains("succeeded: xgboost superseded"), "{mail:?}");
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn of_two_drops_the_newer_wins_when_it_ends_last() {
    let case = Case::with("newlast", "one-model.yaml", &[AT_ONCE]).await;
    let older = case.drop("older.csv", data::cars(60)).await;
    a_moment_later().await;
    let newer = case.drop("newer.csv", data::cars(400)).await;
    hold_up(&case, &newer).await;

    let older_ended = case.succeeded(&older.id).await;
    let newer_ended = case.succeeded(&newer.id).await;
    assert!(
        older_ended.stopped_at_ms < newer_ended.stopped_at_ms,
        "the newer run was not held up for long enough"
    );
    older_ended.decided(&[("xgboost", Verdict::Exported)]);
    newer_ended.decided(&[("xgboost", Verdict::Exported)]);
    // Compared with the older run's champion, which did not exist when the newer run began.
    let comparison = newer_ended.decision("xgboost").comparison.as_ref().unwrap();
    assert_eq!(comparison.champion_run_id.as_ref(), Some(&older.id));
    the_newer_serves(&case, &newer).await;
    assert_eq!(case.champion("xgboost").await.unwrap().previous, Some(older.id));
    case.finish().await;
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn of_files_dropped_while_one_is_trained_on_the_newest_is_next_and_the_others_are_overtaken() {
    let case = Case::new("queue", "one-model.yaml").await;
    let first = case.drop("first.csv", data::cars(60)).await;
    wait::until("the first run is started", wait::MOMENT, async || {
        (case.executions(&first.id).await == 1).then_some(())
    })
    .await;
    let mut queued = Vec::new();
    for name in ["second.csv", "third.csv", "fourth.csv"] {
        a_moment_later().await;
        queued.push(case.drop(name, data::cars(400)).await);
    }
    case.succeeded(&first.id)
        .await
        .decided(&[("xgboost", Verdict::Exported)]);
    let newest = queued.pop().unwrap();
    case.succeeded(&newest.id).await;
    let mail = case
        .mail("what was overtaken", |mail| {
            mail.subject.contains("2 files were overtaken")
        })
        .await;
    for run in queued {
        assert!(mail.message.contains(&run.key), "{mail:?}");
        let manifests = case.manifests().await;
        let manifest = manifests.iter().find(|it| it.run_id == run.id).unwrap();
        assert_eq!(
            (manifest.state, manifest.overtaken_by.as_ref()),
            (RunState::Overtaken, Some(&newest.id))
        );
        assert_eq!(case.executions(&run.id).await, 0);
    }
    case.finish().await;
}
