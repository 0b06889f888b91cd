//! A model of a use case: its algorithm or image, its training, its endpoint.

use super::Compute;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// A member of a use case with its own algorithm, endpoint and champion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Lower-case letters, digits and hyphens; at most 40 characters.
    pub name: String,
    /// A built-in algorithm, with the image that the platform provides. Give either this or `image`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<Algorithm>,
    /// An image of your own that trains (`train`) and serves (`serve`) by SageMaker's container contract. Give either
    /// this or `algorithm`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The format in which your own image answers CSV rows; not needed for built-in algorithms.
    #[serde(default)]
    pub answers: Answers,
    /// Hyperparameters, passed to the training container as text.
    #[serde(default)]
    pub hyperparameters: BTreeMap<String, Scalar>,
    /// The training metric that the threshold applies to.
    pub metric: Metric,
    /// How the metrics of your own image are read from its log; not needed for built-in algorithms.
    #[serde(default)]
    pub metric_definitions: Vec<MetricDefinition>,
    /// Threshold in the target's unit: a candidate whose metric is not under it is rejected.
    pub threshold_rmse: f64,
    /// The training job.
    #[serde(default)]
    pub training: Compute,
    /// The endpoint.
    #[serde(default)]
    pub endpoint: Endpoint,
    /// Environment variables of the serving container.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

impl Model {
    /// The format in which the algorithm answers CSV rows. If it is JSON, a normaliser follows in the pipeline.
    pub fn answers(&self) -> Answers {
        match self.algorithm {
            Some(Algorithm::Xgboost) => Answers::Csv,
            Some(Algorithm::LinearLearner) => Answers::Json,
            None => self.answers,
        }
    }
}

/// The built-in algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// XGBoost 3.0-5.
    Xgboost,
    /// Linear Learner 1.
    LinearLearner,
}

/// The format in which a serving container answers CSV rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// One number on each line.
    #[default]
    Csv,
    /// `{"predictions": [{"score": number}]}`.
    Json,
}

/// A training metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Name, as SageMaker reports it: `validation:rmse`, `validation:mse`.
    pub name: String,
    /// Whether to take the square root, as for a mean squared error.
    #[serde(default)]
    pub root: bool,
}

/// How a metric is read from a training log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricDefinition {
    /// Name of the metric.
    pub name: String,
    /// A regular expression whose first group captures the value.
    pub regex: String,
}

/// The endpoint of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Endpoint {
    /// A SageMaker instance type.
    pub instance_type: String,
    /// Number of instances at the start; a number that scaling has set since is kept.
    pub instance_count: u32,
    /// Automatic scaling; none if left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
}

impl Default for Endpoint {
    fn default() -> Self {
        Self {
            instance_type: "ml.m5.large".to_owned(),
            instance_count: 1,
            scaling: None,
        }
    }
}

/// Automatic scaling of an endpoint by its number of invocations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scaling {
    /// Smallest number of instances.
    pub min_instances: u32,
    /// Largest number of instances.
    pub max_instances: u32,
    /// Target number of invocations per minute and instance.
    pub invocations_per_instance: f64,
    /// Seconds to wait after instances were removed.
    #[serde(default = "five_minutes")]
    pub scale_in_cooldown_s: u32,
    /// Seconds to wait after instances were added.
    #[serde(default = "one_minute")]
    pub scale_out_cooldown_s: u32,
}

fn five_minutes() -> u32 {
    300
}

fn one_minute() -> u32 {
    60
}

/// A value of a hyperparameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// `true`, `false`.
    Bool(bool),
    /// `300`.
    Integer(i64),
    /// `0.05`.
    Number(f64),
    /// `reg:squarederror`.
    Text(String),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Number(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}
