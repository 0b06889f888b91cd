//! `rerun`: repeats a run, by a direct call of start-run.

use crate::target::{Platform, Target};
use crate::{Context, onboarding, start_run, ui};
use anyhow::{Result, bail};
use clap::Args;
use contracts::RunId;
use contracts::places::RunPlaces;
use serde::Serialize;

/// Run a drop again, as `<run>-r2`, `-r3`, …: with the same data and the current document.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain rerun 20261122t183000z-ab12cd34\n  \
    drivetrain rerun 20261122t183000z-ab12cd34 --use-case used-car-price")]
pub struct Rerun {
    /// The run: any of its attempts
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,

    /// The use case of the run [default: looked up]
    #[arg(long, value_name = "USE-CASE")]
    use_case: Option<String>,
}

#[derive(Debug, Serialize)]
struct Started {
    use_case: String,
    run_id: RunId,
}

impl Rerun {
    /// Calls start-run and prints the new run.
    ///
    /// # Errors
    /// There is no such run or use case, or start-run refuses: the text holds its reason.
    pub async fn run(&self, context: &Context) -> Result<()> {
        let target = context.target_to_change().await?;
        let platform = target.platform().await?;
        let use_case = match &self.use_case {
            Some(use_case) => onboarding::document(&target, &platform, use_case).await?.use_case,
            None => owner(&target, &platform, &self.run).await?,
        };
        let run_id = start_run::rerun(&target, &use_case, &self.run).await?;
        ui::say(&format!("{use_case}: run {run_id} has started"));
        context.show(&Started { use_case, run_id }, |it| it.run_id.to_string())
    }
}

/// The use case that the run belongs to.
async fn owner(target: &Target, platform: &Platform, run: &RunId) -> Result<String> {
    for use_case in target.use_cases(&platform.bucket).await? {
        let places = RunPlaces {
            use_case: &use_case,
            run_id: &run.first(),
        };
        if target.get(&platform.bucket, &places.manifest()).await?.is_some() {
            return Ok(use_case);
        }
    }
    bail!(
        "no use case has a run {}; `{}` lists the last ones",
        run.first(),
        target.command("status")
    )
}

pub(super) fn parse_run(text: &str) -> Result<RunId, String> {
    RunId::parse(text).ok_or_else(|| format!("`{text}` is not a run id: one looks like 20261122t183000z-ab12cd34"))
}
