//! This crate: the merge as the function runs it, but over local files.

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use consolidate::{Body, Shape, Sink, Source};
use contracts::monitoring::{SourceFile, Sources};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use tokio::io::AsyncReadExt as _;

/// The first argument of the child process that merges, which is this program again.
pub const MODE: &str = "merge";
/// Name in the table and for `--only`.
pub const NAME: &str = "consolidate";

struct Local;

struct Reading(tokio::fs::File);

impl Source for Local {
    type Error = anyhow::Error;
    type Body = Reading;

    async fn open(&self, file: &SourceFile) -> Result<Reading> {
        let path = file.uri.strip_prefix("file://").context("no file of this machine")?;
        Ok(Reading(tokio::fs::File::open(path).await?))
    }
}

impl Body for Reading {
    type Error = anyhow::Error;

    async fn chunk(&mut self) -> Result<Option<Bytes>> {
        let mut chunk = Vec::with_capacity(256 << 10);
        let read = self.0.read_buf(&mut chunk).await?;
        Ok((read > 0).then(|| chunk.into()))
    }
}

struct Writing(File);

impl Sink for Writing {
    type Error = anyhow::Error;

    async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.0.write_all(bytes)?)
    }
}

/// Merges the files listed in `SOURCES` into `FOLDER`, which are the arguments.
///
/// # Errors
/// A file cannot be read or written.
pub fn merge(arguments: &[String]) -> Result<()> {
    let [sources, folder] = arguments else {
        bail!("usage: {MODE} SOURCES FOLDER");
    };
    let sources: Sources = serde_json::from_slice(&std::fs::read(sources)?)?;
    let folder = Path::new(folder);
    let create = |part: &str, name: &str| -> Result<Writing> {
        std::fs::create_dir_all(folder.join(part))?;
        Ok(Writing(File::create(folder.join(part).join(name))?))
    };
    let mut data = create("data", "rows.csv")?;
    let mut records = create("records", "part-00000.jsonl.gz")?;
    let champion = sources.champion.to_string();
    let shape = Shape::new(&sources.model, &champion, &sources.endpoint_config, sources.columns);
    let shape = Arc::new(shape);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let merging = consolidate::merge(&Local, &shape, &sources.files, &mut data, &mut records);
    let merged = runtime.block_on(merging)?;
    if !merged.skips.told().is_empty() {
        bail!("rows were left out");
    }
    Ok(())
}
