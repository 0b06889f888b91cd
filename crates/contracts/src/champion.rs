//! The champion: the model version that is exported and serving.

use crate::run::RunId;
use crate::use_case::UseCase;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// `use-cases/<use-case>/models/<model>/champion.json`: the authoritative record of what serves, written last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Champion {
    /// The use case.
    pub use_case: String,
    /// The model.
    pub model: String,
    /// The run that exported it, which is also its version.
    pub run_id: RunId,
    /// Version of the document that the run used.
    pub config_version: String,
    /// Image of its algorithm.
    pub image: String,
    /// Name of its training job.
    pub training_job: String,
    /// Name of its SageMaker model, the inference pipeline.
    pub model_name: String,
    /// The endpoint that serves it.
    pub endpoint_name: String,
    /// The endpoint configuration that the endpoint was verified to serve.
    pub endpoint_config: String,
    /// The endpoint's production variant.
    pub variant_name: String,
    /// Hash of the raw columns; see `UseCase::schema_hash`.
    pub schema_hash: String,
    /// The raw columns, in the order of the pipeline's rows.
    pub columns: Vec<String>,
    /// RMSE on the holdout of its run, in the target's unit.
    pub holdout_rmse: f64,
    /// Number of rows of that holdout.
    pub holdout_rows: u64,
    /// Folder (`s3://bucket/…/`) of the holdout that later candidates are judged on as well: the one of its run, or a
    /// former champion's when the one of its run is much smaller. Champions from before this was recorded have it in
    /// their run's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<String>,
    /// RMSE on `holdout` of the champion of the run that made it, in the target's unit: the fixed point against which a
    /// series of small regressions is measured. Absent: `holdout_rmse`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout_reference_rmse: Option<f64>,
    /// Largest size in bytes of a row once its pipeline has transformed it, see [`crate::payload`]; absent in champions
    /// from before it was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoded_row_bytes: Option<u64>,
    /// The baselines that its live data is compared with; none in champions from before there were baselines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baselines: Option<Baselines>,
    /// The run that trained it, if it is not the one that exported it, as after a promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promoted_from: Option<RunId>,
    /// When it was exported.
    pub exported_at: Timestamp,
    /// The version that was champion before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<RunId>,
}

impl Champion {
    /// The run that trained it.
    pub fn trained_by(&self) -> &RunId {
        self.promoted_from.as_ref().unwrap_or(&self.run_id)
    }

    /// How the raw columns that it was trained on differ from a document's; none when it has the document's schema.
    pub fn other_columns(&self, document: &UseCase) -> Option<OtherColumns> {
        let present = document.columns();
        let without = |these: &[String], others: &[String]| -> Vec<String> {
            these.iter().filter(|name| !others.contains(name)).cloned().collect()
        };
        (self.schema_hash != document.schema_hash()).then(|| OtherColumns {
            removed: without(&self.columns, &present),
            added: without(&present, &self.columns),
        })
    }
}

/// How the columns that a champion was trained on differ from those of its use case's document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherColumns {
    /// Columns that it was trained with and that the document no longer has.
    pub removed: Vec<String>,
    /// Columns of the document that it was trained without.
    pub added: Vec<String>,
}

impl OtherColumns {
    /// A note for people about a champion that serves with such columns.
    pub fn told(&self) -> String {
        format!("the champion {self}; it serves until one of the document's columns is exported")
    }
}

impl fmt::Display for OtherColumns {
    /// Formats the rest of a sentence that begins with the champion.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let with = |names: &[String]| format!("`{}`", names.join("`, `"));
        let removed = format!("with {}, which the document no longer has", with(&self.removed));
        let added = format!("without {}, new in the document", with(&self.added));
        f.write_str("was trained ")?;
        match (self.removed.is_empty(), self.added.is_empty()) {
            (false, false) => write!(f, "{removed}, and {added}"),
            (false, true) => f.write_str(&removed),
            (true, false) => f.write_str(&added),
            (true, true) => f.write_str("on the same columns in other types or another order, or on another target"),
        }
    }
}

/// Folders (`s3://bucket/…/`) of the analyzer's `statistics.json` and `constraints.json`, made in the champion's run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baselines {
    /// Folder of the baseline of the raw columns of its training rows.
    pub data: String,
    /// Folder of the baseline of its errors on the holdout, and of its predictions (`prediction_statistics.json`,
    /// `prediction_constraints.json`).
    pub quality: String,
}

/// The parameter `champion` of a model: the fields of `champion.json` that readers of Parameter Store need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChampionMirror {
    /// The run that exported it.
    pub version: RunId,
    /// The endpoint that serves it.
    pub endpoint_name: String,
    /// The endpoint configuration that the endpoint was verified to serve.
    pub endpoint_config: String,
    /// Name of its SageMaker model, the inference pipeline.
    pub model_name: String,
}

impl From<&Champion> for ChampionMirror {
    fn from(champion: &Champion) -> Self {
        Self {
            version: champion.run_id.clone(),
            endpoint_name: champion.endpoint_name.clone(),
            endpoint_config: champion.endpoint_config.clone(),
            model_name: champion.model_name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_champion_of_earlier_days_reads_and_stays_as_it_was() {
        let written = json!({
            "use_case": "cars", "model": "m", "run_id": "20261122t183000z-ab12cd34", "config_version": "v",
            "image": "i", "training_job": "t", "model_name": "n", "endpoint_name": "e", "endpoint_config": "c",
            "variant_name": "AllTraffic", "schema_hash": "123456", "columns": ["year"], "holdout_rmse": 1.5,
            "holdout_rows": 8, "exported_at": "2026-11-22T18:30:00Z",
        });
        let champion: Champion = serde_json::from_value(written.clone()).unwrap();
        assert_eq!((&champion.baselines, &champion.holdout), (&None, &None));
        assert_eq!(serde_json::to_value(champion).unwrap(), written);
    }

    #[test]
    fn other_columns_are_told_in_words() {
        let mut champion: Champion = serde_json::from_value(json!({
            "use_case": "cars", "model": "m", "run_id": "20261122t183000z-ab12cd34", "config_version": "v",
            "image": "i", "training_job": "t", "model_name": "n", "endpoint_name": "e", "endpoint_config": "c",
            "variant_name": "AllTraffic", "schema_hash": "", "columns": ["year", "area"], "holdout_rmse": 1.5,
            "holdout_rows": 8, "exported_at": "2026-11-22T18:30:00Z",
        }))
        .unwrap();
        let document = |columns: &[&str]| -> UseCase {
            let columns: Vec<_> = columns
                .iter()
                .map(|name| json!({"name": name, "type": "number"}))
                .collect();
            serde_json::from_value(json!({
                "use_case": "cars", "schema": {"columns": columns}, "target": {"name": "price"}, "models": [],
            }))
            .unwrap()
        };
        let same = document(&["year", "area"]);
        champion.schema_hash = same.schema_hash();
        assert_eq!(champion.other_columns(&same), None);
        for (columns, expected) in [
            (
                &["year"][..],
                "was trained with `area`, which the document no longer has",
            ),
            (
                &["year", "area", "doors"],
                "was trained without `doors`, new in the document",
            ),
            (
                &["year", "doors"],
                "was trained with `area`, which the document no longer has, and without `doors`, new in the document",
            ),
            (
                &["area", "year"],
                "was trained on the same columns in other types or another order, or on another target",
            ),
        ] {
            let other = champion.other_columns(&document(columns)).unwrap();
            assert_eq!(other.to_string(), expected);
        }
    }
}
