//! Finds the local stack through the file that describes it. Starting and stopping it is not done here.
//!
//! Everything of an instance is in one folder, `target/local/<instance>`: `state.json`, `logs/`, `inbox.jsonl`, and
//! LocalStack's and sagemaker-local's own files.

mod identity;

pub use identity::{Identity, signal_group};

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The region of all local stacks.
pub const REGION: &str = "us-east-1";
/// The account of all local stacks.
pub const ACCOUNT: &str = "000000000000";
/// LocalStack accepts any key pair; this one is customary.
pub const ACCESS_KEY: &str = "test";
/// How many processes a stack has: sagemaker-local and LocalStack.
pub const PROCESSES: usize = 2;
/// The instance that is used when none is named.
pub const DEFAULT_INSTANCE: &str = "stack";

/// The environment variable that names the folder of local stacks.
pub const FOLDER_VARIABLE: &str = "DRIVETRAIN_LOCAL";

/// One of the local stacks of a checkout, up or down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    local: PathBuf,
    name: String,
}

/// The description of a running instance: `state.json`.
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
    /// Image maps in addition to the project's own.
    #[serde(default)]
    pub images: Vec<PathBuf>,
    /// Its processes, in the order in which they were started.
    pub processes: Vec<Process>,
    /// The last deployment to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,
}

/// A process of the stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// `localstack` or `sagemaker`.
    pub name: String,
    /// Identifies the process.
    #[serde(flatten)]
    pub identity: Identity,
    /// The file that its output goes to.
    pub log: PathBuf,
}

/// A deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployed {
    /// The stack's name.
    pub stack: String,
    /// Fingerprint of the template and of all that it refers to.
    pub fingerprint: String,
    /// When it was deployed.
    pub at: Timestamp,
}

impl Instance {
    /// The instance with this name whose folder is in `local`, the `target/local` of a checkout.
    pub fn new(local: PathBuf, name: &str) -> Self {
        Self {
            local,
            name: name.to_owned(),
        }
    }

    /// The instance with this name as a user means it: in the folder that `DRIVETRAIN_LOCAL` names, else in the
    /// `target/local` of the working directory or of a directory above it.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn find(name: &str) -> Result<Self> {
        let named = std::env::var_os(FOLDER_VARIABLE).filter(|folder| !folder.is_empty());
        let here = std::env::current_dir().context("the working directory is gone")?;
        match named.map(PathBuf::from).or_else(|| upward(&here)) {
            Some(local) => Ok(Self::new(local, name)),
            None => bail!(
                "there is no local stack in or above {}: go into a checkout of Drivetrain where `cargo xtask up` was \
                 run, or `eval \"$(cargo xtask env)\"` there",
                here.display()
            ),
        }
    }

    /// The instance's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The folder of all instances.
    pub fn local(&self) -> &Path {
        &self.local
    }

    /// The instance's own folder.
    pub fn folder(&self) -> PathBuf {
        self.local.join(&self.name)
    }

    /// The contents of `state.json`; `None` when the instance is down.
    ///
    /// # Errors
    /// It can't be read.
    pub fn state(&self) -> Result<Option<State>> {
        let path = State::file(&self.folder());
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        let state = serde_json::from_slice(&text).with_context(|| {
            format!(
                "{} is not a state file of this version: `cargo xtask{} down` removes it",
                path.display(),
                option(&self.name)
            )
        })?;
        Ok(Some(state))
    }

    /// The state of an instance that must be up.
    ///
    /// # Errors
    /// It isn't up; the text says what to do.
    pub fn running(&self) -> Result<State> {
        let up = up(&self.name);
        match self.state()? {
            Some(state) if state.is_up() => Ok(state),
            Some(state) => {
                let dead: Vec<&str> = state.dead().map(|process| process.name.as_str()).collect();
                bail!(
                    "the local stack `{}` is broken ({} ended): `drivetrain --on local{} logs {}` says why, `{up}` starts it \
                     anew",
                    self.name,
                    dead.join(", "),
                    option(&self.name),
                    dead.first().copied().unwrap_or("localstack")
                )
            }
            None => bail!("the local stack `{}` is down: start it with `{up}`", self.name),
        }
    }
}

impl State {
    /// Writes `state.json`, atomically.
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

    /// The instance's name.
    pub fn name(&self) -> String {
        self.folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// Whether all of its processes are running.
    pub fn is_up(&self) -> bool {
        self.processes.len() == PROCESSES && self.dead().next().is_none()
    }

    /// The processes that have ended by themselves.
    pub fn dead(&self) -> impl Iterator<Item = &Process> {
        self.processes.iter().filter(|process| !process.identity.is_alive())
    }

    /// The endpoint URL for all AWS clients.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.localstack_port)
    }

    /// The URL of sagemaker-local itself, for its control route and for clients that bypass LocalStack.
    pub fn sagemaker_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.sagemaker_port)
    }

    /// The file with the mails of the stack's topics, one JSON object per line.
    pub fn inbox(&self) -> PathBuf {
        self.folder.join("inbox.jsonl")
    }

    /// The folder of sagemaker-local's logs, `<kind>/<name>.log`.
    pub fn sagemaker_logs(&self) -> PathBuf {
        self.folder.join("sagemaker/logs")
    }

    fn file(folder: &Path) -> PathBuf {
        folder.join("state.json")
    }
}

/// The command that starts an instance from its checkout, and deploys the stack [`contracts::command::DEFAULT_STACK`] to
/// it.
pub fn up(instance: &str) -> String {
    format!("cargo xtask{} up", option(instance))
}

/// The option that names an instance, where one is needed.
fn option(instance: &str) -> String {
    match instance {
        DEFAULT_INSTANCE => String::new(),
        name => format!(" --instance {name}"),
    }
}

/// The `target/local` of a folder, or of the nearest folder above it that has one.
fn upward(from: &Path) -> Option<PathBuf> {
    from.ancestors()
        .map(|folder| folder.join("target/local"))
        .find(|local| local.is_dir())
}

/// Checks the name of an instance. Instances have their folders beside those of the environments, whose names are
/// reserved.
///
/// # Errors
/// What is wrong with the name.
pub fn parse_instance(name: &str) -> Result<String, String> {
    let sound = !name.is_empty()
        && name.len() <= 32
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    match name {
        "venvs" | "logs" => Err(format!("`{name}` is a folder with another purpose")),
        _ if !sound => Err(format!(
            "`{name}` must be lower-case letters, digits and hyphens, beginning with a letter"
        )),
        _ => Ok(name.to_owned()),
    }
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
    fn instances_are_folders_of_their_own() {
        assert!(parse_instance("stack").is_ok() && parse_instance("test-2").is_ok());
        for name in ["", "venvs", "logs", "../x", "A", "2x"] {
            assert!(parse_instance(name).is_err(), "{name}");
        }
    }

    #[test]
    fn local_stacks_are_looked_for_upward() {
        let checkout = tempfile::tempdir().unwrap();
        let deep = checkout.path().join("models/deep");
        std::fs::create_dir_all(&deep).unwrap();
        assert_eq!(upward(&deep).filter(|found| found.starts_with(checkout.path())), None);
        let local = checkout.path().join("target/local");
        std::fs::create_dir_all(&local).unwrap();
        assert_eq!(upward(&deep), Some(local));
    }

    #[test]
    fn the_state_file_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let instance = Instance::new(folder.path().to_path_buf(), "stack");
        assert_eq!(instance.state().unwrap(), None);
        std::fs::create_dir_all(instance.folder()).unwrap();
        let written = state(&instance.folder(), vec![us("sagemaker", None)]);
        written.save().unwrap();
        assert_eq!(instance.state().unwrap(), Some(written));
    }

    #[test]
    fn a_stack_with_a_dead_process_is_broken_and_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let instance = Instance::new(folder.path().to_path_buf(), "second");
        let down = instance.running().unwrap_err().to_string();
        assert!(down.contains("`cargo xtask --instance second up`"), "{down}");
        std::fs::create_dir_all(instance.folder()).unwrap();
        let broken = state(
            &instance.folder(),
            vec![us("sagemaker", None), us("localstack", Some("another"))],
        );
        assert!(!broken.is_up());
        broken.save().unwrap();
        let error = instance.running().unwrap_err().to_string();
        assert!(
            error.contains("localstack ended") && error.contains("--on local --instance second logs localstack"),
            "{error}"
        );
    }
}
