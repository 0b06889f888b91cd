//! Reading of `constraints.json`, in every spelling that is in use.

use std::collections::HashSet;

use super::{CategoricalMethod, ComparisonMethod, Constraints, FeatureConstraints, Monitoring, Overrides};
use crate::documents::error::{DocumentError, Parsed};
use crate::documents::fields::{Fields, Notes, Source};
use crate::documents::json::{self, Node};
use crate::documents::statistics::InferredType;

const OVERRIDES: &str = "monitoring_config_overrides";

impl Constraints {
    /// Reads a file. `name` is the name of the file for the error, which gives the place.
    ///
    /// Keys may be in any case, with or without underscores. Overrides may be at the feature and within
    /// `num_constraints` and `string_constraints` (those at the feature take precedence). Switches are `Enabled`,
    /// `Disabled`, `true` or `false`; numbers may be strings. Members that are missing or `null` have their defaults:
    /// `monitoring_config` that of [`Monitoring::default`]; for a feature without `inferred_type` (`Unknown`) or
    /// `completeness` (0), that constraint is not checked. An unknown or repeated key is a warning; a value of the
    /// wrong type or range is an error.
    pub fn parse(text: &str, name: &str) -> Result<Parsed<Self>, DocumentError> {
        parse(text, name)
    }
}

fn parse(text: &str, name: &str) -> Result<Parsed<Constraints>, DocumentError> {
    let source = Source { text, name };
    let root = json::parse(text, name)?;
    let root = source.object(&root, "the document")?;
    let mut notes = Notes::default();
    root.check(&["version", "features", "monitoring_config"], &mut notes);

    let nodes = root.optional("features", Source::array)?.unwrap_or_default();
    let mut features = Vec::with_capacity(nodes.len());
    let mut names = HashSet::new();
    for node in nodes {
        let feature = feature(source, node, &mut notes)?;
        if !names.insert(feature.name.clone()) {
            notes.add(
                node.offset,
                format!("the feature `{}` is there twice: keep one of them", feature.name),
            );
        }
        features.push(feature);
    }
    let monitoring = match root.object("monitoring_config")? {
        Some(fields) => Monitoring::default().with(&overrides(&fields, &mut notes)?),
        None => Monitoring::default(),
    };
    Ok(Parsed {
        document: Constraints { features, monitoring },
        warnings: notes.into_warnings(text),
    })
}

fn feature(source: Source<'_>, node: &Node, notes: &mut Notes) -> Result<FeatureConstraints, DocumentError> {
    let fields = source.object(node, "features")?;
    let known = [
        "name",
        "inferred_type",
        "completeness",
        "num_constraints",
        "string_constraints",
        OVERRIDES,
    ];
    fields.check(&known, notes);
    let mut feature = FeatureConstraints {
        name: source.text(fields.required("name")?, "name")?.to_owned(),
        inferred_type: InferredType::Unknown,
        completeness: fields.optional("completeness", Source::share)?.unwrap_or(0.0),
        is_non_negative: None,
        domains: None,
        overrides: Overrides::default(),
    };
    if let Some(node) = fields.get("inferred_type") {
        let types = InferredType::ALL.map(|kind| (kind.as_str(), kind));
        feature.inferred_type = source.word(node, "inferred_type", &types)?;
    }
    if let Some(numbers) = fields.object("num_constraints")? {
        numbers.check(&["is_non_negative", OVERRIDES], notes);
        feature.is_non_negative = numbers.optional("is_non_negative", Source::switch)?;
        overlay(&mut feature.overrides, &numbers, notes)?;
    }
    if let Some(strings) = fields.object("string_constraints")? {
        strings.check(&["domains", OVERRIDES], notes);
        if let Some(domains) = strings.optional("domains", Source::array)? {
            let domains = domains
                .iter()
                .map(|value| source.text(value, "domains").map(str::to_owned));
            feature.domains = Some(domains.collect::<Result<_, _>>()?);
        }
        overlay(&mut feature.overrides, &strings, notes)?;
    }
    overlay(&mut feature.overrides, &fields, notes)?;
    Ok(feature)
}

/// Puts the overrides from one place over those found so far.
fn overlay(lower: &mut Overrides, place: &Fields<'_>, notes: &mut Notes) -> Result<(), DocumentError> {
    let Some(fields) = place.object(OVERRIDES)? else {
        return Ok(());
    };
    let upper = overrides(&fields, notes)?;
    let merged = over(&upper, lower);
    // If they agree or don't overlap, the order doesn't matter.
    if merged != over(lower, &upper) {
        notes.add(
            fields.node.offset,
            "these overrides contradict others of the feature: these count".to_owned(),
        );
    }
    *lower = merged;
    Ok(())
}

fn over(upper: &Overrides, lower: &Overrides) -> Overrides {
    Overrides {
        evaluate: upper.evaluate.or(lower.evaluate),
        emit_metrics: upper.emit_metrics.or(lower.emit_metrics),
        datatype_check_threshold: upper.datatype_check_threshold.or(lower.datatype_check_threshold),
        domain_content_threshold: upper.domain_content_threshold.or(lower.domain_content_threshold),
        compare: upper.compare.or(lower.compare),
        threshold: upper.threshold.or(lower.threshold),
        method: upper.method.or(lower.method),
        categorical_threshold: upper.categorical_threshold.or(lower.categorical_threshold),
        categorical_method: upper.categorical_method.or(lower.categorical_method),
    }
}

/// The settings in a `monitoring_config`, or in its overrides.
fn overrides(fields: &Fields<'_>, notes: &mut Notes) -> Result<Overrides, DocumentError> {
    let known = [
        "evaluate_constraints",
        "emit_metrics",
        "datatype_check_threshold",
        "domain_content_threshold",
        "distribution_constraints",
    ];
    fields.check(&known, notes);
    let switch = |fields: &Fields<'_>, key: &str| fields.optional(key, Source::switch);
    let share = |fields: &Fields<'_>, key: &str| fields.optional(key, Source::share);
    let mut overrides = Overrides {
        evaluate: switch(fields, "evaluate_constraints")?,
        emit_metrics: switch(fields, "emit_metrics")?,
        datatype_check_threshold: share(fields, "datatype_check_threshold")?,
        domain_content_threshold: share(fields, "domain_content_threshold")?,
        ..Overrides::default()
    };
    if let Some(fields) = fields.object("distribution_constraints")? {
        let known = [
            "perform_comparison",
            "comparison_threshold",
            "comparison_method",
            "categorical_comparison_threshold",
            "categorical_drift_method",
        ];
        fields.check(&known, notes);
        let methods = [ComparisonMethod::Simple, ComparisonMethod::Robust].map(|method| (method.as_str(), method));
        let categorical =
            [CategoricalMethod::LInfinity, CategoricalMethod::ChiSquared].map(|method| (method.as_str(), method));
        overrides.compare = switch(&fields, "perform_comparison")?;
        overrides.threshold = share(&fields, "comparison_threshold")?;
        overrides.method = fields.optional("comparison_method", |source, node, key| {
            source.word(node, key, &methods)
        })?;
        overrides.categorical_threshold = share(&fields, "categorical_comparison_threshold")?;
        overrides.categorical_method = fields.optional("categorical_drift_method", |source, node, key| {
            source.word(node, key, &categorical)
        })?;
    }
    Ok(overrides)
}
