//! Ground truth finds its predictions, whenever it arrives, and only once.

use crate::account::{
    CONFIG, NEXT_CONFIG, account, bookmark, capture, capture_of, clock, commit, consolidate, consolidate_by,
    export_next, tell, text, truths, try_step,
};
use contracts::Window;
use contracts::monitoring::Payload;
use fake_aws::FakeAws;

async fn window(aws: &FakeAws, number: u32, tick: &str) -> Window {
    let name = format!("20261122t190000z-{number:08}");
    let window = consolidate(aws, &name, tick).await;
    if window.payload == Payload::Ready {
        commit(aws, &name).await;
    }
    window
}

fn counts(window: &Window) -> (u64, u64, u64, u64) {
    let joined = &window.ground_truth;
    (joined.labels, joined.joined, joined.waiting, joined.expired)
}

#[tokio::test]
async fn labels_are_joined_before_with_and_after_their_predictions() {
    let aws = account();
    tell(&aws, "early.csv", "id,label\nr1#0,100\nr9#0,900\n");
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    let first = window(&aws, 1, "2026-11-22T19:00:00Z").await;
    assert_eq!(counts(&first), (2, 1, 1, 0));
    let folder = "cars/monitoring/m/20261122t190000z-00000001/input/";
    assert_eq!(text(&aws, &format!("{folder}quality/rows.csv")), "r1#0,100,10.5\n");
    assert_eq!(
        text(&aws, "cars/labelled/m/window-000000.csv"),
        "year,fuel,price\n2015,gas,100\n"
    );

    // One for a prediction that was analysed long ago, and one for a prediction that appears only now.
    clock(&aws, "2026-11-22T19:30:00Z");
    tell(&aws, "late.csv", "id,price\nr2#1,200\n");
    capture(&aws, CONFIG, "00-b", &["r9"]);
    let second = window(&aws, 2, "2026-11-22T20:00:00Z").await;
    assert_eq!(counts(&second), (2, 2, 0, 0));
    assert_eq!(second.ground_truth.predictions, 6);
    // Days later, without any new record.
    clock(&aws, "2026-12-01T00:00:00Z");
    tell(&aws, "later.csv", "id,label\nr1#1,150\n");
    let third = window(&aws, 3, "2026-12-01T01:00:00Z").await;
    assert!(!third.has_data && third.has_ground_truth);
    assert_eq!(counts(&third), (1, 1, 0, 0));
    let mut joined: Vec<(String, f64)> = truths(&aws).into_iter().map(|row| (row.id, row.label)).collect();
    joined.sort_by(|one, other| one.0.cmp(&other.0));
    let pair = |id: &str, label: f64| (id.to_owned(), label);
    assert_eq!(
        joined,
        [
            pair("r1#0", 100.0),
            pair("r1#1", 150.0),
            pair("r2#1", 200.0),
            pair("r9#0", 900.0)
        ]
    );
    assert_eq!(window(&aws, 4, "2026-12-01T02:00:00Z").await.payload, Payload::None);
}

#[tokio::test]
async fn labels_that_nobody_asked_for_expire() {
    let aws = account();
    tell(&aws, "nobody.csv", "id,label\nx#0,1\n");
    capture(&aws, CONFIG, "00-a", &["r1"]);
    assert_eq!(counts(&window(&aws, 1, "2026-11-22T19:00:00Z").await), (1, 0, 1, 0));
    clock(&aws, "2026-12-20T00:00:00Z");
    capture_of(&aws, CONFIG, "2026/12/20/00", "00-b", &["r2"]);
    assert_eq!(counts(&window(&aws, 2, "2026-12-20T01:00:00Z").await), (1, 0, 1, 0));
    clock(&aws, "2026-12-23T00:00:00Z");
    capture_of(&aws, CONFIG, "2026/12/23/00", "00-c", &["r3"]);
    assert_eq!(counts(&window(&aws, 3, "2026-12-23T01:00:00Z").await), (1, 0, 0, 1));
    assert_eq!(bookmark(&aws).waiting_labels, None);
}

#[tokio::test]
async fn labels_for_a_former_champion_are_windows_of_its_own() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["old"]);
    window(&aws, 1, "2026-11-22T19:00:00Z").await;
    clock(&aws, "2026-11-23T01:00:00Z");
    export_next(&aws);
    capture(&aws, NEXT_CONFIG, "00-b", &["new"]);
    tell(&aws, "both.csv", "id,label\nold#0,1\nnew#0,2\n");
    let former = window(&aws, 2, "2026-11-23T02:00:00Z").await;
    assert_eq!((former.endpoint_config.as_str(), former.more), (CONFIG, true));
    assert_eq!(counts(&former), (2, 1, 1, 0));
    let present = window(&aws, 3, "2026-11-23T02:15:00Z").await;
    assert_eq!((present.endpoint_config.as_str(), present.more), (NEXT_CONFIG, false));
    assert_eq!(counts(&present), (1, 1, 0, 0));
}

#[tokio::test]
async fn bad_labels_are_told_and_the_last_of_two_counts() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1"]);
    tell(&aws, "bad.csv", "id,label\nr1#0,1\nr1#1,cheap\nr1#0,3\n");
    let window = try_step(
        &aws,
        "consolidate",
        "20261122t190000z-00000001",
        "2026-11-22T19:00:00Z",
        1,
    )
    .await
    .unwrap();
    assert_eq!(counts(&window), (1, 1, 0, 0));
    assert_eq!(
        (window.skipped[0].rows, window.skipped[0].reason.as_str()),
        (1, "the line is no ground truth")
    );
    let quality = text(
        &aws,
        "cars/monitoring/m/20261122t190000z-00000001/input/quality/rows.csv",
    );
    assert_eq!(quality, "r1#0,3,10.5\n");
}

/// A file that was extended and dropped again contains the old labels, too.
#[tokio::test]
async fn the_same_label_is_joined_once_however_often_it_comes() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    tell(&aws, "all.csv", "id,label\nr1#0,1\n");
    window(&aws, 1, "2026-11-22T19:00:00Z").await;
    clock(&aws, "2026-11-22T20:00:00Z");
    tell(&aws, "all.csv", "id,label\nr1#0,1\nr1#1,2\n");
    let second = window(&aws, 2, "2026-11-22T21:00:00Z").await;
    assert_eq!(counts(&second), (1, 1, 0, 0));
    assert_eq!(
        (
            second.skipped[0].rows,
            second.skipped[0].reason.as_str(),
            second.skipped[0].first.as_str()
        ),
        (1, "the prediction had its ground truth before", "r1#0")
    );
    clock(&aws, "2026-11-22T22:00:00Z");
    tell(&aws, "all.csv", "id,label\nr1#0,1\nr1#1,2\n");
    assert_eq!(window(&aws, 3, "2026-11-22T23:00:00Z").await.payload, Payload::None);
    assert_eq!(truths(&aws).len(), 2);
}

/// Labels for one champion's predictions wait while another's window is made, and are found again without a new file.
#[tokio::test]
async fn labels_for_another_champion_are_found_again() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["old1", "old2"]);
    window(&aws, 1, "2026-11-22T19:00:00Z").await;
    clock(&aws, "2026-11-23T01:00:00Z");
    export_next(&aws);
    capture(&aws, NEXT_CONFIG, "00-b", &["new1", "new2"]);
    tell(&aws, "both.csv", "id,label\nold1#0,1\nnew1#0,2\n");
    // One label is not enough for a window of the former champion, but it is not forgotten.
    let run = |number: u32| format!("20261123t020000z-{number:08}");
    let step = |number: u32, tick: &'static str| {
        let (aws, run) = (aws.clone(), run(number));
        async move { try_step(&aws, "consolidate", &run, tick, 2).await.unwrap() }
    };
    let next = step(2, "2026-11-23T02:00:00Z").await;
    assert_eq!(
        (next.endpoint_config.as_str(), next.ground_truth.joined),
        (NEXT_CONFIG, 1)
    );
    commit(&aws, &run(2)).await;
    assert!(bookmark(&aws).labels_elsewhere);
    let waiting = step(3, "2026-11-23T03:00:00Z").await;
    assert_eq!((waiting.payload, waiting.ground_truth.joined), (Payload::Waiting, 1));
    clock(&aws, "2026-11-23T03:30:00Z");
    tell(&aws, "more.csv", "id,label\nold2#0,3\n");
    let former = step(4, "2026-11-23T04:00:00Z").await;
    assert_eq!(
        (former.payload, former.endpoint_config.as_str()),
        (Payload::Ready, CONFIG)
    );
    assert_eq!(former.ground_truth.joined, 2);
    commit(&aws, &run(4)).await;
    assert!(!bookmark(&aws).labels_elsewhere);
    assert_eq!(truths(&aws).len(), 3);
}

/// A single label is too little for a window, but it does not wait forever.
#[tokio::test]
async fn few_labels_wait_no_longer_than_records() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1"]);
    window(&aws, 1, "2026-11-22T19:00:00Z").await;
    clock(&aws, "2026-11-24T00:00:00Z");
    tell(&aws, "one.csv", "id,label\nr1#0,1\n");
    for (tick, payload) in [
        ("2026-11-24T23:00:00Z", Payload::Waiting),
        ("2026-11-25T00:00:00Z", Payload::Ready),
    ] {
        let name = "20261124t190000z-00000002";
        let window = try_step(&aws, "consolidate", name, tick, 5).await.unwrap();
        assert_eq!((window.payload, window.ground_truth.joined), (payload, 1), "{tick}");
    }
}

#[tokio::test]
async fn labels_are_read_as_the_document_says_and_held_to_the_bounds_of_training() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    let rows = "id;label\nr1#0;1 100,5\nr1#1;999999\nr2#0;1\nr2#1;1,100\n";
    tell(&aws, "semicolons.csv", rows);
    let labels = serde_json::json!({
        "input": {"delimiter": ";", "decimal": ",", "thousands": " "}, "min": 1.05, "max": 150000.0,
    });
    let window = consolidate_by(&aws, "20261122t190000z-00000001", "2026-11-22T19:00:00Z", &labels).await;
    assert_eq!(counts(&window), (2, 2, 0, 0), "1,100 is 1.1 here");
    let folder = "cars/monitoring/m/20261122t190000z-00000001/input/";
    assert_eq!(
        text(&aws, &format!("{folder}quality/rows.csv")),
        "r1#0,1100.5,10.5\nr2#1,1.1,11\n"
    );
    let told: Vec<(&str, u64)> = window.skipped.iter().map(|it| (it.reason.as_str(), it.rows)).collect();
    assert_eq!(
        told,
        [(
            "the label is outside of the bounds that `cleaning` has for the target",
            2
        )]
    );
    assert!(
        window.skipped[0].first.ends_with("semicolons.csv:3, 4"),
        "{:?}",
        window.skipped
    );
}

/// Reason, kind, number of rows and place of what was left out.
fn left_out(window: &Window) -> Vec<(String, String, u64, String)> {
    let skipped = serde_json::to_value(&window.skipped).unwrap();
    let text = |it: &serde_json::Value, key: &str| it[key].as_str().unwrap_or_default().to_owned();
    skipped
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let place = text(it, "first").rsplit('/').next().unwrap().to_owned();
            (
                text(it, "reason"),
                text(it, "kind"),
                it["rows"].as_u64().unwrap(),
                place,
            )
        })
        .collect()
}

fn read(window: &Window) -> serde_json::Value {
    serde_json::to_value(&window.ground_truth).unwrap()["read"].clone()
}

#[tokio::test]
async fn ground_truth_within_quotes_that_nothing_closes_is_lost_and_counted_by_line() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    let rest: String = (0..145).map(|row| format!("x{row}#0,5\n")).collect();
    tell(
        &aws,
        "open.csv",
        &format!("id,label\r\nr1#0,1\r\nr1#1,2\r\n\"r2#0,3\r\n{rest}"),
    );
    let window = window(&aws, 1, "2026-11-22T19:00:00Z").await;
    assert_eq!(counts(&window), (2, 2, 0, 0));
    let [(reason, kind, rows, place)] = &left_out(&window)[..] else {
        panic!("{:?}", window.skipped)
    };
    assert_eq!((kind.as_str(), *rows, place.as_str()), ("rest", 146, "open.csv:4"));
    assert!(
        reason.starts_with("quotes are opened and never closed: from there on the file is not read"),
        "{reason}"
    );
    assert_eq!(read(&window), 148);
}

/// Quotes that a later line happens to close swallow the lines in between.
#[tokio::test]
async fn ground_truth_of_another_form_than_its_header_is_left_out_by_line() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    tell(
        &aws,
        "odd.csv",
        "id,label\n\"r1#0,1\nr1#1,2\nr2#0\",3\n\nr2#1,4,5\nr2#0,6\n",
    );
    let window = window(&aws, 1, "2026-11-22T19:00:00Z").await;
    assert_eq!(counts(&window), (1, 1, 0, 0));
    let told = left_out(&window);
    assert_eq!(told.len(), 1);
    assert_eq!(
        (told[0].1.as_str(), told[0].2, told[0].3.as_str()),
        ("label", 4, "odd.csv:2, 6")
    );
    assert_eq!(read(&window), 5);
}

/// A file larger than the document allows breaks off, as a damaged one does.
#[tokio::test]
async fn ground_truth_that_breaks_off_is_told_whatever_is_left() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    tell(&aws, "large.csv", "id,label\nr1#0,1\nr1#1,2\nr2#0,3\n");
    let labels = serde_json::json!({"max_bytes": 20});
    let window = consolidate_by(&aws, "20261122t190000z-00000001", "2026-11-22T19:00:00Z", &labels).await;
    let told = left_out(&window);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (told[0].1.as_str(), told[0].2, told[0].3.as_str()),
        ("rest", 1, "large.csv:1")
    );
    assert_eq!(read(&window), 1);
}

#[tokio::test]
async fn ground_truth_that_was_joined_before_is_told_from_what_is_lost() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1"]);
    tell(&aws, "all.csv", "id,label\nr1#0,1\n");
    window(&aws, 1, "2026-11-22T19:00:00Z").await;
    clock(&aws, "2026-11-22T20:00:00Z");
    tell(&aws, "all.csv", "id,label\nr1#0,1\nr1#1,2\n");
    let second = window(&aws, 2, "2026-11-22T21:00:00Z").await;
    assert_eq!(left_out(&second)[0].1, "known");
    assert_eq!(read(&second), 2);
}

/// No label finds a prediction, and nothing else may arrive for days.
#[tokio::test]
async fn a_file_of_ground_truth_that_is_lost_whole_is_told_without_a_record() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1"]);
    window(&aws, 1, "2026-11-22T19:00:00Z").await;
    clock(&aws, "2026-11-24T00:00:00Z");
    tell(&aws, "lost.csv", "id,label\nr1#0,cheap\nr1#1,dear\n");
    assert_eq!(window(&aws, 2, "2026-11-24T23:00:00Z").await.payload, Payload::Waiting);
    let told = window(&aws, 3, "2026-11-25T00:00:00Z").await;
    assert_eq!(told.payload, Payload::Ready);
    assert_eq!(left_out(&told)[0].2, 2);
    assert_eq!(window(&aws, 4, "2026-11-25T01:00:00Z").await.payload, Payload::None);
}
