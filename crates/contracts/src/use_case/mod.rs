//! The use-case document: one data schema, one prediction target, its models and their rules.
//!
//! `models/<use-case>.yaml` in the repository, `use-cases/<use-case>/config.json` in the bucket. What the
//! types can't say is checked by [`UseCase::validate`]; the JSON Schema for editors is generated from these types.

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

/// A use case: what its data looks like, what is predicted, by which models, and under which rules.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseCase {
    /// Lower-case letters, digits and hyphens; at most 40 characters. Part of every name and place.
    pub use_case: String,
    /// For people: what is predicted, from what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The raw columns that a prediction is made from, in the order in which every model sees them.
    pub schema: Schema,
    /// The column to predict. Numeric; it stands in training data and never in a request.
    pub target: Target,
    /// How dropped files are written.
    #[serde(default)]
    pub input: Input,
    /// How raw rows become usable rows.
    #[serde(default)]
    pub cleaning: Cleaning,
    /// Which share of the rows tunes, and which judges.
    #[serde(default)]
    pub split: Split,
    /// How raw columns become numbers.
    #[serde(default)]
    pub features: Features,
    /// A prediction without a model, to judge models against: the median target of a group of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub naive_baseline: Option<NaiveBaseline>,
    /// The instance that preprocesses, that scores the holdout and that makes baselines.
    #[serde(default)]
    pub preprocessing: Compute,
    /// What a dropped file may be, and how many are trained on at once.
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
    /// Which share of the traffic is kept for monitoring.
    #[serde(default)]
    pub capture: Capture,
    /// How files of rows are scored.
    #[serde(default)]
    pub scoring: Scoring,
    /// How live data is watched; not at all when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<Monitoring>,
    /// Whether drift starts a training run by itself.
    #[serde(default)]
    pub retraining: Retraining,
    /// Where people look at results, beside the project's own dashboard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dashboard: Option<Dashboard>,
    /// E-mail addresses that hear of this use case's runs.
    #[serde(default)]
    pub recipients: Vec<String>,
}

impl UseCase {
    /// The first 6 hex digits of the SHA-256 of the raw columns: names, types, order, and the target.
    ///
    /// An endpoint's name carries it: models of one endpoint always read the same raw row.
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

    /// The columns that a scored file has behind those of the dropped one: no column of a dropped file may be called so.
    pub fn added_columns(&self) -> Vec<String> {
        let models = self.models.iter().map(|model| model.name.as_str());
        added_columns(models, &self.target.name)
    }

    /// The model called `name`.
    pub fn model(&self, name: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.name == name)
    }
}

/// The columns that a scored file of these models has behind those of the dropped one.
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
    /// In the order in which every model sees them. Files may hold them in any order, with others beside them.
    #[schemars(length(min = 1))]
    pub columns: Vec<Column>,
}

/// One raw column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// As in the header of a file and the keys of a request.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// A row without a value is dropped in training and refused in a request. Otherwise it counts as missing.
    #[serde(default)]
    pub required: bool,
    /// For categories: which are known, and whether others are allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Categories>,
    /// Smallest value that a request may name. Training data is bounded by `cleaning`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// Largest value that a request may name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
}

/// What the values of a column are.
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
    /// The word of the document.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Category => "category",
            Self::Boolean => "boolean",
        }
    }
}

/// The known words of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Categories {
    /// Open: an unknown word is a warning and counts as "other". Closed: it is refused.
    #[serde(default = "yes")]
    pub open: bool,
    /// The words of a closed column, or those of an open one that need no warning. Open and empty: all are welcome.
    #[serde(default)]
    pub values: Vec<String>,
}

/// The column to predict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name in the header of training files.
    pub name: String,
    /// The unit of predictions and of RMSE, for people (`USD`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How raw rows become usable rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cleaning {
    /// Rows equal in `duplicate_columns` are kept once.
    #[serde(default = "yes")]
    pub drop_duplicates: bool,
    /// Which columns make two rows equal; all raw columns and the target when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_columns: Option<Vec<String>>,
    /// Bounds on columns and target. Those of the target hold for ground truth as well.
    #[serde(default)]
    pub rules: Vec<Rule>,
    /// Share of a column's non-empty values that may be unreadable: text where a number belongs, a word that a closed
    /// column doesn't know. A file with more of them is refused; up to there they count as missing, and people are told.
    #[serde(default = "five_per_cent")]
    pub max_unreadable: f64,
    /// Share of a training file's rows that may be left out by rules and for want of the target or a required value. A
    /// file that loses more is refused: what is left is a narrow part of the world. Copies don't count; up to there people
    /// are told how many rows were left out, and why.
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

/// A bound on one column's value in training data; on the target's in ground truth as well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// A raw column, or the target.
    pub column: String,
    /// Smallest value that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Largest value that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// What becomes of a value outside; `drop` for the target, `missing` for columns when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
}

/// What becomes of a value outside its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Otherwise {
    /// The row is left out.
    Drop,
    /// The value counts as missing.
    Missing,
}

/// The shares of the rows that tune and judge; the rest trains.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Split {
    /// Share of the rows that early stopping and the validation metric see.
    pub validation: f64,
    /// Share of the rows that candidate and champion are judged on; never trained or tuned on.
    pub holdout: f64,
    /// Changing it deals the rows anew: holdout rows of earlier runs then become training rows of later ones.
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
    /// At most this many categories of a column have a feature of their own; the rarest count as "other".
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
    /// Raw columns.
    pub group_by: Vec<String>,
}

/// What a dropped file may be, and how many are trained on at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Drops {
    /// A larger file starts nothing. At most 5 GiB, what S3 copies in one request.
    pub max_bytes: u64,
    /// So many training runs of the use case run at once, 1 to 100. A file dropped meanwhile is queued; of those the
    /// newest is started next, and the older ones are overtaken.
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
    /// How the models' values become one.
    pub combine: Combine,
    /// What happens when a model fails or is late.
    pub when_a_model_fails: WhenAModelFails,
}

/// How the models' values become one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "rule", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Combine {
    /// The largest. One model that is poor makes all answers poor.
    Max,
    /// The smallest. One model that is poor makes all answers poor.
    Min,
    /// Their mean.
    Mean,
    /// Their median: the mean of two, and of more than two one that no single poor model can move far.
    #[default]
    Median,
    /// Their weighted mean; of the models that answered when some did not.
    Weighted {
        /// A weight above 0 for every model.
        weights: BTreeMap<String, f64>,
    },
    /// One model's value; the others are shown beside it.
    Model {
        /// Its name.
        model: String,
    },
    /// A Lambda function of the user's own: it gets `{"use_case", "predictions": [{"<model>": value}]}` and answers `{"values": [value]}`.
    Lambda {
        /// Its name, `<stack>-combine-…`: the functions that the platform may call.
        function: String,
    },
}

/// What happens when a model fails or is late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenAModelFails {
    /// The others' values are combined, and the answer says `degraded`.
    #[default]
    Answer,
    /// The request fails.
    Fail,
}

/// Which share of the traffic is kept for monitoring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Capture {
    /// Per cent of the requests, 1 to 100.
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
