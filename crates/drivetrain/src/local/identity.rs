//! Identifies a process: a pid may be reused, but not together with a start time.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A process, never mistaken for a later one with the same pid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its pid; also the id of its process group.
    pub pid: u32,
    /// When it was started, in the operating system's own form.
    pub started: String,
}

impl Identity {
    /// The process that has this pid now; `None` when there is none.
    pub fn of(pid: u32) -> Option<Self> {
        started(pid).map(|started| Self { pid, started })
    }

    /// Whether exactly this process is running. A zombie is not.
    pub fn is_alive(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Stops the process and its group: with SIGTERM first, with SIGKILL after `grace`. Does nothing when it has ended.
    pub fn stop(&self, grace: Duration) {
        if !self.is_alive() {
            return;
        }
        signal_group(self.pid, Signal::SIGTERM);
        let deadline = Instant::now() + grace;
        while self.is_alive() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Members of the group may outlive their leader; without members, the group no longer exists.
        signal_group(self.pid, Signal::SIGKILL);
        let deadline = Instant::now() + Duration::from_secs(2);
        while self.is_alive() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Sends a signal to a process group; does nothing when the group no longer exists.
pub fn signal_group(pid: u32, signal: Signal) {
    let Ok(pid) = i32::try_from(pid) else { return };
    if pid > 1 {
        // The group does not exist, or has no process that we may signal: in both cases there is nothing to stop.
        let _: Result<(), Errno> = kill(Pid::from_raw(-pid), signal);
    }
}

#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name is in parentheses and may contain anything; fields are counted after the last one.
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let (state, ticks) = (fields.first()?, fields.get(19)?);
    (*state != "Z" && *state != "X").then(|| {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        format!("{}:{ticks}", boot.trim())
    })
}

#[cfg(not(target_os = "linux"))]
fn started(pid: u32) -> Option<String> {
    let answer = std::process::Command::new("ps")
        .args(["-o", "state=,lstart=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
    let (state, since) = text.split_once(char::is_whitespace)?;
    (!state.starts_with('Z')).then(|| since.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    #[test]
    fn we_are_alive_and_nobody_else_is_us() {
        let us = Identity::of(std::process::id()).unwrap();
        assert!(us.is_alive());
        let recycled = Identity {
            started: "another time".to_owned(),
            ..us
        };
        assert!(!recycled.is_alive());
        // This would end the test's own process group if the start time were ignored.
        recycled.stop(Duration::from_millis(1));
    }

    /// A killed process takes a moment to disappear.
    fn ends_soon(process: &Identity) -> bool {
        (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            !process.is_alive()
        })
    }

    #[test]
    fn a_group_is_stopped_with_its_children() {
        let mut shell = Command::new("sh")
            .args(["-c", "trap '' TERM; sleep 60 & echo $!; wait"])
            .process_group(0)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(shell.stdout.take().unwrap()), &mut line).unwrap();
        let child = Identity::of(line.trim().parse().unwrap()).unwrap();
        let leader = Identity::of(shell.id()).unwrap();
        leader.stop(Duration::from_millis(100));
        assert!(!leader.is_alive(), "it ignores SIGTERM, so it was killed");
        assert!(ends_soon(&child));
        shell.wait().unwrap();
    }
}
