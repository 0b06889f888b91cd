//! `drop`: a file into a use case's folder, as people or their exports do it.

use crate::aws::{Platform, Target, Whom, describe};
use crate::layout::Layout;
use crate::ui;
use anyhow::{Context, Result};
use aws_sdk_s3::primitives::ByteStream;
use clap::{Args, ValueEnum};
use contracts::{RunId, places};
use jiff::Timestamp;
use std::path::PathBuf;

/// Drop a file for training, for scoring, or with ground truth; prints the run that it starts.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask drop --use-case used-car-price target/demo/data/listings.csv\n  \
    cargo xtask drop --use-case used-car-price --for scoring stock.csv\n  \
    cargo xtask drop --use-case used-car-price --for ground-truth sold.csv     joined by the next monitoring run")]
pub struct DropFile {
    /// The file: CSV with a header
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Whose data it is
    #[arg(long, value_name = "USE-CASE")]
    use_case: String,

    /// What the file is for
    #[arg(long = "for", value_enum, default_value = "training", value_name = "KIND")]
    kind: Kind,

    #[command(flatten)]
    whom: Whom,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Rows with their target
    Training,
    /// Rows without
    Scoring,
    /// Ids of predicted rows, and what turned out to be true
    GroundTruth,
}

impl From<Kind> for places::Drop {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Training => Self::Training,
            Kind::Scoring => Self::Scoring,
            Kind::GroundTruth => Self::GroundTruth,
        }
    }
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
        let body = ByteStream::from_path(&self.file)
            .await
            .with_context(|| format!("cannot read {}", self.file.display()))?;
        let run_id = put(&target, &platform, &self.use_case, self.kind.into(), &name, body).await?;
        if self.kind == Kind::GroundTruth {
            ui::say("dropped; the next monitoring run of each model joins it with its predictions");
        } else {
            ui::say("dropped; its run:");
            ui::show(&run_id.to_string());
        }
        Ok(())
    }
}

/// Puts a file where drops are looked for; gives the id of its run.
///
/// # Errors
/// S3 refuses.
pub async fn put(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    kind: places::Drop,
    name: &str,
    body: ByteStream,
) -> Result<RunId> {
    let key = places::incoming(use_case, kind) + name;
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
