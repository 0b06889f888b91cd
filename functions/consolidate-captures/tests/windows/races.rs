//! Overlapping runs: one that is tried again after another's commit, two that commit at the same time, a Glue job that
//! is overtaken. Whatever happens, every record is reported once.

use crate::account::{
    BUCKET, CONFIG, NEXT_CONFIG, account, bookmark, capture, clock, commit, consolidate, export_next, reported, tell,
    truths, try_commit, try_step,
};
use consolidate_captures::Committed;
use contracts::monitoring::Payload;
use fake_aws::{FakeAws, Reply};
use serde_json::json;

const TICK: &str = "2026-11-22T19:00:00Z";
const LATER: &str = "2026-11-22T20:00:00Z";
const ONE: &str = "20261122t190000z-11111111";
const TWO: &str = "20261122t190500z-22222222";
const THREE: &str = "20261122t200000z-33333333";

/// Makes another run commit, from beginning to end, during a call of this run; returns the outcome.
fn commits_meanwhile(aws: &FakeAws, name: &'static str) -> Committed {
    let aws = aws.clone();
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(commit(&aws, name))
    });
    other.join().unwrap()
}

#[tokio::test]
async fn what_an_attempt_before_another_runs_commit_has_written_is_not_reported() {
    let aws = account();
    let ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    consolidate(&aws, ONE, TICK).await;
    consolidate(&aws, TWO, TICK).await;
    commit(&aws, TWO).await;
    // The first run is tried again: now there is only ground truth.
    clock(&aws, "2026-11-22T19:30:00Z");
    tell(&aws, "labels.csv", "id,label\nr1#0,100\n");
    let window = consolidate(&aws, ONE, LATER).await;
    assert_eq!((window.payload, window.has_data), (Payload::Ready, false));
    assert_eq!(commit(&aws, ONE).await, Committed::Committed);
    assert_eq!(reported(&aws), ids);
    assert_eq!(truths(&aws).len(), 1);
}

/// Two windows with the same number, of which the second has more records.
async fn two_at_once() -> (FakeAws, Vec<String>) {
    let aws = account();
    let mut ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    consolidate(&aws, ONE, TICK).await;
    clock(&aws, "2026-11-22T19:01:00Z");
    ids.extend(capture(&aws, CONFIG, "00-b", &["r2"]));
    consolidate(&aws, TWO, "2026-11-22T19:05:00Z").await;
    (aws, ids)
}

async fn next_run(aws: &FakeAws) {
    if consolidate(aws, THREE, LATER).await.payload == Payload::Ready {
        commit(aws, THREE).await;
    }
}

#[tokio::test]
async fn of_two_commits_at_once_only_the_one_that_counts_is_reported() {
    for (slow, fast) in [(ONE, TWO), (TWO, ONE)] {
        let (aws, ids) = two_at_once().await;
        aws.before("PutObject", "bookmark.json", move |aws| {
            assert_eq!(commits_meanwhile(aws, fast), Committed::Committed);
        });
        assert_eq!(commit(&aws, slow).await, Committed::Superseded, "{slow}");
        next_run(&aws).await;
        assert_eq!(reported(&aws), ids, "{fast} was faster than {slow}");

        let (aws, ids) = two_at_once().await;
        aws.before("CopyObject", "", move |aws| {
            assert_eq!(commits_meanwhile(aws, fast), Committed::Superseded);
        });
        assert_eq!(commit(&aws, slow).await, Committed::Committed, "{slow}");
        next_run(&aws).await;
        assert_eq!(reported(&aws), ids, "{slow} had committed before {fast}");
    }
}

#[tokio::test]
async fn a_window_whose_run_died_before_it_was_reported_is_reported_by_the_next() {
    let refused = || Reply::error(403, "AccessDenied", "not now");
    let aws = account();
    let ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    consolidate(&aws, ONE, TICK).await;
    aws.fail_next("CopyObject", refused());
    assert!(try_commit(&aws, ONE).await.is_err());
    assert_eq!((bookmark(&aws).next_window, reported(&aws).len()), (1, 0));
    // Nothing new has arrived: the next run has no window, but completes the report.
    assert_eq!(consolidate(&aws, TWO, LATER).await.payload, Payload::None);
    assert_eq!(reported(&aws), ids);

    // The same by repeating the call.
    let aws = account();
    let ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    consolidate(&aws, ONE, TICK).await;
    aws.fail_next("CopyObject", refused());
    assert!(try_commit(&aws, ONE).await.is_err());
    assert_eq!(commit(&aws, ONE).await, Committed::Committed);
    assert_eq!(reported(&aws), ids);
}

#[tokio::test]
async fn a_committed_runs_window_stays_as_it_was_committed() {
    let aws = account();
    let ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    let window = consolidate(&aws, ONE, TICK).await;
    commit(&aws, ONE).await;
    clock(&aws, "2026-11-22T19:30:00Z");
    capture(&aws, CONFIG, "00-b", &["r2"]);
    assert_eq!(consolidate(&aws, ONE, LATER).await, window);
    commit(&aws, ONE).await;
    assert_eq!(reported(&aws), ids, "later records are the next run's");
}

#[tokio::test]
async fn a_glue_job_that_was_overtaken_is_not_adopted() {
    let aws = account();
    let ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    let window = try_step(&aws, "consolidate", ONE, TICK, 999).await.unwrap();
    assert!(window.oversize);
    consolidate(&aws, TWO, TICK).await;
    let made = "cars/monitoring/m";
    for name in ["data/rows.csv", "records/part-00000.jsonl.gz"] {
        let part = aws.object(BUCKET, &format!("{made}/{TWO}/input/{name}")).unwrap();
        aws.put_object(BUCKET, &format!("{made}/{ONE}/input/{name}"), part);
    }
    let counts = json!({"records": 2, "batch_records": 0, "skipped": [], "scoring_runs": []});
    aws.put_object(
        BUCKET,
        &format!("{made}/{ONE}/input/consolidated.json"),
        counts.to_string(),
    );
    commit(&aws, TWO).await;

    let overtaken = try_step(&aws, "adopt", ONE, LATER, 1).await;
    assert_eq!(
        overtaken.map_err(|error| error.error_type()).err(),
        Some("BookmarkChanged")
    );
    // Nor can it be committed.
    assert!(try_commit(&aws, ONE).await.is_err());
    assert_eq!(reported(&aws), ids);
}

#[tokio::test]
async fn ground_truth_finds_the_predictions_of_a_champion_that_was_replaced_long_ago() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["old"]);
    consolidate(&aws, ONE, TICK).await;
    commit(&aws, ONE).await;
    clock(&aws, "2026-11-23T01:00:00Z");
    export_next(&aws);
    clock(&aws, "2026-11-30T00:00:00Z");
    capture(&aws, NEXT_CONFIG, "00-b", &["new"]);
    consolidate(&aws, TWO, "2026-11-30T01:00:00Z").await;
    commit(&aws, TWO).await;
    assert!(bookmark(&aws).horizon > "2026-11-24T01:00:00Z".parse().unwrap());

    tell(&aws, "late.csv", "id,label\nold#0,100\n");
    let window = consolidate(&aws, THREE, "2026-11-30T02:00:00Z").await;
    assert_eq!((window.payload, window.ground_truth.joined), (Payload::Ready, 1));
    assert_eq!(window.endpoint_config, CONFIG);
    commit(&aws, THREE).await;
    assert_eq!(truths(&aws).len(), 1);
}
