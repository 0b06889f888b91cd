//! Executions: what is copied and stored before one is started, how it is started, and whether it runs; and what is
//! refused instead. Each step can be done again: a call that died is carried on from the first.

use crate::check::Refusal;
use crate::claims::places;
use crate::plan::{self, Job};
use crate::scripts::SCRIPTS;
use crate::{Error, Outcome, Response, StartRun, drift_notices};
use aws_sdk_s3::error::ProvideErrorMetadata;
use contracts::places;
use contracts::queue::Untold;
use contracts::run::{RunKind, Source};
use contracts::{Manifest, RunState, UseCase};
use jiff::Timestamp;
use platform::Versioned;
use platform::documents::Condition;

/// Step Functions takes 256 KiB a state; the states of a run need room for what they add to the plan.
const PLAN_LIMIT_BYTES: usize = 200 * 1024;

impl StartRun {
    /// Copies what a training run works on and starts it.
    pub(crate) async fn start_training(
        &self,
        claim: Versioned<Manifest>,
        document: &UseCase,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let plan = match self.planned(&claim.value, document) {
            Ok(plan) => plan,
            Err(refusal) => return self.refuse(claim, &refusal, now).await,
        };
        if let Err(refusal) = self.copy(&claim.value).await? {
            return self.refuse(claim, &refusal, now).await;
        }
        self.store_code(&claim.value, document).await?;
        let machine = self.settings.training_state_machine_arn.clone();
        self.start_claimed(claim, &machine, plan).await
    }

    /// The plan of a training run, as text.
    pub(crate) fn planned(&self, manifest: &Manifest, document: &UseCase) -> Result<String, Refusal> {
        let job = Job {
            run_id: &manifest.run_id,
            config_version: &manifest.config_version,
            onboarding: manifest.onboarding.as_deref(),
            started_by_drift: matches!(manifest.source, Source::Drift { .. }),
        };
        // serde_json fails on maps without text keys and on failing writers; a plan has neither.
        let text = serde_json::to_string(&plan::plan(document, &self.settings, &job)).unwrap_or_default();
        if text.len() > PLAN_LIMIT_BYTES {
            return Err(plan_too_large(
                document.models.len(),
                document.schema.columns.len(),
                text.len(),
            ));
        }
        Ok(text)
    }

    /// Starts the execution of a claimed run, tells people where nobody has asked for it, and says so in its manifest. A
    /// call that died in between is carried on: a notice that comes twice is better than one that is lost.
    pub(crate) async fn start_claimed(
        &self,
        claim: Versioned<Manifest>,
        machine_arn: &str,
        plan: String,
    ) -> Result<Response, Error> {
        let execution_arn = self.start(machine_arn, &claim.value.run_id.to_string(), plan).await?;
        if let Some(notice) = drift_notices::started(&claim.value) {
            self.notices.publish(&notice).await?;
        }
        let manifest = Manifest {
            state: RunState::Started,
            execution_arn: Some(execution_arn.clone()),
            reason: None,
            ..claim.value.clone()
        };
        // When it has changed, another call has carried the same run on and written the same.
        self.settle(&claim.value, &manifest, &claim.etag).await?;
        Ok(Response::started(manifest.run_id, execution_arn))
    }

    /// The document that the run was claimed with, even when another has been stored since; none of a use case that was
    /// removed, and none for a run that would export what was claimed before that.
    pub(crate) async fn document(&self, manifest: &Manifest) -> Result<Result<UseCase, Refusal>, Error> {
        let use_case = &manifest.use_case;
        let found = if manifest.config_version.is_empty() {
            Err(platform::Error::UseCaseUnknown(use_case.clone()))
        } else {
            match self.use_cases.pointer(use_case).await? {
                Some(pointer) if exports(manifest.kind) && pointer.onboarding != manifest.onboarding => {
                    return Ok(Err(Refusal::new(
                        format!("belongs to use case `{use_case}` as it was before it was removed and onboarded again"),
                        format!(
                            "Drop the file again, or `{}`.",
                            self.command(&format!("rerun {}", manifest.run_id))
                        ),
                    )));
                }
                Some(pointer) if pointer.version_id == manifest.config_version => self.use_cases.at(&pointer).await,
                Some(_) => self.use_cases.version(use_case, &manifest.config_version).await,
                None => Err(platform::Error::UseCaseUnknown(use_case.clone())),
            }
        };
        let onboard = self.command(&format!("onboard models/{use_case}.yaml"));
        let rerun = format!("then `{}`.", self.command(&format!("rerun {}", manifest.run_id)));
        match found {
            Ok(document) => Ok(Ok(document)),
            Err(platform::Error::UseCaseUnknown(_)) => Ok(Err(Refusal::new(
                format!("belongs to use case `{use_case}`, which has no document"),
                format!("Store it with `{onboard}`, {rerun}"),
            ))),
            Err(error @ platform::Error::Document { .. }) => Ok(Err(Refusal::new(
                format!("can't be judged, since the document of use case `{use_case}` is unsound: {error}"),
                format!("Correct and store it with `{onboard}`, {rerun}"),
            ))),
            Err(error) => Err(error.into()),
        }
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
    pub(crate) async fn refuse(
        &self,
        claim: Versioned<Manifest>,
        refusal: &Refusal,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let subject = match claim.value.source.object() {
            Some(object) => places::uri(&object.bucket, &object.key),
            None => format!("run {}", claim.value.run_id),
        };
        let mut manifest = Manifest {
            reason: Some(format!("{subject} {refusal}")),
            ..claim.value.clone()
        };
        let Some(etag) = self.store(&manifest, &claim.etag).await? else {
            return Ok(Response::duplicate(manifest));
        };
        let untold = Untold {
            subject,
            version: claim.value.source.object().map(|object| object.version_id.clone()),
            run_id: Some(manifest.run_id.clone()),
            kind: Some(manifest.kind),
            reason: refusal.reason.clone(),
            remedy: refusal.remedy.clone(),
            at: now,
        };
        let name = manifest.run_id.to_string();
        Box::pin(self.tell_refusal(&manifest.use_case, &name, &untold)).await?;
        manifest.state = RunState::Refused;
        self.settle(&claim.value, &manifest, &etag).await?;
        Ok(Response {
            outcome: Outcome::Refused,
            ..Response::duplicate(manifest)
        })
    }
}

/// Whether runs of a kind make champions.
fn exports(kind: RunKind) -> bool {
    matches!(kind, RunKind::Training | RunKind::Promotion)
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
