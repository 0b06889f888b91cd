//! `doctor`: what is missing, on this machine or in the account, and what to do about it.

mod check;
mod checks;
mod image;

use crate::{Context, ui};
use anyhow::Result;
use check::{Check, Level};
use clap::Args;
use std::process::ExitCode;

/// Look for what is missing: credentials, region, the stack, its image, use cases, subscriptions, dead letters,
/// endpoints.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain doctor\n  \
    drivetrain doctor --profile prod --region eu-west-1\n  \
    drivetrain --on local doctor\n\n\
    The exit code is 1 when something is missing, 0 when there are only warnings, or none.")]
pub struct Doctor {}

impl Doctor {
    /// Runs the checks one after the other; a check that depends on a failed one is left out.
    ///
    /// # Errors
    /// The result can't be shown.
    #[allow(clippy::unused_self, reason = "every subcommand runs alike")]
    pub async fn run(&self, context: &Context) -> Result<ExitCode> {
        let mut checks = Vec::new();
        let step = ui::Step::begin_on_terminal("Doctor");
        checks::all(context, &mut checks, &|at| step.at(at)).await;
        drop(step);
        context.show(&checks, |all| all.iter().map(Check::in_words).collect::<String>())?;
        let missing = checks.iter().any(|check| check.level == Level::Missing);
        Ok(if missing { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}
