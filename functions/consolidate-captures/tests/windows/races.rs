//! Runs that overlap: one that is tried again after another's commit, two that commit at the same time, a Glue job that is
//! overtaken. Whatever happens, every record is reported once.

use crate::account::{
    BUCKET, CONFIG, NEXT_CONFIG, account, bookmark, capture, clock, commit, consolidate, export_next, reported, truths,
    try_commit, try_step,
};
use consolidate_captures::Committed;
use contracts::monitoring::Payload;
use fake_aws::FakeAws;
use serde_json::json;

const TICK: &str = "2026-11-22T19:00:00Z";
const LATER: &str = "2026-11-22T20:00:00Z";
const ONE: &str = "20261122t190000z-11111111";
const TWO: &str = "20261122t190500z-22222222";
const THREE: &str = "20261122t200000z-33333333";

fn tell(aws: &FakeAws, name: &str, content: &str) {
    aws.put_object(BUCKET, &format!("cars/ground-truth/incoming/{name}"), content);
}

/// Another run's commit, from its beginning to its end, while a call of this one is under way.
fn commits_meanwhile(aws: &FakeAws, name: &'static str) {
    let aws = aws.clone();
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(commit(&aws, name))
    });
    assert_eq!(other.join().unwrap(), Committed::Committed);
}

#[tokio::test]
async fn what_an_attempt_before_another_runs_commit_has_written_is_not_reported() {
    let aws = account();
    let ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    consolidate(&aws, ONE, TICK).await;
    consolidate(&aws, TWO, TICK).await;
    commit(&aws, TWO).await;
    // The first run is tried again: now there is ground truth alone.
    clock(&aws, "2026-11-22T19:30:00Z");
    tell(&aws, "labels.csv", "id,label\nr1#0,100\n");
    let window = consolidate(&aws, ONE, LATER).await;
    assert_eq!((window.payload, window.has_data), (Payload::Ready, false));
    assert_eq!(commit(&aws, ONE).await, Committed::Committed);
    assert_eq!(reported(&aws), ids);
    assert_eq!(truths(&aws).len(), 1);
}

#[tokio::test]
async fn a_run_that_is_overtaken_while_it_reports_leaves_the_others_rows() {
    // Whichever of the two commits: the one with more records, or the one with fewer.
    for (slow, fast) in [(ONE, TWO), (TWO, ONE)] {
        let aws = account();
        let mut ids = capture(&aws, CONFIG, "00-a", &["r1"]);
        consolidate(&aws, ONE, TICK).await;
        clock(&aws, "2026-11-22T19:01:00Z");
        ids.extend(capture(&aws, CONFIG, "00-b", &["r2"]));
        consolidate(&aws, TWO, "2026-11-22T19:05:00Z").await;
        aws.before("CopyObject", "", move |aws| commits_meanwhile(aws, fast));
        assert_eq!(commit(&aws, slow).await, Committed::Superseded, "{slow}");

        if consolidate(&aws, THREE, LATER).await.payload == Payload::Ready {
            commit(&aws, THREE).await;
        }
        assert_eq!(reported(&aws), ids, "{slow} was overtaken by {fast}");
    }
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
    assert_eq!(
        (window.payload, window.ground_truth.joined),
        (Payload::Ready, 1)
    );
    assert_eq!(window.endpoint_config, CONFIG);
    commit(&aws, THREE).await;
    assert_eq!(truths(&aws).len(), 1);
}
