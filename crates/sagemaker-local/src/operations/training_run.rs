//! The execution of a training job: what the container finds and leaves under `/opt/ml`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app::App;
use crate::containers::{ContainerSpec, archive, unmapped};
use crate::faults::FaultKind;
use crate::jobs::training::{Channel, CreateRequest, InputMode, TrainingJob};
use crate::jobs::{
    Ending, JobStatus, StopSignal, algorithm_error, inputs, internal_error, message_file, metrics, supervise,
};
use crate::s3::{S3Error, S3Uri};

const KIND: &str = "training-jobs";

/// Runs the job and records how it ended.
pub async fn run(app: Arc<App>, request: CreateRequest, arn: String, stop: StopSignal) {
    let name = request.training_job_name.clone();
    let dir = app.host.container_dir(KIND, &name);
    let run = Run {
        app: &app,
        name: &name,
        request: &request,
        dir: &dir,
        log: app.host.log_path(KIND, &name),
    };
    let ending = run.execute(&arn, &stop).await;
    let final_metrics = run.final_metrics();
    let result = match ending {
        Ok(ending) => run.upload(ending).await,
        Err(reason) => Err(reason),
    };
    // Removed before the job is reported as ended, so that nothing is left of an ended job.
    let _ = tokio::fs::remove_dir_all(&dir).await;
    tracing::info!(job = name, ?result, "the training job has ended");
    run.update(|job| {
        job.final_metrics = final_metrics;
        match result {
            Err(reason) => job.finish(JobStatus::Failed, ("Failed", "Training job failed"), Some(&reason)),
            Ok((ending, model_artifacts)) => {
                job.model_artifacts = model_artifacts;
                match ending {
                    Ending::Exited(_) => {
                        job.finish(JobStatus::Completed, ("Completed", "Training job completed"), None);
                    }
                    Ending::Stopped => job.finish(JobStatus::Stopped, ("Stopped", "Training job stopped"), None),
                    Ending::MaxRuntimeExceeded => job.finish(
                        JobStatus::Stopped,
                        (
                            "MaxRuntimeExceeded",
                            "Training job runtime exceeded MaxRuntimeInSeconds provided",
                        ),
                        None,
                    ),
                }
            }
        }
    });
}

struct Run<'a> {
    app: &'a App,
    name: &'a str,
    request: &'a CreateRequest,
    dir: &'a Path,
    log: PathBuf,
}

impl Run<'_> {
    /// Everything up to the container's end; the error is the `FailureReason`.
    async fn execute(&self, arn: &str, stop: &StopSignal) -> Result<Ending, String> {
        if let Some(fault) = self.app.faults.take("CreateTrainingJob", self.name, FaultKind::FailJob) {
            return Err(fault
                .reason
                .unwrap_or_else(|| "InternalServerError: a fault on demand".to_owned()));
        }
        self.update(|job| {
            job.progress.started();
            enter_if_running(job, "Downloading", "Downloading input data");
        });
        tokio::select! {
            prepared = self.prepare() => prepared?,
            () = stop.asked() => return Ok(Ending::Stopped),
        }
        self.update(|job| {
            enter_if_running(
                job,
                "Training",
                "Training image download completed. Training in progress.",
            );
        });
        let container = self
            .app
            .host
            .containers
            .spawn(&self.container(arn)?)
            .map_err(internal_error)?;
        let max_runtime = Duration::from_secs(self.request.stopping_condition.max_runtime_in_seconds);
        let ending = supervise(&container, stop, max_runtime).await;
        match ending {
            Ending::Exited(exit) if exit.code != 0 => {
                // Best effort: the files that the container left may say why it failed.
                let _ = self.upload_folder("output/data", "output.tar.gz").await;
                Err(algorithm_error(&message_file(&self.dir.join("output/failure")), exit))
            }
            ending => Ok(ending),
        }
    }

    /// Writes `/opt/ml/input` and creates the folders that the container writes to.
    async fn prepare(&self) -> Result<(), String> {
        let config = self.dir.join("input/config");
        for folder in [&config, &self.dir.join("model"), &self.dir.join("output/data")] {
            tokio::fs::create_dir_all(folder).await.map_err(internal_error)?;
        }
        let request = self.request;
        let channels: BTreeMap<_, _> = request
            .input_data_config
            .iter()
            .map(|channel| (&channel.channel_name, self.channel_config(channel)))
            .collect();
        let files = [
            ("hyperparameters.json", json!(request.hyper_parameters)),
            ("inputdataconfig.json", json!(channels)),
            ("resourceconfig.json", self.resource_config()),
        ];
        for (name, content) in files {
            tokio::fs::write(config.join(name), content.to_string())
                .await
                .map_err(internal_error)?;
        }
        for channel in &request.input_data_config {
            let source = &channel.data_source.s3_data_source;
            let dir = self.dir.join("input/data").join(&channel.channel_name);
            inputs::fetch(&self.app.host.s3, source.s3_data_type, &source.s3_uri, &dir).await?;
        }
        Ok(())
    }

    fn channel_config(&self, channel: &Channel) -> Value {
        let mut config = json!({
            "TrainingInputMode": match self.request.algorithm_specification.training_input_mode {
                InputMode::File => "File",
                InputMode::FastFile => "FastFile",
            },
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
        });
        if let Some(content_type) = &channel.content_type {
            config["ContentType"] = Value::from(content_type.as_str());
        }
        config
    }

    fn resource_config(&self) -> Value {
        let instance_type = &self.request.resource_config.instance_type;
        json!({
            "current_host": "algo-1",
            "current_instance_type": instance_type,
            "current_group_name": "homogeneousCluster",
            "hosts": ["algo-1"],
            "instance_groups": [{
                "instance_group_name": "homogeneousCluster",
                "instance_type": instance_type,
                "hosts": ["algo-1"],
            }],
            "network_interface_name": "lo",
        })
    }

    fn container(&self, arn: &str) -> Result<ContainerSpec, String> {
        let image = &self.request.algorithm_specification.training_image;
        let commands = self.app.host.images.resolve(image);
        let command = commands
            .and_then(|commands| commands.train.clone())
            .ok_or_else(|| unmapped(image, "train"))?;
        let mut environment = self.app.host.base_environment();
        environment.extend(
            commands
                .map(|commands| commands.environment.clone())
                .unwrap_or_default(),
        );
        environment.extend(self.request.environment.clone());
        environment.insert("TRAINING_JOB_NAME".to_owned(), self.name.to_owned());
        environment.insert("TRAINING_JOB_ARN".to_owned(), arn.to_owned());
        Ok(ContainerSpec {
            command,
            environment,
            base_dir: self.dir.to_owned(),
            log_path: self.log.clone(),
        })
    }

    /// Uploads what the container left, even if it was stopped; returns the address of the model.
    async fn upload(&self, ending: Ending) -> Result<(Ending, Option<String>), String> {
        if self
            .app
            .faults
            .take("CreateTrainingJob", self.name, FaultKind::MissingOutput)
            .is_some()
        {
            return Ok((ending, Some(self.artifact("model.tar.gz").to_string())));
        }
        self.update(|job| enter_if_running(job, "Uploading", "Uploading generated training model"));
        self.upload_folder("output/data", "output.tar.gz").await?;
        let uploaded = self.upload_folder("model", "model.tar.gz").await?;
        // A job that was stopped before it wrote a model has none; a completed one always has an archive.
        let artifact = match ending {
            Ending::Exited(_) if uploaded.is_none() => {
                Some(self.pack_and_upload(&self.dir.join("model"), "model.tar.gz").await?)
            }
            _ => uploaded,
        };
        Ok((ending, artifact.map(|uri| uri.to_string())))
    }

    /// Uploads a folder as an archive, unless it is empty or missing.
    async fn upload_folder(&self, folder: &str, name: &str) -> Result<Option<S3Uri>, String> {
        let folder = self.dir.join(folder);
        let holds_something = std::fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
        match holds_something {
            true => self.pack_and_upload(&folder, name).await.map(Some),
            false => Ok(None),
        }
    }

    async fn pack_and_upload(&self, folder: &Path, name: &str) -> Result<S3Uri, String> {
        let packed = self.dir.join(name);
        archive::pack(folder.to_owned(), packed.clone())
            .await
            .map_err(internal_error)?;
        let uri = self.artifact(name);
        self.app
            .host
            .s3
            .upload_file(&packed, &uri)
            .await
            .map_err(|error: S3Error| format!("ClientError: Artifact upload failed: {error}"))?;
        Ok(uri)
    }

    fn artifact(&self, name: &str) -> S3Uri {
        let path = &self.request.output_data_config.s3_output_path;
        // The path was checked when the job was created.
        let base = S3Uri::parse(path).unwrap_or(S3Uri {
            bucket: String::new(),
            key: String::new(),
        });
        base.join(&format!("{}/output/{name}", self.name))
    }

    fn final_metrics(&self) -> Vec<(String, f64)> {
        let algorithm = &self.request.algorithm_specification;
        let built_in = self
            .app
            .host
            .images
            .resolve(&algorithm.training_image)
            .map(|commands| commands.metrics.clone());
        let definitions = [built_in.unwrap_or_default(), algorithm.metric_definitions.clone()].concat();
        // Without a log there are no metrics.
        metrics::last_values(&definitions, &self.log).unwrap_or_default()
    }

    fn update(&self, change: impl FnOnce(&mut TrainingJob)) {
        self.app.store.training_jobs.update(self.name, change);
    }
}

/// A job that is being stopped keeps the status Stopping until it has stopped.
fn enter_if_running(job: &mut TrainingJob, status: &'static str, message: &'static str) {
    if job.progress.status == JobStatus::InProgress {
        job.enter(status, message);
    }
}
