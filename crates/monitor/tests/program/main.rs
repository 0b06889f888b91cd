//! The program as it is run: with a container's environment, and with arguments on the command line.
//!
//! The computations are tested where they are implemented. These tests check files, messages, exit codes and stdout.

#![allow(clippy::unwrap_used)] // What fails here fails the test, as it should.

mod baseline_job;
mod capture_job;
mod cars;
mod check;
mod diff;
mod job;
mod monitoring_job;
mod quality;
mod quality_job;
mod refused_job;
mod states;
mod terminal;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// The program, without the environment of this process.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drivetrain-monitor"));
    command.env_clear();
    command
}

/// How a run ended.
struct Ended {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        Self {
            // A run that was ended by a signal has no code; that must not happen here.
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Checks the exit code, and shows all output if it differs.
    #[track_caller]
    fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The single document on stdout.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}:\n{}", self.stdout))
    }
}

/// A folder to run commands in.
struct Desk(TempDir);

impl Desk {
    fn new(files: &[(&str, &str)]) -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        for (name, content) in files {
            desk.file(name, content);
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        write(&self.path(name), content.as_ref());
    }

    /// Runs the program in this folder, with arguments separated by spaces.
    fn run(&self, arguments: &str) -> Ended {
        let output = program()
            .current_dir(self.0.path())
            .args(arguments.split_whitespace())
            .output();
        Ended::of(output.unwrap())
    }

    #[track_caller]
    fn json(&self, name: &str) -> Value {
        json_file(&self.path(name))
    }
}

fn write(path: &Path, content: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

#[track_caller]
fn json_file(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of the elements of a list in which this member has this value.
fn names_where(list: &Value, member: &str, value: &str) -> Vec<String> {
    let elements = list.as_array().unwrap().iter();
    elements
        .filter(|it| it[member] == value)
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}
