//! Which process a number means: a pid is recycled, a pid and its start time are not.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};

/// A process, for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number; also that of its process group.
    pub pid: u32,
    /// When it was started, in the system's own form.
    pub started: String,
}

impl Identity {
    /// The process that has this number now; `None` when there is none.
    pub fn of(pid: u32) -> Option<Self> {
        started(pid).map(|started| Self { pid, started })
    }

    /// Whether that very process runs. A zombie doesn't.
    pub fn is_alive(&self) -> bool {
        started(self.pid).is_some_and(|started| started == self.started)
    }

    /// Stops the process and its group: asks first, insists after `grace`. Does nothing when it has ended.
    pub fn stop(&self, grace: Duration) {
        if !self.is_alive() {
            return;
        }
        signal_group(self.pid, Signal::SIGTERM);
        let deadline = Instant::now() + grace;
        while self.is_alive() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        // Members of the group may outlive their leader; a group without members is no longer there.
        signal_group(self.pid, Signal::SIGKILL);
        let deadline = Instant::now() + Duration::from_secs(2);
        while self.is_alive() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Sends a signal to a process group; one that is gone needs none.
pub fn signal_group(pid: u32, signal: Signal) {
    let Ok(pid) = i32::try_from(pid) else { return };
    if pid > 1 {
        // Nobody is there, or nobody who may be signalled: both mean that there is nothing to stop.
        let _: Result<(), Errno> = kill(Pid::from_raw(-pid), signal);
    }
}

#[cfg(target_os = "linux")]
fn started(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name stands in parentheses and may hold anything; fields are counted behind the last one.
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
        // Would end the test's own group if the start time were not looked at.
        recycled.stop(Duration::from_millis(1));
    }

    /// A killed process is gone a moment later.
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
