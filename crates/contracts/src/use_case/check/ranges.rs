//! The ranges of the built-in algorithms' numeric hyperparameters: for XGBoost those that its container checks, for
//! Linear Learner those of its documentation. Hyperparameters that documents seldom set are left to the container.

use super::Found;
use crate::use_case::{Model, Scalar};
use std::ops::{
    Bound::{self, Excluded, Included, Unbounded},
    RangeBounds,
};

/// The numbers that a hyperparameter may have.
pub(super) struct Range {
    name: &'static str,
    whole: bool,
    /// Whether the word `auto` is allowed as well.
    auto: bool,
    bounds: (Bound<f64>, Bound<f64>),
}

const ANY_FROM_0: (Bound<f64>, Bound<f64>) = (Included(0.0), Unbounded);
const ABOVE_0: (Bound<f64>, Bound<f64>) = (Excluded(0.0), Unbounded);
const FROM_1: (Bound<f64>, Bound<f64>) = (Included(1.0), Unbounded);
const SHARE: (Bound<f64>, Bound<f64>) = (Excluded(0.0), Included(1.0));

pub(super) const XGBOOST: [Range; 18] = [
    number("alpha", ANY_FROM_0),
    number("colsample_bylevel", SHARE),
    number("colsample_bynode", SHARE),
    number("colsample_bytree", SHARE),
    whole("early_stopping_rounds", FROM_1),
    number("eta", (Included(0.0), Included(1.0))),
    number("gamma", ANY_FROM_0),
    number("lambda", ANY_FROM_0),
    whole("max_bin", ANY_FROM_0),
    number("max_delta_step", ANY_FROM_0),
    whole("max_depth", ANY_FROM_0),
    whole("max_leaves", ANY_FROM_0),
    number("min_child_weight", ANY_FROM_0),
    whole("num_parallel_tree", FROM_1),
    whole("num_round", FROM_1),
    number("scale_pos_weight", ABOVE_0),
    number("subsample", SHARE),
    number("tweedie_variance_power", (Excluded(1.0), Excluded(2.0))),
];
pub(super) const LINEAR_LEARNER: [Range; 8] = [
    whole("early_stopping_patience", FROM_1),
    whole("epochs", FROM_1),
    number("l1", ANY_FROM_0).or_auto(),
    number("learning_rate", ABOVE_0).or_auto(),
    whole("mini_batch_size", FROM_1),
    whole("num_models", FROM_1).or_auto(),
    number("quantile", (Excluded(0.0), Excluded(1.0))),
    number("wd", ANY_FROM_0).or_auto(),
];

const fn number(name: &'static str, bounds: (Bound<f64>, Bound<f64>)) -> Range {
    Range {
        name,
        whole: false,
        auto: false,
        bounds,
    }
}

const fn whole(name: &'static str, bounds: (Bound<f64>, Bound<f64>)) -> Range {
    Range {
        whole: true,
        ..number(name, bounds)
    }
}

impl Range {
    const fn or_auto(self) -> Self {
        Self { auto: true, ..self }
    }

    fn holds(&self, value: &Scalar) -> bool {
        let text = value.to_string();
        if self.auto && text == "auto" {
            return true;
        }
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
        number.is_some_and(|number| self.bounds.contains(&number)) && (!self.whole || text.parse::<i64>().is_ok())
    }

    fn wanted(&self) -> String {
        let (low, high) = self.bounds;
        let of = if matches!(low, Included(_)) { "of " } else { "" };
        let low = match low {
            Included(low) => Some(format!("at least {low}")),
            Excluded(low) => Some(format!("above {low}")),
            Unbounded => None,
        };
        let high = match high {
            Included(high) => Some(format!("at most {high}")),
            Excluded(high) => Some(format!("below {high}")),
            Unbounded => None,
        };
        let bounds: Vec<String> = low.into_iter().chain(high).collect();
        let kind = if self.whole { "whole number" } else { "number" };
        let auto = if self.auto { ", nor `auto`" } else { "" };
        format!("{kind} {of}{}{auto}", bounds.join(" and "))
    }
}

/// Reports each hyperparameter of the model that is outside its range.
pub(super) fn ranges(path: &str, model: &Model, ranges: &[Range], found: &mut Found) {
    for range in ranges {
        let Some(value) = model.hyperparameters.get(range.name) else {
            continue;
        };
        if !range.holds(value) {
            found.add(
                format!("{path}.hyperparameters.{}", range.name),
                format!("`{value}` is not a {}", range.wanted()),
            );
        }
    }
}
