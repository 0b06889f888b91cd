//! The execution of a processing job.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app::App;
use crate::containers::{ContainerSpec, local_path};
use crate::faults::FaultKind;
use crate::jobs::processing::CreateRequest;
use crate::jobs::{Ending, JobStatus, StopSignal, algorithm_error, inputs, internal_error, message_file, supervise};
use crate::s3::S3Uri;

const KIND: &str = "processing-jobs";

/// Runs the job and records how it ended. `config` is the configuration that the container finds.
pub async fn run(app: Arc<App>, request: CreateRequest, config: Value, command: Vec<String>, stop: StopSignal) {
    let name = request.processing_job_name.clone();
    let dir = app.host.container_dir(KIND, &name);
    let run = Run {
        app: &app,
        name: &name,
        request: &request,
        dir: &dir,
    };
    let result = run.execute(&config, command, &stop).await;
    let message = message_file(&dir.join("output/message"));
    // Removed before the job is reported as ended, so that nothing is left of an ended job.
    let _ = tokio::fs::remove_dir_all(&dir).await;
    tracing::info!(job = name, ?result, "the processing job has ended");
    app.store.processing_jobs.update(&name, |job| {
        job.exit_message = (!message.is_empty()).then_some(message);
        match result {
            Ok(Ending::Exited(_)) => job.progress.ended(JobStatus::Completed, None),
            Ok(Ending::Stopped) => job.progress.ended(JobStatus::Stopped, None),
            Ok(Ending::MaxRuntimeExceeded) => {
                let reason = "ClientError: the job ran longer than StoppingCondition.MaxRuntimeInSeconds";
                job.progress.ended(JobStatus::Stopped, Some(reason));
            }
            Err(reason) => job.progress.ended(JobStatus::Failed, Some(&reason)),
        }
    });
}

struct Run<'a> {
    app: &'a App,
    name: &'a str,
    request: &'a CreateRequest,
    dir: &'a Path,
}

impl Run<'_> {
    /// The error is the job's `FailureReason`.
    async fn execute(&self, config: &Value, command: Vec<String>, stop: &StopSignal) -> Result<Ending, String> {
        if let Some(fault) = self
            .app
            .faults
            .take("CreateProcessingJob", self.name, FaultKind::FailJob)
        {
            return Err(fault
                .reason
                .unwrap_or_else(|| "InternalServerError: a fault on demand".to_owned()));
        }
        tokio::select! {
            prepared = self.prepare(config) => prepared?,
            () = stop.asked() => return Ok(Ending::Stopped),
        }
        self.app
            .store
            .processing_jobs
            .update(self.name, |job| job.progress.started());
        let container = self
            .app
            .host
            .containers
            .spawn(&self.container(config, command))
            .map_err(internal_error)?;
        let max_runtime = Duration::from_secs(self.request.stopping_condition.max_runtime_in_seconds);
        match supervise(&container, stop, max_runtime).await {
            Ending::Exited(exit) if exit.code != 0 => {
                Err(algorithm_error(&message_file(&self.dir.join("output/message")), exit))
            }
            Ending::Exited(exit) => {
                self.upload().await?;
                Ok(Ending::Exited(exit))
            }
            ending => Ok(ending),
        }
    }

    async fn prepare(&self, config: &Value) -> Result<(), String> {
        let cluster = &self.request.processing_resources.cluster_config;
        let resources = json!({
            "current_host": "algo-1",
            "current_instance_type": cluster.instance_type,
            "hosts": ["algo-1"],
            "network_interface_name": "lo",
        });
        let folder = self.dir.join("config");
        for folder in [&folder, &self.dir.join("output")] {
            tokio::fs::create_dir_all(folder).await.map_err(internal_error)?;
        }
        for (name, content) in [
            ("processingjobconfig.json", config),
            ("resourceconfig.json", &resources),
        ] {
            tokio::fs::write(folder.join(name), content.to_string())
                .await
                .map_err(internal_error)?;
        }
        for input in &self.request.processing_inputs {
            let source = &input.s3_input;
            // The path was checked when the job was created.
            let Some(dir) = local_path(&source.local_path, self.dir) else {
                continue;
            };
            inputs::fetch(&self.app.host.s3, source.s3_data_type, &source.s3_uri, &dir).await?;
        }
        for output in &self.request.processing_output_config.outputs {
            let Some(dir) = local_path(&output.s3_output.local_path, self.dir) else {
                continue;
            };
            tokio::fs::create_dir_all(dir).await.map_err(internal_error)?;
        }
        Ok(())
    }

    fn container(&self, config: &Value, command: Vec<String>) -> ContainerSpec {
        let mut environment = self.app.host.base_environment();
        let image = self.app.host.images.resolve(&self.request.app_specification.image_uri);
        environment.extend(image.map(|commands| commands.environment.clone()).unwrap_or_default());
        environment.extend(self.request.environment.clone());
        let arn = config["ProcessingJobArn"].as_str().unwrap_or_default();
        environment.insert("PROCESSING_JOB_NAME".to_owned(), self.name.to_owned());
        environment.insert("PROCESSING_JOB_ARN".to_owned(), arn.to_owned());
        ContainerSpec {
            command,
            environment,
            base_dir: self.dir.to_owned(),
            log_path: self.app.host.log_path(KIND, self.name),
        }
    }

    async fn upload(&self) -> Result<(), String> {
        if self
            .app
            .faults
            .take("CreateProcessingJob", self.name, FaultKind::MissingOutput)
            .is_some()
        {
            return Ok(());
        }
        for output in &self.request.processing_output_config.outputs {
            let output = &output.s3_output;
            // Both were checked when the job was created.
            let (Some(dir), Some(uri)) = (local_path(&output.local_path, self.dir), S3Uri::parse(&output.s3_uri))
            else {
                continue;
            };
            let uploaded = self.app.host.s3.upload_dir(&dir, &uri).await;
            uploaded.map_err(|error| format!("ClientError: Output upload failed: {error}"))?;
        }
        Ok(())
    }
}
