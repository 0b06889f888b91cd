//! Various dropped files against a champion that knows the whole world: what the gate decides, and what the mail says.

// Clippy's exception for tests does not include their helpers.
#![allow(clippy::unwrap_used)]

use contracts::{Decision, Verdict};
use fake_aws::FakeAws;
use jiff::Timestamp;
use rmse_gate::{Request, RmseGate};
use serde_json::{Value, json};
use std::fmt::Write as _;

const OLDER: &str = "20261101t000000z-00000000";
const ROOT: &str = "used-car-price/runs/20261122t183000z-ab12cd34";

/// RMSEs of candidate and champion on rows of a holdout, with prices around a median.
struct Holdout {
    rows: u32,
    median: f64,
    candidate_rmse: f64,
    champion_rmse: f64,
}

/// A pseudo-random number between 0 and 1, always the same for the same number.
fn chance(number: u64) -> f64 {
    let mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
}

/// The scores of both on the same rows: heavy-tailed errors, scaled to the RMSEs.
fn scores(name: &str, holdout: &Holdout) -> [String; 2] {
    let seed = u64::from(holdout.rows) + holdout.median.to_bits() / 1_000_003;
    let errors = |model: u64, rmse: f64| {
        let one = |row: u32| {
            let (own, common) = (
                chance(seed + u64::from(row) * 7 + model),
                chance(seed + u64::from(row) * 7 + 3),
            );
            // Most of an error comes from the row, the rest from the model.
            (0.4 * own + common - 0.7) / (0.1 + chance(seed + u64::from(row) * 7 + 5))
        };
        let all: Vec<f64> = (0..holdout.rows).map(one).collect();
        let reached = (all.iter().map(|error| error * error).sum::<f64>() / f64::from(holdout.rows)).sqrt();
        all.into_iter().map(move |error| error * rmse / reached)
    };
    let labels = (0..holdout.rows).map(|row| holdout.median * (0.5 + chance(seed + u64::from(row) * 7 + 6)));
    let labels: Vec<f64> = labels.map(f64::round).collect();
    [(1, holdout.candidate_rmse), (2, holdout.champion_rmse)].map(|(model, rmse)| {
        let rows = errors(model, rmse).zip(&labels).enumerate();
        rows.fold(String::new(), |mut text, (row, (error, label))| {
            writeln!(text, "{name}-{row},{label},{}", label + error).unwrap();
            text
        })
    })
}

/// The gate's decision by the default rules, the mail if the candidate is rejected or held, and the decision document.
async fn judged(new: &Holdout, own: &Holdout, naive_rmse: f64) -> (Verdict, String, Decision) {
    let aws = FakeAws::new();
    for (name, holdout) in [("new.csv".to_owned(), new), (format!("champion-{OLDER}.csv"), own)] {
        let [candidate, champion] = scores(&name, holdout);
        for (by, text) in [("candidate", candidate), ("champion", champion)] {
            aws.put_object(
                "bucket",
                &format!("{ROOT}/holdout-scores/xgboost/{by}/{name}.out"),
                text,
            );
        }
    }
    let baseline = json!({"rmse": naive_rmse, "rmse_of_median": naive_rmse});
    aws.put_object_json(
        "bucket",
        &format!("{ROOT}/data/summary/summary.json"),
        &json!({"baseline": baseline}),
    );
    let mut request: Value = serde_json::from_str(include_str!("events/compare.json")).unwrap();
    request["gate"] = json!({});
    request["champion"]["holdout_reference_rmse"] = json!(own.champion_rmse);
    let gate = RmseGate::new(
        &aws.sdk_config(),
        "dev",
        "bucket",
        "arn:aws:sns:us-east-1:123456789012:dev",
    );
    let now: Timestamp = "2026-11-22T19:00:00Z".parse().unwrap();
    let ask = async |event: Value| {
        let request: Request = serde_json::from_value(event).unwrap();
        serde_json::to_value(gate.handle(request, now).await.unwrap()).unwrap()
    };
    let passed = ask(request).await["passed"] == json!(true);
    if !passed {
        ask(serde_json::from_str(include_str!("events/notify-rejection.json")).unwrap()).await;
    }
    let key = format!("{ROOT}/decisions/xgboost.json");
    let decision: Decision = serde_json::from_value(aws.object_json("bucket", &key).unwrap()).unwrap();
    let mail = aws
        .published()
        .first()
        .map(|mail| mail.message.clone())
        .unwrap_or_default();
    (decision.decision.unwrap_or(Verdict::Exported), mail, decision)
}

fn holdout(rows: u32, median: f64, candidate_rmse: f64, champion_rmse: f64) -> Holdout {
    Holdout {
        rows,
        median,
        candidate_rmse,
        champion_rmse,
    }
}

/// The champion's holdout, with the RMSEs of both on it.
fn world(candidate_rmse: f64) -> Holdout {
    holdout(2_000, 18_000.0, candidate_rmse, 7_764.0)
}

#[tokio::test]
async fn narrow_files_are_rejected_with_the_numbers_of_both_holdouts() {
    for (file, new, own, naive_rmse, verdict) in [
        (
            "300 cars under $4,000",
            holdout(45, 2_500.0, 832.0, 6_918.0),
            world(24_461.0),
            900.0,
            Verdict::RejectedChampion,
        ),
        (
            "3,000 cars under $4,000",
            holdout(450, 2_500.0, 832.0, 6_918.0),
            world(24_461.0),
            900.0,
            Verdict::RejectedChampion,
        ),
        (
            "one price in 500 rows",
            holdout(75, 9_999.0, 0.5, 4_000.0),
            world(19_000.0),
            0.0,
            Verdict::RejectedChampion,
        ),
        (
            "one price in 5,000 rows",
            holdout(750, 9_999.0, 0.5, 4_000.0),
            world(19_000.0),
            0.0,
            Verdict::RejectedNaive,
        ),
        (
            "30 random rows",
            holdout(5, 18_000.0, 7_000.0, 7_800.0),
            world(11_000.0),
            14_000.0,
            Verdict::RejectedChampion,
        ),
        (
            "8,000 rows of one make",
            holdout(1_200, 14_000.0, 2_072.0, 2_361.0),
            world(12_000.0),
            6_000.0,
            Verdict::RejectedChampion,
        ),
    ] {
        let (decided, mail, decision) = judged(&new, &own, naive_rmse).await;
        assert_eq!(decided, verdict, "{file}: {}", decision.reason);
        let comparison = decision.comparison.unwrap();
        let both = comparison.champions_holdout.unwrap();
        let near = |one: f64, other: f64| (one - other).abs() < 1e-6 * other;
        assert!(near(comparison.candidate_rmse.unwrap(), new.candidate_rmse), "{file}");
        assert!(near(comparison.champion_rmse.unwrap(), new.champion_rmse), "{file}");
        assert!(near(both.candidate_rmse, own.candidate_rmse), "{file}");
        let numbers = [
            format!("RMSE:          {}", new.candidate_rmse),
            format!("champion RMSE: {}", new.champion_rmse),
            format!("naive RMSE:    {naive_rmse}"),
            format!("champion's holdout: RMSE {}, champion RMSE 7764", own.candidate_rmse),
        ];
        for numbers in numbers {
            assert!(mail.contains(&numbers), "{file}: {numbers}: {mail}");
        }
    }
}

#[tokio::test]
async fn an_honest_improvement_wins() {
    // A larger drop from the same world, 6 % better on both holdouts.
    let (decided, mail, decision) =
        judged(&holdout(3_000, 18_000.0, 7_300.0, 7_764.0), &world(7_310.0), 14_000.0).await;
    assert_eq!((decided, mail.as_str()), (Verdict::Exported, ""), "{}", decision.reason);
    let comparison = decision.comparison.unwrap();
    assert!(comparison.passed && comparison.doubts.is_empty(), "{comparison:?}");
}

#[tokio::test]
async fn a_hundred_random_samples_of_thirty_rows_replace_no_champion() {
    for sample in 0..100 {
        // By chance a candidate looks up to twice as good on few rows.
        let better = 0.5 + f64::from(sample) / 200.0;
        let new = holdout(2 + sample % 7, 18_000.0 + f64::from(sample), 7_764.0 * better, 7_764.0);
        let (decided, _, decision) = judged(&new, &world(9_000.0), 14_000.0).await;
        assert_eq!(decided, Verdict::RejectedChampion, "{sample}: {}", decision.reason);
    }
}
