//! The results of the demo: `target/demo/summary.json`, and the same as text.

use super::lifecycle::{self, Lifecycle};
use super::model_summary::ModelSummary;
use super::predict::Listing;
use anyhow::{Context, Result};
use contracts::RunId;
use contracts::places::RunPlaces;
use drivetrain::api::Answer;
use drivetrain::follow::Followed;
use drivetrain::mails::Mail;
use drivetrain::target::{Platform, Target};
use drivetrain::ui;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The phases in the order of the work.
const PHASES: [&str; 13] = [
    "setup",
    "build",
    "up",
    "deploy",
    "data",
    "onboard",
    "drop_to_end",
    "training",
    "training_outside_jobs",
    "prediction",
    "notifications",
    "lifecycle",
    "total",
];

/// The results of the whole demo.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// The training run.
    pub run_id: String,
    /// The status in which its execution ended.
    pub execution: String,
    /// The results for each model.
    pub models: Vec<ModelSummary>,
    /// Number of rows of the holdout for which the RMSEs are computed.
    pub holdout_rows: Option<u64>,
    /// RMSE of the prediction without a model, on the same holdout, in the target's unit.
    pub naive_rmse: Option<f64>,
    /// The better model's RMSE as a fraction of the naive one.
    pub rmse_ratio: Option<f64>,
    /// Listings, with their actual prices and the API's answers.
    pub predictions: Vec<Value>,
    /// The mails about the run.
    pub notifications: Vec<Mail>,
    /// The second half: the fields `scoring`, `monitoring`, `retraining`, `dashboard`; absent when it failed.
    #[serde(flatten)]
    pub lifecycle: Option<Lifecycle>,
    /// Seconds by phase; `training_outside_jobs` is the part of `training` during which no job existed.
    pub seconds: BTreeMap<&'static str, f64>,
    /// Seconds by model and state; the run's own states under the empty name.
    pub states: BTreeMap<String, Vec<(String, f64)>>,
}

/// The RMSE of the prediction without a model, and the rows that it was measured on.
///
/// # Errors
/// The summary of Preprocess can't be read.
pub async fn naive(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    run_id: &RunId,
) -> Result<(Option<f64>, Option<u64>)> {
    let key = RunPlaces { use_case, run_id }.data("summary") + "summary.json";
    let summary: Option<Value> = target.document(platform, &key).await?;
    let summary = summary.unwrap_or_default();
    Ok((
        summary["baseline"]["rmse"].as_f64(),
        summary["rows"]["holdout"].as_u64(),
    ))
}

/// The best RMSE among the models that serve, as a fraction of the naive one.
pub fn ratio(models: &[ModelSummary], naive_rmse: Option<f64>) -> Option<f64> {
    let best = models.iter().filter_map(|model| model.rmse).min_by(f64::total_cmp)?;
    naive_rmse.filter(|naive| *naive > 0.0).map(|naive| best / naive)
}

/// Each listing with its actual price and the answer.
pub fn predictions(listings: &[Listing], answer: &Answer) -> Vec<Value> {
    listings
        .iter()
        .zip(&answer.predictions)
        .map(|(listing, prediction)| {
            let mut one = json!(prediction);
            one["instance"] = json!(listing.instance);
            one["actual"] = json!(listing.actual);
            one
        })
        .collect()
}

impl Summary {
    /// Adds the results of the execution.
    pub fn execution(&mut self, followed: &Followed) {
        self.execution.clone_from(&followed.status);
        self.states.clone_from(&followed.states);
        self.seconds.insert("training", tenth(followed.seconds));
        self.seconds
            .insert("training_outside_jobs", tenth(followed.seconds_outside_jobs));
    }

    /// Whether the run succeeded, every model serves as it should, the API answered, and the second half went as it
    /// should.
    pub fn is_good(&self) -> bool {
        self.execution == "SUCCEEDED"
            && !self.models.is_empty()
            && self.models.iter().all(ModelSummary::is_good)
            && !self.predictions.is_empty()
            && self.lifecycle.as_ref().is_some_and(Lifecycle::is_good)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// As text: the models, the baseline they are compared with, the seconds.
    pub fn shown(&self) -> String {
        let header = [
            "model",
            "decision",
            "RMSE",
            "champion's",
            "endpoint",
            "status",
            "verified",
        ];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.0}"));
        for model in &self.models {
            rows.push(vec![
                model.model.clone(),
                model
                    .decision
                    .map_or_else(|| "none".to_owned(), |decision| decision.to_string()),
                number(model.rmse),
                number(model.champion_rmse),
                model.endpoint_name.clone().unwrap_or_else(|| "-".to_owned()),
                model.endpoint_status.clone().unwrap_or_else(|| "-".to_owned()),
                if model.verified { "yes" } else { "no" }.to_owned(),
            ]);
        }
        let mut text = ui::table(&rows);
        for model in self.models.iter().filter(|model| !model.reason.is_empty()) {
            text.push_str(&format!("  {}: {}\n", model.model, model.reason));
        }
        // Both baselines of a model are in the same folder.
        let baselines: Vec<&str> = self
            .models
            .iter()
            .filter_map(|model| model.baselines.as_ref())
            .map(|places| places.data.trim_end_matches("data/"))
            .collect();
        if !baselines.is_empty() {
            text.push_str(&format!("  Baselines: {}\n", baselines.join(" ")));
        }
        if let (Some(naive), Some(ratio)) = (self.naive_rmse, self.rmse_ratio) {
            text.push_str(&format!(
                "\n  Predicting a group's median price: RMSE {naive:.0}. The better model: {:.1} % of it (goal: 75 % at most).\n",
                ratio * 100.0
            ));
        }
        if let Some(played) = &self.lifecycle {
            text.push('\n');
            text.push_str(&lifecycle::shown(played));
        }
        let known = PHASES
            .iter()
            .filter_map(|phase| Some((phase, self.seconds.get(phase)?)));
        let seconds: Vec<String> = known.map(|(phase, seconds)| format!("{phase} {seconds}")).collect();
        text.push_str(&format!("  Seconds: {}\n", seconds.join(", ")));
        text
    }
}

fn tenth(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::super::model_summary::put_together;
    use super::*;
    use contracts::{Champion, Decision};

    fn run() -> RunId {
        RunId::parse("20261122t183000z-ab12cd34").unwrap()
    }

    fn champion(run: &str) -> Champion {
        serde_json::from_value(json!({
            "use_case": "cars", "model": "a", "run_id": run, "config_version": "v", "image": "i", "training_job": "t",
            "model_name": "m", "endpoint_name": "d-cars-a-123456", "endpoint_config": "conf", "variant_name": "AllTraffic",
            "schema_hash": "123456", "columns": ["year"], "holdout_rmse": 4300.0, "holdout_rows": 800,
            "baselines": {"data": "s3://b/cars/runs/r/baselines/a/data/", "quality": "s3://b/cars/runs/r/baselines/a/quality/"},
            "exported_at": "2026-11-22T18:30:00Z",
        }))
        .unwrap()
    }

    fn decision(verdict: &str, champion_rmse: Option<f64>) -> Decision {
        serde_json::from_value(json!({
            "bucket": "b", "use_case": "cars", "model": "a", "run_id": run(), "decision": verdict, "reason": "because",
            "decided_at": "2026-11-22T18:30:00Z",
            "comparison": {"candidate_rmse": 4300.0, "champion_rmse": champion_rmse, "champion_run_id": null,
                           "holdout_rows": 800, "min_improvement": 0.0, "passed": champion_rmse.is_none()},
        }))
        .unwrap()
    }

    fn endpoint(status: &str, config: &str) -> Option<(String, String)> {
        Some((status.to_owned(), config.to_owned()))
    }

    #[test]
    fn a_model_is_verified_when_its_champion_serves() {
        let (this, other) = ("20261122t183000z-ab12cd34", "20261121t183000z-ab12cd34");
        let good = |verdict: &str, by: &str, status: &str, config: &str| {
            let champion_rmse = (verdict == "rejected-champion").then_some(4200.0);
            put_together(
                "a",
                Some(decision(verdict, champion_rmse)),
                Some(champion(by)),
                endpoint(status, config),
                &run(),
            )
            .is_good()
        };
        assert!(good("exported", this, "InService", "conf"));
        assert!(
            !good("exported", other, "InService", "conf"),
            "another run's champion serves"
        );
        assert!(!good("exported", this, "InService", "older"), "rolled back");
        assert!(!good("exported", this, "Updating", "conf"));
        assert!(good("rejected-champion", other, "InService", "conf"));
        assert!(!good("rejected-threshold", other, "InService", "conf"));
        assert!(!put_together("a", None, None, None, &run()).is_good());
    }

    #[test]
    fn the_summary_has_the_fields_that_are_promised() {
        let model = put_together(
            "a",
            Some(decision("exported", None)),
            Some(champion("20261122t183000z-ab12cd34")),
            endpoint("InService", "conf"),
            &run(),
        );
        let summary = Summary {
            run_id: run().to_string(),
            execution: "SUCCEEDED".to_owned(),
            rmse_ratio: ratio(std::slice::from_ref(&model), Some(6000.0)),
            models: vec![model],
            holdout_rows: Some(800),
            naive_rmse: Some(6000.0),
            predictions: vec![json!({"value": 1.0})],
            notifications: Vec::new(),
            lifecycle: Some(lifecycle::sample(put_together(
                "a",
                Some(decision("exported", Some(4400.0))),
                Some(champion("20261122t183000z-ab12cd34")),
                endpoint("InService", "conf"),
                &run(),
            ))),
            seconds: BTreeMap::from([("setup", 1.5), ("training", 40.0)]),
            states: BTreeMap::new(),
        };
        assert!(summary.is_good());
        insta::assert_snapshot!("summary-shown", summary.shown());
        insta::assert_json_snapshot!("summary-file", summary);
    }
}
