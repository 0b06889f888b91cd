//! `test`: runs all checks and tests, step by step. The steps that need a stack are in `on_stack`.

mod imports;
mod on_stack;
mod step;

use super::schema;
use crate::cargo;
use crate::checks::counts::{self, Count};
use crate::checks::machine;
use crate::environments::{self, Environment};
use crate::generate;
use crate::layout::Layout;
use crate::process::output;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum as _};
use drivetrain::document::{self, yaml::Marked};
use drivetrain::local;
use drivetrain::ui;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use step::{Outcome, QUERIES, Step, can_browse, counted, files, pytest};
use tokio::process::Command;

const PROPTEST_SEED: &str = "PROPTEST_RNG_SEED";
const NO_BROWSER: &str = "no browser is packaged for this machine, and neither Chromium nor Chrome is installed";

/// Check formats and lints, run all tests, validate template and state machines.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask test                        everything\n  \
    cargo xtask test format lint unit       some steps\n  \
    cargo xtask test --list                 the steps\n\n\
    The last line is `N passed, N failed`: tests where a step has tests, else the step itself.")]
pub struct Test {
    /// Which steps [default: all, in the order of --list]
    #[arg(value_name = "STEP", value_enum)]
    steps: Vec<Step>,

    /// List the steps
    #[arg(long)]
    list: bool,
}

impl Test {
    /// Runs the steps; a failing step doesn't stop the others.
    ///
    /// # Errors
    /// An environment can't be made.
    pub async fn run(&self, layout: &Layout) -> Result<ExitCode> {
        if self.list {
            for step in Step::value_variants() {
                ui::show(&format!("{:<13} {}", step.name(), step.about()));
            }
            return Ok(ExitCode::SUCCESS);
        }
        let steps = if self.steps.is_empty() {
            Step::value_variants().to_vec()
        } else {
            self.steps.clone()
        };
        let mut total = Count::default();
        let mut rows = vec![["step", "passed", "failed", "time"].map(str::to_owned).to_vec()];
        for step in steps {
            let began = Instant::now();
            let (passed, failed) = match step.run(layout).await {
                Ok(Outcome::Ran(count)) => {
                    total = total + count;
                    (count.passed.to_string(), count.failed.to_string())
                }
                Ok(Outcome::Repeated(count, repeated)) => {
                    total = total + count;
                    let passed = format!("{} ({repeated} at the second attempt)", count.passed);
                    (passed, count.failed.to_string())
                }
                Ok(Outcome::Skipped(why)) => {
                    ui::say(&format!("{:<13} skipped: {why}", step.name()));
                    ("skipped".to_owned(), String::new())
                }
                Err(error) => {
                    ui::say(&format!("{:<13} FAILED", step.name()));
                    ui::error(&error);
                    total.failed += 1;
                    ("0".to_owned(), "1".to_owned())
                }
            };
            rows.push(vec![step.name(), passed, failed, ui::seconds(began.elapsed())]);
        }
        ui::show(&format!("\n{}", ui::table(&rows)));
        ui::show(&format!("{} passed, {} failed", total.passed, total.failed));
        Ok(if total.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

impl Step {
    async fn run(self, layout: &Layout) -> Result<Outcome> {
        environments::ensure(layout, self.environments()).await?;
        let tool = |name: &str| Command::new(Environment::Tools.program(layout, name));
        match self {
            Self::Format => {
                let mut rust = cargo::command(layout);
                rust.args(["fmt", "--all", "--check"]);
                let mut python = tool("ruff");
                python.args(["format", "--check", "--quiet", "."]);
                let own = imports::check(layout)?;
                Ok(Outcome::Ran(own + self.checks(layout, [rust, python]).await?))
            }
            Self::Lint => {
                let mut rust = cargo::command(layout);
                rust.args([
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--quiet",
                    "--",
                    "--deny",
                    "warnings",
                ]);
                let mut python = tool("ruff");
                python.args(["check", "--quiet", "."]);
                Ok(Outcome::Ran(self.checks(layout, [python, rust]).await?))
            }
            Self::Schema => {
                schema::check(layout)?;
                let mut documents = files(layout, "models", ".yaml")?;
                documents.extend(files(layout, "examples/bike-rentals", ".yaml")?);
                for file in &documents {
                    document::sound(file)?;
                }
                Ok(Outcome::Ran(Count {
                    passed: 1 + documents.len() as u64,
                    failed: 0,
                }))
            }
            Self::Generated => Ok(Outcome::Ran(Count {
                passed: generate::check(layout)? as u64,
                failed: 0,
            })),
            Self::Template => {
                let mut sam = tool("sam");
                sam.args([
                    "validate",
                    "--lint",
                    "--template",
                    "template.yaml",
                    "--region",
                    local::REGION,
                ]);
                sam.env("SAM_CLI_TELEMETRY", "0")
                    .env("__SAM_CLI_APP_DIR", layout.local().join("sam/settings"));
                let mut lint = tool("cfn-lint");
                lint.args(["--regions", local::REGION, "--", "template.yaml"]);
                Ok(Outcome::Ran(self.checks(layout, [sam, lint]).await?))
            }
            Self::Machines => {
                let validator = layout
                    .environment(Environment::Node.name())
                    .join("node_modules/asl-validator/dist/bin/asl-validator.js");
                let mut node = Command::new(Environment::Node.program(layout, "node"));
                // The resources are substitutions of the template, not ARNs yet.
                node.arg(validator).arg("--no-arn-check");
                let machines = files(layout, "statemachines", ".asl.json")?;
                for machine in &machines {
                    node.arg("--json-path").arg(machine);
                }
                let own = own_checks(layout, &machines)?;
                Ok(Outcome::Ran(own + self.checks(layout, [node]).await?))
            }
            Self::Dependencies => {
                if output(cargo::command(layout).args(["deny", "--version"]))
                    .await
                    .is_err()
                {
                    return Ok(Outcome::Skipped(
                        "cargo-deny is missing: `cargo install --locked cargo-deny`",
                    ));
                }
                let mut deny = cargo::command(layout);
                deny.args(["deny", "--workspace", "check"]);
                Ok(Outcome::Ran(self.checks(layout, [deny]).await?))
            }
            Self::Unit => self.unit(layout).await,
            Self::Faults => self.faults(layout).await,
            Self::Browser => self.browser(layout).await,
            Self::Processing => self.python(layout, Environment::Ml, "processing").await,
            Self::Containers => self.python(layout, Environment::Ml, "local/containers").await,
            Self::Plugin => self.python(layout, Environment::Localstack, "local/localstack").await,
            Self::Glue => self.python(layout, Environment::Spark, "tests/glue").await,
            Self::Queries => self.python(layout, Environment::Queries, QUERIES).await,
            Self::Clients => {
                cargo::build(layout).await?;
                self.python(layout, Environment::Clients, "tests/clients").await
            }
            Self::EndToEnd => self.end_to_end(layout).await,
            Self::Demo => self.demo(layout).await,
        }
    }

    fn environments(self) -> &'static [Environment] {
        match self {
            Self::Schema | Self::Generated | Self::Dependencies | Self::Faults => &[],
            Self::Format | Self::Lint | Self::Template => &[Environment::Tools],
            Self::Machines => &[Environment::Node],
            Self::Browser if can_browse() => &[Environment::Browser],
            Self::Browser => &[],
            Self::Unit | Self::Processing | Self::Containers => &[Environment::Ml],
            Self::Plugin => &[Environment::Localstack],
            Self::Glue => &[Environment::Spark],
            Self::Queries => &[Environment::Queries],
            Self::Clients => &[Environment::Clients, Environment::Localstack, Environment::Ml],
            Self::EndToEnd => &[
                Environment::Localstack,
                Environment::Ml,
                Environment::Tools,
                Environment::Spark,
            ],
            // The demo's own command makes the environments that a stack needs.
            Self::Demo if can_browse() => &[Environment::Queries, Environment::Browser],
            Self::Demo => &[Environment::Queries],
        }
    }

    /// Programs are built for the whole workspace at once, so that features and with them the SDKs are the same.
    async fn unit(self, layout: &Layout) -> Result<Outcome> {
        // Integration tests start programs of the workspace.
        cargo::build(layout).await?;
        let mut tests = cargo::command(layout);
        if output(cargo::command(layout).args(["nextest", "--version"]))
            .await
            .is_ok()
        {
            tests.args([
                "nextest",
                "run",
                "--workspace",
                "--no-fail-fast",
                "--status-level",
                "fail",
            ]);
        } else {
            tests.args(["test", "--workspace", "--no-fail-fast", "--quiet"]);
        }
        tests.env("INSTA_UPDATE", "no");
        // The same random cases in every run, so that a failure can be repeated; another seed tries other cases.
        if std::env::var_os(PROPTEST_SEED).is_none() {
            tests.env(PROPTEST_SEED, "1");
        }
        let (success, text) = self.logged(layout, &mut tests).await?;
        counted(success, counts::of_cargo(&text)).map(Outcome::Ran)
    }

    /// The matrix reports its rows as cargo reports tests.
    async fn faults(self, layout: &Layout) -> Result<Outcome> {
        let mut matrix = cargo::command(layout);
        matrix.args(["run", "--quiet", "--bin", "fault-matrix"]);
        let (success, text) = self.logged(layout, &mut matrix).await?;
        if success {
            ui::show(&text);
        }
        counted(success, counts::of_cargo(&text)).map(Outcome::Ran)
    }

    async fn python(self, layout: &Layout, environment: Environment, folder: &str) -> Result<Outcome> {
        self.pytest(layout, &mut pytest(layout, environment, folder))
            .await
            .map(Outcome::Ran)
    }

    /// Pages of the reports' own documents, looked at as files.
    async fn browser(self, layout: &Layout) -> Result<Outcome> {
        if !can_browse() {
            return Ok(Outcome::Skipped(NO_BROWSER));
        }
        let pages = layout.local().join("browser-pages");
        let mut make = cargo::command(layout);
        make.args(["run", "--quiet", "--example", "dashboard", "--"])
            .arg(&pages);
        let (made, _) = self.logged(layout, &mut make).await?;
        if !made {
            bail!("the pages can't be made: `cargo run --example dashboard -- FOLDER` says why");
        }
        self.look(layout, "tests/browser", &pages).await.map(Outcome::Ran)
    }
}

/// Checks that no validator makes, such as that every choice has a default.
fn own_checks(layout: &Layout, machines: &[PathBuf]) -> Result<Count> {
    let template = Marked::parse(&std::fs::read_to_string(layout.path("template.yaml"))?)?;
    let mut count = Count::default();
    for path in machines {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let machine = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", path.display()))?;
        let mut mistakes = machine::check(&machine);
        let uri = layout.shown(path);
        mistakes.extend(machine::check_substitutions(&text, &uri, &template));
        for mistake in &mistakes {
            ui::say(&format!("{}: {mistake}", path.display()));
        }
        count = count + Count::of(mistakes.is_empty());
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_ran_nothing_or_broke_is_no_success() {
        let failed = |count: Result<Count>| count.map_or(99, |count| count.failed);
        assert_eq!(failed(counted(false, Count { passed: 5, failed: 0 })), 1);
        assert_eq!(failed(counted(true, Count { passed: 5, failed: 0 })), 0);
        assert_eq!(failed(counted(true, Count::default())), 99);
    }

    #[test]
    fn every_step_says_what_it_does() {
        for step in Step::value_variants() {
            assert!(!step.about().is_empty(), "{step:?}");
        }
    }
}
