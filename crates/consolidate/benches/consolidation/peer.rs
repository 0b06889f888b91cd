//! The peers, and how each is run.

use crate::data::Captures;
use crate::launch::{self, Usage};
use crate::{check, own};
use anyhow::{Context as _, Result, bail};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/consolidation");
/// A run that takes longer than this is not repeated, in seconds.
const LONG_SECONDS: f64 = 120.0;
const TIMEOUT: Duration = Duration::from_secs(3600);

/// One of the compared implementations.
pub struct Peer {
    /// Name in the table and for `--only`.
    pub name: &'static str,
    /// Description for the table.
    pub what: &'static str,
    /// The Python environment, the library whose version is shown, and the script; none for this program.
    python: Option<(&'static str, &'static str, &'static str)>,
}

/// All peers, in the order of the runs.
pub const PEERS: &[Peer] = &[
    Peer {
        name: own::NAME,
        what: "this crate, as the function runs it",
        python: None,
    },
    Peer {
        name: "duckdb",
        what: "a query over the same files; keeps missing values as nulls",
        python: Some(("queries", "duckdb", "duckdb_query.py")),
    },
    Peer {
        name: "spark",
        what: "the project's Glue script, local Spark on all cores",
        python: Some(("spark", "pyspark", "spark_job.py")),
    },
];

/// A peer and the results of its runs.
pub struct Row {
    /// The peer.
    pub peer: &'static Peer,
    /// Version for the table.
    pub version: String,
    /// Why there is no result.
    pub failure: Option<String>,
    runs: Vec<Usage>,
}

impl Row {
    /// A row before any run.
    pub fn new(peer: &'static Peer) -> Self {
        Self {
            peer,
            version: String::new(),
            failure: None,
            runs: Vec::new(),
        }
    }

    /// Whether another run makes sense.
    pub fn goes_on(&self) -> bool {
        self.failure.is_none() && self.runs.last().is_none_or(|run| run.seconds < LONG_SECONDS)
    }

    /// Runs the peer once more.
    pub fn run(&mut self, target: &Path, scratch: &Path, captures: &Captures) {
        if let Err(error) = self.try_run(target, scratch, captures) {
            self.failure = Some(format!("{error:#}"));
        }
    }

    /// Status for the progress line.
    pub fn last_said(&self) -> String {
        match (&self.failure, self.runs.last()) {
            (Some(why), _) => format!("not run: {why}"),
            (None, Some(run)) => format!("{:.2} s", run.seconds),
            (None, None) => String::new(),
        }
    }

    /// The median run, by seconds.
    pub fn median(&self) -> Option<Usage> {
        let mut runs = self.runs.clone();
        runs.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
        runs.get(runs.len() / 2).copied()
    }

    fn try_run(&mut self, target: &Path, scratch: &Path, captures: &Captures) -> Result<()> {
        // Removes what the previous run has left.
        let _ = std::fs::remove_dir_all(scratch);
        let output = scratch.join("input");
        std::fs::create_dir_all(&output).with_context(|| format!("cannot make {}", output.display()))?;
        let mut command = match self.peer.python {
            None => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg(own::MODE).arg(&captures.sources).arg(&output);
                command
            }
            Some((environment, library, script)) => {
                let python = target.join("local/venvs").join(environment).join("bin/python");
                if !python.exists() {
                    bail!("`cargo xtask test glue queries` makes the Python environment `{environment}`");
                }
                self.version = version(&python, library)?;
                let mut command = Command::new(python);
                command.arg(Path::new(SOURCES).join(script));
                command.arg(&captures.sources).arg(scratch);
                command
            }
        };
        command.current_dir(scratch);
        warm(captures)?;
        let usage = launch::run(&command, scratch, TIMEOUT)?;
        check::check(&output, captures)?;
        self.runs.push(usage);
        Ok(())
    }
}

fn version(python: &Path, library: &str) -> Result<String> {
    let code = format!("import {library}; print({library}.__version__)");
    let path = python.to_string_lossy();
    crate::machine::first_line(&path, &["-c", &code]).with_context(|| format!("{path} has no {library}"))
}

/// Reads all files once, so that no run waits for the disk.
fn warm(captures: &Captures) -> Result<()> {
    let folder = captures.sources.parent().context("no folder")?;
    for entry in std::fs::read_dir(folder)? {
        std::io::copy(&mut std::fs::File::open(entry?.path())?, &mut std::io::sink())?;
    }
    Ok(())
}
