//! start-run: makes a run of what people drop, of ticks of the clock, and of drift.
//!
//! A run is claimed, checked, copied, planned and started. The claim is the run's manifest, written only if there is
//! none: the same object version never runs twice, even days apart. Whatever follows the claim can be done again, so a
//! call that died is carried on by the next one.
//!
//! Here: the function and its answers. `drops`, `ground_truth`, `scoring`, `ticks`, `retraining` and `ended` hold what it
//! does, by what it is called with; `claims`, `copies`, `launch`, `queue` and `told` what they share. Not here: looking into
//! rows (the containers do), and anything of SageMaker (the state machines do) but a look at whether a model is there.

mod check;
mod claims;
mod copies;
mod drops;
mod ended;
mod ground_truth;
mod launch;
pub mod plan;
mod promotion;
mod queue;
mod request;
mod retraining;
mod scoring;
mod scripts;
mod settings;
mod ticks;
mod told;
mod upkeep;

pub use plan::{Job, plan};
pub use settings::{Images, Settings};

use crate::request::Request;
use aws_config::SdkConfig;
use contracts::{Manifest, RunId};
use jiff::Timestamp;
use platform::{Documents, Notices, UseCases};
use serde::Serialize;
use serde_json::Value;

/// The function, with the clients that it keeps between calls.
#[derive(Clone, Debug)]
pub struct StartRun {
    documents: Documents,
    use_cases: UseCases,
    notices: Notices,
    executions: aws_sdk_sfn::Client,
    sagemaker: aws_sdk_sagemaker::Client,
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
    /// What a call that may start several runs has started.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Started>,
}

/// One of several runs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Started {
    /// The use case.
    pub use_case: String,
    /// The model, of a monitoring run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
    /// The run.
    pub run_id: RunId,
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
    /// The file waits for a champion.
    Waiting,
    /// The run waits until another training run of the use case has ended.
    Queued,
    /// A newer run was started while it was queued.
    Overtaken,
    /// The ground truth will be joined.
    Accepted,
    /// The held candidate is rejected.
    Rejected,
    /// The model is being looked at.
    Busy,
    /// There is nothing to do: the object is no drop, the document leaves it to people, nothing is due.
    Ignored,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Neither one of its events nor a direct call. `error_type`: `EventInvalid`.
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
    /// A look at a model that can't be watched. `error_type`: `NotWatched`.
    #[error("{model} of use case `{use_case}` can't be watched: {reason}")]
    NotWatched {
        /// The use case.
        use_case: String,
        /// The model.
        model: String,
        /// What it lacks, and what to do.
        reason: String,
    },
    /// A promotion or rejection of what there is not. `error_type`: `NoSuchCandidate`.
    #[error("{model} of use case `{use_case}`: {reason}")]
    NoSuchCandidate {
        /// The use case.
        use_case: String,
        /// The model.
        model: String,
        /// What there is not.
        reason: String,
    },
    /// An approval or rejection of a candidate that is not held. `error_type`: `NotHeld`.
    #[error("the candidate of {model} of run {run_id} is not held: {reason}")]
    NotHeld {
        /// The model.
        model: String,
        /// The run.
        run_id: RunId,
        /// What it is instead.
        reason: String,
    },
    /// Somebody has approved or rejected the candidate before, or another's word brings it into service. `error_type`:
    /// `AlreadyDecided`.
    #[error("{model} of run {run_id} has been decided on: {story}")]
    AlreadyDecided {
        /// The model.
        model: String,
        /// The run.
        run_id: RunId,
        /// Who, when and why.
        story: String,
    },
    /// The champion is not the one that a held candidate was compared with. `error_type`: `ChampionChanged`.
    #[error(
        "the candidate of {model} of run {run_id} was compared with champion {expected}, and the champion is {found} now: \
         look at both; to approve it all the same, say `anyway`"
    )]
    ChampionChanged {
        /// The model.
        model: String,
        /// The candidate's run.
        run_id: RunId,
        /// The champion of that time.
        expected: String,
        /// The champion of now.
        found: String,
    },
    /// What is promoted was trained on other raw columns, or predicts in another unit. `error_type`: `SchemaChanged`.
    #[error(
        "the model of run {run_id} can't be {model} any more: {reason}. Store the document of that time again with \
         `drivetrain onboard`, or train anew"
    )]
    SchemaChanged {
        /// The model.
        model: String,
        /// The run.
        run_id: RunId,
        /// What has changed.
        reason: String,
    },
    /// What is promoted is the champion. `error_type`: `AlreadyChampion`.
    #[error("the model of run {run_id} is the champion of {model} (version {champion}): there is nothing to do")]
    AlreadyChampion {
        /// The model.
        model: String,
        /// The run that was named.
        run_id: RunId,
        /// The champion's version.
        champion: RunId,
    },
    /// Other calls changed a document at every look. `error_type`: `DocumentContended`; worth a retry.
    #[error("{0} is being changed by other calls at every look: call again")]
    DocumentContended(String),
    /// A call of AWS failed, or a document doesn't read.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error {
    EventInvalid,
    RunUnknown,
    NotWatched,
    NoSuchCandidate,
    NotHeld,
    AlreadyDecided,
    ChampionChanged,
    SchemaChanged,
    AlreadyChampion,
    DocumentContended,
});

/// What a call asks for, as [`StartRun::handle`] reads it: for tests of those who call.
///
/// # Errors
/// [`Error::EventInvalid`].
pub fn read(request: Value) -> Result<impl std::fmt::Debug, Error> {
    Request::parse(request)
}

impl StartRun {
    /// A command that people can paste.
    pub(crate) fn command(&self, words: &str) -> String {
        contracts::command(&self.settings.stack, words)
    }

    /// The function with clients made from `config`.
    pub fn new(config: &SdkConfig, settings: Settings) -> Self {
        let documents = Documents::new(platform::s3_client(config), &settings.bucket);
        Self {
            use_cases: UseCases::new(aws_sdk_ssm::Client::new(config), documents.clone(), &settings.stack),
            notices: Notices::new(aws_sdk_sns::Client::new(config), &settings.topic_arn),
            executions: aws_sdk_sfn::Client::new(config),
            sagemaker: aws_sdk_sagemaker::Client::new(config),
            documents,
            settings,
        }
    }

    /// Does what an event or a direct call asks for: `{"rerun": "<run_id>", "use_case": "…"}`, or
    /// `{"monitor": {"use_case": "…", "model": "…"}}`, or
    /// `{"promote": {"use_case": "…", "model": "…", "run_id": "…", "action": "approve", "by": "…", "reason": "…"}}`
    /// (the other action is `rollback`), or `{"reject": {…}}` without action.
    ///
    /// # Errors
    /// See [`Error`]. A drop that can't be used is none: it is refused, and people are told.
    pub async fn handle(&self, request: Value, now: Timestamp) -> Result<Response, Error> {
        // Boxed: nested any deeper, the compiler gives up on the futures' layout.
        let response = match Request::parse(request)? {
            Request::Drop(object) if object.bucket != self.settings.bucket => {
                Response::ignored(format!("{} is not the stack's bucket", object.bucket))
            }
            Request::Drop(object) => Box::pin(self.drop(&object.key, &object.version_id, now)).await?,
            Request::Rerun { use_case, run_id } => Box::pin(self.rerun(&use_case, &run_id, now)).await?,
            Request::Tick(tick) => Box::pin(self.tick(tick, now)).await?,
            Request::Monitor { use_case, model } => Box::pin(self.monitor(&use_case, model.as_deref(), now)).await?,
            Request::Promote(asked) => Box::pin(self.promote(&asked, now)).await?,
            Request::Reject(asked) => Box::pin(self.reject(&asked, now)).await?,
            Request::ChampionExported { use_case } => Box::pin(self.take_up_waiting(&use_case, now)).await?,
            Request::TrainingEnded(ended) => Box::pin(self.training_ended(&ended, now)).await?,
            Request::DriftDetected { found, unannounced } => {
                let response = Box::pin(self.drift(&found, now)).await?;
                if let Some(cause) = unannounced {
                    self.notices.publish(&retraining::unannounced(&found, &cause)).await?;
                }
                response
            }
        };
        tracing::info!(
            outcome = ?response.outcome,
            run_id = response.run_id.as_ref().map(tracing::field::display),
            runs = response.runs.len(),
            reason = response.reason,
            "handled"
        );
        Ok(response)
    }
}

impl Response {
    fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            run_id: None,
            execution_arn: None,
            reason: None,
            runs: Vec::new(),
        }
    }

    fn ignored(reason: String) -> Self {
        Self {
            reason: Some(reason),
            ..Self::of(Outcome::Ignored)
        }
    }

    fn duplicate(manifest: Manifest) -> Self {
        Self {
            run_id: Some(manifest.run_id),
            execution_arn: manifest.execution_arn,
            reason: manifest.reason,
            ..Self::of(Outcome::Duplicate)
        }
    }

    fn started(run_id: RunId, execution_arn: String) -> Self {
        Self {
            run_id: Some(run_id),
            execution_arn: Some(execution_arn),
            ..Self::of(Outcome::Started)
        }
    }

    /// Of a call that may start several runs; one alone is the answer itself, too.
    fn several(runs: Vec<Started>, nothing: &str) -> Self {
        let Some(first) = runs.first() else {
            return Self::ignored(nothing.to_owned());
        };
        let run_id = (runs.len() == 1).then(|| first.run_id.clone());
        let started = runs.iter().any(|run| run.outcome == Outcome::Started);
        let outcome = if started { Outcome::Started } else { first.outcome };
        Self {
            run_id,
            runs,
            ..Self::of(outcome)
        }
    }
}
