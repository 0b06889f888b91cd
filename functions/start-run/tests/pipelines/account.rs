//! An account with a use case of two models, and the function in it.

use fake_aws::{FakeAws, Reply};
use jiff::Timestamp;
use serde_json::{Value, json};
use start_run::{Error, Images, Outcome, Response, Settings, StartRun};

pub const BUCKET: &str = "drivetrain-dev";
pub const CONFIG: &str = "use-cases/cars/config.json";
/// The run that trained the champions.
pub const CHAMPION: &str = "20261101t000000z-ab12cd34";

pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

/// The document; `more` is what it says beside columns and models.
pub fn document(more: &Value) -> Value {
    let model = |name: &str| json!({"name": name, "algorithm": "xgboost", "metric": {"name": "validation:rmse"}, "threshold_rmse": 9000});
    let mut document = json!({
        "use_case": "cars",
        "schema": {"columns": [
            {"name": "year", "type": "integer", "required": true},
            {"name": "fuel", "type": "category"},
        ]},
        "target": {"name": "price"},
        "models": [model("one"), model("two")],
    });
    for (name, value) in more.as_object().unwrap() {
        document[name] = value.clone();
    }
    document
}

/// An account with that document.
pub fn account(more: &Value) -> FakeAws {
    let aws = FakeAws::new();
    aws.on("DescribeModel", |request| {
        let name = &request.json()["ModelName"];
        Reply::json(
            200,
            json!({"ModelName": name, "ModelArn": "arn:aws:sagemaker:::model/m", "CreationTime": 1.0}),
        )
    });
    aws.set_now(std::time::SystemTime::from(at("2026-11-22T18:00:00Z")));
    onboard(&aws, more);
    aws
}

/// Stores the document, or another version of it.
pub fn onboard(aws: &FakeAws, more: &Value) {
    onboard_under(aws, more, &Value::Null);
}

/// The same, under an onboarding.
pub fn onboard_under(aws: &FakeAws, more: &Value, onboarding: &Value) {
    let text = document(more).to_string();
    let version_id = aws.put_object(BUCKET, CONFIG, &text);
    let pointer = json!({
        "uri": format!("s3://{BUCKET}/{CONFIG}"), "version_id": version_id,
        "sha256": contracts::pointer::sha256(text.as_bytes()), "onboarding": onboarding,
    });
    aws.put_parameter("/drivetrain/dev/cars/config", &pointer.to_string());
}

/// Removes the use case; its files stay.
pub fn offboard(aws: &FakeAws) {
    aws.delete_parameter("/drivetrain/dev/cars/config");
    aws.delete_object(BUCKET, CONFIG);
}

/// Exports a champion of the document's schema.
pub fn export(aws: &FakeAws, model: &str) {
    let document: contracts::UseCase = serde_json::from_value(document(&json!({}))).unwrap();
    let champion = json!({
        "use_case": "cars", "model": model, "run_id": CHAMPION, "config_version": "v", "image": "i",
        "training_job": "t", "model_name": format!("pipeline-{model}"), "endpoint_name": "e",
        "endpoint_config": format!("config-{model}"), "variant_name": "AllTraffic",
        "schema_hash": document.schema_hash(), "columns": ["year", "fuel"], "holdout_rmse": 1.0, "holdout_rows": 8,
        "exported_at": "2026-11-01T01:00:00Z",
    });
    let key = format!("use-cases/cars/models/{model}/champion.json");
    aws.put_object(BUCKET, &key, champion.to_string());
}

/// Exports another champion in the place of that one.
pub fn replace(aws: &FakeAws, model: &str, run: &str) {
    let folder = format!("use-cases/cars/models/{model}/");
    let key = format!("{folder}champion.json");
    let mut champion = aws.object_json(BUCKET, &key).unwrap();
    let former = format!("{folder}history/{}.json", champion["run_id"].as_str().unwrap());
    aws.put_object(BUCKET, &former, champion.to_string());
    champion["run_id"] = run.into();
    champion["model_name"] = format!("newer-{model}").into();
    aws.put_object(BUCKET, &key, champion.to_string());
}

/// Drops a file and gives its event.
pub fn dropped(aws: &FakeAws, key: &str, content: &str) -> Value {
    let mut event = recorded(include_str!("../events/object-created.json"));
    event["detail"]["object"]["key"] = key.into();
    event["detail"]["object"]["version-id"] = aws.put_object(BUCKET, key, content).into();
    event
}

/// The event of a training run's end.
pub fn ended(aws: &FakeAws, run: &str) -> Value {
    let execution = aws.executions().into_iter().find(|it| it.name == run).unwrap();
    let mut event = recorded(include_str!("../events/training-ended.json"));
    event["detail"]["executionArn"] = execution.arn.into();
    event["detail"]["name"] = run.into();
    event["detail"]["status"] = execution.status.into();
    event["detail"]["input"] = execution.input.to_string().into();
    event
}

/// The clock's event.
pub fn tick(time: &str) -> Value {
    let mut event = recorded(include_str!("../events/scheduled-event.json"));
    event["time"] = time.into();
    event
}

/// A recorded event.
pub fn recorded(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

pub async fn call_at(aws: &FakeAws, request: Value, now: &str) -> Result<Response, Error> {
    let machine = |name: &str| format!("arn:aws:states:us-east-1:123456789012:stateMachine:dev-{name}");
    let settings = Settings {
        stack: "dev".to_owned(),
        bucket: BUCKET.to_owned(),
        topic_arn: "arn:aws:sns:us-east-1:123456789012:notices".to_owned(),
        training_state_machine_arn: machine("training"),
        scoring_state_machine_arn: machine("scoring"),
        monitor_state_machine_arn: machine("monitor"),
        endpoint_poll_seconds: 30,
        images: Images {
            xgboost: "xgboost:3.0-5".to_owned(),
            linear_learner: "linear-learner:1".to_owned(),
            sklearn: "sklearn:1.2-1".to_owned(),
            monitor: "drivetrain-monitor:latest".to_owned(),
        },
    };
    StartRun::new(&aws.sdk_config(), settings)
        .handle(request, at(now))
        .await
}

pub async fn call(aws: &FakeAws, request: Value) -> Response {
    call_at(aws, request, "2026-11-22T18:00:05Z").await.unwrap()
}

pub async fn outcome(aws: &FakeAws, request: Value) -> Outcome {
    call(aws, request).await.outcome
}

/// The names of the machines that were started, in order.
pub fn machines(aws: &FakeAws) -> Vec<String> {
    let executions = aws.executions().into_iter();
    executions
        .map(|it| it.arn.split(':').nth(6).unwrap().to_owned())
        .collect()
}

pub fn manifest(aws: &FakeAws, run: &str) -> Value {
    aws.object_json(BUCKET, &format!("cars/runs/{run}/run.json")).unwrap()
}
