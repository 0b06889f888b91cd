//! Which records make a window.

use crate::account::{
    BUCKET, CHAMPION, CONFIG, NEXT, NEXT_CONFIG, account, bookmark, capture, capture_of, clock, commit, consolidate,
    export_next, id, reported, text, try_step,
};
use consolidate_captures::Committed;
use contracts::monitoring::Payload;
use fake_aws::FakeAws;
use serde_json::json;

const ONE: &str = "20261122t190000z-11111111";
const TWO: &str = "20261122t200000z-22222222";
const THREE: &str = "20261122t210000z-33333333";

#[tokio::test]
async fn new_records_make_a_window_that_is_committed_last() {
    let aws = account();
    let mut ids = capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    let window = consolidate(&aws, ONE, "2026-11-22T19:00:00Z").await;
    assert_eq!(
        (window.payload, window.number, window.records, window.files),
        (Payload::Ready, 0, 4, 1)
    );
    // It is the first window, so it begins with what is captured.
    assert_eq!(window.from, "2026-11-22T18:00:00Z".parse().unwrap());
    assert_eq!(window.champion, Some(id(CHAMPION)));
    assert!(window.has_data && window.has_baselines && !window.has_ground_truth && !window.more);
    let data = text(&aws, &format!("cars/monitoring/m/{ONE}/input/data/rows.csv"));
    assert_eq!(
        data,
        "year,fuel,prediction\n2015,gas,10.5\n2016,,11\n2015,gas,10.5\n2016,,11\n"
    );
    assert_eq!((bookmark(&aws).next_window, reported(&aws).len()), (0, 0));

    assert_eq!(commit(&aws, ONE).await, Committed::Committed);
    assert_eq!(commit(&aws, ONE).await, Committed::Committed, "again the same");
    assert_eq!((bookmark(&aws).next_window, reported(&aws)), (1, ids.clone()));

    assert_eq!(
        consolidate(&aws, TWO, "2026-11-22T20:00:00Z").await.payload,
        Payload::None
    );
    // A file of an earlier hour that appeared late, and one that sorts before all others.
    clock(&aws, "2026-11-22T20:30:00Z");
    ids.extend(capture(&aws, CONFIG, "00-0", &["late"]));
    let window = consolidate(&aws, THREE, "2026-11-22T21:00:00Z").await;
    assert_eq!((window.number, window.records), (1, 2));
    assert_eq!(window.from, "2026-11-22T19:00:00Z".parse().unwrap());
    commit(&aws, THREE).await;
    ids.sort();
    assert_eq!(reported(&aws), ids);
}

/// A repeated window has the name of the one that failed: it begins when that began, whatever has arrived since.
#[tokio::test]
async fn the_first_window_begins_before_its_records_and_stays_so() {
    let exported = "2026-11-20T01:00:00Z".parse().unwrap();
    let aws = account();
    let nothing = consolidate(&aws, ONE, "2026-11-22T17:00:00Z").await;
    assert_eq!((nothing.payload, nothing.from), (Payload::None, exported));
    capture(&aws, CONFIG, "00-a", &["r1"]);
    assert_eq!(consolidate(&aws, TWO, "2026-11-22T19:00:00Z").await.from, exported);

    // In the hour in which the champion's run began, it begins with that run.
    let aws = account();
    capture_of(&aws, CONFIG, "2026/11/20/00", "a", &["r1"]);
    capture(&aws, CONFIG, "00-a", &["r2"]);
    let window = consolidate(&aws, ONE, "2026-11-22T19:00:00Z").await;
    assert_eq!(window.from, "2026-11-20T00:00:00Z".parse().unwrap());
    capture_of(&aws, CONFIG, "2026/11/19/00", "a", &["late"]);
    assert_eq!(consolidate(&aws, TWO, "2026-11-22T20:00:00Z").await.from, window.from);

    // The records of a scoring run have their own times; and no window begins after its tick.
    let aws = account();
    let batch = format!("cars/capture/{CONFIG}/batch/20261101t000000z-0a1b2c3d.csv");
    aws.put_object(BUCKET, &batch, "id,year,fuel,prediction\nb#0,1,x,2\n");
    let window = consolidate(&aws, ONE, "2026-11-22T19:00:00Z").await;
    assert_eq!(window.from, "2026-11-22T18:00:00Z".parse().unwrap());
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1"]);
    let tick = "2026-11-22T17:59:00Z";
    assert_eq!(consolidate(&aws, ONE, tick).await.from, tick.parse().unwrap());
}

#[tokio::test]
async fn few_records_wait_but_not_for_ever() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1"]);
    let window = try_step(&aws, "consolidate", ONE, "2026-11-22T19:00:00Z", 10)
        .await
        .unwrap();
    assert_eq!((window.payload, window.records), (Payload::Waiting, 2));
    let window = try_step(&aws, "consolidate", TWO, "2026-11-23T18:00:00Z", 10)
        .await
        .unwrap();
    assert_eq!(window.payload, Payload::Ready);
}

#[tokio::test]
async fn each_window_is_of_one_champion_the_oldest_first() {
    let aws = account();
    let mut ids = capture(&aws, CONFIG, "00-a", &["old"]);
    clock(&aws, "2026-11-23T01:00:00Z");
    export_next(&aws);
    ids.extend(capture(&aws, NEXT_CONFIG, "00-b", &["new"]));
    let first = consolidate(&aws, ONE, "2026-11-23T02:00:00Z").await;
    assert_eq!((first.champion, first.more), (Some(id(CHAMPION)), true));
    commit(&aws, ONE).await;
    assert!(bookmark(&aws).more);
    let second = consolidate(&aws, TWO, "2026-11-23T02:15:00Z").await;
    assert_eq!((second.champion, second.more), (Some(id(NEXT)), false));
    commit(&aws, TWO).await;
    // The former champion's endpoint writes its last file late.
    ids.extend(capture(&aws, CONFIG, "59-z", &["last"]));
    let third = consolidate(&aws, THREE, "2026-11-23T03:00:00Z").await;
    assert_eq!((third.champion, third.records), (Some(id(CHAMPION)), 2));
    commit(&aws, THREE).await;
    ids.sort();
    assert_eq!(reported(&aws), ids);
}

/// Days later the keys of old files are forgotten, and yet no file is read again.
#[tokio::test]
async fn the_bookmark_does_not_grow_with_the_files() {
    let aws = account();
    let mut ids = Vec::new();
    for day in 22..30 {
        clock(&aws, &format!("2026-11-{day}T18:00:00Z"));
        ids.extend(capture(&aws, CONFIG, &format!("{day}-a"), &[&format!("r{day}")]));
        let name = format!("202611{day}t190000z-11111111");
        consolidate(&aws, &name, &format!("2026-11-{day}T19:00:00Z")).await;
        commit(&aws, &name).await;
        assert!(bookmark(&aws).seen.len() <= 4, "{:?}", bookmark(&aws).seen);
    }
    assert_eq!(reported(&aws), ids);
}

#[tokio::test]
async fn what_cannot_be_read_is_counted() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1"]);
    let key = format!("cars/capture/{CONFIG}/e/AllTraffic/2026/11/22/18/00-b.jsonl");
    aws.put_object(BUCKET, &key, "{\nno\n");
    let window = consolidate(&aws, ONE, "2026-11-22T19:00:00Z").await;
    assert_eq!(window.records, 2);
    assert_eq!(window.skipped[0].rows, 2);
    assert_eq!(window.skipped[0].first, format!("s3://{BUCKET}/{key}:1"));
}

#[tokio::test]
async fn too_many_captures_are_the_glue_jobs() {
    let aws = account();
    let ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    let window = try_step(&aws, "consolidate", ONE, "2026-11-22T19:00:00Z", 999)
        .await
        .unwrap();
    assert!(window.oversize && window.records == 0);
    let missing = try_step(&aws, "adopt", ONE, "2026-11-22T19:00:00Z", 1)
        .await
        .unwrap_err();
    assert_eq!(missing.error_type(), "GlueOutputMissing");

    // The Glue job, simulated by the function's own merge.
    consolidate(&aws, TWO, "2026-11-22T19:00:00Z").await;
    for name in ["data/rows.csv", "records/part-00000.jsonl.gz"] {
        let made = aws
            .object(BUCKET, &format!("cars/monitoring/m/{TWO}/input/{name}"))
            .unwrap();
        aws.put_object(BUCKET, &format!("cars/monitoring/m/{ONE}/input/{name}"), made);
    }
    let counts = json!({"records": 2, "batch_records": 0, "skipped": [], "scoring_runs": []});
    aws.put_object(
        BUCKET,
        &format!("cars/monitoring/m/{ONE}/input/consolidated.json"),
        counts.to_string(),
    );
    // What arrives meanwhile is left for the next window.
    capture(&aws, CONFIG, "00-b", &["meanwhile"]);
    let window = try_step(&aws, "adopt", ONE, "2026-11-22T19:00:00Z", 1).await.unwrap();
    assert_eq!(
        (window.payload, window.records, window.oversize),
        (Payload::Ready, 2, false)
    );
    commit(&aws, ONE).await;
    assert_eq!(reported(&aws), ids);
    assert_eq!(consolidate(&aws, THREE, "2026-11-22T20:00:00Z").await.records, 2);
}

#[tokio::test]
async fn a_model_without_champion_cannot_be_watched() {
    let aws = FakeAws::new();
    let failed = try_step(&aws, "consolidate", ONE, "2026-11-22T19:00:00Z", 1)
        .await
        .unwrap_err();
    assert_eq!(failed.error_type(), "ChampionMissing");
}

#[tokio::test]
async fn a_former_champions_last_records_do_not_keep_the_next_ones_waiting() {
    let aws = account();
    let mut ids = capture(&aws, CONFIG, "00-a", &["old"]);
    clock(&aws, "2026-11-23T01:00:00Z");
    export_next(&aws);
    ids.extend(capture(&aws, NEXT_CONFIG, "00-b", &["new1", "new2"]));
    let first = try_step(&aws, "consolidate", ONE, "2026-11-22T19:00:00Z", 4)
        .await
        .unwrap();
    // With `more`, the next tick would look at once, and find too little again.
    assert_eq!((first.champion, first.records, first.more), (Some(id(NEXT)), 4, false));
    commit(&aws, ONE).await;
    let waiting = try_step(&aws, "consolidate", TWO, "2026-11-22T20:00:00Z", 4)
        .await
        .unwrap();
    assert_eq!(
        (waiting.payload, waiting.champion),
        (Payload::Waiting, Some(id(CHAMPION)))
    );
    let folder = format!("cars/monitoring/m/{TWO}/");
    assert_eq!(
        aws.keys(BUCKET, &folder),
        [format!("{folder}window.json")],
        "nothing else is left"
    );
    // Now they have waited long enough.
    let last = try_step(&aws, "consolidate", THREE, "2026-11-23T18:00:00Z", 4)
        .await
        .unwrap();
    assert_eq!((last.payload, last.champion), (Payload::Ready, Some(id(CHAMPION))));
    commit(&aws, THREE).await;
    ids.sort();
    assert_eq!(reported(&aws), ids);
}

/// Of years of captures only those of the last days are listed; what a scoring run has written is found whatever its
/// name is.
#[tokio::test]
async fn hours_long_past_are_not_listed() {
    let aws = account();
    capture_of(&aws, CONFIG, "2026/11/22/17", "a", &["one"]);
    consolidate(&aws, ONE, "2026-11-22T19:00:00Z").await;
    commit(&aws, ONE).await;
    clock(&aws, "2026-12-09T18:00:00Z");
    capture_of(&aws, CONFIG, "2026/12/09/17", "a", &["two"]);
    consolidate(&aws, TWO, "2026-12-09T19:00:00Z").await;
    commit(&aws, TWO).await;
    assert_eq!(bookmark(&aws).horizon, "2026-12-06T18:00:00Z".parse().unwrap());
    // Days late, but within the limit, which is the horizon and 7 days.
    capture_of(&aws, CONFIG, "2026/11/29/18", "a", &["three"]);
    capture_of(&aws, CONFIG, "2026/11/29/17", "a", &["lost"]);
    let batch = format!("cars/capture/{CONFIG}/batch/20261101t000000z-0a1b2c3d.csv");
    aws.put_object(BUCKET, &batch, "id,year,fuel,prediction\nb#0,1,x,2\n");
    let calls = aws.calls_of("ListObjectsV2").len();
    consolidate(&aws, THREE, "2026-12-09T20:00:00Z").await;
    commit(&aws, THREE).await;
    assert_eq!(
        reported(&aws),
        ["b#0", "one#0", "one#1", "three#0", "three#1", "two#0", "two#1"]
    );
    let lists = aws.calls_of("ListObjectsV2");
    let after = lists[calls..].iter().find_map(|call| call.query.get("start-after"));
    assert_eq!(
        after,
        Some(&format!("cars/capture/{CONFIG}/e/AllTraffic/2026/11/29/18/"))
    );
}
