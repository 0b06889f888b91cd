//! The options of the benchmark.

use crate::data::Format;
use crate::peer::{PEERS, Peer};
use anyhow::{Result, bail};
use clap::Parser;
use std::path::PathBuf;
use std::time::Duration;

/// Runs the analyzer and its peers on the same files and prints a table in Markdown.
#[derive(Parser)]
#[command(
    name = "peers",
    after_help = "Examples (after `cargo bench --profile analyzer -p monitor --bench peers --`):
  --size 50000000 --runs 1                    only whether everything works
  --only drivetrain-monitor,duckdb            the analyzer against one peer
  --formats parquet --runs 5                  only Parquet, the median of five runs
  --large --only drivetrain-monitor,xan       also 500 columns, and a file five times the size"
)]
pub struct Options {
    /// Size of the CSV file in bytes; JSON lines get as many rows as fit into the same size.
    #[arg(long, default_value_t = 1_010_000_000)]
    pub size: u64,

    /// Only these peers, by name.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    only: Vec<String>,

    /// Number of runs of each peer; the median counts. A run of more than two minutes is not repeated.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    pub runs: u32,

    /// Also a CSV file of 500 columns, and one of five times the size.
    #[arg(long)]
    pub large: bool,

    /// Only these formats.
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Format::Csv, Format::Parquet, Format::Jsonl])]
    pub formats: Vec<Format>,

    /// Build qsv and xan with cargo if they are not installed, which takes many minutes.
    #[arg(long)]
    pub tools: bool,

    /// Another build of the analyzer, to compare with the figures of this one.
    #[arg(long, value_name = "PROGRAM", default_value = env!("CARGO_BIN_EXE_drivetrain-monitor"), hide_default_value = true)]
    pub analyzer: PathBuf,

    /// Seconds after which a run is aborted.
    #[arg(long, default_value_t = 3600)]
    timeout: u64,

    /// Added by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// The chosen peers, in the order of `PEERS`.
    pub fn peers(&self) -> Result<Vec<&'static Peer>> {
        if let Some(unknown) = self
            .only
            .iter()
            .find(|name| PEERS.iter().all(|peer| peer.name != **name))
        {
            let names: Vec<&str> = PEERS.iter().map(|peer| peer.name).collect();
            bail!("there is no peer `{unknown}`; there are {}", names.join(", "));
        }
        let chosen = |peer: &&Peer| self.only.is_empty() || self.only.iter().any(|name| name == peer.name);
        Ok(PEERS.iter().filter(chosen).collect())
    }

    /// Time after which a run is aborted.
    pub fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}
