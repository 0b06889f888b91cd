//! The command line.

use crate::{Context, Options};
use crate::{commands, ui};
use anyhow::Result;
use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

/// Drivetrain: a file dropped in a bucket becomes a trained, judged, deployed and watched model. This command is for
/// the users of a deployed stack.
#[derive(Debug, Parser)]
#[command(
    name = "drivetrain",
    bin_name = "drivetrain",
    version,
    after_help = "Examples:\n  \
        drivetrain init listings.csv                       a document of a use case, from a file of rows\n  \
        drivetrain onboard models/used-car-price.yaml      a use case, from its document\n  \
        drivetrain drop used-car-price listings.csv        rows to train on; the gates decide what serves\n  \
        drivetrain status                                  what serves, what runs, what went wrong\n  \
        drivetrain --profile prod --region eu-west-1 status\n  \
        drivetrain --on local status                       the stack that `cargo xtask up` has started"
)]
pub struct Cli {
    #[command(flatten)]
    options: Options,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(commands::init::Init),
    Check(commands::check::Check),
    Onboard(commands::onboard::Onboard),
    Drop(commands::drop::DropFile),
    Score(commands::score::Score),
    Predict(commands::predict::Predict),
    Status(commands::status::Status),
    Doctor(commands::doctor::Doctor),
    Inbox(commands::inbox::Inbox),
    Logs(commands::logs::Logs),
    Champions(commands::champions::Champions),
    Approve(commands::promotion::Approve),
    Reject(commands::promotion::Reject),
    Rollback(commands::promotion::Rollback),
    Rerun(commands::rerun::Rerun),
    Monitor(commands::monitor::Monitor),
    Dashboard(commands::dashboard::Dashboard),
    DeadLetters(commands::dead_letters::DeadLetters),
    Offboard(commands::offboard::Offboard),
    Completions(commands::completions::Completions),
    Man(commands::man::Man),
}

impl Cli {
    /// Reads the command line. Ends the program with the help that was asked for, or with what is wrong.
    pub fn of_program() -> Self {
        let error = match Self::read(std::env::args_os()) {
            Ok(cli) => return cli,
            Err(error) => error,
        };
        let printed = error.print().and_then(|()| std::io::stdout().flush());
        if !error.use_stderr() {
            ui::written(printed);
        }
        std::process::exit(error.exit_code());
    }

    /// Reads these words as a command line. An error shows the subcommand's whole usage: clap's own would list each option
    /// that is set, also by the environment, as if it were required.
    fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(words).map_err(|mut error| {
            let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) else {
                return error;
            };
            let mut all = Self::command();
            all.build();
            let usage = usage.to_string();
            let mut command = &all;
            for word in usage.split_whitespace().skip(2) {
                let Some(subcommand) = command.find_subcommand(word) else {
                    break;
                };
                command = subcommand;
            }
            let usage = command.clone().render_usage();
            error.insert(ContextKind::Usage, ContextValue::StyledStr(usage));
            error
        })
    }

    /// Whether the command handles signals itself, because it has something to clean up before it ends.
    pub fn listens_to_signals(&self) -> bool {
        matches!(self.command, Command::DeadLetters(_))
    }

    /// Runs the command.
    ///
    /// # Errors
    /// Those of the command.
    pub async fn run(self) -> Result<ExitCode> {
        let context = &Context::new(self.options);
        match self.command {
            Command::Doctor(doctor) => return doctor.run(context).await,
            Command::Init(init) => init.run(context),
            Command::DeadLetters(letters) => return letters.run(context).await,
            Command::Check(check) => check.run(context),
            Command::Score(score) => score.run(context).await,
            Command::Predict(predict) => predict.run(context).await,
            Command::Inbox(inbox) => inbox.run(context).await,
            Command::Completions(completions) => completions.run(&mut Self::command()),
            Command::Man(man) => man.run(context, &Self::command()),
            Command::Onboard(onboard) => onboard.run(context).await,
            Command::Drop(drop) => drop.run(context).await,
            Command::Status(status) => status.run(context).await,
            Command::Logs(logs) => logs.run(context).await,
            Command::Champions(champions) => champions.run(context).await,
            Command::Approve(approve) => approve.run(context).await,
            Command::Reject(reject) => reject.run(context).await,
            Command::Rollback(rollback) => rollback.run(context).await,
            Command::Rerun(rerun) => rerun.run(context).await,
            Command::Monitor(monitor) => monitor.run(context).await,
            Command::Dashboard(dashboard) => dashboard.run(context).await,
            Command::Offboard(offboard) => offboard.run(context).await,
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_subcommand_has_an_example_that_parses() {
        let command = Cli::command();
        command.clone().debug_assert();
        for subcommand in command.get_subcommands() {
            let help = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            let examples: Vec<&str> = help
                .lines()
                .filter_map(|line| line.trim().strip_prefix("drivetrain "))
                .collect();
            assert!(!examples.is_empty(), "{} has no example", subcommand.get_name());
            let whole = subcommand.clone().render_long_help().to_string();
            assert!(!whole.contains('\\'), "{} shows escapes", subcommand.get_name());
            for example in examples {
                let words = words(example.split("   ").next().unwrap_or_default());
                let parsed = Cli::try_parse_from(std::iter::once("drivetrain".to_owned()).chain(words));
                assert!(parsed.is_ok(), "`drivetrain {example}`: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn usage_shows_as_required_only_what_is() {
        for (line, usage) in [
            (
                "drivetrain --json --stack a drop",
                "drivetrain drop [OPTIONS] <USE-CASE> <FILE>",
            ),
            (
                "drivetrain dead-letters --on local show",
                "drivetrain dead-letters show [OPTIONS] <ID>",
            ),
            ("drivetrain --instance a --nope", "drivetrain [OPTIONS] <COMMAND>"),
        ] {
            let error = Cli::read(line.split(' ').map(OsString::from)).unwrap_err().to_string();
            assert!(error.contains(&format!("Usage: {usage}\n")), "{error}");
        }
    }

    /// Splits a line into words as a shell would, up to a redirection or a pipe.
    fn words(line: &str) -> Vec<String> {
        let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
        for character in line.chars() {
            match character {
                '\'' => quoted = !quoted,
                '>' | '|' if !quoted => break,
                ' ' if !quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
                other => word.push(other),
            }
        }
        words.extend(Some(word).filter(|word| !word.is_empty()));
        words
    }
}
