//! `env`: prints shell exports that point `drivetrain` and any AWS client at the local stack.

use crate::deploy;
use crate::layout::Layout;
use anyhow::{Context, Result};
use clap::Args;
use drivetrain::api::Api;
use drivetrain::target::Target;
use drivetrain::ui;
use std::path::PathBuf;

/// Print shell exports for the local stack: AWS_ENDPOINT_URL and related variables, DRIVETRAIN_* names, and where
/// `drivetrain` is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    eval \"$(cargo xtask env)\"\n  \
    drivetrain status\n  \
    aws s3 cp listings.csv \"s3://$DRIVETRAIN_BUCKET/used-car-price/training/incoming/\"\n  \
    curl -H \"x-api-key: $DRIVETRAIN_API_KEY\" -H 'content-type: application/json' \\\n    \
        -d '{\"instances\": [{\"year\": 2012}]}' \"$DRIVETRAIN_API_URL/use-cases/used-car-price/predictions\"")]
pub struct Env {}

impl Env {
    /// Prints the exports.
    ///
    /// # Errors
    /// The stack is down, or nothing is deployed on it.
    #[allow(clippy::unused_self, reason = "every subcommand runs alike")]
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        for (name, value) in variables(layout).await? {
            ui::show(&format!("export {name}={}", quoted(&value)));
        }
        if let Some(folder) = not_on_path()? {
            ui::show(&format!(
                "export PATH={}:\"$PATH\"",
                quoted(&folder.display().to_string())
            ));
        }
        ui::show("unset AWS_PROFILE AWS_SESSION_TOKEN");
        Ok(())
    }
}

/// The variables that a client of the local stack needs; the end-to-end tests get the same.
///
/// # Errors
/// The stack is down, or nothing is deployed on it.
pub async fn variables(layout: &Layout) -> Result<Vec<(String, String)>> {
    let state = layout.found().running()?;
    let mut found: Vec<(String, String)> = deploy::local_environment(&state.endpoint())
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
    let target = Target::local(state.clone(), deploy::STACK);
    let platform = target.platform().await?;
    let api = Api::of(&target, &platform).await?;
    for (name, value) in [
        ("ON", "local".to_owned()),
        ("INSTANCE", layout.instance().to_owned()),
        ("LOCAL", layout.local().display().to_string()),
        ("STACK", target.stack),
        ("BUCKET", platform.bucket),
        ("TOPIC_ARN", platform.topic_arn),
        ("API_URL", api.url),
        ("API_KEY", api.key),
        ("TRAINING_STATE_MACHINE_ARN", platform.training_state_machine_arn),
        ("SCORING_STATE_MACHINE_ARN", platform.scoring_state_machine_arn),
        ("MONITOR_STATE_MACHINE_ARN", platform.monitor_state_machine_arn),
        ("SAGEMAKER_URL", state.sagemaker_url()),
        ("INBOX", state.inbox().display().to_string()),
        ("STACK_FOLDER", state.folder.display().to_string()),
    ] {
        found.push((format!("DRIVETRAIN_{name}"), value));
    }
    Ok(found)
}

/// The folder of the built `drivetrain`, which is also this program's, unless it is on the PATH already.
fn not_on_path() -> Result<Option<PathBuf>> {
    let program = std::env::current_exe().context("this program has no path")?;
    let folder = program.parent().context("this program is in no folder")?.to_path_buf();
    let path = std::env::var_os("PATH").unwrap_or_default();
    Ok((!std::env::split_paths(&path).any(|known| known == folder)).then_some(folder))
}

/// Quotes a word for a POSIX shell.
fn quoted(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !value.is_empty() && value.chars().all(plain) {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_shell() {
        for value in ["http://127.0.0.1:4566", "", "it's $HOME `x`", "a b\"c"] {
            let script = format!("printf %s {}", quoted(value));
            let answer = std::process::Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(answer.stdout).unwrap(), value);
        }
    }
}
