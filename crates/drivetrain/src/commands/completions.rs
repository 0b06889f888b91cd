//! `completions`: completion scripts for shells.

use anyhow::Result;
use clap::{Args, Command};
use clap_complete::Shell;

/// Print completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    mkdir -p ~/.local/share/bash-completion/completions ~/.zfunc ~/.config/fish/completions\n  \
    drivetrain completions bash > ~/.local/share/bash-completion/completions/drivetrain\n  \
    drivetrain completions zsh > ~/.zfunc/_drivetrain             which `fpath` must hold\n  \
    drivetrain completions fish > ~/.config/fish/completions/drivetrain.fish")]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    /// Prints the script.
    ///
    /// # Errors
    /// None.
    pub fn run(&self, command: &mut Command) -> Result<()> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, command, "drivetrain", &mut text);
        crate::ui::show_exactly(String::from_utf8_lossy(&text).trim_end());
        Ok(())
    }
}
