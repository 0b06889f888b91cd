//! Drift starts a training run if the document says so, and the cycle continues.

use crate::case::Case;
use crate::data;
use crate::monitoring::{only, shifted};
use crate::wait;
use contracts::run::Source;
use contracts::{Manifest, Verdict};
use serde_json::json;

const MODEL: &str = "xgboost";
const RETRAINED: (&str, &str) = (
    "recipients:",
    "monitoring: { minimum_rows: 60 }\nretraining: { on_drift: true, cooldown_hours: 24 }\nrecipients:",
);

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn drift_retrains_on_what_was_labelled_and_cools_down() {
    let case = Case::with("retrain", "one-model.yaml", &[RETRAINED]).await;
    let (first, _) = case.trained("cars.csv", 400).await;
    case.answers(&[MODEL]).await;

    // Another kind of car at higher prices: the champion has never seen one.
    let cars = shifted(data::instances(400, 800));
    let ids = case.send("strange", &only(&cars), &[MODEL]).await;
    let labels: Vec<(String, f64)> = ids
        .into_iter()
        .zip(cars.iter().map(|(_, price)| 20_000.0 + 1.5 * price))
        .collect();
    case.tell("labels.csv", &labels).await;
    let drifted = case.watch(MODEL).await;
    assert_eq!(
        (drifted.outcome("data"), drifted.outcome("quality")),
        ("drifted", "drifted")
    );

    let retraining = wait::until("drift has started a training run", wait::RUN, async || {
        let runs = case.manifests().await.into_iter();
        runs.rev().find(|run| matches!(run.source, Source::Drift { .. }))
    })
    .await;
    let Source::Drift { found_by, .. } = &retraining.source else {
        unreachable!()
    };
    assert_eq!(found_by, &drifted.run_id);
    // The newest drop, and the labelled rows.
    let inputs: Vec<&str> = retraining.inputs.iter().map(|it| it.key.as_str()).collect();
    assert_eq!(inputs.len(), 2, "{inputs:?}");
    assert!(inputs.contains(&first.key.as_str()), "{inputs:?}");
    let ended = case.succeeded(&retraining.run_id).await;
    ended.decided(&[(MODEL, Verdict::Exported)]);
    let champion = case.champion(MODEL).await.unwrap();
    assert_eq!(
        (&champion.run_id, &champion.previous),
        (&retraining.run_id, &Some(first.id))
    );

    // What the model has been trained on is no longer drift.
    let mut mixed = data::instances(800, 1_000);
    mixed.extend(shifted(data::instances(1_000, 1_200)));
    case.answers_as(MODEL, &champion.run_id).await;
    case.send("mixed", &only(&mixed), &[MODEL]).await;
    let mut watched = case.watch(MODEL).await;
    while watched.window.champion.as_ref() != Some(&champion.run_id) {
        // The last answers of the old champion are a window of their own.
        watched = case.watch(MODEL).await;
    }
    assert_eq!(watched.outcome("data"), "clean", "{watched:#?}");

    // Another finding within the cool-down starts nothing.
    let event = json!({
        "version": "0", "id": "again", "detail-type": "Drift Detected", "source": "drivetrain",
        "time": "2026-11-22T18:30:00Z", "resources": [],
        "detail": {
            "stack": case.stack.name, "use_case": case.id, "model": MODEL, "run_id": watched.run_id,
            "champion": champion.run_id, "found_at": jiff::Timestamp::now(), "kinds": ["data"], "top_features": ["fuel"],
        },
    });
    let answer = case.stack.call("start-run", &event).await.unwrap();
    assert_eq!(answer["outcome"], "ignored", "{answer}");
    let started: Vec<Manifest> = case.manifests().await;
    let by_drift = started.iter().filter(|run| matches!(run.source, Source::Drift { .. }));
    assert_eq!(by_drift.count(), 1);
    case.finish().await;
}
