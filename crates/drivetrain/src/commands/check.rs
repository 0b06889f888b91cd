//! `check`: checks use-case documents without storing them.

use crate::document::{self, Complaint};
use crate::{Context, ui};
use anyhow::{Result, bail};
use clap::Args;
use contracts::words;
use serde::Serialize;
use std::path::PathBuf;

/// Check use-case documents without storing them: shows their mistakes, each with its line; needs no stack and no network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain check models/used-car-price.yaml\n  \
    drivetrain check models/a.yaml models/b.yaml --json\n\n\
    What stands behind bad syntax or a missing field shows when that is mended. The exit code is 1 when a document is invalid.")]
pub struct Check {
    /// The documents, in YAML or JSON
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Debug, Serialize)]
struct Checked {
    file: PathBuf,
    use_case: Option<String>,
    mistakes: Vec<Complaint>,
}

impl Check {
    /// Checks each document.
    ///
    /// # Errors
    /// One is invalid; the mistakes of each have been shown by then.
    pub fn run(&self, context: &Context) -> Result<()> {
        let checked = self.files.iter().map(|file| {
            let (use_case, mistakes) = match document::read(file) {
                Ok(document) => (Some(document.use_case), Vec::new()),
                Err(mistakes) => (None, mistakes),
            };
            Checked {
                file: file.clone(),
                use_case,
                mistakes,
            }
        });
        let checked: Vec<Checked> = checked.collect();
        let mistakes: usize = checked.iter().map(|it| it.mistakes.len()).sum();
        context.show(&checked, |all| all.iter().map(in_words).collect::<Vec<_>>().join("\n"))?;
        if mistakes > 0 {
            bail!("{} found", words::counted(mistakes as u64, "mistake", "mistakes"));
        }
        if !context.json() && self.files.len() > 1 {
            ui::say(&format!("{} documents are valid", self.files.len()));
        }
        Ok(())
    }
}

fn in_words(checked: &Checked) -> String {
    match &checked.use_case {
        Some(use_case) => format!("{}: valid, use case `{use_case}`", checked.file.display()),
        None => {
            let lines: Vec<String> = checked.mistakes.iter().map(ToString::to_string).collect();
            lines.join("\n")
        }
    }
}
