//! The peers' requirements: Python environments, created once from pinned requirements, and programs.

use crate::launch::last_line;
use crate::options::Options;
use crate::peer::{How, Peer};
use anyhow::{Context, Result, bail};
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Folder of the scripts and requirements.
pub const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");

const ENVIRONMENTS: [(&str, &str); 4] = [
    ("engines", include_str!("requirements/engines.txt")),
    (
        "great-expectations",
        include_str!("requirements/great-expectations.txt"),
    ),
    ("whylogs", include_str!("requirements/whylogs.txt")),
    ("evidently", include_str!("requirements/evidently.txt")),
];

/// Packages to build with cargo: exact versions, with as few features as possible.
const TOOLS: [(&str, &[&str]); 2] = [
    // Of the published versions, only this variant can be built from the registry: the others need a patched crate.
    (
        "qsvdp",
        &[
            "qsv@16.1.0",
            "--no-default-features",
            "--features",
            "mimalloc,datapusher_plus",
            "--bin",
            "qsvdp",
        ],
    ),
    ("xan", &["xan@0.61.0"]),
];

/// Folders under `bench/` of the target folder.
pub struct Layout {
    /// The folder of everything.
    pub root: PathBuf,
    /// The folder of the files to read.
    pub data: PathBuf,
    /// The folder that peers write to; emptied before each run.
    pub scratch: PathBuf,
    environments: PathBuf,
    tools: PathBuf,
}

impl Layout {
    /// The target folder is the parent of the folder that cargo gives benches.
    pub fn new() -> Result<Self> {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .context("there is no target folder")?;
        let root = target.join("bench");
        std::fs::create_dir_all(&root).with_context(|| format!("cannot make {}", root.display()))?;
        Ok(Self {
            data: root.join("data"),
            scratch: root.join("scratch"),
            environments: root.join("venv"),
            tools: root.join("tools"),
            root,
        })
    }
}

/// The programs that were found or built: a path, or why there is none.
pub struct Setup {
    /// The analyzer's program.
    pub analyzer: PathBuf,
    found: HashMap<&'static str, Result<PathBuf, String>>,
}

impl Setup {
    /// Prepares what the chosen peers need. polars is always included, because the analyzer is compared with it.
    pub fn make(layout: &Layout, peers: &[&Peer], options: &Options) -> Result<Self> {
        let needs = |name: &str| {
            name == "engines"
                || peers
                    .iter()
                    .any(|peer| matches!(peer.how, How::Python { environment, .. } if environment == name))
        };
        let mut found = HashMap::new();
        for (name, requirements) in ENVIRONMENTS.iter().filter(|(name, _)| needs(name)) {
            found.insert(
                *name,
                environment(layout, name, requirements).map_err(|error| format!("{error:#}")),
            );
        }
        for (name, package) in &TOOLS {
            if peers
                .iter()
                .any(|peer| matches!(peer.how, How::Tool { program, .. } if program == *name))
            {
                found.insert(
                    *name,
                    tool(layout, name, package, options.tools).map_err(|error| format!("{error:#}")),
                );
            }
        }
        Ok(Self {
            analyzer: options.analyzer.clone(),
            found,
        })
    }

    /// The Python of an environment, or a program.
    ///
    /// # Errors
    /// Says why it is missing.
    pub fn path(&self, name: &str) -> Result<&Path> {
        match self.found.get(name) {
            Some(Ok(path)) => Ok(path),
            Some(Err(why)) => bail!("{why}"),
            None => bail!("`{name}` was not asked for"),
        }
    }
}

/// Creates an environment unless it matches its requirements.
fn environment(layout: &Layout, name: &str, requirements: &str) -> Result<PathBuf> {
    let folder = layout.environments.join(name);
    let python = folder.join("bin/python");
    // Written last, so that an incomplete environment isn't taken for a complete one.
    let marker = folder.join("made-from.txt");
    if python.exists() && std::fs::read_to_string(&marker).is_ok_and(|made| made == requirements) {
        return Ok(python);
    }
    eprintln!("making the Python environment `{name}`");
    std::fs::create_dir_all(&layout.environments)?;
    let log = layout.environments.join(format!("{name}.log"));
    let list = Path::new(SOURCES).join(format!("requirements/{name}.txt"));
    if crate::machine::first_line("uv", &["--version"]).is_some() {
        let mut create = Command::new("uv");
        quiet(
            create
                .args(["venv", "--quiet", "--no-project", "--clear", "--python", "3.11"])
                .arg(&folder),
            &log,
        )?;
        let mut install = Command::new("uv");
        install
            .args(["pip", "install", "--quiet", "--compile-bytecode", "--python"])
            .arg(&python)
            .arg("-r")
            .arg(&list);
        quiet(&mut install, &log)?;
    } else {
        let interpreter = ["python3.11", "python3"].into_iter().find(|name| is_3_11(name));
        let interpreter = interpreter.context("there is neither uv nor Python 3.11 here: install one of them")?;
        quiet(
            Command::new(interpreter).args(["-m", "venv", "--clear"]).arg(&folder),
            &log,
        )?;
        quiet(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "-r"])
                .arg(&list),
            &log,
        )?;
    }
    std::fs::write(&marker, requirements)?;
    Ok(python)
}

fn is_3_11(interpreter: &str) -> bool {
    crate::machine::first_line(interpreter, &["--version"]).is_some_and(|line| line.starts_with("Python 3.11."))
}

/// A program: the one built earlier, the one on PATH, or one built now.
fn tool(layout: &Layout, name: &str, package: &[&str], build: bool) -> Result<PathBuf> {
    let built = layout.tools.join("bin").join(name);
    if built.exists() {
        return Ok(built);
    }
    if crate::machine::first_line(name, &["--version"]).is_some() {
        return Ok(PathBuf::from(name));
    }
    if !build {
        bail!("{name} is not on this machine; `--tools` builds it");
    }
    eprintln!("building {name}: many minutes");
    std::fs::create_dir_all(&layout.tools)?;
    let mut cargo = Command::new(env!("CARGO"));
    // In a separate target folder that is removed afterwards, as none of its crates are needed here.
    let target = layout.tools.join("build");
    cargo.args(["install", "--locked", "--quiet"]).args(package);
    cargo.arg("--root").arg(&layout.tools).arg("--target-dir").arg(&target);
    let outcome = quiet(&mut cargo, &layout.tools.join(format!("{name}.log")));
    let _ = std::fs::remove_dir_all(&target);
    outcome.map(|()| built)
}

/// Runs a command to its end; its output goes to the log.
fn quiet(command: &mut Command, log: &Path) -> Result<()> {
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let errors = output.try_clone()?;
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.stdin(Stdio::null()).stdout(output).stderr(errors).status();
    let status = status.with_context(|| format!("cannot start {name}"))?;
    if !status.success() {
        bail!(
            "{name} fails: {} (all of it in {})",
            last_line(log).unwrap_or_default(),
            log.display()
        );
    }
    Ok(())
}
