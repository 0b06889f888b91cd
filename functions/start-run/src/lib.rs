//! start-run: makes a run of what people drop, of ticks of the clock, and of drift.
//!
//! A run is claimed, checked, copied, planned and started. The claim is the run's manifest, written only if there is
//! none: the same object version never runs twice, even days apart. Whatever follows the claim can be done again, so a
//! call that died is carried on by the next one.
//!
//! Here: what a call asks for. `drops`, `ground_truth`, `promotion`, `people`, `retraining`, `ticks` and `ended` hold what
//! it does, by what it is called with; `launch` goes on with a claimed run of any kind, by `queue`, `scoring` and
//! `candidates`; below them, `claims`, `copies`, `executions`, `inspect` and `told` are what they share. Each needs those
//! below alone. Not here: looking into rows (the containers do), and anything of SageMaker (the state
//! machines do) but a look at whether a model is there.

mod candidates;
mod check;
mod claims;
mod context;
mod copies;
mod drift_notices;
mod drops;
mod ended;
mod error;
mod executions;
mod ground_truth;
mod inspect;
mod launch;
mod people;
pub mod plan;
mod promotion;
mod queue;
mod request;
mod response;
mod retraining;
mod retrainings;
mod scoring;
mod scripts;
mod settings;
mod ticks;
mod told;
mod upkeep;
mod waiting;

pub use context::StartRun;
pub use error::Error;
pub use plan::{Job, plan};
pub use response::{Outcome, Response, Started};
pub use settings::{Images, Settings};

use crate::request::Request;
use aws_config::SdkConfig;
use jiff::Timestamp;
use platform::{Documents, Notices, UseCases};
use serde_json::Value;

/// What a call asks for, as [`StartRun::handle`] reads it: for tests of those who call.
///
/// # Errors
/// [`Error::EventInvalid`].
pub fn read(request: Value) -> Result<impl std::fmt::Debug, Error> {
    Request::parse(request)
}

impl StartRun {
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

    /// Does what an event or a direct call asks for: `{"rerun": "<run_id>", "use_case": "…"}` (and `by`), or
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
            Request::Rerun { use_case, run_id, by } => Box::pin(self.rerun(&use_case, &run_id, by, now)).await?,
            Request::Tick(tick) => Box::pin(self.tick(tick, now)).await?,
            Request::Monitor { use_case, model } => Box::pin(self.monitor(&use_case, model.as_deref(), now)).await?,
            Request::Promote(asked) => Box::pin(self.promote(&asked, now)).await?,
            Request::Reject(asked) => Box::pin(self.reject(&asked, now)).await?,
            Request::ChampionExported { use_case } => Box::pin(self.take_up_waiting(&use_case, now)).await?,
            Request::TrainingEnded(ended) => Box::pin(self.training_ended(&ended, now)).await?,
            Request::DriftDetected { found, unannounced } => {
                let response = Box::pin(self.drift(&found, now)).await?;
                if let Some(cause) = unannounced {
                    self.notices
                        .publish(&drift_notices::unannounced(&found, &cause))
                        .await?;
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
