//! Local stacks that are not there: what is asked for can't be shown, and that is an error.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

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
        let mut drivetrain = Command::new(env!("CARGO_BIN_EXE_drivetrain"));
        drivetrain.args(["--on", "local", "--instance", "nope"]).args(command);
        drivetrain.env("DRIVETRAIN_LOCAL", folder.path()).stdin(Stdio::null());
        let output = drivetrain.output().unwrap();
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(1), &b""[..]),
            "{command:?}"
        );
        assert_eq!(
            told, "error: the local stack `nope` is down: start it with `cargo xtask --instance nope up`\n",
            "{command:?}"
        );
    }
}
