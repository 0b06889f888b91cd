//! The steps after the claim. Each can be done again: a call that died is carried on from the first.

use crate::check::{Columns, Refusal};
use crate::copies;
use crate::drops::{inputs, refusal_notice};
use crate::plan::{self, Job};
use crate::scripts::SCRIPTS;
use crate::{Error, Outcome, Response, StartRun};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::TaggingDirective;
use contracts::places::{self, RunPlaces};
use contracts::run::{ObjectVersion, RunKind, Source};
use contracts::{Manifest, Notice, RunState, UseCase};
use platform::Versioned;
use platform::documents::Condition;

/// Step Functions takes 256 KiB a state; the states of a run need room for what they add to the plan.
const PLAN_LIMIT_BYTES: usize = 200 * 1024;

impl StartRun {
    /// Checks what was claimed, copies it and starts its run, or refuses it. `notice` is told of a training run that has
    /// been started.
    pub(crate) async fn launch(&self, claim: Versioned<Manifest>, notice: Option<&Notice>) -> Result<Response, Error> {
        let document = match self.document(&claim.value).await? {
            Ok(document) => document,
            Err(refusal) => return self.refuse(claim, &refusal).await,
        };
        if claim.value.kind == RunKind::Scoring {
            return self.launch_scoring(claim, &document).await;
        }
        // What drift trains on was checked when it was chosen, or is the platform's own.
        if let Source::Drop(object) = &claim.value.source
            && let Err(refusal) = self.check(object, &Columns::of_training(&document)).await?
        {
            return self.refuse(claim, &refusal).await;
        }
        let plan = plan::plan(
            &document,
            &self.settings,
            &Job {
                run_id: &claim.value.run_id,
                config_version: &claim.value.config_version,
                started_by_drift: matches!(claim.value.source, Source::Drift { .. }),
            },
        );
        // serde_json fails on maps without text keys and on failing writers; a plan has neither.
        let text = serde_json::to_string(&plan).unwrap_or_default();
        if text.len() > PLAN_LIMIT_BYTES {
            let refusal = plan_too_large(document.models.len(), document.schema.columns.len(), text.len());
            return self.refuse(claim, &refusal).await;
        }
        self.copy(&claim.value).await?;
        self.store_code(&claim.value, &document).await?;
        let machine = self.settings.training_state_machine_arn.clone();
        self.start_claimed(claim, &machine, text, notice).await
    }

    /// Starts the execution of a claimed run, tells people, and says so in its manifest. A call that died in between is
    /// carried on: a notice that comes twice is better than one that is lost.
    pub(crate) async fn start_claimed(
        &self,
        claim: Versioned<Manifest>,
        machine_arn: &str,
        plan: String,
        notice: Option<&Notice>,
    ) -> Result<Response, Error> {
        let execution_arn = self.start(machine_arn, &claim.value.run_id.to_string(), plan).await?;
        if let Some(notice) = notice {
            self.notices.publish(notice).await?;
        }
        let manifest = Manifest {
            state: RunState::Started,
            execution_arn: Some(execution_arn.clone()),
            reason: None,
            ..claim.value
        };
        // When it has changed, another call has carried the same run on and written the same.
        self.store(&manifest, &claim.etag).await?;
        Ok(Response::started(manifest.run_id, execution_arn))
    }

    /// The document that the run was claimed with, even when another has been stored since.
    async fn document(&self, manifest: &Manifest) -> Result<Result<UseCase, Refusal>, Error> {
        let use_case = &manifest.use_case;
        let found = match self.use_cases.pointer(use_case).await? {
            _ if manifest.config_version.is_empty() => Err(platform::Error::UseCaseUnknown(use_case.clone())),
            Some(pointer) if pointer.version_id == manifest.config_version => self.use_cases.at(&pointer).await,
            _ => self.use_cases.version(use_case, &manifest.config_version).await,
        };
        let rerun = format!("then `cargo xtask rerun {}`.", manifest.run_id);
        match found {
            Ok(document) => Ok(Ok(document)),
            Err(platform::Error::UseCaseUnknown(_)) => Ok(Err(Refusal::new(
                format!("belongs to use case `{use_case}`, which has no document"),
                format!("Store it with `cargo xtask onboard models/{use_case}.yaml`, {rerun}"),
            ))),
            Err(error @ platform::Error::Document { .. }) => Ok(Err(Refusal::new(
                format!("can't be judged, since the document of use case `{use_case}` is unsound: {error}"),
                format!("Mend and store it with `cargo xtask onboard models/{use_case}.yaml`, {rerun}"),
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// Copies the versions that the run works on, so that the jobs read them and no later ones.
    pub(crate) async fn copy(&self, manifest: &Manifest) -> Result<(), Error> {
        let objects = inputs(manifest);
        let folder = places(manifest).input();
        for (number, object) in objects.iter().enumerate() {
            // Files of several folders may have one name.
            let number = (objects.len() > 1).then_some(number);
            let name = copies::name(&object.key, number);
            self.copy_one(object, folder.clone() + &name).await?;
        }
        Ok(())
    }

    async fn copy_one(&self, object: &ObjectVersion, target: String) -> Result<(), Error> {
        let ObjectVersion {
            bucket,
            key,
            version_id,
            ..
        } = object;
        let source = places::uri(bucket, key);
        self.documents
            .client()
            .copy_object()
            .copy_source(format!(
                "{}?versionId={}",
                percent_encode(&format!("{bucket}/{key}")),
                percent_encode(version_id)
            ))
            .bucket(bucket)
            .key(target)
            // Tags are left behind: to read them takes a permission of its own.
            .tagging_directive(TaggingDirective::Replace)
            .send()
            .await
            .map_err(|error| platform::Error::aws_call(format!("CopyObject {source}"), &error))?;
        Ok(())
    }

    /// Stores the scripts and the document with the run, which can then be understood and repeated for ever.
    pub(crate) async fn store_code(&self, manifest: &Manifest, document: &UseCase) -> Result<(), Error> {
        let folder = places(manifest).code();
        self.documents
            .put(&format!("{folder}use-case.json"), document, Condition::Always)
            .await?;
        for (name, text) in SCRIPTS {
            let key = format!("{folder}{name}");
            self.documents
                .put_bytes(&key, "text/x-python; charset=utf-8", text.into())
                .await?;
        }
        Ok(())
    }

    /// Starts the execution that is named after the run; gives its ARN.
    pub(crate) async fn start(&self, machine_arn: &str, name: &str, plan: String) -> Result<String, Error> {
        let request = self
            .executions
            .start_execution()
            .state_machine_arn(machine_arn)
            .name(name);
        match request.input(plan).send().await {
            Ok(answer) => Ok(answer.execution_arn),
            // An earlier call started it and died before it could say so.
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => Ok(execution_arn(machine_arn, name)),
            Err(error) => Err(platform::Error::aws_call(format!("StartExecution {name}"), &error).into()),
        }
    }

    /// Whether an execution runs; `None` when there is none of that name.
    pub(crate) async fn runs(&self, execution_arn: &str) -> Result<Option<bool>, Error> {
        let request = self.executions.describe_execution().execution_arn(execution_arn);
        match request.send().await {
            Ok(execution) => Ok(Some(execution.status().as_str() == "RUNNING")),
            Err(error) if error.code() == Some("ExecutionDoesNotExist") => Ok(None),
            Err(error) => Err(platform::Error::aws_call(format!("DescribeExecution {execution_arn}"), &error).into()),
        }
    }

    /// Tells people once. The manifest says first that the run is being refused, and `Refused` only when they have
    /// been told: of two calls at once one tells them, and one that died is carried on by the next.
    pub(crate) async fn refuse(&self, claim: Versioned<Manifest>, refusal: &Refusal) -> Result<Response, Error> {
        let subject = match claim.value.source.object() {
            Some(object) => places::uri(&object.bucket, &object.key),
            None => format!("run {}", claim.value.run_id),
        };
        let version = claim.value.source.object().map(|object| object.version_id.clone());
        let mut manifest = Manifest {
            reason: Some(format!("{subject} {refusal}")),
            ..claim.value
        };
        let Some(etag) = self.store(&manifest, &claim.etag).await? else {
            return Ok(Response::duplicate(manifest));
        };
        let mut notice = refusal_notice(&manifest.use_case, &subject, refusal);
        if let Some(version) = version {
            notice = notice.line("version", version);
        }
        self.notices.publish(&notice.line("run", &manifest.run_id)).await?;
        manifest.state = RunState::Refused;
        self.store(&manifest, &etag).await?;
        Ok(Response {
            outcome: Outcome::Refused,
            ..Response::duplicate(manifest)
        })
    }
}

fn places(manifest: &Manifest) -> RunPlaces<'_> {
    RunPlaces {
        use_case: &manifest.use_case,
        run_id: &manifest.run_id,
    }
}

fn plan_too_large(models: usize, columns: usize, bytes: usize) -> Refusal {
    Refusal::new(
        format!(
            "needs a plan of {bytes} bytes ({models} models of {columns} columns); {PLAN_LIMIT_BYTES} fit into an \
             execution"
        ),
        "Split the models of the document into two use cases.",
    )
}

/// The execution of a machine that has a name.
pub(crate) fn execution_arn(machine_arn: &str, name: &str) -> String {
    format!("{}:{name}", machine_arn.replacen(":stateMachine:", ":execution:", 1))
}

/// S3 wants the source of a copy encoded, its slashes excepted; the SDK leaves that to the caller.
fn percent_encode(text: &str) -> String {
    text.bytes()
        .fold(String::with_capacity(text.len()), |mut encoded, byte| {
            if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
            encoded
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copy_sources_are_encoded() {
        assert_eq!(percent_encode("b/a b+é?.csv"), "b/a%20b%2B%C3%A9%3F.csv");
    }
}
