//! The local stack: starts and stops LocalStack and sagemaker-local as background processes.
//!
//! All files of an instance are in one folder, which `down` removes; `drivetrain::local` describes it, and reads the
//! file that says where the stack is. Deploying to the stack is done by `deploy`.

mod servers;
mod start;

use crate::layout::Layout;
use crate::process::Identity;
use anyhow::{Context, Result};
use drivetrain::local::State;
use std::path::Path;
use std::time::Duration;

pub use start::{Started, Wishes, start};

/// LocalStack takes seconds to end in order, and loses nothing when it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Stops the processes of an instance, last started first.
fn stop(state: &State) {
    for process in state.processes.iter().rev() {
        process.identity.stop(GRACE);
    }
    for stray in strays(&state.folder) {
        stray.stop(Duration::from_secs(1));
    }
}

/// Stops an instance and removes its folder; returns whether there was one. A folder without a readable state is
/// removed as well, after the processes that run from it are stopped.
///
/// # Errors
/// The folder can't be removed.
pub fn remove(layout: &Layout) -> Result<bool> {
    let folder = layout.stack();
    if !folder.exists() {
        return Ok(false);
    }
    match layout.found().state() {
        Ok(Some(state)) => stop(&state),
        _ => {
            for stray in strays(&folder) {
                stray.stop(GRACE);
            }
        }
    }
    remove_folder(&folder)?;
    Ok(true)
}

/// A process may still write while it ends, so removing is repeated until the folder stays away.
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

/// Processes that run a program of the folder, or run in it: functions and containers whose parent was killed. Empty on
/// systems that can't list them, where they end by themselves.
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
        // A user's shell whose working directory is the folder is not part of the stack, and neither are we.
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
    use drivetrain::local::Process;
    use std::path::PathBuf;

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
    fn removing_an_instance_kills_nobody_whose_pid_was_recycled() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path().to_path_buf(), "stack");
        std::fs::create_dir_all(layout.stack().join("logs")).unwrap();
        // The pid is the test's own: if the start time were ignored, the test would end here.
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
