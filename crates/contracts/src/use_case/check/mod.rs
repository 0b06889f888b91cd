//! Checks of a use-case document beyond what its types express.

mod algorithms;
mod found;
mod input;
mod instances;
mod ranges;
mod unworkable;

use super::filters::output_filter;
use super::{Column, ColumnType, Combine, Model, RetrainingDrops, UseCase};
use crate::names;
use std::collections::BTreeSet;

use found::Found;
pub use found::Mistake;

/// Largest object that S3 copies in one request, in bytes.
const COPY_LIMIT_BYTES: u64 = 5 << 30;

impl UseCase {
    /// Every mistake that the types can't exclude, each with its place; empty when the document is valid.
    pub fn validate(&self) -> Vec<Mistake> {
        check(self)
    }

    /// The mistakes that keep the document from being stored: those of [`Self::validate`], reserved ids, settings that
    /// no file can satisfy, and what SageMaker would refuse: hyperparameters, objectives, metrics, instance types.
    pub fn validate_new(&self) -> Vec<Mistake> {
        [new(self), check(self)].concat()
    }
}

/// Stands for "no single model" in the rows of runs.
const NO_MODEL: &str = "all";

/// Reserved ids, settings that no file can satisfy, and what SageMaker would refuse an hour later. Only documents that
/// are about to be stored are checked for these, so that those onboarded earlier keep working.
fn new(document: &UseCase) -> Vec<Mistake> {
    let mut found = Found::default();
    let id = document.use_case.as_str();
    if names::RESERVED.contains(&id) {
        let message = format!(
            "`{id}` is reserved: the platform gives a folder or parameter of that name a meaning of its own; say what is \
             predicted, as in `{id}-price`"
        );
        found.add("use_case", message);
    }
    for (position, model) in document.models.iter().enumerate() {
        if model.name == NO_MODEL {
            let message = format!("`{NO_MODEL}` is reserved: rows of runs use it to mean no single model");
            found.add(format!("models[{position}].name"), message);
        }
    }
    unworkable::unworkable(document, &mut found);
    for (position, model) in document.models.iter().enumerate() {
        algorithms::algorithm(&format!("models[{position}]"), model, &mut found);
    }
    instances::instances(document, &mut found);
    found.0
}

/// All mistakes of a document, in its order.
fn check(document: &UseCase) -> Vec<Mistake> {
    let mut found = Found::default();
    found.id("use_case", &document.use_case);
    columns(document, &mut found);
    input::input(document, &mut found);
    cleaning(document, &mut found);
    if document.split.validation <= 0.0 || document.split.holdout <= 0.0 {
        found.add(
            "split",
            "validation and holdout must each be above 0: early stopping and the gate need rows",
        );
    } else if document.split.validation + document.split.holdout > 0.8 {
        found.add(
            "split",
            "validation and holdout together leave less than 20 % of the rows for training",
        );
    }
    if document.features.max_categories == 0 {
        found.add("features.max_categories", "must be at least 1");
    }
    if document.drops.max_bytes == 0 || document.drops.max_bytes > COPY_LIMIT_BYTES {
        found.add(
            "drops.max_bytes",
            "must be from 1 to 5368709120 (5 GiB, what S3 copies in one request)",
        );
    }
    if !(1..=100).contains(&document.drops.max_concurrent_runs) {
        found.add("drops.max_concurrent_runs", "must be from 1 to 100");
    }
    models(document, &mut found);
    gate(document, &mut found);
    combine(document, &mut found);
    if !(1..=100).contains(&document.capture.sampling_percent) {
        found.add("capture.sampling_percent", "must be from 1 to 100");
    }
    watching(document, &mut found);
    for (position, recipient) in document.recipients.iter().enumerate() {
        let sound = recipient
            .split_once('@')
            .is_some_and(|(name, domain)| !name.is_empty() && domain.contains('.'));
        if !sound || recipient.contains(char::is_whitespace) {
            found.add(
                format!("recipients[{position}]"),
                format!("`{recipient}` is not an e-mail address"),
            );
        }
    }
    found.0
}

/// Maximum length of a filter of a transform's output in SageMaker, in characters.
const OUTPUT_FILTER_LIMIT_CHARACTERS: usize = 63;

fn watching(document: &UseCase, found: &mut Found) {
    let mut seen = BTreeSet::new();
    for (position, name) in document.scoring.carry.iter().enumerate() {
        let path = format!("scoring.carry[{position}]");
        if document.schema.columns.iter().any(|column| column.name == *name) || document.target.name == *name {
            found.add(
                path,
                format!("`{name}` is in the schema or the target already: carry other columns only"),
            );
        } else if name.trim().is_empty() || !seen.insert(name) {
            found.add(path, format!("`{name}` is empty or named twice"));
        }
    }
    if output_filter(document).len() > OUTPUT_FILTER_LIMIT_CHARACTERS {
        found.add(
            "scoring.carry",
            "names more columns than SageMaker's output filter can keep",
        );
    }
    if let Some(monitoring) = &document.monitoring {
        if !(15..=10_080).contains(&monitoring.every_minutes) {
            found.add("monitoring.every_minutes", "must be from 15 to 10080 (a week)");
        }
        if monitoring.minimum_rows == 0 {
            found.add("monitoring.minimum_rows", "must be at least 1");
        }
        if !(1..=365).contains(&monitoring.ground_truth_days) {
            found.add("monitoring.ground_truth_days", "must be from 1 to 365");
        }
    }
    if document.retraining.on_drift && document.monitoring.is_none() {
        found.add(
            "retraining.on_drift",
            "needs `monitoring`: without it nothing finds drift",
        );
    }
    let data = &document.retraining.data;
    if data.drops == RetrainingDrops::None && data.labelled_days == 0 {
        found.add(
            "retraining.data",
            "names nothing to train on: set `drops` or `labelled_days`",
        );
    }
}

fn columns(document: &UseCase, found: &mut Found) {
    let columns = &document.schema.columns;
    if columns.is_empty() {
        found.add("schema.columns", "is empty: name the columns to predict from");
    }
    let mut seen = BTreeSet::new();
    for (position, column) in columns.iter().enumerate() {
        let path = format!("schema.columns[{position}]");
        if column.name.trim().is_empty() || column.name.chars().any(char::is_control) {
            found.add(format!("{path}.name"), "must not be empty or hold control characters");
        }
        if !seen.insert(&column.name) {
            found.add(format!("{path}.name"), format!("`{}` is named twice", column.name));
        }
        if column.name == document.target.name {
            found.add(
                format!("{path}.name"),
                format!("`{}` is the target: a prediction can't be made from it", column.name),
            );
        }
        column_details(&path, column, found);
    }
    if columns.iter().all(|column| !column.required) && !columns.is_empty() {
        found.add(
            "schema.columns",
            "none is required: a file or request without any value would be accepted",
        );
    }
}

fn column_details(path: &str, column: &Column, found: &mut Found) {
    let numeric = matches!(column.kind, ColumnType::Integer | ColumnType::Number);
    if let Some(categories) = &column.categories {
        if column.kind != ColumnType::Category {
            found.add(
                format!("{path}.categories"),
                format!("belongs to type category, not {}", column.kind.as_str()),
            );
        }
        if !categories.open && categories.values.is_empty() {
            found.add(
                format!("{path}.categories.values"),
                "is empty: a closed column without words refuses every row",
            );
        }
    }
    if !numeric && (column.minimum.is_some() || column.maximum.is_some()) {
        found.add(
            path,
            format!("minimum and maximum belong to numbers, not to {}", column.kind.as_str()),
        );
    }
    if let (Some(minimum), Some(maximum)) = (column.minimum, column.maximum)
        && minimum > maximum
    {
        found.add(
            format!("{path}.minimum"),
            format!("{minimum} is above maximum {maximum}"),
        );
    }
}

fn cleaning(document: &UseCase, found: &mut Found) {
    let known = |name: &str| name == document.target.name || document.schema.columns.iter().any(|c| c.name == name);
    for (position, name) in document.cleaning.duplicate_columns.iter().flatten().enumerate() {
        if !known(name) {
            let path = format!("cleaning.duplicate_columns[{position}]");
            found.add(path, format!("`{name}` is neither a column nor the target"));
        }
    }
    for (position, rule) in document.cleaning.rules.iter().enumerate() {
        let path = format!("cleaning.rules[{position}]");
        if !known(&rule.column) {
            found.add(
                format!("{path}.column"),
                format!("`{}` is neither a column nor the target", rule.column),
            );
        }
        match (rule.min, rule.max) {
            (None, None) => found.add(&path, "has neither min nor max"),
            (Some(min), Some(max)) if min > max => found.add(&path, format!("min {min} is above max {max}")),
            _ => {}
        }
        if rule.column == document.target.name && rule.otherwise == Some(super::Otherwise::Missing) {
            found.add(
                format!("{path}.otherwise"),
                "a row without its target can't be trained on: use `drop`",
            );
        }
    }
    for (position, name) in document
        .naive_baseline
        .iter()
        .flat_map(|naive| &naive.group_by)
        .enumerate()
    {
        if !document.schema.columns.iter().any(|column| &column.name == name) {
            found.add(
                format!("naive_baseline.group_by[{position}]"),
                format!("`{name}` is not a column"),
            );
        }
    }
}

fn models(document: &UseCase, found: &mut Found) {
    if document.models.is_empty() {
        found.add("models", "is empty: name at least one model");
    }
    let mut seen = BTreeSet::new();
    for (position, model) in document.models.iter().enumerate() {
        let path = format!("models[{position}]");
        found.id(format!("{path}.name"), &model.name);
        if !seen.insert(&model.name) {
            found.add(format!("{path}.name"), format!("`{}` is named twice", model.name));
        }
        model_details(&path, model, found);
    }
}

fn model_details(path: &str, model: &Model, found: &mut Found) {
    match (model.algorithm, &model.image) {
        (None, None) => found.add(path, "needs an `algorithm` or an `image`"),
        (Some(_), Some(_)) => found.add(path, "has both `algorithm` and `image`: keep one"),
        (None, Some(_)) if !model.metric_definitions.iter().any(|it| it.name == model.metric.name) => found.add(
            format!("{path}.metric_definitions"),
            format!(
                "an image of your own needs a definition of its metric `{}`",
                model.metric.name
            ),
        ),
        (Some(_), None) if !model.metric_definitions.is_empty() => found.add(
            format!("{path}.metric_definitions"),
            "belongs to an image of your own; SageMaker knows the metrics of its algorithms",
        ),
        _ => {}
    }
    if !(model.threshold_rmse.is_finite() && model.threshold_rmse > 0.0) {
        found.add(format!("{path}.threshold_rmse"), "must be a number above 0");
    }
    if model.metric.name.starts_with("train:") {
        found.add(
            format!("{path}.metric.name"),
            "is a metric of the training rows: name one of the validation rows",
        );
    }
    if model.endpoint.instance_count == 0 {
        found.add(format!("{path}.endpoint.instance_count"), "must be at least 1");
    }
    if let Some(scaling) = &model.endpoint.scaling {
        let path = format!("{path}.endpoint.scaling");
        if scaling.min_instances == 0 || scaling.min_instances > scaling.max_instances {
            found.add(&path, "needs 1 <= min_instances <= max_instances");
        }
        if scaling.invocations_per_instance <= 0.0 {
            found.add(format!("{path}.invocations_per_instance"), "must be above 0");
        }
    }
}

fn gate(document: &UseCase, found: &mut Found) {
    let gate = &document.gate;
    if !(0.0..1.0).contains(&gate.min_improvement) {
        found.add(
            "gate.min_improvement",
            "is a share of the champion's RMSE: from 0 to below 1",
        );
    }
    if !(0.0..=1.0).contains(&gate.max_regression) {
        found.add(
            "gate.max_regression",
            "is a share of the champion's RMSE: from 0 to 1 (0.1 for 10 %)",
        );
    }
    if gate.min_holdout_rows == 0 {
        found.add(
            "gate.min_holdout_rows",
            "must be at least 1: an empty holdout decides nothing",
        );
    }
}

fn combine(document: &UseCase, found: &mut Found) {
    let names: BTreeSet<&str> = document.models.iter().map(|model| model.name.as_str()).collect();
    match &document.prediction.combine {
        Combine::Weighted { weights } => {
            let given: BTreeSet<&str> = weights.keys().map(String::as_str).collect();
            if given != names {
                found.add(
                    "prediction.combine.weights",
                    "needs a weight for every model and for nothing else",
                );
            }
            if weights.values().any(|weight| !(weight.is_finite() && *weight > 0.0)) {
                found.add("prediction.combine.weights", "must be numbers above 0");
            }
        }
        Combine::Model { model } if !names.contains(model.as_str()) => {
            found.add(
                "prediction.combine.model",
                format!("`{model}` is not a model of this use case"),
            );
        }
        _ => {}
    }
}
