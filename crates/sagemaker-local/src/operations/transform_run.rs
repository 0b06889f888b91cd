//! The execution of a transform job.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use futures::{StreamExt, TryStreamExt};
use http::HeaderValue;
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::faults::FaultKind;
use crate::jobs::StopSignal;
use crate::models::model::ContainerDefinition;
use crate::s3::{S3Object, S3Uri};
use crate::serving::{Answer, InvokeError, Request, Serving, ServingSpec};
use crate::transform::{Batch, BatchCapture, Ending, Format, Plan};

const KIND: &str = "transform-jobs";
/// How long containers may take until they answer `/ping`.
const STARTUP_TIMEOUT: Duration = Duration::from_secs(240);
/// Delay before the first retry of a request; doubled for each further one.
const RETRY_DELAY: Duration = Duration::from_millis(500);

/// Runs the job and records how it ended.
pub async fn run(app: Arc<App>, plan: Plan, containers: Vec<ContainerDefinition>, stop: StopSignal) {
    let name = plan.name.clone();
    let run = Run {
        app: Arc::clone(&app),
        plan,
    };
    let result = tokio::select! {
        result = run.execute(containers) => result.map(|()| Ending::Completed),
        () = stop.asked() => Ok(Ending::Stopped),
    };
    tracing::info!(job = name, ?result, "the transform job has ended");
    app.store.transform_jobs.update(&name, |job| job.end(&result));
}

struct Run {
    app: Arc<App>,
    plan: Plan,
}

impl Run {
    /// The error is the job's `FailureReason`.
    async fn execute(&self, containers: Vec<ContainerDefinition>) -> Result<(), String> {
        let Plan {
            name, input, output, ..
        } = &self.plan;
        if let Some(fault) = self.app.faults.take("CreateTransformJob", name, FaultKind::FailJob) {
            return Err(fault
                .reason
                .unwrap_or_else(|| "InternalServerError: a fault on demand".to_owned()));
        }
        let objects = self.app.host.s3.list(input).await.map_err(download_failed)?;
        if objects.is_empty() {
            return Err(download_failed(format!(
                "No S3 objects found under S3 URL \"{input}\" given in input data source. Please ensure that the bucket \
                 exists and that objects exist under that S3 prefix."
            )));
        }
        let serving = self.serve(containers).await?;
        self.app.store.transform_jobs.update(name, |job| job.progress.started());
        for object in &objects {
            self.transform(&serving, object)
                .await
                .map_err(|failure| self.log(&object.key, &failure))?;
        }
        if let Some(capture) = &self.plan.capture {
            let inputs: Vec<_> = objects.iter().map(|object| object.relative.clone()).collect();
            let outputs: Vec<_> = inputs.iter().map(|relative| format!("{relative}.out")).collect();
            let written = capture
                .write(
                    &self.app.host.s3,
                    (&folder(input, &objects), &inputs),
                    (output, &outputs),
                )
                .await;
            written.map_err(|error| format!("ClientError: Data capture failed: {error}"))?;
        }
        Ok(())
    }

    async fn serve(&self, containers: Vec<ContainerDefinition>) -> Result<Serving, String> {
        let name = &self.plan.name;
        let spec = ServingSpec {
            kind: KIND,
            dir_name: name.clone(),
            log_name: name.clone(),
            subject: format!("transform job {name}"),
            containers,
            environment: self.plan.environment.clone(),
            startup_timeout: STARTUP_TIMEOUT,
        };
        Serving::start(&self.app.host, &spec)
            .await
            .map_err(|reason| format!("AlgorithmError: {reason}"))
    }

    /// Sends one object's records and writes the answers.
    async fn transform(&self, serving: &Serving, object: &S3Object) -> Result<(), Failure> {
        let plan = &self.plan;
        let uri = S3Uri {
            bucket: plan.input.bucket.clone(),
            key: object.key.clone(),
        };
        let mut data = self
            .app
            .host
            .s3
            .get(&uri)
            .await
            .map_err(|error| Failure::client(error.to_string()))?;
        if plan.gzip {
            data = decompress(data)
                .await
                .map_err(|error| Failure::client(format!("not gzip: {error}")))?;
        }
        let batches = plan
            .batching
            .batches(&data)
            .map_err(|error| Failure::client(error.to_string()))?;
        let outputs: Vec<Bytes> = futures::stream::iter(batches)
            .map(|batch| async move { self.output(&batch, self.invoke(serving, &batch).await?) })
            .buffered(plan.concurrency)
            .try_collect()
            .await?;
        if self
            .app
            .faults
            .take("CreateTransformJob", &plan.name, FaultKind::MissingOutput)
            .is_some()
        {
            return Ok(());
        }
        let target = plan.output.join(&format!("{}.out", object.relative));
        let assembled = assemble(&outputs, plan.end_lines);
        self.app
            .host
            .s3
            .put(&target, assembled)
            .await
            .map_err(|error| Failure::client(error.to_string()))
    }

    async fn invoke(&self, serving: &Serving, batch: &Batch) -> Result<Answer, Failure> {
        let header = |text: &Option<String>| text.as_deref().and_then(|text| HeaderValue::from_str(text).ok());
        let request = Request {
            content_type: header(&self.plan.content_type),
            accept: header(&self.plan.accept),
            custom_attributes: None,
            body: batch.payload.clone(),
        };
        let mut retries = 0;
        loop {
            let error = match serving
                .invoke(request.clone(), Instant::now() + self.plan.timeout)
                .await
            {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let client_side = matches!(error, InvokeError::Status { status, .. } if status < 500);
            if client_side || retries == self.plan.max_retries {
                return Err(Failure {
                    client_side,
                    detail: error.to_string(),
                });
            }
            sleep(RETRY_DELAY * 2_u32.pow(retries.min(6))).await;
            retries += 1;
        }
    }

    /// The part of the output that belongs to a batch.
    fn output(&self, batch: &Batch, answer: Answer) -> Result<Bytes, Failure> {
        let Some(joining) = &self.plan.joining else {
            return Ok(answer.body);
        };
        // The answer has the accepted content type; if none was given, the answer's own header counts.
        let said = answer
            .content_type
            .as_ref()
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let said = self.plan.accept.as_deref().unwrap_or(said);
        if Format::of(said).is_none_or(|format| !format.joins_with(joining.format)) {
            return Err(Failure::client(format!(
                "DataProcessing needs input and output of one format: ContentType is {}, the model answers {said}",
                self.plan.content_type.as_deref().unwrap_or_default()
            )));
        }
        let capture = self.plan.capture.as_ref();
        let records = joining.records(batch, &answer.body, || capture.and_then(BatchCapture::new_id));
        Ok(records
            .map_err(|error| Failure::client(error.to_string()))?
            .join("\n")
            .into())
    }

    /// Writes a failure to the log where AWS does, and returns the job's `FailureReason` for it.
    fn log(&self, key: &str, failure: &Failure) -> String {
        let side = if failure.client_side {
            "ClientError"
        } else {
            "AlgorithmError"
        };
        let path = self.app.host.log_path(KIND, &format!("{}-data-log", self.plan.name));
        let line = format!("{key}: {side}: {}\n", failure.detail);
        if let Err(error) = append(&path, &line) {
            tracing::warn!(path = %path.display(), %error, "the data log could not be written");
        }
        format!("{side}: See job logs for more information ({key}: {})", failure.detail)
    }
}

/// What went wrong with an object, and on which side.
struct Failure {
    /// Whether the data or the request caused it; otherwise the model did.
    client_side: bool,
    detail: String,
}

impl Failure {
    fn client(detail: String) -> Self {
        Self {
            client_side: true,
            detail,
        }
    }
}

fn download_failed(what: impl std::fmt::Display) -> String {
    format!("ClientError: Data download failed: {what}")
}

/// The folder to which the objects' relative paths refer.
fn folder(input: &S3Uri, objects: &[S3Object]) -> S3Uri {
    let first = objects
        .first()
        .and_then(|object| object.key.strip_suffix(&object.relative));
    S3Uri {
        bucket: input.bucket.clone(),
        key: first.unwrap_or(&input.key).to_owned(),
    }
}

/// All parts in order. If they are assembled by line, a line end is added to each part that has none.
fn assemble(outputs: &[Bytes], end_lines: bool) -> Bytes {
    let mut assembled = BytesMut::with_capacity(outputs.iter().map(|output| output.len() + 1).sum());
    for output in outputs {
        assembled.extend_from_slice(output);
        if end_lines && !output.ends_with(b"\n") {
            assembled.extend_from_slice(b"\n");
        }
    }
    assembled.freeze()
}

async fn decompress(data: Bytes) -> std::io::Result<Bytes> {
    let work = move || {
        let mut plain = Vec::new();
        MultiGzDecoder::new(data.as_ref()).read_to_end(&mut plain)?;
        Ok(plain.into())
    };
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::File::options()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(line.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_assembled_without_blank_lines() {
        let outputs = [Bytes::from_static(b"1\n2"), Bytes::from_static(b"3\n")];
        assert_eq!(assemble(&outputs, true), "1\n2\n3\n");
        assert_eq!(assemble(&outputs, false), "1\n23\n");
    }

    #[test]
    fn relative_paths_start_from_their_folder() {
        let input = S3Uri::parse("s3://b/data/part").unwrap();
        let object = S3Object {
            key: "data/part-1.csv".into(),
            size_bytes: 1,
            relative: "part-1.csv".into(),
        };
        assert_eq!(folder(&input, &[object]).to_string(), "s3://b/data/");
    }
}
