//! Recorded requests by API Gateway, against an account in memory with scripted endpoints.

#![allow(clippy::unwrap_used)]

use aws_lambda_events::apigw::ApiGatewayProxyRequest;
use aws_lambda_events::encodings::Body;
use contracts::places::{parameters, use_case};
use fake_aws::{FakeAws, Reply};
use invoke_endpoints::{Function, Limits};
use serde_json::{Value, json};
use std::time::Duration;

const STACK: &str = "dev";
const BUCKET: &str = "the-bucket";
const USE_CASE: &str = "used-car-price";
const VERSION: &str = "20261122t183000z-ab12cd34";
const REQUEST_ID: &str = "5c1f0a52-6d8e-4f0b-9a3d-2f6f0c7b1e11";
/// What AWS and containers say in these tests, and the beginnings of internal names: none may appear in an answer.
const INTERNAL: [&str; 8] = [
    "arn:",
    "s3://",
    "dev-",
    "the-bucket",
    "/drivetrain",
    "INTERNAL",
    "amazonaws",
    "Exception",
];

fn read(name: &str) -> Value {
    let path = format!("{}/tests/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn event(name: &str) -> Value {
    read(&format!("events/{name}"))
}

fn with_body(content_type: &str, body: &impl ToString) -> Value {
    let mut event = event("json");
    event["headers"]["Content-Type"] = json!(content_type);
    event["body"] = json!(body.to_string());
    event
}

/// An account with the use case and a champion of each model.
fn account() -> FakeAws {
    let aws = FakeAws::new();
    store(&aws, &json!({"combine": {"rule": "max"}}));
    for model in ["xgboost", "linear-learner"] {
        put_champion(&aws, model);
    }
    aws
}

/// Stores the document with the given `prediction`.
fn store(aws: &FakeAws, prediction: &Value) {
    let mut document = read("use-case");
    document["prediction"] = prediction.clone();
    store_document(aws, &document);
}

fn store_document(aws: &FakeAws, document: &Value) {
    let bytes = document.to_string();
    let key = use_case::config(USE_CASE);
    let version_id = aws.put_object(BUCKET, &key, &bytes);
    let sha256 = contracts::pointer::sha256(bytes.as_bytes());
    let pointer = json!({"uri": format!("s3://{BUCKET}/{key}"), "version_id": version_id, "sha256": sha256});
    aws.put_parameter(&parameters::config(STACK, USE_CASE), &pointer.to_string());
}

fn put_champion(aws: &FakeAws, model: &str) {
    put_champion_of_width(aws, model, Some(1_200));
}

fn put_champion_of_width(aws: &FakeAws, model: &str, encoded_row_bytes: Option<u64>) {
    let champion = json!({
        "use_case": USE_CASE, "model": model, "run_id": VERSION, "config_version": "v", "image": "image",
        "training_job": "job", "model_name": "pipeline", "endpoint_name": format!("dev-used-car-price-{model}-a1b2c3"),
        "endpoint_config": "config", "variant_name": "main", "schema_hash": "a1b2c3",
        "columns": ["year", "model", "odometer_mi", "transmission", "fuel"],
        "holdout_rmse": 4000.0, "holdout_rows": 700, "exported_at": "2026-11-22T19:00:00Z",
        "encoded_row_bytes": encoded_row_bytes,
    });
    aws.put_object_json(BUCKET, &use_case::champion(USE_CASE, model), &champion);
}

fn csv(body: &str) -> Reply {
    Reply::bytes(200, "text/csv; charset=utf-8", body.to_owned())
}

fn model_error() -> Reply {
    let message = "INTERNAL: Received server error (500) from dev-used-car-price-xgboost-a1b2c3";
    Reply::error(424, "ModelError", message)
}

/// XGBoost answers 18250.4 and 9000, Linear Learner 17000 and 9500.5, unless scripted otherwise afterwards.
fn both_answer(aws: &FakeAws) {
    aws.reply_to("InvokeEndpoint", "-xgboost-", [csv("18250.4\n9000.0\n")]);
    aws.reply_to("InvokeEndpoint", "-linear-learner-", [csv("17000.0\n9500.5\n")]);
}

fn function(aws: &FakeAws, limits: Limits) -> Function {
    Function::new(&aws.sdk_config(), STACK.to_owned(), BUCKET.to_owned(), limits)
}

fn hurried(deadline_ms: u64) -> Limits {
    Limits {
        deadline: Duration::from_millis(deadline_ms),
        ..Limits::default()
    }
}

/// Status and body. Every error has the same form, and nothing internal in it.
async fn ask(function: &Function, event: Value) -> (i64, Value) {
    let request: ApiGatewayProxyRequest = serde_json::from_value(event).unwrap();
    let response = function.handle(request).await;
    let header = |name: &str| response.headers.get(name).map(|value| value.to_str().unwrap());
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("x-request-id"), Some(REQUEST_ID));
    let Some(Body::Text(text)) = response.body else {
        panic!("no text: {:?}", response.body)
    };
    let body: Value = serde_json::from_str(&text).unwrap();
    if response.status_code != 200 {
        assert_eq!(body["error"]["request_id"], REQUEST_ID);
        assert!(
            body["error"]["message"]
                .as_str()
                .is_some_and(|message| !message.is_empty())
        );
        let leak = INTERNAL.iter().find(|word| text.contains(**word));
        assert_eq!(leak, None, "{text}");
    }
    (response.status_code, body)
}

/// Sends a request, with the default limits.
async fn answer(aws: &FakeAws, event: Value) -> (i64, Value) {
    ask(&function(aws, Limits::default()), event).await
}

fn refused((status, body): &(i64, Value)) -> (i64, &str) {
    (*status, body["error"]["type"].as_str().unwrap_or("no error"))
}

fn values(body: &Value) -> Vec<f64> {
    let predictions = body["predictions"].as_array().unwrap().iter();
    predictions
        .map(|prediction| prediction["value"].as_f64().unwrap())
        .collect()
}

#[tokio::test]
async fn both_models_are_asked_and_the_larger_value_wins() {
    let aws = account();
    both_answer(&aws);
    let (status, body) = answer(&aws, event("json")).await;
    let value = |value: f64| json!({"value": value, "version": VERSION});
    assert_eq!(status, 200);
    assert_eq!(
        body,
        json!({
            "inference_id": "order-4711",
            "predictions": [
                {"id": "order-4711#0", "value": 18250.4, "warnings": [],
                 "models": {"xgboost": value(18250.4), "linear-learner": value(17000.0)}},
                {"id": "order-4711#1", "value": 9500.5,
                 "models": {"xgboost": value(9000.0), "linear-learner": value(9500.5)},
                 "warnings": [{"field": "fuel", "message":
                    "`hydrogen` is not one of the known words (gas, diesel): the models may not know it"}]},
            ],
            "degraded": false,
        })
    );
    let calls = aws.calls_of("InvokeEndpoint");
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!(
            call.text(),
            "2015,\"C-Class, C 300\",60000,automatic,gas\n2009,S 550,98500.5,,hydrogen\n"
        );
        assert_eq!(call.header("content-type"), Some("text/csv"));
        assert_eq!(call.header("accept"), Some("text/csv"));
        assert_eq!(call.header("x-amzn-sagemaker-inference-id"), Some("order-4711"));
    }
}

/// The answer of a model's pipeline to a request for another run's answer.
fn refused_as(run: &str) -> Reply {
    let message = format!("INTERNAL: Received client error (409) from container-1 with message \"run={run}\"");
    let body = json!({"Message": message, "OriginalStatusCode": 409, "OriginalMessage": format!("run={run}")});
    Reply::json(424, body).header("x-amzn-ErrorType", "ModelError")
}

fn versions_asked_for(aws: &FakeAws, endpoint: &str) -> Vec<String> {
    let calls = aws.calls_of("InvokeEndpoint").into_iter();
    let calls = calls.filter(|call| call.path.contains(endpoint));
    calls
        .map(|call| call.header("x-amzn-sagemaker-custom-attributes").unwrap().to_owned())
        .collect()
}

/// The endpoint answers with the new model before anybody can know about it: seconds before its champion is exported.
#[tokio::test]
async fn the_version_is_that_of_the_model_that_answers() {
    let next = "20261123t090000z-cd34ef56";
    let aws = account();
    both_answer(&aws);
    aws.reply_to("InvokeEndpoint", "-xgboost-", [refused_as(next), csv("28548\n9100\n")]);
    let (status, body) = answer(&aws, event("json")).await;
    assert_eq!(status, 200);
    let models = &body["predictions"][0]["models"];
    assert_eq!(models["xgboost"], json!({"value": 28548.0, "version": next}));
    assert_eq!(models["linear-learner"]["version"], VERSION);
    assert_eq!(body["degraded"], false);
    assert_eq!(
        versions_asked_for(&aws, "-xgboost-"),
        [format!("run={VERSION}"), format!("run={next}")]
    );
    assert_eq!(versions_asked_for(&aws, "-linear-learner-"), [format!("run={VERSION}")]);
}

/// The old and the new model alternate until the old instances are gone.
#[tokio::test]
async fn an_endpoint_that_changes_hands_is_asked_a_few_times() {
    let next = "20261123t090000z-cd34ef56";
    let aws = account();
    both_answer(&aws);
    let turns = [refused_as(next), refused_as(VERSION), csv("18250.4\n9000\n")];
    aws.reply_to("InvokeEndpoint", "-xgboost-", turns);
    let (_, body) = answer(&aws, event("json")).await;
    assert_eq!(body["predictions"][0]["models"]["xgboost"]["version"], VERSION);

    let aws = account();
    both_answer(&aws);
    let turns = [next, VERSION, next, VERSION].map(refused_as);
    aws.reply_to("InvokeEndpoint", "-xgboost-", turns);
    let (status, body) = answer(&aws, event("json")).await;
    assert_eq!((status, &body["degraded"]), (200, &json!(true)));
    assert_eq!(versions_asked_for(&aws, "-xgboost-").len(), 4);
}

/// A refusal that names no run, or the one that was asked for, is an error like any other.
#[tokio::test]
async fn a_refusal_that_names_no_other_model_is_a_failure() {
    for run in [VERSION, "", "dev-used-car-price"] {
        let aws = account();
        both_answer(&aws);
        aws.reply_to("InvokeEndpoint", "-xgboost-", [refused_as(run)]);
        let (status, body) = answer(&aws, event("json")).await;
        assert_eq!((status, &body["degraded"]), (200, &json!(true)), "{run}");
        assert_eq!(versions_asked_for(&aws, "-xgboost-").len(), 1);
    }
}

#[tokio::test]
async fn what_is_sent_twice_is_refused_by_name() {
    let aws = account();
    both_answer(&aws);
    let body = r#"{"instances": [{"year": 2015, "\u0079ear": 1995, "model": "S 550"}]}"#;
    let (status, body) = answer(&aws, with_body("application/json", &body)).await;
    assert_eq!(status, 422);
    assert_eq!(
        body["error"]["fields"],
        json!([{"instance": 0, "field": "year", "message": "is given more than once"}])
    );
    assert!(aws.calls_of("InvokeEndpoint").is_empty());
}

#[tokio::test]
async fn csv_is_answered_as_json_with_an_id_that_was_made() {
    for name in ["csv", "csv-base64"] {
        let aws = account();
        both_answer(&aws);
        let (status, body) = answer(&aws, event(name)).await;
        assert_eq!((status, values(&body)), (200, vec![18250.4, 9500.5]), "{name}");
        let id = body["inference_id"].as_str().unwrap();
        assert_eq!(id.len(), 36);
        assert_eq!(body["predictions"][1]["id"], format!("{id}#1"));
        let call = &aws.calls_of("InvokeEndpoint")[0];
        assert_eq!(
            call.text(),
            "2015,\"C-Class, C 300\",60000,automatic,gas\n2009,S 550,98500.5,,\n"
        );
        assert_eq!(call.header("x-amzn-sagemaker-inference-id"), Some(id));
    }
}

#[tokio::test]
async fn a_model_that_fails_is_left_out_or_fails_the_request() {
    let answers = [
        ("an error of its container", model_error()),
        (
            "an endpoint that is gone",
            Reply::error(400, "ValidationError", "INTERNAL: Endpoint dev-x not found"),
        ),
        ("too few numbers", csv("1.0\n")),
        ("no numbers", csv("nan\nnan\n")),
        ("a lost connection", Reply::connection_lost()),
        (
            "throttling that goes on",
            Reply::error(429, "ThrottlingException", "INTERNAL: Rate exceeded"),
        ),
    ];
    for (what, reply) in answers {
        let aws = account();
        both_answer(&aws);
        aws.reply_to("InvokeEndpoint", "-xgboost-", [reply]);
        let (status, body) = answer(&aws, event("json")).await;
        assert_eq!((status, values(&body)), (200, vec![17000.0, 9500.5]), "{what}");
        assert_eq!(body["degraded"], true, "{what}");
        assert_eq!(
            body["predictions"][0]["models"],
            json!({"linear-learner": {"value": 17000.0, "version": VERSION}}),
            "{what}"
        );
        store(&aws, &json!({"when_a_model_fails": "fail"}));
        assert_eq!(
            refused(&answer(&aws, event("json")).await),
            (502, "ModelFailed"),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_late_model_is_left_out_or_fails_the_request() {
    let aws = account();
    both_answer(&aws);
    aws.reply_to("InvokeEndpoint", "-linear-learner-", [Reply::hang()]);
    let (status, body) = ask(&function(&aws, hurried(1000)), event("json")).await;
    assert_eq!((status, values(&body)), (200, vec![18250.4, 9000.0]));
    assert_eq!(body["degraded"], true);
    store(&aws, &json!({"when_a_model_fails": "fail"}));
    let strict = ask(&function(&aws, hurried(300)), event("json")).await;
    assert_eq!(refused(&strict), (504, "ModelLate"));
}

#[tokio::test]
async fn without_any_model_there_is_no_answer() {
    let aws = account();
    aws.reply("InvokeEndpoint", [model_error()]);
    assert_eq!(refused(&answer(&aws, event("json")).await), (502, "ModelFailed"));
    aws.reply("InvokeEndpoint", [Reply::hang()]);
    let late = ask(&function(&aws, hurried(300)), event("json")).await;
    assert_eq!(refused(&late), (504, "ModelLate"));
}

#[tokio::test]
async fn a_rule_that_names_a_model_needs_that_model_alone() {
    let aws = account();
    both_answer(&aws);
    store(&aws, &json!({"combine": {"rule": "model", "model": "xgboost"}}));
    aws.reply_to("InvokeEndpoint", "-linear-learner-", [model_error()]);
    let (status, body) = answer(&aws, event("json")).await;
    assert_eq!(
        (status, values(&body), &body["degraded"]),
        (200, vec![18250.4, 9000.0], &json!(true))
    );
    // The other model is late; the result depends on how the named one fails.
    aws.reply_to("InvokeEndpoint", "-xgboost-", [model_error()]);
    aws.reply_to("InvokeEndpoint", "-linear-learner-", [Reply::hang()]);
    let named = ask(&function(&aws, hurried(1000)), event("json")).await;
    assert_eq!(refused(&named), (502, "ModelFailed"));
}

#[tokio::test]
async fn a_passing_fault_is_tried_again_once_and_soon() {
    for fault in [
        Reply::error(503, "ServiceUnavailable", "INTERNAL"),
        Reply::connection_lost(),
    ] {
        let aws = account();
        both_answer(&aws);
        // The function's own configuration has more attempts, after seconds. They must not apply here.
        let config = aws.sdk_config().into_builder();
        let config = config
            .retry_config(aws_config::retry::RetryConfig::standard().with_max_attempts(5))
            .build();
        let function = Function::new(&config, STACK.to_owned(), BUCKET.to_owned(), Limits::default());
        aws.fail_next("InvokeEndpoint", fault.clone());
        let (status, body) = ask(&function, event("json")).await;
        assert_eq!((status, &body["degraded"]), (200, &json!(false)));
        assert_eq!(aws.calls_of("InvokeEndpoint").len(), 3);
        aws.reply_to("InvokeEndpoint", "-xgboost-", [fault]);
        let (status, body) = ask(&function, event("json")).await;
        assert_eq!((status, &body["degraded"]), (200, &json!(true)));
        assert_eq!(aws.calls_of("InvokeEndpoint").len(), 3 + 3);
    }
}

#[tokio::test]
async fn a_container_that_fails_is_not_asked_again() {
    let aws = account();
    both_answer(&aws);
    aws.reply_to("InvokeEndpoint", "-xgboost-", [model_error()]);
    answer(&aws, event("json")).await;
    assert_eq!(aws.calls_of("InvokeEndpoint").len(), 2);
}

#[tokio::test]
async fn the_users_own_function_combines() {
    let aws = account();
    both_answer(&aws);
    store(
        &aws,
        &json!({"combine": {"rule": "lambda", "function": "dev-combine-cars"}}),
    );
    aws.reply("Invoke", [Reply::json(200, json!({"values": [1.5, 2]}))]);
    let (status, body) = answer(&aws, event("json")).await;
    assert_eq!((status, values(&body)), (200, vec![1.5, 2.0]));
    let call = &aws.calls_of("Invoke")[0];
    assert!(call.path.contains("/dev-combine-cars/"));
    assert_eq!(
        call.json(),
        json!({"use_case": USE_CASE, "predictions": [
            {"linear-learner": 17000.0, "xgboost": 18250.4}, {"linear-learner": 9500.5, "xgboost": 9000.0}]})
    );
}

#[tokio::test]
async fn the_users_own_function_may_fail() {
    let unhandled = Reply::json(200, json!({"errorType": "KeyError", "errorMessage": "INTERNAL"}));
    for (reply, expected) in [
        (
            unhandled.header("X-Amz-Function-Error", "Unhandled"),
            (502, "CombineFailed"),
        ),
        (
            Reply::error(404, "ResourceNotFoundException", "INTERNAL arn:aws:lambda:…"),
            (502, "CombineFailed"),
        ),
        (Reply::json(200, json!({"values": [1]})), (502, "CombineFailed")),
        (
            Reply::json(200, json!({"values": [1, "INTERNAL"]})),
            (502, "CombineFailed"),
        ),
        (Reply::hang(), (504, "CombineLate")),
    ] {
        let aws = account();
        both_answer(&aws);
        store(
            &aws,
            &json!({"combine": {"rule": "lambda", "function": "dev-combine-cars"}}),
        );
        aws.reply("Invoke", [reply]);
        assert_eq!(
            refused(&ask(&function(&aws, hurried(1500)), event("json")).await),
            expected
        );
    }
}

#[tokio::test]
async fn a_late_model_leaves_time_for_the_users_own_function() {
    let aws = account();
    both_answer(&aws);
    store(
        &aws,
        &json!({"combine": {"rule": "lambda", "function": "dev-combine-cars"}}),
    );
    aws.reply_to("InvokeEndpoint", "-xgboost-", [Reply::hang()]);
    aws.reply("Invoke", [Reply::json(200, json!({"values": [1, 2]}))]);
    let (status, body) = ask(&function(&aws, hurried(2000)), event("json")).await;
    assert_eq!((status, &body["degraded"]), (200, &json!(true)));
    assert_eq!(
        aws.calls_of("Invoke")[0].json()["predictions"][0],
        json!({"linear-learner": 17000.0})
    );
}

#[tokio::test]
async fn a_model_without_champion_is_as_one_that_fails() {
    let aws = account();
    both_answer(&aws);
    aws.delete_object(BUCKET, &use_case::champion(USE_CASE, "xgboost"));
    let (status, body) = answer(&aws, event("json")).await;
    assert_eq!(
        (status, values(&body), &body["degraded"]),
        (200, vec![17000.0, 9500.5], &json!(true))
    );
    for prediction in [
        json!({"when_a_model_fails": "fail"}),
        json!({"combine": {"rule": "model", "model": "xgboost"}}),
    ] {
        store(&aws, &prediction);
        assert_eq!(
            refused(&answer(&aws, event("json")).await),
            (503, "NoChampionYet"),
            "{prediction}"
        );
    }
    assert_eq!(aws.calls_of("InvokeEndpoint").len(), 1, "nobody is asked in vain");
    store(&aws, &json!({}));
    aws.delete_object(BUCKET, &use_case::champion(USE_CASE, "linear-learner"));
    assert_eq!(refused(&answer(&aws, event("json")).await), (503, "NoChampionYet"));
}

#[tokio::test]
async fn an_unknown_use_case_is_not_found() {
    let aws = account();
    assert_eq!(
        refused(&answer(&aws, event("unknown-use-case")).await),
        (404, "UseCaseUnknown")
    );
    for id in [
        "Used-Car-Price",
        "../platform",
        "a-use-case-with-a-name-that-is-far-too-long-for-an-id",
        "",
    ] {
        let mut event = event("json");
        event["pathParameters"]["use_case"] = json!(id);
        assert_eq!(refused(&answer(&aws, event).await), (404, "UseCaseUnknown"), "{id}");
    }
    assert_eq!(
        aws.calls_of("GetParameter").len(),
        1,
        "what can't be an id is not looked up"
    );
}

#[tokio::test]
async fn a_request_that_is_none_says_why() {
    let aws = account();
    let rows = |count: usize| format!("year,model\n{}", "2015,S 550\n".repeat(count));
    let instances = |count: usize| json!({"instances": vec![json!({"year": 2015, "model": "S 550"}); count]});
    for (content_type, body, expected, text) in [
        (
            "application/json",
            "{".to_owned(),
            (400, "RequestMalformed"),
            "the body is not a valid request",
        ),
        (
            "application/json",
            String::new(),
            (400, "RequestMalformed"),
            "the body is not a valid request",
        ),
        (
            "application/json",
            instances(0).to_string(),
            (400, "RequestMalformed"),
            "there are no instances",
        ),
        (
            "text/csv",
            "year,model\n2015\n".to_owned(),
            (400, "RequestMalformed"),
            "not CSV with a header",
        ),
        (
            "application/json",
            instances(501).to_string(),
            (413, "RequestTooLarge"),
            "more than 500 instances",
        ),
        (
            "text/csv",
            rows(501),
            (413, "RequestTooLarge"),
            "more than 500 instances",
        ),
        (
            "text/csv",
            " ".repeat((5 << 20) + 1),
            (413, "RequestTooLarge"),
            "at most 5242880",
        ),
        (
            "application/xml",
            "<a/>".to_owned(),
            (415, "ContentTypeUnsupported"),
            "application/xml",
        ),
    ] {
        let answer = answer(&aws, with_body(content_type, &body)).await;
        assert_eq!(refused(&answer), expected, "{text}");
        let message = answer.1["error"]["message"].as_str().unwrap();
        assert!(message.contains(text), "{message}");
    }
    assert_eq!(aws.calls(), [], "nothing is read for them");
}

#[tokio::test]
async fn every_wrong_value_is_named() {
    let aws = account();
    let body = json!({"instances": [
        {"year": 2015, "model": "S 550"},
        {"year": 1815, "colour": "red", "transmission": "semi"},
    ]});
    let (status, body) = answer(&aws, with_body("application/json", &body)).await;
    assert_eq!(status, 422);
    assert_eq!(
        body["error"],
        json!({
            "type": "InstancesInvalid",
            "message": "4 values are not as the use case's schema says: see `fields`",
            "request_id": REQUEST_ID,
            "fields": [
                {"instance": 1, "field": "colour", "message": "is not a column of this use case"},
                {"instance": 1, "field": "year", "message": "must be at least 1900"},
                {"instance": 1, "field": "model", "message": "is required"},
                {"instance": 1, "field": "transmission", "message": "`semi` is none of: automatic, manual"},
            ],
        })
    );
    assert_eq!(aws.calls_of("InvokeEndpoint"), []);
}

#[tokio::test]
async fn the_largest_request_is_answered() {
    let aws = account();
    aws.reply("InvokeEndpoint", [csv(&"1.0\n".repeat(500))]);
    let body = json!({"instances": vec![json!({"year": 2015, "model": "S 550"}); 500]});
    let (status, body) = answer(&aws, with_body("application/json", &body)).await;
    assert_eq!((status, values(&body).len()), (200, 500));
}

/// Behind the transformer a request may be too large for the algorithm's container, so that it is sent in several calls.
#[tokio::test]
async fn a_request_too_wide_for_one_call_is_sent_in_several_in_order() {
    let request = |rows: usize| {
        let instances = (0..rows).map(|row| json!({"year": 1900 + row % 100, "model": "S 550"}));
        let body = json!({"instances": instances.collect::<Vec<_>>(), "inference_id": "wide"});
        with_body("application/json", &body)
    };
    let replies = |from: usize, to: usize| csv(&(from..to).map(|row| format!("{row}\n")).collect::<String>());
    // A champion that does not say counts as the widest that there may be.
    for width in [Some(50_000), None] {
        let aws = account();
        for model in ["xgboost", "linear-learner"] {
            put_champion_of_width(&aws, model, width);
        }
        aws.reply_to(
            "InvokeEndpoint",
            "-xgboost-",
            [replies(0, 120), replies(120, 240), replies(240, 250)],
        );
        aws.reply_to("InvokeEndpoint", "-linear-learner-", [model_error()]);
        let (status, body) = answer(&aws, request(250)).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(values(&body), (0..250).map(f64::from).collect::<Vec<_>>());
        assert_eq!(body["predictions"][249]["id"], "wide#249");
        let calls = aws.calls_of("InvokeEndpoint").into_iter();
        let calls: Vec<_> = calls.filter(|call| call.path.contains("-xgboost-")).collect();
        let ids = calls
            .iter()
            .map(|call| call.header("x-amzn-sagemaker-inference-id").unwrap());
        assert_eq!(ids.collect::<Vec<_>>(), ["wide", "wide+120", "wide+240"]);
        let rows: Vec<usize> = calls.iter().map(|call| call.text().lines().count()).collect();
        assert_eq!(rows, [120, 120, 10]);
        assert!(calls[1].text().starts_with("1920,S 550,"));
    }
}

#[tokio::test]
async fn all_calls_of_a_request_are_answered_by_one_model() {
    let next = "20261123t090000z-cd34ef56";
    let aws = account();
    for model in ["xgboost", "linear-learner"] {
        put_champion_of_width(&aws, model, Some(50_000));
    }
    let rows = |value: &str, rows: usize| csv(&value.repeat(rows));
    // The endpoint changes hands between two calls.
    let replies = [rows("1\n", 120), refused_as(next), rows("2\n", 120), rows("2\n", 5)];
    aws.reply_to("InvokeEndpoint", "-xgboost-", replies);
    aws.reply_to("InvokeEndpoint", "-linear-learner-", [model_error()]);
    let body = json!({"instances": vec![json!({"year": 2015, "model": "S 550"}); 125]});
    let (status, body) = answer(&aws, with_body("application/json", &body)).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(values(&body), vec![2.0; 125]);
    assert_eq!(body["predictions"][0]["models"]["xgboost"]["version"], next);
}

#[tokio::test]
async fn what_is_known_is_read_once_while_it_is_fresh() {
    let aws = account();
    both_answer(&aws);
    let function = function(&aws, Limits::default());
    for _ in 0..3 {
        assert_eq!(ask(&function, event("json")).await.0, 200);
    }
    assert_eq!(aws.calls_of("GetParameter").len(), 1);
    assert_eq!(aws.calls_of("GetObject").len(), 3);
}

#[tokio::test]
async fn a_new_document_and_a_new_champion_are_taken_up() {
    let aws = account();
    both_answer(&aws);
    let limits = Limits {
        fresh: Duration::ZERO,
        ..Limits::default()
    };
    let function = function(&aws, limits);
    aws.delete_object(BUCKET, &use_case::champion(USE_CASE, "xgboost"));
    assert_eq!(ask(&function, event("json")).await.1["degraded"], true);
    put_champion(&aws, "xgboost");
    assert_eq!(values(&ask(&function, event("json")).await.1), [18250.4, 9500.5]);
    let reads = aws.calls_of("GetObject").len();
    store(&aws, &json!({"combine": {"rule": "min"}}));
    assert_eq!(values(&ask(&function, event("json")).await.1), [17000.0, 9000.0]);
    assert_eq!(aws.calls_of("GetObject").len(), reads + 3);
    assert_eq!(values(&ask(&function, event("json")).await.1), [17000.0, 9000.0]);
    assert_eq!(
        aws.calls_of("GetObject").len(),
        reads + 5,
        "the same document is not read again"
    );
}

#[tokio::test]
async fn a_column_that_the_document_has_lost_is_used_while_the_champion_has_it() {
    let aws = account();
    aws.reply("InvokeEndpoint", [csv("1\n")]);
    let earlier = aws.version_ids(BUCKET, &use_case::config(USE_CASE)).pop().unwrap();
    // The document has had `fuel`; the champion of one model was trained by then, the other's since.
    let key = |model: &str| use_case::champion(USE_CASE, model);
    let mut champion = aws.object_json(BUCKET, &key("xgboost")).unwrap();
    champion["config_version"] = json!(earlier);
    aws.put_object_json(BUCKET, &key("xgboost"), &champion);
    champion["model"] = json!("linear-learner");
    champion["endpoint_name"] = json!("dev-used-car-price-linear-learner-a1b2c3");
    champion["columns"].as_array_mut().unwrap().pop();
    aws.put_object_json(BUCKET, &key("linear-learner"), &champion);
    let mut document = read("use-case");
    document["prediction"] = json!({"combine": {"rule": "max"}});
    let columns = document["schema"]["columns"].as_array_mut().unwrap();
    columns.retain(|column| column["name"] != "fuel");
    store_document(&aws, &document);

    let function = function(
        &aws,
        Limits {
            fresh: Duration::ZERO,
            ..Limits::default()
        },
    );
    let instance = json!({"year": 2015, "model": "c", "odometer_mi": 1000, "transmission": "manual", "fuel": "gas"});
    let with = |fuel: bool| {
        let mut instance = instance.clone();
        if !fuel {
            instance.as_object_mut().unwrap().remove("fuel");
        }
        with_body("application/json", &json!({"instances": [instance]}))
    };
    for (given, part) in [(true, "is used"), (false, "counts as missing")] {
        let (status, body) = ask(&function, with(given)).await;
        assert_eq!(status, 200, "{body}");
        let warning = &body["predictions"][0]["warnings"][0];
        assert_eq!(warning["field"], "fuel");
        let message = warning["message"].as_str().unwrap();
        assert!(
            message.contains("champion of xgboost was") && message.contains(part),
            "{message}"
        );
    }
    let sent: Vec<String> = aws
        .calls_of("InvokeEndpoint")
        .iter()
        .map(|call| String::from_utf8(call.body.to_vec()).unwrap())
        .collect();
    let of = |row: &str| sent.iter().filter(|body| *body == row).count();
    assert_eq!(of("2015,c,1000,manual,gas\n"), 1, "{sent:?}");
    assert_eq!(of("2015,c,1000,manual,\n"), 1, "{sent:?}");
    assert_eq!(of("2015,c,1000,manual\n"), 2, "{sent:?}");
    // The earlier document is read once.
    let versions = aws.calls_of("GetObject");
    let versions = versions.iter().filter(|call| format!("{call:?}").contains(&earlier));
    assert_eq!(versions.count(), 1);
}

#[tokio::test]
async fn what_was_read_last_serves_while_nothing_can_be_read() {
    let broken = [
        ("GetObject", Reply::error(503, "SlowDown", "INTERNAL")),
        ("GetObject", Reply::hang()),
        ("GetParameter", Reply::error(400, "ThrottlingException", "INTERNAL")),
        ("GetParameter", Reply::connection_lost()),
    ];
    for (operation, reply) in broken {
        let aws = account();
        both_answer(&aws);
        let limits = Limits {
            fresh: Duration::ZERO,
            refresh: Duration::from_millis(200),
            ..Limits::default()
        };
        let serving = function(&aws, limits);
        let forgetful = function(
            &aws,
            Limits {
                stale: Duration::ZERO,
                unknown: Duration::ZERO,
                ..hurried(1000)
            },
        );
        for function in [&serving, &forgetful] {
            assert_eq!(ask(function, event("json")).await.0, 200);
        }
        aws.reply(operation, [reply]);
        for _ in 0..2 {
            assert_eq!(ask(&serving, event("json")).await.0, 200, "{operation}");
        }
        assert_eq!(
            refused(&ask(&forgetful, event("json")).await),
            (500, "InternalError"),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_not_asked_at_every_request() {
    let aws = account();
    both_answer(&aws);
    let fresh = Duration::from_secs(1);
    let function = function(
        &aws,
        Limits {
            fresh,
            ..Limits::default()
        },
    );
    assert_eq!(ask(&function, event("json")).await.0, 200);
    aws.reply("GetParameter", [Reply::error(400, "ThrottlingException", "INTERNAL")]);
    tokio::time::sleep(fresh).await;
    let before = aws.calls_of("GetParameter").len();
    assert_eq!(ask(&function, event("json")).await.0, 200);
    assert_eq!(ask(&function, event("json")).await.0, 200);
    assert_eq!(aws.calls_of("GetParameter").len(), before + 1);
}

#[tokio::test]
async fn a_use_case_that_was_removed_is_not_found() {
    let aws = account();
    both_answer(&aws);
    let function = function(
        &aws,
        Limits {
            fresh: Duration::ZERO,
            ..Limits::default()
        },
    );
    assert_eq!(ask(&function, event("json")).await.0, 200);
    aws.reply("GetParameter", [Reply::error(400, "ParameterNotFound", "INTERNAL")]);
    assert_eq!(refused(&ask(&function, event("json")).await), (404, "UseCaseUnknown"));
}
