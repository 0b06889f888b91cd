use super::*;
use contracts::RunId;
use contracts::names::Step;
use fake_aws::{FakeAws, Reply};
use serde_json::{Value, json};

const RUN: &str = "20261122t183000z-ab12cd34";

fn platform() -> Platform {
    let machine = |name: &str| format!("arn:aws:states:us-east-1:123456789012:stateMachine:dev-{name}");
    Platform {
        topic_arn: "arn:aws:sns:us-east-1:123456789012:dev".to_owned(),
        training_state_machine_arn: machine("training"),
        scoring_state_machine_arn: machine("scoring"),
        monitor_state_machine_arn: machine("monitor"),
        ..Platform::of_tests("bucket")
    }
}

/// A stack with the use cases `cars` and `vans`; both have had a run of the model `m`.
fn stack() -> FakeAws {
    let aws = FakeAws::new();
    for use_case in ["cars", "vans"] {
        aws.put_object("bucket", &places::use_case::config(use_case), b"{}");
        aws.put_object("bucket", &format!("{use_case}/runs/{RUN}/run.json"), b"{}");
        aws.put_object("bucket", &format!("{use_case}/runs/{RUN}/decisions/m.json"), b"{}");
        let pointer = r#"{"uri": "s3://bucket/c", "version_id": "v", "sha256": "s"}"#;
        aws.put_parameter(&places::parameters::config("dev", use_case), pointer);
    }
    let none = "<ListSubscriptionsByTopicResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">\
                <ListSubscriptionsByTopicResult><Subscriptions/></ListSubscriptionsByTopicResult>\
                </ListSubscriptionsByTopicResponse>";
    aws.on("ListSubscriptionsByTopic", move |_| Reply::bytes(200, "text/xml", none));
    aws.on("Invoke", |_| Reply::json(200, json!({"deleted": [], "held": []})));
    aws.on("DeleteModel", |_| Reply::json(200, json!({})));
    aws.on("DeleteEndpointConfig", |_| Reply::json(200, json!({})));
    aws
}

fn name(use_case: &str, step: Step) -> String {
    names::model_step("dev", use_case, "m", &RunId::parse(RUN).unwrap(), step)
}

async fn offboard(aws: &FakeAws, use_case: &str, anyway: bool, delete_data: bool) -> Result<Vec<String>> {
    let target = Target::with_config("dev", aws.sdk_config());
    let command = Offboard {
        use_case: use_case.to_owned(),
        anyway,
        delete_data,
        confirm: Some(use_case.to_owned()),
    };
    command.offboard(&target, &platform()).await.map(|done| done.0)
}

async fn start(aws: &FakeAws, machine: &str, run: &str, input: Value) {
    let sfn = aws_sdk_sfn::Client::new(&aws.sdk_config());
    let start = sfn.start_execution().name(run).input(input.to_string());
    let arn = format!("arn:aws:states:us-east-1:123456789012:stateMachine:dev-{machine}");
    start.state_machine_arn(arn).send().await.unwrap();
}

#[tokio::test]
async fn runs_under_way_are_named_and_keep_it_in_service_unless_it_is_wanted_anyway() {
    let aws = stack();
    start(&aws, "training", RUN, json!({"use_case": "cars"})).await;
    start(
        &aws,
        "scoring",
        "20261122t183000z-00000002",
        json!({"use_case": "vans"}),
    )
    .await;
    start(
        &aws,
        "monitor",
        "20261122t183000z-00000003",
        json!({"run": {"use_case": "cars", "model": "m"}}),
    )
    .await;
    let error = offboard(&aws, "cars", false, false).await.unwrap_err().to_string();
    assert!(
        error.contains("2 runs of `cars` are under way") && error.contains(&format!("training {RUN}")),
        "{error}"
    );
    assert!(
        error.contains("monitoring 2026") && error.contains("--anyway"),
        "{error}"
    );
    assert!(!error.contains("00000002"), "{error}");
    assert_eq!(aws.keys("bucket", "use-cases/cars/config.json").len(), 1);
    offboard(&aws, "cars", true, false).await.unwrap();
    assert!(aws.keys("bucket", "use-cases/cars/config.json").is_empty());
}

#[tokio::test]
async fn what_was_removed_is_told_as_such_and_what_never_was_with_what_there_is() {
    let aws = stack();
    offboard(&aws, "cars", false, false).await.unwrap();
    let again = offboard(&aws, "cars", false, false).await.unwrap();
    assert_eq!(again[0], "`cars` was removed already at 2026-11-22 18:30:00 UTC");
    assert!(!again.iter().any(|line| line.contains("config.json")), "{again:?}");
    assert!(
        again.iter().any(|line| line.contains("s3://bucket/cars/ stays")),
        "{again:?}"
    );
    for unknown in ["trucks", "Trucks", "models"] {
        let error = offboard(&aws, unknown, false, false).await.unwrap_err().to_string();
        assert!(
            error.contains(&format!("no use case `{unknown}` (it has vans)")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn its_models_and_configurations_go_with_its_data_and_nobody_elses() {
    let aws = stack();
    let champion = json!({
        "use_case": "cars", "model": "m", "run_id": RUN, "config_version": "v", "image": "i", "training_job": "t",
        "model_name": "dev-cars-m-of-before", "endpoint_name": "e", "endpoint_config": "dev-cars-conf-of-before",
        "variant_name": "AllTraffic", "schema_hash": "123456", "columns": ["year"], "holdout_rmse": 1.0,
        "holdout_rows": 8, "exported_at": "2026-11-22T18:30:00Z",
    });
    aws.put_object_json("bucket", "use-cases/cars/models/m/history/a.json", &champion);
    let model =
        |name: String| json!({"ModelName": name, "ModelArn": "arn:aws:sagemaker:::model/m", "CreationTime": 1.0});
    aws.reply(
        "ListModels",
        [
            Reply::json(
                200,
                json!({"Models": [model(name("cars", Step::Model) + "-0"), model(name("vans", Step::Model) + "-0")],
                       "NextToken": "more"}),
            ),
            Reply::json(
                200,
                json!({"Models": [model("dev-cars-m-of-before".to_owned()), model("dev--cars-m-other-model-0".to_owned())]}),
            ),
        ],
    );
    let config = |name: String| json!({"EndpointConfigName": name, "EndpointConfigArn": "arn:aws:sagemaker:::endpoint-config/c", "CreationTime": 1.0});
    aws.reply(
        "ListEndpointConfigs",
        [Reply::json(
            200,
            json!({"EndpointConfigs": [config(name("cars", Step::Config) + "-11"), config(name("vans", Step::Config) + "-10"),
                                       config("dev-cars-conf-of-before".to_owned())]}),
        )],
    );
    let done = offboard(&aws, "cars", false, true).await.unwrap();
    let deleted = |operation: &str, field: &str| {
        let calls = aws.calls_of(operation);
        let mut names: Vec<String> = calls
            .iter()
            .map(|it| it.json()[field].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    let cars_model = name("cars", Step::Model) + "-0";
    assert_eq!(
        deleted("DeleteModel", "ModelName"),
        [cars_model, "dev-cars-m-of-before".to_owned()]
    );
    let cars_config = name("cars", Step::Config) + "-11";
    assert_eq!(
        deleted("DeleteEndpointConfig", "EndpointConfigName"),
        [cars_config, "dev-cars-conf-of-before".to_owned()]
    );
    let told = "2 models and 2 endpoint configurations are deleted in SageMaker";
    assert!(done.iter().any(|line| line == told), "{done:?}");
    assert!(aws.keys("bucket", "cars/").is_empty() && aws.keys("bucket", "use-cases/cars/").is_empty());
    assert_eq!(aws.keys("bucket", "vans/").len(), 2);
}

#[tokio::test]
async fn data_that_an_endpoint_still_goes_by_stays() {
    let aws = stack();
    aws.on("ListModels", |_| Reply::json(200, json!({"Models": []})));
    aws.on("ListEndpointConfigs", |_| {
        Reply::json(200, json!({"EndpointConfigs": []}))
    });
    aws.reply(
        "Invoke",
        [
            Reply::json(200, json!({"deleted": [], "held": ["dev--cars-m"]})),
            Reply::json(200, json!({"deleted": ["dev--cars-m"], "held": []})),
        ],
    );
    let error = offboard(&aws, "cars", false, true).await.unwrap_err().to_string();
    assert!(
        error.contains("endpoint dev--cars-m") && error.contains("again"),
        "{error}"
    );
    assert_eq!(aws.keys("bucket", "cars/").len(), 2);
    offboard(&aws, "cars", false, true).await.unwrap();
    assert!(aws.keys("bucket", "cars/").is_empty());
}
