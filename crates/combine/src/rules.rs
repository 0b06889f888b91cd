//! The rules by which the models' values are combined into one.

use contracts::use_case::{Combine, UseCase, WhenAModelFails};
use std::collections::BTreeMap;

/// The values of the models that answered, by model: one for each row.
pub type Values = BTreeMap<String, Vec<f64>>;

/// Whether the document's policy allows an answer from the models that `has` names.
pub fn suffices(document: &UseCase, has: impl Fn(&str) -> bool) -> bool {
    let mut models = document.models.iter().map(|model| model.name.as_str());
    match (document.prediction.when_a_model_fails, &document.prediction.combine) {
        (WhenAModelFails::Fail, _) => models.all(has),
        (WhenAModelFails::Answer, Combine::Model { model }) => has(model),
        (WhenAModelFails::Answer, _) => models.any(has),
    }
}

/// Combines the values of each row by a rule of the document.
///
/// Models that did not answer are absent from `values`; a weighted mean uses the remaining weights. `None` when no
/// model that the rule needs has answered, and for the rule that only a Lambda function can follow.
pub fn combine(rule: &Combine, values: &Values) -> Option<Vec<f64>> {
    let models: Vec<&str> = values.keys().map(String::as_str).collect();
    let one = of_a_row(rule, &models)?;
    let rows = values.values().next()?.len();
    let mut row = Vec::with_capacity(models.len());
    let combined = (0..rows).map(|number| {
        row.clear();
        row.extend(values.values().map(|model| model[number]));
        one(&row)
    });
    Some(combined.collect())
}

/// Combines the values of one row, which are in the order of the models that it was made for.
pub type OfARow = Box<dyn Fn(&[f64]) -> f64>;

/// Like [`combine`], but for one row at a time: a function that combines the values of `models`, in their order.
pub fn of_a_row(rule: &Combine, models: &[&str]) -> Option<OfARow> {
    if models.is_empty() {
        return None;
    }
    match rule {
        Combine::Max => Some(Box::new(|row| row.iter().copied().fold(f64::NEG_INFINITY, f64::max))),
        Combine::Min => Some(Box::new(|row| row.iter().copied().fold(f64::INFINITY, f64::min))),
        Combine::Mean => Some(Box::new(mean)),
        Combine::Median => Some(Box::new(median)),
        Combine::Weighted { weights } => {
            let weights: Vec<f64> = models
                .iter()
                .map(|model| weights.get(*model).copied().unwrap_or(0.0))
                .collect();
            let total: f64 = weights.iter().sum();
            if total <= 0.0 {
                return None;
            }
            Some(Box::new(move |row| {
                row.iter()
                    .zip(&weights)
                    .map(|(value, weight)| value * (weight / total))
                    .sum()
            }))
        }
        Combine::Model { model } => {
            let at = models.iter().position(|name| name == model)?;
            Some(Box::new(move |row| row[at]))
        }
        Combine::Lambda { .. } => None,
    }
}

fn mean(row: &[f64]) -> f64 {
    // Divided first, because the sum of two large values might overflow.
    #[allow(clippy::cast_precision_loss)]
    let count = row.len() as f64;
    row.iter().map(|value| value / count).sum()
}

fn median(row: &[f64]) -> f64 {
    let mut sorted = row.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn values(models: &[(&str, &[f64])]) -> Values {
        models
            .iter()
            .map(|(model, values)| ((*model).to_owned(), values.to_vec()))
            .collect()
    }

    #[test]
    fn each_rule_does_what_it_says() {
        let three = values(&[("a", &[1.0, 9.0]), ("b", &[2.0, 4.0]), ("c", &[6.0, 5.0])]);
        let weights = BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 1.0), ("c".to_owned(), 2.0)]);
        for (rule, expected) in [
            (Combine::Max, [6.0, 9.0]),
            (Combine::Min, [1.0, 4.0]),
            (Combine::Mean, [3.0, 6.0]),
            (Combine::Median, [2.0, 5.0]),
            (Combine::Weighted { weights }, [3.75, 5.75]),
            (Combine::Model { model: "b".to_owned() }, [2.0, 4.0]),
        ] {
            let found = combine(&rule, &three).unwrap();
            let close = found
                .iter()
                .zip(expected)
                .all(|(found, expected)| (found - expected).abs() < 1e-12);
            assert!(close, "{rule:?}: {found:?}");
        }
    }

    #[test]
    fn what_is_left_is_combined() {
        let weights = BTreeMap::from([("a".to_owned(), 1.0), ("b".to_owned(), 3.0)]);
        let left = values(&[("b", &[8.0])]);
        assert_eq!(combine(&Combine::Weighted { weights }, &left), Some(vec![8.0]));
        let asked = Combine::Model { model: "a".to_owned() };
        assert_eq!(combine(&asked, &left), None);
        assert_eq!(combine(&Combine::Max, &Values::new()), None);
    }

    #[test]
    fn the_policy_says_which_models_are_needed() {
        let rule = |rule: &str| json!({"rule": rule, "model": "a"});
        let max = json!({"rule": "max"});
        // Policy, rule, models that answered, and whether they suffice.
        for (policy, combine, there, expected) in [
            ("answer", max.clone(), vec!["a", "b"], true),
            ("answer", max.clone(), vec!["b"], true),
            ("answer", max.clone(), vec![], false),
            ("answer", rule("model"), vec!["a"], true),
            ("answer", rule("model"), vec!["b"], false),
            ("fail", max.clone(), vec!["a", "b"], true),
            ("fail", max, vec!["b"], false),
            ("fail", rule("model"), vec!["a"], false),
        ] {
            let model = |name: &str| json!({"name": name, "algorithm": "xgboost", "metric": {"name": "validation:rmse"}, "threshold_rmse": 1});
            let document: UseCase = serde_json::from_value(json!({
                "use_case": "cars", "schema": {"columns": []}, "target": {"name": "price"},
                "models": [model("a"), model("b")],
                "prediction": {"combine": combine.clone(), "when_a_model_fails": policy},
            }))
            .unwrap();
            let found = suffices(&document, |model| there.contains(&model));
            assert_eq!(found, expected, "{policy} {combine} {there:?}");
        }
    }

    proptest! {
        #[test]
        fn every_rule_stays_between_the_smallest_and_the_largest(
            rows in proptest::collection::vec((-1e9..1e9_f64, -1e9..1e9_f64, -1e9..1e9_f64), 1..20)
        ) {
            let given = values(&[
                ("a", &rows.iter().map(|row| row.0).collect::<Vec<_>>()),
                ("b", &rows.iter().map(|row| row.1).collect::<Vec<_>>()),
                ("c", &rows.iter().map(|row| row.2).collect::<Vec<_>>()),
            ]);
            for rule in [Combine::Max, Combine::Min, Combine::Mean, Combine::Median] {
                for (found, row) in combine(&rule, &given).unwrap().iter().zip(&rows) {
                    let smallest = row.0.min(row.1).min(row.2) - 1e-3;
                    let largest = row.0.max(row.1).max(row.2) + 1e-3;
                    prop_assert!((smallest..=largest).contains(found));
                }
            }
        }
    }
}
