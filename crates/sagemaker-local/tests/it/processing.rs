//! Processing jobs from their request to their outputs.

use serde_json::{Value, json};

use crate::support::{ROLE, Server};

const IMAGES: &str = r#"
images:
  - image: tools
    process: {shell: [sh, -e], /second-program: [sh, -e]}
    entrypoint: [sh, -c, "echo entry $0 $PROCESSING_JOB_NAME ${dataset_source#$SAGEMAKER_BASE_DIR}; cat $SAGEMAKER_BASE_DIR/config/processingjobconfig.json"]
"#;

const SCRIPT: &str = r#"
cat "$1/a.csv" > "$SAGEMAKER_BASE_DIR/processing/out/copy.csv"
mkdir "$2/deep"; echo "$MODE" > "$2/deep/mode"
echo all well > "$SAGEMAKER_BASE_DIR/output/message"
"#;

async fn server() -> Server {
    let server = Server::start(IMAGES).await;
    server.s3.put("code/run.sh", SCRIPT);
    server.s3.put(
        "code/bad.sh",
        "echo broken > $SAGEMAKER_BASE_DIR/output/message; exit 2",
    );
    server.s3.put("code/slow.sh", "echo on; sleep 600");
    server.s3.put("data/in/a.csv", "1,2\n");
    server
}

fn job(name: &str, script: &str) -> Value {
    let input = |name: &str, uri: &str, path: &str| json!({"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}});
    let output = json!({"S3Uri": "s3://out/p", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"});
    json!({
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": "tools",
            "ContainerEntrypoint": ["shell", format!("/opt/ml/processing/code/{script}")],
            "ContainerArguments": ["/opt/ml/processing/in", "/opt/ml/processing/out"],
        },
        "Environment": {"MODE": "fast"},
        "ProcessingInputs": [
            input("code", &format!("s3://code/{script}"), "/opt/ml/processing/code"),
            input("in", "s3://data/in", "/opt/ml/processing/in"),
        ],
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": output}]},
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 5}},
    })
}

#[tokio::test]
async fn a_job_runs_its_entry_point_and_uploads_its_outputs() {
    let server = server().await;
    server
        .call("CreateProcessingJob", job("prepare", "run.sh"))
        .await
        .unwrap();
    let answer = server.processed("prepare").await;
    assert_eq!(answer["FailureReason"], Value::Null);
    assert_eq!(answer["ProcessingJobStatus"], "Completed");
    assert_eq!(answer["ExitMessage"], "all well");
    assert!(answer["ProcessingEndTime"].as_f64() >= answer["ProcessingStartTime"].as_f64());
    assert_eq!(server.s3.get("out/p/copy.csv").unwrap(), "1,2\n");
    assert_eq!(server.s3.get("out/p/deep/mode").unwrap(), "fast\n");
}

#[tokio::test]
async fn an_image_may_hold_programs_beside_its_entry_point() {
    let server = server().await;
    let mut request = job("second", "run.sh");
    request["AppSpecification"]["ContainerEntrypoint"] = json!(["/second-program"]);
    request["AppSpecification"]["ContainerArguments"] = json!([
        "/opt/ml/processing/code/run.sh",
        "/opt/ml/processing/in",
        "/opt/ml/processing/out"
    ]);
    server.call("CreateProcessingJob", request).await.unwrap();
    assert_eq!(server.processed("second").await["ProcessingJobStatus"], "Completed");
    assert_eq!(server.s3.get("out/p/copy.csv").unwrap(), "1,2\n");
}

#[tokio::test]
async fn without_an_entry_point_the_images_own_runs() {
    let server = server().await;
    let mut request = job("prepare", "run.sh");
    request["AppSpecification"] = json!({"ImageUri": "tools", "ContainerArguments": ["one"]});
    request["Environment"] = json!({"dataset_source": "/opt/ml/processing/in"});
    server.call("CreateProcessingJob", request).await.unwrap();
    assert_eq!(server.processed("prepare").await["ProcessingJobStatus"], "Completed");
    let log = server.log("processing-jobs", "prepare");
    let (first, config) = log.split_once('\n').unwrap();
    assert_eq!(
        first, "entry one prepare /processing/in",
        "variables name this machine's paths"
    );
    let config: Value = serde_json::from_str(config).unwrap();
    assert_eq!(
        config["ProcessingJobArn"],
        "arn:aws:sagemaker:us-east-1:000000000000:processing-job/prepare"
    );
    assert_eq!(config["AppSpecification"]["ImageUri"], "tools");
    assert_eq!(
        config["Environment"]["dataset_source"], "/opt/ml/processing/in",
        "the file has AWS's paths"
    );
}

#[tokio::test]
async fn a_failing_job_says_why_and_uploads_nothing() {
    let server = server().await;
    server
        .call("CreateProcessingJob", job("prepare", "bad.sh"))
        .await
        .unwrap();
    let answer = server.processed("prepare").await;
    assert_eq!(answer["ProcessingJobStatus"], "Failed");
    assert_eq!(answer["FailureReason"], "AlgorithmError: broken, exit code: 2");
    assert_eq!(answer["ExitMessage"], "broken");
    assert_eq!(server.s3.keys("out/"), [""; 0]);
}

#[tokio::test]
async fn a_running_job_can_be_stopped() {
    let server = server().await;
    server
        .call("CreateProcessingJob", job("prepare", "slow.sh"))
        .await
        .unwrap();
    let named = json!({"ProcessingJobName": "prepare"});
    let running = server.call("DescribeProcessingJob", named.clone()).await.unwrap();
    assert_eq!(running["ProcessingJobStatus"], "InProgress");
    server.call("StopProcessingJob", named.clone()).await.unwrap();
    assert_eq!(server.processed("prepare").await["ProcessingJobStatus"], "Stopped");
    assert!(
        server
            .refused("StopProcessingJob", named)
            .await
            .1
            .contains("is in status Stopped")
    );
}

#[tokio::test]
async fn names_paths_and_modes_are_checked() {
    let server = server().await;
    server
        .call("CreateProcessingJob", job("taken", "run.sh"))
        .await
        .unwrap();
    let mut path = job("x", "run.sh");
    path["ProcessingInputs"][0]["S3Input"]["LocalPath"] = json!("/tmp/in");
    let mut mode = job("x", "run.sh");
    mode["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3UploadMode"] = json!("Continuous");
    let mut program = job("x", "run.sh");
    program["AppSpecification"]["ContainerEntrypoint"] = json!(["Rscript", "x"]);
    let cases = [
        (
            job("taken", "run.sh"),
            "ResourceInUse",
            "a job with this name already exists",
        ),
        (
            path,
            "ValidationException",
            "the LocalPath /tmp/in, which is not below /opt/ml",
        ),
        (
            mode,
            "ValidationException",
            "`ProcessingOutputConfig.Outputs[0].S3Output.S3UploadMode`",
        ),
        (
            program,
            "ValidationException",
            "does not know the program `Rscript` of the image tools",
        ),
    ];
    for (request, code, text) in cases {
        let refused = server.refused("CreateProcessingJob", request).await;
        assert_eq!(refused.0, code);
        assert!(refused.1.contains(text), "{}", refused.1);
    }
    let (code, message) = server
        .refused("DescribeProcessingJob", json!({"ProcessingJobName": "none"}))
        .await;
    assert_eq!(
        (code.as_str(), message.as_str()),
        ("ValidationException", "Could not find requested job with name: none")
    );
}
