//! `test`: runs all checks and tests, step by step. The steps that need a stack are in `on_stack`.

mod on_stack;

use super::schema;
use crate::cargo;
use crate::checks::counts::{self, Count};
use crate::checks::machine;
use crate::environments::{self, Environment};
use crate::layout::Layout;
use crate::process::{Foreground, create_log, output, tail};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use drivetrain::document::{self, yaml::Marked};
use drivetrain::local;
use drivetrain::ui::{self, Step as Progress};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use tokio::process::Command;

/// The tests of the reporting views.
const QUERIES: &str = "tests/queries";
const PROPTEST_SEED: &str = "PROPTEST_RNG_SEED";
const NO_BROWSER: &str = "no browser is packaged for this machine, and neither Chromium nor Chrome is installed";
/// How many lines of a failure's log are shown.
const TAIL: usize = 80;

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

/// A step. Quick ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Step {
    /// cargo fmt, and ruff for Python
    Format,
    /// models/use-case.schema.json agrees with the types, and every document in models/ is valid
    Schema,
    /// sam validate --lint and cfn-lint on template.yaml
    Template,
    /// asl-validator on the state machines: it follows every Next
    Machines,
    /// clippy without warnings, and ruff for Python
    Lint,
    /// cargo deny: advisories, licences, banned crates (skipped where cargo-deny is missing)
    Dependencies,
    /// The workspace's unit and integration tests
    Unit,
    /// The fault matrix: what is guaranteed when something goes wrong, one row per fault; prints its table
    Faults,
    /// The reports in headless Chromium (skipped where no browser can run)
    Browser,
    /// The container scripts of processing/
    Processing,
    /// The local containers
    Containers,
    /// The LocalStack plugin
    Plugin,
    /// The Glue job's script, on local Spark
    Glue,
    /// The reporting queries over reporting files; DuckDB stands in for Athena
    Queries,
    /// boto3 and the SageMaker SDK against sagemaker-local
    Clients,
    /// Everything together, on a stack of its own
    EndToEnd,
    /// The demo on a stack of its own; then the reporting queries and the browser tests run on what it has reported
    Demo,
}

/// How a step ended.
enum Outcome {
    Ran(Count),
    /// Like `Ran`; this many of those that passed did so only at the second attempt.
    Repeated(Count, usize),
    Skipped(&'static str),
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
    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    fn about(self) -> String {
        let value = self.to_possible_value();
        value
            .and_then(|value| value.get_help().map(ToString::to_string))
            .unwrap_or_default()
    }

    async fn run(self, layout: &Layout) -> Result<Outcome> {
        environments::ensure(layout, self.environments()).await?;
        let tool = |name: &str| Command::new(Environment::Tools.program(layout, name));
        match self {
            Self::Format => {
                let mut rust = cargo::command(layout);
                rust.args(["fmt", "--all", "--check"]);
                let mut python = tool("ruff");
                python.args(["format", "--check", "--quiet", "."]);
                Ok(Outcome::Ran(self.checks(layout, [rust, python]).await?))
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
            Self::Schema | Self::Dependencies | Self::Faults => &[],
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

    /// Runs commands that must succeed; each counts as one check.
    async fn checks<const N: usize>(self, layout: &Layout, commands: [Command; N]) -> Result<Count> {
        let mut count = Count::default();
        for mut command in commands {
            count = count + Count::of(self.logged(layout, &mut command).await?.0);
        }
        Ok(count)
    }

    /// Programs are built for the whole workspace at once, so that features, and therefore the SDKs, are the same.
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

    async fn pytest(self, layout: &Layout, tests: &mut Command) -> Result<Count> {
        let (success, text) = self.logged(layout, tests).await?;
        counted(success, counts::of_pytest(&text))
    }

    /// Tests pages made from the reports' own sample documents, opened as files.
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

    /// Runs the browser tests of a folder on a folder of pages.
    async fn look(self, layout: &Layout, tests: &str, pages: &Path) -> Result<Count> {
        let mut node = Command::new(Environment::Browser.program(layout, "node"));
        node.args(["--test", "--test-reporter=tap"]);
        node.args(files(layout, tests, ".test.mjs")?);
        node.env("BROWSER_ENVIRONMENT", layout.environment(Environment::Browser.name()))
            .env("BROWSER_PAGES", pages);
        let (success, text) = self.logged(layout, &mut node).await?;
        counted(success, counts::of_node(&text))
    }

    /// Runs a command with its output in the step's log; returns whether it succeeded, and its output. A failure is
    /// shown at once.
    async fn logged(self, layout: &Layout, command: &mut Command) -> Result<(bool, String)> {
        let name = self.name();
        let log = layout.setup_log(&format!("test-{name}"));
        let progress = Progress::begin(&name);
        progress.at(&format!("running, log in {}", layout.shown(&log)));
        let file = create_log(&log)?;
        command
            .current_dir(layout.root())
            .stdout(file.try_clone()?)
            .stderr(file);
        let mut running = Foreground::spawn(command)?;
        let status = running.wait().await?;
        let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap_or_default()).into_owned();
        let program = shown(command);
        if status.success() {
            progress.done(&format!("{program} ok"));
        } else {
            progress.done(&format!("{program} FAILED ({status}), log in {}", layout.shown(&log)));
            ui::say(&tail(&log, TAIL));
            keep_log(&log);
        }
        Ok((status.success(), text))
    }
}

fn pytest(layout: &Layout, environment: Environment, folder: &str) -> Command {
    let mut tests = Command::new(environment.program(layout, "python"));
    tests.args(["-m", "pytest", "--verbosity=-1", "-p", "no:cacheprovider", folder]);
    tests.env("PYTHONDONTWRITEBYTECODE", "1");
    tests
}

/// Whether a browser can run here. One is packaged for Linux on x86_64; elsewhere the machine's own is looked for in
/// the same places as in `tests/browser/browser.mjs`.
fn can_browse() -> bool {
    let packaged = cfg!(all(target_os = "linux", target_arch = "x86_64"));
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let on_path = || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| names.iter().any(|name| folder.join(name).is_file()))
    };
    let on_macos = || {
        let names = ["Google Chrome", "Chromium"];
        names
            .iter()
            .any(|name| Path::new(&format!("/Applications/{name}.app/Contents/MacOS/{name}")).is_file())
    };
    packaged || on_path() || on_macos()
}

/// The name of a command for people: its program, or the module that Python runs.
fn shown(command: &Command) -> String {
    let command = command.as_std();
    let words: Vec<_> = command.get_args().take(2).collect();
    let name = match words.as_slice() {
        [first, module] if *first == "-m" => module,
        _ => Path::new(command.get_program()).file_name().unwrap_or_default(),
    };
    name.display().to_string()
}

/// Keeps a failure's log from being overwritten by the step's next command.
fn keep_log(log: &Path) {
    // Best effort: the end of the log has been shown.
    let _ = std::fs::copy(log, log.with_extension("failed.log"));
}

/// The count of a run, with two corrections: a run that failed without a failing test counts as a failure, and a run
/// without any tests is an error.
fn counted(success: bool, mut count: Count) -> Result<Count> {
    if !success && count.failed == 0 {
        count.failed = 1;
    }
    if success && count == Count::default() {
        bail!("no test ran");
    }
    Ok(count)
}

/// The files in a folder with a suffix, in order; finding none is an error.
fn files(layout: &Layout, folder: &str, suffix: &str) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(layout.path(folder)).with_context(|| format!("cannot read {folder}"))?;
    let mut found: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().ends_with(suffix))
        .collect();
    found.sort();
    if found.is_empty() {
        bail!("{folder} holds no *{suffix}");
    }
    Ok(found)
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
