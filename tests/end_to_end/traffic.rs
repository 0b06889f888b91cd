//! Requests to the prediction API, and their ground truth.

use crate::case::Case;
use crate::wait;
use contracts::{RunId, places};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Instances per request.
const ROWS: usize = 20;

impl Case {
    /// Sends instances in requests whose inference ids begin with `name`, and waits until all are captured for each of
    /// `models`; returns the rows' ids.
    pub async fn send(&self, name: &str, instances: &[Value], models: &[&str]) -> Vec<String> {
        let mut ids = Vec::new();
        for (number, rows) in instances.chunks(ROWS).enumerate() {
            let id = format!("{name}-{number}");
            let body = json!({"inference_id": id, "instances": rows}).to_string();
            let answer = self.stack.predict(&self.id, "application/json", body, None).await;
            assert!(!answer.degraded(), "{}", answer.body);
            ids.extend(
                answer
                    .predictions()
                    .iter()
                    .map(|it| it["id"].as_str().unwrap().to_owned()),
            );
        }
        for model in models {
            let what = format!("{} rows of {name} are captured of {model}", instances.len());
            wait::until(&what, wait::MOMENT, async || {
                (self.captured_rows(model, name).await == instances.len()).then_some(())
            })
            .await;
        }
        ids
    }

    /// Waits until every model of `models` answers: the function looks for champions every few seconds.
    pub async fn answers(&self, models: &[&str]) {
        wait::until("all champions answer", wait::MOMENT, async || {
            let answer = self.predict().await;
            let all = |it: &Value| models.iter().all(|model| it["models"].get(*model).is_some());
            (answer.status == 200 && answer.predictions().iter().all(all)).then_some(())
        })
        .await;
    }

    /// Waits until a version of a model answers.
    pub async fn answers_as(&self, model: &str, version: &RunId) {
        wait::until("the new champion answers", wait::MOMENT, async || {
            let answer = self.predict().await;
            let by = |it: &Value| it["models"][model]["version"] == version.to_string();
            (answer.status == 200 && answer.predictions().iter().all(by)).then_some(())
        })
        .await;
    }

    /// Drops ground truth for rows, as CSV, and waits until it is accepted.
    pub async fn tell(&self, name: &str, labels: &[(String, f64)]) {
        let mut csv = "id,label\n".to_owned();
        for (id, label) in labels {
            writeln!(csv, "{id},{label}").unwrap();
        }
        let accepted = places::use_case::accepted_ground_truth(&self.id);
        let before = self.stack.keys(&accepted).await.len();
        let folder = places::incoming(&self.id, places::Drop::GroundTruth);
        self.stack.put(&format!("{folder}{name}"), csv).await;
        wait::until(&format!("{name} is accepted"), wait::MOMENT, async || {
            (self.stack.keys(&accepted).await.len() > before).then_some(())
        })
        .await;
    }

    /// How many of the rows sent as `name` a model's endpoints have captured, whichever champion answered. Captures of
    /// other requests may still be missing.
    async fn captured_rows(&self, model: &str, name: &str) -> usize {
        // Both present and former names contain the model's.
        let (prefix, of_model) = (format!("{}/capture/", self.id), format!("-{model}-"));
        let mut rows = 0;
        for key in self.stack.keys(&prefix).await {
            if key.ends_with(".jsonl") && key.contains(&of_model) {
                let bytes = self.stack.get(&key).await.unwrap();
                let lines = std::str::from_utf8(&bytes).unwrap().lines();
                rows += lines.map(|line| rows_of(line, name)).sum::<usize>();
            }
        }
        rows
    }
}

/// The rows of a captured request that was sent as `name`: each is a line of its input.
fn rows_of(line: &str, name: &str) -> usize {
    let record: Value = serde_json::from_str(line).unwrap();
    let inference_id = record["eventMetadata"]["inferenceId"].as_str().unwrap();
    if !inference_id.starts_with(&format!("{name}-")) {
        return 0;
    }
    let input = &record["captureData"]["endpointInput"];
    assert_eq!(input["encoding"], "CSV", "{record}");
    input["data"].as_str().unwrap().lines().count()
}
