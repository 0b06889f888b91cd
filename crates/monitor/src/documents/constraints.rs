//! `constraints.json` of data quality.
//!
//! People edit this file. It is therefore read leniently (see [`Constraints::parse`]): a member without effect causes a
//! warning, and a value that can't be intended is an error with its line.

use super::statistics::InferredType;
use super::text::{Json, pretty};

mod read;

/// The document.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraints {
    /// The constraints of the features, in the order of the columns.
    pub features: Vec<FeatureConstraints>,
    /// The configuration for features that override nothing.
    pub monitoring: Monitoring,
}

/// The constraints on one column.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureConstraints {
    /// Name of the column.
    pub name: String,
    /// Type of the column.
    pub inferred_type: InferredType,
    /// The share of values that must be present: 0 to 1.
    pub completeness: f64,
    /// `num_constraints.is_non_negative`.
    pub is_non_negative: Option<bool>,
    /// `string_constraints.domains`: all allowed values.
    pub domains: Option<Vec<String>>,
    /// Overrides of `Constraints::monitoring`, from either place and in either spelling.
    pub overrides: Overrides,
}

/// `monitoring_config`.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitoring {
    /// `evaluate_constraints`.
    pub evaluate: bool,
    /// `emit_metrics`.
    pub emit_metrics: bool,
    /// `datatype_check_threshold`: the share of values that must have the type.
    pub datatype_check_threshold: f64,
    /// `domain_content_threshold`: the share of values that must be in the domain.
    pub domain_content_threshold: f64,
    /// `distribution_constraints`.
    pub distribution: Distribution,
}

impl Default for Monitoring {
    fn default() -> Self {
        Self {
            evaluate: true,
            emit_metrics: true,
            datatype_check_threshold: 1.0,
            domain_content_threshold: 1.0,
            distribution: Distribution::default(),
        }
    }
}

/// `distribution_constraints`.
#[derive(Clone, Debug, PartialEq)]
pub struct Distribution {
    /// `perform_comparison`.
    pub compare: bool,
    /// `comparison_threshold`.
    pub threshold: f64,
    /// `comparison_method`.
    pub method: ComparisonMethod,
    /// `categorical_comparison_threshold`; if absent, the threshold for numbers applies.
    pub categorical_threshold: Option<f64>,
    /// `categorical_drift_method`; L∞ if absent.
    pub categorical_method: Option<CategoricalMethod>,
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            compare: true,
            threshold: 0.1,
            method: ComparisonMethod::Robust,
            categorical_threshold: None,
            categorical_method: None,
        }
    }
}

/// Whether L∞ is corrected for small samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparisonMethod {
    /// L∞ uncorrected.
    Simple,
    /// L∞ minus what chance would explain.
    Robust,
}

/// How categorical columns are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CategoricalMethod {
    /// The largest difference between shares.
    LInfinity,
    /// χ² test.
    ChiSquared,
}

/// A feature's overrides of `Monitoring`; `None` for what is not overridden.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    /// `evaluate_constraints`.
    pub evaluate: Option<bool>,
    /// `emit_metrics`.
    pub emit_metrics: Option<bool>,
    /// `datatype_check_threshold`.
    pub datatype_check_threshold: Option<f64>,
    /// `domain_content_threshold`.
    pub domain_content_threshold: Option<f64>,
    /// `distribution_constraints.perform_comparison`.
    pub compare: Option<bool>,
    /// `distribution_constraints.comparison_threshold`.
    pub threshold: Option<f64>,
    /// `distribution_constraints.comparison_method`.
    pub method: Option<ComparisonMethod>,
    /// `distribution_constraints.categorical_comparison_threshold`.
    pub categorical_threshold: Option<f64>,
    /// `distribution_constraints.categorical_drift_method`.
    pub categorical_method: Option<CategoricalMethod>,
}

impl ComparisonMethod {
    /// Name in documents: `Robust`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "Simple",
            Self::Robust => "Robust",
        }
    }
}

impl CategoricalMethod {
    /// Name in documents: `LInfinity`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LInfinity => "LInfinity",
            Self::ChiSquared => "ChiSquared",
        }
    }
}

impl Monitoring {
    /// The configuration with the overrides applied.
    pub fn with(&self, own: &Overrides) -> Self {
        let common = &self.distribution;
        Self {
            evaluate: own.evaluate.unwrap_or(self.evaluate),
            emit_metrics: own.emit_metrics.unwrap_or(self.emit_metrics),
            datatype_check_threshold: own.datatype_check_threshold.unwrap_or(self.datatype_check_threshold),
            domain_content_threshold: own.domain_content_threshold.unwrap_or(self.domain_content_threshold),
            distribution: Distribution {
                compare: own.compare.unwrap_or(common.compare),
                threshold: own.threshold.unwrap_or(common.threshold),
                method: own.method.unwrap_or(common.method),
                categorical_threshold: own.categorical_threshold.or(common.categorical_threshold),
                categorical_method: own.categorical_method.or(common.categorical_method),
            },
        }
    }

    /// All settings, as overrides.
    fn all(&self) -> Overrides {
        Overrides {
            evaluate: Some(self.evaluate),
            emit_metrics: Some(self.emit_metrics),
            datatype_check_threshold: Some(self.datatype_check_threshold),
            domain_content_threshold: Some(self.domain_content_threshold),
            compare: Some(self.distribution.compare),
            threshold: Some(self.distribution.threshold),
            method: Some(self.distribution.method),
            categorical_threshold: self.distribution.categorical_threshold,
            categorical_method: self.distribution.categorical_method,
        }
    }
}

impl Constraints {
    /// The configuration for a feature: its overrides applied to the common configuration.
    pub fn monitoring_of(&self, feature: &FeatureConstraints) -> Monitoring {
        self.monitoring.with(&feature.overrides)
    }

    /// The text of the file, as the contract's analyzer writes it.
    pub fn to_text(&self) -> String {
        pretty(&self.to_json())
    }

    /// The document as JSON. Overrides are written at the feature, as `monitoring_config_overrides`.
    pub fn to_json(&self) -> Json {
        Json::Object(vec![
            ("version", Json::Double(0.0)),
            (
                "features",
                Json::Array(self.features.iter().map(FeatureConstraints::to_json).collect()),
            ),
            ("monitoring_config", self.monitoring.all().to_json()),
        ])
    }
}

impl FeatureConstraints {
    fn to_json(&self) -> Json {
        let mut members = vec![
            ("name", Json::text(self.name.as_str())),
            ("inferred_type", Json::text(self.inferred_type.as_str())),
            ("completeness", Json::Double(self.completeness)),
        ];
        if let Some(is_non_negative) = self.is_non_negative {
            members.push((
                "num_constraints",
                Json::Object(vec![("is_non_negative", Json::Bool(is_non_negative))]),
            ));
        }
        if let Some(domains) = &self.domains {
            let domains = Json::Array(domains.iter().map(|value| Json::text(value.as_str())).collect());
            members.push(("string_constraints", Json::Object(vec![("domains", domains)])));
        }
        if self.overrides != Overrides::default() {
            members.push(("monitoring_config_overrides", self.overrides.to_json()));
        }
        Json::Object(members)
    }
}

impl Overrides {
    /// The overrides that are set, as JSON.
    fn to_json(&self) -> Json {
        let switch = |on: bool| Json::text(if on { "Enabled" } else { "Disabled" });
        let distribution: Vec<(&'static str, Json)> = [
            ("perform_comparison", self.compare.map(switch)),
            ("comparison_threshold", self.threshold.map(Json::Double)),
            (
                "comparison_method",
                self.method.map(|method| Json::text(method.as_str())),
            ),
            (
                "categorical_comparison_threshold",
                self.categorical_threshold.map(Json::Double),
            ),
            (
                "categorical_drift_method",
                self.categorical_method.map(|method| Json::text(method.as_str())),
            ),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)))
        .collect();
        let members = [
            ("evaluate_constraints", self.evaluate.map(switch)),
            ("emit_metrics", self.emit_metrics.map(switch)),
            (
                "datatype_check_threshold",
                self.datatype_check_threshold.map(Json::Double),
            ),
            (
                "domain_content_threshold",
                self.domain_content_threshold.map(Json::Double),
            ),
            (
                "distribution_constraints",
                (!distribution.is_empty()).then_some(Json::Object(distribution)),
            ),
        ];
        Json::Object(
            members
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests;
