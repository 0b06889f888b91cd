//! Converts a gigabyte of captures to rows, with this crate and with its peers, in one run on one machine.
//!
//!     cargo bench --profile analyzer -p consolidate                          # the figures of docs/consolidation.md
//!     cargo bench --profile analyzer -p consolidate -- --only duckdb --runs 1
//!     cargo bench --profile dev -p consolidate -- --size 20000000            # only checks that it works
//!
//! Steps:
//! 1. It generates the captures from a seed: requests of 1 to 20 rows of 12 columns, answers in BASE64, in files of 64 MB
//!    (`data`). They are kept under `bench/` of the target folder for the next time.
//! 2. In several rounds, every peer reads these files from disk, in a process of its own, and writes the same two
//!    outputs: rows of the raw columns and prediction as CSV, and JSON lines of reporting as gzip (`peer`). The files are
//!    read once before each run, so that no run waits for the disk.
//! 3. It compares the outputs (`check`), so that a fast wrong answer is noticed, and prints Markdown.
//!
//! For this crate, it measures the merge as the function runs it, but over local files in place of objects in S3. Spark
//! runs the project's own Glue script, and DuckDB a query that does the same work. The analyzer's benchmark,
//! `crates/monitor/benches/peers/main.rs`, describes how seconds and memory are measured; this one uses its parts. The
//! CPU seconds of Spark are those of its Java process only, because its Python workers are not waited for.
//!
//! The peers' Python environments are those of the tests: `cargo xtask test glue queries` creates them. A peer that can't
//! run gets a row that says why. The exit code is 1 if this crate is wrong or doesn't run.

mod check;
mod data;
#[path = "../../../monitor/benches/peers/launch.rs"]
mod launch;
#[path = "../../../monitor/benches/peers/machine.rs"]
mod machine;
mod own;
mod peer;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use launch::gigabytes;
use peer::{PEERS, Row};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Merges captures with this crate and its peers, and prints a table in Markdown.
#[derive(Parser)]
struct Options {
    /// Size of the captures in bytes.
    #[arg(long, default_value_t = 1_000_000_000)]
    size: u64,

    /// Only these peers, by name.
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    only: Vec<String>,

    /// Number of runs of each peer; the median counts. A run of more than two minutes is not repeated.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,

    /// Added by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let outcome = match arguments.get(1).map(String::as_str) {
        Some(launch::MODE) => launch::launch(&arguments[2..]).map(|()| true),
        Some(own::MODE) => own::merge(&arguments[2..]).map(|()| true),
        // A test runner builds benches and lists their tests: there are none.
        _ if !arguments.iter().any(|argument| argument == "--bench") => return ExitCode::SUCCESS,
        _ => compare(&Options::parse()),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs everything and prints the result; returns whether this crate ran and was right.
fn compare(options: &Options) -> Result<bool> {
    for name in &options.only {
        if PEERS.iter().all(|peer| peer.name != name) {
            let names: Vec<&str> = PEERS.iter().map(|peer| peer.name).collect();
            bail!("there is no peer `{name}`; there are {}", names.join(", "));
        }
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .context("there is no target folder")?;
    let root = target.join("bench");
    let machine = machine::Machine::look();
    let captures = data::make(options.size, &root)?;
    let chosen = |name: &str| options.only.is_empty() || options.only.iter().any(|only| only == name);
    let mut rows: Vec<Row> = PEERS.iter().filter(|peer| chosen(peer.name)).map(Row::new).collect();
    for round in 1..=options.runs {
        for row in rows.iter_mut().filter(|row| row.goes_on()) {
            eprint!("round {round} of {}: {} … ", options.runs, row.peer.name);
            row.run(target, &root.join("scratch"), &captures);
            eprintln!("{}", row.last_said());
        }
    }
    let mut text = table(&captures, &rows);
    text.push('\n');
    for fact in &machine.facts {
        let _ = writeln!(text, "- {fact}");
    }
    print!("{text}");
    let saved: PathBuf = root.join("consolidation.md");
    std::fs::write(&saved, text).with_context(|| format!("cannot write {}", saved.display()))?;
    let own = rows.iter().find(|row| row.peer.name == own::NAME);
    Ok(own.is_none_or(|row| row.failure.is_none()))
}

fn table(captures: &data::Captures, rows: &[Row]) -> String {
    let mut text = format!(
        "{} records in {:.2} GB of captures\n\n| | seconds | CPU seconds | MB/s | memory, MB | private, MB | what it is |\n|---|--:|--:|--:|--:|--:|---|\n",
        captures.records,
        gigabytes(captures.bytes)
    );
    for row in rows {
        let what = row.peer.what;
        let _ = match (&row.failure, row.median()) {
            (None, Some(usage)) => writeln!(
                text,
                "| {} {} | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} | {what} |",
                row.peer.name,
                row.version,
                usage.seconds,
                usage.cpu_seconds,
                gigabytes(captures.bytes) * 1e3 / usage.seconds,
                gigabytes(usage.resident) * 1e3,
                gigabytes(usage.private) * 1e3,
            ),
            (why, _) => {
                let why = why.as_deref().unwrap_or("not run");
                writeln!(text, "| {} | not run: {why} | | | | | {what} |", row.peer.name)
            }
        };
    }
    text
}
