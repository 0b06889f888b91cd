//! Whether files of a crate need each other in a circle, in every crate of the workspace.

use crate::checks::counts::Count;
use crate::checks::imports::{self, Sources};
use crate::layout::Layout;
use anyhow::{Context, Result};
use drivetrain::ui;
use std::path::{Path, PathBuf};

/// One check a crate.
///
/// # Errors
/// A file can't be read, or is not Rust.
pub fn check(layout: &Layout) -> Result<Count> {
    let mut count = Count::default();
    for folder in crates(layout)? {
        let name = layout.shown(&folder);
        let mut sources = Sources::new();
        read(&folder, &folder.join("src"), &mut sources)?;
        let found = imports::check(&sources).with_context(|| format!("cannot read the crate {name}"))?;
        for circle in &found {
            ui::say(&format!("{name}: {circle}"));
        }
        count = count + Count::of(found.is_empty());
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
