//! The hyperparameters, objectives and metrics of SageMaker's built-in algorithms. A document that names others would
//! be refused by the container, minutes after a drop.
//!
//! The names are those of the XGBoost container's own validation and of Linear Learner's documentation.

use super::{Found, ranges};
use crate::use_case::{Algorithm, Model, Scalar};

const XGBOOST: [&str; 50] = [
    "_kfold",
    "_num_cv_round",
    "_tuning_objective_metric",
    "alpha",
    "base_score",
    "booster",
    "colsample_bylevel",
    "colsample_bynode",
    "colsample_bytree",
    "csv_weights",
    "deterministic_histogram",
    "dsplit",
    "early_stopping_rounds",
    "eta",
    "eval_metric",
    "gamma",
    "grow_policy",
    "huber_slope",
    "interaction_constraints",
    "lambda",
    "lambda_bias",
    "max_bin",
    "max_delta_step",
    "max_depth",
    "max_leaves",
    "min_child_weight",
    "monotone_constraints",
    "normalize_type",
    "nthread",
    "num_parallel_tree",
    "num_round",
    "objective",
    "one_drop",
    "predictor",
    "process_type",
    "rate_drop",
    "refresh_leaf",
    "sample_type",
    "sampling_method",
    "save_model_on_termination",
    "scale_pos_weight",
    "seed",
    "single_precision_histogram",
    "sketch_eps",
    "skip_drop",
    "subsample",
    "tree_method",
    "tweedie_variance_power",
    "updater",
    "verbosity",
];
const LINEAR_LEARNER: [&str; 38] = [
    "beta_1",
    "beta_2",
    "bias_lr_mult",
    "bias_wd_mult",
    "early_stopping_patience",
    "early_stopping_tolerance",
    "epochs",
    "feature_dim",
    "huber_delta",
    "init_bias",
    "init_method",
    "init_scale",
    "init_sigma",
    "l1",
    "learning_rate",
    "loss",
    "loss_insensitivity",
    "lr_scheduler_factor",
    "lr_scheduler_minimum_lr",
    "lr_scheduler_step",
    "margin",
    "mini_batch_size",
    "momentum",
    "normalize_data",
    "normalize_label",
    "num_calibration_samples",
    "num_models",
    "num_point_for_scaler",
    "optimizer",
    "positive_example_weight_mult",
    "predictor_type",
    "quantile",
    "target_precision",
    "target_recall",
    "unbias_data",
    "unbias_label",
    "use_bias",
    "use_lr_scheduler",
];
const LINEAR_LEARNER_WD: &str = "wd";
/// XGBoost's objectives whose output is a number in the target's unit.
const REGRESSIONS: [&str; 9] = [
    "count:poisson",
    "reg:absoluteerror",
    "reg:gamma",
    "reg:linear",
    "reg:pseudohubererror",
    "reg:quantileerror",
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:tweedie",
];
const XGBOOST_METRICS: [&str; 10] = [
    "gamma-deviance",
    "gamma-nloglik",
    "mae",
    "mape",
    "mphe",
    "mse",
    "poisson-nloglik",
    "rmse",
    "rmsle",
    "tweedie-nloglik",
];
const LINEAR_LEARNER_METRICS: [&str; 5] = ["absolute_loss", "mse", "objective_loss", "quantile_loss", "rmse"];
/// Prefixes of the metrics that a threshold can apply to. The metric is an error in the target's unit, or its square.
const TRIALS: [&str; 1] = ["validation:"];

pub(super) fn algorithm(path: &str, model: &Model, found: &mut Found) {
    match model.algorithm {
        Some(Algorithm::Xgboost) => xgboost(path, model, found),
        Some(Algorithm::LinearLearner) => linear_learner(path, model, found),
        None => {}
    }
}

fn xgboost(path: &str, model: &Model, found: &mut Found) {
    known(path, model, &XGBOOST, "XGBoost", found);
    required(path, model, "num_round", "how many trees to grow", found);
    ranges::ranges(path, model, &ranges::XGBOOST, found);
    let objective = text(model, "objective");
    if let Some(objective) = &objective
        && !REGRESSIONS.contains(&objective.as_str())
    {
        let nearest = nearest(objective, &REGRESSIONS).unwrap_or("reg:squarederror");
        found.add(
            format!("{path}.hyperparameters.objective"),
            format!(
                "`{objective}` is not a regression that XGBoost knows: a use case predicts a number, as `{nearest}` does"
            ),
        );
    }
    metric(path, model, &XGBOOST_METRICS, "rmse", found);
    let Some(name) = model.metric.name.strip_prefix("validation:") else {
        return;
    };
    // Without `eval_metric` XGBoost reports the objective's own metric, which is known here for the common objective
    // only.
    let reported = text(model, "eval_metric").or_else(|| {
        let common = objective.is_none_or(|it| matches!(it.as_str(), "reg:squarederror" | "reg:linear"));
        common.then(|| "rmse".to_owned())
    });
    if let Some(reported) = reported
        && XGBOOST_METRICS.contains(&name)
        && !reported.split(',').any(|one| one.trim() == name)
    {
        found.add(
            format!("{path}.metric.name"),
            format!("XGBoost will report `{reported}` alone: add `{name}` to `hyperparameters.eval_metric`"),
        );
    }
}

fn linear_learner(path: &str, model: &Model, found: &mut Found) {
    let mut names = LINEAR_LEARNER.to_vec();
    names.push(LINEAR_LEARNER_WD);
    known(path, model, &names, "Linear Learner", found);
    required(path, model, "predictor_type", "`regressor`", found);
    ranges::ranges(path, model, &ranges::LINEAR_LEARNER, found);
    if let Some(kind) = text(model, "predictor_type").filter(|kind| kind != "regressor") {
        found.add(
            format!("{path}.hyperparameters.predictor_type"),
            format!("`{kind}` is not a regression: a use case predicts a number; use `regressor`"),
        );
    }
    metric(path, model, &LINEAR_LEARNER_METRICS, "mse", found);
}

fn known(path: &str, model: &Model, names: &[&str], algorithm: &str, found: &mut Found) {
    for name in model.hyperparameters.keys() {
        if !names.contains(&name.as_str()) {
            let meant = nearest(name, names)
                .map(|it| format!("; do you mean `{it}`?"))
                .unwrap_or_default();
            found.add(
                format!("{path}.hyperparameters.{name}"),
                format!("{algorithm} has no hyperparameter `{name}`{meant}"),
            );
        }
    }
}

fn required(path: &str, model: &Model, name: &str, what: &str, found: &mut Found) {
    if !model.hyperparameters.contains_key(name) {
        found.add(
            format!("{path}.hyperparameters"),
            format!("`{name}` is missing, which the algorithm needs: {what}"),
        );
    }
}

fn metric(path: &str, model: &Model, names: &[&str], usual: &str, found: &mut Found) {
    let metric = model.metric.name.as_str();
    // Metrics of the training rows get a message of their own.
    if metric.starts_with("train:") {
        return;
    }
    let rest = TRIALS.iter().find_map(|trial| metric.strip_prefix(trial));
    if rest.is_none_or(|rest| !names.contains(&rest)) {
        let meant = nearest(rest.unwrap_or(metric), names).unwrap_or(usual);
        found.add(
            format!("{path}.metric.name"),
            format!("the algorithm reports no metric `{metric}`; do you mean `validation:{meant}`?"),
        );
    }
    let squared = matches!(rest, Some("mse"));
    if squared != model.metric.root && matches!(rest, Some("mse" | "rmse")) {
        let message = if squared {
            "is a mean squared error, and the threshold is in the target's unit: say `root: true`"
        } else {
            "is a root already: leave `root` out"
        };
        found.add(format!("{path}.metric.root"), message);
    }
}

fn text(model: &Model, name: &str) -> Option<String> {
    model.hyperparameters.get(name).map(Scalar::to_string)
}

/// The most similar name, if it is similar enough to be what was meant.
fn nearest<'a>(name: &str, names: &[&'a str]) -> Option<&'a str> {
    let scored = names.iter().map(|known| (distance(name, known), *known));
    let (distance, known) = scored.min()?;
    (distance <= 2.max(name.len() / 3)).then_some(known)
}

/// The number of letters to insert, delete, replace, or swap with the next one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for (row, left) in one.iter().enumerate() {
        let mut next = vec![row + 1];
        for (column, right) in other.iter().enumerate() {
            let replaced = last[column] + usize::from(left != right);
            let mut least = replaced.min(last[column + 1] + 1).min(next[column] + 1);
            if row > 0 && column > 0 && *left == other[column - 1] && one[row - 1] == *right {
                let swapped: &Vec<usize> = &before_last;
                least = least.min(swapped[column - 1] + 1);
            }
            next.push(least);
        }
        before_last = std::mem::replace(&mut last, next);
    }
    last[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant() {
        assert_eq!(nearest("max_dept", &XGBOOST), Some("max_depth"));
        assert_eq!(nearest("num_rounds", &XGBOOST), Some("num_round"));
        assert_eq!(nearest("learning_rate", &XGBOOST), None);
        assert_eq!(nearest("eat", &XGBOOST), Some("eta"));
        assert_eq!(distance("", "abc"), 3);
    }
}
