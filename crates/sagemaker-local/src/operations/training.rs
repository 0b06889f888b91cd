//! CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs, StopTrainingJob.
//!
//! The content of `/opt/ml` before and after a training is described in [`super::training_run`].

use std::sync::Arc;

use serde_json::{Value, json};

use super::{listed, stop_job, training_run};
use crate::app::App;
use crate::containers::unmapped;
use crate::error::ApiError;
use crate::jobs::training::{CreateRequest, TrainingJob, Transition, one_day};
use crate::jobs::{Progress, StopSignal};
use crate::names::epoch_seconds;
use crate::request::parse;
use crate::s3::S3Uri;
use crate::store::listing::{SortOrder, page};

const WITHOUT_EFFECT: &[&str] = &[
    "RoleArn",
    "Tags",
    "VpcConfig",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "ExperimentConfig",
    "DebugHookConfig",
    "ProfilerConfig",
    "InfraCheckConfig",
    "RetryStrategy",
    "AlgorithmSpecification.EnableSageMakerMetricsTimeSeries",
    "AlgorithmSpecification.TrainingImageConfig",
    "InputDataConfig.ShuffleConfig",
    "OutputDataConfig.KmsKeyId",
    "ResourceConfig.VolumeSizeInGB",
    "ResourceConfig.VolumeKmsKeyId",
    "ResourceConfig.KeepAlivePeriodInSeconds",
    "StoppingCondition.MaxWaitTimeInSeconds",
    "StoppingCondition.MaxPendingTimeInSeconds",
];

pub fn create(app: &Arc<App>, request: Value) -> Result<Value, ApiError> {
    let parsed: CreateRequest = parse(&request, WITHOUT_EFFECT)?;
    check(app, &parsed)?;
    let name = parsed.training_job_name.clone();
    let arn = app.host.arns.of("training-job", &name);
    let mut job = TrainingJob {
        progress: Progress::begin(),
        stop: StopSignal::new(),
        model_artifacts: None,
        final_metrics: Vec::new(),
        name: name.clone(),
        arn: arn.clone(),
        request,
        transitions: Vec::new(),
    };
    job.enter("Starting", "Preparing the instances for training");
    let (stop, tags) = (job.stop.clone(), job.request.clone());
    if !app.store.training_jobs.insert_new(&name, job) {
        return Err(ApiError::new(
            "ResourceInUse",
            format!(
                "Training job names must be unique within an AWS account and region, and a training job with this \
                 name already exists ({arn})"
            ),
        ));
    }
    app.store.tags.begin(&arn, &tags);
    tokio::spawn(training_run::run(Arc::clone(app), parsed, arn.clone(), stop));
    Ok(json!({"TrainingJobArn": arn}))
}

/// Checks for what AWS's model doesn't express, but AWS or a single machine doesn't allow.
fn check(app: &App, request: &CreateRequest) -> Result<(), ApiError> {
    let algorithm = &request.algorithm_specification;
    if app
        .host
        .images
        .resolve(&algorithm.training_image)
        .is_none_or(|commands| commands.train.is_none())
    {
        return Err(ApiError::validation(unmapped(&algorithm.training_image, "train")));
    }
    if request.resource_config.instance_count != 1 {
        return Err(ApiError::not_done("`ResourceConfig.InstanceCount` other than 1"));
    }
    for metric in &algorithm.metric_definitions {
        if let Err(error) = fancy_regex::Regex::new(&metric.regex) {
            return Err(ApiError::validation(format!(
                "The regular expression of the metric {} is not valid: {error}",
                metric.name
            )));
        }
    }
    for (index, channel) in request.input_data_config.iter().enumerate() {
        if request.input_data_config[..index]
            .iter()
            .any(|other| other.channel_name == channel.channel_name)
        {
            return Err(ApiError::validation(format!(
                "Channel names must be unique within a training job; {} is there twice.",
                channel.channel_name
            )));
        }
    }
    let sources = request
        .input_data_config
        .iter()
        .map(|channel| &channel.data_source.s3_data_source.s3_uri);
    for uri in sources.chain([&request.output_data_config.s3_output_path]) {
        if S3Uri::parse(uri).is_none() {
            return Err(ApiError::not_done(&format!(
                "the address {uri}, which is not of the form s3://bucket/key"
            )));
        }
    }
    Ok(())
}

pub fn describe(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let job = find(app, request)?;
    let mut answer = job.request.clone();
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("Tags");
        for switch in [
            "EnableNetworkIsolation",
            "EnableInterContainerTrafficEncryption",
            "EnableManagedSpotTraining",
        ] {
            answer.entry(switch).or_insert(Value::Bool(false));
        }
        answer
            .entry("StoppingCondition")
            .or_insert_with(|| json!({"MaxRuntimeInSeconds": one_day()}));
    }
    tell_defaults(&mut answer);
    answer["TrainingJobArn"] = Value::from(job.arn.as_str());
    answer["TrainingJobStatus"] = Value::from(job.progress.status.as_str());
    answer["SecondaryStatus"] = Value::from(job.secondary_status());
    answer["SecondaryStatusTransitions"] = job.transitions.iter().map(Transition::to_json).collect();
    job.progress.describe(&mut answer, "Training");
    if let Some(uri) = &job.model_artifacts {
        answer["ModelArtifacts"] = json!({"S3ModelArtifacts": uri});
    }
    if let (Some(started), Some(ended)) = (job.progress.started, job.progress.ended) {
        let seconds = ended.duration_since(started).as_secs();
        answer["TrainingTimeInSeconds"] = Value::from(seconds.max(1));
        answer["BillableTimeInSeconds"] = Value::from(seconds.max(1));
        let metrics = job.final_metrics.iter().map(
            |(name, value)| json!({"MetricName": name, "Value": number(*value), "Timestamp": epoch_seconds(ended)}),
        );
        if !job.final_metrics.is_empty() {
            answer["FinalMetricDataList"] = metrics.collect();
        }
    }
    Ok(answer)
}

/// Adds members that AWS returns even if the request omitted them; its own SDK relies on them.
fn tell_defaults(answer: &mut Value) {
    if let Some(output) = answer["OutputDataConfig"].as_object_mut() {
        output.entry("KmsKeyId").or_insert_with(|| json!(""));
    }
    for channel in answer["InputDataConfig"].as_array_mut().into_iter().flatten() {
        if let Some(channel) = channel.as_object_mut() {
            channel.entry("CompressionType").or_insert_with(|| json!("None"));
            channel.entry("RecordWrapperType").or_insert_with(|| json!("None"));
        }
    }
}

pub fn list(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let items = app.store.training_jobs.all().into_iter().map(|job| {
        let mut summary = json!({
            "TrainingJobName": job.name,
            "TrainingJobArn": job.arn,
            "TrainingJobStatus": job.progress.status.as_str(),
            "SecondaryStatus": job.secondary_status(),
            "CreationTime": epoch_seconds(job.progress.created),
            "LastModifiedTime": epoch_seconds(job.progress.modified),
        });
        if let Some(ended) = job.progress.ended {
            summary["TrainingEndTime"] = epoch_seconds(ended);
        }
        listed(job.name, &job.progress, summary)
    });
    page(request, "TrainingJobSummaries", SortOrder::Ascending, items.collect())
}

pub fn stop(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let job = find(app, request)?;
    let stopping = app.store.training_jobs.update(&job.name, |job| {
        let stopping = job.progress.stopping();
        if stopping {
            job.enter("Stopping", "Stopping the training job");
        }
        stopping
    });
    stop_job("training", &job.progress, &job.stop, stopping)
}

fn find(app: &App, request: &Value) -> Result<TrainingJob, ApiError> {
    let name = request["TrainingJobName"].as_str().unwrap_or_default();
    app.store
        .training_jobs
        .get(name)
        .ok_or_else(|| ApiError::validation("Requested resource not found."))
}

/// A number in the form of AWS's JSON, which uses words for values that JSON has no number for.
fn number(value: f64) -> Value {
    if value.is_nan() {
        Value::from("NaN")
    } else if value.is_infinite() {
        Value::from(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        Value::from(value)
    }
}
