//! CreateProcessingJob, DescribeProcessingJob, ListProcessingJobs, StopProcessingJob.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{listed, processing_run, stop_job};
use crate::app::App;
use crate::containers::{local_path, unmapped};
use crate::error::ApiError;
use crate::jobs::processing::{AppSpecification, CreateRequest, ProcessingJob};
use crate::jobs::{Progress, StopSignal};
use crate::request::parse;
use crate::s3::S3Uri;
use crate::store::listing::{SortOrder, page};

const WITHOUT_EFFECT: &[&str] = &[
    "RoleArn",
    "Tags",
    "NetworkConfig",
    "ExperimentConfig",
    "ProcessingInputs.AppManaged",
    "ProcessingOutputConfig.KmsKeyId",
    "ProcessingOutputConfig.Outputs.AppManaged",
    "ProcessingResources.ClusterConfig.VolumeSizeInGB",
    "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
];

pub fn create(app: &Arc<App>, request: Value) -> Result<Value, ApiError> {
    let parsed: CreateRequest = parse(&request, WITHOUT_EFFECT)?;
    check(app, &parsed)?;
    let command = command(app, &parsed.app_specification)?;
    let name = parsed.processing_job_name.clone();
    let arn = app.host.arns.of("processing-job", &name);
    let job = ProcessingJob {
        progress: Progress::begin(),
        stop: StopSignal::new(),
        exit_message: None,
        name: name.clone(),
        arn: arn.clone(),
        request: request.clone(),
    };
    let stop = job.stop.clone();
    if !app.store.processing_jobs.insert_new(&name, job) {
        return Err(ApiError::new(
            "ResourceInUse",
            format!(
                "Job name must be unique within an AWS account and region, and a job with this name already exists \
                 ({arn})"
            ),
        ));
    }
    app.store.tags.begin(&arn, &request);
    tokio::spawn(processing_run::run(
        Arc::clone(app),
        parsed,
        job_config(request, &arn),
        command,
        stop,
    ));
    Ok(json!({"ProcessingJobArn": arn}))
}

/// Checks for what AWS's model doesn't express, but AWS or a single machine doesn't allow.
fn check(app: &App, request: &CreateRequest) -> Result<(), ApiError> {
    if request.processing_resources.cluster_config.instance_count != 1 {
        return Err(ApiError::not_done(
            "`ProcessingResources.ClusterConfig.InstanceCount` other than 1",
        ));
    }
    let inputs = request
        .processing_inputs
        .iter()
        .map(|input| (&input.input_name, &input.s3_input.s3_uri, &input.s3_input.local_path));
    let outputs = request.processing_output_config.outputs.iter().map(|output| {
        (
            &output.output_name,
            &output.s3_output.s3_uri,
            &output.s3_output.local_path,
        )
    });
    let mut names = Vec::new();
    for (name, uri, path) in inputs.chain(outputs) {
        if names.contains(&name) {
            return Err(ApiError::validation(format!(
                "Input and output names must be unique within a processing job; {name} is there twice."
            )));
        }
        names.push(name);
        if S3Uri::parse(uri).is_none() {
            return Err(ApiError::not_done(&format!(
                "the address {uri}, which is not of the form s3://bucket/key"
            )));
        }
        if local_path(path, &app.host.settings.data_dir).is_none() {
            return Err(ApiError::not_done(&format!(
                "the LocalPath {path}, which is not below /opt/ml"
            )));
        }
    }
    Ok(())
}

/// The local command for an entry point: its first word is mapped by the image, unless it is a file of the job.
fn command(app: &App, specification: &AppSpecification) -> Result<Vec<String>, ApiError> {
    let image = &specification.image_uri;
    let commands = app
        .host
        .images
        .resolve(image)
        .ok_or_else(|| ApiError::validation(unmapped(image, "process")))?;
    let mut command = match specification.container_entrypoint.split_first() {
        None => commands
            .entrypoint
            .clone()
            .ok_or_else(|| ApiError::validation(unmapped(image, "entrypoint")))?,
        Some((program, rest)) => {
            let mut command = match commands.process.get(program) {
                Some(words) => words.clone(),
                None if program.starts_with("/opt/ml/") => vec![program.clone()],
                None => {
                    return Err(ApiError::validation(format!(
                        "sagemaker-local does not know the program `{program}` of the image {image}; map it in a file \
                         given with --images: process: {{{program}: …}}"
                    )));
                }
            };
            command.extend_from_slice(rest);
            command
        }
    };
    command.extend_from_slice(&specification.container_arguments);
    Ok(command)
}

/// The content of `/opt/ml/config/processingjobconfig.json`.
fn job_config(mut request: Value, arn: &str) -> Value {
    if let Some(request) = request.as_object_mut() {
        request.remove("Tags");
    }
    request["ProcessingJobArn"] = Value::from(arn);
    request
}

pub fn describe(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let job = find(app, request)?;
    let mut answer = job.request;
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("Tags");
    }
    answer["ProcessingJobArn"] = Value::from(job.arn);
    answer["ProcessingJobStatus"] = Value::from(job.progress.status.as_str());
    job.progress.describe(&mut answer, "Processing");
    if let Some(message) = job.exit_message {
        answer["ExitMessage"] = Value::from(message);
    }
    Ok(answer)
}

pub fn list(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let items = app.store.processing_jobs.all().into_iter().map(|job| {
        let mut summary = json!({
            "ProcessingJobName": job.name,
            "ProcessingJobArn": job.arn,
            "ProcessingJobStatus": job.progress.status.as_str(),
        });
        job.progress.describe(&mut summary, "Processing");
        if let Some(summary) = summary.as_object_mut() {
            summary.remove("ProcessingStartTime");
        }
        if let Some(message) = &job.exit_message {
            summary["ExitMessage"] = Value::from(message.as_str());
        }
        listed(job.name, &job.progress, summary)
    });
    page(request, "ProcessingJobSummaries", SortOrder::Ascending, items.collect())
}

pub fn stop(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let job = find(app, request)?;
    let stopping = app
        .store
        .processing_jobs
        .update(&job.name, |job| job.progress.stopping());
    stop_job("processing", &job.progress, &job.stop, stopping)
}

fn find(app: &App, request: &Value) -> Result<ProcessingJob, ApiError> {
    let name = request["ProcessingJobName"].as_str().unwrap_or_default();
    let missing = || ApiError::validation(format!("Could not find requested job with name: {name}"));
    app.store.processing_jobs.get(name).ok_or_else(missing)
}
