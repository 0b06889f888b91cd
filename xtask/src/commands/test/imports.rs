//! Whether files of a crate need each other in a circle, in every crate of the workspace.

use crate::checks::counts::Count;
use crate::checks::imports::{self, Known, Sources};
use crate::layout::Layout;
use anyhow::{Context, Result};
use drivetrain::ui;
use std::path::{Path, PathBuf};

/// Circles that are let pass.
const KNOWN: [Known; 8] = [
    known(
        "crates/drivetrain",
        "src/commands/doctor/checks.rs",
        2,
        "a check and its outcome are one file's",
    ),
    known(
        "crates/drivetrain",
        "src/commands/status/mod.rs",
        5,
        "the views share figures with the command that calls them",
    ),
    known(
        "crates/fake-aws",
        "src/lib.rs",
        8,
        "every service is a part of FakeAws, which answers through them",
    ),
    known(
        "crates/simulation",
        "src/sagemaker/mod.rs",
        3,
        "SageMaker's operations are in files by resource",
    ),
    known(
        "crates/simulation",
        "src/world/mod.rs",
        4,
        "the world plays what its own parts ask for",
    ),
    known(
        "functions/check-endpoint",
        "src/lib.rs",
        6,
        "CheckEndpoint is implemented where each of its steps is",
    ),
    known(
        "functions/notify-run",
        "src/lib.rs",
        10,
        "NotifyRun is implemented where each of its steps is",
    ),
    known(
        "functions/rmse-gate",
        "src/lib.rs",
        8,
        "RmseGate is implemented where each of its steps is",
    ),
];

const fn known(krate: &'static str, file: &'static str, files: usize, why: &'static str) -> Known {
    Known {
        krate,
        file,
        files,
        why,
    }
}

/// One check a crate.
///
/// # Errors
/// A file can't be read, or is not Rust.
pub fn check(layout: &Layout) -> Result<Count> {
    let mut count = Count::default();
    let mut let_pass = Vec::new();
    for folder in crates(layout)? {
        let name = layout.shown(&folder);
        let mut sources = Sources::new();
        read(&folder, &folder.join("src"), &mut sources)?;
        let found = imports::check(&sources).with_context(|| format!("cannot read the crate {name}"))?;
        let judged = imports::judge(&name, &found, &KNOWN);
        for mistake in &judged.mistakes {
            ui::say(mistake);
        }
        count = count + Count::of(judged.mistakes.is_empty());
        let_pass.extend(judged.known);
    }
    if !let_pass.is_empty() {
        ui::say(&format!(
            "{} circles of imports are known and let pass:",
            let_pass.len()
        ));
        for one in &let_pass {
            ui::say(&format!("  {one}"));
        }
    }
    Ok(count)
}

/// The folders of the crates that have sources.
fn crates(layout: &Layout) -> Result<Vec<PathBuf>> {
    let mut found = vec![layout.path("xtask")];
    for folder in ["crates", "functions"] {
        let entries = std::fs::read_dir(layout.path(folder)).with_context(|| format!("cannot read {folder}"))?;
        found.extend(entries.flatten().map(|entry| entry.path()));
    }
    found.retain(|folder| folder.join("src").is_dir());
    found.sort();
    Ok(found)
}

/// All sources below a folder, by their paths below the crate's.
fn read(of_crate: &Path, folder: &Path, sources: &mut Sources) -> Result<()> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            read(of_crate, &path, sources)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let below = path.strip_prefix(of_crate).unwrap_or(&path);
            sources.insert(below.to_string_lossy().into_owned(), text);
        }
    }
    Ok(())
}
