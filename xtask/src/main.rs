//! The one entry for people: `cargo xtask`.
//!
//! Here: the command line, interruption and exit codes. Each subcommand is a module of `commands`; what
//! several of them need lies beside it: `stack` (LocalStack and sagemaker-local as processes), `environments`
//! (pinned Python), `deploy` (the template onto a stack), `aws` (clients, local or AWS).

mod aws;
mod cargo;
mod checks;
mod commands;
mod demo;
mod deploy;
mod environments;
mod interrupt;
mod layout;
mod process;
mod promotions;
mod stack;
mod start_run;
mod subscriptions;
mod tick;
mod ui;
mod use_case_file;
mod yaml;

use clap::{Parser, Subcommand};
use layout::Layout;
use std::process::ExitCode;

/// Everything about Drivetrain on this machine: the local stack, the demo, tests, use cases, distribution.
#[derive(Debug, Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    after_help = "Examples:\n  \
        cargo xtask demo                       real listings, two models, one answered request; leaves the stack up\n  \
        cargo xtask up                         the local stack with Drivetrain deployed\n  \
        eval \"$(cargo xtask env)\"              any AWS client now speaks to the local stack\n  \
        cargo xtask onboard models/used-car-price.yaml\n  \
        cargo xtask dashboard                  champions, decisions, drift and errors over time\n  \
        cargo xtask test                       everything that must hold\n  \
        cargo xtask down                       stop the stack and remove its files"
)]
struct Cli {
    /// Which local stack: its files lie in target/local/NAME. Other names than `stack` take free ports.
    #[arg(long, global = true, default_value = "stack", value_name = "NAME", value_parser = layout::parse_instance)]
    instance: String,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(commands::demo::Demo),
    Up(commands::up::Up),
    Down(commands::down::Down),
    Status(commands::status::Status),
    Logs(commands::logs::Logs),
    Env(commands::env::Env),
    Onboard(commands::onboard::Onboard),
    Offboard(commands::offboard::Offboard),
    Drop(commands::drop::DropFile),
    Rerun(commands::rerun::Rerun),
    Champions(commands::champions::Champions),
    Approve(commands::promotion::Approve),
    Reject(commands::promotion::Reject),
    Rollback(commands::promotion::Rollback),
    Monitor(commands::monitor::Monitor),
    Dashboard(commands::dashboard::Dashboard),
    DeadLetters(commands::dead_letters::DeadLetters),
    Test(commands::test::Test),
    Dist(commands::dist::Dist),
    Schema(commands::schema::Schema),
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let layout = Layout::new(&cli.instance);
    // Dropping the command's future stops whatever it had started: every child is held by a guard.
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
        Command::Status(status) => status.run(layout).await,
        Command::Logs(logs) => logs.run(layout).await,
        Command::Env(env) => env.run(layout).await,
        Command::Onboard(onboard) => onboard.run(layout).await,
        Command::Offboard(offboard) => offboard.run(layout).await,
        Command::Drop(drop) => drop.run(layout).await,
        Command::Rerun(rerun) => rerun.run(layout).await,
        Command::Champions(champions) => champions.run(layout).await,
        Command::Approve(approve) => approve.run(layout).await,
        Command::Reject(reject) => reject.run(layout).await,
        Command::Rollback(rollback) => rollback.run(layout).await,
        Command::Monitor(monitor) => monitor.run(layout).await,
        Command::Dashboard(dashboard) => dashboard.run(layout).await,
        Command::DeadLetters(letters) => letters.run(layout).await,
        Command::Dist(dist) => dist.run(layout).await,
        Command::Schema(schema) => schema.run(layout),
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
