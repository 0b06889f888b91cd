//! Which ground truth may be joined; a later label corrects an earlier one; neither many labels nor many windows are
//! more than one window can handle.

use crate::account::{
    BUCKET, CONFIG, account, bookmark, capture, capture_of, clock, commit, consolidate, consolidate_bounded,
    drop_labels, judge, tell, text, truths,
};
use contracts::Window;
use contracts::monitoring::Payload;
use contracts::places::use_case;
use fake_aws::FakeAws;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

fn name(number: u32) -> String {
    format!("20261122t190000z-{number:08}")
}

async fn window(aws: &FakeAws, number: u32, tick: &str) -> Window {
    let window = consolidate(aws, &name(number), tick).await;
    if window.payload == Payload::Ready {
        commit(aws, &name(number)).await;
    }
    window
}

/// Reported labels: id, label, window.
fn labels(aws: &FakeAws) -> Vec<(String, f64, u64)> {
    let rows = truths(aws).into_iter();
    let mut labels: Vec<_> = rows.map(|row| (row.id, row.label, row.window)).collect();
    labels.sort_by(|one, other| one.0.cmp(&other.0));
    labels
}

fn row(id: &str, label: f64, window: u64) -> (String, f64, u64) {
    (id.to_owned(), label, window)
}

#[tokio::test]
async fn only_what_was_accepted_is_read_in_the_version_that_was_accepted() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    let refused = drop_labels(&aws, "refused.csv", "id,label\nr1#0,1\n");
    judge(&aws, &use_case::refused_ground_truth("cars"), &refused);
    drop_labels(&aws, "unjudged.csv", "id,label\nr1#1,1\n");
    tell(&aws, "mended.csv", "id,label\nr2#0,2\n");
    // The next version of it is refused.
    let refused = drop_labels(&aws, "mended.csv", "id,label\nr2#1,2\n");
    judge(&aws, &use_case::refused_ground_truth("cars"), &refused);
    let first = window(&aws, 1, "2026-11-22T19:00:00Z").await;
    assert_eq!((first.ground_truth.labels, first.ground_truth.joined), (1, 1));
    assert_eq!(labels(&aws), [row("r2#0", 2.0, 0)]);
    // It is accepted later, as when its event was late.
    clock(&aws, "2026-11-22T19:30:00Z");
    let late = drop_labels(&aws, "late.csv", "id,label\nr1#0,7\n");
    clock(&aws, "2026-11-23T19:30:00Z");
    judge(&aws, &use_case::accepted_ground_truth("cars"), &late);
    window(&aws, 2, "2026-11-23T20:00:00Z").await;
    assert_eq!(labels(&aws), [row("r1#0", 7.0, 1), row("r2#0", 2.0, 0)]);
    // A file that has been deleted meanwhile has no labels.
    let gone = drop_labels(&aws, "gone.csv", "id,label\nr1#1,7\n");
    judge(
        &aws,
        &use_case::accepted_ground_truth("cars"),
        &contracts::monitoring::GroundTruthFile {
            object: contracts::run::ObjectVersion {
                key: "cars/ground-truth/incoming/never.csv".to_owned(),
                ..gone.object.clone()
            },
            ..gone
        },
    );
    assert_eq!(window(&aws, 3, "2026-11-23T21:00:00Z").await.payload, Payload::None);
}

#[tokio::test]
async fn a_later_label_corrects_an_earlier_one() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    tell(&aws, "sold.csv", "id,label\nr1#0,100\nr1#1,150\nr2#0,200\n");
    assert_eq!(window(&aws, 1, "2026-11-22T19:00:00Z").await.ground_truth.corrected, 0);
    clock(&aws, "2026-11-22T20:00:00Z");
    tell(&aws, "sold.csv", "id,label\nr1#0,101\nr1#1,150\nr2#0,200\nr2#1,250\n");
    let second = window(&aws, 2, "2026-11-22T21:00:00Z").await;
    assert_eq!((second.ground_truth.joined, second.ground_truth.corrected), (2, 1));
    assert_eq!(second.skipped[0].rows, 2, "two are the same as before");
    let quality = text(&aws, &format!("cars/monitoring/m/{}/input/quality/rows.csv", name(2)));
    assert_eq!(quality, "r1#0,101,10.5\nr2#1,250,11\n");
    let expected = [
        row("r1#0", 101.0, 1),
        row("r1#1", 150.0, 0),
        row("r2#0", 200.0, 0),
        row("r2#1", 250.0, 1),
    ];
    assert_eq!(labels(&aws), expected);
    assert_eq!(
        text(&aws, "cars/labelled/m/window-000000.csv"),
        "year,fuel,price\n2016,,150\n2015,gas,200\n"
    );
    assert_eq!(
        text(&aws, "cars/labelled/m/window-000001.csv"),
        "year,fuel,price\n2015,gas,101\n2016,,250\n"
    );

    // A correction can itself be corrected, also back; of a window without any rows left, nothing is left.
    clock(&aws, "2026-11-23T20:00:00Z");
    tell(&aws, "again.csv", "id,label\nr1#0,100\nr2#1,251\n");
    let third = window(&aws, 3, "2026-11-23T21:00:00Z").await;
    assert_eq!((third.ground_truth.joined, third.ground_truth.corrected), (2, 2));
    let expected = [
        row("r1#0", 100.0, 2),
        row("r1#1", 150.0, 0),
        row("r2#0", 200.0, 0),
        row("r2#1", 251.0, 2),
    ];
    assert_eq!(labels(&aws), expected);
    assert_eq!(aws.object(BUCKET, "cars/labelled/m/window-000001.csv"), None);

    // Beyond the horizon nothing is corrected.
    clock(&aws, "2026-12-30T20:00:00Z");
    tell(&aws, "late.csv", "id,label\nr1#0,1\n");
    assert_eq!(window(&aws, 4, "2026-12-30T21:00:00Z").await.payload, Payload::None);
    assert_eq!(labels(&aws), expected);
}

/// A run that dies after its commit leaves only the old row, and the next run corrects it.
#[tokio::test]
async fn a_correction_is_reported_by_the_next_run_where_its_own_has_died() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    tell(&aws, "sold.csv", "id,label\nr1#0,100\nr1#1,150\n");
    window(&aws, 1, "2026-11-22T19:00:00Z").await;
    clock(&aws, "2026-11-22T20:00:00Z");
    tell(&aws, "sold.csv", "id,label\nr1#0,101\nr2#0,9\n");
    consolidate(&aws, &name(2), "2026-11-22T21:00:00Z").await;
    aws.fail_next("CopyObject", fake_aws::Reply::error(403, "AccessDenied", "not now"));
    crate::account::try_commit(&aws, &name(2)).await.unwrap_err();
    assert_eq!(bookmark(&aws).next_window, 2, "it is committed all the same");
    assert!(labels(&aws).iter().all(|(id, _, window)| id != "r1#0" || *window == 0));
    clock(&aws, "2026-11-22T22:00:00Z");
    window(&aws, 3, "2026-11-22T23:00:00Z").await;
    assert_eq!(
        labels(&aws),
        [row("r1#0", 101.0, 1), row("r1#1", 150.0, 0), row("r2#0", 9.0, 1)]
    );
}

#[tokio::test]
async fn of_many_labels_each_window_takes_some() {
    let aws = account();
    let requests: Vec<String> = (0..10).map(|number| format!("r{number}")).collect();
    let requests: Vec<&str> = requests.iter().map(String::as_str).collect();
    capture(&aws, CONFIG, "00-a", &requests);
    let many: String = (0..10).map(|number| format!("r{number}#0,{number}\nbad\n")).collect();
    tell(&aws, "many.csv", &format!("id,label\n{many}"));
    clock(&aws, "2026-11-22T18:00:01Z");
    tell(&aws, "more.csv", "id,label\nr0#1,1\n");
    let mut joined = Vec::new();
    for number in 1..=8 {
        let tick = format!("2026-11-22T19:{:02}:00Z", number * 5);
        let window = consolidate_bounded(&aws, &name(number), &tick, 100, (6, 1_000)).await;
        if window.payload != Payload::Ready {
            break;
        }
        commit(&aws, &name(number)).await;
        joined.push((
            window.ground_truth.joined,
            window.skipped.iter().map(|it| it.rows).sum::<u64>(),
            window.more,
        ));
    }
    // The last labels are too few for a window, and wait for others.
    assert_eq!(joined, [(3, 3, true), (3, 3, true), (3, 3, true)]);
    let window = consolidate_bounded(&aws, &name(9), "2026-11-23T20:00:00Z", 100, (6, 1_000)).await;
    assert_eq!(
        (window.payload, window.ground_truth.joined, window.ground_truth.more),
        (Payload::Ready, 2, false)
    );
    commit(&aws, &name(9)).await;
    assert_eq!(labels(&aws).len(), 11);
}

/// Labels without predictions don't block those after them, and no more of them are kept than one window takes.
#[tokio::test]
async fn labels_of_nothing_are_read_on_and_are_let_go_where_they_are_too_many() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1"]);
    window(&aws, 1, "2026-11-22T19:00:00Z").await;
    let nobodys: String = (0..9).map(|number| format!("x{number}#0,1\n")).collect();
    clock(&aws, "2026-11-22T19:10:00Z");
    tell(&aws, "nobodys.csv", &format!("id,label\n{nobodys}r1#0,7\n"));
    let mut let_go = 0;
    for number in 2..6 {
        let tick = format!("2026-11-22T2{number}:00:00Z");
        let tick = if number > 3 {
            format!("2026-11-23T0{number}:00:00Z")
        } else {
            tick
        };
        let window = consolidate_bounded(&aws, &name(number), &tick, 1, (4, 1_000)).await;
        if window.payload == Payload::Ready {
            commit(&aws, &name(number)).await;
        }
        let skipped = window
            .skipped
            .iter()
            .filter(|it| it.reason.contains("more labels wait"));
        let_go += skipped.map(|it| it.rows).sum::<u64>();
    }
    assert_eq!(labels(&aws), [row("r1#0", 7.0, 3)]);
    assert_eq!(let_go, 5);
}

/// A few dozen windows: the number of calls for one label does not grow with the number of windows.
#[tokio::test]
async fn past_windows_are_found_without_being_opened() {
    let aws = account();
    let start: Timestamp = "2026-11-22T18:00:00Z".parse().unwrap();
    let mut calls_of_a_label = Vec::new();
    let mut number = 0;
    for hour in 0..54_i64 {
        let now = start + SignedDuration::from_mins(15 * hour);
        clock(&aws, &now.to_string());
        let folder = now.strftime("%Y/%m/%d/%H").to_string();
        capture_of(&aws, CONFIG, &folder, &format!("{hour:03}"), &[&format!("r{hour}")]);
        number += 1;
        window(&aws, number, &(now + SignedDuration::from_mins(1)).to_string()).await;
        if hour % 18 == 17 {
            tell(&aws, &format!("{hour}.csv"), &format!("id,label\nr{}#0,5\n", hour / 2));
            let before = aws.calls().len();
            number += 1;
            let window = window(&aws, number, &(now + SignedDuration::from_mins(2)).to_string()).await;
            assert_eq!(window.ground_truth.joined, 1);
            assert_eq!(window.ground_truth.predictions, 2 * (hour as u64 + 1));
            calls_of_a_label.push(aws.calls().len() - before);
        }
    }
    let bookmark = bookmark(&aws);
    assert!(bookmark.windows.is_empty());
    assert!(bookmark.index.len() < 32, "{} parts", bookmark.index.len());
    assert!(bookmark.index.iter().any(|part| part.level == 1));
    assert!(calls_of_a_label.iter().all(|calls| *calls < 80), "{calls_of_a_label:?}");
    assert_eq!(labels(&aws).len(), 3);
}

/// Of many windows with labels, only some are opened at a time.
#[tokio::test]
async fn windows_that_are_too_many_to_be_opened_at_once_are_opened_by_the_next() {
    let aws = account();
    for number in 1..=5 {
        let now = format!("2026-11-22T18:{number}0:00Z");
        clock(&aws, &now);
        capture(&aws, CONFIG, &format!("{number}"), &[&format!("r{number}")]);
        window(&aws, number, &now).await;
    }
    tell(&aws, "all.csv", "id,label\nr1#0,1\nr2#0,2\nr3#0,3\nr4#0,4\nr5#0,5\n");
    let mut joined = Vec::new();
    for number in 6..9 {
        let tick = format!("2026-11-22T19:{number}0:00Z")
            .replace("19:6", "20:0")
            .replace("19:7", "20:1")
            .replace("19:8", "20:2");
        let window = consolidate_bounded(&aws, &name(number), &tick, 1, (1_000, 2)).await;
        commit(&aws, &name(number)).await;
        joined.push((window.ground_truth.joined, window.more));
    }
    assert_eq!(joined, [(2, true), (2, true), (1, false)]);
    // The same for the labels that they may correct.
    clock(&aws, "2026-11-22T20:30:00Z");
    tell(
        &aws,
        "all.csv",
        "id,label\nr1#0,11\nr2#0,12\nr3#0,13\nr4#0,14\nr5#0,15\n",
    );
    for number in 9..13 {
        let tick = format!("2026-11-22T21:{}0:00Z", number - 9);
        let window = consolidate_bounded(&aws, &name(number), &tick, 1, (1_000, 2)).await;
        if window.payload == Payload::Ready {
            commit(&aws, &name(number)).await;
        }
    }
    let labels: Vec<(String, f64)> = labels(&aws).into_iter().map(|(id, label, _)| (id, label)).collect();
    let expected: Vec<(String, f64)> = (1..=5)
        .map(|number| (format!("r{number}#0"), 10.0 + f64::from(number)))
        .collect();
    assert_eq!(labels, expected);
}

/// A stack that was set up earlier: its bookmark has no index, and its ground truth was never judged.
#[tokio::test]
async fn bookmarks_from_before_go_on() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["r1", "r2"]);
    tell(&aws, "first.csv", "id,label\nr1#0,1\n");
    window(&aws, 1, "2026-11-22T19:00:00Z").await;
    clock(&aws, "2026-11-22T19:10:00Z");
    capture(&aws, CONFIG, "00-b", &["r3"]);
    window(&aws, 2, "2026-11-22T19:20:00Z").await;
    let key = "use-cases/cars/models/m/bookmark.json";
    let mut before: Value = aws.object_json(BUCKET, key).unwrap();
    let past = |number: u32, to: &str, records: u32| {
        json!({
            "number": number - 1, "run_id": name(number), "to": to, "endpoint_config": CONFIG,
            "champion": crate::account::CHAMPION, "records": records,
            "records_key": format!("cars/monitoring/m/{}/input/records/", name(number)),
        })
    };
    before["windows"] = json!([past(1, "2026-11-22T19:00:00Z", 4), past(2, "2026-11-22T19:20:00Z", 2)]);
    for added in ["index", "predictions", "ground_truth_accepted", "ground_truth_begun"] {
        before.as_object_mut().unwrap().remove(added);
    }
    before["ground_truth_seen"] =
        json!(["s3://drivetrain-dev/cars/ground-truth/incoming/first.csv@2026-11-22T18:00:00Z"]);
    aws.put_object(BUCKET, key, before.to_string());
    for accepted in aws.keys(BUCKET, &use_case::accepted_ground_truth("cars")) {
        aws.delete_object(BUCKET, &accepted);
    }

    // Three files: one dropped before; one that is refused meanwhile; one that has not been judged yet.
    drop_labels(&aws, "second.csv", "id,label\nr1#0,5\nr2#0,2\n");
    let refused = drop_labels(&aws, "refused.csv", "id,label\nr2#1,2\n");
    judge(&aws, &use_case::refused_ground_truth("cars"), &refused);
    clock(&aws, "2026-11-22T20:55:00Z");
    drop_labels(&aws, "unjudged.csv", "id,label\nr3#1,2\n");
    tell(&aws, "judged.csv", "id,label\nr3#0,3\n");
    let third = window(&aws, 3, "2026-11-22T21:00:00Z").await;
    assert_eq!((third.ground_truth.joined, third.ground_truth.corrected), (3, 1));
    assert_eq!(third.ground_truth.predictions, 6);
    assert_eq!(
        labels(&aws),
        [row("r1#0", 5.0, 2), row("r2#0", 2.0, 2), row("r3#0", 3.0, 2)]
    );
    let after = bookmark(&aws);
    assert!(after.windows.is_empty() && after.ground_truth_accepted);
    assert_eq!(after.predictions.values().sum::<u64>(), 6);
    // From now on, only accepted files are read.
    assert_eq!(window(&aws, 4, "2026-11-23T21:00:00Z").await.payload, Payload::None);
}

/// An id that a client gives directly to the endpoint may contain `#`: `a#1` is then both a request and row 1 of
/// request `a`.
#[tokio::test]
async fn a_label_never_goes_to_another_request() {
    let aws = account();
    capture(&aws, CONFIG, "00-a", &["a", "a#1", "b", "c#x"]);
    // Which of the two `a#1` refers to is unknown; the other ids are unambiguous.
    tell(
        &aws,
        "sold.csv",
        "id,label\na#0,1\na#1,2\na#1#0,3\na#1#1,4\nb#1,5\nc#x,6\n",
    );
    let first = window(&aws, 1, "2026-11-22T19:00:00Z").await;
    let expected = [
        row("a#0", 1.0, 0),
        row("a#1#0", 3.0, 0),
        row("a#1#1", 4.0, 0),
        row("b#1", 5.0, 0),
        row("c#x#0", 6.0, 0),
    ];
    assert_eq!(labels(&aws), expected);
    assert_eq!((first.skipped.len(), first.skipped[0].rows), (1, 1));
    assert!(
        first.skipped[0].reason.contains("name its row, with `#0` behind it"),
        "{:?}",
        first.skipped
    );
    // The same, days later.
    clock(&aws, "2026-11-25T19:00:00Z");
    tell(&aws, "again.csv", "id,label\na#1,2\nb#0,7\n");
    let second = window(&aws, 2, "2026-11-25T20:00:00Z").await;
    assert_eq!((second.ground_truth.joined, second.skipped[0].rows), (1, 1));
    assert_eq!(labels(&aws).len(), 6);
}
