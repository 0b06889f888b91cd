//! A stack, local or on AWS, and the clients to reach it.

mod objects;
mod platform;
mod profile;
mod reach;
mod words;

pub use platform::Platform;
pub use reach::Reach;
pub use words::{describe, is_missing};

use crate::local::{self, State};
use anyhow::{Result, anyhow, bail};
use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};

/// A stack to work with.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its short name.
    pub stack: String,
    /// The local stack's state; `None` on AWS.
    pub local: Option<State>,
    /// How other commands reach it.
    pub reach: Reach,
    config: SdkConfig,
}

impl Target {
    /// A stack on this machine.
    pub fn local(state: State, name: &str) -> Self {
        let key = Credentials::from_keys(local::ACCESS_KEY, local::ACCESS_KEY, None);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(local::REGION))
            .endpoint_url(state.endpoint())
            .credentials_provider(SharedCredentialsProvider::new(key))
            .build();
        Self {
            stack: name.to_owned(),
            local: Some(state),
            reach: Reach::default(),
            config,
        }
    }

    /// A stack in an AWS account, as the AWS CLI would find it: keys in the environment win over AWS_PROFILE, and
    /// `profile` wins over them.
    ///
    /// # Errors
    /// There is no such profile, no region or there are no credentials, or the environment points at something other than
    /// AWS.
    pub async fn aws(name: &str, profile: Option<&str>, region: Option<&str>) -> Result<Self> {
        profile::check(profile).await?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        let region = region.map(|region| Region::new(region.to_owned()));
        if let Some(profile) = profile {
            let region = match &region {
                Some(region) => Some(region.clone()),
                None => {
                    DefaultRegionChain::builder()
                        .profile_name(profile)
                        .build()
                        .region()
                        .await
                }
            };
            loader = loader
                .profile_name(profile)
                .credentials_provider(profile::credentials(profile, region));
        }
        if let Some(region) = region {
            loader = loader.region(region);
        }
        let config = loader.load().await;
        if config.region().is_none_or(|region| region.as_ref().is_empty()) {
            bail!("no AWS region is set: add `--region`, set AWS_REGION, or write `region` into the profile");
        }
        if let Some(url) = config.endpoint_url().filter(|url| is_this_machine(url)) {
            bail!(
                "AWS is asked for, but AWS_ENDPOINT_URL or the profile points at {url} on this machine: unset it, or add \
                 `--on local`"
            );
        }
        let Some(credentials) = config.credentials_provider() else {
            bail!("there are no AWS credentials: {}", words::SIGN_IN);
        };
        // Checked before anything else: without credentials every call would fail, with a less helpful message.
        credentials
            .provide_credentials()
            .await
            .map_err(|error| anyhow!(words::without_credentials(&error)))?;
        Ok(Self::with_config(name, config))
    }

    /// A stack on AWS that is reached with `config`.
    pub fn with_config(name: &str, config: SdkConfig) -> Self {
        Self {
            stack: name.to_owned(),
            local: None,
            reach: Reach::default(),
            config,
        }
    }

    /// A command line on this stack, for messages.
    pub fn command(&self, words: &str) -> String {
        self.reach.command(words)
    }

    /// Where the stack is, in words.
    pub fn title(&self) -> String {
        match &self.local {
            Some(state) => format!("stack `{}` on the local stack at {}", self.stack, state.endpoint()),
            None => format!("stack `{}` on AWS, region {}", self.stack, self.region()),
        }
    }

    /// Its region.
    pub fn region(&self) -> String {
        self.config.region().map(ToString::to_string).unwrap_or_default()
    }

    /// The account of its credentials, and the identity that they belong to.
    ///
    /// # Errors
    /// STS refuses.
    pub async fn caller(&self) -> Result<(String, String)> {
        let answer = aws_sdk_sts::Client::new(&self.config)
            .get_caller_identity()
            .send()
            .await;
        let answer = answer.map_err(|error| describe("GetCallerIdentity", error))?;
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Ok((text(answer.account()), text(answer.arn())))
    }

    /// One line that says which stack and account a command is about to change.
    ///
    /// # Errors
    /// AWS does not say which account it is.
    pub async fn place(&self) -> Result<String> {
        Ok(match &self.local {
            Some(state) => format!("local stack `{}`", state.name()),
            None => {
                let (account, _) = self.caller().await?;
                format!("AWS account {account}, {}, stack {}", self.region(), self.stack)
            }
        })
    }

    /// A client of S3.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        // The local S3 has no host names for buckets.
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.local.is_some());
        aws_sdk_s3::Client::from_conf(config.build())
    }

    /// A client of Parameter Store.
    pub fn ssm(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.config)
    }

    /// A client of SNS.
    pub fn sns(&self) -> aws_sdk_sns::Client {
        aws_sdk_sns::Client::new(&self.config)
    }

    /// A client of SQS.
    pub fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    /// A client of Step Functions.
    pub fn sfn(&self) -> aws_sdk_sfn::Client {
        aws_sdk_sfn::Client::new(&self.config)
    }

    /// A client of Lambda.
    pub fn lambda(&self) -> aws_sdk_lambda::Client {
        aws_sdk_lambda::Client::new(&self.config)
    }

    /// A client of SageMaker.
    pub fn sagemaker(&self) -> aws_sdk_sagemaker::Client {
        aws_sdk_sagemaker::Client::new(&self.config)
    }

    /// A client of CloudWatch Logs.
    pub fn logs(&self) -> aws_sdk_cloudwatchlogs::Client {
        aws_sdk_cloudwatchlogs::Client::new(&self.config)
    }

    /// A client of ECR, the registry of images.
    pub fn ecr(&self) -> aws_sdk_ecr::Client {
        aws_sdk_ecr::Client::new(&self.config)
    }

    /// A client of API Gateway.
    pub fn apigateway(&self) -> aws_sdk_apigateway::Client {
        aws_sdk_apigateway::Client::new(&self.config)
    }
}

/// Whether a URL points to this machine.
fn is_this_machine(url: &str) -> bool {
    let host = url.split("://").nth(1).unwrap_or(url);
    ["localhost", "127.", "[::1]", "0.0.0.0"]
        .iter()
        .any(|own| host.starts_with(own))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_told_from_others() {
        for own in ["http://127.0.0.1:4566", "http://localhost:4566", "http://[::1]:1"] {
            assert!(is_this_machine(own), "{own}");
        }
        assert!(!is_this_machine("https://vpce-1.s3.eu-west-1.vpce.amazonaws.com"));
    }
}
