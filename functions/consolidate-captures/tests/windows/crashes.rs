//! Whichever call fails, and in whatever order runs die and others take over: after the next success every record is
//! reported exactly once.

use crate::account::{CONFIG, account, bookmark, capture, clock, commit, consolidate, reported, try_commit, try_step};
use consolidate_captures::Committed;
use fake_aws::{FakeAws, Reply};
use proptest::prelude::*;

const TICK: &str = "2026-11-22T19:00:00Z";
const ONE: &str = "20261122t190000z-11111111";
const TWO: &str = "20261122t190500z-22222222";

fn refused() -> Reply {
    Reply::error(403, "AccessDenied", "not now")
}

#[tokio::test]
async fn a_run_that_dies_before_its_commit_leaves_its_window_open() {
    let aws = account();
    let mut ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    consolidate(&aws, ONE, TICK).await;
    aws.before("PutObject", "bookmark.json", |aws| {
        aws.fail_next("PutObject", refused());
    });
    try_commit(&aws, ONE).await.unwrap_err();
    assert_eq!((bookmark(&aws).next_window, reported(&aws).len()), (0, 0));
    clock(&aws, "2026-11-22T19:01:00Z");
    ids.extend(capture(&aws, CONFIG, "00-b", &["r2"]));
    assert_eq!(consolidate(&aws, TWO, "2026-11-22T19:05:00Z").await.records, 4);
    assert_eq!(commit(&aws, TWO).await, Committed::Committed);
    assert_eq!(reported(&aws), ids);
    assert_eq!(commit(&aws, ONE).await, Committed::Superseded);
    assert_eq!(reported(&aws), ids, "who comes too late changes nothing");
}

#[tokio::test]
async fn of_two_runs_at_once_one_commits() {
    let aws = account();
    let ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    consolidate(&aws, ONE, TICK).await;
    consolidate(&aws, TWO, TICK).await;
    assert_eq!(commit(&aws, TWO).await, Committed::Committed);
    assert_eq!(commit(&aws, ONE).await, Committed::Superseded);
    assert_eq!(reported(&aws), ids);
}

#[tokio::test]
async fn a_window_that_was_being_made_again_is_not_committed_by_halves() {
    let aws = account();
    let ids = capture(&aws, CONFIG, "00-a", &["r1"]);
    consolidate(&aws, ONE, TICK).await;
    // The second attempt dies at its first deletion, before or after it takes effect.
    for done in [false, true] {
        if done {
            aws.fail_next_after_doing("DeleteObject", refused());
        } else {
            aws.fail_next("DeleteObject", refused());
        }
        try_step(&aws, "consolidate", ONE, TICK, 1).await.unwrap_err();
    }
    let failed = try_commit(&aws, ONE).await.unwrap_err();
    assert_eq!(failed.error_type(), "WindowMissing");
    consolidate(&aws, TWO, TICK).await;
    assert_eq!(commit(&aws, TWO).await, Committed::Committed);
    assert_eq!(reported(&aws), ids);
}

#[tokio::test]
async fn a_commit_without_a_window_is_an_error() {
    let failed = try_commit(&account(), ONE).await.unwrap_err();
    assert_eq!(failed.error_type(), "WindowMissing");
}

/// What happens to a model's monitoring, in any order.
#[derive(Clone, Debug)]
enum Deed {
    /// A capture file appears, of a past or the present hour.
    Capture(u8),
    /// A run consolidates, and perhaps commits; one of its calls may fail.
    Run {
        fails_at: Option<(usize, usize)>,
        commits: bool,
    },
}

const CALLS: [&str; 5] = ["GetObject", "PutObject", "ListObjectsV2", "CopyObject", "DeleteObject"];

fn deed() -> impl Strategy<Value = Deed> {
    let run = (prop::option::of((0..CALLS.len(), 0..4_usize)), any::<bool>());
    prop_oneof![
        any::<u8>().prop_map(Deed::Capture),
        run.prop_map(|(fails_at, commits)| Deed::Run { fails_at, commits }),
    ]
}

async fn play(deeds: &[Deed]) -> (Vec<String>, Vec<String>) {
    let aws = account();
    let mut ids = Vec::new();
    for (number, deed) in deeds.iter().enumerate() {
        let time = format!("2026-11-22T20:{:02}:00Z", number % 60);
        clock(&aws, &time);
        match deed {
            Deed::Capture(hour) => {
                let name = format!("{:02}-{number:02}", hour % 60);
                ids.extend(capture(&aws, CONFIG, &name, &[&format!("r{number}")]));
            }
            Deed::Run { fails_at, commits } => {
                let name = format!("20261122t20{:02}00z-{number:08}", number % 60);
                if let Some((call, after)) = fails_at {
                    fail_after(&aws, CALLS[*call], *after);
                }
                let made = try_step(&aws, "consolidate", &name, &time, 1).await;
                if made.is_ok() && *commits {
                    let _ = try_commit(&aws, &name).await;
                }
            }
        }
    }
    clock(&aws, "2026-11-22T22:00:00Z");
    // Failures that have not happened yet happen to the last runs.
    for attempt in 0..60 {
        let last = format!("20261122t220000z-{attempt:08}");
        if let Ok(window) = try_step(&aws, "consolidate", &last, "2026-11-22T22:00:00Z", 1).await
            && (window.records == 0 || matches!(try_commit(&aws, &last).await, Ok(Committed::Committed)))
        {
            break;
        }
    }
    ids.sort();
    (reported(&aws), ids)
}

/// Makes a call with this name fail, after `after` calls that don't.
fn fail_after(aws: &FakeAws, operation: &'static str, after: usize) {
    if after == 0 {
        aws.fail_next(operation, refused());
    } else {
        aws.before(operation, "", move |aws| fail_after(aws, operation, after - 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn no_record_is_lost_and_none_is_doubled(deeds in prop::collection::vec(deed(), 1..12)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (found, expected) = runtime.block_on(play(&deeds));
        prop_assert_eq!(found, expected);
    }
}
