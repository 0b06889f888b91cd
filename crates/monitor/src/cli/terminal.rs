//! What the terminal can do: colours, width, progress. Documents go to stdout, all else to stderr.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Where the width is not known.
const WIDTH: u16 = 100;
/// What takes less has no progress.
const PATIENCE: Duration = Duration::from_secs(2);

/// Good.
pub const GREEN: Style = AnsiColor::Green.on_default().bold();
/// Bad.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// Neither.
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// Beside the point.
pub const DIM: Style = Style::new().dimmed();

/// A line on stdout. Nobody reads on after `| head`: that is no error.
pub fn say(text: impl Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// A line on stderr.
pub fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{DIM}{text}{DIM:#}");
}

/// A warning on stderr.
pub fn warn(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{YELLOW}warning{YELLOW:#}: {text}");
}

/// An error on stderr.
pub fn error(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{RED}error{RED:#}: {text}");
}

/// A table that is never wider than the terminal, without lines between its rows and blanks at their ends.
pub fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let mut table = Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(
            header
                .iter()
                .map(|it| Cell::new(it).add_attribute(comfy_table::Attribute::Dim)),
        )
        .add_rows(rows);
    table.set_width(width());
    if !coloured() {
        table.force_no_tty();
    }
    table.trim_fmt()
}

/// A text in lines that fit the terminal, without the characters that stand before it in the first.
pub fn wrapped(text: &str, before: usize) -> String {
    let mut lines = String::new();
    let mut used = before;
    for word in text.split(' ') {
        let length = word.chars().count();
        if !lines.is_empty() {
            let fits = used + 1 + length <= usize::from(width());
            lines.push(if fits { ' ' } else { '\n' });
            used = if fits { used + 1 } else { 0 };
        }
        lines.push_str(word);
        used += length;
    }
    lines
}

/// Columns of the terminal, where stdout is one.
fn width() -> u16 {
    let found = std::io::stdout().is_terminal().then(|| Table::new().width()).flatten();
    found.unwrap_or(WIDTH).max(40)
}

/// The table takes colours only where stdout does.
fn coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}

/// How far reading is: on stderr, on a terminal, after two seconds.
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    /// Of reading a file or folder.
    pub fn new(path: &Path) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(
            path.file_name()
                .map(|it| it.to_string_lossy().into_owned())
                .unwrap_or_default(),
        );
        Self {
            bar,
            began: Instant::now(),
        }
    }

    /// Bytes read, and bytes in all.
    pub fn tell(&self, read: u64, total: u64) {
        if self.bar.is_hidden() {
            if self.began.elapsed() < PATIENCE || !std::io::stderr().is_terminal() {
                return;
            }
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_length(total);
        self.bar.set_position(read.min(total));
    }

    /// Done: nothing stays on the terminal.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
