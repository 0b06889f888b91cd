//! Compares the analyzer and its peers on the same files, in one run on one machine.
//!
//!     cargo bench --profile analyzer -p monitor --bench peers                 # the figures of the README
//!     cargo bench --profile analyzer -p monitor --bench peers -- --help       # the options
//!     cargo bench --profile dev -p monitor --bench peers -- --size 50000000   # only checks that it works
//!
//! Steps:
//! 1. It generates the data: used-car listings of 20 columns, the same rows as CSV, Parquet and JSON lines, from a seed
//!    (`data`, `columns`). They are kept under `bench/` of the target folder for the next time.
//! 2. It creates the Python environments of the peers from `requirements/*.txt`, and finds the programs (`setup`).
//! 3. In several rounds, every peer gets every file, in a process of its own (`peer`, `launch`). The file is read once
//!    before each run, so that no run waits for the disk. A run of more than two minutes is not repeated.
//! 4. It compares the analyzer's results with those of polars (`check`), so that a fast wrong answer is noticed, and
//!    prints Markdown (`table`) to standard output and to `bench/peers.md`.
//!
//! How it measures: seconds are wall time from the start of the process to its end, including the start of Python or a
//! JVM; of several runs, the median is shown. CPU seconds are those of the process and its children. Memory is the peak
//! of the resident set, summed over the process tree (sampled every 50 ms, and at least the kernel's own high-water
//! mark of the largest process); «private» excludes mapped files, which the kernel could drop. If a peer can do
//! different amounts of work, the table says what it was asked to do.
//!
//! It needs uv or Python 3.11, Java 17 or 21 for Spark, 7 GB of disk (15 more with `--large`), and Linux. qsv and xan
//! must be installed on the machine; `--tools` builds them with cargo, which may take half an hour on two cores.
//!
//! A peer that can't run gets a row that says why. The exit code is 1 if the analyzer is wrong or doesn't run. Measure
//! on a machine that does nothing else: the load at the start is shown under the table.

mod check;
mod columns;
mod data;
mod launch;
mod machine;
mod options;
mod peer;
mod setup;
mod table;

use anyhow::{Context, Result};
use clap::Parser;
use data::DataFile;
use options::Options;
use peer::{Peer, Row};
use setup::Layout;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let outcome = match arguments.get(1).map(String::as_str) {
        Some(launch::MODE) => launch::launch(&arguments[2..]).map(|()| true),
        Some(peer::COUNT_FIELDS) => peer::count_fields(&arguments[2..]).map(|()| true),
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

/// Runs everything and prints the result; returns whether the analyzer ran and was right.
fn compare(options: &Options) -> Result<bool> {
    let peers = options.peers()?;
    let layout = Layout::new()?;
    let machine = machine::Machine::look();
    let files = data::make(options, &layout.data)?;
    let setup = setup::Setup::make(&layout, &peers, options)?;
    let mut right = true;
    let mut text = String::new();
    for file in &files {
        let rows = measure(options, &layout, &setup, &peers, file);
        let verdict = check::check(&layout, &setup, file, &rows);
        right &= verdict.right;
        let section = table::section(file, &rows, &verdict);
        print!("{section}");
        text.push_str(&section);
    }
    let notes = table::notes(&machine, options);
    print!("{notes}");
    text.push_str(&notes);
    let saved = layout.root.join("peers.md");
    std::fs::write(&saved, text).with_context(|| format!("cannot write {}", saved.display()))?;
    eprintln!("saved as {}", saved.display());
    Ok(right)
}

/// Runs all peers on one file, in rounds, so that temporary load of the machine affects all of them.
fn measure(
    options: &Options,
    layout: &Layout,
    setup: &setup::Setup,
    peers: &[&'static Peer],
    file: &DataFile,
) -> Vec<Row> {
    let mut rows: Vec<Row> = peers.iter().map(|peer| Row::new(peer)).collect();
    for round in 1..=options.runs {
        for row in rows.iter_mut().filter(|row| row.goes_on()) {
            eprint!(
                "{}, round {round} of {}: {} … ",
                file.title(),
                options.runs,
                row.peer.name
            );
            row.run(layout, setup, file, options.timeout());
            eprintln!("{}", row.last_said());
        }
    }
    rows
}
