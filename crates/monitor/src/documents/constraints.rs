//! `constraints.json` of data quality.

use super::statistics::InferredType;

/// The document.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraints {
    /// In the order of the columns.
    pub features: Vec<FeatureConstraints>,
    /// For the features that override nothing.
    pub monitoring: Monitoring,
}

/// What is asked of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureConstraints {
    /// The column.
    pub name: String,
    /// Its type.
    pub inferred_type: InferredType,
    /// The share of values that must be there: 0 to 1.
    pub completeness: f64,
    /// `num_constraints.is_non_negative`.
    pub is_non_negative: Option<bool>,
    /// `string_constraints.domains`: all values that are allowed.
    pub domains: Option<Vec<String>>,
    /// What differs from `Constraints::monitoring`, from either place and in either spelling.
    pub overrides: Overrides,
}

/// `monitoring_config`.
#[derive(Clone, Debug, PartialEq)]
pub struct Monitoring {
    /// `evaluate_constraints`.
    pub evaluate: bool,
    /// `emit_metrics`.
    pub emit_metrics: bool,
    /// `datatype_check_threshold`: the share of values that must be of the type.
    pub datatype_check_threshold: f64,
    /// `domain_content_threshold`: the share of values that must be of the domain.
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
    /// `categorical_comparison_threshold`; that of numbers where it is absent.
    pub categorical_threshold: Option<f64>,
    /// `categorical_drift_method`; L∞ where it is absent.
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
    /// L∞ as it is.
    Simple,
    /// L∞ less what an accident would explain.
    Robust,
}

/// How categorical columns are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CategoricalMethod {
    /// The largest difference of shares.
    LInfinity,
    /// χ² test.
    ChiSquared,
}

/// What a feature overrides of `Monitoring`; `None` leaves it.
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

impl Constraints {
    /// What holds for a feature: its overrides over the common configuration.
    pub fn monitoring_of(&self, feature: &FeatureConstraints) -> Monitoring {
        let (common, own) = (&self.monitoring, &feature.overrides);
        Monitoring {
            evaluate: own.evaluate.unwrap_or(common.evaluate),
            emit_metrics: own.emit_metrics.unwrap_or(common.emit_metrics),
            datatype_check_threshold: own.datatype_check_threshold.unwrap_or(common.datatype_check_threshold),
            domain_content_threshold: own.domain_content_threshold.unwrap_or(common.domain_content_threshold),
            distribution: Distribution {
                compare: own.compare.unwrap_or(common.distribution.compare),
                threshold: own.threshold.unwrap_or(common.distribution.threshold),
                method: own.method.unwrap_or(common.distribution.method),
                categorical_threshold: own.categorical_threshold.or(common.distribution.categorical_threshold),
                categorical_method: own.categorical_method.or(common.distribution.categorical_method),
            },
        }
    }
}
