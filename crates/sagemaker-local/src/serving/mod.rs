//! Serving a model: one process for each container, chained into a pipeline if there are several.
//!
//! Endpoints and transform jobs use the same code; each handles answers and errors in its own way. Dropping a
//! [`Serving`] ends its processes, so code that is answering a request keeps it alive by holding it.

mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::future::try_join_all;
use http::HeaderValue;
use http::header::{ACCEPT, CONTENT_TYPE};
use tokio::time::{Instant, timeout_at};

use crate::containers::{ContainerSpec, archive, unmapped};
use crate::host::Host;
use crate::models::model::ContainerDefinition;
use crate::s3::S3Uri;
use process::Process;

/// The header with which callers and containers exchange information of their own.
pub const CUSTOM_ATTRIBUTES: &str = "x-amzn-sagemaker-custom-attributes";

/// What to serve, and under which name.
#[derive(Debug, Clone)]
pub struct ServingSpec {
    /// The owner of the processes, for folders and logs: `endpoints` or `transform-jobs`.
    pub kind: &'static str,
    /// Name of the folder of the containers; unique among the servings at any one time.
    pub dir_name: String,
    /// Name of the log; if there are several containers, each adds its own.
    pub log_name: String,
    /// Its name in failure messages: `production variant AllTraffic`.
    pub subject: String,
    /// One container, or the containers of a pipeline in order.
    pub containers: Vec<ContainerDefinition>,
    /// Additional variables; those of the containers take precedence.
    pub environment: BTreeMap<String, String>,
    /// How long containers may take until they answer `/ping` with 200.
    pub startup_timeout: Duration,
}

/// A served model. Dropping it ends the processes.
pub struct Serving {
    client: reqwest::Client,
    processes: Vec<Process>,
}

/// A request to a container.
#[derive(Debug, Clone, Default)]
pub struct Request {
    pub content_type: Option<HeaderValue>,
    /// The accepted content type, sent to the last container only; the others may answer in any format.
    pub accept: Option<HeaderValue>,
    pub custom_attributes: Option<HeaderValue>,
    pub body: Bytes,
}

/// The answer of the last container.
#[derive(Debug, Clone)]
pub struct Answer {
    pub content_type: Option<HeaderValue>,
    pub custom_attributes: Option<HeaderValue>,
    pub body: Bytes,
}

/// Why there is no answer. `container` is `primary`, or `container-N` in a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// The process is being restarted.
    #[error("{container} is not ready")]
    NotReady { container: String },
    /// The container answered with an error status.
    #[error("{container} answered {status}: {message}")]
    Status {
        container: String,
        status: u16,
        message: String,
    },
    /// There was no answer within the time limit.
    #[error("{container} did not answer in time")]
    Timeout { container: String },
    /// The connection broke because the process died during the request.
    #[error("{container} broke the connection: {problem}")]
    Broken { container: String, problem: String },
}

impl Serving {
    /// Fetches the models, starts all containers and waits until every one is healthy.
    ///
    /// # Errors
    /// The text for the `FailureReason`; everything that was started is ended.
    pub async fn start(host: &Arc<Host>, spec: &ServingSpec) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            // Shorter than the 2 s after which common servers close an idle connection, so that no request meets a
            // closing one.
            .pool_idle_timeout(Duration::from_millis(1500))
            .build()
            .map_err(|error| format!("the client of the serving processes could not be made: {error}"))?;
        let count = spec.containers.len();
        let containers = spec.containers.iter().enumerate();
        let prepared = try_join_all(containers.map(|(index, container)| prepare(host, spec, container, index))).await;
        if prepared.is_err() {
            // Nothing supervises these folders yet, so they are removed here.
            let _ = tokio::fs::remove_dir_all(host.container_dir(spec.kind, &spec.dir_name)).await;
        }
        let prepared = prepared?;
        let processes: Vec<_> = prepared
            .into_iter()
            .enumerate()
            .map(|(index, container)| {
                let label = if count == 1 {
                    "primary".to_owned()
                } else {
                    format!("container-{}", index + 1)
                };
                Process::start(Arc::clone(host), client.clone(), container, label, spec.startup_timeout)
            })
            .collect();
        try_join_all(processes.iter().map(|process| process.ready(&spec.subject))).await?;
        Ok(Self { client, processes })
    }

    /// Sends a request through the containers.
    ///
    /// # Errors
    /// [`InvokeError`] of the first container that did not answer with success.
    pub async fn invoke(&self, request: Request, deadline: Instant) -> Result<Answer, InvokeError> {
        let Request {
            mut content_type,
            accept,
            mut custom_attributes,
            mut body,
        } = request;
        let last = self.processes.len().saturating_sub(1);
        for (index, process) in self.processes.iter().enumerate() {
            let hop = Request {
                content_type,
                accept: accept.clone().filter(|_| index == last),
                custom_attributes: custom_attributes.clone(),
                body,
            };
            let answer = timeout_at(deadline, self.hop(process, &hop)).await;
            let answer = answer.unwrap_or_else(|_| {
                Err(InvokeError::Timeout {
                    container: process.label().to_owned(),
                })
            })?;
            content_type = answer.content_type;
            custom_attributes = answer.custom_attributes;
            body = answer.body;
        }
        Ok(Answer {
            content_type,
            custom_attributes,
            body,
        })
    }

    /// Kills the processes, for a fault; they are restarted after a moment.
    pub async fn kill(&self) {
        futures::future::join_all(self.processes.iter().map(Process::kill)).await;
    }

    /// Completes when all processes have ended, which never happens while the serving lives.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let all = futures::future::join_all(self.processes.iter().map(Process::ended));
        async { drop(all.await) }
    }

    async fn hop(&self, process: &Process, request: &Request) -> Result<Answer, InvokeError> {
        match self.send(process, request).await {
            // The server may have closed a pooled connection while it was idle; the request was not answered, so it is
            // sent again.
            Err(InvokeError::Broken { .. }) => self.send(process, request).await,
            result => result,
        }
    }

    async fn send(&self, process: &Process, request: &Request) -> Result<Answer, InvokeError> {
        let container = || process.label().to_owned();
        let base_url = process
            .base_url()
            .ok_or_else(|| InvokeError::NotReady { container: container() })?;
        let mut message = self
            .client
            .post(format!("{base_url}/invocations"))
            .body(request.body.clone());
        for (name, value) in [
            (CONTENT_TYPE.as_str(), &request.content_type),
            (ACCEPT.as_str(), &request.accept),
            (CUSTOM_ATTRIBUTES, &request.custom_attributes),
        ] {
            if let Some(value) = value {
                message = message.header(name, value);
            }
        }
        let broken = |error: reqwest::Error| match error.is_connect() {
            true => InvokeError::NotReady { container: container() },
            false => InvokeError::Broken {
                container: container(),
                problem: full_text(&error),
            },
        };
        let mut response = message.send().await.map_err(broken)?;
        let status = response.status().as_u16();
        let mut header = |name: &str| response.headers_mut().remove(name);
        let (content_type, custom_attributes) = (header(CONTENT_TYPE.as_str()), header(CUSTOM_ATTRIBUTES));
        let body = response.bytes().await.map_err(broken)?;
        if status >= 400 {
            let message = String::from_utf8_lossy(&body).into_owned();
            return Err(InvokeError::Status {
                container: container(),
                status,
                message,
            });
        }
        Ok(Answer {
            content_type,
            custom_attributes,
            body,
        })
    }
}

/// Creates a container's `/opt/ml` with its model.
async fn prepare(
    host: &Arc<Host>,
    spec: &ServingSpec,
    container: &ContainerDefinition,
    index: usize,
) -> Result<ContainerSpec, String> {
    let commands = host.images.resolve(&container.image);
    let Some((commands, serve)) = commands.and_then(|commands| Some((commands, commands.serve.clone()?))) else {
        return Err(unmapped(&container.image, "serve"));
    };
    let base_dir = host
        .container_dir(spec.kind, &spec.dir_name)
        .join(format!("container-{}", index + 1));
    let model_dir = base_dir.join("model");
    match &container.model_data_url {
        Some(url) => {
            let failed = |problem: String| {
                format!(
                    "Failed to download model data for container \"container_{}\" from URL: \"{url}\" ({problem})",
                    index + 1
                )
            };
            let uri = S3Uri::parse(url).ok_or_else(|| failed("not an s3:// address".to_owned()))?;
            archive::fetch(&host.s3, &uri, &model_dir)
                .await
                .map_err(|error| failed(error.to_string()))?;
        }
        None => std::fs::create_dir_all(&model_dir).map_err(|error| format!("{}: {error}", model_dir.display()))?,
    }
    let mut environment = host.base_environment();
    environment.extend(commands.environment.clone());
    environment.extend(spec.environment.clone());
    environment.extend(container.environment.clone());
    Ok(ContainerSpec {
        command: serve,
        environment,
        base_dir,
        log_path: log_path(host, spec, index),
    })
}

fn log_path(host: &Host, spec: &ServingSpec, index: usize) -> PathBuf {
    match spec.containers.len() {
        1 => host.log_path(spec.kind, &spec.log_name),
        _ => host.log_path(spec.kind, &format!("{}-container-{}", spec.log_name, index + 1)),
    }
}

/// The error with its causes, which reqwest's own text leaves out.
fn full_text(error: &reqwest::Error) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |error| error.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
