//! Transform jobs from their input objects to their output objects.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::serving::{ServingServer, pause, with};

async fn server() -> ServingServer {
    let server = ServingServer::start().await;
    server.create_model("sums", 1).await;
    server
}

/// A request with input `s3://bucket/in/`, with the members of `changes` replacing the defaults.
fn request(name: &str, changes: &Value) -> Value {
    let request = json!({
        "TransformJobName": name,
        "ModelName": "sums",
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/in/"}},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": format!("s3://bucket/out/{name}"), "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    });
    with(request, changes)
}

fn text(server: &ServingServer, path: &str) -> String {
    String::from_utf8(server.s3.get(path).unwrap().to_vec()).unwrap()
}

async fn transformed(server: &ServingServer, name: &str, changes: &Value) -> Value {
    server.call("CreateTransformJob", request(name, changes)).await;
    server.ended_transform(name).await
}

#[tokio::test]
async fn every_object_is_answered_beside_its_input() {
    let server = server().await;
    server.s3.put("bucket/in/a.csv", "1,2\n3,4\n");
    server.s3.put("bucket/in/deep/b.csv", "5\r\n6");
    let job = transformed(&server, "plain", &json!({})).await;
    assert_eq!(job["TransformJobStatus"], "Completed", "{job}");
    assert_eq!(
        job["TransformJobArn"],
        "arn:aws:sagemaker:us-east-1:000000000000:transform-job/plain"
    );
    assert!(job["TransformEndTime"].as_f64() >= job["TransformStartTime"].as_f64());
    assert_eq!(text(&server, "bucket/out/plain/a.csv.out"), "3.0\n7.0\n");
    assert_eq!(text(&server, "bucket/out/plain/deep/b.csv.out"), "5.0\n6.0\n");
    let listed = server.call("ListTransformJobs", json!({"NameContains": "plain"})).await;
    assert_eq!(listed["TransformJobSummaries"][0]["TransformJobStatus"], "Completed");
    let text = server.refused("CreateTransformJob", request("plain", &json!({}))).await;
    assert!(
        text.starts_with("ResourceInUse: Transform job names must be unique"),
        "{text}"
    );
    let containers = server.data_dir().join("containers/transform-jobs");
    while std::fs::read_dir(&containers).unwrap().count() > 0 {
        pause().await;
    }
}

#[tokio::test]
async fn filters_and_join_keep_columns_and_quotes() {
    let server = server().await;
    server.s3.put("bucket/in/a.csv", "\"id,1\",1,2\nid2,3,\"4\"\n");
    let processing = json!({"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"});
    for strategy in ["MultiRecord", "SingleRecord"] {
        let changes = json!({"DataProcessing": processing, "BatchStrategy": strategy, "MaxConcurrentTransforms": 4});
        let job = transformed(&server, strategy, &changes).await;
        assert_eq!(job["TransformJobStatus"], "Completed", "{job}");
        let output = text(&server, &format!("bucket/out/{strategy}/a.csv.out"));
        assert_eq!(output, "\"id,1\",3.0\nid2,7.0\n");
    }
}

#[tokio::test]
async fn zipped_json_lines_are_joined_under_a_member() {
    let server = server().await;
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped
        .write_all(b"{\"id\": 1, \"x\": [1, 2]}\n{\"id\": 2, \"x\": [3]}\n")
        .unwrap();
    server.s3.put("bucket/in/a.jsonl.gz", zipped.finish().unwrap());
    let changes = json!({
        "TransformInput": {"ContentType": "application/jsonlines", "CompressionType": "Gzip"},
        "TransformOutput": {"Accept": "application/jsonlines"},
        "DataProcessing": {"InputFilter": "$.x", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
    });
    let job = transformed(&server, "json", &changes).await;
    assert_eq!(job["TransformJobStatus"], "Completed", "{job}");
    let output = text(&server, "bucket/out/json/a.jsonl.gz.out");
    let records: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected = [
        json!({"id": 1, "SageMakerOutput": {"sum": 3.0}}),
        json!({"id": 2, "SageMakerOutput": {"sum": 3.0}}),
    ];
    assert_eq!(records, expected);
}

#[tokio::test]
async fn captured_transforms_name_their_files_and_rows() {
    let server = server().await;
    server.s3.put("bucket/in/a.csv", "1,2\n");
    let capture = json!({"DestinationS3Uri": "s3://bucket/batch-capture", "GenerateInferenceId": true});
    let job = transformed(&server, "captured", &json!({"DataCaptureConfig": capture})).await;
    assert_eq!(job["TransformJobStatus"], "Completed", "{job}");
    let output = text(&server, "bucket/out/captured/a.csv.out");
    let [answer, id, time] = output.trim_end().split(',').collect::<Vec<_>>()[..] else {
        panic!("{output}")
    };
    assert_eq!((answer, id.len(), time.len()), ("3.0", 36, 20));
    for (side, manifest) in [
        ("input", json!([{"prefix": "s3://bucket/in/"}, "a.csv"])),
        ("output", json!([{"prefix": "s3://bucket/out/captured/"}, "a.csv.out"])),
    ] {
        let paths = server.s3.keys(&format!("bucket/batch-capture/{side}/"));
        assert_eq!(
            serde_json::from_str::<Value>(&text(&server, &paths[0])).unwrap(),
            manifest
        );
    }
}

#[tokio::test]
async fn failures_say_whose_they_are() {
    let server = server().await;
    let job = transformed(&server, "empty", &json!({})).await;
    let reason = job["FailureReason"].as_str().unwrap();
    assert!(
        reason.starts_with("ClientError: Data download failed: No S3 objects found"),
        "{reason}"
    );

    for (row, side) in [("bad", "ClientError"), ("fail", "AlgorithmError")] {
        server.s3.put("bucket/in/a.csv", row);
        let changes = json!({"ModelClientConfig": {"InvocationsMaxRetries": 0}});
        let job = transformed(&server, row, &changes).await;
        assert_eq!(job["TransformJobStatus"], "Failed");
        let reason = job["FailureReason"].as_str().unwrap();
        assert!(
            reason.starts_with(&format!("{side}: See job logs for more information (in/a.csv: primary")),
            "{reason}"
        );
        assert_eq!(server.s3.keys(&format!("bucket/out/{row}/")), [""; 0]);
    }

    server.s3.put("bucket/in/a.csv", "1,2\n");
    let changes = json!({"DataProcessing": {"JoinSource": "Input", "OutputFilter": "$[9]"}});
    let reason = transformed(&server, "outside", &changes).await["FailureReason"].to_string();
    assert!(
        reason.contains("OutputFilter does not fit the output: index 9 is outside a record of 3"),
        "{reason}"
    );
    let changes = json!({"DataProcessing": {"OutputFilter": "$.."}});
    let text = server.refused("CreateTransformJob", request("refused", &changes)).await;
    assert!(
        text.starts_with("ValidationException: OutputFilter: \"$..\" is not a supported JSONPath"),
        "{text}"
    );
    let text = server
        .refused(
            "CreateTransformJob",
            request("refused", &json!({"ModelName": "nobody"})),
        )
        .await;
    assert!(text.starts_with("ValidationException: Could not find model"), "{text}");

    server
        .fault(json!({"kind": "fail-job", "match": "unlucky", "reason": "on demand"}))
        .await;
    assert_eq!(
        transformed(&server, "unlucky", &json!({})).await["FailureReason"],
        "on demand"
    );
    server.fault(json!({"kind": "missing-output", "match": "lost"})).await;
    assert_eq!(
        transformed(&server, "lost", &json!({})).await["TransformJobStatus"],
        "Completed"
    );
    assert_eq!(server.s3.keys("bucket/out/lost/"), [""; 0]);
}

#[tokio::test]
async fn a_running_transform_can_be_stopped() {
    let server = server().await;
    server.s3.put("bucket/in/a.csv", "slow\n".repeat(600));
    let changes = json!({"BatchStrategy": "SingleRecord"});
    server.call("CreateTransformJob", request("long", &changes)).await;
    server
        .call("StopTransformJob", json!({"TransformJobName": "long"}))
        .await;
    assert_eq!(server.ended_transform("long").await["TransformJobStatus"], "Stopped");
    let text = server
        .refused("StopTransformJob", json!({"TransformJobName": "long"}))
        .await;
    assert!(text.contains("in status Stopped"), "{text}");
}
