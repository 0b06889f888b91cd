//! What the shells of all functions share: documents in S3, the use-case document, the lease, notices, findings,
//! errors.
//!
//! Nothing here takes decisions; that is up to the functions. There is no SageMaker client either, so that only
//! functions that need one pay for its size.

mod decisions;
mod diagnostic;
pub mod documents;
mod error;
mod findings;
mod lease;
mod notices;
mod objects;
mod parts;
mod use_cases;

pub use decisions::Decisions;
pub use documents::{Documents, Versioned};
pub use error::{Error, is_missing_in_sagemaker};
pub use findings::Findings;
#[doc(hidden)]
pub use lambda_runtime::Diagnostic;
pub use lease::Leases;
pub use notices::Notices;
pub use objects::Listed;
pub use use_cases::UseCases;

/// Loads the SDK's configuration from the environment, once a process.
pub async fn sdk_config() -> aws_config::SdkConfig {
    aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await
}

/// An S3 client. It uses path-style addresses, because bucket names with dots and local stacks have no host name of
/// their own.
pub fn s3_client(config: &aws_config::SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build())
}

/// An environment variable that the template sets.
///
/// # Errors
/// [`Error::Settings`] when it is missing or empty.
pub fn setting(name: &'static str) -> Result<String, Error> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.is_empty())
        .ok_or(Error::Settings(name))
}
