//! The gate: judges a candidate, and keeps the decision document that says how and why.
//!
//! Its questions, in the order of the training machine: is the training metric under the threshold, is the candidate
//! better than a naive baseline and than the champion, and is there doubt? The rules are in [`rules`] and in
//! `docs/gate.md`. Training, scoring and exporting are done elsewhere; the champion is only read here.

pub mod chance;
mod compare;
mod contest;
mod context;
mod doubt;
mod ending;
mod error;
pub mod fault;
pub mod labels;
mod notice;
mod opponent;
pub mod pairs;
mod promotion;
mod request;
mod response;
pub mod rules;
pub mod scores;

pub use context::RmseGate;
pub use error::Error;
pub use request::{Comparing, Request};
pub use response::{ChampionFound, Response};

use aws_config::SdkConfig;
use contracts::decision::ThresholdCheck;
use contracts::{ModelRun, Verdict};
use jiff::Timestamp;
use platform::{Decisions, Documents, Notices, UseCases};

impl RmseGate {
    /// The function with its clients.
    pub fn new(config: &SdkConfig, stack: &str, bucket: &str, topic_arn: &str) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        Self {
            decisions: Decisions::new(documents.clone()),
            notices: Notices::new(aws_sdk_sns::Client::new(config), topic_arn),
            use_cases: UseCases::new(aws_sdk_ssm::Client::new(config), documents.clone(), stack),
            documents,
            stack: stack.to_owned(),
        }
    }

    /// Handles a request.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn handle(&self, request: Request, now: Timestamp) -> Result<Response, Error> {
        match request {
            Request::Threshold {
                run,
                metric,
                value_rmse,
                threshold_rmse,
            } => {
                let judgement = rules::threshold(&metric, value_rmse, threshold_rmse);
                let check = ThresholdCheck {
                    metric,
                    value_rmse,
                    threshold_rmse,
                    passed: judgement.passed,
                };
                self.threshold(&run, check, judgement.reason, now).await
            }
            Request::Champion { run, schema_hash } => self.champion(&run, &schema_hash, now).await,
            Request::Compare(comparing) => self.compare(*comparing, now).await,
            Request::Doubt {
                run,
                champion,
                approval,
                started_by_drift,
            } => self.doubt(&run, &champion, approval, started_by_drift, now).await,
            Request::NotifyRejection { run } => self.notify_rejection(&run, now).await,
            Request::Promote { run, promotion } => self.promote(&run, &promotion, now).await,
            Request::Fail { run, error, onboarding } => self.fail(&run, &error, onboarding.as_deref(), now).await,
            Request::Supersede { run, reason } => self.end(&run, Verdict::Superseded, reason, now).await,
        }
    }

    async fn threshold(
        &self,
        run: &ModelRun,
        check: ThresholdCheck,
        reason: String,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let passed = check.passed;
        tracing::info!(run_id = %run.run_id, model = run.model, passed, reason, "threshold");
        self.decisions
            .update(run, now, |decision| {
                decision.decision = (!passed).then_some(Verdict::RejectedThreshold);
                decision.reason.clone_from(&reason);
                decision.threshold = Some(check);
            })
            .await?;
        Ok(Response::Threshold { passed, reason })
    }
}
