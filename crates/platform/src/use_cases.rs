//! The use-case document, found through its pointer in Parameter Store.
//!
//! A function that answers the public can remember which use cases don't exist, so that a flood of requests for them
//! does not cost a Parameter Store call each.

use crate::{Documents, Error};
use aws_sdk_ssm::error::ProvideErrorMetadata;
use contracts::{ConfigPointer, UseCase, places};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Reads use-case documents.
#[derive(Clone, Debug)]
pub struct UseCases {
    parameters: aws_sdk_ssm::Client,
    documents: Documents,
    stack: String,
    unknown: Option<Arc<Unknown>>,
}

/// At most this many unknown use cases are remembered. When there are more, they are forgotten: memory does not grow.
const MOST_UNKNOWN: usize = 1_000;

/// The use cases that were recently unknown.
#[derive(Debug)]
struct Unknown {
    remembered: Duration,
    since: Mutex<HashMap<String, Instant>>,
}

impl UseCases {
    /// The documents of a stack.
    pub fn new(parameters: aws_sdk_ssm::Client, documents: Documents, stack: impl Into<String>) -> Self {
        Self {
            parameters,
            documents,
            stack: stack.into(),
            unknown: None,
        }
    }

    /// Remembers for this long that a use case is unknown. One that is stored meanwhile is found once that time is
    /// over.
    #[must_use]
    pub fn remembering_unknown(self, remembered: Duration) -> Self {
        let since = Mutex::default();
        Self {
            unknown: Some(Arc::new(Unknown { remembered, since })),
            ..self
        }
    }

    /// The pointer to the current document of a use case; `None` when it has none.
    ///
    /// # Errors
    /// [`Error::AwsCall`]; [`Error::Document`] when the parameter does not hold a pointer.
    pub async fn pointer(&self, use_case: &str) -> Result<Option<ConfigPointer>, Error> {
        if self.unknown.as_ref().is_some_and(|unknown| unknown.has(use_case)) {
            return Ok(None);
        }
        let name = places::parameters::config(&self.stack, use_case);
        let answer = match self.parameters.get_parameter().name(&name).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("ParameterNotFound") => {
                if let Some(unknown) = &self.unknown {
                    unknown.remember(use_case);
                }
                return Ok(None);
            }
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

    /// Why a run planned under `onboarding` may not export any more: its use case was removed since, and perhaps
    /// onboarded again. `None` while the use case is in service as it was. `onboarding` is empty when the use case had
    /// none, and `None` in plans that don't say.
    ///
    /// # Errors
    /// Those of [`Self::pointer`].
    pub async fn removed_since(&self, use_case: &str, onboarding: Option<&str>) -> Result<Option<String>, Error> {
        let Some(pointer) = self.pointer(use_case).await? else {
            let onboard = contracts::command(&self.stack, &format!("onboard models/{use_case}.yaml"));
            return Ok(Some(format!(
                "the use case was removed while the run was under way: to take it up again, store its document with \
                 `{onboard}`, then run again"
            )));
        };
        let present = pointer.onboarding.as_deref().unwrap_or_default();
        Ok(onboarding.filter(|planned| *planned != present).map(|_| {
            "the use case was removed while the run was under way, and was onboarded again since: earlier runs export nothing; \
             drop its file, or ask for its promotion, again"
                .to_owned()
        }))
    }

    /// The document at a pointer, checked against its hash and its own rules.
    ///
    /// # Errors
    /// [`Error::AwsCall`]; [`Error::Document`] when it is missing, altered or invalid.
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

    /// An earlier version of a use case's document, such as the one that a run was claimed with.
    ///
    /// # Errors
    /// [`Error::AwsCall`]; [`Error::Document`] when it is missing or invalid.
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

    /// The current document of a use case, with its pointer.
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

impl Unknown {
    fn has(&self, use_case: &str) -> bool {
        let since = self.since().get(use_case).copied();
        since.is_some_and(|since| since.elapsed() < self.remembered)
    }

    fn remember(&self, use_case: &str) {
        let mut since = self.since();
        if since.len() >= MOST_UNKNOWN {
            since.clear();
        }
        since.insert(use_case.to_owned(), Instant::now());
    }

    fn since(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        // No code panics while it holds the lock, and the map would be intact even then.
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(bytes: &[u8]) -> Result<UseCase, String> {
    let document: UseCase = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    match document.validate().first() {
        None => Ok(document),
        Some(mistake) => Err(mistake.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;

    fn use_cases(aws: &FakeAws) -> UseCases {
        let config = aws.sdk_config();
        let documents = Documents::new(crate::s3_client(&config), "b");
        UseCases::new(aws_sdk_ssm::Client::new(&config), documents, "dev")
    }

    #[tokio::test]
    async fn an_unknown_use_case_is_remembered_for_a_while() {
        let aws = FakeAws::new();
        let known = use_cases(&aws).remembering_unknown(Duration::from_secs(3600));
        for _ in 0..100 {
            assert_eq!(known.pointer("vans").await.unwrap(), None);
        }
        assert_eq!(aws.calls_of("GetParameter").len(), 1);
        let pointer = r#"{"uri": "s3://b/k", "version_id": "v", "sha256": "0"}"#;
        aws.put_parameter("/drivetrain/dev/vans/config", pointer);
        aws.put_parameter("/drivetrain/dev/cars/config", pointer);
        assert_eq!(known.pointer("vans").await.unwrap(), None);
        assert!(known.pointer("cars").await.unwrap().is_some());
        // Remembered, but no longer when the time is over.
        let known = use_cases(&aws).remembering_unknown(Duration::ZERO);
        known.unknown.as_ref().unwrap().remember("vans");
        assert!(known.pointer("vans").await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_run_of_before_a_removal_is_told_from_one_of_now() {
        let aws = FakeAws::new();
        let all = use_cases(&aws);
        let stored = |onboarding: Option<&str>| {
            let pointer =
                serde_json::json!({"uri": "s3://b/k", "version_id": "v", "sha256": "0", "onboarding": onboarding});
            aws.put_parameter("/drivetrain/dev/cars/config", &pointer.to_string());
        };
        for planned in [None, Some(""), Some("1")] {
            let removed = all.removed_since("cars", planned).await.unwrap().unwrap();
            assert!(removed.contains("onboard models/cars.yaml"), "{removed}");
        }
        for (present, planned, goes_on) in [
            (Some("2"), Some("2"), true),
            (Some("2"), Some("1"), false),
            // Stored before onboardings existed: a plan of that time has an empty one, or none.
            (None, Some(""), true),
            (None, None, true),
            (Some("2"), Some(""), false),
            (Some("2"), None, true),
        ] {
            stored(present);
            let removed = all.removed_since("cars", planned).await.unwrap();
            assert_eq!(removed.is_none(), goes_on, "{present:?} {planned:?}: {removed:?}");
        }
    }

    #[tokio::test]
    async fn a_flood_of_names_does_not_grow_the_memory() {
        let aws = FakeAws::new();
        let known = use_cases(&aws).remembering_unknown(Duration::from_secs(3600));
        for name in 0..MOST_UNKNOWN + 10 {
            known.pointer(&format!("odd-{name}")).await.unwrap();
        }
        assert_eq!(known.unknown.as_ref().unwrap().since().len(), 10);
    }

    #[tokio::test]
    async fn whoever_does_not_ask_for_it_remembers_nothing() {
        let aws = FakeAws::new();
        let all = use_cases(&aws);
        for _ in 0..2 {
            all.pointer("vans").await.unwrap();
        }
        assert_eq!(aws.calls_of("GetParameter").len(), 2);
    }
}
