//! Rows that are in a file several times prove no more than they do once.

// Clippy's exception for tests does not include their helpers.
#![allow(clippy::unwrap_used)]

use contracts::decision::Comparison;
use contracts::{Decision, Verdict};
use fake_aws::FakeAws;
use jiff::Timestamp;
use rmse_gate::{Request, RmseGate};
use serde_json::{Value, json};
use std::fmt::Write as _;

const OLDER: &str = "20261101t000000z-00000000";
const ROOT: &str = "used-car-price/runs/20261122t183000z-ab12cd34";

/// A row of a holdout, with the answers of both models.
struct Row {
    id: String,
    label: f64,
    candidate: f64,
    champion: f64,
}

/// The scores, by candidate and by champion, of a holdout in which every row occurs `copies` times, one copy of the
/// whole file after the other.
fn scores(rows: &[Row], copies: u32) -> [String; 2] {
    [|row: &Row| row.candidate, |row: &Row| row.champion].map(|answer| {
        let mut text = String::new();
        for copy in 1..=copies {
            for row in rows {
                let number = if copy == 1 { String::new() } else { format!("-{copy}") };
                writeln!(text, "{}{number},{},{}", row.id, row.label, answer(row)).unwrap();
            }
        }
        text
    })
}

struct Judged {
    verdict: Option<Verdict>,
    comparison: Comparison,
    /// The folder of the holdout on which later candidates are judged.
    holdout: Option<String>,
    /// The mail, if the candidate is rejected.
    mail: String,
}

/// The gate's decision for these scores of the new holdout and of the champion's.
async fn judged(new: [String; 2], own: [String; 2], gate: Value, by_drift: bool) -> Judged {
    let aws = FakeAws::new();
    for (name, texts) in [("new.csv".to_owned(), new), (format!("champion-{OLDER}.csv"), own)] {
        for (by, text) in ["candidate", "champion"].into_iter().zip(texts) {
            let key = format!("{ROOT}/holdout-scores/xgboost/{by}/{name}.out");
            aws.put_object("bucket", &key, text);
        }
    }
    let baseline = json!({"rmse": 14_000.0, "rmse_of_median": 14_000.0});
    aws.put_object_json(
        "bucket",
        &format!("{ROOT}/data/summary/summary.json"),
        &json!({"baseline": baseline}),
    );
    let mut request: Value = serde_json::from_str(include_str!("events/compare.json")).unwrap();
    request["gate"] = gate;
    request["started_by_drift"] = json!(by_drift);
    request["champion"]["holdout_reference_rmse"] = json!(7_764.0);
    let function = RmseGate::new(
        &aws.sdk_config(),
        "dev",
        "bucket",
        "arn:aws:sns:us-east-1:123456789012:dev",
    );
    let now: Timestamp = "2026-11-22T19:00:00Z".parse().unwrap();
    let request: Request = serde_json::from_value(request).unwrap();
    function.handle(request, now).await.unwrap();
    let key = format!("{ROOT}/decisions/xgboost.json");
    let decision: Decision = serde_json::from_value(aws.object_json("bucket", &key).unwrap()).unwrap();
    if decision.decision.is_some() {
        let event: Request = serde_json::from_str(include_str!("events/notify-rejection.json")).unwrap();
        function.handle(event, now).await.unwrap();
    }
    let mail = aws.published().first().map(|mail| mail.message.clone());
    Judged {
        verdict: decision.decision,
        comparison: decision.comparison.unwrap(),
        holdout: decision.candidate.unwrap().holdout,
        mail: mail.unwrap_or_default(),
    }
}

/// A pseudo-random number between 0 and 1, always the same for the same number.
fn chance(number: u64) -> f64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
}

/// Rows with prices around a level. The candidate's errors are `scale` times as large as they would be by chance.
fn rows(seed: u64, count: u64, level: f64, scale: f64) -> Vec<Row> {
    let row = |number: u64| {
        let at = |part: u64| chance(seed * 1_000_003 + number * 7 + part);
        let label = (level * (0.5 + at(0))).round();
        let error = |own: f64| level * 0.6 * (own + at(1) - 1.0) / (0.2 + at(2));
        Row {
            id: format!("{:024x}", seed << 32 | number),
            label,
            candidate: label + scale * error(at(3)),
            champion: label + error(at(4)),
        }
    };
    (0..count).map(row).collect()
}

#[tokio::test]
async fn to_repeat_every_row_changes_no_verdict() {
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..60 {
        let at = |part: u64| chance(seed * 31 + part);
        // proof: whole numbers of some hundred.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let count = |share: f64| (40.0 + 400.0 * share) as u64;
        let new = rows(seed, count(at(0)), 18_000.0 * (0.9 + 0.2 * at(1)), 0.6 + 0.6 * at(2));
        let mut own = rows(seed + 1_000, count(at(3)), 18_000.0, 0.8 + 0.5 * at(4));
        // Some rows are in both.
        own.extend(new.iter().take(20).map(|row| Row {
            id: row.id.clone(),
            ..*row
        }));
        let by_drift = seed % 3 == 0;
        let once = judged(scores(&new, 1), scores(&own, 1), json!({}), by_drift).await;
        let verdict = once.verdict.map_or_else(|| "wins".to_owned(), |it| it.to_string());
        *seen.entry(verdict).or_default() += 1;
        for (of_new, of_own) in [(2, 1), (20, 1), (1, 20), (7, 7)] {
            let again = judged(scores(&new, of_new), scores(&own, of_own), json!({}), by_drift).await;
            let copied = format!("{seed}: {of_new} and {of_own} times");
            assert_eq!(again.verdict, once.verdict, "{copied}");
            assert_eq!(again.holdout, once.holdout, "{copied}");
            let (one, other) = (&once.comparison, &again.comparison);
            assert_eq!(other.p_value, one.p_value, "{copied}");
            assert_eq!(other.notes, one.notes, "{copied}");
            assert_eq!(other.doubts.len(), one.doubts.len(), "{copied}");
            assert_eq!(other.distinct_rows, one.distinct_rows, "{copied}");
            assert_eq!(other.holdout_rows, one.holdout_rows * u64::from(of_new), "{copied}");
        }
    }
    assert!(seen["wins"] >= 5 && seen["rejected-champion"] >= 5, "{seen:?}");
}

#[tokio::test]
async fn twenty_copies_are_no_evidence_and_the_mail_has_both_numbers() {
    // Calculated by hand: the squares differ by 5, give or take 25.5, so t is 1.3, and p 0.1.
    let row = |number: u32| Row {
        id: format!("{number:024x}"),
        label: 1_000.0 + f64::from(number),
        candidate: 1_010.0 + f64::from(number),
        champion: 1_000.0
            + f64::from(number)
            + (105.0 + if number.is_multiple_of(2) { 25.5_f64 } else { -25.5 }).sqrt(),
    };
    let rows: Vec<Row> = (0..44).map(row).collect();
    let few = json!({"min_holdout_rows": 40});
    let judged = judged(scores(&rows, 20), scores(&rows, 1), few, false).await;
    assert_eq!(judged.verdict, Some(Verdict::RejectedChampion));
    let p_value = judged.comparison.p_value.unwrap();
    assert!((0.09..0.11).contains(&p_value), "{p_value}");
    assert_eq!(
        (judged.comparison.holdout_rows, judged.comparison.distinct_rows),
        (880, Some(44))
    );
    for told in [
        "RMSE 10 on the holdout (880 rows, 44 different) is better than champion",
        "but by no more than chance",
        "holdout rows:  880, 44 different\n",
    ] {
        assert!(judged.mail.contains(told), "{told}: {}", judged.mail);
    }
}

#[tokio::test]
async fn copies_do_not_make_a_holdout_large_enough() {
    let rows = rows(1, 48, 18_000.0, 0.5);
    let judged = judged(scores(&rows, 20), scores(&rows, 20), json!({}), false).await;
    assert_eq!(judged.verdict, Some(Verdict::RejectedChampion));
    assert!(
        judged.mail.contains(
            "a holdout of 48 different rows (960 with their copies) decides nothing: at least 100 are needed"
        ),
        "{}",
        judged.mail
    );
}
