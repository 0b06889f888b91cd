//! The program's arguments, exit code and exit message.

#![allow(clippy::unwrap_used)] // What fails here fails the test, as it should.

use std::process::{Command, Output};

fn run(base: &std::path::Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_drivetrain-combine"))
        .args(arguments)
        .env("SAGEMAKER_BASE_DIR", base)
        .output()
        .unwrap()
}

#[test]
fn a_job_that_fails_leaves_a_message() {
    let base = tempfile::tempdir().unwrap();
    let message = || std::fs::read_to_string(base.path().join("output/message")).unwrap();
    let ended = run(
        base.path(),
        &["--job", "nowhere.json", "--input", "in", "--output", "out"],
    );
    assert_eq!(ended.status.code(), Some(1));
    assert!(message().starts_with("JobInvalid: the scoring job can't be used: nowhere.json"));

    let job = base.path().join("scoring.json");
    std::fs::write(&job, "{}").unwrap();
    run(
        base.path(),
        &["--job", job.to_str().unwrap(), "--input", "in", "--output", "out"],
    );
    assert!(message().contains("missing field `run_id`"), "{}", message());
}

#[test]
fn help_has_an_example() {
    let base = tempfile::tempdir().unwrap();
    let help = run(base.path(), &["--help"]);
    assert!(help.status.success());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("drivetrain-combine --job input/code/scoring.json")
    );
    assert_eq!(run(base.path(), &["--what"]).status.code(), Some(1));
}
