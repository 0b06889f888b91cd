//! `constraints.json` of model quality: suggesting it from a baseline's metrics, reading it after people have edited
//! it, and evaluating it.

use drift_document::{Quality, QualityMetric, Violation};
use serde_json::Value;

use super::ProblemType;
use super::metrics::{Metric, Metrics};
use crate::documents::text::{Json, java_double};
use crate::drift::significance;

/// The document.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityConstraints {
    /// The problem type, which determines the metrics.
    pub problem: ProblemType,
    /// One constraint for each metric.
    pub constraints: Vec<Constraint>,
}

/// The constraint on one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// Name of the metric: `rmse`.
    pub metric: String,
    /// The baseline's value, or the value that people have set. NaN is never violated.
    pub threshold: f64,
    /// The side of the threshold on which it is violated.
    pub operator: Operator,
}

/// The side of the threshold on which a constraint is violated; the threshold itself does not violate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `GreaterThanThreshold`.
    Greater,
    /// `LessThanThreshold`.
    Less,
}

impl Operator {
    /// Name in the contract's files: `LessThanThreshold`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greater => "GreaterThanThreshold",
            Self::Less => "LessThanThreshold",
        }
    }
}

/// Why a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConstraintsError {
    /// A member is missing, or its type is wrong.
    #[error("constraints.json: {key} is {found}, not {expected}")]
    Type {
        /// Path of the member: `regression_constraints.mae.threshold`.
        key: String,
        /// The value that was found, shortened.
        found: String,
        /// The expected value.
        expected: &'static str,
    },
    /// The constraints are of another problem type.
    #[error("constraints.json has no {expected}: is it of another problem type than {problem}?")]
    Problem {
        /// The missing member.
        expected: &'static str,
        /// The problem type of the analysis.
        problem: &'static str,
    },
}

/// The side on which a metric gets worse; `None` for metrics that the contract doesn't constrain.
fn worse(metric: &str) -> Option<Operator> {
    match metric {
        "mae" | "mse" | "rmse" | "false_positive_rate" | "false_negative_rate" => Some(Operator::Greater),
        name if name.ends_with("_best_constant_classifier") => None,
        _ => Some(Operator::Less),
    }
}

impl QualityConstraints {
    /// Requires later data to be as good as the baseline. A metric that is undefined in the baseline is not
    /// constrained.
    pub fn suggest(baseline: &Metrics) -> Self {
        let constraint = |metric: &Metric| {
            Some(Constraint {
                metric: metric.name.to_owned(),
                threshold: metric.value,
                operator: worse(metric.name)?,
            })
        };
        let defined = baseline.values.iter().filter(|metric| !metric.value.is_nan());
        Self {
            problem: baseline.problem,
            constraints: defined.filter_map(constraint).collect(),
        }
    }

    /// The constraint on one metric.
    pub fn get(&self, metric: &str) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.metric == metric)
    }

    /// The document as JSON.
    pub fn to_json(&self) -> Json {
        let constraint = |constraint: &Constraint| {
            let members = vec![
                ("threshold", Json::Double(constraint.threshold)),
                (
                    "comparison_operator",
                    Json::Text(constraint.operator.as_str().to_owned()),
                ),
            ];
            (constraint.metric.clone(), Json::Object(members))
        };
        Json::Object(vec![
            ("version", Json::Double(0.0)),
            (
                self.problem.constraints_key(),
                Json::Map(self.constraints.iter().map(constraint).collect()),
            ),
        ])
    }

    /// Reads a document that people may have edited: members may have been removed or added, a threshold may be written
    /// as a string, and a metric set to null is not constrained.
    ///
    /// # Errors
    ///
    /// Names the member that is invalid, or says that the document is for another problem type.
    pub fn from_value(document: &Value, problem: ProblemType) -> Result<Self, ConstraintsError> {
        let key = problem.constraints_key();
        let section = object(document, "the document")?
            .get(key)
            .ok_or(ConstraintsError::Problem {
                expected: key,
                problem: problem.as_str(),
            })?;
        let mut constraints = Vec::new();
        for (metric, member) in object(section, key)? {
            let path = format!("{key}.{metric}");
            if member.is_null() {
                continue;
            }
            let member = object(member, &path)?;
            let value = |name: &str| member.get(name).unwrap_or(&Value::Null);
            constraints.push(Constraint {
                metric: metric.clone(),
                threshold: threshold(value("threshold"), &path)?,
                operator: operator(value("comparison_operator"), &path)?,
            });
        }
        Ok(Self { problem, constraints })
    }
}

fn object<'v>(value: &'v Value, key: &str) -> Result<&'v serde_json::Map<String, Value>, ConstraintsError> {
    value.as_object().ok_or_else(|| wrong(key, value, "an object"))
}

fn threshold(value: &Value, path: &str) -> Result<f64, ConstraintsError> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    number.ok_or_else(|| wrong(&format!("{path}.threshold"), value, "a number"))
}

fn operator(value: &Value, path: &str) -> Result<Operator, ConstraintsError> {
    let spelled = |operator: &Operator| {
        value
            .as_str()
            .is_some_and(|text| operator.as_str().eq_ignore_ascii_case(text.trim()))
    };
    [Operator::Greater, Operator::Less]
        .into_iter()
        .find(spelled)
        .ok_or_else(|| {
            wrong(
                &format!("{path}.comparison_operator"),
                value,
                "GreaterThanThreshold or LessThanThreshold",
            )
        })
}

fn wrong(key: &str, value: &Value, expected: &'static str) -> ConstraintsError {
    let mut found: String = value.to_string().chars().take(60).collect();
    if value.is_null() {
        "missing".clone_into(&mut found);
    }
    ConstraintsError::Type {
        key: key.to_owned(),
        found,
        expected,
    }
}

impl Constraint {
    /// NaN does not violate the constraint.
    fn is_violated_by(&self, value: f64) -> bool {
        match self.operator {
            Operator::Greater => value > self.threshold,
            Operator::Less => value < self.threshold,
        }
    }
}

/// The entries of `constraint_violations.json`, in the order of the metrics.
///
/// The contract's analyzer constrains `f0_5` of a binary classification but never lists its violation; neither does
/// this. [`quality`] does.
pub fn violations(constraints: &QualityConstraints, metrics: &Metrics) -> Vec<Violation> {
    let violated = metrics.values.iter().filter_map(|metric| {
        let constraint = constraints.get(metric.name)?;
        constraint.is_violated_by(metric.value).then_some((metric, constraint))
    });
    let listed = violated.filter(|(metric, _)| metric.name != "f0_5");
    listed
        .map(|(metric, constraint)| violation(metric, constraint))
        .collect()
}

fn violation(metric: &Metric, constraint: &Constraint) -> Violation {
    // The rates have different names here.
    let name = match metric.name {
        "true_positive_rate" => "truePositiveRate",
        "true_negative_rate" => "trueNegativeRate",
        "false_positive_rate" => "falsePositiveRate",
        "false_negative_rate" => "falseNegativeRate",
        name => name,
    };
    let operator = constraint.operator.as_str();
    Violation {
        feature_name: None,
        constraint_check_type: operator.to_owned(),
        description: format!(
            "Metric {name} with {} +/- {} was {operator} '{}'",
            java_double(metric.value),
            java_double(metric.standard_deviation),
            java_double(constraint.threshold)
        ),
        metric_name: Some(name.to_owned()),
    }
}

/// The settings that decide whether a violation may be due to chance.
#[derive(Clone, Copy, Debug)]
pub struct Chance {
    /// Accepted share of false alarms.
    pub false_alarms: f64,
    /// Number of rows of the baseline, whose thresholds are subject to chance, too. `None` if a person has set them.
    pub baseline_rows: Option<u64>,
}

impl Chance {
    /// Whether a violated metric of `rows` rows is further from its threshold than chance can explain (one-sided normal
    /// test). A metric without a standard error is taken to be exact.
    fn excludes(self, metric: &Metric, rows: u64, constraint: &Constraint) -> bool {
        let Some(error) = metric.standard_error else {
            return true;
        };
        let of_both = match self.baseline_rows {
            Some(before) if before > 0 => error * (1.0 + rows as f64 / before as f64).sqrt(),
            _ => error,
        };
        let distance = (metric.value - constraint.threshold).abs();
        significance::normal_tail(distance / of_both) < self.false_alarms
    }
}

/// The model-quality part of `drift.json`: every metric, followed by constraints on metrics that don't exist.
pub fn quality(constraints: Option<&QualityConstraints>, metrics: &Metrics, chance: Chance) -> Quality {
    let finite = |value: f64| Some(value).filter(|value| value.is_finite());
    let of = |name: &str, metric: Option<&Metric>, constraint: Option<&Constraint>| {
        let violated = constraint
            .zip(metric)
            .filter(|(constraint, metric)| constraint.is_violated_by(metric.value));
        QualityMetric {
            name: name.to_owned(),
            value: metric.map(|metric| metric.value).and_then(finite),
            threshold: constraint.and_then(|constraint| finite(constraint.threshold)),
            comparison_operator: constraint.map(|constraint| constraint.operator.as_str().to_owned()),
            violated: violated.is_some(),
            drifted: violated.is_some_and(|(constraint, metric)| chance.excludes(metric, metrics.rows, constraint)),
        }
    };
    let constraint = |name: &str| constraints.and_then(|constraints| constraints.get(name));
    let values = metrics
        .values
        .iter()
        .map(|metric| of(metric.name, Some(metric), constraint(metric.name)));
    let without = constraints
        .iter()
        .flat_map(|constraints| &constraints.constraints)
        .filter(|constraint| metrics.get(&constraint.metric).is_none());
    Quality {
        problem_type: metrics.problem.as_str().to_owned(),
        metrics: values
            .chain(without.map(|one| of(&one.metric, None, Some(one))))
            .collect(),
    }
}

#[cfg(test)]
mod tests;
