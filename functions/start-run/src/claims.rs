//! Claims: the manifest that makes a run happen once, and what is known of dropped objects.

use crate::{Error, StartRun};
use aws_sdk_s3::error::ProvideErrorMetadata;
use contracts::places::{self, RunPlaces};
use contracts::run::{self, ObjectVersion, RunKind, Source};
use contracts::{Manifest, RunId, RunState};
use jiff::Timestamp;
use platform::Versioned;
use platform::documents::Condition;

/// Whose run it is: this call's to go on with, one that is queued, or one that is done.
pub(crate) enum Claim {
    Ours(Versioned<Manifest>),
    Queued(Manifest),
    Done(Manifest),
}

/// A run to claim.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub use_case: &'a str,
    pub run_id: &'a RunId,
    pub kind: RunKind,
    pub source: Source,
    pub inputs: Vec<ObjectVersion>,
}

impl StartRun {
    /// Claims a run, or finds who did.
    pub(crate) async fn claim(&self, wanted: Wanted<'_>, now: Timestamp) -> Result<Claim, Error> {
        let (use_case, run_id) = (wanted.use_case, wanted.run_id);
        let claimed = match self.manifest(use_case, run_id).await? {
            Some(found) => Some(found),
            None => {
                let pointer = self.use_cases.pointer(use_case).await?;
                let manifest = Manifest {
                    run_id: run_id.clone(),
                    use_case: use_case.to_owned(),
                    kind: wanted.kind,
                    state: RunState::Claimed,
                    source: wanted.source,
                    inputs: wanted.inputs,
                    // Empty when the use case has no document yet: the run is then refused.
                    onboarding: pointer.as_ref().and_then(|pointer| pointer.onboarding.clone()),
                    config_version: pointer.map(|pointer| pointer.version_id).unwrap_or_default(),
                    claimed_at: now,
                    execution_arn: None,
                    reason: None,
                    overtaken_by: None,
                };
                // The marker comes first: what is claimed stands in the folder until it is something else.
                let marker = places::use_case::claimed(use_case) + &run_id.to_string();
                self.documents.put(&marker, &manifest, Condition::Always).await?;
                match self
                    .documents
                    .put(&key(use_case, run_id), &manifest, Condition::Absent)
                    .await?
                {
                    Some(etag) => Some(Versioned { value: manifest, etag }),
                    // Another call was faster.
                    None => self.manifest(use_case, run_id).await?,
                }
            }
        };
        let claimed = claimed.ok_or_else(|| platform::Error::Document {
            place: places::uri(&self.settings.bucket, &key(use_case, run_id)),
            reason: "was deleted while its run was being claimed: call again".to_owned(),
        })?;
        Ok(match claimed.value.state {
            RunState::Claimed => Claim::Ours(claimed),
            RunState::Queued => Claim::Queued(claimed.value),
            RunState::Waiting | RunState::Overtaken | RunState::Started | RunState::Refused => {
                Claim::Done(claimed.value)
            }
        })
    }

    pub(crate) async fn manifest(&self, use_case: &str, run_id: &RunId) -> Result<Option<Versioned<Manifest>>, Error> {
        Ok(self.documents.get(&key(use_case, run_id)).await?)
    }

    /// Stores the manifest unless it has changed; gives its new ETag.
    pub(crate) async fn store(&self, manifest: &Manifest, etag: &str) -> Result<Option<String>, Error> {
        let key = key(&manifest.use_case, &manifest.run_id);
        Ok(self.documents.put(&key, manifest, Condition::Unchanged(etag)).await?)
    }

    /// Stores what has become of a run that was claimed or queued, unless it has changed, and takes its marker away; gives
    /// its new ETag.
    pub(crate) async fn settle(
        &self,
        before: &Manifest,
        manifest: &Manifest,
        etag: &str,
    ) -> Result<Option<String>, Error> {
        let etag = self.store(manifest, etag).await?;
        let folder = match before.state {
            RunState::Claimed => places::use_case::claimed(&manifest.use_case),
            RunState::Queued => places::use_case::queued(&manifest.use_case),
            RunState::Waiting | RunState::Overtaken | RunState::Started | RunState::Refused => return Ok(etag),
        };
        // When it has changed, whoever has changed it takes the marker away.
        if etag.is_some() {
            self.documents.delete(&(folder + &manifest.run_id.to_string())).await?;
        }
        Ok(etag)
    }

    /// The run of a dropped version. Of two versions of one key within a second the later one has the greater run.
    pub(crate) async fn run_of(&self, object: &ObjectVersion) -> Result<RunId, Error> {
        let before = self.documents.versions_before(&object.key, &object.version_id).await?;
        let time = run::time_in_order(object.last_modified, &before);
        Ok(RunId::for_drop(time, &object.bucket, &object.key, &object.version_id))
    }

    /// Looks an object up, in a version or as it is now; `None` when it is gone.
    pub(crate) async fn object(&self, key: &str, version_id: Option<&str>) -> Result<Option<ObjectVersion>, Error> {
        let bucket = self.documents.bucket();
        let request = self.documents.client().head_object().bucket(bucket).key(key);
        let place = places::uri(bucket, key);
        let call = || match version_id {
            Some(version_id) => format!("HeadObject {place} version {version_id}"),
            None => format!("HeadObject {place}"),
        };
        let head = match request.set_version_id(version_id.map(str::to_owned)).send().await {
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
        let version = version_id.or(head.version_id()).map(str::to_owned);
        Ok(Some(ObjectVersion {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version_id: version.ok_or_else(|| unreadable("version: turn the bucket's versioning on"))?,
            bytes: bytes.ok_or_else(|| unreadable("Content-Length"))?,
            last_modified: modified.ok_or_else(|| unreadable("Last-Modified"))?,
        }))
    }
}

fn key(use_case: &str, run_id: &RunId) -> String {
    RunPlaces { use_case, run_id }.manifest()
}

/// Where the run's files lie.
pub(crate) fn places(manifest: &Manifest) -> RunPlaces<'_> {
    RunPlaces {
        use_case: &manifest.use_case,
        run_id: &manifest.run_id,
    }
}

/// The object versions that a run works on. Manifests older than scoring name the dropped one alone.
pub(crate) fn inputs(manifest: &Manifest) -> Vec<ObjectVersion> {
    if manifest.inputs.is_empty() {
        manifest.source.object().cloned().into_iter().collect()
    } else {
        manifest.inputs.clone()
    }
}
