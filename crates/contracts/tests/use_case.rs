//! The use-case document: the examples are valid, and each mistake is reported with its place.
#![allow(missing_docs, clippy::unwrap_used)]

use contracts::UseCase;
use std::path::Path;

fn example() -> String {
    read("used-car-price.yaml")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models").join(name)).unwrap()
}

fn mistakes_after(original: &str, changed: &str) -> Vec<String> {
    let text = example();
    assert!(text.contains(original), "{original}");
    let document: UseCase = serde_saphyr::from_str(&text.replace(original, changed)).unwrap();
    document.validate_new().iter().map(ToString::to_string).collect()
}

#[test]
fn every_document_of_the_repository_is_sound() {
    for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let document: UseCase = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(document.validate_new(), [], "{}", path.display());
        }
    }
}

#[test]
fn a_use_case_stored_before_its_id_was_reserved_goes_on() {
    let mut document: UseCase = serde_saphyr::from_str(&example()).unwrap();
    for reserved in contracts::names::RESERVED {
        reserved.clone_into(&mut document.use_case);
        assert_eq!(document.validate(), [], "{reserved}");
        assert_ne!(document.validate_new(), [], "{reserved}");
    }
}

#[test]
fn what_is_stored_reads_back_equal() {
    let document: UseCase = serde_saphyr::from_str(&example()).unwrap();
    let stored = serde_json::to_string(&document).unwrap();
    assert_eq!(serde_json::from_str::<UseCase>(&stored).unwrap(), document);
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let error = serde_saphyr::from_str::<UseCase>(&example().replace("target:", "targett:")).unwrap_err();
    assert!(error.to_string().contains("targett"), "{error}");
}

#[test]
fn mistakes_are_named_with_their_place() {
    for (original, changed, expected) in [
        (
            "use_case: used-car-price",
            "use_case: used-car-prices-of-all-the-dealers-in-the",
            "use_case: `used-car-prices-of-all-the-dealers-in-the` has 41 characters; it may have 1 to 40",
        ),
        (
            "use_case: used-car-price",
            "use_case: Cars",
            "use_case: `Cars` must be lower-case",
        ),
        (
            "use_case: used-car-price",
            "use_case: platform",
            "use_case: `platform` is reserved",
        ),
        (
            "use_case: used-car-price",
            "use_case: scored",
            "use_case: `scored` is reserved",
        ),
        ("name: linear-learner", "name: all", "models[1].name: `all` is reserved"),
        (
            "name: year, type: integer",
            "name: model, type: integer",
            "schema.columns[1].name: `model` is named twice",
        ),
        (
            "name: year, type: integer",
            "name: price_USD, type: integer",
            "schema.columns[0].name: `price_USD` is the target",
        ),
        (
            "group_by: [model, year]",
            "group_by: [model, age]",
            "naive_baseline.group_by[1]: `age` is not a column",
        ),
        (
            "open: false, values: [rwd, fwd, 4wd]",
            "open: false",
            "schema.columns[8].categories.values: is empty",
        ),
        ("open: false, values: [rwd,", "open: false, words: [rwd,", ""),
        (
            "threshold_rmse: 15000",
            "threshold_rmse: -1",
            "models[1].threshold_rmse: must be a number above 0",
        ),
        (
            "\"validation:mse\"",
            "\"train:mse\"",
            "models[1].metric.name: is a metric of the training rows",
        ),
        (
            "min_instances: 1,",
            "min_instances: 9,",
            "models[0].endpoint.scaling: needs 1 <= min_instances",
        ),
        (
            "algorithm: linear-learner",
            "image: x",
            "models[1].metric_definitions: an image of your own needs a definition",
        ),
        (
            "max_depth: 6",
            "max_dept: 6",
            "models[0].hyperparameters.max_dept: XGBoost has no hyperparameter `max_dept`; do you mean `max_depth`?",
        ),
        (
            "num_round: 600",
            "max_leaves: 0",
            "models[0].hyperparameters: `num_round` is missing",
        ),
        (
            "reg:squarederror",
            "binary:logistic",
            "models[0].hyperparameters.objective: `binary:logistic` is not a regression",
        ),
        (
            "reg:squarederror",
            "reg:squarederor",
            "models[0].hyperparameters.objective: `reg:squarederor` is not a regression that XGBoost knows: a use case \
             predicts a number, as `reg:squarederror` does",
        ),
        (
            "\"validation:rmse\"",
            "\"validation:rsme\"",
            "models[0].metric.name: the algorithm reports no metric `validation:rsme`; do you mean `validation:rmse`?",
        ),
        (
            "eval_metric: rmse",
            "eval_metric: mae",
            "models[0].metric.name: XGBoost will report `mae` alone: add `rmse`",
        ),
        (
            "predictor_type: regressor",
            "predictor_type: binary_classifier",
            "models[1].hyperparameters.predictor_type: `binary_classifier` is not a regression",
        ),
        (
            "epochs: 40",
            "epoch: 40",
            "models[1].hyperparameters.epoch: Linear Learner has no hyperparameter `epoch`; do you mean `epochs`?",
        ),
        (", root: true", "", "models[1].metric.root: is a mean squared error"),
        (
            "instance_type: ml.m5.large\n      scaling",
            "instance_type: m5.large\n      scaling",
            "models[0].endpoint.instance_type: `m5.large` is not an instance type",
        ),
        (
            "target: { name",
            "input: { delimiter: \"a\" }\ntarget: { name",
            "input.delimiter: must be one ASCII character",
        ),
        (
            "target: { name",
            "input: { decimal: \",\", thousands: \",\" }\ntarget: { name",
            "input.thousands: `,` is the decimal mark already",
        ),
        (
            "target: { name",
            "input: { missing: [\" \"] }\ntarget: { name",
            "input.missing[0]: is empty",
        ),
        (
            "target: { name",
            "input: { encoding: windows-1252 }\ntarget: { name",
            "",
        ),
        (
            "name: year, type",
            "name: \" year\", type",
            "schema.columns[0].name: ` year` begins or ends with white space",
        ),
        (
            "name: price_USD, unit",
            "name: \"price_USD\\u00a0\", unit",
            "target.name: `price_USD\u{a0}` begins or ends with white space",
        ),
        (
            "recipients:",
            "scoring: { carry: [\"vin \"] }\nrecipients:",
            "scoring.carry[0]: `vin ` begins or ends with white space",
        ),
        (
            "name: year, type",
            "name: xgboost, type",
            "schema.columns[0].name: `xgboost` is a column that a scored file adds (`inference_id`, `xgboost`, \
             `linear-learner`, `price_USD_predicted`): no file that has it can be scored. Rename it here",
        ),
        (
            "name: year, type",
            "name: price_USD_predicted, type",
            "schema.columns[0].name: `price_USD_predicted` is a column that a scored file adds",
        ),
        (
            "recipients:",
            "scoring: { carry: [vin, inference_id] }\nrecipients:",
            "scoring.carry[1]: `inference_id` is a column that a scored file adds",
        ),
        (
            "drop_duplicates: true",
            "duplicate_columns: []",
            "cleaning.duplicate_columns: is empty: every row would repeat the first",
        ),
        (
            "column: odometer_mi, min: 0",
            "column: model, min: 0",
            "cleaning.rules[1]: `model` is a category: min and max bound numbers",
        ),
        (
            "eta: 0.05",
            "eta: 7",
            "models[0].hyperparameters.eta: `7` is not a number of at least 0 and at most 1",
        ),
        (
            "subsample: 0.8",
            "subsample: 0",
            "models[0].hyperparameters.subsample: `0` is not a number above 0 and at most 1",
        ),
        (
            "colsample_bytree: 0.6",
            "colsample_bytree: most",
            "models[0].hyperparameters.colsample_bytree: `most` is not a number above 0",
        ),
        (
            "max_depth: 6",
            "max_depth: 6.5",
            "models[0].hyperparameters.max_depth: `6.5` is not a whole number of at least 0",
        ),
        (
            "num_round: 600",
            "num_round: 0",
            "models[0].hyperparameters.num_round: `0` is not a whole number of at least 1",
        ),
        (
            "min_child_weight: 2",
            "min_child_weight: -1",
            "models[0].hyperparameters.min_child_weight: `-1` is not a number of at least 0",
        ),
        (
            "epochs: 40",
            "epochs: auto",
            "models[1].hyperparameters.epochs: `auto` is not a whole number of at least 1",
        ),
        (
            "mini_batch_size: 100",
            "learning_rate: 0",
            "models[1].hyperparameters.learning_rate: `0` is not a number above 0, nor `auto`",
        ),
        (
            "drop_duplicates: true",
            "max_unreadable: 5",
            "cleaning.max_unreadable: is a share",
        ),
        (
            "drop_duplicates: true",
            "max_dropped: 20",
            "cleaning.max_dropped: is a share of the rows",
        ),
        (
            "rule: weighted, weights: { xgboost: 0.8, linear-learner: 0.2 }",
            "rule: model, model: prophet",
            "prediction.combine.model: `prophet` is not a model",
        ),
        (
            "recipients: []",
            "recipients: [cars]",
            "recipients[0]: `cars` is not an e-mail address",
        ),
        (
            "every_minutes: 60",
            "every_minutes: 14",
            "monitoring.every_minutes: must be from 15",
        ),
        (
            "minimum_rows: 100",
            "minimum_rows: 0",
            "monitoring.minimum_rows: must be at least 1",
        ),
        (
            "ground_truth_days: 30",
            "ground_truth_days: 366",
            "monitoring.ground_truth_days: must be from 1 to 365",
        ),
        (
            "monitoring: { every_minutes",
            "# monitoring: { every_minutes",
            "retraining.on_drift: needs `monitoring`",
        ),
        (
            "drops: latest, labelled_days: 1",
            "drops: none, labelled_days: 0",
            "retraining.data: names nothing to train on",
        ),
        ("drops: latest", "drops: newest", ""),
        (
            "recipients:",
            "scoring: { carry: [vin, year] }\nrecipients:",
            "scoring.carry[1]: `year` is in the schema or the target already",
        ),
        (
            "recipients:",
            "scoring: { carry: [price_USD] }\nrecipients:",
            "scoring.carry[0]: `price_USD` is in the schema or the target already",
        ),
        (
            "recipients:",
            "scoring: { carry: [vin, vin] }\nrecipients:",
            "scoring.carry[1]: `vin` is empty or named twice",
        ),
        (
            "recipients:",
            "scoring: { carry: [c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17, c18, c19, c20, \
             c21, c22, c23, c24] }\nrecipients:",
            "scoring.carry: names more columns than",
        ),
    ] {
        if expected.is_empty() {
            let text = example().replace(original, changed);
            assert!(serde_saphyr::from_str::<UseCase>(&text).is_err(), "{changed}");
            continue;
        }
        let found = mistakes_after(original, changed);
        assert!(
            found.iter().any(|mistake| mistake.starts_with(expected)),
            "{changed}: {found:?}"
        );
    }
}

#[test]
fn hyperparameters_at_their_bounds_are_sound() {
    for (original, changed) in [
        ("eta: 0.05", "eta: 0"),
        ("eta: 0.05", "eta: \"1e-2\""),
        ("subsample: 0.8", "subsample: 1"),
        ("max_depth: 6", "max_depth: 0"),
        ("epochs: 40", "l1: auto"),
        ("epochs: 40", "wd: 0"),
        ("epochs: 40", "learning_rate: auto"),
    ] {
        assert_eq!(mistakes_after(original, changed), Vec::<String>::new(), "{changed}");
    }
}

#[test]
fn a_document_stored_before_a_mistake_was_known_goes_on() {
    let mut document: UseCase = serde_saphyr::from_str(&example()).unwrap();
    document.cleaning.duplicate_columns = Some(Vec::new());
    assert_eq!(document.validate(), []);
    assert_ne!(document.validate_new(), []);
}

#[test]
fn the_schema_hash_follows_columns_types_order_and_target_alone() {
    let document: UseCase = serde_saphyr::from_str(&example()).unwrap();
    let hash = document.schema_hash();
    assert_eq!(hash.len(), 6);
    let other = |change: fn(&mut UseCase)| {
        let mut changed = document.clone();
        change(&mut changed);
        changed.schema_hash()
    };
    assert_eq!(other(|it| it.models[0].threshold_rmse = 1.0), hash);
    assert_ne!(other(|it| it.schema.columns.swap(0, 1)), hash);
    assert_ne!(
        other(|it| it.schema.columns[0].kind = contracts::use_case::ColumnType::Number),
        hash
    );
    assert_ne!(other(|it| it.target.name = "price".to_owned()), hash);
}
