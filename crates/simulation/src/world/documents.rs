//! Use-case documents.

use super::USE_CASE;
use serde_json::{Value, json};

/// The document of the matrix: two models, with one endpoint each.
pub fn document() -> Value {
    let model = |name: &str, metric: Value| {
        json!({
            "name": name, "algorithm": name, "hyperparameters": hyperparameters(name), "metric": metric,
            "threshold_rmse": 9000, "endpoint": {"instance_type": "ml.m5.large"},
        })
    };
    json!({
        "use_case": USE_CASE,
        "schema": {"columns": [
            {"name": "year", "type": "integer", "required": true},
            {"name": "odometer", "type": "number"},
            {"name": "model", "type": "category"},
        ]},
        "target": {"name": "price", "unit": "USD"},
        "models": [
            model("xgboost", json!({"name": "validation:rmse"})),
            model("linear-learner", json!({"name": "validation:mse", "root": true})),
        ],
        "prediction": {"combine": {"rule": "mean"}, "when_a_model_fails": "answer"},
        "recipients": ["cars@example.com"],
    })
}

/// The same, monitored every hour, with drift starting training runs.
pub fn watched() -> Value {
    let mut document = document();
    document["monitoring"] = json!({"every_minutes": 60, "minimum_rows": 100});
    document["retraining"] = json!({
        "on_drift": true, "cooldown_hours": 0, "max_per_week": 5, "data": {"drops": "latest", "labelled_days": 0},
    });
    document
}

/// The same, with two training runs allowed at the same time.
pub fn side_by_side() -> Value {
    let mut document = document();
    document["drops"] = json!({"max_concurrent_runs": 2});
    document
}

fn hyperparameters(algorithm: &str) -> Value {
    match algorithm {
        "xgboost" => json!({"objective": "reg:squarederror", "num_round": 100}),
        _ => json!({"predictor_type": "regressor"}),
    }
}
