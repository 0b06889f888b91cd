//! start-run: makes a run of what people drop.
//!
//! An S3 event, or a direct call that names a run to run again, is claimed, checked, copied, planned and started.
//! The claim is the run's manifest, written only if there is none: the same object version never runs twice, even
//! days apart. Whatever follows the claim can be done again, so a call that died is carried on by the next one.
//!
//! Not here: looking into rows (Preprocess does), and anything of SageMaker (the state machine does).

mod check;
mod launch;
mod plan;
mod request;
mod scripts;
mod settings;

pub use plan::{Job, plan};
pub use settings::{Images, Settings};

use crate::check::Refusal;
use crate::request::Request;
use aws_config::SdkConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use contracts::places::{self, RunPlaces};
use contracts::run::Source;
use contracts::{Manifest, Notice, RunId, RunState, Severity};
use jiff::Timestamp;
use lambda_runtime::Diagnostic;
use platform::documents::Condition;
use platform::{Documents, Notices, UseCases, Versioned};
use serde::Serialize;
use serde_json::Value;

/// The function, with the clients that it keeps between calls.
#[derive(Clone, Debug)]
pub struct StartRun {
    documents: Documents,
    use_cases: UseCases,
    notices: Notices,
    executions: aws_sdk_sfn::Client,
    settings: Settings,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Response {
    /// In a word.
    pub outcome: Outcome,
    /// The run; none when it did not come to one.
    pub run_id: Option<RunId>,
    /// The execution, once started.
    pub execution_arn: Option<String>,
    /// Why nothing was started.
    pub reason: Option<String>,
}

/// What became of a call, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The execution runs.
    Started,
    /// The same object version has been started or refused before.
    Duplicate,
    /// The drop can't be used; people were told.
    Refused,
    /// The object is no drop.
    Ignored,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither an S3 event nor a rerun. `error_type`: `EventInvalid`.
    #[error("the event can't be used: {0}")]
    EventInvalid(String),
    /// A rerun of a run that never was. `error_type`: `RunUnknown`.
    #[error("use case `{use_case}` has no run `{run_id}`: name one of s3://{bucket}/{use_case}/runs/")]
    RunUnknown {
        /// The bucket that was looked in.
        bucket: String,
        /// The use case.
        use_case: String,
        /// What was asked for.
        run_id: String,
    },
    /// A call of AWS failed, or a document doesn't read.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

impl Error {
    /// The stable name.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::EventInvalid(_) => "EventInvalid",
            Self::RunUnknown { .. } => "RunUnknown",
            Self::Platform(error) => error.error_type(),
        }
    }
}

impl From<Error> for Diagnostic {
    fn from(error: Error) -> Self {
        Self {
            error_type: error.error_type().to_owned(),
            error_message: error.to_string(),
        }
    }
}

/// Whose run it is: this call's to go on with, or one that is done.
enum Claim {
    Ours(Versioned<Manifest>),
    Done(Manifest),
}

impl StartRun {
    /// The function with clients made from `config`.
    pub fn new(config: &SdkConfig, settings: Settings) -> Self {
        let documents = Documents::new(platform::s3_client(config), &settings.bucket);
        Self {
            use_cases: UseCases::new(aws_sdk_ssm::Client::new(config), documents.clone(), &settings.stack),
            notices: Notices::new(aws_sdk_sns::Client::new(config), &settings.topic_arn),
            executions: aws_sdk_sfn::Client::new(config),
            documents,
            settings,
        }
    }

    /// Starts what an S3 event or a direct call (`{"rerun": "<run_id>", "use_case": "…"}`) asks for.
    ///
    /// # Errors
    /// [`Error::EventInvalid`], [`Error::RunUnknown`], [`Error::Platform`]. A drop that can't be used is none: it
    /// is refused, and people are told.
    pub async fn handle(&self, request: Value, now: Timestamp) -> Result<Response, Error> {
        let response = match Request::parse(request)? {
            Request::Drop(object) if object.bucket != self.settings.bucket => {
                Response::ignored(format!("{} is not the stack's bucket", object.bucket))
            }
            Request::Drop(object) => self.drop(&object.key, &object.version_id, now).await?,
            Request::Rerun { use_case, run_id } => self.rerun(&use_case, &run_id, now).await?,
        };
        tracing::info!(
            outcome = ?response.outcome,
            run_id = response.run_id.as_ref().map(tracing::field::display),
            reason = response.reason,
            "handled"
        );
        Ok(response)
    }

    async fn drop(&self, key: &str, version_id: &str, now: Timestamp) -> Result<Response, Error> {
        let Some((use_case, places::Drop::Training)) = places::parse_drop(key) else {
            return Ok(Response::ignored(format!("{key} is no drop")));
        };
        let Some(source) = self.source(key, version_id).await? else {
            return self.refuse_vanished(use_case, key, version_id).await;
        };
        let run_id = RunId::for_drop(source.last_modified, &source.bucket, key, version_id);
        match self.claim(use_case, &run_id, &source, now).await? {
            Claim::Ours(manifest) => self.launch(manifest).await,
            Claim::Done(manifest) => Ok(Response::duplicate(manifest)),
        }
    }

    async fn rerun(&self, use_case: &str, run_id: &str, now: Timestamp) -> Result<Response, Error> {
        let unknown = || Error::RunUnknown {
            bucket: self.settings.bucket.clone(),
            use_case: use_case.to_owned(),
            run_id: run_id.to_owned(),
        };
        let named = RunId::parse(run_id).ok_or_else(unknown)?;
        let manifest = self.manifest(use_case, &named).await?.ok_or_else(unknown)?.value;
        let Manifest { source, .. } = manifest;
        if self.source(&source.key, &source.version_id).await?.is_none() {
            return self.refuse_vanished(use_case, &source.key, &source.version_id).await;
        }
        let mut next = named.first().rerun();
        loop {
            // Numbers that are done are passed over. One that was only claimed is that of a call that died, or of
            // one that asks for the same at this moment: it is gone on with.
            if let Claim::Ours(manifest) = self.claim(use_case, &next, &source, now).await? {
                return self.launch(manifest).await;
            }
            next = next.rerun();
        }
    }

    /// Claims a run, or finds who did.
    async fn claim(&self, use_case: &str, run_id: &RunId, source: &Source, now: Timestamp) -> Result<Claim, Error> {
        let claimed = match self.manifest(use_case, run_id).await? {
            Some(found) => Some(found),
            None => {
                let pointer = self.use_cases.pointer(use_case).await?;
                let manifest = Manifest {
                    run_id: run_id.clone(),
                    use_case: use_case.to_owned(),
                    state: RunState::Claimed,
                    source: source.clone(),
                    // Empty when the use case has no document yet: the run is then refused.
                    config_version: pointer.map(|pointer| pointer.version_id).unwrap_or_default(),
                    claimed_at: now,
                    execution_arn: None,
                    reason: None,
                };
                let key = manifest_key(use_case, run_id);
                match self.documents.put(&key, &manifest, Condition::Absent).await? {
                    Some(etag) => Some(Versioned { value: manifest, etag }),
                    // Another call was faster.
                    None => self.manifest(use_case, run_id).await?,
                }
            }
        };
        let claimed = claimed.ok_or_else(|| platform::Error::Document {
            place: places::uri(&self.settings.bucket, &manifest_key(use_case, run_id)),
            reason: "was deleted while its run was being claimed: call again".to_owned(),
        })?;
        Ok(match claimed.value.state {
            RunState::Claimed => Claim::Ours(claimed),
            RunState::Started | RunState::Refused => Claim::Done(claimed.value),
        })
    }

    async fn manifest(&self, use_case: &str, run_id: &RunId) -> Result<Option<Versioned<Manifest>>, Error> {
        Ok(self.documents.get(&manifest_key(use_case, run_id)).await?)
    }

    /// Looks the dropped version up; `None` when it is gone.
    async fn source(&self, key: &str, version_id: &str) -> Result<Option<Source>, Error> {
        let bucket = self.documents.bucket();
        let request = self.documents.client().head_object().bucket(bucket).key(key);
        let call = || format!("HeadObject {} version {version_id}", places::uri(bucket, key));
        let head = match request.version_id(version_id).send().await {
            Ok(head) => head,
            // A HEAD's answer has no body, hence no error code: 404 for a version that is gone, 405 for a delete
            // marker.
            Err(error)
                if error.code() == Some("NoSuchVersion")
                    || error
                        .raw_response()
                        .is_some_and(|raw| matches!(raw.status().as_u16(), 404 | 405)) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(platform::Error::aws_call(call(), &error).into()),
        };
        let unreadable = |what: &str| platform::Error::AwsCall {
            call: call(),
            code: "ResponseUnreadable".to_owned(),
            message: format!("the answer has no usable {what}"),
        };
        let modified = head
            .last_modified()
            .and_then(|time| Timestamp::from_second(time.secs()).ok());
        let bytes = head.content_length().and_then(|length| u64::try_from(length).ok());
        Ok(Some(Source {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version_id: version_id.to_owned(),
            bytes: bytes.ok_or_else(|| unreadable("Content-Length"))?,
            last_modified: modified.ok_or_else(|| unreadable("Last-Modified"))?,
        }))
    }

    /// A version that is gone has no time, and so no run that could remember that people were told.
    async fn refuse_vanished(&self, use_case: &str, key: &str, version_id: &str) -> Result<Response, Error> {
        let refusal = Refusal::new(
            format!("was deleted before it could be copied (version {version_id})"),
            "Drop the file again.",
        );
        let file = places::uri(&self.settings.bucket, key);
        self.notices.publish(&refusal_notice(use_case, &file, &refusal)).await?;
        Ok(Response {
            outcome: Outcome::Refused,
            run_id: None,
            execution_arn: None,
            reason: Some(format!("{file} {refusal}")),
        })
    }
}

impl Response {
    fn ignored(reason: String) -> Self {
        Self {
            outcome: Outcome::Ignored,
            run_id: None,
            execution_arn: None,
            reason: Some(reason),
        }
    }

    fn duplicate(manifest: Manifest) -> Self {
        Self {
            outcome: Outcome::Duplicate,
            run_id: Some(manifest.run_id),
            execution_arn: manifest.execution_arn,
            reason: manifest.reason,
        }
    }
}

fn manifest_key(use_case: &str, run_id: &RunId) -> String {
    RunPlaces { use_case, run_id }.manifest()
}

/// What people are told of a drop that starts nothing.
fn refusal_notice(use_case: &str, file: &str, refusal: &Refusal) -> Notice {
    let name = file.rsplit('/').next().unwrap_or(file);
    Notice::new(
        use_case,
        Severity::Warning,
        &format!("{name} was refused"),
        &format!(
            "The file {name} {}. No run was started; the file stays where it is.",
            refusal.reason
        ),
    )
    .line("file", file)
    .line("reason", &refusal.reason)
    .line("what to do", &refusal.remedy)
}
