//! A server with the echo image, and helpers for the tests of endpoints and transform jobs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::s3_stub::S3Stub;
use crate::support::{ROLE, Server};

pub struct ServingServer {
    pub s3: S3Stub,
    server: Server,
    http: reqwest::Client,
}

/// An answer of InvokeEndpoint.
#[derive(Debug)]
pub struct Invoked {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
}

impl Invoked {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

impl ServingServer {
    pub async fn start() -> Self {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/echo_model.py");
        let server = Server::start(&format!(
            "images:\n  - {{image: echo, serve: [python3, {}]}}\n  - {{image: never-healthy, serve: ['false']}}\n",
            program.display()
        ))
        .await;
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self {
            s3: server.s3.clone(),
            server,
            http,
        }
    }

    /// Ends everything that runs, as SIGTERM does.
    pub async fn stop(&self) {
        self.server.app.shutdown().await;
    }

    pub fn data_dir(&self) -> PathBuf {
        self.server.dir.path().join("data")
    }

    /// Calls an operation that must succeed.
    pub async fn call(&self, operation: &str, request: Value) -> Value {
        let answer = self.server.call(operation, request).await;
        answer.unwrap_or_else(|refusal| panic!("{operation} was refused: {refusal:?}"))
    }

    /// Calls an operation that must be refused; returns `code: message`.
    pub async fn refused(&self, operation: &str, request: Value) -> String {
        let (code, message) = self.server.refused(operation, request).await;
        format!("{code}: {message}")
    }

    /// Calls Application Auto Scaling; the error is `code: message`.
    pub async fn scaling(&self, operation: &str, request: Value) -> Result<Value, String> {
        let target = format!("AnyScaleFrontendService.{operation}");
        let answer = self.server.call_target(&target, request).await;
        answer.map_err(|(_, body)| {
            format!(
                "{}: {}",
                body["__type"].as_str().unwrap(),
                body["message"].as_str().unwrap()
            )
        })
    }

    pub async fn fault(&self, fault: Value) {
        self.server.fault(fault).await;
    }

    pub async fn invoke(&self, endpoint: &str, body: &str) -> Invoked {
        self.invoke_with(endpoint, body, &[("Content-Type", "text/csv")]).await
    }

    pub async fn invoke_with(&self, endpoint: &str, body: &str, headers: &[(&str, &str)]) -> Invoked {
        let url = format!("{}/endpoints/{endpoint}/invocations", self.server.url);
        let mut message = self.http.post(url).body(body.to_owned());
        for (name, value) in headers {
            message = message.header(*name, *value);
        }
        let response = message.send().await.unwrap();
        Invoked {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.unwrap(),
        }
    }

    /// Creates a model of the echo image whose answers are multiplied by `factor`.
    pub async fn create_model(&self, name: &str, factor: u32) {
        let container = self.container(name, factor, &json!({}));
        let request = json!({"ModelName": name, "ExecutionRoleArn": ROLE, "PrimaryContainer": container});
        self.call("CreateModel", request).await;
    }

    /// Creates an inference pipeline.
    pub async fn create_pipeline(&self, name: &str, containers: &[Value]) {
        let request = json!({"ModelName": name, "ExecutionRoleArn": ROLE, "Containers": containers});
        self.call("CreateModel", request).await;
    }

    /// A container definition of the echo image; uploads its archive to S3.
    pub fn container(&self, name: &str, factor: u32, environment: &Value) -> Value {
        self.s3.put(
            &format!("bucket/models/{name}.tar.gz"),
            archive("factor", &factor.to_string()),
        );
        json!({
            "Image": "echo",
            "ModelDataUrl": format!("s3://bucket/models/{name}.tar.gz"),
            "Environment": environment,
        })
    }

    /// Creates an endpoint configuration of one variant, `AllTraffic`, with the members of `more` added.
    pub async fn create_config(&self, name: &str, model: &str, more: &Value) {
        let request = json!({"EndpointConfigName": name, "ProductionVariants": [variant("AllTraffic", model)]});
        self.call("CreateEndpointConfig", with(request, more)).await;
    }

    /// Creates an endpoint of one model, and waits until it is in service.
    pub async fn create_endpoint(&self, endpoint: &str, config: &str) {
        let request = json!({"EndpointName": endpoint, "EndpointConfigName": config});
        self.call("CreateEndpoint", request).await;
        let settled = self.settled_endpoint(endpoint).await;
        assert_eq!(settled["EndpointStatus"], "InService", "{settled}");
    }

    /// The description of an endpoint once no operation is in progress.
    pub async fn settled_endpoint(&self, name: &str) -> Value {
        let request = json!({ "EndpointName": name });
        let wanted = ["InService", "Failed"];
        self.server
            .wait("DescribeEndpoint", request, "EndpointStatus", &wanted)
            .await
    }

    /// The description of a transform job once it has ended.
    pub async fn ended_transform(&self, name: &str) -> Value {
        let request = json!({ "TransformJobName": name });
        let wanted = ["Completed", "Failed", "Stopped"];
        self.server
            .wait("DescribeTransformJob", request, "TransformJobStatus", &wanted)
            .await
    }
}

/// A production variant of one instance.
pub fn variant(name: &str, model: &str) -> Value {
    json!({"VariantName": name, "ModelName": model, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"})
}

/// A request with additional members; objects are merged, other members replaced.
pub fn with(mut request: Value, more: &Value) -> Value {
    for (member, value) in more.as_object().unwrap() {
        match (&mut request[member], value) {
            (Value::Object(kept), Value::Object(added)) => kept.extend(added.clone()),
            (kept, value) => *kept = value.clone(),
        }
    }
    request
}

/// Pause between two polls of something that takes a while.
pub async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

fn archive(name: &str, content: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, content.as_bytes()).unwrap();
    builder.into_inner().unwrap().finish().unwrap()
}
