//! CreateTransformJob, DescribeTransformJob, ListTransformJobs, StopTransformJob.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{listed, model, stop_job, transform_run};
use crate::app::App;
use crate::error::ApiError;
use crate::jobs::{Progress, StopSignal};
use crate::store::listing::{SortOrder, page};
use crate::transform::{self, TransformJob};

pub fn create(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let (model_name, plan) = transform::read(request)?;
    let model = model::find(app, &model_name)?;
    let name = plan.name.clone();
    let arn = app.host.arns.of("transform-job", &name);
    let stop = StopSignal::new();
    let job = TransformJob {
        progress: Progress::begin(),
        stop: stop.clone(),
        name: name.clone(),
        arn: arn.clone(),
        request: request.clone(),
    };
    if !app.store.transform_jobs.insert_new(&name, job) {
        return Err(ApiError::new(
            "ResourceInUse",
            format!(
                "Transform job names must be unique within an AWS account and region, and a transform job with this \
                 name already exists ({arn})"
            ),
        ));
    }
    app.store.tags.begin(&arn, request);
    tokio::spawn(transform_run::run(Arc::clone(app), plan, model.containers, stop));
    Ok(json!({"TransformJobArn": arn}))
}

pub fn describe(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let job = find(app, request)?;
    let mut answer = job.request;
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("Tags");
    }
    answer["TransformJobArn"] = Value::from(job.arn);
    answer["TransformJobStatus"] = Value::from(job.progress.status.as_str());
    job.progress.describe(&mut answer, "Transform");
    if let Some(answer) = answer.as_object_mut() {
        // AWS doesn't return this member here.
        answer.remove("LastModifiedTime");
    }
    Ok(answer)
}

pub fn list(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let items = app.store.transform_jobs.all().into_iter().map(|job| {
        let mut summary = json!({
            "TransformJobName": job.name,
            "TransformJobArn": job.arn,
            "TransformJobStatus": job.progress.status.as_str(),
        });
        job.progress.describe(&mut summary, "Transform");
        if let Some(summary) = summary.as_object_mut() {
            summary.remove("TransformStartTime");
        }
        listed(job.name, &job.progress, summary)
    });
    page(request, "TransformJobSummaries", SortOrder::Descending, items.collect())
}

pub fn stop(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let job = find(app, request)?;
    let stopping = app
        .store
        .transform_jobs
        .update(&job.name, |job| job.progress.stopping());
    stop_job("transform", &job.progress, &job.stop, stopping)
}

fn find(app: &App, request: &Value) -> Result<TransformJob, ApiError> {
    let name = request["TransformJobName"].as_str().unwrap_or_default();
    let missing = || ApiError::validation(format!("Could not find requested job with name: {name}"));
    app.store.transform_jobs.get(name).ok_or_else(missing)
}
