//! Entry point: reads the settings, starts logging, serves until a signal asks it to stop.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use sagemaker_local::{Settings, serve};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();

    match serve(Settings::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sagemaker-local: {error}");
            ExitCode::FAILURE
        }
    }
}
