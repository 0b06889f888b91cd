//! Programs whose end we wait for: builders, installers, deployers, tests.

use anyhow::{Context, Result, bail};
use drivetrain::local::signal_group;
use drivetrain::ui::tail;
use nix::sys::signal::Signal;
use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// A program in a process group of its own; dropping it before the program has ended stops the whole group.
#[derive(Debug)]
pub struct Foreground {
    child: Child,
    pid: u32,
    ended: bool,
}

impl Foreground {
    /// Starts the program.
    ///
    /// # Errors
    /// It can't be started; the text names it.
    pub fn spawn(command: &mut Command) -> Result<Self> {
        let child = command
            .process_group(0)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", shown(command)))?;
        // A child that has not been waited for has a pid.
        let pid = child.id().unwrap_or_default();
        Ok(Self {
            child,
            pid,
            ended: false,
        })
    }

    /// Its standard output, if it is piped.
    pub fn stdout(&mut self) -> Option<tokio::process::ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// The system can't report the status.
    pub async fn wait(&mut self) -> Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.ended = true;
        Ok(status)
    }
}

impl Drop for Foreground {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        signal_group(self.pid, Signal::SIGTERM);
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        signal_group(self.pid, Signal::SIGKILL);
        let _ = self.child.try_wait();
    }
}

/// Runs a program whose output is shown.
///
/// # Errors
/// It can't be started, or fails.
pub async fn run(command: &mut Command) -> Result<()> {
    let status = Foreground::spawn(command)?.wait().await?;
    if !status.success() {
        bail!("{} failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a program whose output goes to a log; a failure shows its last lines.
///
/// # Errors
/// It can't be started, or fails.
pub async fn quiet(command: &mut Command, log: &Path) -> Result<()> {
    let file = create_log(log)?;
    command.stdout(file.try_clone()?).stderr(file);
    let status = Foreground::spawn(command)?.wait().await?;
    if !status.success() {
        bail!(
            "{} failed ({status}); the end of {}:\n{}",
            shown(command),
            log.display(),
            tail(log, 25)
        );
    }
    Ok(())
}

/// Runs a program and returns what it prints.
///
/// # Errors
/// It can't be started, or fails; the text has its output.
pub async fn output(command: &mut Command) -> Result<String> {
    let answer = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !answer.status.success() {
        bail!(
            "{} failed ({}): {}",
            shown(command),
            answer.status,
            String::from_utf8_lossy(&answer.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&answer.stdout).into_owned())
}

/// Creates an empty log, and the folders that it is in.
///
/// # Errors
/// It can't be made.
pub fn create_log(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    File::create(path).with_context(|| format!("cannot create {}", path.display()))
}

/// Sends a program's messages to the terminal if `inherit` is set, else to a log.
///
/// # Errors
/// The log can't be made.
pub fn create_log_or_inherit(command: &mut Command, log: &Path, inherit: bool) -> Result<()> {
    let to = if inherit {
        Stdio::inherit()
    } else {
        Stdio::from(create_log(log)?)
    };
    command.stderr(to);
    Ok(())
}

fn shown(command: &Command) -> String {
    let command = command.as_std();
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_else(|| command.get_program());
    let words: Vec<String> = std::iter::once(program)
        .chain(command.get_args().take(3))
        .map(|word: &OsStr| word.to_string_lossy().into_owned())
        .collect();
    format!("`{}`", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Identity;

    #[tokio::test]
    async fn a_dropped_program_is_stopped_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let note = folder.path().join("pid");
        let script = format!("sleep 60 & echo $! > {0}.new; mv {0}.new {0}; wait", note.display());
        let mut program = Foreground::spawn(Command::new("sh").args(["-c", &script])).unwrap();
        let started = tokio::time::timeout(Duration::from_secs(10), async {
            while !note.exists() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        tokio::select! { _ = program.wait() => panic!("ended early"), started = started => started.unwrap() }
        let child = Identity::of(std::fs::read_to_string(&note).unwrap().trim().parse().unwrap()).unwrap();
        drop(program);
        let gone = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            !child.is_alive()
        });
        assert!(gone);
    }

    #[tokio::test]
    async fn a_failure_shows_the_end_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("logs/it.log");
        let error = quiet(Command::new("sh").args(["-c", "echo the reason; exit 3"]), &log)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("the reason"), "{error}");
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let error = run(&mut Command::new("/nowhere/no-such-program")).await.unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program`");
    }
}
