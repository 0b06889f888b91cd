//! Builds the workspace's programs.

use crate::layout::Layout;
use crate::process::{Foreground, create_log_or_inherit};
use anyhow::{Context, Result, bail};
use drivetrain::ui::{self, Step};
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// The programs that a build has made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Binaries(Vec<Binary>);

/// One program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// Its name.
    pub name: String,
    /// The path of its file.
    pub path: PathBuf,
}

impl Binaries {
    /// The program called `name`.
    ///
    /// # Errors
    /// The workspace has no such program.
    pub fn get(&self, name: &str) -> Result<&Binary> {
        let found = self.0.iter().find(|binary| binary.name == name);
        found.with_context(|| format!("the workspace has no program `{name}`"))
    }
}

/// A cargo command, with what all our builds have in common.
pub fn command(layout: &Layout) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(layout.root());
    // Variables that cargo has set for this package don't concern build scripts, and would make them run again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") || text == "CARGO_CRATE_NAME" {
            command.env_remove(&name);
        }
    }
    command
}

/// Builds every program of the workspace, in the development profile.
///
/// # Errors
/// Compilation fails; the compiler's messages have been shown.
pub async fn build(layout: &Layout) -> Result<Binaries> {
    let step = Step::begin_quietly("Build");
    let log = layout.setup_log("build");
    let mut cargo = command(layout);
    cargo
        .args([
            "build",
            "--workspace",
            "--bins",
            "--message-format=json-render-diagnostics",
        ])
        .stdout(Stdio::piped());
    // On a terminal, cargo's own progress is better than ours.
    create_log_or_inherit(&mut cargo, &log, ui::on_terminal())?;
    let mut running = Foreground::spawn(&mut cargo)?;
    let Some(messages) = running.stdout() else {
        bail!("cargo's messages are not there")
    };
    let mut lines = BufReader::new(messages).lines();
    let mut binaries = Binaries::default();
    while let Some(line) = lines.next_line().await? {
        binaries.0.extend(parse(&line));
    }
    let status = running.wait().await?;
    if !status.success() {
        let end = if ui::on_terminal() {
            String::new()
        } else {
            format!(":\n{}", crate::process::tail(&log, 60))
        };
        bail!("the build failed{end}");
    }
    step.done(&format!("{} programs", binaries.0.len()));
    Ok(binaries)
}

/// The program that a message of cargo reports, if any.
fn parse(line: &str) -> Option<Binary> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
        target: Target,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
        kind: Vec<String>,
    }
    let message: Message = serde_json::from_str(line).ok()?;
    message.target.kind.iter().any(|kind| kind == "bin").then_some(())?;
    Some(Binary {
        name: message.target.name,
        path: message.executable?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_read_from_cargos_messages() {
        let artifact = r#"{"reason":"compiler-artifact","package_id":"x","manifest_path":"/r/functions/start-run/Cargo.toml",
            "target":{"kind":["bin"],"name":"start-run"},"executable":"/r/target/debug/start-run"}"#;
        let library = r#"{"reason":"compiler-artifact","manifest_path":"/r/crates/x/Cargo.toml","target":{"kind":["lib"],"name":"x"},"executable":null}"#;
        let finished = r#"{"reason":"build-finished","success":true}"#;
        let binaries = Binaries(
            [artifact, library, finished]
                .iter()
                .filter_map(|line| parse(line))
                .collect(),
        );
        assert_eq!(
            binaries.get("start-run").unwrap().path,
            PathBuf::from("/r/target/debug/start-run")
        );
        assert!(binaries.get("other").is_err());
    }
}
