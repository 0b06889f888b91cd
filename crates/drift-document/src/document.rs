//! `drift.json`: what an analysis found, and what comes of it.
//!
//! The analyzer writes it beside the contract's files (`statistics.json`, `constraint_violations.json`), which
//! keep to what SageMaker Model Monitor writes. The outcome comes from here; the violations are quoted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The document. Features stand in the order of their severity, the worst first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// Of this document: 1.
    pub format: u32,
    /// What comes of it.
    pub outcome: Outcome,
    /// Why, in one sentence for people.
    pub reason: String,
    /// What was compared.
    pub samples: Samples,
    /// What it was judged by.
    pub settings: Settings,
    /// Every feature and prediction that baseline and current data have in common, and those that one of them lacks.
    pub features: Vec<FeatureDrift>,
    /// The same within each value of the segment column; empty where none was named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentDrift>,
    /// Of a model-quality analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Quoted from `constraint_violations.json`.
    #[serde(default)]
    pub violations: Vec<Violation>,
}

/// What comes of an analysis. An error is never `clean`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing drifted.
    Clean,
    /// Something drifted: `reason` names the worst.
    Drifted,
    /// Too few rows to say.
    InsufficientData,
    /// The analysis could not be done.
    Error,
}

impl Outcome {
    /// As it is written in documents: `insufficient-data`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Drifted => "drifted",
            Self::InsufficientData => "insufficient-data",
            Self::Error => "error",
        }
    }
}

/// What was compared, in rows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Samples {
    /// Rows behind the baseline.
    pub baseline_rows: u64,
    /// Rows analysed.
    pub current_rows: u64,
    /// Rows left out because they could not be read; see `skipped`.
    #[serde(default)]
    pub skipped_rows: u64,
    /// Why rows were left out: reason, count and the first place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// What was odd about rows that were analysed all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<Skipped>,
    /// Of a model-quality analysis: how many records found their ground truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground_truth: Option<GroundTruth>,
}

/// Rows left out, or odd, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// For people: `too few fields`.
    pub reason: String,
    /// Of what: whether it is a loss, and whose.
    #[serde(default, skip_serializing_if = "SkippedKind::is_record")]
    pub kind: SkippedKind,
    /// Rows.
    pub rows: u64,
    /// The first of them: file, line and what was wrong.
    pub first: String,
}

/// What rows that were left out are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SkippedKind {
    /// Captured records, or rows of analysed data, that can't be read. What says no kind is of this one.
    #[default]
    Record,
    /// Ground truth that can't be read or joined.
    Label,
    /// The rest of a file of ground truth, from its line on. How much that is need not be known.
    Rest,
    /// Ground truth that was joined before: no loss.
    Known,
}

impl SkippedKind {
    /// Whether it is what needs no word in documents.
    pub fn is_record(&self) -> bool {
        *self == Self::Record
    }
}

/// How many captured records found their ground truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroundTruth {
    /// Captured records.
    pub records: u64,
    /// Those with ground truth.
    pub joined: u64,
    /// `joined / records`; 0 without records.
    pub joined_share: f64,
}

/// What it was judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Fewer rows than this on either side are `insufficient-data`.
    pub minimum_rows: u64,
    /// The share of false alarms that is accepted among the features called drifted (Benjamini–Hochberg).
    pub false_discovery_rate: f64,
    /// Each distance and the value from which on it speaks of drift.
    pub thresholds: Vec<Threshold>,
}

/// A distance and the value from which on it speaks of drift.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// Which.
    pub metric: Metric,
    /// Inclusive.
    pub value: f64,
}

/// The distances between two distributions of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Population stability index, over the baseline's deciles or the categories; natural logarithm.
    Psi,
    /// Wasserstein-1 over the baseline's standard deviation; numeric features only.
    Wasserstein,
    /// Jensen–Shannon distance (the root of the divergence to base 2): 0 to 1.
    JensenShannon,
    /// The largest difference of the cumulative shares (numeric) or shares (categorical), as the contract has it
    /// before its correction for small samples.
    LInfinity,
    /// The difference of the shares of missing values: 0 to 1.
    Missing,
    /// The share of values that are of another type than the baseline's: 0 to 1.
    Type,
    /// The share of rows whose category the baseline has never seen: 0 to 1.
    NewCategories,
}

impl Metric {
    /// As it is written in documents: `jensen_shannon`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Psi => "psi",
            Self::Wasserstein => "wasserstein",
            Self::JensenShannon => "jensen_shannon",
            Self::LInfinity => "l_infinity",
            Self::Missing => "missing",
            Self::Type => "type",
            Self::NewCategories => "new_categories",
        }
    }
}

/// One feature, before and after.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureDrift {
    /// The column.
    pub name: String,
    /// What goes into the model, or what comes out.
    pub role: Role,
    /// What was found.
    pub status: Status,
    /// The distance that exceeds its threshold by the largest factor, or comes closest to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decisive: Option<Metric>,
    /// The decisive distance over its threshold: features are ordered by it.
    pub severity: f64,
    /// All that apply to the feature.
    pub distances: Vec<Distance>,
    /// Of the hypothesis that both sides are of one distribution (Kolmogorov–Smirnov or χ²).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The p-value after false-discovery control over all features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q_value: Option<f64>,
    /// Before; absent where the baseline lacks the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Summary>,
    /// After; absent where the current data lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Summary>,
}

/// What a column is to the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Goes in.
    #[default]
    Feature,
    /// Comes out.
    Prediction,
}

/// What was found of one feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// No distance that is both large and no accident.
    Clean,
    /// A distance that is both.
    Drifted,
    /// Too few values to say.
    InsufficientData,
    /// The current data lacks the column.
    MissingColumn,
    /// The baseline lacks the column.
    ExtraColumn,
    /// The baseline's constraints switch it off.
    Disabled,
}

/// One distance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distance {
    /// Which.
    pub metric: Metric,
    /// Its value.
    pub value: f64,
    /// The value from which on it speaks of drift.
    pub threshold: f64,
}

/// The values of a column on one side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// The contract's name of the type: `Integral`, `Fractional`, `String`, `Unknown`.
    pub inferred_type: String,
    /// Values.
    pub present: u64,
    /// Missing values.
    pub missing: u64,
    /// Of a numeric column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
    /// Of a text column: values with their counts, the most frequent first, at most 20. Empty where the column has
    /// too many different ones to be counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// About how many different values a text column has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
}

/// The numbers of a column on one side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Numbers {
    /// Arithmetic mean.
    pub mean: f64,
    /// Population standard deviation.
    pub std_dev: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// At 0.05, 0.25, 0.5, 0.75 and 0.95.
    pub quantiles: Vec<Quantile>,
    /// Shares of the values in bins that both sides have in common.
    pub histogram: Histogram,
}

/// A quantile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantile {
    /// 0 to 1.
    pub share: f64,
    /// The value that this share of the values does not exceed.
    pub value: f64,
}

/// Shares in bins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Histogram {
    /// One more than bins, ascending.
    pub edges: Vec<f64>,
    /// Of each bin; they sum to 1 unless there are no values.
    pub shares: Vec<f64>,
}

/// A category and how often it occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Category {
    /// Its text.
    pub value: String,
    /// Rows.
    pub rows: u64,
    /// Of the present values.
    pub share: f64,
}

/// Drift within one value of the segment column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SegmentDrift {
    /// The column.
    pub column: String,
    /// Its value.
    pub value: String,
    /// Within the segment.
    pub outcome: Outcome,
    /// Rows of the segment.
    pub samples: Samples,
    /// The drifted features of the segment, the worst first.
    pub features: Vec<FeatureDrift>,
}

/// Model quality against its constraints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// `Regression`, `BinaryClassification`, `MulticlassClassification`.
    pub problem_type: String,
    /// Every metric.
    pub metrics: Vec<QualityMetric>,
}

/// A metric of model quality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityMetric {
    /// As in the contract's files: `rmse`.
    pub name: String,
    /// Now. Absent where it is not defined on these rows.
    pub value: Option<f64>,
    /// Of the baseline's constraints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// `GreaterThanThreshold` or `LessThanThreshold`: the side on which it is violated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison_operator: Option<String>,
    /// It is.
    pub violated: bool,
    /// It is, and by more than chance: the outcome goes by this.
    #[serde(default)]
    pub drifted: bool,
}

/// One entry of `constraint_violations.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// The feature; absent in model quality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feature_name: Option<String>,
    /// `baseline_drift_check`, …
    pub constraint_check_type: String,
    /// The contract's text.
    pub description: String,
    /// The metric of model quality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
}
