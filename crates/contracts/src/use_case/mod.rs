//! The use-case document: one data schema, one prediction target, its models and their rules.
//!
//! It is `models/<use-case>.yaml` in the repository and `use-cases/<use-case>/config.json` in the bucket. What the
//! types can't express is checked by [`UseCase::validate`]. The JSON Schema for editors is generated from these types.

mod check;
mod compute;
mod filters;
mod gate;
mod input;
mod models;
mod watching;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

pub use check::Mistake;
pub use compute::Compute;
pub use filters::{input_filter, output_filter};
pub use gate::{Approval, Gate};
pub use input::{Encoding, Format, Input};
pub use models::{Algorithm, Answers, Endpoint, Metric, MetricDefinition, Model, Scalar, Scaling};
pub use watching::{Dashboard, Monitoring, Retraining, RetrainingData, RetrainingDrops, Scoring};

/// A use case: the form of its data, the target to predict, the models that predict it, and their rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseCase {
    /// Lower-case letters, digits and hyphens; at most 40 characters. It becomes part of every name and place.
    pub use_case: String,
    /// Description for people: what is predicted, and from what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The raw columns that a prediction is made from, in the order in which every model sees them.
    pub schema: Schema,
    /// The column to predict. It is numeric, required in training data, and never part of a request.
    pub target: Target,
    /// How dropped files are written.
    #[serde(default)]
    pub input: Input,
    /// How raw rows become usable rows.
    #[serde(default)]
    pub cleaning: Cleaning,
    /// The shares of the rows that are used for tuning and for judging.
    #[serde(default)]
    pub split: Split,
    /// How raw columns become numbers.
    #[serde(default)]
    pub features: Features,
    /// A prediction without a model that models are judged against: the median target of a group of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub naive_baseline: Option<NaiveBaseline>,
    /// The instance for preprocessing, for scoring the holdout and for making baselines.
    #[serde(default)]
    pub preprocessing: Compute,
    /// Limits for dropped files, and how many are trained on at the same time.
    #[serde(default)]
    pub drops: Drops,
    /// The members of the use case; each has its own algorithm, endpoint and champion.
    #[schemars(length(min = 1))]
    pub models: Vec<Model>,
    /// When a candidate replaces the champion.
    #[serde(default)]
    pub gate: Gate,
    /// How requests are answered.
    #[serde(default)]
    pub prediction: Prediction,
    /// The share of the traffic that is kept for monitoring.
    #[serde(default)]
    pub capture: Capture,
    /// How files of rows are scored.
    #[serde(default)]
    pub scoring: Scoring,
    /// How live data is monitored; if left out, it isn't.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<Monitoring>,
    /// Whether drift starts a training run automatically.
    #[serde(default)]
    pub retraining: Retraining,
    /// Where people look at results, besides the project's own dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<Dashboard>,
    /// E-mail addresses that receive notices about this use case's runs.
    #[serde(default)]
    pub recipients: Vec<String>,
}

impl UseCase {
    /// The first 6 hex digits of the SHA-256 of the raw columns (names, types and order) and the target.
    ///
    /// It is part of an endpoint's name, so that all models of one endpoint read the same raw row.
    pub fn schema_hash(&self) -> String {
        let mut text = String::new();
        for column in &self.schema.columns {
            text.push_str(&column.name);
            text.push('\t');
            text.push_str(column.kind.as_str());
            text.push('\n');
        }
        text.push_str(&self.target.name);
        crate::run::hex(&Sha256::digest(text))[..6].to_owned()
    }

    /// The names of the raw columns, in the order of the document.
    pub fn columns(&self) -> Vec<String> {
        self.schema.columns.iter().map(|column| column.name.clone()).collect()
    }

    /// The columns that a scored file has after those of the dropped one. A column of a dropped file can't have these
    /// names.
    pub fn added_columns(&self) -> Vec<String> {
        let models = self.models.iter().map(|model| model.name.as_str());
        added_columns(models, &self.target.name)
    }

    /// The model called `name`.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }
}

/// The columns that a scored file of these models has after those of the dropped one.
pub fn added_columns<'a>(models: impl IntoIterator<Item = &'a str>, target: &str) -> Vec<String> {
    let models = models.into_iter().map(str::to_owned);
    let mut added = vec!["inference_id".to_owned()];
    added.extend(models);
    added.push(format!("{target}_predicted"));
    added
}

/// The raw columns of a use case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    /// The columns, in the order in which every model sees them. Files may have them in any order, and other columns
    /// besides.
    #[schemars(length(min = 1))]
    pub columns: Vec<Column>,
}

/// One raw column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Name, as in the header of a file and the keys of a request.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Whether a value is required: a row without one is dropped in training and refused in a request. Otherwise it
    /// counts as missing.
    #[serde(default)]
    pub required: bool,
    /// For categories: which words are known, and whether others are allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Categories>,
    /// Smallest value that a request may contain. Training data is bounded by `cleaning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Largest value that a request may contain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
}

/// Type of a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnType {
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// One of a set of words.
    Category,
    /// `true` or `false`.
    Boolean,
}

impl ColumnType {
    /// Name of the type in the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Category => "category",
            Self::Boolean => "boolean",
        }
    }
}

/// The known words of a category column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Categories {
    /// Whether the set of words is open. Open: an unknown word causes a warning and counts as "other". Closed: it is
    /// refused.
    #[serde(default = "yes")]
    pub open: bool,
    /// The words of a closed column, or those of an open one that cause no warning. If open and empty, no word causes
    /// one.
    #[serde(default)]
    pub values: Vec<String>,
}

/// The column to predict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Name of the column in the header of training files.
    pub name: String,
    /// The unit of predictions and of RMSE, for people (`USD`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How raw rows become usable rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cleaning {
    /// Whether only one of several rows that are equal in `duplicate_columns` is kept.
    #[serde(default = "yes")]
    pub drop_duplicates: bool,
    /// The columns that are compared to find equal rows; if left out, all raw columns and the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_columns: Option<Vec<String>>,
    /// Bounds on columns and the target. Those on the target apply to ground truth as well.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Largest share of a column's non-empty values that may be unreadable: text where a number belongs, or a word that
    /// a closed column doesn't know. A file with more is refused; up to this share they count as missing, and people
    /// are notified.
    #[serde(default = "five_per_cent")]
    pub max_unreadable: f64,
    /// Largest share of a training file's rows that may be left out because of rules, or because the target or a
    /// required value is missing. A file that loses more is refused, because too little of it would be left to
    /// represent the data. Copies of a row don't count. Up to this share people are notified of how many rows were left
    /// out, and why.
    #[serde(default = "a_fifth")]
    pub max_dropped: f64,
}

impl Default for Cleaning {
    fn default() -> Self {
        Self {
            drop_duplicates: true,
            duplicate_columns: None,
            rules: Vec::new(),
            max_unreadable: five_per_cent(),
            max_dropped: a_fifth(),
        }
    }
}

/// Bounds on one column's value in training data; those on the target apply to ground truth as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A raw column, or the target.
    pub column: String,
    /// Smallest value that is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest value that is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// What happens to a value outside the bounds; if left out, `drop` for the target and `missing` for columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
}

/// What happens to a value outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// The row is left out.
    Drop,
    /// The value counts as missing.
    Missing,
}

/// The shares of the rows that are used for tuning and for judging; the rest is used for training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Split {
    /// Share of the rows for early stopping and the validation metric.
    pub validation: f64,
    /// Share of the rows that candidate and champion are judged on; never used for training or tuning.
    pub holdout: f64,
    /// Text that decides how rows are assigned. Changing it assigns them anew: holdout rows of earlier runs then become
    /// training rows of later ones.
    pub salt: String,
}

impl Default for Split {
    fn default() -> Self {
        Self {
            validation: 0.15,
            holdout: 0.15,
            salt: "v1".to_owned(),
        }
    }
}

/// How raw columns become numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Features {
    /// A category seen in fewer training rows than this counts as "other".
    pub rare_below: u32,
    /// Maximum number of a column's categories that get a feature of their own; the rarest count as "other".
    pub max_categories: u32,
}

impl Default for Features {
    fn default() -> Self {
        Self {
            rare_below: 10,
            max_categories: 100,
        }
    }
}

/// A prediction without a model: the median target of the training rows equal in `group_by`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NaiveBaseline {
    /// The raw columns whose values form a group.
    pub group_by: Vec<String>,
}

/// Limits for dropped files, and how many are trained on at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drops {
    /// Size limit in bytes: a larger file starts nothing. At most 5 GiB, which is what S3 copies in one request.
    pub max_bytes: u64,
    /// Number of training runs of the use case that may run at the same time, 1 to 100. A file dropped meanwhile is
    /// queued; of the queued ones the newest is started next, and the older ones are overtaken.
    pub max_concurrent_runs: u32,
}

impl Default for Drops {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 30,
            max_concurrent_runs: 1,
        }
    }
}

/// How requests are answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Prediction {
    /// How the models' values are combined into one.
    pub combine: Combine,
    /// What happens when a model fails or is late.
    pub when_a_model_fails: WhenAModelFails,
}

/// How the models' values are combined into one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Combine {
    /// The largest value. A single poor model spoils all answers.
    Max,
    /// The smallest value. A single poor model spoils all answers.
    Min,
    /// Their mean.
    Mean,
    /// Their median: the mean for two models; with more than two, no single poor model can move it far.
    #[default]
    Median,
    /// Their weighted mean; if some models did not answer, that of the others.
    Weighted {
        /// A weight above 0 for every model.
        weights: BTreeMap<String, f64>,
    },
    /// One model's value; the others are returned beside it.
    Model {
        /// Name of the model.
        model: String,
    },
    /// A Lambda function of your own: it gets `{"use_case", "predictions": [{"<model>": value}]}` and answers
    /// `{"values": [value]}`.
    Lambda {
        /// Name of the function, `<stack>-combine-…`: the platform may call only functions with this prefix.
        function: String,
    },
}

/// What happens when a model fails or is late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenAModelFails {
    /// The values of the others are combined, and the answer says `degraded`.
    #[default]
    Answer,
    /// The request fails.
    Fail,
}

/// The share of the traffic that is kept for monitoring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Capture {
    /// Percentage of the requests, 1 to 100.
    pub sampling_percent: u8,
}

impl Default for Capture {
    fn default() -> Self {
        Self { sampling_percent: 100 }
    }
}

fn five_per_cent() -> f64 {
    0.05
}

fn a_fifth() -> f64 {
    0.2
}

fn yes() -> bool {
    true
}
