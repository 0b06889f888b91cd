use super::*;
use crate::settings::Images;
use contracts::RunId;

fn document() -> UseCase {
    let document: UseCase = serde_json::from_str(include_str!("../../../tests/documents/used-car-price.json")).unwrap();
    assert_eq!(document.validate(), []);
    document
}

fn plan_of(document: &UseCase) -> Plan {
    let settings = Settings {
        stack: "dev".to_owned(),
        bucket: "drivetrain-dev".to_owned(),
        topic_arn: "arn:aws:sns:us-east-1:123456789012:notices".to_owned(),
        training_state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:dev-training".to_owned(),
        scoring_state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:dev-scoring".to_owned(),
        monitor_state_machine_arn: "arn:aws:states:us-east-1:123456789012:stateMachine:dev-monitor".to_owned(),
        endpoint_poll_seconds: 30,
        images: Images {
            xgboost: "xgboost:3.0-5".to_owned(),
            linear_learner: "linear-learner:1".to_owned(),
            sklearn: "sklearn:1.2-1".to_owned(),
            monitor: "drivetrain-monitor:latest".to_owned(),
        },
    };
    let job = Job {
        run_id: &RunId::parse("20261122t183000z-ab12cd34").unwrap(),
        config_version: "config-version-7",
        onboarding: Some("2026-11-01T08:00:00Z"),
        started_by_drift: false,
    };
    plan(document, &settings, &job)
}

#[test]
fn the_plan_of_two_algorithms_and_an_own_image() {
    insta::assert_json_snapshot!(plan_of(&document()));
}

#[test]
fn branches_have_the_same_paths() {
    let plan = plan_of(&document());
    let paths: Vec<Vec<String>> = plan
        .models
        .iter()
        .map(|model| {
            let mut paths = Vec::new();
            collect_paths("$", &serde_json::to_value(model).unwrap(), &mut paths);
            // What differs between models, and no path of a state machine goes into.
            paths.retain(|path| {
                !["HyperParameters.", "MetricDefinitions", "Environment."]
                    .iter()
                    .any(|part| path.contains(part))
            });
            paths
        })
        .collect();
    assert_eq!(paths[0], paths[1]);
    assert_eq!(paths[0], paths[2]);
}

fn collect_paths(path: &str, value: &Value, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| collect_paths(&format!("{path}.{name}"), value, paths)),
        Value::Null => panic!("{path} is null"),
        _ => paths.push(path.to_owned()),
    }
}

#[test]
fn an_own_image_that_answers_json_is_normalised() {
    let mut document = document();
    document.models[2].answers = Answers::Json;
    let pipeline = &plan_of(&document).models[2].pipeline;
    assert!(pipeline.normalise);
    assert_eq!(
        pipeline.algorithm["Environment"]["SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT"],
        "application/json"
    );
}

#[test]
fn filters_fit_sagemaker() {
    let mut document = document();
    let column = document.schema.columns[0].clone();
    document.schema.columns = vec![column; 5000];
    let filter = plan_of(&document).models[0].holdout["DataProcessing"]["OutputFilter"].clone();
    assert_eq!(filter, "$[0,1,5002]");
}
