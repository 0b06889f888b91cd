//! Rows of which the transformer makes 600 features: a mini-batch would be more than a container accepts.
//!
//! `WIDE_ROWS` and `WIDE_SCORED` set the number of rows, for example 200000 and 40000.

use crate::case::{Case, Run};
use crate::data;
use crate::monitoring::only;
use crate::stack::instances;
use crate::wait;
use aws_sdk_sfn::types::ExecutionStatus;
use contracts::run::Source;
use contracts::scoring::ScoringSummary;
use contracts::{RunId, Verdict, payload, places};
use serde_json::Value;
use std::time::{Duration, Instant};

const MODELS: [&str; 2] = ["linear-learner", "xgboost"];
/// The most bytes that a container accepts: AWS's XGBoost by default, and its Linear Learner always.
const CONTAINER_BYTES: u64 = 6_291_456;
/// The most bytes that a transform job sends.
const RAW_BYTES: usize = 1_000_000;

/// For twice as many rows as in a run of a small case, on two cores.
const LIMIT: Duration = Duration::from_secs(1_800);

fn count(name: &str, otherwise: usize) -> usize {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

impl Case {
    async fn train(&self, run: &RunId, what: &str) {
        let began = Instant::now();
        let arn = &self.stack.machine_arn;
        let ended = self.ended_within(arn, run, &ExecutionStatus::Succeeded, LIMIT).await;
        for model in MODELS {
            println!("{what}: {model} {:?}", ended.decision(model).comparison);
        }
        println!("{what}: {:.0} s", began.elapsed().as_secs_f64());
        ended.decided(&MODELS.map(|model| (model, Verdict::Exported)));
    }

    /// Scores a file with both models.
    async fn score_wide(&self, name: &str, body: &str, rows: usize) {
        let began = Instant::now();
        let key = places::incoming(&self.id, places::Drop::Scoring) + name;
        let put = self.stack.put(&key, body).await;
        let run = RunId::for_drop(put.last_modified, &self.stack.bucket, &key, &put.version_id);
        let arn = &self.stack.scoring_arn;
        self.ended_within(arn, &run, &ExecutionStatus::Succeeded, LIMIT).await;
        let key = places::use_case::scored(&self.id, &run) + "summary.json";
        let summary: ScoringSummary = self.stack.document(&key).await.unwrap();
        assert_eq!((summary.scored, summary.rejected), (rows as u64, 0));
        assert_eq!(summary.models.keys().collect::<Vec<_>>(), MODELS, "{summary:?}");
        println!("{name}: {rows} rows scored in {:.0} s", began.elapsed().as_secs_f64());
    }
}

#[tokio::test]
#[ignore = "needs the local stack: cargo xtask test end-to-end"]
async fn wide_rows_are_trained_on_judged_scored_and_served() {
    let (trained, scored) = (count("WIDE_ROWS", 8_000), count("WIDE_SCORED", 6_000));
    let strange = if trained > 8_000 { 2_000 } else { 400 };
    let columns = data::wide_columns();
    let case = Case::with("wide", "wide.yaml", &[("COLUMNS", &columns)]).await;
    let run: Run = case.drop("wide.csv", data::wide(0, trained)).await;
    case.train(&run.id, "first").await;

    // The row is as wide as intended, and the champion records that.
    let summary = case.places(&run.id).data("summary") + "summary.json";
    let summary: Value = case.stack.document(&summary).await.unwrap();
    assert_eq!(summary["feature_count"], 600, "{summary}");
    for model in MODELS {
        let width = case.champion(model).await.unwrap().encoded_row_bytes;
        assert_eq!(width, summary["bytes_per_row"]["encoded_max"].as_u64());
        assert!(payload::rows_per_request([width]) < 5_000);
    }

    // A mini-batch of the size that a transform job may send would be more than a container accepts.
    let body = data::wide(trained, trained + scored);
    let raw = body.len() / scored;
    let encoded = summary["bytes_per_row"]["encoded"].as_f64().unwrap();
    let together = (RAW_BYTES / raw).min(scored) as f64 * encoded;
    assert!(together > CONTAINER_BYTES as f64, "{together} bytes");
    case.score_wide("stock.csv", &body, scored).await;

    // The largest allowed request.
    let cars = data::wide_instances(trained, trained + 500);
    wait::until("both champions answer", wait::MOMENT, async || {
        let body = instances(&only(&cars));
        let answer = case.stack.predict(&case.id, "application/json", body, None).await;
        (answer.status == 200 && !answer.degraded() && answer.predictions().len() == 500).then_some(())
    })
    .await;

    // Drift starts a training run, which again ends with two champions.
    let cars = data::wide_shifted(trained + scored, trained + scored + strange);
    let ids = case.send("strange", &only(&cars), &["xgboost"]).await;
    let labels: Vec<(String, f64)> = ids.into_iter().zip(cars.iter().map(|(_, price)| *price)).collect();
    case.tell("labels.csv", &labels).await;
    let drifted = case.watch("xgboost").await;
    assert_eq!(drifted.outcome("data"), "drifted", "{drifted:#?}");
    let retraining = wait::until("drift has started a training run", wait::RUN, async || {
        let runs = case.manifests().await.into_iter();
        runs.rev().find(|run| matches!(run.source, Source::Drift { .. }))
    })
    .await;
    case.train(&retraining.run_id, "retraining").await;
    case.score_wide("again.csv", &body, scored).await;
    case.finish().await;
}
