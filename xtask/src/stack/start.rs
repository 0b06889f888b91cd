//! Starts an instance: ports, folder, processes, health.

use super::remove;
use super::servers::{self, Server};
use crate::cargo::Binaries;
use crate::http::client as http_client;
use crate::layout::Layout;
use crate::process::ports::{self, Wish};
use crate::process::{Identity, create_log, tail};
use anyhow::{Context, Result, bail};
use clap::Args;
use drivetrain::local::{Process, State};
use drivetrain::ui::{self, Step};
use jiff::Timestamp;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime};

/// The usual ports of the default instance.
const LOCALSTACK_PORT: u16 = 4566;
const SAGEMAKER_PORT: u16 = 4570;

/// The user's options for a stack that is about to start.
#[derive(Clone, Debug, Default, Args)]
pub struct Wishes {
    /// LocalStack's port [default: 4566, or the next free one]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,

    /// sagemaker-local's port [default: 4570, or the next free one]
    #[arg(long, value_name = "PORT")]
    pub sagemaker_port: Option<u16>,

    /// Maps images of your own to programs, in the form of local/containers/images.yaml; repeatable
    #[arg(long, value_name = "FILE")]
    pub images: Vec<PathBuf>,

    /// Sets a parameter of the template, as `sam deploy` would; repeatable
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parse_parameter)]
    pub parameters: Vec<String>,
}

/// Parses a parameter of the template with its value.
fn parse_parameter(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some(("Prefix", _)) => {
            Err("the local stack's Prefix can't be changed; `--instance` makes another stack".to_owned())
        }
        Some((name, _)) if !name.is_empty() && name.chars().all(|it| it.is_ascii_alphanumeric()) => Ok(text.to_owned()),
        _ => Err(format!(
            "`{text}` is not NAME=VALUE, with a name of the template's Parameters"
        )),
    }
}

/// The ports of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    localstack: u16,
    sagemaker: u16,
}

impl Ports {
    /// Chooses the ports.
    ///
    /// # Errors
    /// A requested port is taken.
    pub fn choose(wishes: &Wishes, usual: bool) -> Result<Self> {
        let wish = |asked: Option<u16>, first: u16| match asked {
            Some(port) => Wish::Exactly(port),
            None if usual => Wish::From(first),
            None => Wish::Any,
        };
        let asked_for_sagemaker: Vec<u16> = wishes.sagemaker_port.into_iter().collect();
        let localstack = ports::choose(wish(wishes.port, LOCALSTACK_PORT), &asked_for_sagemaker, "LocalStack")?;
        let sagemaker = ports::choose(
            wish(wishes.sagemaker_port, SAGEMAKER_PORT),
            &[localstack],
            "sagemaker-local",
        )?;
        for (name, usual_port, port) in [
            ("LocalStack", LOCALSTACK_PORT, localstack),
            ("sagemaker-local", SAGEMAKER_PORT, sagemaker),
        ] {
            if usual && wishes.port.is_none() && port != usual_port {
                let who = ports::listener(usual_port)
                    .map(|who| format!(" by {who}"))
                    .unwrap_or_default();
                ui::say(&format!("port {usual_port} is taken{who}: {name} takes {port}"));
            }
        }
        Ok(Self { localstack, sagemaker })
    }
}

/// A stack that is up, and whether we should stop it.
#[derive(Debug)]
pub struct Started {
    /// The running stack.
    pub state: State,
    guard: Option<Guard>,
}

impl Started {
    /// A stack that was already up, which is left as it is.
    pub fn found(state: State) -> Self {
        Self { state, guard: None }
    }

    /// Leaves the stack up.
    pub fn keep(mut self) {
        if let Some(guard) = &mut self.guard {
            guard.armed = false;
        }
    }
}

/// Stops what was started, unless it is disarmed: on failure, on Ctrl-C, on a panic.
#[derive(Debug)]
struct Guard {
    layout: Layout,
    armed: bool,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if self.armed {
            ui::say("stopping what was started");
            save_logs(&self.layout);
            if let Err(error) = remove(&self.layout) {
                ui::error(&error);
            }
        }
    }
}

/// Starts both servers and waits until they are ready; an instance that is already up is used as it is.
///
/// # Errors
/// A port is taken, or a server doesn't come up: the text holds the end of its log.
pub async fn start(layout: &Layout, wishes: &Wishes, binaries: &Binaries) -> Result<Started> {
    if let Some(started) = take_up(layout, wishes, binaries).await? {
        return Ok(started);
    }
    let ports = Ports::choose(wishes, layout.is_default_instance())?;
    let folder = layout.stack();
    std::fs::create_dir_all(folder.join("logs")).with_context(|| format!("cannot create {}", folder.display()))?;
    let images: std::io::Result<Vec<PathBuf>> = wishes.images.iter().map(|path| path.canonicalize()).collect();
    let mut state = State {
        started_at: Timestamp::now(),
        folder,
        localstack_port: ports.localstack,
        sagemaker_port: ports.sagemaker,
        images: images.context("an image map is not there")?,
        processes: Vec::new(),
        deployed: None,
    };
    std::fs::create_dir_all(servers::scratch(&state))?;
    state.save()?;
    let guard = Guard {
        layout: layout.clone(),
        armed: true,
    };
    let step = Step::begin("Start");
    // Both start at the same time; neither needs the other to become ready.
    let mut running = Vec::new();
    for server in [
        servers::sagemaker(layout, &state, binaries)?,
        servers::localstack(layout, &state),
    ] {
        running.push(spawn(server, &mut state)?);
    }
    for one in &mut running {
        step.at(&format!("waiting for {}", one.server.title));
        one.ready().await?;
    }
    step.done(&format!(
        "LocalStack at {}, sagemaker-local at {}",
        state.endpoint(),
        state.sagemaker_url()
    ));
    Ok(Started {
        state,
        guard: Some(guard),
    })
}

/// The instance that is already up, if it is as wished; the remains of a broken one are removed.
async fn take_up(layout: &Layout, wishes: &Wishes, binaries: &Binaries) -> Result<Option<Started>> {
    let Some(state) = layout.found().state()? else {
        // Left by a start that was killed right away.
        remove(layout)?;
        return Ok(None);
    };
    if !state.is_up() || !answers(&state).await? {
        ui::say("the local stack is broken: starting it again");
        remove(layout)?;
        return Ok(None);
    }
    for (asked, port, name) in [
        (wishes.port, state.localstack_port, "LocalStack"),
        (wishes.sagemaker_port, state.sagemaker_port, "sagemaker-local"),
    ] {
        if asked.is_some_and(|asked| asked != port) {
            bail!("the local stack is up with {name} on port {port}: `cargo xtask down` first, to have another");
        }
    }
    if !wishes.images.is_empty() {
        bail!("the local stack is up, and image maps are read at its start: `cargo xtask down` first");
    }
    ui::say(&format!("{:<12} up already at {}", "Start", state.endpoint()));
    if is_newer(&binaries.get("sagemaker-local")?.path, &state) {
        ui::say("sagemaker-local has been built again since; `cargo xtask down` first, to run the new one");
    }
    Ok(Some(Started::found(state)))
}

/// Whether both servers answer, either now or once an interrupted start has completed by itself.
async fn answers(state: &State) -> Result<bool> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let client = http_client()?;
    for url in servers::health_urls(state) {
        while !is_healthy(&client, &url).await {
            if !state.is_up() || Instant::now() > deadline {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(true)
}

async fn is_healthy(client: &reqwest::Client, url: &str) -> bool {
    let answer = client.get(url).timeout(Duration::from_secs(2)).send().await;
    answer.is_ok_and(|answer| answer.status().is_success())
}

/// Whether a program was built after the stack had been started.
fn is_newer(program: &Path, state: &State) -> bool {
    let built = std::fs::metadata(program).and_then(|metadata| metadata.modified());
    built.is_ok_and(|built| built > SystemTime::from(state.started_at))
}

/// A server that has been started.
struct Running {
    server: Server,
    child: Child,
    log: PathBuf,
}

/// Starts a server in the background and records it in the state.
fn spawn(mut server: Server, state: &mut State) -> Result<Running> {
    let log = state.folder.join("logs").join(format!("{}.log", server.name));
    let output = create_log(&log)?;
    let child = server
        .command
        .current_dir(&state.folder)
        // The terminal's Ctrl-C does not reach the group, and it can be stopped as a whole.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| {
            format!(
                "cannot start {} ({})",
                server.title,
                server.command.get_program().display()
            )
        })?;
    let Some(identity) = Identity::of(child.id()) else {
        bail!("{} ended at once:\n{}", server.title, tail(&log, 20));
    };
    state.processes.push(Process {
        name: server.name.to_owned(),
        identity,
        log: log.clone(),
    });
    state.save()?;
    Ok(Running { server, child, log })
}

impl Running {
    async fn ready(&mut self) -> Result<()> {
        let deadline = Instant::now() + self.server.patience;
        let client = http_client()?;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} ended ({status}); its last lines:\n{}",
                    self.server.title,
                    tail(&self.log, 25)
                );
            }
            if is_healthy(&client, &self.server.health_url).await {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!(
                    "{} is not ready after {} s; its last lines:\n{}",
                    self.server.title,
                    self.server.patience.as_secs(),
                    tail(&self.log, 25)
                );
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Keeps the logs of a stack that is removed before anybody could read them.
fn save_logs(layout: &Layout) {
    for name in ["localstack", "sagemaker"] {
        let from = layout.stack().join("logs").join(format!("{name}.log"));
        let to = layout.setup_log(&format!("{}-{name}", layout.instance()));
        if let Some(folder) = to.parent() {
            // Best effort: the failure itself has been reported already.
            let _ = std::fs::create_dir_all(folder);
        }
        let _ = std::fs::copy(from, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_has_a_name_and_a_value() {
        for sound in ["LogRetentionDays=7", "MonitorImage=", "MonitorImage=a=b"] {
            assert_eq!(parse_parameter(sound).unwrap(), sound);
        }
        for wrong in ["LogRetentionDays", "=7", "Log Retention=7", "Prefix=mine"] {
            assert!(parse_parameter(wrong).is_err(), "{wrong}");
        }
    }
}
