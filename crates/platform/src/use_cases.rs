//! The use-case document, found by its pointer in Parameter Store.

use crate::{Documents, Error};
use aws_sdk_ssm::error::ProvideErrorMetadata;
use contracts::{ConfigPointer, UseCase, places};

/// Reads use-case documents.
#[derive(Clone, Debug)]
pub struct UseCases {
    parameters: aws_sdk_ssm::Client,
    documents: Documents,
    stack: String,
}

impl UseCases {
    /// The documents of a stack.
    pub fn new(parameters: aws_sdk_ssm::Client, documents: Documents, stack: impl Into<String>) -> Self {
        Self {
            parameters,
            documents,
            stack: stack.into(),
        }
    }

    /// Where the present document of a use case is; `None` when it has none.
    ///
    /// # Errors
    /// [`Error::AwsCall`]; [`Error::Document`] when the parameter is no pointer.
    pub async fn pointer(&self, use_case: &str) -> Result<Option<ConfigPointer>, Error> {
        let name = places::parameters::config(&self.stack, use_case);
        let answer = match self.parameters.get_parameter().name(&name).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ParameterNotFound") => return Ok(None),
            Err(error) => return Err(Error::aws_call(format!("GetParameter {name}"), &error)),
        };
        let value = answer
            .parameter()
            .and_then(|parameter| parameter.value())
            .unwrap_or_default();
        serde_json::from_str(value).map(Some).map_err(|error| Error::Document {
            place: format!("parameter {name}"),
            reason: error.to_string(),
        })
    }

    /// The document that a pointer points at, checked against its hash and its own rules.
    ///
    /// # Errors
    /// [`Error::AwsCall`]; [`Error::Document`] when it is missing, altered or unsound.
    pub async fn at(&self, pointer: &ConfigPointer) -> Result<UseCase, Error> {
        let invalid = |reason: String| Error::Document {
            place: pointer.uri.clone(),
            reason,
        };
        let (bucket, key) = places::parse_uri(&pointer.uri).ok_or_else(|| invalid("no S3 URI".to_owned()))?;
        if bucket != self.documents.bucket() {
            return Err(invalid(format!(
                "is not in the stack's bucket {}",
                self.documents.bucket()
            )));
        }
        let (bytes, _) = self
            .documents
            .get_bytes(key, Some(&pointer.version_id))
            .await?
            .ok_or_else(|| invalid(format!("has no version {}", pointer.version_id)))?;
        if !pointer.matches(&bytes) {
            return Err(invalid(
                "does not hash to what its pointer says: store it again with `onboard`".to_owned(),
            ));
        }
        read(&bytes).map_err(invalid)
    }

    /// An earlier version of a use case's document: the one that a run was claimed with.
    ///
    /// # Errors
    /// [`Error::AwsCall`]; [`Error::Document`] when it is missing or unsound.
    pub async fn version(&self, use_case: &str, version_id: &str) -> Result<UseCase, Error> {
        let key = places::use_case::config(use_case);
        let invalid = |reason: String| Error::Document {
            place: places::uri(self.documents.bucket(), &key),
            reason,
        };
        let (bytes, _) = self
            .documents
            .get_bytes(&key, Some(version_id))
            .await?
            .ok_or_else(|| invalid(format!("has no version {version_id}")))?;
        read(&bytes).map_err(invalid)
    }

    /// The present document of a use case, and its pointer.
    ///
    /// # Errors
    /// [`Error::UseCaseUnknown`], and those of [`Self::pointer`] and [`Self::at`].
    pub async fn get(&self, use_case: &str) -> Result<(UseCase, ConfigPointer), Error> {
        let pointer = self
            .pointer(use_case)
            .await?
            .ok_or_else(|| Error::UseCaseUnknown(use_case.to_owned()))?;
        Ok((self.at(&pointer).await?, pointer))
    }
}

fn read(bytes: &[u8]) -> Result<UseCase, String> {
    let document: UseCase = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match document.validate().first() {
        None => Ok(document),
        Some(mistake) => Err(mistake.to_string()),
    }
}
