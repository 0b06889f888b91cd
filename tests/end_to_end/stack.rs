//! The local stack as a client sees it. `cargo xtask env` says where it is.

use aws_config::BehaviorVersion;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::ByteStream;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// Clients and places of a running stack.
#[derive(Clone)]
pub struct Stack {
    pub name: String,
    pub bucket: String,
    pub machine_arn: String,
    pub scoring_arn: String,
    pub monitor_arn: String,
    pub executions: aws_sdk_sfn::Client,
    s3: aws_sdk_s3::Client,
    pub parameters: aws_sdk_ssm::Client,
    functions: aws_sdk_lambda::Client,
    http: reqwest::Client,
    api_url: String,
    api_key: String,
    sagemaker_url: String,
    inbox: PathBuf,
}

/// An object that was put, with what its event will contain.
pub struct Put {
    pub version_id: String,
    pub etag: String,
    pub last_modified: jiff::Timestamp,
}

/// A mail that somebody got.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub message: String,
    pub message_attributes: BTreeMap<String, String>,
}

/// An answer of the prediction API.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

/// The output of the command `drivetrain`.
#[derive(Debug)]
pub struct Said {
    pub success: bool,
    pub stdout: String,
    pub stderr: String,
}

impl Stack {
    /// Connects to the stack of the environment.
    pub async fn connect() -> Self {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let s3 = aws_sdk_s3::config::Builder::from(&config)
            .force_path_style(true)
            .build();
        assert_eq!(variable("DRIVETRAIN_ON"), "local", "the command would act on AWS");
        Self {
            name: variable("DRIVETRAIN_STACK"),
            bucket: variable("DRIVETRAIN_BUCKET"),
            machine_arn: variable("DRIVETRAIN_TRAINING_STATE_MACHINE_ARN"),
            scoring_arn: variable("DRIVETRAIN_SCORING_STATE_MACHINE_ARN"),
            monitor_arn: variable("DRIVETRAIN_MONITOR_STATE_MACHINE_ARN"),
            executions: aws_sdk_sfn::Client::new(&config),
            s3: aws_sdk_s3::Client::from_conf(s3),
            parameters: aws_sdk_ssm::Client::new(&config),
            functions: aws_sdk_lambda::Client::new(&config),
            http: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_secs(90))
                .build()
                .unwrap(),
            api_url: variable("DRIVETRAIN_API_URL"),
            api_key: variable("DRIVETRAIN_API_KEY"),
            sagemaker_url: variable("DRIVETRAIN_SAGEMAKER_URL"),
            inbox: PathBuf::from(variable("DRIVETRAIN_INBOX")),
        }
    }

    /// Puts an object; returns it with its version id.
    pub async fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> Put {
        let request = self.s3.put_object().bucket(&self.bucket).key(key);
        let put = request.body(ByteStream::from(body.into())).send().await.unwrap();
        let version_id = put.version_id.expect("the bucket keeps no versions");
        let request = self
            .s3
            .head_object()
            .bucket(&self.bucket)
            .key(key)
            .version_id(&version_id);
        let head = request.send().await.unwrap();
        let modified = head.last_modified.expect("S3 gave no time").secs();
        Put {
            version_id,
            etag: put.e_tag.unwrap().trim_matches('"').to_owned(),
            last_modified: jiff::Timestamp::from_second(modified).unwrap(),
        }
    }

    /// Deletes an object; its newest version is then a delete marker.
    pub async fn delete(&self, key: &str) {
        let request = self.s3.delete_object().bucket(&self.bucket).key(key);
        request.send().await.unwrap();
    }

    /// An object's bytes; `None` when there is none.
    pub async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let answer = self.s3.get_object().bucket(&self.bucket).key(key).send().await;
        match answer {
            Ok(answer) => Some(answer.body.collect().await.unwrap().to_vec()),
            Err(error) if error.code() == Some("NoSuchKey") => None,
            Err(error) => panic!("GetObject {key}: {error:?}"),
        }
    }

    /// A document; `None` when there is none.
    pub async fn document<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let bytes = self.get(key).await?;
        Some(serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{key}: {error}")))
    }

    /// The keys that begin with `prefix`.
    pub async fn keys(&self, prefix: &str) -> Vec<String> {
        let request = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let pages = request
            .into_paginator()
            .send()
            .collect::<Result<Vec<_>, _>>()
            .await
            .unwrap();
        let objects = pages.iter().flat_map(ListObjectsV2Output::contents);
        objects.filter_map(|object| object.key().map(str::to_owned)).collect()
    }

    /// A parameter's value; `None` when there is none.
    pub async fn parameter(&self, name: &str) -> Option<String> {
        match self.parameters.get_parameter().name(name).send().await {
            Ok(answer) => answer.parameter?.value,
            Err(error) if error.code() == Some("ParameterNotFound") => None,
            Err(error) => panic!("GetParameter {name}: {error:?}"),
        }
    }

    /// Calls a function of the stack; an error is the function's own.
    pub async fn call(&self, function: &str, event: &Value) -> Result<Value, Value> {
        let request = self
            .functions
            .invoke()
            .function_name(format!("{}-{function}", self.name));
        let answer = request.payload(Blob::new(event.to_string())).send().await.unwrap();
        let payload = serde_json::from_slice(answer.payload.unwrap().as_ref()).unwrap();
        match answer.function_error {
            None => Ok(payload),
            Some(_) => Err(payload),
        }
    }

    /// Sends a request to the prediction API, with `key` or else the stack's own.
    pub async fn predict(&self, use_case: &str, content_type: &str, body: String, key: Option<&str>) -> Answer {
        let url = format!("{}/use-cases/{use_case}/predictions", self.api_url);
        let request = self.http.post(url).header("content-type", content_type).body(body);
        let answer = request
            .header("x-api-key", key.unwrap_or(&self.api_key))
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, body }
    }

    /// Calls SageMaker; panics when it refuses.
    pub async fn sagemaker(&self, operation: &str, request: &Value) -> Value {
        self.json_protocol(&format!("SageMaker.{operation}"), request).await
    }

    /// Calls Application Auto Scaling; panics when it refuses.
    pub async fn scaling(&self, operation: &str, request: &Value) -> Value {
        self.json_protocol(&format!("AnyScaleFrontendService.{operation}"), request)
            .await
    }

    async fn json_protocol(&self, target: &str, request: &Value) -> Value {
        let call = self.http.post(&self.sagemaker_url).header("x-amz-target", target);
        let call = call
            .header("content-type", "application/x-amz-json-1.1")
            .body(request.to_string());
        let answer = call.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{target} {request}: {status}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Injects a fault; `docs/semantics.md` lists the possible ones.
    pub async fn fault(&self, fault: Value) {
        let url = format!("{}/_local/faults", self.sagemaker_url);
        let answer = self.http.post(url).body(fault.to_string()).send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{fault}: {}",
            answer.text().await.unwrap()
        );
    }

    /// The faults that have not happened yet, of those whose `match` contains `part`.
    pub async fn waiting_faults(&self, part: &str) -> Vec<Value> {
        let url = format!("{}/_local/faults", self.sagemaker_url);
        let answer = self.http.get(url).send().await.unwrap();
        let all: Vec<Value> = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let of = |fault: &Value| fault["match"].as_str().is_some_and(|it| it.contains(part));
        all.into_iter().filter(of).collect()
    }

    /// All mails so far.
    pub fn mails(&self) -> Vec<Mail> {
        let inbox = std::fs::read_to_string(&self.inbox).unwrap_or_default();
        // The last line may be incomplete.
        inbox
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Runs `drivetrain` as users do: the environment says on which stack.
    pub async fn drivetrain(&self, arguments: &[&str]) -> Said {
        // target/<profile>/deps/<test>
        let test = std::env::current_exe().unwrap();
        let program = test.parent().and_then(Path::parent).unwrap().join("drivetrain");
        let output = Command::new(&program).args(arguments).output().await;
        let output =
            output.unwrap_or_else(|error| panic!("{}: {error}: run `cargo build --bin drivetrain`", program.display()));
        Said {
            success: output.status.success(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Answer {
    /// The predictions of a request that must have been answered.
    pub fn predictions(&self) -> &[Value] {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["predictions"].as_array().unwrap()
    }

    /// Whether a model is missing from an answer that must have been given.
    pub fn degraded(&self) -> bool {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body["degraded"].as_bool().unwrap()
    }

    /// The stable type of an error.
    pub fn error_type(&self) -> &str {
        self.body["error"]["type"].as_str().unwrap_or_default()
    }
}

/// The body of a request with JSON instances.
pub fn instances(instances: &[Value]) -> String {
    json!({"instances": instances}).to_string()
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: `cargo xtask test end-to-end` sets it, as does `eval \"$(cargo xtask env)\"`")
    })
}
