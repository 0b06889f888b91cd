//! Which AWS account the command works on. Nothing here gets as far as calling AWS.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::{Command, Stdio};

/// Runs `drivetrain status` with these options and variables, and this configuration; returns what it says on stderr.
fn said(configuration: &str, options: &[&str], variables: &[(&str, &str)]) -> String {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    std::fs::write(home.path().join(".aws/config"), configuration).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_drivetrain"));
    command.args(options).arg("status").env_clear().stdin(Stdio::null());
    command
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    String::from_utf8(output.stderr).unwrap()
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "b")];
const TWO: &str = "[default]\nregion = eu-west-1\n[profile real]\nregion = eu-west-1\n\
                   credential_process = sh -c 'echo asked the profile >&2; exit 1'\n";

#[test]
fn a_profile_that_is_asked_for_wins_over_keys_in_the_environment() {
    let told = said(TWO, &["--profile", "real"], &KEYS);
    assert!(told.contains("asked the profile"), "{told}");
}

#[test]
fn a_profile_that_does_not_exist_is_named_with_those_that_do() {
    let of_file = "isn't in the AWS configuration (~/.aws/config, ~/.aws/credentials)";
    for keys in [&KEYS[..], &[]] {
        let told = said(TWO, &["--profile", "nope"], keys);
        let wanted = format!("error: profile `nope` {of_file}; these are: default, real\n");
        assert_eq!(told, wanted);
    }
    let told = said(
        "",
        &["--region", "eu-west-1"],
        &[KEYS[0], KEYS[1], ("AWS_PROFILE", "nope")],
    );
    assert_eq!(
        told,
        format!("error: profile `nope` of AWS_PROFILE {of_file}: it has no profiles\n")
    );
    let told = said("[profile", &[], &KEYS);
    assert!(
        told.contains("the AWS configuration can't be read (~/.aws/config"),
        "{told}"
    );
}
