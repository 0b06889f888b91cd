//! Supervision of one serving container: it is started, checked for its health, and restarted when it dies.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::containers::{Container, ContainerSpec};
use crate::host::Host;

/// Delay between the end of a process and the next attempt.
const RESTART_DELAY: Duration = Duration::from_secs(1);
/// A container that ends this many times without ever having been healthy is given up.
const STARTS_UNTIL_GIVEN_UP: u32 = 2;
/// Interval between two pings of a starting container.
const PING_INTERVAL: Duration = Duration::from_millis(25);
/// Time limit of a ping, as on AWS.
const PING_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a stopped container may take to end by itself.
const STOP_GRACE: Duration = Duration::from_secs(5);

/// Handle of a supervised process. Dropping it ends the process and removes its folder.
pub struct Process {
    label: String,
    log_path: PathBuf,
    state: watch::Receiver<State>,
    _stop: watch::Sender<()>,
}

#[derive(Clone)]
enum State {
    /// Not healthy yet, or no longer healthy.
    Starting,
    Healthy {
        base_url: Arc<str>,
        container: Container,
    },
    /// It was never healthy, and is not tried again.
    GivenUp {
        problem: String,
    },
}

impl Process {
    /// Starts the supervision; `label` is the container's name in errors.
    pub fn start(
        host: Arc<Host>,
        client: reqwest::Client,
        spec: ContainerSpec,
        label: String,
        startup_timeout: Duration,
    ) -> Self {
        let (sender, state) = watch::channel(State::Starting);
        let (stop, mut stopped) = watch::channel(());
        let log_path = spec.log_path.clone();
        let mut supervisor = Supervisor {
            host,
            client,
            spec,
            startup_timeout,
            state: sender,
            container: None,
        };
        tokio::spawn(async move {
            tokio::select! {
                () = supervisor.keep_running() => {}
                // Nothing is ever sent: the channel closes when the handle is dropped.
                _ = stopped.changed() => {}
            }
            supervisor.end().await;
        });
        Self {
            label,
            log_path,
            state,
            _stop: stop,
        }
    }

    /// Waits until the container is healthy for the first time.
    ///
    /// # Errors
    /// AWS's text for a container that does not pass its health check, with the path of its log.
    pub async fn ready(&self, subject: &str) -> Result<(), String> {
        let mut state = self.state.clone();
        let state = state.wait_for(|state| !matches!(state, State::Starting)).await;
        let problem = match state.as_deref() {
            Ok(State::Healthy { .. }) => return Ok(()),
            Ok(State::GivenUp { problem }) => problem.as_str(),
            Ok(State::Starting) | Err(_) => "it was stopped",
        };
        Err(format!(
            "The {} container for {subject} did not pass the ping health check. Please check CloudWatch logs for this \
             endpoint. ({problem}; its log is {})",
            self.label,
            self.log_path.display()
        ))
    }

    pub fn label(&self) -> &str {
        &self.label
    }

    /// Base URL of the process, while it is healthy.
    pub fn base_url(&self) -> Option<Arc<str>> {
        match &*self.state.borrow() {
            State::Healthy { base_url, container } if container.exited().is_none() => Some(Arc::clone(base_url)),
            _ => None,
        }
    }

    /// Completes when the process has ended and its folder is removed, which never happens while the handle lives.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.state.clone();
        async move { while state.changed().await.is_ok() {} }
    }

    /// Kills the process, which is restarted after a moment.
    pub async fn kill(&self) {
        let container = match &*self.state.borrow() {
            State::Healthy { container, .. } => container.clone(),
            State::Starting | State::GivenUp { .. } => return,
        };
        container.kill();
        container.wait().await;
    }
}

struct Supervisor {
    host: Arc<Host>,
    client: reqwest::Client,
    spec: ContainerSpec,
    startup_timeout: Duration,
    state: watch::Sender<State>,
    container: Option<Container>,
}

impl Supervisor {
    /// Returns only if a container that was never healthy is given up.
    async fn keep_running(&mut self) {
        let mut was_healthy = false;
        let mut starts = 0;
        loop {
            starts += 1;
            match self.launch().await {
                Ok((base_url, container)) => {
                    was_healthy = true;
                    self.state.send_replace(State::Healthy {
                        base_url,
                        container: container.clone(),
                    });
                    let exit = container.wait().await;
                    tracing::warn!(log = %self.spec.log_path.display(), code = exit.code, "a serving process ended");
                    self.state.send_replace(State::Starting);
                }
                Err(Unhealthy { problem, hopeless }) => {
                    tracing::warn!(log = %self.spec.log_path.display(), problem, "a serving process did not start");
                    if !was_healthy && (hopeless || starts == STARTS_UNTIL_GIVEN_UP) {
                        self.state.send_replace(State::GivenUp { problem });
                        return;
                    }
                }
            }
            sleep(RESTART_DELAY).await;
        }
    }

    /// Starts the container on a free port and waits until it is healthy.
    async fn launch(&mut self) -> Result<(Arc<str>, Container), Unhealthy> {
        let hopeless = |problem: String| Unhealthy {
            problem,
            hopeless: true,
        };
        let port = free_port().map_err(|error| hopeless(format!("no port is free: {error}")))?;
        let mut spec = self.spec.clone();
        spec.environment
            .insert("SAGEMAKER_BIND_TO_PORT".to_owned(), port.to_string());
        let range = format!("{port}-{}", port.saturating_add(9));
        spec.environment.insert("SAGEMAKER_SAFE_PORT_RANGE".to_owned(), range);
        let container = self
            .host
            .containers
            .spawn(&spec)
            .map_err(|error| hopeless(error.to_string()))?;
        self.container = Some(container.clone());

        let base_url: Arc<str> = format!("http://127.0.0.1:{port}").into();
        let deadline = Instant::now() + self.startup_timeout;
        loop {
            if let Some(exit) = container.exited() {
                let problem = format!("it ended with exit code {}", exit.code);
                return Err(Unhealthy {
                    problem,
                    hopeless: false,
                });
            }
            let ping = self
                .client
                .get(format!("{base_url}/ping"))
                .timeout(PING_TIMEOUT)
                .send()
                .await;
            let seen = match ping {
                Ok(response) if response.status() == http::StatusCode::OK => return Ok((base_url, container)),
                Ok(response) => format!("/ping was answered with {}", response.status()),
                Err(_) => format!("nothing answers /ping at 127.0.0.1:{port}, given as SAGEMAKER_BIND_TO_PORT"),
            };
            if Instant::now() > deadline {
                container.terminate(STOP_GRACE).await;
                return Err(hopeless(format!("{seen} for {} s", self.startup_timeout.as_secs())));
            }
            sleep(PING_INTERVAL).await;
        }
    }

    async fn end(&mut self) {
        if let Some(container) = self.container.take() {
            container.terminate(STOP_GRACE).await;
        }
        let dir = &self.spec.base_dir;
        if let Err(error) = tokio::fs::remove_dir_all(dir).await {
            tracing::warn!(dir = %dir.display(), %error, "a container's folder is left");
        }
        // The last container of a pipeline also removes the pipeline's folder.
        if let Some(parent) = dir.parent() {
            let _ = tokio::fs::remove_dir(parent).await;
        }
    }
}

struct Unhealthy {
    problem: String,
    /// Whether another attempt would end the same way.
    hopeless: bool,
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
