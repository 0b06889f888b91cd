//! The tasks of this repository's developers: `cargo xtask`. Tasks of a deployed stack's users belong to `drivetrain`.
//!
//! Here: the command line, interruption and exit codes. Each subcommand is a module of `commands`; what
//! several of them need lies beside it: `stack` (LocalStack and sagemaker-local as processes), `environments`
//! (pinned Python), `deploy` (the template onto a stack), `generate` (what deploys, of its sources).

mod cargo;
mod checks;
mod commands;
mod demo;
mod deploy;
mod environments;
mod generate;
mod http;
mod layout;
mod process;
mod stack;
mod tick;

use clap::{Parser, Subcommand};
use drivetrain::{interrupt, local, ui};
use layout::Layout;
use std::process::ExitCode;

/// Drivetrain's repository on this machine: the local stack, the demo, tests, distribution.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    after_help = "Examples:\n  \
        cargo xtask demo                       real listings, two models, one answered request; leaves the stack up\n  \
        cargo xtask up                         the local stack with Drivetrain deployed\n  \
        eval \"$(cargo xtask env)\"              any AWS client now speaks to the local stack\n  \
        drivetrain status                      and so does `drivetrain`: use cases, runs, predictions\n  \
        cargo xtask test                       everything that must hold\n  \
        cargo xtask down                       stop the stack and remove its files"
)]
struct Cli {
    /// The local stack to use: its files are in target/local/NAME. Stacks with other names than `stack` take free
    /// ports.
    #[arg(long, global = true, default_value = local::DEFAULT_INSTANCE, value_name = "NAME", value_parser = local::parse_instance)]
    instance: String,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(commands::demo::Demo),
    Up(commands::up::Up),
    Down(commands::down::Down),
    Env(commands::env::Env),
    Test(commands::test::Test),
    Dist(commands::dist::Dist),
    Schema(commands::schema::Schema),
    Generate(commands::generate::Generate),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let layout = Layout::new(&cli.instance);
    // Dropping the command's future stops whatever it has started: every child is held by a guard.
    let outcome = tokio::select! {
        outcome = run(cli.command, &layout) => outcome,
        signal = interrupt::received() => return signal.exit_code(),
    };
    outcome.unwrap_or_else(|error| {
        ui::error(&error);
        ExitCode::FAILURE
    })
}

async fn run(command: Command, layout: &Layout) -> anyhow::Result<ExitCode> {
    match command {
        Command::Demo(demo) => return demo.run(layout).await,
        Command::Test(test) => return test.run(layout).await,
        Command::Up(up) => up.run(layout).await,
        Command::Down(down) => down.run(layout),
        Command::Env(env) => env.run(layout).await,
        Command::Dist(dist) => dist.run(layout).await,
        Command::Schema(schema) => schema.run(layout),
        Command::Generate(generate) => generate.run(layout),
    }?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound_and_every_subcommand_has_an_example() {
        let command = super::Cli::command();
        command.clone().debug_assert();
        for subcommand in command.get_subcommands() {
            let help = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("cargo xtask"), "{} has no example", subcommand.get_name());
        }
    }
}
