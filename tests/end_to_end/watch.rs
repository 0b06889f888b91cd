//! Monitoring runs of a use case, and their results.

use crate::case::Case;
use crate::wait;
use aws_sdk_sfn::types::ExecutionStatus;
use contracts::drift::Status;
use contracts::monitoring::{Bookmark, Payload};
use contracts::places::{self, MonitoringPlaces, Table};
use contracts::reporting::{DriftRow, GroundTruthRow, PredictionRow};
use contracts::{RunId, Window};
use flate2::read::MultiGzDecoder;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::Read;

/// A monitoring run that has ended.
#[derive(Debug)]
pub struct Watched {
    pub run_id: RunId,
    pub window: Window,
    /// The rows of its window; empty when nothing was analysed.
    pub rows: Vec<DriftRow>,
}

impl Case {
    /// Monitors a model's live data now, and waits until the run has succeeded.
    pub async fn watch(&self, model: &str) -> Watched {
        let run_id = self.start_watch(model).await;
        self.watched(model, &run_id, &ExecutionStatus::Succeeded).await
    }

    /// The same for a run that must fail.
    pub async fn watch_in_vain(&self, model: &str) -> Watched {
        let run_id = self.start_watch(model).await;
        self.watched(model, &run_id, &ExecutionStatus::Failed).await
    }

    /// Starts a monitoring run. If the clock's tick has started one already, that one is waited for first.
    pub async fn start_watch(&self, model: &str) -> RunId {
        let request = json!({"monitor": {"use_case": self.id, "model": model}});
        wait::until("a monitoring run can be started", wait::RUN, async || {
            let answer = self.stack.call("start-run", &request).await.unwrap();
            started(&answer)
        })
        .await
    }

    /// Waits for the end of a monitoring run.
    pub async fn watched(&self, model: &str, run_id: &RunId, wanted: &ExecutionStatus) -> Watched {
        self.ended(&self.stack.monitor_arn, run_id, wanted).await;
        let places = MonitoringPlaces {
            use_case: &self.id,
            model,
            run_id,
        };
        let window: Window = self.stack.document(&places.window()).await.unwrap();
        let mut rows = self.drift_rows(model).await;
        rows.retain(|row| row.run_id == *run_id);
        Watched {
            run_id: run_id.clone(),
            window,
            rows,
        }
    }

    /// The bookmark of a model's monitoring.
    pub async fn bookmark(&self, model: &str) -> Option<Bookmark> {
        self.stack.document(&places::use_case::bookmark(&self.id, model)).await
    }

    /// All drift rows of a model.
    pub async fn drift_rows(&self, model: &str) -> Vec<DriftRow> {
        self.rows(Table::Drift, model).await
    }

    /// All predictions of a model that were reported, in the order of their windows.
    pub async fn predictions(&self, model: &str) -> Vec<PredictionRow> {
        self.rows(Table::Predictions, model).await
    }

    /// All predictions of a model that got their ground truth.
    pub async fn ground_truths(&self, model: &str) -> Vec<GroundTruthRow> {
        self.rows(Table::GroundTruth, model).await
    }

    /// The rows of a model in a table.
    pub async fn rows<T: DeserializeOwned>(&self, table: Table, model: &str) -> Vec<T> {
        let mut rows = Vec::new();
        let part = format!("/model={model}/");
        let keys = self.stack.keys(&table.folder(&self.id)).await;
        for key in keys.into_iter().filter(|key| key.contains(&part)) {
            let mut bytes = self.stack.get(&key).await.unwrap();
            if key.ends_with(".gz") {
                let mut text = Vec::new();
                MultiGzDecoder::new(&bytes[..]).read_to_end(&mut text).unwrap();
                bytes = text;
            }
            let lines = std::str::from_utf8(&bytes).unwrap().lines();
            rows.extend(lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{key}: {error}"))));
        }
        rows
    }

    /// Asserts that exactly these predictions of a model were reported, each once.
    pub async fn reported(&self, model: &str, ids: &[Vec<String>]) {
        let mut expected: Vec<&String> = ids.iter().flatten().collect();
        let predictions = self.predictions(model).await;
        let mut found: Vec<&String> = predictions.iter().map(|row| &row.id).collect();
        expected.sort();
        found.sort();
        assert_eq!(
            found.len(),
            expected.len(),
            "predictions of {model} are lost or doubled"
        );
        assert_eq!(found, expected);
    }
}

impl Watched {
    /// The outcomes of the analyses, by their names.
    pub fn outcome(&self, analysis: &str) -> &str {
        let row = self.rows.iter().find(|row| row.analysis == analysis);
        &row.unwrap_or_else(|| panic!("no analysis of {analysis}: {self:#?}"))
            .outcome
    }

    /// The drifted features, worst first.
    pub fn drifted(&self) -> Vec<&str> {
        let drifted = self.rows.iter().filter(|row| row.status == Some(Status::Drifted));
        drifted.filter_map(|row| row.feature.as_deref()).collect()
    }

    /// Asserts that there was nothing to analyse, or too little.
    pub fn had(&self, payload: Payload) {
        assert_eq!(self.window.payload, payload, "{self:#?}");
        assert!(self.rows.is_empty(), "{self:#?}");
    }
}

/// The run in an answer of start-run; `None` when another run is under way.
fn started(answer: &Value) -> Option<RunId> {
    let run = |answer: &Value| match answer["outcome"].as_str() {
        Some("started") => Some(RunId::parse(answer["run_id"].as_str().unwrap()).unwrap()),
        Some("busy") => None,
        _ => panic!("{answer:#}"),
    };
    match answer["runs"].as_array() {
        Some(runs) if !runs.is_empty() => run(&runs[0]),
        _ => run(answer),
    }
}
