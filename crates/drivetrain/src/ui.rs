//! Output for people: a moving line on a terminal while something takes time, plain lines elsewhere.
//!
//! Progress goes to stderr, results to stdout, so that `eval "$(cargo xtask env)"` works. Names, reasons and causes
//! come from files and containers: characters that would reverse a line or move the cursor are escaped here, for all
//! commands.

use contracts::notice;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// A step that takes time. It ends with [`Step::done`]; its line stays when it fails.
#[derive(Debug)]
pub struct Step {
    bar: Option<ProgressBar>,
    name: String,
    began: Instant,
}

impl Step {
    /// Begins a step, such as `Deploy`.
    pub fn begin(name: &str) -> Self {
        let bar = on_terminal().then(|| spinner(name));
        if bar.is_none() {
            say(&format!("{name:<12} ..."));
        }
        Self {
            bar,
            name: name.to_owned(),
            began: Instant::now(),
        }
    }

    /// Begins a step whose program shows its own progress.
    pub fn begin_quietly(name: &str) -> Self {
        say(&format!("{name:<12} ..."));
        Self {
            bar: None,
            name: name.to_owned(),
            began: Instant::now(),
        }
    }

    /// Begins a step that is shown only on a terminal, as a moving line.
    pub fn begin_on_terminal(name: &str) -> Self {
        Self {
            bar: on_terminal().then(|| spinner(name)),
            name: name.to_owned(),
            began: Instant::now(),
        }
    }

    /// Shows the step's progress on a terminal; does nothing elsewhere.
    pub fn at(&self, detail: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(plain(&format!("{}: {detail}", self.name)));
        }
    }

    /// Ends the step and shows its outcome; returns its duration.
    pub fn done(self, outcome: &str) -> Duration {
        let took = self.began.elapsed();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        say(&format!("{:<12} {outcome} ({})", self.name, seconds(took)));
        took
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Text with its lines kept: escapes what mails escape, except line ends and tabs.
pub fn plain(text: &str) -> String {
    let pieces = text.split_inclusive(['\n', '\t']);
    pieces
        .map(|piece| match piece.strip_suffix(['\n', '\t']) {
            Some(words) => notice::plain(words) + &piece[words.len()..],
            None => notice::plain(piece),
        })
        .collect()
}

/// A result for people, on stdout.
pub fn show(text: &str) {
    show_exactly(&plain(text));
}

/// JSON for programs, on stdout, with characters escaped that would change the order of a terminal's line.
pub fn show_json(text: &str) {
    show_exactly(&plain_json(text));
}

/// Escapes them; in JSON such characters can only be within strings.
fn plain_json(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if notice::is_plain(character) || character.is_ascii_whitespace() {
            plain.push(character);
        } else {
            let units = &mut [0; 2];
            plain.extend(
                character
                    .encode_utf16(units)
                    .iter()
                    .map(|unit| format!("\\u{unit:04x}")),
            );
        }
    }
    plain
}

/// A result on stdout exactly as it is: a document, a script.
pub fn show_exactly(text: &str) {
    written(writeln!(std::io::stdout(), "{text}"));
}

/// Bytes on stdout as they are, at once.
pub fn show_bytes(bytes: &[u8]) {
    let mut stdout = std::io::stdout();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()));
}

/// Ends the program when its output could not be written: silently when nobody reads it any more, as with `| head`.
pub fn written(outcome: std::io::Result<()>) {
    /// The exit code that shells report for a program that wrote into a closed pipe.
    const CLOSED_PIPE: i32 = 141;
    match outcome {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => std::process::exit(CLOSED_PIPE),
        Err(error) => {
            say(&format!("error: the output can't be written: {error}"));
            std::process::exit(1);
        }
    }
}

/// A line for people, on stderr. A closed stderr is no error.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{}", plain(text));
}

/// Shows a failure: what went wrong, and below it each cause.
pub fn error(error: &anyhow::Error) {
    say(&format!("error: {error}"));
    for cause in error.chain().skip(1) {
        say(&format!("  because: {cause}"));
    }
}

/// Whether stderr is a terminal, which can show a moving line.
pub fn on_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Formats a duration: `0.4 s`, `12 s`, `3 min 20 s`.
pub fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else if seconds < 100.0 {
        format!("{seconds:.0} s")
    } else {
        let whole = duration.as_secs();
        format!("{} min {} s", whole / 60, whole % 60)
    }
}

/// Formats how long ago something was: `40 s`, `12 min`, `5 h`, `3 days`.
pub fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min", seconds / 60),
        6_000..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// A line that moves while there is nothing else to show.
pub fn spinner(message: &str) -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar.set_message(message.to_owned());
    bar
}

/// The last lines of a log file; empty when it can't be read.
pub fn tail(log: &Path, lines: usize) -> String {
    let text = std::fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let text = text.unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

/// A table of text with columns as wide as their widest cell; the first row is the header.
pub fn table(rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| notice::plain(cell)).collect())
        .collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:<width$}"))
            .collect();
        format!("  {}", cells.join("  ")).trim_end().to_owned() + "\n"
    };
    let mut text = String::new();
    for (position, row) in rows.iter().enumerate() {
        text.push_str(&line(row));
        if position == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            text.push_str(&line(&rule));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_as_exact_as_people_want_them() {
        assert_eq!(seconds(Duration::from_millis(420)), "0.4 s");
        assert_eq!(seconds(Duration::from_millis(12_400)), "12 s");
        assert_eq!(seconds(Duration::from_secs(200)), "3 min 20 s");
    }

    #[test]
    fn ages_are_told_in_one_unit() {
        let ages = [40, 720, 18_000, 259_200].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["40 s", "12 min", "5 h", "3 days"]);
    }

    #[test]
    fn columns_line_up() {
        let rows = [["model", "rmse"], ["xgboost", "4321.0"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "  model    rmse\n  -------  ------\n  xgboost  4321.0\n");
        let rows = [["note", "by"], ["a\u{202e}b\nc", "kim"]].map(|row| row.map(str::to_owned).to_vec());
        let told = "  note           by\n  -------------  ---\n  a\\u{202e}b\\nc  kim\n";
        assert_eq!(table(&rows), told);
    }

    #[test]
    fn nothing_that_is_shown_turns_a_line_or_moves_the_cursor() {
        let text = "error: `a\u{202e}vsc.b`\x1b[2J\n\tnext: Käufe\r\n";
        let told = "error: `a\\u{202e}vsc.b`\\u{1b}[2J\n\tnext: Käufe\\r\n";
        assert_eq!(plain(text), told);
        assert_eq!(plain(told), told, "told once");
        let json = serde_json::json!({"reason": "a\u{202e}b \u{e0041}", "words": ["Käufe", "two\nlines"]});
        let shown = plain_json(&serde_json::to_string_pretty(&json).unwrap());
        assert!(shown.contains("a\\u202eb \\udb40\\udc41"), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json);
    }
}
