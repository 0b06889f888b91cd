//! What a run that has ended leaves at its models' endpoints. A run that was aborted, timed out or failed hard could
//! not give back its leases: this is done here, so that no run waits for a dead run's lease to expire.

use crate::run::Run;
use crate::{Error, NotifyRun};
use aws_sdk_sfn::error::ProvideErrorMetadata;
use aws_sdk_sfn::types::ExecutionStatus;
use contracts::{Champion, ModelRun, places};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Whether a run has worked on the endpoint of a model. A run changes an endpoint only under the lease, and the lease
/// continues to name the run after that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Visit {
    /// It never held the lease, or another run has taken it since and takes care of the endpoint.
    Never,
    /// It had given back the lease, or its state is unknown.
    #[default]
    Perhaps,
    /// It held the lease to its end, so it could not leave the endpoint in order.
    ToItsEnd,
}

/// What is known about a model's endpoint at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub visit: Visit,
    /// False only if it is known that the model has no champion, and so answers no requests.
    pub has_champion: bool,
}

impl NotifyRun {
    /// Gives back the leases that still name the run, and returns which endpoints it has worked on. A failure for one
    /// model does not affect the others; the first error is returned as well.
    pub(crate) async fn leave(&self, run: &Run, now: Timestamp) -> (BTreeMap<String, Visit>, Result<(), Error>) {
        let mut visits = BTreeMap::new();
        let mut done = Ok(());
        for model in &run.models {
            let Some(model_run) = run.of_model(model) else { continue };
            match self.leave_one(&model_run, &run.end.execution_arn, now).await {
                Ok(visit) => {
                    visits.insert(model.clone(), visit);
                }
                Err(error) => {
                    tracing::error!(model, %error, "the lease can't be given back");
                    done = done.and(Err(error));
                }
            }
        }
        (visits, done)
    }

    async fn leave_one(&self, run: &ModelRun, execution_arn: &str, now: Timestamp) -> Result<Visit, Error> {
        let lease = match self.leases.of(run).await {
            Ok(Some(lease)) => lease,
            Ok(None) => return Ok(Visit::Never),
            Err(error @ platform::Error::Document { .. }) => {
                tracing::warn!(model = run.model, %error, "the lease cannot be read");
                return Ok(Visit::Perhaps);
            }
            Err(error) => return Err(error.into()),
        };
        if lease.value.expires_at <= now {
            return Ok(Visit::Perhaps);
        }
        // The lease was read first: if a redriven execution renews it after that, it is not given back.
        if self.goes_on(execution_arn).await? {
            tracing::info!(model = run.model, "the execution was redriven, and keeps its lease");
        } else {
            self.leases.end(run, lease, now).await?;
            tracing::info!(model = run.model, "the lease is given back");
        }
        Ok(Visit::ToItsEnd)
    }

    /// Whether the execution is running again, which means that its event came late.
    async fn goes_on(&self, execution_arn: &str) -> Result<bool, Error> {
        let request = self.executions.describe_execution().execution_arn(execution_arn);
        match request.send().await {
            Ok(execution) => Ok(*execution.status() == ExecutionStatus::Running),
            Err(error) if error.code() == Some("ExecutionDoesNotExist") => Ok(false),
            Err(error) => Err(platform::Error::aws_call(format!("DescribeExecution {execution_arn}"), &error).into()),
        }
    }

    /// Whether a model has a champion; true if that is unknown.
    pub(crate) async fn has_champion(&self, run: &Run, model: &str) -> Result<bool, Error> {
        let Some(use_case) = &run.use_case else { return Ok(true) };
        let key = places::use_case::champion(use_case, model);
        let champion = self.readable::<Champion>(&key).await?;
        Ok(champion.map_or(true, |champion| champion.is_some()))
    }
}
