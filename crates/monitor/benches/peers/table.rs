//! The results as Markdown.

use crate::check::Verdict;
use crate::data::DataFile;
use crate::launch::{Usage, gigabytes};
use crate::machine::Machine;
use crate::options::Options;
use crate::peer::{Floor, How, Row};
use std::fmt::Write;

/// The table for one file, and whether the analyzer was right.
pub fn section(file: &DataFile, rows: &[Row], verdict: &Verdict) -> String {
    let mut text = format!(
        "### {}, {} rows of {} columns",
        file.title(),
        thousands(file.rows),
        file.columns
    );
    if file.share < 0.9995 {
        let _ = write!(text, " ({:.1} % of the CSV file's)", file.share * 100.0);
    }
    text.push_str("\n\n| | s | s per GB | × | CPU s | MB | of it private | what it computes |\n");
    text.push_str("|---|--:|--:|--:|--:|--:|--:|---|\n");
    let ours = rows
        .iter()
        .find(|row| matches!(row.peer.how, How::Analyzer))
        .and_then(median)
        .map(|usage| usage.seconds);
    let mut order: Vec<&Row> = rows
        .iter()
        .filter(|row| row.peer.formats.contains(&file.format))
        .collect();
    order.sort_by(|one, other| {
        place(one)
            .cmp(&place(other))
            .then(seconds(one).total_cmp(&seconds(other)))
    });
    for row in order {
        text.push_str(&line(file, row, ours));
    }
    let _ = write!(text, "\n{}\n\n", verdict.text);
    text
}

/// Notes that apply to all files: the machine, the method, figures published by others.
pub fn notes(machine: &Machine, options: &Options) -> String {
    let mut text = String::from("Measured on:\n");
    for fact in &machine.facts {
        let _ = writeln!(text, "- {fact}");
    }
    let _ = write!(
        text,
        "\nEvery peer is a process of its own and reads the file from the page cache. s: wall time, starting included, the \
         median of {} (of an even number the faster; a run beyond two minutes is not repeated; in brackets the fastest and the slowest). ×: wall time \
         against the analyzer's. MB: peak of the resident set of the process tree, mapped files included; private: \
         without them. GB and MB are 10^9 and 10^6 bytes.\n\n\
         AWS's own container needs 77 s for a CSV file of 0.376 MB on an ml.m5.xlarge (4 virtual cores, 16 GiB), by its \
         log; it cannot be run elsewhere.\n",
        if options.runs == 1 {
            "one run".to_owned()
        } else {
            format!("{} runs", options.runs)
        }
    );
    text
}

/// Sort key: the analyzer, peers that ran, peers that did not, the lower bounds.
fn place(row: &Row) -> u8 {
    match (&row.peer.how, row.runs.is_empty()) {
        (How::Analyzer, _) => 0,
        (How::Floor(_), _) => 3,
        (_, false) => 1,
        (_, true) => 2,
    }
}

fn seconds(row: &Row) -> f64 {
    median(row).map_or(f64::INFINITY, |usage| usage.seconds)
}

/// The median run by wall time; the faster of two if their number is even.
fn median(row: &Row) -> Option<Usage> {
    let mut runs = row.runs.clone();
    runs.sort_by(|one, other| one.seconds.total_cmp(&other.seconds));
    runs.get(runs.len().saturating_sub(1) / 2).copied()
}

fn line(file: &DataFile, row: &Row, ours: Option<f64>) -> String {
    let mut name = match &row.peer.how {
        How::Analyzer => format!("**{}**", row.peer.name),
        How::Floor(Floor::Parse) => "`csv` crate".to_owned(),
        How::Floor(_) => format!("`{}`", row.peer.name),
        _ => row.peer.name.to_owned(),
    };
    if !matches!(row.peer.how, How::Floor(_)) && !row.version.is_empty() {
        let _ = write!(name, " {}", row.version);
    }
    let usage = match (median(row), &row.failure) {
        (Some(usage), None) => usage,
        (_, why) => {
            let why = why.as_deref().unwrap_or("it was not its turn").replace('|', "\\|");
            return format!("| {name} | | | | | | | not run: {why} |\n");
        }
    };
    let all = row.runs.iter().map(|run| run.seconds);
    let (fastest, slowest) = all.fold((f64::INFINITY, 0.0_f64), |(low, high), run| {
        (low.min(run), high.max(run))
    });
    let spread = if row.runs.len() > 1 {
        format!(" ({}–{})", short(fastest), short(slowest))
    } else {
        String::new()
    };
    let per_gb = if file.bytes < 10_000_000 {
        String::new()
    } else {
        short(usage.seconds / gigabytes(file.bytes))
    };
    let times = ours.map_or_else(String::new, |ours| short(usage.seconds / ours));
    // A run that was too short to be sampled has no private memory.
    let private = if usage.private == 0 {
        String::new()
    } else {
        format!("{:.0}", gigabytes(usage.private) * 1000.0)
    };
    let index = row.index_seconds.map_or_else(String::new, |seconds| {
        format!("; the index takes {} s more", short(seconds))
    });
    format!(
        "| {name} | {}{spread} | {per_gb} | {times} | {} | {:.0} | {} | {}{index} |\n",
        short(usage.seconds),
        short(usage.cpu_seconds),
        gigabytes(usage.resident) * 1000.0,
        private,
        row.peer.work,
    )
}

/// The number with three digits, or with all digits before the point.
fn short(number: f64) -> String {
    match number {
        _ if number < 1.0 => format!("{number:.3}"),
        _ if number < 10.0 => format!("{number:.2}"),
        _ if number < 100.0 => format!("{number:.1}"),
        _ => format!("{number:.0}"),
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}
