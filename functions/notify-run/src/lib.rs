//! notify-run: tells people how a run ended, whatever its end was.
//!
//! Step Functions tells of an execution's end at least once. What people were told is written down after they were
//! told: a call that dies in between tells them twice, since a notice lost is worse than a notice doubled.
//!
//! Not here: the reasons themselves. rmse-gate and export-config wrote them into the decisions of the run.

mod event;
mod message;

use crate::event::{End, Status};
use crate::message::Outcome as ModelOutcome;
use aws_config::SdkConfig;
use contracts::places::RunPlaces;
use contracts::{Decision, RunId};
use jiff::Timestamp;
use lambda_runtime::Diagnostic;
use platform::documents::Condition;
use platform::{Documents, Notices};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The function, with the clients that it keeps between calls.
#[derive(Clone, Debug)]
pub struct NotifyRun {
    documents: Documents,
    notices: Notices,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// In a word.
    pub outcome: Outcome,
    /// The execution.
    pub execution_arn: String,
    /// The subject of the notice.
    pub subject: Option<String>,
}

/// What became of a call, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// People were told.
    Notified,
    /// They had been told before.
    Duplicate,
    /// The execution has not ended.
    Ignored,
}

/// `runs/<run_id>/notified.json`: the end that people were told of. An execution that is redriven ends again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Notified {
    execution_arn: String,
    status: Status,
    stopped_at: Option<Timestamp>,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No event of an execution's status. `error_type`: `EventInvalid`.
    #[error("the event can't be used: {0}")]
    EventInvalid(String),
    /// A call of AWS failed, or a document doesn't read.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

impl Error {
    /// The stable name.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::EventInvalid(_) => "EventInvalid",
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

impl NotifyRun {
    /// The function with clients made from `config`.
    pub fn new(config: &SdkConfig, bucket: impl Into<String>, topic_arn: impl Into<String>) -> Self {
        Self {
            documents: Documents::new(platform::s3_client(config), bucket),
            notices: Notices::new(aws_sdk_sns::Client::new(config), topic_arn),
        }
    }

    /// Tells people of the end that an EventBridge event of Step Functions reports.
    ///
    /// # Errors
    /// [`Error::EventInvalid`], [`Error::Platform`].
    pub async fn handle(&self, event: Value) -> Result<Response, Error> {
        let end = End::parse(event)?;
        let (outcome, subject) = if end.status == Status::Running {
            (Outcome::Ignored, None)
        } else {
            self.tell(&end).await?
        };
        tracing::info!(?outcome, execution_arn = end.execution_arn, status = ?end.status, "handled");
        Ok(Response {
            outcome,
            execution_arn: end.execution_arn,
            subject,
        })
    }

    async fn tell(&self, end: &End) -> Result<(Outcome, Option<String>), Error> {
        let notified = Notified {
            execution_arn: end.execution_arn.clone(),
            status: end.status,
            stopped_at: end.stopped_at,
        };
        // Without them there is no place to write down what people were told.
        let place = match (&end.use_case, RunId::parse(&end.name)) {
            (Some(use_case), Some(run_id)) => Some((use_case, run_id)),
            _ => None,
        };
        let places = place.as_ref().map(|(use_case, run_id)| RunPlaces { use_case, run_id });
        if let Some(places) = places
            && self.readable::<Notified>(&places.notified()).await?.ok().flatten() == Some(notified.clone())
        {
            return Ok((Outcome::Duplicate, None));
        }
        let mut models = Vec::new();
        for model in &end.models {
            let decision = match places {
                None => Ok(None),
                Some(places) => self.readable::<Decision>(&places.decision(model)).await?,
            };
            let outcome = match (decision, end.said.iter().find(|said| said.model == *model)) {
                (
                    Ok(Some(Decision {
                        decision: Some(verdict),
                        reason,
                        ..
                    })),
                    _,
                ) => ModelOutcome::Decided(verdict, reason),
                (_, Some(said)) => ModelOutcome::Decided(said.decision, said.reason.clone()),
                (Ok(_), None) => ModelOutcome::Undecided,
                (Err(reason), None) => ModelOutcome::Unreadable(reason),
            };
            models.push((model.clone(), outcome));
        }
        let notice = message::notice(end, &models);
        self.notices.publish(&notice).await?;
        if let Some(places) = places {
            self.documents
                .put(&places.notified(), &notified, Condition::Always)
                .await?;
        }
        Ok((Outcome::Notified, Some(notice.subject())))
    }

    /// A document, or why it doesn't read: that must not keep people from being told.
    async fn readable<T: serde::de::DeserializeOwned>(&self, key: &str) -> Result<Result<Option<T>, String>, Error> {
        match self.documents.get::<T>(key).await {
            Ok(found) => Ok(Ok(found.map(|found| found.value))),
            Err(error @ platform::Error::Document { .. }) => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}
