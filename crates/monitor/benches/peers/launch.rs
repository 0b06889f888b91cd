//! One run of one program, with its time, CPU time and memory.
//!
//! The program is started by an intermediate process (this program again), which is small and has no other children, so
//! that it can ask the kernel about this one alone. It leads a process group and ends it when its standard input ends:
//! in that way a run is aborted, and no process is left when the benchmark itself is stopped.

use anyhow::{Context, Result, bail};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::signal::{Signal, killpg};
use nix::sys::time::TimeValLike;
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getpgrp};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The first argument for the intermediate process.
pub const MODE: &str = "launch";

const SAMPLING: Duration = Duration::from_millis(50);

/// The resources that a run used.
#[derive(Clone, Copy)]
pub struct Usage {
    /// Wall time.
    pub seconds: f64,
    /// User and system time of all processes.
    pub cpu_seconds: f64,
    /// Peak of the resident set in bytes.
    pub resident: u64,
    /// Peak of the resident set without mapped files, in bytes.
    pub private: u64,
}

/// The output of the intermediate process.
#[derive(Serialize, Deserialize)]
struct Said {
    seconds: f64,
    cpu_seconds: f64,
    largest_kb: u64,
    success: bool,
    status: String,
}

/// Runs a program to its end; its standard output and error go to `stdout` and `stderr` in the folder.
///
/// # Errors
/// It can't be started, fails, takes longer than the timeout, or needs more memory than there is.
pub fn run(program: &Command, folder: &Path, timeout: Duration) -> Result<Usage> {
    let said = folder.join("usage.json");
    let _ = std::fs::remove_file(&said);
    let stderr = folder.join("stderr");
    let mut command = Command::new(std::env::current_exe()?);
    command
        .arg(MODE)
        .arg(&said)
        .arg(program.get_program())
        .args(program.get_args());
    command.envs(program.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command
        .current_dir(program.get_current_dir().unwrap_or(folder))
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(File::create(folder.join("stdout"))?)
        .stderr(File::create(&stderr)?);
    // The limit is the memory that is free now, minus a reserve, so that no other process is killed for lack of it.
    let limit = crate::machine::available_memory().map(|free| free / 10 * 9);
    let mut child = command.spawn().context("cannot start a process")?;
    let mut input = child.stdin.take();
    let started = Instant::now();
    let mut peak = Memory::default();
    let mut given_up = None;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if given_up.is_none() {
            let now = Memory::of_children(child.id());
            peak = Memory {
                resident: peak.resident.max(now.resident),
                private: peak.private.max(now.private),
            };
            if started.elapsed() > timeout {
                given_up = Some(format!("given up after {} s", timeout.as_secs()));
            } else if limit.is_some_and(|limit| now.private > limit) {
                given_up = Some(format!(
                    "needs more memory than there is, over {:.1} GB",
                    gigabytes(now.private)
                ));
            }
            if given_up.is_some() {
                drop(input.take());
            }
        }
        std::thread::sleep(SAMPLING);
    };
    if let Some(why) = given_up {
        bail!(why);
    }
    let said: Said = match std::fs::read(&said) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => bail!("{}", last_line(&stderr).unwrap_or_else(|| status.to_string())),
    };
    if !said.success {
        bail!("{}: {}", said.status, last_line(&stderr).unwrap_or_default());
    }
    Ok(Usage {
        seconds: said.seconds,
        cpu_seconds: said.cpu_seconds,
        resident: peak.resident.max(said.largest_kb * 1024),
        private: peak.private,
    })
}

/// The intermediate process: `RESULT PROGRAM ARGUMENT…`.
///
/// # Errors
/// The program can't be started, or the result can't be written.
pub fn launch(arguments: &[String]) -> Result<()> {
    let [result, program, rest @ ..] = arguments else {
        bail!("usage: {MODE} RESULT PROGRAM ARGUMENT…");
    };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = killpg(getpgrp(), Signal::SIGKILL);
    });
    // A grandchild whose parent ends first (Spark's JVM) becomes our child, so that it is waited for and counted.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_child_subreaper(true)?;
    let started = Instant::now();
    let status = Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {program}"))?;
    let seconds = started.elapsed().as_secs_f64();
    while waitpid(None::<Pid>, None).is_ok() {}
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    let said = Said {
        seconds,
        cpu_seconds: Duration::from_micros(microseconds.unsigned_abs()).as_secs_f64(),
        largest_kb: usage.max_rss().unsigned_abs(),
        success: status.success(),
        status: status.to_string(),
    };
    std::fs::write(result, serde_json::to_vec(&said)?).with_context(|| format!("cannot write {result}"))
}

/// A number of bytes in GB of 10^9.
pub fn gigabytes(bytes: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let bytes = bytes as f64;
    bytes / 1e9
}

/// The last line of a program's error output.
pub fn last_line(file: &Path) -> Option<String> {
    let text = String::from_utf8_lossy(&std::fs::read(file).ok()?).into_owned();
    let line = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.chars().take(200).collect())
}

/// Memory of a process tree, in bytes.
#[derive(Clone, Copy, Default)]
struct Memory {
    resident: u64,
    private: u64,
}

impl Memory {
    /// Memory of all descendants of a process. Processes may come and go meanwhile: those that are gone count as 0.
    fn of_children(process: u32) -> Self {
        let mut sum = Self::default();
        for child in children(process) {
            let status = std::fs::read_to_string(format!("/proc/{child}/status")).unwrap_or_default();
            let below = Self::of_children(child);
            sum.resident += kilobytes(&status, "VmRSS:") * 1024 + below.resident;
            sum.private += kilobytes(&status, "RssAnon:") * 1024 + below.private;
        }
        sum
    }
}

/// The children of a process, which any of its threads may have started.
fn children(process: u32) -> Vec<u32> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let listed = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    let listed: String = listed.collect::<Vec<String>>().join(" ");
    listed.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

/// A value in kB from `/proc/…/status` or `/proc/meminfo`, 0 if it is missing.
pub fn kilobytes(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
