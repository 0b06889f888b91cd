//! The common steps of every operation: targets, validation, faults, the control routes.

use serde_json::{Value, json};

use crate::support::Server;

const IMAGES: &str = "images: [{image: scorer, serve: [sh]}]";

#[tokio::test]
async fn invalid_requests_are_refused_as_aws_refuses_them() {
    let server = Server::start(IMAGES).await;
    let (code, message) = server
        .refused("CreateModel", json!({"ModelName": "no_underscore"}))
        .await;
    assert_eq!(code, "ValidationException");
    assert_eq!(
        message,
        "1 validation error detected: Value 'no_underscore' at 'modelName' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: ^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    );
    let (code, message) = server
        .refused("CreateModel", json!({"ModelName": "x", "Colour": "red"}))
        .await;
    assert_eq!(code, "SerializationException");
    assert!(message.contains("\"Colour\""));
}

#[tokio::test]
async fn operations_that_are_not_done_or_do_not_exist_say_so() {
    let server = Server::start(IMAGES).await;
    let (status, body) = server
        .call("CreateNotebookInstance", json!({"ModelName": "x"}))
        .await
        .unwrap_err();
    assert_eq!((status, &body["__type"]), (501, &json!("UnsupportedOperation")));
    assert_eq!(
        server.refused("CreateEverything", json!({})).await.0,
        "UnknownOperationException"
    );
    let (_, body) = server.call_target("Nothing.AtAll", json!({})).await.unwrap_err();
    assert_eq!(body["__type"], "UnknownOperationException");
}

#[tokio::test]
async fn faults_throttle_refuse_and_are_listed() {
    let server = Server::start(IMAGES).await;
    let request = json!({"ModelName": "cars"});
    server
        .fault(json!({"operation": "DescribeModel", "match": "cars", "kind": "throttle", "times": 2}))
        .await;
    server
        .fault(json!({"kind": "error", "code": "ResourceLimitExceeded", "message": "too many", "status": 429}))
        .await;
    for _ in 0..2 {
        let refused = server.refused("DescribeModel", request.clone()).await;
        assert_eq!(refused, ("ThrottlingException".to_owned(), "Rate exceeded".to_owned()));
    }
    let (status, body) = server.call("DescribeModel", request).await.unwrap_err();
    assert_eq!(
        (status, body),
        (429, json!({"__type": "ResourceLimitExceeded", "message": "too many"}))
    );

    server.fault(json!({"kind": "delay", "delay_ms": 1})).await;
    let faults: Value = reqwest::get(format!("{}/_local/faults", server.url))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        faults,
        json!([{"kind": "delay", "match": "", "times": 1, "delay_ms": 1}])
    );
    reqwest::Client::new()
        .delete(format!("{}/_local/faults", server.url))
        .send()
        .await
        .unwrap();
    let faults: Value = reqwest::get(format!("{}/_local/faults", server.url))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(faults, json!([]));
}

#[tokio::test]
async fn health_answers() {
    let server = Server::start(IMAGES).await;
    let health: Value = reqwest::get(format!("{}/_local/health", server.url))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(health["status"], "ok");
}

#[tokio::test]
async fn a_web_page_from_elsewhere_changes_nothing() {
    let server = Server::start(IMAGES).await;
    let faults = format!("{}/_local/faults", server.url);
    for (name, value) in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let model = server
            .http
            .post(&server.url)
            .header("x-amz-target", "SageMaker.CreateModel")
            .header(name, value)
            .body(json!({"ModelName": "cars"}).to_string());
        let fault = server
            .http
            .post(&faults)
            .header(name, value)
            .body(r#"{"kind": "throttle"}"#);
        for request in [model, fault] {
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 403, "{name}");
            assert_eq!(response.headers()["x-amzn-errortype"], "AccessDeniedException");
        }
    }
    let faults: Value = reqwest::get(faults).await.unwrap().json().await.unwrap();
    assert_eq!(faults, json!([]));
}
