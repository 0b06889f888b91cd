//! `drift.json`: the findings of an analysis, and its outcome.
//!
//! The analyzer writes it next to the files of the contract (`statistics.json`, `constraint_violations.json`), which
//! have the same form as those of SageMaker Model Monitor. The outcome is in this document; the violations are quoted
//! in it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The document. Features are ordered by severity, the worst first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// Version of the format, 1.
    pub format: u32,
    /// Outcome of the analysis.
    pub outcome: Outcome,
    /// Reason for the outcome, in one sentence for people.
    pub reason: String,
    /// What was compared.
    pub samples: Samples,
    /// The settings of the analysis.
    pub settings: Settings,
    /// Every feature and the prediction, including those that only the baseline or only the current data has.
    pub features: Vec<FeatureDrift>,
    /// Drift within each value of the segment column; empty if no segment column was named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<SegmentDrift>,
    /// Results of a model-quality analysis; none for a data analysis.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// The violations, quoted from `constraint_violations.json`.
    #[serde(default)]
    pub violations: Vec<Violation>,
}

/// Outcome of an analysis. An error is never `clean`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing drifted.
    Clean,
    /// Something drifted: `reason` names the worst feature or metric.
    Drifted,
    /// There are too few rows to decide.
    InsufficientData,
    /// The analysis failed.
    Error,
}

impl Outcome {
    /// Name in documents, such as `insufficient-data`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Drifted => "drifted",
            Self::InsufficientData => "insufficient-data",
            Self::Error => "error",
        }
    }
}

/// The numbers of rows that were compared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Samples {
    /// Number of rows of the baseline.
    pub baseline_rows: u64,
    /// Number of rows analysed.
    pub current_rows: u64,
    /// Number of rows left out because they could not be read; see `skipped`.
    #[serde(default)]
    pub skipped_rows: u64,
    /// Why rows were left out: reason, count and first place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Skipped>,
    /// Irregularities of rows that were analysed anyway.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<Skipped>,
    /// For a model-quality analysis: how many records have ground truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ground_truth: Option<GroundTruth>,
}

/// Rows that were left out, or were irregular, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// Reason for people, such as `too few fields`.
    pub reason: String,
    /// The kind of data, which says whether it is a loss, and of what.
    #[serde(default, skip_serializing_if = "SkippedKind::is_record")]
    pub kind: SkippedKind,
    /// Number of rows.
    pub rows: u64,
    /// The first of the rows: file, line and what was wrong.
    pub first: String,
}

/// The kind of data that was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SkippedKind {
    /// Captured records, or rows of analysed data, that can't be read. This is the default for entries without a kind.
    #[default]
    Record,
    /// Ground truth that can't be read or joined.
    Label,
    /// The rest of a ground-truth file, from the given line on, of unknown length.
    Rest,
    /// Ground truth that was joined before: no loss.
    Known,
}

impl SkippedKind {
    /// Whether it is the default, which documents omit.
    pub fn is_record(&self) -> bool {
        *self == Self::Record
    }
}

/// Numbers of captured records with and without ground truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct GroundTruth {
    /// Number of captured records.
    pub records: u64,
    /// Number of those with ground truth.
    pub joined: u64,
    /// `joined / records`; 0 if there are no records.
    pub joined_share: f64,
}

/// The settings of an analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Minimum number of rows: fewer on either side are `insufficient-data`.
    pub minimum_rows: u64,
    /// Accepted share of false alarms among the features reported as drifted (Benjamini–Hochberg).
    pub false_discovery_rate: f64,
    /// The threshold of each distance.
    pub thresholds: Vec<Threshold>,
}

/// A distance and its threshold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Threshold {
    /// The distance.
    pub metric: Metric,
    /// The value at and beyond which it indicates drift.
    pub value: f64,
}

/// The kinds of distance between two distributions of a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// Population stability index over the baseline's deciles or the categories, with the natural logarithm.
    Psi,
    /// Wasserstein-1 distance divided by the baseline's standard deviation; for numeric features only.
    Wasserstein,
    /// Jensen–Shannon distance (the square root of the divergence to base 2): 0 to 1.
    JensenShannon,
    /// The largest difference between the cumulative shares (numeric) or shares (categorical), as in the contract but
    /// before its correction for small samples.
    LInfinity,
    /// The difference between the shares of missing values: 0 to 1.
    Missing,
    /// The share of values whose type differs from the baseline's: 0 to 1.
    Type,
    /// The share of rows whose category doesn't occur in the baseline: 0 to 1.
    NewCategories,
}

impl Metric {
    /// Name in documents, such as `jensen_shannon`.
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

/// One feature in the baseline and in the current data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FeatureDrift {
    /// Name of the column.
    pub name: String,
    /// Whether it is an input or the output of the model.
    pub role: Role,
    /// The finding.
    pub status: Status,
    /// The decisive distance: the one that exceeds its threshold by the largest factor, or comes closest to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decisive: Option<Metric>,
    /// The decisive distance divided by its threshold; features are ordered by it.
    pub severity: f64,
    /// All distances that apply to the feature.
    pub distances: Vec<Distance>,
    /// The p-value of the hypothesis that both sides have the same distribution (Kolmogorov–Smirnov or χ²).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The p-value after false-discovery control over all features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q_value: Option<f64>,
    /// Summary of the baseline; absent if it lacks the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Summary>,
    /// Summary of the current data; absent if it lacks the column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<Summary>,
}

/// Role of a column in the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// An input of the model.
    #[default]
    Feature,
    /// The output of the model.
    Prediction,
}

/// The finding about one feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// No distance is both at or beyond its threshold and significant.
    Clean,
    /// A distance is both at or beyond its threshold and significant.
    Drifted,
    /// There are too few values to decide.
    InsufficientData,
    /// The current data lacks the column.
    MissingColumn,
    /// The baseline lacks the column.
    ExtraColumn,
    /// The check is disabled in the baseline's constraints.
    Disabled,
}

/// The value of one distance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Distance {
    /// The distance.
    pub metric: Metric,
    /// The value.
    pub value: f64,
    /// The value at and beyond which it indicates drift.
    pub threshold: f64,
}

/// Summary of a column's values in the baseline or the current data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    /// Name of the type in the contract: `Integral`, `Fractional`, `String` or `Unknown`.
    pub inferred_type: String,
    /// Number of values that are present.
    pub present: u64,
    /// Number of missing values.
    pub missing: u64,
    /// Summary of a numeric column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
    /// For a text column, its values with their counts, most frequent first, at most 20. Empty if the column has too
    /// many different values to count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// Approximate number of different values of a text column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distinct: Option<u64>,
}

/// Summary of a numeric column's values in the baseline or the current data.
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
    /// The quantiles at 0.05, 0.25, 0.5, 0.75 and 0.95.
    pub quantiles: Vec<Quantile>,
    /// Shares of the values in bins that are the same for both sides.
    pub histogram: Histogram,
}

/// A quantile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quantile {
    /// Share of the values, 0 to 1.
    pub share: f64,
    /// The value that this share of the values does not exceed.
    pub value: f64,
}

/// Shares of values in bins.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Histogram {
    /// Edges of the bins, ascending; one more than there are bins.
    pub edges: Vec<f64>,
    /// Share of each bin; they sum to 1 unless there are no values.
    pub shares: Vec<f64>,
}

/// A category and how often it occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Category {
    /// The category.
    pub value: String,
    /// Number of rows.
    pub rows: u64,
    /// Share of the present values.
    pub share: f64,
}

/// Drift within one value of the segment column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SegmentDrift {
    /// Name of the segment column.
    pub column: String,
    /// Value of the segment column.
    pub value: String,
    /// Outcome within the segment.
    pub outcome: Outcome,
    /// Rows of the segment.
    pub samples: Samples,
    /// The drifted features of the segment, worst first.
    pub features: Vec<FeatureDrift>,
}

/// Model quality compared with its constraints.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// `Regression`, `BinaryClassification` or `MulticlassClassification`.
    pub problem_type: String,
    /// All metrics.
    pub metrics: Vec<QualityMetric>,
}

/// A metric of model quality.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QualityMetric {
    /// Name in the contract's files, such as `rmse`.
    pub name: String,
    /// Current value. Absent if the metric is not defined on these rows.
    pub value: Option<f64>,
    /// Threshold from the baseline's constraints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// The side of the threshold on which the metric is violated: `GreaterThanThreshold` or `LessThanThreshold`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison_operator: Option<String>,
    /// Whether the metric is violated.
    pub violated: bool,
    /// Whether it is violated by more than chance, which decides the outcome.
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
    /// Description, in the contract's wording.
    pub description: String,
    /// The metric, for model quality.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
}
