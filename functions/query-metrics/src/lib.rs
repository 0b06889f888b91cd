//! QueryTrainingResults: returns the metric of a finished training job, by name.
//!
//! The metric is only read and converted to the target's unit. Whether it is good enough is decided by `rmse-gate`.

use aws_config::SdkConfig;
use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use aws_sdk_sagemaker::operation::describe_training_job::DescribeTrainingJobOutput;
use aws_sdk_sagemaker::types::{MetricData, TrainingJobStatus};
use contracts::use_case::Metric;
use serde::{Deserialize, Serialize};

/// The function.
#[derive(Clone, Debug)]
pub struct QueryMetrics {
    sagemaker: Client,
}

/// The metric to read, and the training job to read it from.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// The name of the training job.
    pub training_job_name: String,
    /// The metric, as the use-case document names it.
    pub metric: Metric,
}

/// The metric of the trained model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Response {
    /// Its name, as asked for.
    pub metric: String,
    /// Its last value, as a root mean squared error in the target's unit; null when training diverged. The SDK reads
    /// metrics as 32-bit floats, so the relative error is up to about 1e-7.
    pub value_rmse: Option<f64>,
    /// The duration of the training in seconds; null if SageMaker does not say.
    pub training_seconds: Option<i32>,
}

impl QueryMetrics {
    /// The function with its client.
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            sagemaker: Client::new(config),
        }
    }

    /// Handles a request.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn handle(&self, request: Request) -> Result<Response, Error> {
        let Request {
            training_job_name,
            metric,
        } = request;
        let job = self.describe(&training_job_name).await?;
        completed(&training_job_name, &job)?;
        let value = last_value(&training_job_name, &metric.name, job.final_metric_data_list())?;
        let value_rmse = rmse(value, metric.root);
        tracing::info!(
            training_job_name,
            metric = metric.name,
            value,
            value_rmse,
            "metric read"
        );
        Ok(Response {
            metric: metric.name,
            value_rmse,
            training_seconds: job.training_time_in_seconds(),
        })
    }

    async fn describe(&self, name: &str) -> Result<DescribeTrainingJobOutput, Error> {
        let request = self.sagemaker.describe_training_job().training_job_name(name);
        request.send().await.map_err(|error| {
            // SageMaker has no error code of its own for a job that doesn't exist.
            let unknown = error.code() == Some("ResourceNotFound")
                || (error.code() == Some("ValidationException")
                    && error.message().is_some_and(|message| message.contains("not found")));
            if unknown {
                Error::TrainingJobUnknown(name.to_owned())
            } else {
                platform::Error::aws_call(format!("DescribeTrainingJob {name}"), &error).into()
            }
        })
    }
}

fn completed(name: &str, job: &DescribeTrainingJobOutput) -> Result<(), Error> {
    match job.training_job_status() {
        Some(TrainingJobStatus::Completed) => Ok(()),
        status => Err(Error::TrainingJobNotCompleted {
            job: name.to_owned(),
            status: status.map_or("without a status", TrainingJobStatus::as_str).to_owned(),
            reason: job.failure_reason().unwrap_or("no reason given").to_owned(),
        }),
    }
}

/// The value of the metric with this name. It is never taken by position, which changes with the algorithm's version.
fn last_value(job: &str, metric: &str, reported: &[MetricData]) -> Result<f32, Error> {
    reported
        .iter()
        .find(|data| data.metric_name() == Some(metric))
        .and_then(MetricData::value)
        .ok_or_else(|| Error::MetricMissing {
            job: job.to_owned(),
            metric: metric.to_owned(),
            reported: reported
                .iter()
                .filter_map(MetricData::metric_name)
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
        })
}

/// The value in the target's unit; `None` for a value that no finite error can have, which means that training
/// diverged.
fn rmse(value: f32, root: bool) -> Option<f64> {
    // Converted by way of the shortest decimal, so that people read 0.1 in the decision and not 0.10000000149011612.
    let value = value.to_string().parse::<f64>().ok()?;
    let value = if root { value.sqrt() } else { value };
    (value.is_finite() && value >= 0.0).then_some(value)
}

/// Why no metric can be returned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `MetricMissing`: the algorithm does not report it.
    #[error(
        "training job `{job}` reports no metric `{metric}`: name one that it reports ({}) in the use-case document",
        if reported.is_empty() { "none at all" } else { reported }
    )]
    MetricMissing {
        /// The training job.
        job: String,
        /// The metric asked for.
        metric: String,
        /// The names that it reports.
        reported: String,
    },
    /// `TrainingJobNotCompleted`: it is in progress, has failed or was stopped.
    #[error("training job `{job}` is {status}, not Completed ({reason}): it has no model to judge")]
    TrainingJobNotCompleted {
        /// The training job.
        job: String,
        /// Its status.
        status: String,
        /// SageMaker's reason.
        reason: String,
    },
    /// `TrainingJobUnknown`: there is no job with this name.
    #[error("there is no training job `{0}` in this account and region: start the run again")]
    TrainingJobUnknown(String),
    /// An error of the shared shell, `platform`.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error {
    MetricMissing,
    TrainingJobNotCompleted,
    TrainingJobUnknown
});
