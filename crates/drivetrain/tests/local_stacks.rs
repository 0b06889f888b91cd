//! Local stacks that are not there, or hold another stack: what is asked for can't be shown, and that is an error.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use drivetrain::local::Identity;
use serde_json::json;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

#[test]
fn a_local_stack_that_is_down_shows_nothing_and_says_what_starts_it() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        &["status"][..],
        &["status", "--json"],
        &["inbox"],
        &["logs"],
        &["champions", "cars"],
    ] {
        let told = refused(folder.path(), &["--instance", "nope"], command);
        assert_eq!(
            told, "error: the local stack `nope` is down: start it with `cargo xtask --instance nope up`\n",
            "{command:?}"
        );
    }
}

/// A Parameter Store without parameters; returns its port.
fn parameter_store() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).unwrap() <= 2 {
                    break;
                }
                let line = line.to_ascii_lowercase();
                length = line
                    .strip_prefix("content-length:")
                    .map_or(length, |it| it.trim().parse().unwrap());
            }
            stream.read_exact(&mut vec![0; length]).unwrap();
            let body = r#"{"Parameters": []}"#;
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close\r\ncontent-length:";
            write!(stream.get_mut(), "{head} {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    port
}

#[test]
fn nothing_of_the_stack_that_is_there_is_shown_when_another_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let instance = folder.path().join("second");
    std::fs::create_dir(&instance).unwrap();
    let mail = json!({"time": "t", "to": "kim@example.com", "subject": "s", "message": "m"});
    std::fs::write(instance.join("inbox.jsonl"), format!("{mail}\n")).unwrap();
    let ourselves = Identity::of(std::process::id()).unwrap();
    let process = |name: &str| {
        let mut process = json!(ourselves);
        process["name"] = json!(name);
        process["log"] = json!(instance.join("log"));
        process
    };
    let state = json!({
        "started_at": "2026-11-22T18:30:00Z", "folder": instance, "localstack_port": parameter_store(), "sagemaker_port": 1,
        "processes": [process("sagemaker"), process("localstack")],
        "deployed": {"stack": "drivetrain", "fingerprint": "f", "at": "2026-11-22T18:30:00Z"},
    });
    std::fs::write(instance.join("state.json"), state.to_string()).unwrap();
    for command in [
        &["status"][..],
        &["status", "--json"],
        &["inbox"],
        &["logs"],
        &["logs", "sagemaker"],
    ] {
        let told = refused(folder.path(), &["--instance", "second", "--stack", "nope"], command);
        assert!(
            told.contains("the local stack `second` has stack `drivetrain`"),
            "{command:?}: {told}"
        );
    }
}

/// Runs a command on the local stacks of a folder, which must be refused: exit code 1, and nothing on standard output.
/// Returns what it says on standard error.
fn refused(stacks: &Path, options: &[&str], command: &[&str]) -> String {
    let mut drivetrain = Command::new(env!("CARGO_BIN_EXE_drivetrain"));
    drivetrain.args(["--on", "local"]).args(options).args(command);
    drivetrain.env("DRIVETRAIN_LOCAL", stacks).stdin(Stdio::null());
    let output = drivetrain.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(1), &b""[..]),
        "{command:?}: {told}"
    );
    told
}
