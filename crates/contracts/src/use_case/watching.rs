//! What happens after a model serves: batch scoring, monitoring, retraining, the dashboard.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How files of rows are scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scoring {
    /// Columns of a dropped file, beside the schema's, that each model's own output keeps: a customer's key, for one.
    /// The scored file has every column of the dropped one, whatever stands here.
    pub carry: Vec<String>,
}

/// How live data is watched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Monitoring {
    /// A model is looked at so often. The platform looks at its clock every 15 minutes.
    pub every_minutes: u32,
    /// Fewer new records wait for the next look, but no longer than `patience_minutes`.
    pub minimum_rows: u64,
    /// How long records wait for others before they are judged all the same, as insufficient data.
    pub patience_minutes: u32,
    /// How many days a prediction and its ground truth wait for each other.
    pub ground_truth_days: u32,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self {
            every_minutes: 60,
            minimum_rows: 100,
            patience_minutes: 24 * 60,
            ground_truth_days: 30,
        }
    }
}

/// Whether drift starts a training run by itself, and on which data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retraining {
    /// Drift starts a training run. Otherwise people decide.
    pub on_drift: bool,
    /// Hours after a run that drift has started in which drift starts no other.
    pub cooldown_hours: u32,
    /// Most runs that drift starts within 7 days.
    pub max_per_week: u32,
    /// What such a run trains on.
    pub data: RetrainingData,
}

impl Default for Retraining {
    fn default() -> Self {
        Self {
            on_drift: false,
            cooldown_hours: 24,
            max_per_week: 3,
            data: RetrainingData::default(),
        }
    }
}

/// What a run that drift has started trains on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetrainingData {
    /// Files under `training/incoming/`.
    pub drops: RetrainingDrops,
    /// Predictions whose ground truth has come within so many days, as training rows; 0 for none.
    pub labelled_days: u32,
}

impl Default for RetrainingData {
    fn default() -> Self {
        Self {
            drops: RetrainingDrops::Latest,
            labelled_days: 90,
        }
    }
}

/// Which dropped files are trained on again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetrainingDrops {
    /// The newest alone.
    Latest,
    /// All, each in its present version; at most 100, the newest.
    All,
    /// None: the labelled predictions alone.
    None,
}

/// Where people look at results, beside the project's own dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Ids of QuickSight datasets (SPICE) that are refreshed after a monitoring run.
    #[serde(default)]
    pub quicksight_datasets: Vec<String>,
}
