//! The peers, and how each is run.

use crate::data::{DataFile, Format};
use crate::launch::{self, Usage};
use crate::setup::{Layout, SOURCES, Setup};
use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// The first argument for the bare parse, which is run by this program again.
pub const COUNT_FIELDS: &str = "count-fields";

/// A run that takes longer than this is not repeated, in seconds.
const LONG_SECONDS: f64 = 120.0;

const ALL: &[Format] = &[Format::Csv, Format::Parquet, Format::Jsonl];
const CSV: &[Format] = &[Format::Csv];

/// One of the compared programs.
pub struct Peer {
    /// Name in the table and for `--only`.
    pub name: &'static str,
    /// The work that it is asked to do.
    pub work: &'static str,
    /// The formats that it reads.
    pub formats: &'static [Format],
    /// How it is run.
    pub how: How,
}

/// How a peer is run.
pub enum How {
    /// The program of this crate.
    Analyzer,
    /// A script in this folder.
    Python {
        environment: &'static str,
        script: &'static str,
    },
    /// A program with the arguments before the file, and optionally an index to create first.
    Tool {
        program: &'static str,
        index: &'static [&'static str],
        arguments: &'static [&'static str],
    },
    /// Not an analysis, but a lower bound for any.
    Floor(Floor),
}

/// Lower bounds.
#[derive(Clone, Copy)]
pub enum Floor {
    /// The file is read and discarded.
    Read,
    /// The file is copied on the same disk.
    Copy,
    /// The file is parsed as CSV by one thread.
    Parse,
}

/// All peers, in the order of the runs.
pub const PEERS: &[Peer] = &[
    Peer {
        name: "drivetrain-monitor",
        work: "types, missing, exact moments, KLL quantiles, approximate distinct, exact counts of categories, constraints",
        formats: ALL,
        how: How::Analyzer,
    },
    python(
        "polars",
        "missing, moments, approximate distinct; streaming; no quantiles",
        "engines",
        "polars_streaming.py",
    ),
    python(
        "polars-exact",
        "missing, moments, exact distinct, exact quantiles; streaming",
        "engines",
        "polars_exact.py",
    ),
    python(
        "polars-describe",
        "missing, moments, exact quartiles; in memory",
        "engines",
        "polars_describe.py",
    ),
    python(
        "datafusion",
        "missing, moments, approximate distinct (not of floats), approximate quantiles",
        "engines",
        "datafusion_sql.py",
    ),
    python(
        "duckdb",
        "SUMMARIZE: missing, moments, approximate distinct, approximate quartiles",
        "engines",
        "duckdb_summarize.py",
    ),
    python(
        "spark",
        "the three passes of AWS's container: types, missing, approximate distinct; moments, approximate quantiles; counts of categories",
        "engines",
        "spark_passes.py",
    ),
    python(
        "whylogs",
        "types, missing, moments, KLL quantiles, approximate distinct, frequent items",
        "whylogs",
        "whylogs_profile.py",
    ),
    python(
        "great-expectations",
        "expectations of missing, moments, quantiles, distinct values for every column",
        "great-expectations",
        "great_expectations_profile.py",
    ),
    python(
        "evidently",
        "drift of every column, the first half against the second",
        "evidently",
        "evidently_drift.py",
    ),
    Peer {
        name: "qsv",
        work: "types, missing, moments; on an index",
        formats: CSV,
        how: How::Tool {
            program: "qsvdp",
            index: &["index"],
            arguments: &["stats", "--force"],
        },
    },
    Peer {
        name: "qsv-exact",
        work: "types, missing, moments, exact quartiles, exact distinct; on an index",
        formats: CSV,
        how: How::Tool {
            program: "qsvdp",
            index: &["index"],
            arguments: &["stats", "--cardinality", "--quartiles", "--force"],
        },
    },
    Peer {
        name: "xan",
        work: "types, missing, moments, approximate quartiles, approximate distinct; parallel",
        formats: CSV,
        how: How::Tool {
            program: "xan",
            index: &[],
            arguments: &["stats", "--parallel", "--approx"],
        },
    },
    Peer {
        name: "xan-exact",
        work: "types, missing, moments, exact quartiles, exact distinct, mode; parallel",
        formats: CSV,
        how: How::Tool {
            program: "xan",
            index: &[],
            arguments: &["stats", "--parallel", "--all"],
        },
    },
    Peer {
        name: "dd",
        work: "floor: the file read",
        formats: ALL,
        how: How::Floor(Floor::Read),
    },
    Peer {
        name: "cp",
        work: "floor: the file copied on the same disk",
        formats: ALL,
        how: How::Floor(Floor::Copy),
    },
    Peer {
        name: "csv",
        work: "floor: fields counted by the `csv` crate, one thread",
        formats: CSV,
        how: How::Floor(Floor::Parse),
    },
];

const fn python(name: &'static str, work: &'static str, environment: &'static str, script: &'static str) -> Peer {
    Peer {
        name,
        work,
        formats: ALL,
        how: How::Python { environment, script },
    }
}

/// The last line of output of a script, or of the bare parse.
#[derive(Clone, Default, Deserialize)]
pub struct Answer {
    /// Version of the library.
    pub version: String,
    /// Number of rows that it read.
    pub rows: u64,
    /// Number of columns that it read.
    pub columns: usize,
    /// Statistics of the columns; only polars gives them.
    #[serde(default)]
    pub statistics: BTreeMap<String, Figures>,
}

/// The values that are compared for a column.
#[derive(Clone, Debug, Deserialize)]
pub struct Figures {
    /// Number of missing values.
    pub missing: u64,
    /// Mean, for a numeric column.
    pub mean: Option<f64>,
    /// Population standard deviation, for a numeric column.
    pub std: Option<f64>,
}

/// A peer and its runs on one file.
pub struct Row {
    /// The peer.
    pub peer: &'static Peer,
    /// The usage of each run.
    pub runs: Vec<Usage>,
    /// Seconds for creating the index, if there is one.
    pub index_seconds: Option<f64>,
    /// Answer of the last run.
    pub answer: Option<Answer>,
    /// Version for the table.
    pub version: String,
    /// Why there is no result.
    pub failure: Option<String>,
}

impl Row {
    /// A row before any run.
    pub fn new(peer: &'static Peer) -> Self {
        Self {
            peer,
            runs: Vec::new(),
            index_seconds: None,
            answer: None,
            version: String::new(),
            failure: None,
        }
    }

    /// Whether another run makes sense.
    pub fn goes_on(&self) -> bool {
        self.failure.is_none() && self.runs.last().is_none_or(|run| run.seconds < LONG_SECONDS)
    }

    /// Runs the peer once more.
    pub fn run(&mut self, layout: &Layout, setup: &Setup, file: &DataFile, timeout: Duration) {
        if let Err(error) = self.try_run(layout, setup, file, timeout) {
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

    fn try_run(&mut self, layout: &Layout, setup: &Setup, file: &DataFile, timeout: Duration) -> Result<()> {
        if !self.peer.formats.contains(&file.format) {
            bail!("does not read this format");
        }
        let folder = &layout.scratch;
        // Removes what the previous run has left.
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut input = file.path.clone();
        if let How::Tool { program, index, .. } = &self.peer.how {
            // These programs write files next to their input.
            input = folder.join("input.csv");
            std::fs::hard_link(&file.path, &input).context("cannot link the file")?;
            if !index.is_empty() {
                let mut command = Command::new(setup.path(program)?);
                command.args(*index).arg(&input);
                warm(&input)?;
                self.index_seconds = Some(launch::run(&command, folder, timeout).context("the index")?.seconds);
            }
        }
        let command = self.command(setup, folder, &input)?;
        warm(&input)?;
        let usage = launch::run(&command, folder, timeout)?;
        match &self.peer.how {
            How::Python { .. } | How::Floor(Floor::Parse) => {
                let answer = answer(folder)?;
                if (answer.rows, answer.columns) != (file.rows, file.columns) {
                    bail!(
                        "it saw {} rows of {} columns, not {} of {}",
                        answer.rows,
                        answer.columns,
                        file.rows,
                        file.columns
                    );
                }
                self.version.clone_from(&answer.version);
                self.answer = Some(answer);
            }
            How::Analyzer => {
                self.version = version(&setup.analyzer);
                self.answer = Some(crate::check::analyzer(&folder.join("output"))?);
            }
            How::Tool { program, .. } => {
                self.version = version(setup.path(program)?);
            }
            How::Floor(_) => {}
        }
        self.runs.push(usage);
        Ok(())
    }

    fn command(&self, setup: &Setup, folder: &Path, input: &Path) -> Result<Command> {
        let mut command = match &self.peer.how {
            How::Analyzer => {
                let mut command = Command::new(&setup.analyzer);
                command
                    .arg("baseline")
                    .arg(input)
                    .arg("--output")
                    .arg(folder.join("output"));
                command
            }
            How::Python { environment, script } => {
                let mut command = Command::new(setup.path(environment)?);
                command.arg(Path::new(SOURCES).join(script)).arg(input);
                command
            }
            How::Tool { program, arguments, .. } => {
                let mut command = Command::new(setup.path(program)?);
                command.args(*arguments).arg(input);
                command
            }
            How::Floor(Floor::Read) => {
                let mut command = Command::new("dd");
                command
                    .arg(format!("if={}", input.display()))
                    .args(["of=/dev/null", "bs=1M", "status=none"]);
                command
            }
            How::Floor(Floor::Copy) => {
                let mut command = Command::new("cp");
                command.arg("--reflink=never").arg(input).arg(folder.join("copy"));
                command
            }
            How::Floor(Floor::Parse) => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg(COUNT_FIELDS).arg(input);
                command
            }
        };
        // Disables telemetry, and keeps programs from writing outside of their folder.
        for (key, value) in [
            ("GX_ANALYTICS_ENABLED", "false"),
            ("WHYLOGS_NO_ANALYTICS", "True"),
            ("DO_NOT_TRACK", "1"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
            ("QSV_NO_UPDATE", "1"),
        ] {
            command.env(key, value);
        }
        command.env("TMPDIR", folder).env("SPARK_LOCAL_DIRS", folder);
        Ok(command)
    }
}

/// Runs a script without measuring it, for its answer.
pub fn ask(layout: &Layout, setup: &Setup, name: &str, file: &DataFile, timeout: Duration) -> Result<Answer> {
    let peer = PEERS
        .iter()
        .find(|peer| peer.name == name)
        .context("there is no such peer")?;
    let mut row = Row::new(peer);
    row.try_run(layout, setup, file, timeout)?;
    row.answer.context("it says nothing")
}

/// Runs the bare parse.
///
/// # Errors
/// The file cannot be read.
pub fn count_fields(arguments: &[String]) -> Result<()> {
    let path = arguments.first().context("usage: count-fields FILE")?;
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 20).from_path(path)?;
    let columns = reader.byte_headers()?.len();
    let (mut record, mut rows, mut fields) = (csv::ByteRecord::new(), 0_u64, 0);
    while reader.read_byte_record(&mut record)? {
        rows += 1;
        fields += record.len();
    }
    println!(
        "{}",
        serde_json::json!({"version": "1", "rows": rows, "columns": columns, "fields": fields})
    );
    Ok(())
}

fn answer(folder: &Path) -> Result<Answer> {
    let text = std::fs::read_to_string(folder.join("stdout")).context("cannot read what it said")?;
    let line = text
        .lines()
        .rev()
        .find(|line| line.starts_with('{'))
        .context("it says nothing")?;
    serde_json::from_str(line).context("it says nothing that can be read")
}

/// The version that a program prints, without its name.
fn version(program: &Path) -> String {
    let said = crate::machine::first_line(&program.to_string_lossy(), &["--version"]).unwrap_or_default();
    said.split_whitespace()
        .find(|word| word.contains('.'))
        .unwrap_or_default()
        .to_owned()
}

/// Reads the file into the page cache.
fn warm(path: &Path) -> Result<()> {
    let mut file = std::fs::File::open(path)?;
    std::io::copy(&mut file, &mut std::io::sink()).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(())
}
