//! The end of a training run: its place goes to the newest drop that is queued, and files that waited for the champions that
//! it has exported are taken up.

use crate::queue::{Look, REMOVED};
use crate::request::Ended;
use crate::{Error, Response, StartRun};
use aws_sdk_sfn::error::ProvideErrorMetadata;
use contracts::queue::Why;
use jiff::Timestamp;
use serde::Deserialize;

/// What is needed of a plan.
#[derive(Deserialize)]
struct Planned {
    use_case: String,
}

impl StartRun {
    pub(crate) async fn training_ended(&self, ended: &Ended, now: Timestamp) -> Result<Response, Error> {
        let input = match &ended.input {
            Some(input) => Some(input.clone()),
            // EventBridge leaves large ones out.
            None => self.input(&ended.execution_arn).await?,
        };
        let planned = input.and_then(|input| serde_json::from_str::<Planned>(&input).ok());
        let (Some(Planned { use_case }), Some(run_id)) = (planned, &ended.run_id) else {
            let reason = format!("{} is no run of a use case", ended.execution_arn);
            return Ok(Response::ignored(reason));
        };
        let document = match self.use_cases.get(&use_case).await {
            Ok((document, _)) => Some(document),
            Err(platform::Error::UseCaseUnknown(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let limit = document.as_ref().map_or(REMOVED, |it| it.drops.max_concurrent_runs);
        let mut started = self.advance(&use_case, limit, Look::Ended(run_id), now).await?;
        self.tell(&use_case, Why::Overtaken, true, now).await?;
        if let Some(document) = &document {
            let taken = Box::pin(self.take_up_what_waits(&use_case, document, now)).await?;
            started.extend(taken.runs);
            if let Some(failure) = taken.failures.into_iter().next() {
                return Err(failure);
            }
        }
        Ok(Response::several(
            started,
            "no training run is queued, and no file waits",
        ))
    }

    async fn input(&self, execution_arn: &str) -> Result<Option<String>, Error> {
        let request = self.executions.describe_execution().execution_arn(execution_arn);
        match request.send().await {
            Ok(execution) => Ok(execution.input),
            // Deleted, with its machine.
            Err(error) if error.code() == Some("ExecutionDoesNotExist") => Ok(None),
            Err(error) => Err(platform::Error::aws_call(format!("DescribeExecution {execution_arn}"), &error).into()),
        }
    }
}
