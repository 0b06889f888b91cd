//! Errors of the functions' shared shell, with their stable `error_type`s.

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// What can go wrong between a function and AWS.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call failed after the SDK's own retries. `error_type`: `AwsCallFailed`; worth a retry.
    #[error("{call} failed: {code}: {message}")]
    AwsCall {
        /// The call and its subject: `GetObject s3://bucket/key`.
        call: String,
        /// AWS's error code, or the kind of failure when there was no answer.
        code: String,
        /// AWS's message.
        message: String,
    },
    /// A document cannot be read. `error_type`: `DocumentInvalid`.
    #[error("{place} is not what it should be: {reason}")]
    Document {
        /// The document's place.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No document has been stored for a use case. `error_type`: `UseCaseUnknown`.
    #[error("use case `{0}` is unknown: `drivetrain onboard` stores its document")]
    UseCaseUnknown(String),
    /// An environment variable is missing, or is not the number that it must be. `error_type`: `SettingsInvalid`.
    #[error("environment variable {0} is missing or not what it should be: the template must set it")]
    Settings(&'static str),
}

impl Error {
    /// Wraps an SDK error together with the call that failed.
    pub fn aws_call<E, R>(call: impl Into<String>, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
        R: std::fmt::Debug,
    {
        let kind = match error {
            SdkError::TimeoutError(_) => "Timeout",
            SdkError::DispatchFailure(_) => "ConnectionFailed",
            SdkError::ConstructionFailure(_) => "RequestInvalid",
            SdkError::ResponseError(_) => "ResponseUnreadable",
            _ => "Unknown",
        };
        let meta = error.as_service_error();
        Self::AwsCall {
            call: call.into(),
            code: meta.and_then(ProvideErrorMetadata::code).unwrap_or(kind).to_owned(),
            message: meta
                .and_then(ProvideErrorMetadata::message)
                .map_or_else(|| error.to_string(), str::to_owned),
        }
    }
}

/// Whether SageMaker says that what was asked for does not exist. It has no error code of its own for a missing model
/// or endpoint.
pub fn is_missing_in_sagemaker(error: &impl ProvideErrorMetadata) -> bool {
    error.code() == Some("ValidationException")
        && error
            .message()
            .is_some_and(|message| message.starts_with("Could not find"))
}

/// Lists every variant and its name in one place.
macro_rules! named {
    ($($variant:ident: $name:literal),+ $(,)?) => {
        impl Error {
            /// The `error_type`s that every function can return.
            pub const TYPES: &'static [&'static str] = &[$($name),+];

            /// The name that state machines match.
            pub fn error_type(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)+
                }
            }
        }
    };
}

named! {
    AwsCall: "AwsCallFailed",
    Document: "DocumentInvalid",
    UseCaseUnknown: "UseCaseUnknown",
    Settings: "SettingsInvalid",
}

crate::diagnostic!(Error);
