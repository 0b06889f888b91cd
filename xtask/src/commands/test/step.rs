//! A step, and how its commands are run, logged and counted.

use crate::checks::counts::{self, Count};
use crate::environments::Environment;
use crate::layout::Layout;
use crate::process::{Foreground, create_log, tail};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use drivetrain::ui::{self, Step as Progress};
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// The tests of the reporting views.
pub(super) const QUERIES: &str = "tests/queries";

/// What a log shows of a failure.
const TAIL: usize = 80;

/// A step: quick ones first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Step {
    /// cargo fmt, ruff for Python, and no files of a crate that need each other in a circle
    Format,
    /// models/use-case.schema.json is what the types say, and every document in models/ is sound
    Schema,
    /// template.yaml and the state machines are what their sources say
    Generated,
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
    /// The fault matrix: what is promised when something goes wrong, a row a fault; prints its table
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
    /// The demo on a stack of its own; the reporting queries and the browser look at what it reported
    Demo,
}

/// How a step ended.
pub enum Outcome {
    Ran(Count),
    /// As `Ran`; so many of those that passed did so only at the second attempt.
    Repeated(Count, usize),
    Skipped(&'static str),
}

impl Step {
    pub(super) fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    pub(super) fn about(self) -> String {
        let value = self.to_possible_value();
        value
            .and_then(|value| value.get_help().map(ToString::to_string))
            .unwrap_or_default()
    }

    /// Commands that must succeed, each one check.
    pub(super) async fn checks<const N: usize>(self, layout: &Layout, commands: [Command; N]) -> Result<Count> {
        let mut count = Count::default();
        for mut command in commands {
            count = count + Count::of(self.logged(layout, &mut command).await?.0);
        }
        Ok(count)
    }

    pub(super) async fn pytest(self, layout: &Layout, tests: &mut Command) -> Result<Count> {
        let (success, text) = self.logged(layout, tests).await?;
        counted(success, counts::of_pytest(&text))
    }

    /// The browser tests of a folder, over a folder of pages.
    pub(super) async fn look(self, layout: &Layout, tests: &str, pages: &Path) -> Result<Count> {
        let mut node = Command::new(Environment::Browser.program(layout, "node"));
        node.args(["--test", "--test-reporter=tap"]);
        node.args(files(layout, tests, ".test.mjs")?);
        node.env("BROWSER_ENVIRONMENT", layout.environment(Environment::Browser.name()))
            .env("BROWSER_PAGES", pages);
        let (success, text) = self.logged(layout, &mut node).await?;
        counted(success, counts::of_node(&text))
    }

    /// Runs a command into the step's log; whether it succeeded, and what it said. A failure is shown at once.
    pub(super) async fn logged(self, layout: &Layout, command: &mut Command) -> Result<(bool, String)> {
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

pub(super) fn pytest(layout: &Layout, environment: Environment, folder: &str) -> Command {
    let mut tests = Command::new(environment.program(layout, "python"));
    tests.args(["-m", "pytest", "--verbosity=-1", "-p", "no:cacheprovider", folder]);
    tests.env("PYTHONDONTWRITEBYTECODE", "1");
    tests
}

/// Whether a browser can run here: one is packaged for Linux on x86_64; elsewhere the machine's own is looked for where
/// `tests/browser/browser.mjs` does.
pub(super) fn can_browse() -> bool {
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

/// What people call a command: its program, or the module that Python runs.
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
    // Best effort: its end has been shown.
    let _ = std::fs::copy(log, log.with_extension("failed.log"));
}

/// A run that failed without a failing test has failed all the same; one that ran nothing has proved nothing.
pub(super) fn counted(success: bool, mut count: Count) -> Result<Count> {
    if !success && count.failed == 0 {
        count.failed = 1;
    }
    if success && count == Count::default() {
        bail!("no test ran");
    }
    Ok(count)
}

/// Files of a folder with a suffix, in order; none is a mistake.
pub(super) fn files(layout: &Layout, folder: &str, suffix: &str) -> Result<Vec<PathBuf>> {
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
