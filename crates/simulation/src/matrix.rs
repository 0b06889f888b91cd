//! Plays the rows, shows the results, and checks `docs/faults.md` against them.

use crate::rows::{self, Row};
use crate::world::{Aftermath, World};
use anyhow::{Context, Result};
use comfy_table::{ContentArrangement, Table, presets};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

const DOCUMENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/faults.md");
/// Everything below this line is written by `--write`.
const MARK: &str = "<!-- Made by `cargo run --bin fault-matrix -- --write`. -->\n";
const USAGE: &str = "\
fault-matrix              plays every row, prints the table, and checks docs/faults.md
fault-matrix NAME…        plays some rows; for a single row, everything that happens is printed
fault-matrix --list       the rows' names
fault-matrix --write      writes the table of docs/faults.md";

/// The program's entry point.
pub fn main() -> Result<ExitCode> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let themes = rows::all();
    match words.first().map(String::as_str) {
        Some("--help" | "-h") => println!("{USAGE}"),
        Some("--list") => all(&themes).for_each(|row| println!("{:<28} {}", row.name, row.fault)),
        Some("--write") => {
            let (head, _) = document()?;
            std::fs::write(DOCUMENT, head + &markdown(&themes))?;
        }
        _ => return play_all(&themes, &words),
    }
    Ok(ExitCode::SUCCESS)
}

type Themes = Vec<(&'static str, Vec<Row>)>;

fn all(themes: &Themes) -> impl Iterator<Item = &Row> {
    themes.iter().flat_map(|(_, rows)| rows)
}

fn play_all(themes: &Themes, names: &[String]) -> Result<ExitCode> {
    let chosen = |row: &&Row| names.is_empty() || names.iter().any(|name| name == row.name);
    let rows: Vec<&Row> = all(themes).filter(chosen).collect();
    anyhow::ensure!(!rows.is_empty(), "there is no such row; `--list` names them");
    let due: Mutex<VecDeque<usize>> = Mutex::new((0..rows.len()).collect());
    let wrongs: Mutex<Vec<Vec<String>>> = Mutex::new(vec![Vec::new(); rows.len()]);
    let next = || due.lock().unwrap().pop_front();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(at) = next() {
                    let played = std::panic::catch_unwind(|| play(rows[at], names.len() == 1));
                    let wrong = played.unwrap_or_else(|_| vec!["it panicked; see above".to_owned()]);
                    wrongs.lock().unwrap()[at] = wrong;
                }
            });
        }
    });
    let wrongs = wrongs.into_inner().unwrap();
    println!("{}", table(&rows, &wrongs));
    let mut failed = 0;
    for (row, wrong) in rows.iter().zip(&wrongs).filter(|(_, wrong)| !wrong.is_empty()) {
        println!("\n{}: {}", row.name, row.fault);
        wrong.iter().for_each(|it| println!("  {it}"));
        failed += 1;
    }
    let (_, written) = document()?;
    if names.is_empty() && written != markdown(themes) {
        println!("\ndocs/faults.md is not what the rows say: `cargo run --bin fault-matrix -- --write`");
        failed += 1;
    }
    // In the words of cargo's own tests, so that it is counted like them.
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    let passed = rows.len() - failed.min(rows.len());
    println!("\ntest result: {verdict}. {passed} passed; {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Plays a row in a world of its own; returns what is wrong.
fn play(row: &Row, trace: bool) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, async {
        let world = World::new();
        if trace {
            world.trace();
        }
        let played = (row.play)(world.clone()).await;
        let mut wrong: Vec<String> = played.err().map(|error| format!("{error:#}")).into_iter().collect();
        wrong.extend(compare(row, &world));
        wrong
    })
}

fn compare(row: &Row, world: &Arc<World>) -> Vec<String> {
    let Aftermath {
        ends,
        serves,
        told,
        runs_on,
    } = world.aftermath();
    let mut wrong = Vec::new();
    if ends != row.ends {
        wrong.push(format!("expected the ends {:#?}, got {ends:#?}", row.ends));
    }
    if serves != row.serves {
        wrong.push(format!("expected to serve `{}`, got `{serves}`", row.serves));
    }
    if !matches(row.told, &told) {
        wrong.push(format!("expected to be told {:#?}, got {told:#?}", row.told));
    }
    wrong.extend(runs_on);
    wrong.extend(
        world
            .faults
            .unused()
            .into_iter()
            .map(|it| format!("the fault {it} did not happen")),
    );
    wrong.extend(
        world
            .unused_hooks()
            .into_iter()
            .map(|it| format!("the state {it} was not entered")),
    );
    wrong
}

/// Whether each expected part occurs in a subject of its own, and no subject is left over.
fn matches(expected: &[&str], told: &[String]) -> bool {
    let mut left: Vec<&String> = told.iter().collect();
    for part in expected {
        let Some(at) = left.iter().position(|it| it.contains(part)) else {
            return false;
        };
        left.remove(at);
    }
    left.is_empty()
}

fn table(rows: &[&Row], wrongs: &[Vec<String>]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_FULL_CONDENSED)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if !table.is_tty() {
        table.set_width(200);
    }
    table.set_header(["fault", "how it ends", "what serves", "who is told", ""]);
    for (row, wrong) in rows.iter().zip(wrongs) {
        let verdict = if wrong.is_empty() { "ok" } else { "WRONG" };
        table.add_row([
            row.fault,
            &counted(row.ends).join("\n"),
            row.serves,
            &counted(row.told).join("\n"),
            verdict,
        ]);
    }
    table
}

/// Lines, with consecutive equal ones combined into one.
fn counted(lines: &[&str]) -> Vec<String> {
    let equal = lines.chunk_by(|one, other| one == other);
    let one = |lines: &[&str]| match lines.len() {
        1 => lines[0].to_owned(),
        count => format!("{} ({count} times)", lines[0]),
    };
    equal.map(one).collect()
}

/// The document's head, including the mark, and the table below it.
fn document() -> Result<(String, String)> {
    let text = std::fs::read_to_string(DOCUMENT).context("docs/faults.md can't be read")?;
    let (head, table) = text.split_once(MARK).context("docs/faults.md has lost its mark")?;
    Ok((head.to_owned() + MARK, table.to_owned()))
}

fn markdown(themes: &Themes) -> String {
    let mut text = String::new();
    for (theme, rows) in themes {
        let _ = writeln!(text, "\n## {}\n", theme[..1].to_uppercase() + &theme[1..]);
        text += "| row | fault | how it ends | what serves | who is told |\n|---|---|---|---|---|\n";
        for row in rows {
            let lines = |lines: &[&str]| counted(lines).join("<br>");
            let (ends, told) = (lines(row.ends), lines(row.told));
            let _ = writeln!(
                text,
                "| `{}` | {} | {ends} | {} | {told} |",
                row.name, row.fault, row.serves
            );
        }
    }
    text
}
