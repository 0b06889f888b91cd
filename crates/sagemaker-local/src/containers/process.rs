//! A container as a process group, with its own environment, which is ended as a whole.

use std::collections::BTreeMap;
use std::io::Write;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{ChildStdin, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::sync::watch;

use super::paths::rewrite;

/// How long containers get to end by themselves when the server stops.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);

/// A container to start.
#[derive(Debug, Clone)]
pub struct ContainerSpec {
    /// Program and arguments; a leading `/opt/ml` is replaced by `base_dir`.
    pub command: Vec<String>,
    /// Variables; a leading `/opt/ml` in a value is replaced by `base_dir`.
    pub environment: BTreeMap<String, String>,
    /// The directory in place of `/opt/ml`; it must exist, and is the working directory.
    pub base_dir: PathBuf,
    /// Standard output and error are appended to this file; its folder is created.
    pub log_path: PathBuf,
}

/// Why a container could not be started.
#[derive(Debug, thiserror::Error)]
pub enum ContainerError {
    #[error("the command of the container is empty")]
    NoCommand,
    #[error("the log {path} could not be opened: {source}")]
    Log { path: PathBuf, source: std::io::Error },
    #[error("the program {program} could not be started: {source}")]
    Spawn { program: String, source: std::io::Error },
}

/// How a container ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Exit code as a shell reports it: 128 plus the signal's number if a signal ended the process.
    pub code: i32,
}

/// A started container; clones are handles to the same one.
#[derive(Debug, Clone)]
pub struct Container {
    /// The process id, which is also the id of its group.
    pid: i32,
    exit: watch::Receiver<Option<Exit>>,
}

/// The running containers of this server, and the watcher that outlives it.
pub struct Containers {
    running: Arc<Mutex<BTreeMap<i32, Container>>>,
    reaper: Arc<Mutex<Option<ChildStdin>>>,
}

impl Containers {
    /// Starts the reaper: a small process that kills the remaining containers if this process disappears.
    ///
    /// # Errors
    /// No `sh` can be started.
    pub fn start() -> std::io::Result<Self> {
        let mut reaper = std::process::Command::new("sh")
            .args(["-c", include_str!("reaper.sh")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // In its own process group, so that whatever ends the server's group doesn't end the reaper first.
            .process_group(0)
            .spawn()?;
        let stdin = reaper.stdin.take();
        // A thread waits for it, so that it doesn't become a zombie if it ends before this process.
        std::thread::spawn(move || reaper.wait());
        Ok(Self {
            running: Arc::default(),
            reaper: Arc::new(Mutex::new(stdin)),
        })
    }

    /// Starts a container as a process group of its own.
    ///
    /// # Errors
    /// [`ContainerError`], naming the program or log file.
    pub fn spawn(&self, spec: &ContainerSpec) -> Result<Container, ContainerError> {
        let (program, arguments) = spec.command.split_first().ok_or(ContainerError::NoCommand)?;
        let program = rewrite(program, &spec.base_dir);
        let log_error = |source| ContainerError::Log {
            path: spec.log_path.clone(),
            source,
        };
        if let Some(folder) = spec.log_path.parent() {
            std::fs::create_dir_all(folder).map_err(log_error)?;
        }
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&spec.log_path)
            .map_err(log_error)?;

        let mut command = tokio::process::Command::new(&program);
        command
            .args(arguments.iter().map(|argument| rewrite(argument, &spec.base_dir)))
            .env_clear()
            .env(
                "PATH",
                std::env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()),
            )
            .env("HOME", &spec.base_dir)
            .env("LANG", "C.UTF-8")
            .env("SAGEMAKER_BASE_DIR", &spec.base_dir)
            .envs(
                spec.environment
                    .iter()
                    .map(|(name, value)| (name, rewrite(value, &spec.base_dir))),
            )
            .current_dir(&spec.base_dir)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(log_error)?)
            .stderr(log)
            .process_group(0);
        let mut child = command
            .spawn()
            .map_err(|source| ContainerError::Spawn { program, source })?;
        // A child that was just spawned and not yet waited for has an id, and process ids fit in 31 bits.
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).unwrap_or_default();
        self.note('+', pid);

        let (sender, exit) = watch::channel(None);
        let container = Container { pid, exit };
        lock(&self.running).insert(pid, container.clone());
        let running = Arc::clone(&self.running);
        let reaper = Arc::clone(&self.reaper);
        tokio::spawn(async move {
            let exit = Exit::from(child.wait().await);
            // Processes that the main process leaves behind end with it, as in a container.
            signal_group(pid, Signal::SIGKILL);
            note(&reaper, '-', pid);
            lock(&running).remove(&pid);
            sender.send_replace(Some(exit));
        });
        Ok(container)
    }

    /// Ends all running containers and the reaper.
    pub async fn shutdown(&self) {
        let running: Vec<Container> = lock(&self.running).values().cloned().collect();
        futures::future::join_all(running.iter().map(|container| container.terminate(SHUTDOWN_GRACE))).await;
        lock(&self.reaper).take();
    }

    fn note(&self, sign: char, pid: i32) {
        note(&self.reaper, sign, pid);
    }
}

impl Container {
    /// How it ended; none if it is still running.
    pub fn exited(&self) -> Option<Exit> {
        *self.exit.borrow()
    }

    /// Waits until the main process has ended and the rest of its group was killed.
    pub async fn wait(&self) -> Exit {
        let mut exit = self.exit.clone();
        let ended = exit.wait_for(Option::is_some).await;
        // The sender is dropped only after it has sent, or together with the runtime.
        ended.ok().and_then(|exit| *exit).unwrap_or(Exit {
            code: 128 + Signal::SIGKILL as i32,
        })
    }

    /// Asks the whole group to end, and kills it after `grace`.
    pub async fn terminate(&self, grace: Duration) -> Exit {
        if let Some(exit) = self.exited() {
            return exit;
        }
        signal_group(self.pid, Signal::SIGTERM);
        if let Ok(exit) = tokio::time::timeout(grace, self.wait()).await {
            return exit;
        }
        self.kill();
        self.wait().await
    }

    /// Kills the whole group at once.
    pub fn kill(&self) {
        if self.exited().is_none() {
            signal_group(self.pid, Signal::SIGKILL);
        }
    }
}

impl From<std::io::Result<ExitStatus>> for Exit {
    fn from(status: std::io::Result<ExitStatus>) -> Self {
        let code = match status {
            Ok(status) => status.code().or(status.signal().map(|signal| 128 + signal)),
            Err(_) => None,
        };
        Self {
            code: code.unwrap_or(1),
        }
    }
}

fn signal_group(pid: i32, signal: Signal) {
    // The group 0 would be our own. If the group is gone already, nothing is left to do.
    if pid > 0 {
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}

fn note(reaper: &Mutex<Option<ChildStdin>>, sign: char, pid: i32) {
    if let Some(stdin) = lock(reaper).as_mut() {
        // Without a reaper, a container still ends with the server, unless the server is killed.
        let _ = writeln!(stdin, "{sign} {pid}");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(dir: &std::path::Path, script: &str) -> ContainerSpec {
        ContainerSpec {
            command: vec![
                "sh".into(),
                "-c".into(),
                script.into(),
                "/opt/ml/zero".into(),
                "/opt/ml/one".into(),
            ],
            environment: BTreeMap::from([("DATA".into(), "/opt/ml/data".into())]),
            base_dir: dir.to_owned(),
            log_path: dir.join("logs/c.log"),
        }
    }

    fn alive(pid: i32) -> bool {
        // Signal 0 only tests whether the process exists. That includes zombies, so read its state as well.
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        nix::sys::signal::kill(Pid::from_raw(pid), None).is_ok() && !state.contains(") Z")
    }

    async fn until<T>(mut there: impl FnMut() -> Option<T>) -> T {
        let poll = async {
            loop {
                if let Some(found) = there() {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), poll).await.unwrap()
    }

    async fn grandchild(log: &std::path::Path) -> i32 {
        until(|| std::fs::read_to_string(log).ok()?.strip_suffix('\n')?.parse().ok()).await
    }

    async fn wait_until_gone(pid: i32) {
        until(|| (!alive(pid)).then_some(())).await;
    }

    #[tokio::test]
    async fn output_exit_code_and_rewritten_paths() {
        let dir = tempfile::tempdir().unwrap();
        let containers = Containers::start().unwrap();
        let spec = spec(dir.path(), "echo $1 $DATA; pwd; echo err >&2; exit 3");
        let exit = containers.spawn(&spec).unwrap().wait().await;
        let base = dir.path().display();
        assert_eq!(exit.code, 3);
        assert_eq!(
            std::fs::read_to_string(&spec.log_path).unwrap(),
            format!("{base}/one {base}/data\n{base}\nerr\n")
        );
    }

    #[tokio::test]
    async fn ending_a_container_ends_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let containers = Containers::start().unwrap();
        let spec = spec(dir.path(), "trap '' TERM; sleep 600 & echo $!; wait; wait");
        let container = containers.spawn(&spec).unwrap();
        let child = grandchild(&spec.log_path).await;
        let exit = container.terminate(Duration::from_millis(20)).await;
        assert_eq!(exit.code, 137);
        wait_until_gone(child).await;
    }

    #[tokio::test]
    async fn what_is_left_dies_when_the_server_vanishes() {
        let dir = tempfile::tempdir().unwrap();
        let containers = Containers::start().unwrap();
        let spec = spec(dir.path(), "sleep 600 & echo $!; wait");
        let ended = containers.spawn(&self::spec(dir.path(), "true")).unwrap();
        ended.wait().await;
        let container = containers.spawn(&spec).unwrap();
        let child = grandchild(&spec.log_path).await;
        // A SIGKILL closes the pipe, which is all that the reaper notices of it.
        drop(lock(&containers.reaper).take());
        until(|| container.exited()).await;
        wait_until_gone(child).await;
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let containers = Containers::start().unwrap();
        let spec = ContainerSpec {
            command: vec!["/no/such/program".into()],
            ..spec(dir.path(), "")
        };
        assert!(
            containers
                .spawn(&spec)
                .unwrap_err()
                .to_string()
                .contains("/no/such/program")
        );
    }
}
