//! Jobs. A name is used once and for all; a job runs for a while, and then ends as its container's work did.

use super::account::{Job, JobKind, SageMaker};
use super::api::{ApiError, arn, unique};
use super::containers;
use crate::faults::Effect;
use serde_json::{Value, json};
use std::collections::BTreeMap;

impl SageMaker {
    /// The names of the jobs in progress.
    pub fn jobs_at_work(&self) -> Vec<String> {
        let state = self.state.lock().unwrap();
        let at_work = state.jobs.values().filter(|job| job.status == "InProgress");
        at_work.map(|job| job.name.clone()).collect()
    }

    pub(super) fn create_job(&self, kind: JobKind, name: &str, request: &Value) -> Result<Value, ApiError> {
        let names: BTreeMap<String, ()> = {
            let state = self.state.lock().unwrap();
            let all = state.jobs.keys().filter(|(of, _)| *of == kind);
            all.map(|(_, name)| (name.clone(), ())).collect()
        };
        if names.contains_key(name) {
            return Err(ApiError::new(
                "ResourceInUse",
                format!("Job name must be unique: {name} exists"),
            ));
        }
        unique(&names, name, "job")?;
        let job = Job {
            name: name.to_owned(),
            status: "InProgress".to_owned(),
            request: request.clone(),
            failure: None,
            found: json!({}),
        };
        self.state.lock().unwrap().jobs.insert((kind, name.to_owned()), job);
        let (service, name) = (self.clone(), name.to_owned());
        let key = format!("{}JobArn", kind.as_str());
        let answer = json!({key: arn(&format!("{}-job", kind.as_str().to_lowercase()), &name)});
        if self.faults.take("hang", &name).is_none() {
            self.clock.spawn(async move {
                service.clock.sleep(kind.takes()).await;
                service.end_job(kind, &name);
            });
        }
        Ok(answer)
    }

    pub(super) fn describe_job(&self, kind: JobKind, name: &str) -> Result<Value, ApiError> {
        let state = self.state.lock().unwrap();
        let job = state.jobs.get(&(kind, name.to_owned()));
        let job = job.ok_or_else(|| ApiError::invalid("Requested resource not found."))?;
        let field = |end: &str| format!("{}{end}", kind.as_str());
        let mut described = job.request.clone();
        described[field("JobName")] = name.into();
        described[field("JobArn")] = arn("job", name).into();
        described[field("JobStatus")] = job.status.as_str().into();
        described["CreationTime"] = 0.into();
        if let Some(reason) = &job.failure {
            described["FailureReason"] = reason.as_str().into();
        }
        if let (Some(described), Some(found)) = (described.as_object_mut(), job.found.as_object()) {
            described.extend(found.clone());
        }
        Ok(described)
    }

    /// Waits for a job's end; returns its status and description.
    pub async fn ended(&self, kind: JobKind, name: &str) -> Result<(String, Value), ApiError> {
        loop {
            let next = self.ends.notified();
            let described = self.describe_job(kind, name)?;
            let status = described[format!("{}JobStatus", kind.as_str())]
                .as_str()
                .unwrap_or_default();
            if status != "InProgress" {
                return Ok((status.to_owned(), described));
            }
            next.await;
        }
    }

    /// Stops a job, as Step Functions does when its task is cancelled.
    pub fn stop_job(&self, kind: JobKind, name: &str) {
        let mut state = self.state.lock().unwrap();
        if let Some(job) = state.jobs.get_mut(&(kind, name.to_owned()))
            && job.status == "InProgress"
        {
            "Stopped".clone_into(&mut job.status);
        }
    }

    /// Runs the container's work, all at once, at the end of the job's duration.
    fn end_job(&self, kind: JobKind, name: &str) {
        let key = (kind, name.to_owned());
        let request = match self.state.lock().unwrap().jobs.get(&key) {
            Some(job) if job.status == "InProgress" => job.request.clone(),
            _ => return,
        };
        let result = match self.faults.take("job", name) {
            Some(Effect::Fails(reason)) => Err(reason),
            _ => self.contained(kind, name, &request),
        };
        let mut state = self.state.lock().unwrap();
        if let Some(job) = state.jobs.get_mut(&key) {
            self.ends.notify_waiters();
            match result {
                Ok(found) => {
                    "Completed".clone_into(&mut job.status);
                    job.found = found;
                }
                Err(reason) => {
                    "Failed".clone_into(&mut job.status);
                    job.failure = Some(reason);
                }
            }
        }
    }

    fn contained(&self, kind: JobKind, name: &str, request: &Value) -> Result<Value, String> {
        match kind {
            JobKind::Training => {
                let image = request["AlgorithmSpecification"]["TrainingImage"]
                    .as_str()
                    .unwrap_or_default();
                let noise = self.state.lock().unwrap().noise.get(image).copied();
                containers::train(&self.aws, name, request, noise.unwrap_or(300.0))
            }
            JobKind::Transform => {
                let model = request["ModelName"].as_str().unwrap_or_default();
                let artifact = self.artifact(model).ok_or("the model has no artifact")?;
                containers::transform(&self.aws, request, &artifact)
            }
            JobKind::Processing => containers::process(&self.aws, request),
        }
    }
}
