//! The command `drivetrain`.

use drivetrain::cli::Cli;
use drivetrain::{interrupt, ui};
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::of_program();
    let listens = cli.listens_to_signals();
    tokio::select! {
        outcome = cli.run() => outcome.unwrap_or_else(|error| {
            ui::error(&error);
            ExitCode::FAILURE
        }),
        signal = interrupt::received(), if !listens => {
            if let Some(text) = interrupt::what_goes_on() {
                ui::say(&text);
            }
            signal.exit_code()
        }
    }
}
