//! Output to the terminal: colours, width, progress. Documents go to stdout, everything else to stderr.

use anstyle::{AnsiColor, Style};
use comfy_table::{Cell, ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Width in columns if it is unknown.
const WIDTH: u16 = 100;
/// Progress is shown only for operations that take longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// For good results.
pub const GREEN: Style = AnsiColor::Green.on_default().bold();
/// For bad results.
pub const RED: Style = AnsiColor::Red.on_default().bold();
/// For results that are neither good nor bad.
pub const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// For secondary information.
pub const DIM: Style = Style::new().dimmed();

/// Prints a line to stdout. A reader that stops, as in `| head`, is not an error.
pub fn say(text: impl Display) {
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Prints a line to stderr.
pub fn note(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{DIM}{text}{DIM:#}");
}

/// Prints a warning to stderr.
pub fn warn(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{YELLOW}warning{YELLOW:#}: {text}");
}

/// Prints an error to stderr.
pub fn error(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{RED}error{RED:#}: {text}");
}

/// A table that is never wider than the terminal, without lines between rows and without trailing spaces.
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

/// Wraps a text to the width of the terminal. `before` is the number of characters before it on the first line.
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

/// Width of the terminal in columns, if stdout is one.
fn width() -> u16 {
    let found = std::io::stdout().is_terminal().then(|| Table::new().width()).flatten();
    found.unwrap_or(WIDTH).max(40)
}

/// Whether tables are coloured, which depends on stdout.
fn coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
}

/// Progress of reading: shown on stderr, on a terminal, after two seconds.
pub struct Progress {
    bar: ProgressBar,
    began: Instant,
}

impl Progress {
    /// Progress of reading a file or folder.
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

    /// Reports the number of bytes read and the total number of bytes.
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

    /// Ends the display and removes it from the terminal.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}
