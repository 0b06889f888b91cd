//! The steps after the claim. Each can be done again: a call that died is carried on from the first.

use crate::check::{self, Refusal};
use crate::plan::{self, Job};
use crate::scripts::SCRIPTS;
use crate::{Error, Outcome, Response, StartRun, refusal_notice};
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::TaggingDirective;
use contracts::places::{self, RunPlaces};
use contracts::run::Source;
use contracts::{Manifest, Plan, RunState, UseCase};
use platform::Versioned;
use platform::documents::Condition;

/// Step Functions takes 256 KiB a state; the states of a run need room for what they add to the plan.
const PLAN_LIMIT_BYTES: usize = 200 * 1024;

impl StartRun {
    /// Checks the drop, copies it and starts its run, or refuses it.
    pub(crate) async fn launch(&self, claim: Versioned<Manifest>) -> Result<Response, Error> {
        let document = match self.document(&claim.value).await? {
            Ok(document) => document,
            Err(refusal) => return self.refuse(claim, &refusal).await,
        };
        if let Err(refusal) = self.check(&claim.value.source, &document).await? {
            return self.refuse(claim, &refusal).await;
        }
        let input_name = input_name(&claim.value.source.key);
        let plan = plan::plan(
            &document,
            &self.settings,
            &Job {
                run_id: &claim.value.run_id,
                config_version: &claim.value.config_version,
            },
        );
        // serde_json fails on maps without text keys and on failing writers; a plan has neither.
        let text = serde_json::to_string(&plan).unwrap_or_default();
        if text.len() > PLAN_LIMIT_BYTES {
            return self.refuse(claim, &plan_too_large(&plan, text.len())).await;
        }
        self.copy(&claim.value, &input_name).await?;
        self.store_code(&claim.value, &document).await?;
        let execution_arn = self.start(&claim.value, text).await?;

        let manifest = Manifest {
            state: RunState::Started,
            execution_arn: Some(execution_arn.clone()),
            reason: None,
            ..claim.value
        };
        // When it has changed, another call has carried the same run on and written the same.
        self.store(&manifest, &claim.etag).await?;
        Ok(Response {
            outcome: Outcome::Started,
            run_id: Some(manifest.run_id),
            execution_arn: Some(execution_arn),
            reason: None,
        })
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

    async fn check(&self, source: &Source, document: &UseCase) -> Result<Result<(), Refusal>, Error> {
        if let Err(refusal) = check::size(source.bytes, document.drops.max_bytes) {
            return Ok(Err(refusal));
        }
        let request = self.documents.client().get_object();
        let request = request
            .bucket(&source.bucket)
            .key(&source.key)
            .version_id(&source.version_id);
        let call = || format!("GetObject {}", places::uri(&source.bucket, &source.key));
        let answer = request
            .range(format!("bytes=0-{}", check::WINDOW_BYTES - 1))
            .send()
            .await
            .map_err(|error| platform::Error::aws_call(call(), &error))?;
        let head = answer.body.collect().await.map_err(|error| platform::Error::AwsCall {
            call: call(),
            code: "ResponseUnreadable".to_owned(),
            message: error.to_string(),
        })?;
        Ok(check::head(&head.to_vec(), source.bytes, document))
    }

    /// Copies the version, so that the jobs read it and no later one.
    async fn copy(&self, manifest: &Manifest, input_name: &str) -> Result<(), Error> {
        let Source {
            bucket,
            key,
            version_id,
            ..
        } = &manifest.source;
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
            .key(places(manifest).input() + input_name)
            // Tags are left behind: to read them takes a permission of its own.
            .tagging_directive(TaggingDirective::Replace)
            .send()
            .await
            .map_err(|error| platform::Error::aws_call(format!("CopyObject {source}"), &error))?;
        Ok(())
    }

    /// Stores the scripts and the document with the run, which can then be understood and repeated for ever.
    async fn store_code(&self, manifest: &Manifest, document: &UseCase) -> Result<(), Error> {
        let folder = places(manifest).code();
        self.documents
            .put(&format!("{folder}use-case.json"), document, Condition::Always)
            .await?;
        for (name, text) in SCRIPTS {
            let key = format!("{folder}{name}");
            self.documents
                .client()
                .put_object()
                .bucket(self.documents.bucket())
                .key(&key)
                .content_type("text/x-python; charset=utf-8")
                .body(ByteStream::from_static(text.as_bytes()))
                .send()
                .await
                .map_err(|error| platform::Error::aws_call(format!("PutObject {key}"), &error))?;
        }
        Ok(())
    }

    /// Starts the execution that is named after the run; gives its ARN.
    async fn start(&self, manifest: &Manifest, plan: String) -> Result<String, Error> {
        let machine = &self.settings.training_state_machine_arn;
        let name = manifest.run_id.to_string();
        let request = self.executions.start_execution().state_machine_arn(machine).name(&name);
        match request.input(plan).send().await {
            Ok(answer) => Ok(answer.execution_arn),
            // An earlier call started it and died before it could say so.
            Err(error) if error.code() == Some("ExecutionAlreadyExists") => Ok(format!(
                "{}:{name}",
                machine.replacen(":stateMachine:", ":execution:", 1)
            )),
            Err(error) => Err(platform::Error::aws_call(format!("StartExecution {name}"), &error).into()),
        }
    }

    /// Tells people once. The manifest says first that the run is being refused, and `Refused` only when they have
    /// been told: of two calls at once one tells them, and one that died is carried on by the next.
    async fn refuse(&self, claim: Versioned<Manifest>, refusal: &Refusal) -> Result<Response, Error> {
        let file = places::uri(&claim.value.source.bucket, &claim.value.source.key);
        let mut manifest = Manifest {
            reason: Some(format!("{file} {refusal}")),
            ..claim.value
        };
        let Some(etag) = self.store(&manifest, &claim.etag).await? else {
            return Ok(Response::duplicate(manifest));
        };
        let notice = refusal_notice(&manifest.use_case, &file, refusal)
            .line("version", &manifest.source.version_id)
            .line("run", &manifest.run_id);
        self.notices.publish(&notice).await?;
        manifest.state = RunState::Refused;
        self.store(&manifest, &etag).await?;
        Ok(Response {
            outcome: Outcome::Refused,
            ..Response::duplicate(manifest)
        })
    }

    /// Stores the manifest unless it has changed; gives its new ETag.
    async fn store(&self, manifest: &Manifest, etag: &str) -> Result<Option<String>, Error> {
        let key = places(manifest).manifest();
        Ok(self.documents.put(&key, manifest, Condition::Unchanged(etag)).await?)
    }
}

fn places(manifest: &Manifest) -> RunPlaces<'_> {
    RunPlaces {
        use_case: &manifest.use_case,
        run_id: &manifest.run_id,
    }
}

/// The copy's name. Preprocess reads the `.csv` files of the folder, whatever people called theirs.
fn input_name(key: &str) -> String {
    let name = key.rsplit('/').next().unwrap_or(key);
    if name.to_ascii_lowercase().ends_with(".csv") {
        name.to_owned()
    } else {
        format!("{name}.csv")
    }
}

fn plan_too_large(plan: &Plan, bytes: usize) -> Refusal {
    let columns = plan.models.first().map_or(0, |model| model.columns.len());
    Refusal::new(
        format!(
            "needs a plan of {bytes} bytes ({} models of {columns} columns); {PLAN_LIMIT_BYTES} fit into an execution",
            plan.models.len()
        ),
        "Split the models of the document into two use cases.",
    )
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
    fn the_copy_is_a_csv_file() {
        assert_eq!(input_name("cars/training/incoming/2026/Listings.CSV"), "Listings.CSV");
        assert_eq!(input_name("cars/training/incoming/listings"), "listings.csv");
    }

    #[test]
    fn copy_sources_are_encoded() {
        assert_eq!(percent_encode("b/a b+é?.csv"), "b/a%20b%2B%C3%A9%3F.csv");
    }
}
