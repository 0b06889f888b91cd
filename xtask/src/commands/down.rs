//! `down`: stops the local stack and removes its files.

use crate::layout::Layout;
use crate::stack;
use anyhow::Result;
use clap::Args;
use drivetrain::ui;

/// Stop the local stack and remove its files; Python environments and builds stay.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask down\n  cargo xtask --instance second down")]
pub struct Down {}

impl Down {
    /// Stops every process of the instance, by its id, and removes the folder.
    ///
    /// # Errors
    /// Another xtask is at work on it, or the folder can't be removed.
    #[allow(clippy::unused_self, reason = "every subcommand runs alike")]
    pub fn run(&self, layout: &Layout) -> Result<()> {
        let _lock = layout.lock_instance()?;
        let folder = layout.shown(&layout.stack());
        if stack::remove(layout)? {
            ui::say(&format!(
                "the local stack `{}` is down; {folder} is removed",
                layout.instance()
            ));
        } else {
            ui::say(&format!(
                "the local stack `{}` was not up: nothing to stop",
                layout.instance()
            ));
        }
        Ok(())
    }
}
