//! `test`: everything that must hold, step by step.

use crate::checks::machine;
use crate::environments::{self, Environment};
use crate::layout::Layout;
use crate::stack::Wishes;
use crate::{cargo, commands, process, ui};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use tokio::process::Command;

/// Run everything that must hold: format, lints, definitions, unit, plugin, client and end-to-end tests.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask test                     all steps; the last line counts them\n  \
    cargo xtask test format lints unit   some of them\n  \
    cargo xtask test --list              what there is\n\n\
    The end-to-end step starts a local stack of its own beside one that is up, and stops it again.")]
pub struct Test {
    /// Steps to run [default: all]
    steps: Vec<Check>,

    /// Only list the steps
    #[arg(long)]
    list: bool,
}

/// A step, in the order in which they run: the quick ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Check {
    /// `cargo fmt --check`
    Format,
    /// SAM and cfn-lint on template.yaml
    Template,
    /// cfn-lint and our own check of transitions on statemachines/
    Machines,
    /// The use-case documents' JSON Schema is what the types say
    Schema,
    /// Clippy, every warning an error
    Lints,
    /// cargo-deny: licences, bans, sources (skipped where cargo-deny isn't installed)
    Dependencies,
    /// Unit and integration tests of every crate
    Unit,
    /// Preprocessing, serving and the local algorithm containers, in Python
    Containers,
    /// The LocalStack plugin
    Plugin,
    /// boto3 and the SageMaker Python SDK against sagemaker-local
    Clients,
    /// The whole on a local stack of its own
    EndToEnd,
}

/// How a step ended.
enum Outcome {
    Passed,
    Failed,
    Skipped,
}

impl Test {
    /// Runs the steps; a failed one does not keep the others from running.
    ///
    /// # Errors
    /// None of its own: failures are counted.
    pub async fn run(&self, layout: &Layout) -> Result<ExitCode> {
        if self.list {
            for check in Check::value_variants() {
                let value = check.to_possible_value().unwrap_or_default();
                println!("{:<14} {}", value.get_name(), value.get_help().map(ToString::to_string).unwrap_or_default());
            }
            return Ok(ExitCode::SUCCESS);
        }
        let all = Check::value_variants().iter().copied();
        let mut rows = vec![["step", "result", "time"].map(str::to_owned).to_vec()];
        let (mut passed, mut failed, mut skipped) = (0, 0, 0);
        for check in all.filter(|check| self.steps.is_empty() || self.steps.contains(check)) {
            let value = check.to_possible_value().unwrap_or_default();
            let name = value.get_name();
            ui::say(&format!("\n=== {name}"));
            let began = Instant::now();
            let result = match check.run(layout).await {
                Ok(Outcome::Passed) => {
                    passed += 1;
                    "passed"
                }
                Ok(Outcome::Skipped) => {
                    skipped += 1;
                    "skipped"
                }
                Ok(Outcome::Failed) => {
                    failed += 1;
                    "FAILED"
                }
                Err(error) => {
                    ui::error(&error);
                    failed += 1;
                    "FAILED"
                }
            };
            rows.push(vec![name.to_owned(), result.to_owned(), ui::seconds(began.elapsed())]);
        }
        println!("\n{}", ui::table(&rows));
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Check {
    async fn run(self, layout: &Layout) -> Result<Outcome> {
        match self {
            Self::Format => cargo(layout, &["fmt", "--all", "--check"]).await,
            Self::Template => template(layout).await,
            Self::Machines => machines(layout).await,
            Self::Schema => commands::schema::check(layout).map(|()| Outcome::Passed),
            Self::Lints => {
                let words = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"];
                cargo(layout, &words).await
            }
            Self::Dependencies => dependencies(layout).await,
            Self::Unit => cargo(layout, &["test", "--workspace", "--no-fail-fast", "--quiet"]).await,
            Self::Containers => {
                pytest(layout, Environment::Ml, &["processing/tests", "local/containers/tests"]).await
            }
            Self::Plugin => pytest(layout, Environment::Localstack, &["local/localstack/tests"]).await,
            Self::Clients => {
                // They start the servers themselves.
                environments::ensure(layout, &[Environment::Localstack, Environment::Ml]).await?;
                cargo::build(layout).await?;
                pytest(layout, Environment::Clients, &["tests/clients"]).await
            }
            Self::EndToEnd => end_to_end(layout).await,
        }
    }
}

/// Runs a program with its output shown: its failure is the step's.
async fn passes(command: &mut Command) -> Result<Outcome> {
    let status = process::Foreground::spawn(command)?.wait().await?;
    Ok(if status.success() { Outcome::Passed } else { Outcome::Failed })
}

async fn cargo(layout: &Layout, words: &[&str]) -> Result<Outcome> {
    passes(cargo::command(layout).args(words)).await
}

async fn pytest(layout: &Layout, environment: Environment, folders: &[&str]) -> Result<Outcome> {
    environments::ensure(layout, &[environment]).await?;
    let mut command = Command::new(environment.program(layout, "python"));
    command.args(["-m", "pytest", "-q", "-p", "no:cacheprovider"]).args(folders);
    passes(command.current_dir(layout.root()).env("PYTHONDONTWRITEBYTECODE", "1")).await
}

/// A program of the tools' environment that never looks for an account or reports home.
fn tool(layout: &Layout, program: &str) -> Command {
    let mut command = Command::new(Environment::Tools.program(layout, program));
    command.current_dir(layout.root()).env("SAM_CLI_TELEMETRY", "0").env("AWS_DEFAULT_REGION", "us-east-1");
    command
}

async fn template(layout: &Layout) -> Result<Outcome> {
    environments::ensure(layout, &[Environment::Tools]).await?;
    match passes(tool(layout, "sam").args(["validate", "--lint", "--template", "template.yaml"])).await? {
        Outcome::Passed => passes(tool(layout, "cfn-lint").arg("template.yaml")).await,
        other => Ok(other),
    }
}

/// cfn-lint knows the form of states, but reads machines only inside a template: each is put into one.
async fn machines(layout: &Layout) -> Result<Outcome> {
    environments::ensure(layout, &[Environment::Tools]).await?;
    let folder = tempfile::tempdir()?;
    let mut outcome = Outcome::Passed;
    for path in definitions(layout)? {
        let shown = layout.shown(&path);
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {shown}"))?;
        let definition: serde_json::Value =
            serde_json::from_str(&substituted(&text)).with_context(|| format!("{shown} is no JSON"))?;
        let mistakes = machine::check(&definition);
        for mistake in &mistakes {
            ui::say(&format!("{shown}: {mistake}"));
        }
        let template = serde_json::json!({"Resources": {"Machine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"RoleArn": "arn:aws:iam::000000000000:role/machine", "Definition": definition},
        }}});
        let copy = folder.path().join("template.json");
        std::fs::write(&copy, template.to_string())?;
        let linted = passes(tool(layout, "cfn-lint").arg("--template").arg(&copy)).await?;
        if !mistakes.is_empty() || !matches!(linted, Outcome::Passed) {
            outcome = Outcome::Failed;
        }
    }
    Ok(outcome)
}

/// A definition with something of the right form for every `${Substitution}`, as the template will put it in.
fn substituted(text: &str) -> String {
    let mut parts = text.split("${");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once('}').unwrap_or((part, ""));
        whole.push_str(match name {
            _ if name.ends_with("FunctionArn") => "arn:aws:lambda:us-east-1:000000000000:function:name",
            _ if name.ends_with("RoleArn") => "arn:aws:iam::000000000000:role/name",
            _ => "name",
        });
        whole.push_str(rest);
    }
    whole
}

fn definitions(layout: &Layout) -> Result<Vec<PathBuf>> {
    let folder = layout.path("statemachines");
    let entries = std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", layout.shown(&folder)))?;
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.to_string_lossy().ends_with(".asl.json"));
    found.sort();
    if found.is_empty() {
        bail!("there is no state machine in {}", layout.shown(&folder));
    }
    Ok(found)
}

async fn dependencies(layout: &Layout) -> Result<Outcome> {
    if process::output(cargo::command(layout).args(["deny", "--version"])).await.is_err() {
        ui::say("cargo-deny is not installed: `cargo install cargo-deny --locked` brings it");
        return Ok(Outcome::Skipped);
    }
    cargo(layout, &["deny", "check", "bans", "licenses", "sources"]).await
}

async fn end_to_end(layout: &Layout) -> Result<Outcome> {
    let layout = layout.with_instance("end-to-end");
    let _lock = layout.lock_instance()?;
    let wishes = Wishes {
        images: vec![layout.path("tests/end_to_end/own_image/images.yaml")],
        ..Wishes::default()
    };
    // Dropped at the end, however the tests end: the stack stops.
    let (started, _) = commands::up::bring_up(&layout, &wishes).await?;
    let variables = commands::env::variables(&layout).await?;
    let mut command = cargo::command(&layout);
    command.args(["test", "--workspace", "--test", "end-to-end", "--", "--ignored", "--test-threads", "3"]);
    let outcome = passes(command.envs(variables)).await;
    drop(started);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substitutions_get_values_of_their_form() {
        assert_eq!(
            substituted(r#"{"Resource": "${GateFunctionArn}", "Name": "/x/${Stack}/y"}"#),
            r#"{"Resource": "arn:aws:lambda:us-east-1:000000000000:function:name", "Name": "/x/name/y"}"#
        );
        assert_eq!(substituted("none"), "none");
    }
}
