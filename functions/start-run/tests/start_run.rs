//! The function against an AWS in memory, called with recorded events.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use fake_aws::{FakeAws, Reply};
use jiff::Timestamp;
use serde_json::{Value, json};
use start_run::{Error, Images, Outcome, Response, Settings, StartRun};

const BUCKET: &str = "drivetrain-dev";
const KEY: &str = "used-car-price/training/incoming/listings.csv";
const CONTENT: &str = "price,year,model,odometer,title_status\n9000,2011,c300,80000,clean\n";
const DOCUMENT: &str = include_str!("documents/used-car-price.json");
/// The run of the version that the recorded event names.
const RUN: &str = "20261122t183000z-b6fd7717";

fn now() -> Timestamp {
    "2026-11-22T18:30:02Z".parse().unwrap()
}

/// An account with the use case's document.
fn onboarded() -> FakeAws {
    let aws = FakeAws::new();
    onboard(&aws, DOCUMENT);
    aws
}

fn onboard(aws: &FakeAws, document: &str) {
    let version_id = aws.put_object(BUCKET, "use-cases/used-car-price/config.json", document);
    let pointer = json!({
        "uri": format!("s3://{BUCKET}/use-cases/used-car-price/config.json"),
        "version_id": version_id,
        "sha256": contracts::pointer::sha256(document.as_bytes()),
    });
    aws.put_parameter("/drivetrain/dev/used-car-price/config", &pointer.to_string());
}

fn event() -> Value {
    serde_json::from_str(include_str!("events/object-created.json")).unwrap()
}

/// Drops a file and gives its event.
fn dropped(aws: &FakeAws, key: &str, content: impl AsRef<[u8]>) -> Value {
    let mut event = event();
    event["detail"]["object"]["key"] = key.into();
    event["detail"]["object"]["version-id"] = aws.put_object(BUCKET, key, content).into();
    event
}

async fn call(aws: &FakeAws, request: Value) -> Result<Response, Error> {
    let settings = Settings {
        stack: "dev".to_owned(),
        bucket: BUCKET.to_owned(),
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
    StartRun::new(&aws.sdk_config(), settings).handle(request, now()).await
}

async fn outcome(aws: &FakeAws, request: Value) -> Outcome {
    call(aws, request).await.unwrap().outcome
}

fn manifest(aws: &FakeAws, run: &str) -> Value {
    aws.object_json(BUCKET, &format!("used-car-price/runs/{run}/run.json"))
        .unwrap()
}

#[tokio::test]
async fn a_drop_becomes_a_run() {
    let aws = onboarded();
    assert_eq!(aws.put_object(BUCKET, KEY, CONTENT), "version-0002");
    let response = call(&aws, event()).await.unwrap();
    insta::assert_json_snapshot!("response_of_a_drop", response);
    insta::assert_json_snapshot!("manifest_of_a_drop", manifest(&aws, RUN));

    let execution = &aws.executions()[0];
    assert_eq!(execution.name, RUN);
    assert_eq!(execution.arn, response.execution_arn.unwrap());
    assert_eq!(execution.input["config_version"], "version-0001");
    let plan: contracts::Plan = serde_json::from_value(execution.input.clone()).unwrap();
    assert_eq!(plan.models.len(), 3);

    let folder = format!("used-car-price/runs/{RUN}/");
    let keys: Vec<String> = aws
        .keys(BUCKET, &folder)
        .iter()
        .map(|key| key[folder.len()..].to_owned())
        .collect();
    insta::assert_json_snapshot!("keys_of_a_run", keys);
    assert_eq!(
        aws.object(BUCKET, &format!("{folder}input/listings.csv")).unwrap(),
        CONTENT.as_bytes()
    );
    let document: contracts::UseCase =
        serde_json::from_value(aws.object_json(BUCKET, &format!("{folder}code/use-case.json")).unwrap()).unwrap();
    assert_eq!(document.use_case, "used-car-price");
    assert!(aws.published().is_empty());
}

#[tokio::test]
async fn the_same_event_starts_nothing_again_even_after_the_run() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, CONTENT);
    let first = call(&aws, event.clone()).await.unwrap();
    aws.end_execution(&first.run_id.clone().unwrap().to_string());
    let again = call(&aws, event).await.unwrap();
    assert_eq!(again.outcome, Outcome::Duplicate);
    assert_eq!((again.run_id, again.execution_arn), (first.run_id, first.execution_arn));
    assert_eq!(aws.calls_of("StartExecution").len(), 1);
}

#[tokio::test]
async fn a_new_version_is_a_new_run_of_its_own_content() {
    let aws = FakeAws::new();
    let two_at_once = r#""drops": {"max_concurrent_runs": 2, "#;
    onboard(&aws, &DOCUMENT.replace(r#""drops": {"#, two_at_once));
    let first = dropped(&aws, KEY, CONTENT);
    let newer = format!("{CONTENT}8000,2010,c300,90000,clean\n");
    let second = dropped(&aws, KEY, &newer);
    // The older version's event comes last, and when the newer version is the current one.
    let second = call(&aws, second).await.unwrap().run_id.unwrap();
    let first = call(&aws, first).await.unwrap().run_id.unwrap();
    assert_eq!(aws.executions().len(), 2);
    let input = |run| {
        aws.object(BUCKET, &format!("used-car-price/runs/{run}/input/listings.csv"))
            .unwrap()
    };
    assert_eq!(input(first), CONTENT.as_bytes());
    assert_eq!(input(second), newer.as_bytes());
}

#[tokio::test]
async fn a_call_that_died_is_carried_on() {
    for operation in ["GetObject", "CopyObject", "StartExecution", "PutObject"] {
        let aws = onboarded();
        let event = dropped(&aws, KEY, CONTENT);
        if operation == "GetObject" || operation == "PutObject" {
            aws.before("HeadObject", "", move |aws| {
                aws.fail_next(operation, Reply::error(503, "SlowDown", "slow down"));
            });
        } else {
            aws.fail_next(operation, Reply::error(503, "SlowDown", "slow down"));
        }
        let error = call(&aws, event.clone()).await.unwrap_err();
        assert_eq!(error.error_type(), "AwsCallFailed", "{operation}");
        assert!(aws.executions().is_empty());
        assert_eq!(outcome(&aws, event).await, Outcome::Started, "{operation}");
        assert_eq!(aws.executions().len(), 1);
    }
}

#[tokio::test]
async fn an_execution_that_was_started_without_a_word_is_not_started_twice() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, CONTENT);
    aws.fail_next_after_doing("StartExecution", Reply::connection_lost());
    call(&aws, event.clone()).await.unwrap_err();
    let execution = aws.executions()[0].clone();
    aws.end_execution(&execution.name);
    let response = call(&aws, event).await.unwrap();
    assert_eq!(response.outcome, Outcome::Started);
    assert_eq!(response.execution_arn, Some(execution.arn));
    assert_eq!(aws.executions().len(), 1);
}

#[tokio::test]
async fn a_run_that_is_carried_on_keeps_the_document_that_it_was_claimed_with() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, CONTENT);
    aws.fail_next("CopyObject", Reply::error(500, "InternalError", "try again"));
    call(&aws, event.clone()).await.unwrap_err();
    onboard(
        &aws,
        &DOCUMENT.replace("\"threshold_rmse\": 9000", "\"threshold_rmse\": 1"),
    );
    assert_eq!(outcome(&aws, event).await, Outcome::Started);
    let plan = &aws.executions()[0].input;
    assert_eq!(plan["config_version"], "version-0001");
    assert_eq!(plan["models"][0]["threshold_rmse"], 9000.0);
}

#[tokio::test]
async fn two_calls_at_once_start_one_execution() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, CONTENT);
    let (one, other) = tokio::join!(call(&aws, event.clone()), call(&aws, event));
    assert_eq!(one.unwrap().run_id, other.unwrap().run_id);
    assert_eq!(aws.executions().len(), 1);
    assert_eq!(
        aws.keys(BUCKET, "used-car-price/runs/")
            .iter()
            .filter(|key| key.ends_with("run.json"))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_bad_file_is_refused_once_and_stays() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, "cost,year,model,odometer,title_status\n1,2,3,4,5\n");
    let response = call(&aws, event.clone()).await.unwrap();
    insta::assert_json_snapshot!("response_of_a_bad_file", response);
    let run = response.run_id.unwrap().to_string();
    assert_eq!(manifest(&aws, &run)["state"], "refused");

    let again = call(&aws, event).await.unwrap();
    assert_eq!(again.outcome, Outcome::Duplicate);
    assert_eq!(again.reason, response.reason);

    let published = aws.published();
    assert_eq!(published.len(), 1);
    assert_eq!(published[0].attributes["use_case"], "used-car-price");
    assert_eq!(published[0].attributes["severity"], "warning");
    assert_eq!(
        published[0].subject.as_deref(),
        Some("[drivetrain] used-car-price: listings.csv was refused")
    );
    insta::assert_snapshot!("notice_of_a_bad_file", published[0].message);
    assert!(aws.executions().is_empty());
    assert!(aws.object(BUCKET, KEY).is_some());
    assert!(
        aws.keys(BUCKET, &format!("used-car-price/runs/{run}/input/"))
            .is_empty()
    );
}

#[tokio::test]
async fn empty_and_large_files_are_refused_unread() {
    let aws = onboarded();
    for content in [String::new(), "x".repeat(1_000_001)] {
        let event = dropped(&aws, KEY, content);
        assert_eq!(outcome(&aws, event).await, Outcome::Refused);
    }
    assert!(
        aws.calls_of("GetObject")
            .iter()
            .all(|call| !call.path.contains("incoming"))
    );
    assert_eq!(aws.published().len(), 2);
}

#[tokio::test]
async fn only_the_beginning_of_a_file_is_read() {
    let aws = onboarded();
    let event = dropped(
        &aws,
        KEY,
        format!("{CONTENT}{}", "9000,2011,c300,80000,clean\n".repeat(10_000)),
    );
    assert_eq!(outcome(&aws, event).await, Outcome::Started);
    let reads = aws.calls_of("GetObject");
    let read = reads.iter().find(|call| call.path.contains("incoming")).unwrap();
    assert_eq!(read.header("range"), Some("bytes=0-65535"));
}

#[tokio::test]
async fn people_are_told_of_a_refusal_even_when_the_first_call_died() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, "");
    aws.fail_next("Publish", Reply::error(500, "InternalError", "try again"));
    call(&aws, event.clone()).await.unwrap_err();
    assert_eq!(outcome(&aws, event.clone()).await, Outcome::Refused);
    assert_eq!(outcome(&aws, event).await, Outcome::Duplicate);
    assert_eq!(aws.published().len(), 1);
}

#[tokio::test]
async fn of_two_calls_at_once_one_tells_people() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, "");
    let (one, other) = tokio::join!(call(&aws, event.clone()), call(&aws, event));
    for outcome in [one.unwrap().outcome, other.unwrap().outcome] {
        assert!(matches!(outcome, Outcome::Duplicate | Outcome::Refused), "{outcome:?}");
    }
    assert_eq!(aws.published().len(), 1);
}

#[tokio::test]
async fn a_drop_for_an_unknown_use_case_is_refused_and_can_be_run_once_it_is_known() {
    let aws = FakeAws::new();
    let event = dropped(&aws, KEY, CONTENT);
    let response = call(&aws, event.clone()).await.unwrap();
    assert_eq!(response.outcome, Outcome::Refused);
    assert!(
        response
            .reason
            .unwrap()
            .contains("which has no document. Store it with `drivetrain onboard")
    );
    assert_eq!(aws.published()[0].attributes["use_case"], "used-car-price");

    onboard(&aws, DOCUMENT);
    assert_eq!(outcome(&aws, event).await, Outcome::Duplicate);
    let rerun = json!({"rerun": response.run_id.unwrap().to_string(), "use_case": "used-car-price"});
    assert_eq!(outcome(&aws, rerun).await, Outcome::Started);
}

#[tokio::test]
async fn an_unsound_document_refuses_the_drop() {
    let aws = FakeAws::new();
    onboard(
        &aws,
        &DOCUMENT.replace("\"threshold_rmse\": 9000", "\"threshold_rmse\": -1"),
    );
    let event = dropped(&aws, KEY, CONTENT);
    let response = call(&aws, event).await.unwrap();
    assert_eq!(response.outcome, Outcome::Refused);
    assert!(
        response
            .reason
            .unwrap()
            .contains("models[0].threshold_rmse: must be a number above 0")
    );
}

#[tokio::test]
async fn a_document_too_large_for_an_execution_refuses_the_drop() {
    let aws = FakeAws::new();
    let mut document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let columns: Vec<Value> = (0..4000)
        .map(|n| json!({"name": format!("a rather long name {n}"), "type": "number", "required": true}))
        .collect();
    let header = columns
        .iter()
        .map(|column| column["name"].as_str().unwrap())
        .collect::<Vec<_>>()
        .join(",");
    document["schema"]["columns"] = columns.into();
    onboard(&aws, &document.to_string());
    // Longer than what is looked at would be refused for that.
    let header = format!("price,{}", &header);
    assert!(header.len() > 65_536);
    let event = dropped(&aws, KEY, format!("{header}\n1\n"));
    assert!(
        call(&aws, event)
            .await
            .unwrap()
            .reason
            .unwrap()
            .contains("no end of its header")
    );

    document["schema"]["columns"].as_array_mut().unwrap().truncate(2600);
    let names: Vec<&str> = header.split(',').take(2601).collect();
    onboard(&aws, &document.to_string());
    let event = dropped(&aws, KEY, format!("{}\n1\n", names.join(",")));
    let response = call(&aws, event).await.unwrap();
    assert!(
        response
            .reason
            .unwrap()
            .contains("(3 models of 2600 columns); 204800 fit into an execution")
    );
    assert!(aws.executions().is_empty());
}

#[tokio::test]
async fn a_version_that_is_gone_is_refused() {
    let aws = onboarded();
    let mut event = event();
    event["detail"]["object"]["version-id"] = "gone".into();
    let response = call(&aws, event).await.unwrap();
    insta::assert_json_snapshot!("response_of_a_version_that_is_gone", response);
    assert_eq!(aws.published().len(), 1);
}

#[tokio::test]
async fn a_deleted_file_still_runs_by_its_version() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, CONTENT);
    aws.delete_object(BUCKET, KEY);
    assert_eq!(outcome(&aws, event).await, Outcome::Started);
}

#[tokio::test]
async fn reruns_count_up_and_go_by_the_present_document() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, CONTENT);
    let first = call(&aws, event.clone()).await.unwrap().run_id.unwrap().to_string();
    dropped(&aws, KEY, "another version");
    onboard(
        &aws,
        &DOCUMENT.replace("\"threshold_rmse\": 9000", "\"threshold_rmse\": 8000"),
    );
    let rerun = json!({"rerun": first, "use_case": "used-car-price"});
    let second = call(&aws, rerun.clone()).await.unwrap();
    assert_eq!(second.outcome, Outcome::Started);
    let second = second.run_id.unwrap().to_string();
    assert_eq!(second, format!("{first}-r2"));
    // A rerun of a rerun is another rerun of the first.
    let third = call(&aws, json!({"rerun": second, "use_case": "used-car-price"}))
        .await
        .unwrap();
    assert_eq!(third.run_id.unwrap().to_string(), format!("{first}-r3"));

    let plan = &aws.executions()[1].input;
    assert_eq!(plan["models"][0]["threshold_rmse"], 8000.0);
    let input = aws.object(BUCKET, &format!("used-car-price/runs/{second}/input/listings.csv"));
    assert_eq!(input.unwrap(), CONTENT.as_bytes());
    assert_eq!(outcome(&aws, event).await, Outcome::Duplicate);
}

#[tokio::test]
async fn a_rerun_that_died_is_carried_on_by_the_next() {
    let aws = onboarded();
    let event = dropped(&aws, KEY, CONTENT);
    let first = call(&aws, event).await.unwrap().run_id.unwrap().to_string();
    let rerun = json!({"rerun": first, "use_case": "used-car-price"});
    aws.fail_next(
        "StartExecution",
        Reply::error(400, "ExecutionLimitExceeded", "too many"),
    );
    call(&aws, rerun.clone()).await.unwrap_err();
    assert_eq!(
        call(&aws, rerun).await.unwrap().run_id.unwrap().to_string(),
        format!("{first}-r2")
    );
}

#[tokio::test]
async fn a_rerun_of_what_never_ran_is_an_error() {
    let aws = onboarded();
    for run in ["20261122t183000z-ab12cd34", "yesterday"] {
        let error = call(&aws, json!({"rerun": run, "use_case": "used-car-price"}))
            .await
            .unwrap_err();
        assert_eq!(error.error_type(), "RunUnknown");
        assert!(error.to_string().contains(run));
    }
}

#[tokio::test]
async fn what_is_no_drop_is_ignored() {
    let aws = onboarded();
    for key in [
        "used-car-price/runs/x/input/listings.csv",
        "used-car-price/training/incoming/",
        "readme.txt",
    ] {
        let event = dropped(&aws, key, CONTENT);
        assert_eq!(outcome(&aws, event).await, Outcome::Ignored, "{key}");
    }
    let mut elsewhere = event();
    elsewhere["detail"]["bucket"]["name"] = "another-bucket".into();
    assert_eq!(outcome(&aws, elsewhere).await, Outcome::Ignored);
    assert!(aws.published().is_empty());
}

#[tokio::test]
async fn keys_are_taken_as_they_are() {
    let aws = onboarded();
    let event = dropped(
        &aws,
        "used-car-price/training/incoming/2026/my cars + trucks é%20?.txt",
        CONTENT,
    );
    let run = call(&aws, event).await.unwrap().run_id.unwrap();
    let copy = format!("used-car-price/runs/{run}/input/my cars + trucks é%20?.txt");
    assert_eq!(aws.object(BUCKET, &copy).unwrap(), CONTENT.as_bytes());
}
