//! The command when nobody reads its output, or it can't be written.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::{Command, Stdio};

/// The exit code that shells report for a program that wrote into a closed pipe.
const CLOSED_PIPE: i32 = 141;

/// The writing end of a pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn ended(arguments: &[&str], stdout: Stdio, stderr: Stdio) -> Option<i32> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_drivetrain"));
    command.args(arguments).env_remove("DRIVETRAIN_ON").stdin(Stdio::null());
    command.stdout(stdout).stderr(stderr).status().unwrap().code()
}

#[test]
fn a_closed_pipe_is_no_panic() {
    for arguments in [&["completions", "bash"][..], &["man"]] {
        assert_eq!(
            ended(arguments, closed(), Stdio::null()),
            Some(CLOSED_PIPE),
            "{arguments:?}"
        );
    }
    let unsound = &["check", "/there/is/no/such/file.yaml"];
    assert_eq!(ended(unsound, Stdio::null(), closed()), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    for arguments in [&["completions", "bash"][..], &["man"], &["--help"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_drivetrain"));
        let output = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(full)
            .stderr(Stdio::piped());
        let output = output.spawn().unwrap().wait_with_output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(
            told.starts_with("error: the output can't be written: "),
            "{arguments:?}: {told}"
        );
    }
}
