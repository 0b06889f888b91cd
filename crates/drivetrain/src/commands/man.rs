//! `man`: manual pages.

use crate::Context as Asked;
use anyhow::{Context, Result};
use clap::{Args, Command};
use std::path::PathBuf;

/// Print the manual page, or write the pages of all subcommands to a folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain man | man -l -\n  \
    drivetrain man --output ~/.local/share/man/man1")]
pub struct Man {
    /// Write `drivetrain.1`, `drivetrain-drop.1` and so on to this folder
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
}

impl Man {
    /// Prints the page or writes the pages.
    ///
    /// # Errors
    /// The folder can't be written to.
    pub fn run(&self, context: &Asked, command: &Command) -> Result<()> {
        let Some(folder) = &self.output else {
            let mut page = Vec::new();
            clap_mangen::Man::new(command.clone()).render(&mut page)?;
            crate::ui::show_exactly(String::from_utf8_lossy(&page).trim_end());
            return Ok(());
        };
        let cannot = || format!("cannot write to {}", folder.display());
        std::fs::create_dir_all(folder).with_context(cannot)?;
        clap_mangen::generate_to(command.clone(), folder).with_context(cannot)?;
        context.show(folder, |folder| format!("{}", folder.display()))
    }
}
