//! The pinned Python environments: made from the locks in `local/environments`, and again only when a lock changes.
//!
//! The work is done by `uv`: the one on PATH, or one in an environment of its own. It also finds Python 3.11, or
//! fetches it. Nothing is installed outside `target/local`.

use crate::layout::{Layout, Lock};
use crate::process::{output, quiet};
use anyhow::{Context, Result, bail};
use drivetrain::ui::Step;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Command;

/// The Python version of AWS's images, on which local programs must run.
const PYTHON: &str = "3.11";
/// The file with the fingerprint of what an environment was made from.
const MARKER: &str = ".lock-sha256";

/// A Python environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// LocalStack and the plugin that completes it.
    Localstack,
    /// What the local containers run on.
    Ml,
    /// SAM and related tools.
    Tools,
    /// Public clients for tests of the local SageMaker.
    Clients,
    /// Node.js and the second validator of state machines.
    Node,
    /// Node.js and a browser that it drives.
    Browser,
    /// Spark, and a Java to run it on.
    Spark,
    /// DuckDB, which stands in for Athena.
    Queries,
}

impl Environment {
    /// What `up` and `demo` need.
    pub const FOR_STACK: [Self; 3] = [Self::Localstack, Self::Ml, Self::Tools];

    /// The name of its folder and of its lock.
    pub fn name(self) -> &'static str {
        match self {
            Self::Localstack => "localstack",
            Self::Ml => "ml",
            Self::Tools => "tools",
            Self::Clients => "clients",
            Self::Node => "node",
            Self::Browser => "browser",
            Self::Spark => "spark",
            Self::Queries => "queries",
        }
    }

    /// The path of one of its programs, such as `python`.
    pub fn program(self, layout: &Layout, program: &str) -> PathBuf {
        layout.environment(self.name()).join("bin").join(program)
    }

    /// The folder of its installed packages.
    ///
    /// # Errors
    /// It isn't there.
    pub fn packages(self, layout: &Layout) -> Result<PathBuf> {
        let folder = layout.environment(self.name()).join("lib");
        std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", layout.shown(&folder)))?
            .flatten()
            .map(|entry| entry.path().join("site-packages"))
            .find(|path| path.is_dir())
            .with_context(|| format!("{} holds no packages", layout.shown(&folder)))
    }

    /// The files from which it is made: if any of them changes, it is made again.
    fn sources(self, layout: &Layout) -> Vec<PathBuf> {
        let lock = layout.path(format!("local/environments/{}.lock", self.name()));
        match self {
            // Entry points are read during installation; the plugin's code itself is linked, not copied.
            Self::Localstack => vec![lock, layout.path("local/localstack/pyproject.toml")],
            Self::Node => vec![lock, layout.path(VALIDATOR).join("package-lock.json")],
            Self::Browser => vec![
                layout.path("local/environments/node.lock"),
                layout.path(BROWSER).join("package-lock.json"),
            ],
            _ => vec![lock],
        }
    }
}

/// The npm project, with its lock, that is installed into the environment `node`.
const VALIDATOR: &str = "local/environments/asl-validator";
/// The same for the environment `browser`.
const BROWSER: &str = "local/environments/browser";

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Makes the environments that are missing or out of date; waits if another process of ours is doing so.
///
/// # Errors
/// There is no Python or no registry, or a lock can't be installed: the text says what to do.
pub async fn ensure(layout: &Layout, wanted: &[Environment]) -> Result<()> {
    if outdated(layout, wanted)?.is_empty() {
        return Ok(());
    }
    let step = Step::begin("Python");
    let _lock = wait_for_lock(layout, &step).await?;
    // Another process may have made them while we waited.
    let missing = outdated(layout, wanted)?;
    if missing.is_empty() {
        return Ok(());
    }
    step.at("looking for uv");
    let uv = find_uv(layout, &step).await?;
    for environment in &missing {
        step.at(&format!("environment `{environment}`"));
        make(layout, &uv, *environment).await?;
    }
    let names: Vec<&str> = missing.iter().map(|environment| environment.name()).collect();
    step.done(&format!("environments {}", names.join(", ")));
    Ok(())
}

async fn wait_for_lock(layout: &Layout, step: &Step) -> Result<Lock> {
    let path = layout.local().join("venvs.lock");
    loop {
        match Lock::try_take(&path)? {
            Ok(lock) => return Ok(lock),
            Err(holder) => {
                step.at(&format!("waiting: another xtask ({holder}) makes the environments"));
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        }
    }
}

fn outdated(layout: &Layout, wanted: &[Environment]) -> Result<Vec<Environment>> {
    let mut found = Vec::new();
    for environment in wanted {
        let marker = layout.environment(environment.name()).join(MARKER);
        let made_from = std::fs::read_to_string(marker).unwrap_or_default();
        if made_from.trim() != fingerprint(&environment.sources(layout))? {
            found.push(*environment);
        }
    }
    Ok(found)
}

fn fingerprint(sources: &[PathBuf]) -> Result<String> {
    let mut bytes = Vec::new();
    for source in sources {
        bytes.extend(std::fs::read(source).with_context(|| format!("cannot read {}", source.display()))?);
    }
    Ok(contracts::pointer::sha256(&bytes))
}

async fn make(layout: &Layout, uv: &Path, environment: Environment) -> Result<()> {
    let folder = layout.environment(environment.name());
    let log = layout.setup_log(&format!("environment-{environment}"));
    let sources = environment.sources(layout);
    let Some(lock) = sources.first() else {
        bail!("environment `{environment}` has no lock")
    };
    // The marker is removed first: if we are stopped midway, an incomplete environment must not pass for a complete
    // one.
    let _ = std::fs::remove_file(folder.join(MARKER));
    let mut command = Command::new(uv);
    command
        .args(["venv", "--quiet", "--no-project", "--clear", "--python", PYTHON])
        .arg(&folder);
    quiet(&mut command, &log).await.context(format!(
        "there is no Python {PYTHON} here and none could be fetched: install it \
         (python.org, `pyenv install {PYTHON}`, or your system's package python{PYTHON}), then try again"
    ))?;
    let python = environment.program(layout, "python");
    let mut command = Command::new(uv);
    command
        .args(["pip", "sync", "--quiet", "--require-hashes", "--python"])
        .arg(&python)
        .arg(lock);
    quiet(&mut command, &log)
        .await
        .with_context(|| format!("environment `{environment}` does not install"))?;
    match environment {
        Environment::Localstack => install_plugin(layout, uv, &python, &log).await?,
        Environment::Node => install_npm(layout, environment, VALIDATOR, &log).await?,
        Environment::Browser => install_npm(layout, environment, BROWSER, &log).await?,
        _ => {}
    }
    std::fs::write(folder.join(MARKER), fingerprint(&sources)?)?;
    Ok(())
}

async fn install_plugin(layout: &Layout, uv: &Path, python: &Path, log: &Path) -> Result<()> {
    let mut command = Command::new(uv);
    command
        .args([
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--python",
        ])
        .arg(python)
        .arg("--editable")
        .arg(layout.path("local/localstack"));
    quiet(&mut command, log)
        .await
        .context("the LocalStack plugin does not install")
}

/// Installs what a project's lock lists into an environment that has Node.js. Install scripts, which could fetch more,
/// don't run.
async fn install_npm(layout: &Layout, environment: Environment, project: &str, log: &Path) -> Result<()> {
    let folder = layout.environment(environment.name());
    for name in ["package.json", "package-lock.json"] {
        std::fs::copy(layout.path(project).join(name), folder.join(name))?;
    }
    let mut command = Command::new(environment.program(layout, "npm"));
    // Programs of the environment find its node by PATH.
    command.env("PATH", path_with(&environment.program(layout, "")));
    command
        .current_dir(&folder)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    quiet(&mut command, log)
        .await
        .with_context(|| format!("{project} does not install from npm's registry"))
}

/// PATH, with a folder in front.
pub fn path_with(folder: &Path) -> std::ffi::OsString {
    let present = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(folder.to_path_buf()).chain(std::env::split_paths(&present));
    // Only a folder with a colon in its name can't be joined; then PATH itself still works.
    std::env::join_paths(all).unwrap_or(present)
}

/// The `uv` on PATH, or one in an environment of its own.
///
/// # Errors
/// There is neither `uv` nor a Python that could install it.
pub async fn find_uv(layout: &Layout, step: &Step) -> Result<PathBuf> {
    if output(Command::new("uv").arg("--version")).await.is_ok() {
        return Ok(PathBuf::from("uv"));
    }
    let folder = layout.environment("installer");
    let uv = folder.join("bin/uv");
    let lock = layout.path("local/environments/installer.lock");
    let wanted = fingerprint(std::slice::from_ref(&lock))?;
    if uv.exists() && std::fs::read_to_string(folder.join(MARKER)).is_ok_and(|made| made.trim() == wanted) {
        return Ok(uv);
    }
    step.at("installing uv");
    let log = layout.setup_log("environment-uv");
    let python = find_python().await?;
    quiet(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder), &log).await?;
    let mut install = Command::new(folder.join("bin/python"));
    install.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--require-hashes",
        "-r",
    ]);
    quiet(install.arg(&lock), &log)
        .await
        .context("uv does not install from the package index")?;
    std::fs::write(folder.join(MARKER), wanted)?;
    Ok(uv)
}

/// Finds any Python that can make an environment: it only has to install `uv`.
async fn find_python() -> Result<PathBuf> {
    let check = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))";
    for candidate in python_candidates() {
        let mut command = Command::new(&candidate);
        if output(command.args(["-c", check])).await.is_ok() {
            return Ok(candidate);
        }
    }
    bail!(
        "no Python from 3.9 on with the modules venv and ensurepip was found: install Python {PYTHON} \
         (on Debian and Ubuntu also the package python3-venv), or `uv`, then try again"
    )
}

fn python_candidates() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = [
        "python3.11",
        "python3",
        "python3.13",
        "python3.12",
        "python3.10",
        "python3.9",
        "python",
    ]
    .iter()
    .map(PathBuf::from)
    .collect();
    let pyenv = std::env::var_os("PYENV_ROOT")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".pyenv")));
    let versions = pyenv.and_then(|root| std::fs::read_dir(root.join("versions")).ok());
    found.extend(
        versions
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin/python3")),
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_made_once_per_lock() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::at(folder.path().to_path_buf(), "stack");
        std::fs::create_dir_all(layout.path("local/environments")).unwrap();
        std::fs::create_dir_all(layout.environment("ml")).unwrap();
        let lock = layout.path("local/environments/ml.lock");
        std::fs::write(&lock, "numpy==1").unwrap();
        assert_eq!(outdated(&layout, &[Environment::Ml]).unwrap(), [Environment::Ml]);

        let made_from = fingerprint(&Environment::Ml.sources(&layout)).unwrap();
        std::fs::write(layout.environment("ml").join(MARKER), made_from).unwrap();
        assert_eq!(outdated(&layout, &[Environment::Ml]).unwrap(), []);

        std::fs::write(&lock, "numpy==2").unwrap();
        assert_eq!(outdated(&layout, &[Environment::Ml]).unwrap(), [Environment::Ml]);
    }

    #[test]
    fn a_missing_lock_is_named() {
        let layout = Layout::at(PathBuf::from("/nowhere"), "stack");
        let error = outdated(&layout, &[Environment::Tools]).unwrap_err();
        assert!(error.to_string().contains("local/environments/tools.lock"), "{error}");
    }
}
