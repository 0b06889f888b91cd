//! The local stack: LocalStack and sagemaker-local as processes in the background, and the file that says so.
//!
//! Everything of an instance lies in one folder, which `down` removes: `state.json`, `logs/`, `inbox.jsonl`,
//! LocalStack's and sagemaker-local's own files. What is deployed onto it is `deploy`'s.

mod servers;
mod start;

use crate::layout::Layout;
use crate::process::Identity;
use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use start::{Started, Wishes, start};

/// The region of everything local.
pub const REGION: &str = "us-east-1";
/// The account of everything local.
pub const ACCOUNT: &str = "000000000000";
/// Any key pair will do; this one is the custom.
pub const ACCESS_KEY: &str = "test";

/// LocalStack takes seconds to end in order; it has nothing to lose by being ended otherwise.
const GRACE: Duration = Duration::from_secs(5);

/// What is known of a running instance: `state.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// When it was started.
    pub started_at: Timestamp,
    /// Its folder.
    pub folder: PathBuf,
    /// LocalStack's port.
    pub localstack_port: u16,
    /// sagemaker-local's port.
    pub sagemaker_port: u16,
    /// Image maps beside the project's own.
    #[serde(default)]
    pub images: Vec<PathBuf>,
    /// Its processes, in the order in which they were started.
    pub processes: Vec<Process>,
    /// The last deployment onto it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
}

/// A process of the stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// `localstack` or `sagemaker`.
    pub name: String,
    /// Which process.
    #[serde(flatten)]
    pub identity: Identity,
    /// Its output.
    pub log: PathBuf,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    /// The stack's name.
    pub stack: String,
    /// Of the template and all that it names.
    pub fingerprint: String,
    /// When.
    pub at: Timestamp,
}

impl State {
    /// What `state.json` says; `None` when there is no such instance.
    ///
    /// # Errors
    /// It can't be read.
    pub fn load(layout: &Layout) -> Result<Option<Self>> {
        let path = Self::file(&layout.stack());
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let state = serde_json::from_slice(&text).with_context(|| {
            format!(
                "{} is not a state file of this version: `cargo xtask down` removes it",
                path.display()
            )
        })?;
        Ok(Some(state))
    }

    /// The state of an instance that must be up.
    ///
    /// # Errors
    /// It isn't; the text says what to do.
    pub fn running(layout: &Layout) -> Result<Self> {
        match Self::load(layout)? {
            Some(state) if state.is_up() => Ok(state),
            Some(state) => {
                let dead: Vec<&str> = state.dead().map(|process| process.name.as_str()).collect();
                bail!(
                    "the local stack `{}` is broken ({} ended): `cargo xtask logs {}` says why, `cargo xtask up` starts it anew",
                    layout.instance(),
                    dead.join(", "),
                    dead.first().copied().unwrap_or("localstack")
                )
            }
            None => bail!(
                "the local stack `{}` is down: start it with `cargo xtask up`",
                layout.instance()
            ),
        }
    }

    /// Writes `state.json`, whole or not at all.
    ///
    /// # Errors
    /// It can't be written.
    pub fn save(&self) -> Result<()> {
        let path = Self::file(&self.folder);
        let write = || -> std::io::Result<()> {
            let mut new = tempfile::NamedTempFile::new_in(&self.folder)?;
            serde_json::to_writer_pretty(&mut new, self)?;
            new.persist(&path)?;
            Ok(())
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// Whether every process of it runs.
    pub fn is_up(&self) -> bool {
        self.processes.len() == servers::COUNT && self.dead().next().is_none()
    }

    /// The processes that have ended by themselves.
    pub fn dead(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(|process| !process.identity.is_alive())
    }

    /// Where every AWS client must turn.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.localstack_port)
    }

    /// sagemaker-local itself, for its control route and for clients without a detour.
    pub fn sagemaker_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.sagemaker_port)
    }

    /// The mails of the stack's topics, a JSON object a line.
    pub fn inbox(&self) -> PathBuf {
        self.folder.join("inbox.jsonl")
    }

    /// sagemaker-local's logs, `<kind>/<name>.log`.
    pub fn sagemaker_logs(&self) -> PathBuf {
        self.folder.join("sagemaker/logs")
    }

    /// Stops its processes, last started first.
    fn stop(&self) {
        for process in self.processes.iter().rev() {
            process.identity.stop(GRACE);
        }
        for stray in strays(&self.folder) {
            stray.stop(Duration::from_secs(1));
        }
    }

    fn file(folder: &Path) -> PathBuf {
        folder.join("state.json")
    }
}

/// A call of sagemaker-local by hand: its SDK crate would cost minutes of compiling for a description or two.
///
/// # Errors
/// No answer, or a refusal; the text holds it.
pub async fn sagemaker(state: &State, operation: &str, request: &serde_json::Value) -> Result<serde_json::Value> {
    let request = crate::aws::http_client()?
        .post(format!("{}/", state.sagemaker_url()))
        .header("x-amz-target", format!("SageMaker.{operation}"))
        .header("content-type", "application/x-amz-json-1.1")
        .body(request.to_string());
    crate::aws::call_local(state, "sagemaker", request).await
}

/// Stops an instance and removes its folder; says whether there was one. A folder without a readable state is
/// removed as well, after the processes that run from it.
///
/// # Errors
/// The folder can't be removed.
pub fn remove(layout: &Layout) -> Result<bool> {
    let folder = layout.stack();
    if !folder.exists() {
        return Ok(false);
    }
    match State::load(layout) {
        Ok(Some(state)) => state.stop(),
        _ => {
            for stray in strays(&folder) {
                stray.stop(GRACE);
            }
        }
    }
    remove_folder(&folder)?;
    Ok(true)
}

/// A process may still write while it ends, so the folder is removed until it stays away.
fn remove_folder(folder: &Path) -> Result<()> {
    let mut attempts = 0;
    loop {
        match std::fs::remove_dir_all(folder) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) if attempts == 20 => {
                return Err(error).with_context(|| format!("cannot remove {}", folder.display()));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
        attempts += 1;
    }
}

/// Processes that run a program of the folder, or in it: functions and containers whose parent was killed.
/// Empty where the system doesn't tell; there they end by themselves.
fn strays(folder: &Path) -> Vec<Identity> {
    let Ok(folder) = folder.canonicalize() else {
        return Vec::new();
    };
    let of = |pid: &str, link: &str| {
        std::fs::read_link(format!("/proc/{pid}/{link}")).is_ok_and(|target| target.starts_with(&folder))
    };
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()))
        .filter(|pid| of(pid, "exe") || of(pid, "cwd"))
        .filter_map(|pid| pid.parse().ok())
        // A person's shell that stands in the folder is not a part of the stack, nor are we.
        .filter(|pid| *pid != std::process::id() && !has_terminal(*pid))
        .filter_map(Identity::of)
        .collect()
}

/// Whether a process belongs to a terminal: those of the stack never do.
fn has_terminal(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let terminal = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(4));
    terminal.is_some_and(|number| number != "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(folder: &Path, processes: Vec<Process>) -> State {
        State {
            started_at: "2026-11-22T18:30:00Z".parse().unwrap(),
            folder: folder.to_path_buf(),
            localstack_port: 4566,
            sagemaker_port: 4570,
            images: Vec::new(),
            processes,
            deployed: None,
        }
    }

    fn us(name: &str, started: Option<&str>) -> Process {
        let mut identity = Identity::of(std::process::id()).unwrap();
        if let Some(started) = started {
            identity.started = started.to_owned();
        }
        Process {
            name: name.to_owned(),
            identity,
            log: PathBuf::new(),
        }
    }

    #[test]
    fn the_state_file_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path().to_path_buf(), "stack");
        assert_eq!(State::load(&layout).unwrap(), None);
        std::fs::create_dir_all(layout.stack()).unwrap();
        let written = state(&layout.stack(), vec![us("sagemaker", None)]);
        written.save().unwrap();
        assert_eq!(State::load(&layout).unwrap(), Some(written));
    }

    #[test]
    fn a_stack_with_a_dead_process_is_broken_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path().to_path_buf(), "stack");
        std::fs::create_dir_all(layout.stack()).unwrap();
        let broken = state(
            &layout.stack(),
            vec![us("sagemaker", None), us("localstack", Some("another"))],
        );
        assert!(!broken.is_up());
        broken.save().unwrap();
        let error = State::running(&layout).unwrap_err().to_string();
        assert!(
            error.contains("localstack ended") && error.contains("cargo xtask up"),
            "{error}"
        );
    }

    #[test]
    fn removing_an_instance_kills_nobody_whose_pid_was_recycled() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path().to_path_buf(), "stack");
        std::fs::create_dir_all(layout.stack().join("logs")).unwrap();
        // The pid is ours: had the start time not been looked at, the test would end here.
        state(&layout.stack(), vec![us("localstack", Some("another"))])
            .save()
            .unwrap();
        assert!(remove(&layout).unwrap());
        assert!(!layout.stack().exists());
        assert!(!remove(&layout).unwrap());
    }

    #[test]
    fn a_process_left_in_the_folder_is_stopped() {
        if !cfg!(target_os = "linux") {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path().to_path_buf(), "stack");
        std::fs::create_dir_all(layout.stack()).unwrap();
        let mut left = std::process::Command::new("setsid")
            .args(["sleep", "60"])
            .current_dir(layout.stack())
            .spawn()
            .unwrap();
        let identity = Identity::of(left.id()).unwrap();
        assert!(remove(&layout).unwrap());
        assert!(!identity.is_alive());
        left.wait().unwrap();
    }
}
