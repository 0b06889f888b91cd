//! The machine that the benchmark runs on.

use crate::launch::{gigabytes, kilobytes};
use std::fs::read_to_string;
use std::process::Command;

/// The machine and its state.
pub struct Machine {
    /// Descriptions for people, one for each line.
    pub facts: Vec<String>,
}

impl Machine {
    /// Collects the facts before anything is generated or run.
    pub fn look() -> Self {
        let cpu = read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = value(&cpu, "model name", ':').unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let memory = read_to_string("/proc/meminfo").unwrap_or_default();
        let memory = gigabytes(kilobytes(&memory, "MemTotal:") * 1024);
        let system = read_to_string("/etc/os-release").unwrap_or_default();
        let system = value(&system, "PRETTY_NAME", '=').unwrap_or_else(|| std::env::consts::OS.to_owned());
        let kernel = read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let load = read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split_whitespace().next().unwrap_or("unknown").to_owned();
        let java = first_line("java", &["--version"]).unwrap_or_else(|| "no Java".to_owned());
        let rustc = first_line("rustc", &["--version"]).unwrap_or_else(|| "rustc of unknown version".to_owned());
        let commit = first_line("git", &["describe", "--always", "--dirty"]).unwrap_or_else(|| "unknown".to_owned());
        Self {
            facts: vec![
                format!("{cpu}, {cores} cores, {memory:.1} GB of memory"),
                format!("{system}, Linux {}", kernel.trim()),
                format!("{rustc}; {java}"),
                format!("commit {commit}, {}", jiff::Zoned::now().date()),
                format!("load at the start {load}"),
            ],
        }
    }
}

/// Bytes of memory that programs could still use, if the system gives the number.
pub fn available_memory() -> Option<u64> {
    let memory = read_to_string("/proc/meminfo").ok()?;
    Some(kilobytes(&memory, "MemAvailable:") * 1024).filter(|bytes| *bytes > 0)
}

/// The first line of a program's output.
pub fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(|line| line.trim().to_owned())
}

fn value(text: &str, name: &str, separator: char) -> Option<String> {
    let (key, value) = text
        .lines()
        .filter_map(|line| line.split_once(separator))
        .find(|(key, _)| key.trim() == name)?;
    debug_assert_eq!(key.trim(), name);
    Some(value.trim().trim_matches('"').to_owned())
}
