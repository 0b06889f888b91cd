//! A server with its own directory, S3 and images, and a client that speaks its protocols.

use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use sagemaker_local::{App, Settings};
use serde_json::{Value, json};

use crate::s3_stub::S3Stub;

pub const ROLE: &str = "arn:aws:iam::000000000000:role/test";

pub struct Server {
    pub s3: S3Stub,
    pub url: String,
    pub dir: tempfile::TempDir,
    pub app: Arc<App>,
    pub http: reqwest::Client,
}

impl Server {
    /// Starts a server with this text as its images file; `{dir}` in it is replaced by the server's directory.
    pub async fn start(images: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let s3 = S3Stub::default();
        let endpoint = s3.serve().await;
        let images_file = dir.path().join("images.yaml");
        std::fs::write(&images_file, images).unwrap();
        let service_models = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/service-models");
        let settings = Settings::parse_from([
            "sagemaker-local".into(),
            "--data-dir".into(),
            dir.path().join("data").into_os_string(),
            "--s3-endpoint".into(),
            endpoint.into(),
            "--service-models".into(),
            service_models.into(),
            "--images".into(),
            images_file.into_os_string(),
            "--define".into(),
            format!("dir={}", dir.path().display()).into(),
        ]);
        let app = App::start(settings).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = sagemaker_local::router(Arc::clone(&app));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            s3,
            url,
            dir,
            app,
            http: reqwest::Client::new(),
        }
    }

    /// Sends a SageMaker operation; the error is status and body.
    pub async fn call(&self, operation: &str, request: Value) -> Result<Value, (u16, Value)> {
        self.call_target(&format!("SageMaker.{operation}"), request).await
    }

    /// Sends an operation of any JSON 1.1 service.
    pub async fn call_target(&self, target: &str, request: Value) -> Result<Value, (u16, Value)> {
        let response = self
            .http
            .post(&self.url)
            .header("X-Amz-Target", target)
            .header("Content-Type", "application/x-amz-json-1.1")
            .body(request.to_string())
            .send()
            .await
            .unwrap();
        assert!(response.headers().contains_key("x-amzn-requestid"));
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap();
        if status == 200 { Ok(body) } else { Err((status, body)) }
    }

    /// Code and message of an operation that must be refused.
    pub async fn refused(&self, operation: &str, request: Value) -> (String, String) {
        let (_, body) = self.call(operation, request).await.unwrap_err();
        let text = |key: &str| body[key].as_str().unwrap().to_owned();
        (text("__type"), text("message"))
    }

    /// Registers a fault on demand.
    pub async fn fault(&self, fault: Value) {
        let url = format!("{}/_local/faults", self.url);
        let response = self.http.post(url).body(fault.to_string()).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.text().await.unwrap());
    }

    /// Describes until `status` (a member of the answer) is one of `wanted`.
    pub async fn wait(&self, operation: &str, request: Value, status: &str, wanted: &[&str]) -> Value {
        let poll = async {
            loop {
                let answer = self.call(operation, request.clone()).await.unwrap();
                if wanted.contains(&answer[status].as_str().unwrap()) {
                    return answer;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), poll)
            .await
            .unwrap_or_else(|_| panic!("never {wanted:?}"))
    }

    /// Waits for a training job's end.
    pub async fn trained(&self, name: &str) -> Value {
        let request = json!({"TrainingJobName": name});
        self.wait(
            "DescribeTrainingJob",
            request,
            "TrainingJobStatus",
            &["Completed", "Failed", "Stopped"],
        )
        .await
    }

    /// Waits for a processing job's end.
    pub async fn processed(&self, name: &str) -> Value {
        let request = json!({"ProcessingJobName": name});
        self.wait(
            "DescribeProcessingJob",
            request,
            "ProcessingJobStatus",
            &["Completed", "Failed", "Stopped"],
        )
        .await
    }

    pub fn log(&self, kind: &str, name: &str) -> String {
        std::fs::read_to_string(self.dir.path().join("data/logs").join(kind).join(format!("{name}.log"))).unwrap()
    }
}

/// The names and contents of the files in a `.tar.gz`.
pub fn unpacked(archive: &[u8]) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let mut content = String::new();
            std::io::Read::read_to_string(&mut entry, &mut content).unwrap();
            let name = entry
                .path()
                .unwrap()
                .to_string_lossy()
                .trim_start_matches("./")
                .to_owned();
            files.push((name, content));
        }
    }
    files
}
