//! `generate`: the template and the state machines, from their sources.

use crate::generate;
use crate::layout::Layout;
use anyhow::{Context, Result};
use clap::Args;
use drivetrain::ui;

/// Write template.yaml and statemachines/*.asl.json from infra/platform, infra/reporting/views and statemachines/src.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask generate\n  cargo xtask generate --check      fail when a file is out of date"
)]
pub struct Generate {
    /// Only compare
    #[arg(long)]
    check: bool,
}

impl Generate {
    /// Writes or compares the files.
    ///
    /// # Errors
    /// A source is wrong, or a file differs or can't be written.
    pub fn run(&self, layout: &Layout) -> Result<()> {
        if self.check {
            generate::check(layout)?;
            return Ok(());
        }
        for generated in generate::all(layout)? {
            let file = &generated.file;
            if generated.is_current(layout) {
                ui::say(&format!("{file} is up to date"));
                continue;
            }
            std::fs::write(layout.path(file), &generated.text).with_context(|| format!("cannot write {file}"))?;
            ui::say(&format!("wrote {file}"));
        }
        Ok(())
    }
}
