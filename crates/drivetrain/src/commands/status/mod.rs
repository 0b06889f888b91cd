//! `status`: what serves, what runs, and what went wrong.

pub(crate) mod endpoints;
mod local;
mod queued;
mod reads;
mod report;
pub(crate) mod runs;
mod show;
mod use_cases;
mod waiting;

use crate::target::Target;
use crate::{Context, ui};
use anyhow::Result;
use clap::Args;
use jiff::Timestamp;
use report::Report;
use std::io::IsTerminal;
use std::time::Duration;

/// Between two looks of `--follow`.
const PAUSE: Duration = Duration::from_secs(5);

/// Clears a terminal and goes to its beginning.
const CLEAR: &str = "\x1b[2J\x1b[3J\x1b[H";

/// Show what serves, what runs and what went wrong: use cases, runs, endpoints; of a local stack its processes too.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain status\n  \
    drivetrain status used-car-price --follow\n  \
    drivetrain status --json\n  \
    drivetrain --on local status")]
pub struct Status {
    /// Show one use case [default: all]
    #[arg(value_name = "USE-CASE")]
    use_case: Option<String>,

    /// Runs to show, of each kind
    #[arg(long, short = 'n', default_value_t = 10, value_name = "RUNS", value_parser = clap::value_parser!(u16).range(1..=100))]
    runs: u16,

    /// Look again every 5 seconds
    #[arg(long, short)]
    follow: bool,
}

impl Status {
    /// Prints the tables.
    ///
    /// # Errors
    /// The stack can't be reached, a local one is down, or it has no such use case.
    pub async fn run(&self, context: &Context) -> Result<()> {
        loop {
            let report = self.look(context).await?;
            if self.follow && !context.json() && std::io::stdout().is_terminal() {
                ui::show_exactly(&format!("{CLEAR}{}", ui::plain(show::text(&report).trim_end())));
            } else if self.follow && context.json() {
                ui::show_json(&serde_json::to_string(&report)?);
            } else {
                context.show(&report, show::text)?;
            }
            if !self.follow {
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn look(&self, context: &Context) -> Result<Report> {
        let local = if context.is_local() {
            Some(running(context)?)
        } else {
            None
        };
        let step = (!self.follow).then(|| ui::Step::begin_on_terminal("Status"));
        let target = context.target().await?;
        let report = self.gather(&target, local).await;
        drop(step);
        report
    }

    async fn gather(&self, target: &Target, local: Option<local::Local>) -> Result<Report> {
        let platform = target.platform().await?;
        let names = match &self.use_case {
            Some(one) => {
                crate::onboarding::document(target, &platform, one).await?;
                vec![one.clone()]
            }
            None => target.use_cases(&platform.bucket).await?,
        };
        let mut executions = runs::executions(target, &platform).await?;
        let mut use_cases = Vec::new();
        for name in &names {
            use_cases.push(use_cases::look(target, &platform, name, &executions).await?);
        }
        let mut endpoints = endpoints::all(target).await?;
        if self.use_case.is_some() {
            executions.retain(|execution| use_cases.iter().any(|of| execution.is_one_of(&of.runs)));
            let own: Vec<&str> = use_cases.iter().flat_map(use_cases::UseCaseStatus::endpoints).collect();
            endpoints.retain(|endpoint| own.contains(&endpoint.name.as_str()));
        }
        endpoints::add_missing(&mut endpoints, &use_cases);
        endpoints::name(&mut endpoints, &use_cases);
        let runs = runs::look(target, &platform, &executions, usize::from(self.runs)).await?;
        Ok(Report {
            stack: target.stack.clone(),
            reach: target.reach.clone(),
            place: target.place().await?,
            local,
            runs,
            queued: queued::look(target, &platform, &names).await?,
            waiting: waiting::look(target, &platform, &names, Timestamp::now()).await?,
            endpoints,
            prediction_api: Some(platform.reachable_api_url(target)),
            use_cases,
        })
    }
}

/// A local stack that is up; of a broken one people see which process has ended.
fn running(context: &Context) -> Result<local::Local> {
    let instance = context.instance()?;
    let local = local::Local::look(&instance)?;
    if let Err(error) = instance.running() {
        if !context.json() && !local.processes.is_empty() {
            ui::show(show::of_local(&local).trim_end());
        }
        return Err(error);
    }
    Ok(local)
}
