//! `drop`: a file into a use case's folder, as people or their exports do it.

use crate::aws::{Platform, Target, Whom, describe};
use crate::layout::Layout;
use crate::ui;
use anyhow::{Context, Result};
use aws_sdk_s3::primitives::ByteStream;
use clap::Args;
use contracts::RunId;
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Drop a CSV file for training; prints the run that it starts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask drop --use-case used-car-price target/demo/data/listings.csv")]
pub struct DropFile {
    /// The file: CSV with a header
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Whose data it is
    #[arg(long, value_name = "USE-CASE")]
    use_case: String,

    #[command(flatten)]
    whom: Whom,
}

impl DropFile {
    /// Puts the file.
    ///
    /// # Errors
    /// It can't be read, or the stack can't be reached.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let target = self.whom.target(layout).await?;
        let platform = target.platform().await?;
        let name = self.file.file_name().context("name a file")?.to_string_lossy();
        let run_id = put(&target, &platform, &self.use_case, &name, &self.file).await?;
        ui::say("dropped; its run:");
        ui::show(&run_id.to_string());
        Ok(())
    }
}

/// Puts a file where drops are looked for; gives the id of its run.
///
/// # Errors
/// The file can't be read, or S3 refuses.
pub async fn put(target: &Target, platform: &Platform, use_case: &str, name: &str, file: &Path) -> Result<RunId> {
    let key = format!("{use_case}/training/incoming/{name}");
    let body = ByteStream::from_path(file)
        .await
        .with_context(|| format!("cannot read {}", file.display()))?;
    let version_id = target.put(&platform.bucket, &key, "text/csv", body).await?;
    let head = target
        .s3()
        .head_object()
        .bucket(&platform.bucket)
        .key(&key)
        .version_id(&version_id)
        .send()
        .await;
    let modified = head
        .map_err(|error| describe("HeadObject", error))?
        .last_modified
        .context("S3 gave no time")?;
    let modified = Timestamp::from_second(modified.secs())?;
    Ok(RunId::for_drop(modified, &platform.bucket, &key, &version_id))
}
