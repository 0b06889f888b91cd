//! Training jobs from their request to their artifacts.

use serde_json::{Value, json};

use crate::support::{ROLE, Server, unpacked};

/// Images whose programs are shell scripts, one for each way that a training can go.
const IMAGES: &str = r#"
images:
  - image: good
    metrics: [{name: "validation:rmse", regex: "validation-rmse:([0-9.]+)"}]
    environment: {FLAVOUR: of-the-image}
    train:
      - sh
      - -ec
      - |
        cd "$SAGEMAKER_BASE_DIR"
        echo "[0] validation-rmse:9.5 loss=nan"
        echo "[1] validation-rmse:8.25" >&2
        cp input/config/hyperparameters.json input/config/inputdataconfig.json model/
        mkdir model/code; cat input/data/train/part/a.csv input/data/train/b.csv > model/code/data
        echo "$TRAINING_JOB_NAME $AWS_REGION $FLAVOUR $DATA $1" > output/data/environment
      - sh
      - /opt/ml/input
  - image: bad
    train: [sh, -c, "echo no convergence > $SAGEMAKER_BASE_DIR/output/failure; exit 3"]
  - image: slow
    train: [sh, -c, "echo half > $SAGEMAKER_BASE_DIR/model/half; sleep 600 & wait"]
  - image: absent
    train: /no/such/program
  - image: serve-only
    serve: [sh]
"#;

async fn server() -> Server {
    let server = Server::start(IMAGES).await;
    server.s3.put("data/train/part/a.csv", "1,2\n");
    server.s3.put("data/train/b.csv", "3,4\n");
    server.s3.put("data/train/", "");
    server
}

fn job(name: &str, image: &str) -> Value {
    json!({
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [{
            "ChannelName": "train",
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/train/"}},
        }],
        "OutputDataConfig": {"S3OutputPath": "s3://out/models/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
    })
}

fn with(mut request: Value, member: &str, value: Value) -> Value {
    request[member] = value;
    request
}

fn secondary_statuses(answer: &Value) -> Vec<&str> {
    let transitions = answer["SecondaryStatusTransitions"].as_array().unwrap();
    transitions
        .iter()
        .map(|transition| transition["Status"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_job_reads_its_input_and_leaves_its_artifacts_and_metrics() {
    let server = server().await;
    let mut request = job("cars-1", "good");
    request["HyperParameters"] = json!({"num_round": "2"});
    request["Environment"] = json!({"DATA": "/opt/ml/input/data"});
    request["AlgorithmSpecification"]["MetricDefinitions"] = json!([{"Name": "loss", "Regex": "loss=([a-z0-9.]+)"}]);
    request["Tags"] = json!([{"Key": "run", "Value": "r1"}]);
    let created = server.call("CreateTrainingJob", request).await.unwrap();
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:training-job/cars-1";
    assert_eq!(created, json!({"TrainingJobArn": arn}));

    let answer = server.trained("cars-1").await;
    assert_eq!(answer["FailureReason"], Value::Null);
    assert_eq!(answer["TrainingJobStatus"], "Completed");
    assert_eq!(answer["SecondaryStatus"], "Completed");
    assert_eq!(
        secondary_statuses(&answer),
        ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    );
    assert!(
        answer["SecondaryStatusTransitions"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["EndTime"].is_number())
    );
    assert_eq!(
        answer["ModelArtifacts"]["S3ModelArtifacts"],
        "s3://out/models/cars-1/output/model.tar.gz"
    );
    let metrics: Vec<_> = answer["FinalMetricDataList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|metric| (metric["MetricName"].as_str().unwrap(), metric["Value"].clone()))
        .collect();
    assert_eq!(metrics, [("validation:rmse", json!(8.25)), ("loss", json!("NaN"))]);
    assert_eq!(answer["HyperParameters"], json!({"num_round": "2"}));
    assert!(answer["TrainingEndTime"].as_f64() >= answer["TrainingStartTime"].as_f64());
    assert_eq!(answer["Tags"], Value::Null);
    assert_eq!(answer["OutputDataConfig"]["KmsKeyId"], "");
    assert_eq!(answer["InputDataConfig"][0]["CompressionType"], "None");
    assert_eq!(answer["InputDataConfig"][0]["RecordWrapperType"], "None");

    let model = unpacked(&server.s3.get("out/models/cars-1/output/model.tar.gz").unwrap());
    let file = |name: &str| model.iter().find(|(file, _)| file == name).unwrap().1.as_str();
    assert_eq!(file("hyperparameters.json"), r#"{"num_round":"2"}"#);
    assert_eq!(file("code/data"), "1,2\n3,4\n");
    let channels: Value = serde_json::from_str(file("inputdataconfig.json")).unwrap();
    assert_eq!(channels["train"]["ContentType"], "text/csv");
    let output = unpacked(&server.s3.get("out/models/cars-1/output/output.tar.gz").unwrap());
    let base = server
        .dir
        .path()
        .join("data/containers/training-jobs/cars-1")
        .display()
        .to_string();
    assert_eq!(
        output[0].1,
        format!("cars-1 us-east-1 of-the-image {base}/input/data {base}/input\n")
    );
    assert!(!std::path::Path::new(&base).exists());

    let tags = server.call("ListTags", json!({"ResourceArn": arn})).await.unwrap();
    assert_eq!(tags, json!({"Tags": [{"Key": "run", "Value": "r1"}]}));
}

#[tokio::test]
async fn a_failing_container_says_why() {
    let server = server().await;
    server.call("CreateTrainingJob", job("cars-1", "bad")).await.unwrap();
    let answer = server.trained("cars-1").await;
    assert_eq!(answer["TrainingJobStatus"], "Failed");
    assert_eq!(answer["FailureReason"], "AlgorithmError: no convergence, exit code: 3");
    assert_eq!(
        secondary_statuses(&answer),
        ["Starting", "Downloading", "Training", "Failed"]
    );
    assert_eq!(server.s3.keys("out/"), [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_read_started_or_written_fails_the_job() {
    let server = server().await;
    let channel = |uri: &str| {
        let source = json!({"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}});
        json!([{"ChannelName": "train", "DataSource": source}])
    };
    let cases = [
        (
            with(job("empty", "good"), "InputDataConfig", channel("s3://data/none/")),
            "ClientError: Data download failed: No S3 objects found",
        ),
        (
            with(job("bucket", "good"), "InputDataConfig", channel("s3://no-bucket/x")),
            "NoSuchBucket",
        ),
        (job("absent", "absent"), "/no/such/program"),
        (
            with(
                job("output", "good"),
                "OutputDataConfig",
                json!({"S3OutputPath": "s3://no-out"}),
            ),
            "ClientError: Artifact upload failed: s3://no-out/output/output/output.tar.gz: NoSuchBucket",
        ),
    ];
    for (request, reason) in cases {
        let name = request["TrainingJobName"].as_str().unwrap().to_owned();
        server.call("CreateTrainingJob", request).await.unwrap();
        let answer = server.trained(&name).await;
        assert_eq!(answer["TrainingJobStatus"], "Failed", "{name}");
        assert!(
            answer["FailureReason"].as_str().unwrap().contains(reason),
            "{name}: {}",
            answer["FailureReason"]
        );
    }
}

#[tokio::test]
async fn a_manifest_names_the_files() {
    let server = server().await;
    server.s3.put(
        "lists/m.json",
        r#"[{"prefix": "s3://data/train/"}, "part/a.csv", "b.csv"]"#,
    );
    let mut request = job("cars-1", "good");
    let source = json!({"S3DataType": "ManifestFile", "S3Uri": "s3://lists/m.json"});
    request["InputDataConfig"][0]["DataSource"]["S3DataSource"] = source;
    server.call("CreateTrainingJob", request).await.unwrap();
    assert_eq!(server.trained("cars-1").await["TrainingJobStatus"], "Completed");
}

#[tokio::test]
async fn a_stopped_job_keeps_the_model_so_far() {
    let server = server().await;
    server.call("CreateTrainingJob", job("cars-1", "slow")).await.unwrap();
    let named = json!({"TrainingJobName": "cars-1"});
    server
        .wait("DescribeTrainingJob", named.clone(), "SecondaryStatus", &["Training"])
        .await;
    // The program writes its model first; a job stopped before that would have none.
    let half = server
        .dir
        .path()
        .join("data/containers/training-jobs/cars-1/model/half");
    while !half.exists() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    server.call("StopTrainingJob", named.clone()).await.unwrap();
    let answer = server.trained("cars-1").await;
    assert_eq!(answer["TrainingJobStatus"], "Stopped");
    assert_eq!(
        secondary_statuses(&answer),
        ["Starting", "Downloading", "Training", "Stopping", "Stopped"]
    );
    assert_eq!(
        unpacked(&server.s3.get("out/models/cars-1/output/model.tar.gz").unwrap())[0].0,
        "half"
    );

    let (code, message) = server.refused("StopTrainingJob", named).await;
    assert_eq!(code, "ValidationException");
    assert_eq!(
        message,
        "The request was rejected because the training job is in status Stopped."
    );
}

#[tokio::test]
async fn a_job_that_runs_too_long_is_stopped() {
    let server = server().await;
    let request = with(
        job("cars-1", "slow"),
        "StoppingCondition",
        json!({"MaxRuntimeInSeconds": 1}),
    );
    server.call("CreateTrainingJob", request).await.unwrap();
    let answer = server.trained("cars-1").await;
    assert_eq!(answer["TrainingJobStatus"], "Stopped");
    assert_eq!(answer["SecondaryStatus"], "MaxRuntimeExceeded");
}

#[tokio::test]
async fn a_name_is_used_once_for_ever() {
    let server = server().await;
    server.call("CreateTrainingJob", job("cars-1", "bad")).await.unwrap();
    server.trained("cars-1").await;
    let (code, message) = server.refused("CreateTrainingJob", job("cars-1", "good")).await;
    assert_eq!(code, "ResourceInUse");
    assert_eq!(
        message,
        "Training job names must be unique within an AWS account and region, and a training job with this name \
         already exists (arn:aws:sagemaker:us-east-1:000000000000:training-job/cars-1)"
    );
}

#[tokio::test]
async fn what_is_not_done_is_refused_by_name() {
    let server = server().await;
    let mut sharded = job("x", "good");
    sharded["InputDataConfig"][0]["CompressionType"] = json!("Gzip");
    let mut twice = job("x", "good");
    twice["InputDataConfig"] = json!([twice["InputDataConfig"][0], twice["InputDataConfig"][0]]);
    let mut pattern = job("x", "good");
    pattern["AlgorithmSpecification"]["MetricDefinitions"] = json!([{"Name": "m", "Regex": "("}]);
    let cases = [
        (
            with(job("x", "good"), "CheckpointConfig", json!({"S3Uri": "s3://b/c"})),
            "`CheckpointConfig`",
        ),
        (sharded, "`InputDataConfig[0].CompressionType`"),
        (
            with(
                job("x", "good"),
                "ResourceConfig",
                json!({"InstanceType": "ml.m5.large", "InstanceCount": 2}),
            ),
            "`ResourceConfig.InstanceCount` other than 1",
        ),
        (
            job("x", "unknown:1"),
            "no `train` command for the image unknown:1; map it in a file given with --images",
        ),
        (job("x", "serve-only"), "no `train` command for the image serve-only"),
        (twice, "train is there twice"),
        (pattern, "The regular expression of the metric m is not valid"),
    ];
    for (request, text) in cases {
        let (code, message) = server.refused("CreateTrainingJob", request).await;
        assert_eq!(code, "ValidationException");
        assert!(message.contains(text), "{message}");
    }
    let listed = server.call("ListTrainingJobs", json!({})).await.unwrap();
    assert_eq!(listed, json!({"TrainingJobSummaries": []}));
}

#[tokio::test]
async fn faults_fail_a_job_or_lose_its_output() {
    let server = server().await;
    server.fault(json!({"operation": "CreateTrainingJob", "match": "first", "kind": "fail-job", "reason": "AlgorithmError: told to"})).await;
    server
        .fault(json!({"operation": "CreateTrainingJob", "match": "second", "kind": "missing-output"}))
        .await;
    for name in ["first", "second"] {
        server.call("CreateTrainingJob", job(name, "good")).await.unwrap();
    }
    let first = server.trained("first").await;
    assert_eq!(
        (&first["TrainingJobStatus"], &first["FailureReason"]),
        (&json!("Failed"), &json!("AlgorithmError: told to"))
    );
    let second = server.trained("second").await;
    assert_eq!(second["TrainingJobStatus"], "Completed");
    assert_eq!(
        second["ModelArtifacts"]["S3ModelArtifacts"],
        "s3://out/models/second/output/model.tar.gz"
    );
    assert_eq!(server.s3.keys("out/"), [""; 0]);
}

#[tokio::test]
async fn shutting_down_ends_running_containers() {
    let server = server().await;
    server.call("CreateTrainingJob", job("cars-1", "slow")).await.unwrap();
    server
        .wait(
            "DescribeTrainingJob",
            json!({"TrainingJobName": "cars-1"}),
            "SecondaryStatus",
            &["Training"],
        )
        .await;
    server.app.shutdown().await;
    let answer = server.trained("cars-1").await;
    assert_eq!(answer["TrainingJobStatus"], "Failed");
}
