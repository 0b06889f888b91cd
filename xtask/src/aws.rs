//! Which AWS we speak to: the local stack when it is up, the account of the environment otherwise.

use crate::layout::Layout;
use crate::stack::{self, State};
use crate::ui;
use anyhow::{Context, Result, bail};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use clap::{Args, ValueEnum};
use contracts::names::MAX_STACK;
use contracts::places;
use std::time::Duration;

/// Whom a command is for.
#[derive(Clone, Debug, Args)]
pub struct Whom {
    /// The stack's short name: the template's parameter Prefix.
    #[arg(long, default_value = "drivetrain", value_parser = parse_stack, value_name = "NAME")]
    pub stack: String,

    /// Where it runs [default: local when the local stack is up, else AWS]
    #[arg(long, value_enum)]
    pub on: Option<Place>,
}

/// Where a stack runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Place {
    /// On this machine.
    Local,
    /// In the account that AWS_PROFILE, AWS_REGION and their kin name.
    Aws,
}

/// A stack to speak to.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its short name.
    pub stack: String,
    /// The local stack, if it is that.
    pub local: Option<State>,
    config: SdkConfig,
}

/// Where the parts of a deployed platform are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The bucket of everything.
    pub bucket: String,
    /// The topic of notices.
    pub topic_arn: String,
    /// The REST API's id.
    pub api_id: String,
    /// Its address on AWS.
    pub api_url: String,
    /// The id of its key.
    pub api_key_id: String,
    /// The training machine.
    pub training_state_machine_arn: String,
    /// The batch-scoring machine.
    pub scoring_state_machine_arn: String,
    /// The monitoring machine.
    pub monitor_state_machine_arn: String,
    /// The queue of events that could not be delivered.
    pub undelivered_events_url: String,
    /// The queue of calls that have failed for good.
    pub function_failures_url: String,
}

impl Whom {
    /// The stack meant, and a line that says which.
    ///
    /// # Errors
    /// The local stack is asked for and down, or AWS is and no region is set.
    pub async fn target(&self, layout: &Layout) -> Result<Target> {
        let target = match self.on {
            Some(Place::Local) => Target::local(State::running(layout)?, &self.stack),
            Some(Place::Aws) => Target::aws(&self.stack).await?,
            None => match State::load(layout)?.filter(State::is_up) {
                Some(state) => Target::local(state, &self.stack),
                None => Target::aws(&self.stack).await?,
            },
        };
        ui::say(&format!("{:<12} {}", "Stack", target.title()));
        Ok(target)
    }
}

impl Target {
    /// A stack on this machine.
    pub fn local(state: State, name: &str) -> Self {
        let key = Credentials::from_keys(stack::ACCESS_KEY, stack::ACCESS_KEY, None);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(stack::REGION))
            .endpoint_url(state.endpoint())
            .credentials_provider(SharedCredentialsProvider::new(key))
            .build();
        Self {
            stack: name.to_owned(),
            local: Some(state),
            config,
        }
    }

    /// A stack in the account of the environment.
    async fn aws(name: &str) -> Result<Self> {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        if config.region().is_none_or(|region| region.as_ref().is_empty()) {
            bail!(
                "the local stack is down and no AWS region is set: `cargo xtask up` starts the local stack; \
                 for AWS set AWS_REGION and AWS_PROFILE"
            );
        }
        Ok(Self {
            stack: name.to_owned(),
            local: None,
            config,
        })
    }

    /// For people.
    pub fn title(&self) -> String {
        match &self.local {
            Some(state) => format!("`{}` on the local stack at {}", self.stack, state.endpoint()),
            None => {
                let region = self.config.region().map(ToString::to_string).unwrap_or_default();
                format!("`{}` on AWS, region {region}", self.stack)
            }
        }
    }

    /// S3.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        // The local S3 has no host name a bucket.
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.local.is_some());
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// Parameter Store.
    pub fn ssm(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.config)
    }

    /// SNS.
    pub fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.config)
    }

    /// SQS.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// Step Functions.
    pub fn sfn(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.config)
    }

    /// Lambda.
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    /// Puts an object into the versioned bucket; gives its version.
    ///
    /// # Errors
    /// S3 refuses, or the bucket keeps no versions.
    pub async fn put(&self, bucket: &str, key: &str, content_type: &str, body: ByteStream) -> Result<String> {
        let put = self.s3().put_object().bucket(bucket).key(key);
        let put = put.content_type(content_type).body(body).send().await;
        put.map_err(|error| describe("PutObject", error))?
            .version_id
            .context("the bucket keeps no versions")
    }

    /// An object of the bucket; `None` when it isn't there.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>> {
        match self.s3().get_object().bucket(bucket).key(key).send().await {
            Ok(object) => Ok(Some(object.body.collect().await?.to_vec())),
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => Ok(None),
            Err(error) => Err(describe("GetObject", error)),
        }
    }

    /// The use cases that are known to the stack, in order.
    ///
    /// # Errors
    /// S3 refuses.
    pub async fn use_cases(&self, bucket: &str) -> Result<Vec<String>> {
        let root = places::use_case::ALL;
        let request = self.s3().list_objects_v2().bucket(bucket).prefix(root);
        let mut pages = request.delimiter("/").into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| describe("ListObjectsV2", error))?;
            let folders = page.common_prefixes.unwrap_or_default().into_iter();
            let folders = folders.filter_map(|folder| folder.prefix);
            names.extend(folders.filter_map(|it| Some(it.strip_prefix(root)?.trim_end_matches('/').to_owned())));
        }
        Ok(names)
    }

    /// The keys that begin with `prefix`, in order.
    ///
    /// # Errors
    /// S3 refuses.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let mut pages = self
            .s3()
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| describe("ListObjectsV2", error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|it| it.key));
        }
        Ok(keys)
    }

    /// The parts of the platform, by the parameters that the template writes.
    ///
    /// # Errors
    /// Nothing is deployed under that name.
    pub async fn platform(&self) -> Result<Platform> {
        let root = format!("/drivetrain/{}/platform/", self.stack);
        let answer = self
            .ssm()
            .get_parameters_by_path()
            .path(root.trim_end_matches('/'))
            .send()
            .await;
        let answer = answer.map_err(|error| describe("GetParametersByPath", error))?;
        let value = |name: &str| {
            let full = format!("{root}{name}");
            let found = answer
                .parameters()
                .iter()
                .find(|parameter| parameter.name() == Some(&full));
            found
                .and_then(|parameter| parameter.value())
                .map(str::to_owned)
                .with_context(|| {
                    let deploy = if self.local.is_some() {
                        "`cargo xtask up`"
                    } else {
                        "`sam build && sam deploy`"
                    };
                    format!(
                        "the parameter {full} is missing: {} is not deployed; {deploy} does it",
                        self.title()
                    )
                })
        };
        Ok(Platform {
            bucket: value("bucket")?,
            topic_arn: value("topic-arn")?,
            api_id: value("api-id")?,
            api_url: value("api-url")?,
            api_key_id: value("api-key-id")?,
            training_state_machine_arn: value("training-state-machine-arn")?,
            scoring_state_machine_arn: value("scoring-state-machine-arn")?,
            monitor_state_machine_arn: value("monitor-state-machine-arn")?,
            undelivered_events_url: value("undelivered-events-url")?,
            function_failures_url: value("function-failures-url")?,
        })
    }
}

impl Platform {
    /// The address of the prediction API as this machine reaches it.
    pub fn reachable_api_url(&self, target: &Target) -> String {
        match &target.local {
            // The host name that the template writes exists on AWS only; its last part is the stage.
            Some(state) => {
                let stage = self.api_url.rsplit('/').next().unwrap_or_default();
                format!("{}/_aws/execute-api/{}/{stage}", state.endpoint(), self.api_id)
            }
            None => self.api_url.clone(),
        }
    }
}

/// A call of the local stack by hand, for services whose SDK would cost minutes of compiling for one request.
///
/// # Errors
/// No answer, or one that is not a success; the text holds it.
pub async fn call_local(state: &State, service: &str, request: reqwest::RequestBuilder) -> Result<serde_json::Value> {
    let scope = format!(
        "{}/20260101/{}/{service}/aws4_request",
        stack::ACCESS_KEY,
        stack::REGION
    );
    let answer = request
        .header(
            "authorization",
            // LocalStack reads the service from the scope and checks no signature.
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"),
        )
        .send()
        .await
        .with_context(|| format!("{service} does not answer at {}", state.endpoint()))?;
    let status = answer.status();
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{service} answered {status}: {text}");
    }
    if text.is_empty() {
        return Ok(serde_json::Value::Null);
    }
    serde_json::from_str(&text).with_context(|| format!("{service} did not answer JSON: {text}"))
}

/// A client for the stack's own addresses: no proxy stands between us and 127.0.0.1.
///
/// # Errors
/// The TLS set-up of the machine is broken.
pub fn http_client() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()?)
}

/// An SDK error with its causes in one line: the SDK's own text says only "service error".
pub fn describe<E>(call: &str, error: E) -> anyhow::Error
where
    E: std::error::Error + Send + Sync + 'static,
{
    let mut text = String::new();
    let mut source: Option<&dyn std::error::Error> = Some(&error);
    while let Some(cause) = source {
        let line = cause.to_string();
        if !line.is_empty() && !text.contains(&line) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&line);
        }
        source = cause.source();
    }
    anyhow::anyhow!("{call} failed: {text}")
}

fn parse_stack(name: &str) -> Result<String, String> {
    if name.len() > MAX_STACK {
        return Err(format!(
            "`{name}` has {} characters; {MAX_STACK} fit into SageMaker's names",
            name.len()
        ));
    }
    if !contracts::names::is_id(name) {
        return Err(format!(
            "`{name}` must be lower-case letters, digits and single hyphens"
        ));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_name_that_does_not_fit_is_refused() {
        assert!(parse_stack("drivetrain").is_ok());
        assert!(parse_stack("fourteen-chars").is_ok());
        assert!(parse_stack("fifteen-charact").unwrap_err().contains("14 fit"));
        assert!(parse_stack("Drive_train").is_err());
    }
}
