//! notify-run: notifies people of how a run ended, whatever its end was, writes its rows for queries, and gives back
//! the leases that the run could not give back itself.
//!
//! Step Functions sends the event of an execution's end at least once. That people were notified is recorded after the
//! notice was sent: if a call dies in between, they are notified twice, since a lost notice is worse than a repeated
//! one. Rows are written before.
//!
//! Monitoring runs are reported only if they failed, and at most once a day while the failure stays the same.
//!
//! The reasons do not come from here: rmse-gate and export-config wrote them into the decisions of the run, Combine
//! into the summary of a scored file; evaluate-drift reports what a monitoring run has found.

mod context;
mod endpoint;
mod error;
mod event;
mod message;
mod rows;
mod run;

pub use context::NotifyRun;
pub use error::Error;

use crate::endpoint::{Endpoint, Visit};
use crate::event::{End, Planned, Status};
use crate::message::training::ModelEnd;
use crate::run::Run;
use aws_config::SdkConfig;
use aws_sdk_sfn::error::ProvideErrorMetadata;
use contracts::places::{self, RunPlaces};
use contracts::run::RunKind;
use contracts::scoring::ScoringSummary;
use contracts::{Decision, Manifest, Notice, PreprocessSummary, RunId};
use jiff::Timestamp;
use platform::documents::Condition;
use platform::{Documents, Findings, Leases, Notices};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// The outcome.
    pub outcome: Outcome,
    /// The execution's ARN.
    pub execution_arn: String,
    /// The subject of the notice, if one was sent.
    pub subject: Option<String>,
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// People were notified.
    Notified,
    /// They had been notified before.
    Duplicate,
    /// There is nothing to report, but the run's rows were written.
    Recorded,
    /// The execution has not ended.
    Ignored,
}

/// `runs/<run_id>/notified.json`: the end that people were notified of. A redriven execution ends again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Notified {
    execution_arn: String,
    status: Status,
    stopped_at: Option<Timestamp>,
}

impl NotifyRun {
    /// The function with clients made from `config`.
    pub fn new(
        config: &SdkConfig,
        stack: impl Into<String>,
        bucket: impl Into<String>,
        topic_arn: impl Into<String>,
    ) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        let notices = Notices::new(aws_sdk_sns::Client::new(config), topic_arn);
        Self {
            findings: Findings::new(documents.clone(), notices.clone()),
            executions: aws_sdk_sfn::Client::new(config),
            leases: Leases::new(documents.clone()),
            documents,
            notices,
            stack: stack.into(),
        }
    }

    /// Gives back the leases that the run held, and notifies people of the end that an EventBridge event of Step
    /// Functions reports.
    ///
    /// # Errors
    /// [`Error::EventInvalid`], [`Error::Platform`].
    pub async fn handle(&self, event: Value, now: Timestamp) -> Result<Response, Error> {
        let end = End::parse(event)?;
        let (execution_arn, status) = (end.execution_arn.clone(), end.status);
        let (outcome, subject) = if status == Status::Running {
            (Outcome::Ignored, None)
        } else {
            self.end(end, now).await?
        };
        tracing::info!(?outcome, execution_arn, ?status, "handled");
        Ok(Response {
            outcome,
            execution_arn,
            subject,
        })
    }

    /// Handles leases and notices: a failure of one does not prevent the other.
    async fn end(&self, end: End, now: Timestamp) -> Result<(Outcome, Option<String>), Error> {
        let run = self.run(end).await?;
        let (visits, left) = match run.kind() {
            RunKind::Training | RunKind::Promotion => self.leave(&run, now).await,
            RunKind::Scoring | RunKind::Monitoring => (BTreeMap::new(), Ok(())),
        };
        let told = self.tell(&run, &visits).await?;
        left.map(|()| told)
    }

    async fn tell(&self, run: &Run, visits: &BTreeMap<String, Visit>) -> Result<(Outcome, Option<String>), Error> {
        let notified = Notified {
            execution_arn: run.end.execution_arn.clone(),
            status: run.end.status,
            stopped_at: run.end.stopped_at,
        };
        let places = run.places();
        if let Some(places) = places
            && self.readable::<Notified>(&places.notified()).await?.ok().flatten() == Some(notified.clone())
        {
            return Ok((Outcome::Duplicate, None));
        }
        let notice = match run.kind() {
            RunKind::Training => {
                let models = self.models(run, visits).await?;
                let summary = self.preprocessed(places).await?;
                self.record(rows::training(run, &models, &summary)).await?;
                message::preprocessed(message::training::notice(run, &models, &self.stack), &summary)
            }
            RunKind::Promotion => {
                let models = self.models(run, visits).await?;
                self.record(rows::training(run, &models, &PreprocessSummary::default()))
                    .await?;
                message::promotion::notice(run, &models, &self.stack)
            }
            RunKind::Scoring => {
                let summary = self.summary(places).await?;
                let readable = summary.as_ref().ok().and_then(Option::as_ref);
                self.record(rows::scoring(run, readable)).await?;
                message::scoring::notice(run, &summary)
            }
            RunKind::Monitoring => {
                self.record(rows::monitoring(run)).await?;
                return self.tell_of_monitoring(run).await;
            }
        };
        self.notices.publish(&notice).await?;
        if let Some(places) = places {
            self.documents
                .put(&places.notified(), &notified, Condition::Always)
                .await?;
        }
        Ok((Outcome::Notified, Some(notice.subject())))
    }

    /// A monitoring run that fails may fail again at every tick, so it is reported like any other finding.
    async fn tell_of_monitoring(&self, run: &Run) -> Result<(Outcome, Option<String>), Error> {
        if !message::monitoring::is_told(run) {
            return Ok((Outcome::Recorded, None));
        }
        let notice: Notice = message::monitoring::notice(run);
        let told = match run.watched() {
            Some(watched) => {
                let fingerprint = message::monitoring::fingerprint(run);
                let now = run.end.stopped_at.unwrap_or_else(Timestamp::now);
                self.findings.tell(&watched, &fingerprint, &notice, now).await?
            }
            None => {
                self.notices.publish(&notice).await?;
                true
            }
        };
        Ok(if told {
            (Outcome::Notified, Some(notice.subject()))
        } else {
            (Outcome::Duplicate, None)
        })
    }

    /// Collects what is known about the run.
    async fn run(&self, end: End) -> Result<Run, Error> {
        let planned = match &end.input {
            Some(input) => Planned::parse(input),
            None => self.planned(&end.execution_arn).await?,
        };
        let mut run = Run {
            bucket: self.documents.bucket().to_owned(),
            use_case: planned.use_case,
            run_id: RunId::parse(&end.name),
            models: planned.models,
            manifest: None,
            end,
        };
        if let Some(key) = run.places().map(|places| places.manifest()) {
            let manifest = self.readable::<Manifest>(&key).await?;
            if let Err(reason) = &manifest {
                tracing::warn!(reason, "the manifest cannot be read");
            }
            run.manifest = manifest.ok().flatten();
        }
        Ok(run)
    }

    /// The plan of an execution whose event does not include it.
    async fn planned(&self, execution_arn: &str) -> Result<Planned, Error> {
        let request = self.executions.describe_execution().execution_arn(execution_arn);
        match request.send().await {
            Ok(execution) => Ok(execution.input().map(Planned::parse).unwrap_or_default()),
            // The execution was deleted together with its machine: people are notified of what the event says.
            Err(error) if error.code() == Some("ExecutionDoesNotExist") => Ok(Planned::default()),
            Err(error) => Err(platform::Error::aws_call(format!("DescribeExecution {execution_arn}"), &error).into()),
        }
    }

    /// The ends of a training run's models.
    async fn models(&self, run: &Run, visits: &BTreeMap<String, Visit>) -> Result<Vec<ModelEnd>, Error> {
        let mut models = Vec::new();
        for model in &run.models {
            let decision = match run.places() {
                None => Ok(None),
                Some(places) => self.readable::<Decision>(&places.decision(model)).await?,
            };
            let said = run.end.said.iter().find(|said| said.model == *model);
            let endpoint = Endpoint {
                visit: visits.get(model).copied().unwrap_or_default(),
                has_champion: self.has_champion(run, model).await?,
            };
            models.push(ModelEnd::of(model, decision, said, endpoint));
        }
        Ok(models)
    }

    /// What became of the rows of a training run's files. A run without a summary names its reason itself.
    async fn preprocessed(&self, places: Option<RunPlaces<'_>>) -> Result<PreprocessSummary, Error> {
        let Some(places) = places else {
            return Ok(PreprocessSummary::default());
        };
        let key = places.data("summary") + "summary.json";
        let summary = self.readable::<PreprocessSummary>(&key).await?;
        if let Err(reason) = &summary {
            tracing::warn!(reason, "the summary of Preprocess cannot be read");
        }
        Ok(summary.ok().flatten().unwrap_or_default())
    }

    /// The summary that Combine has written for a scoring run.
    async fn summary(&self, places: Option<RunPlaces<'_>>) -> Result<Result<Option<ScoringSummary>, String>, Error> {
        let Some(places) = places else {
            return Ok(Ok(None));
        };
        let key = places::use_case::scored(places.use_case, places.run_id) + "summary.json";
        self.readable(&key).await
    }

    async fn record(&self, rows: Vec<rows::Placed>) -> Result<(), Error> {
        for (key, row) in rows {
            self.documents.put_rows(&key, &[row]).await?;
        }
        Ok(())
    }
}
