//! Settings for a model that serves: batch scoring, monitoring, retraining, the dashboard.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How files of rows are scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scoring {
    /// Columns of a dropped file, besides those of the schema, that each model's own output keeps, such as a customer's
    /// key. The scored file always has every column of the dropped one.
    pub carry: Vec<String>,
}

/// How live data is monitored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Monitoring {
    /// Minutes between two checks of a model. The platform checks what is due every 15 minutes.
    pub every_minutes: u32,
    /// Smallest number of new records to analyse. Fewer wait for the next check, but no longer than `patience_minutes`.
    pub minimum_rows: u64,
    /// How long records wait for more before they are analysed anyway, with the outcome insufficient data.
    pub patience_minutes: u32,
    /// Number of days that a prediction and its ground truth wait for each other.
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

/// Whether drift starts a training run automatically, and on which data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retraining {
    /// Whether drift starts a training run. Otherwise people decide.
    pub on_drift: bool,
    /// Hours after a run started by drift during which drift starts no other.
    pub cooldown_hours: u32,
    /// Maximum number of runs that drift starts within 7 days.
    pub max_per_week: u32,
    /// The data that such a run trains on.
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

/// The data that a run started by drift trains on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetrainingData {
    /// Files under `training/incoming/`.
    pub drops: RetrainingDrops,
    /// Number of days: predictions whose ground truth has arrived within them are used as training rows; 0 for none.
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
    /// Only the newest.
    Latest,
    /// All of them, each in its present version; at most 100, the newest.
    All,
    /// None: only the labelled predictions.
    None,
}

/// Where people look at results, besides the project's own dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// Ids of QuickSight datasets (SPICE) to refresh after a monitoring run.
    #[serde(default)]
    pub quicksight_datasets: Vec<String>,
}
