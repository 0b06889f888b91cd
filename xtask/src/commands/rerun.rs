//! `rerun`: a run again, by a direct call of start-run.

use crate::aws::{Platform, Target, Whom};
use crate::layout::Layout;
use crate::{start_run, ui};
use anyhow::{Result, bail};
use clap::Args;
use contracts::RunId;
use contracts::places::RunPlaces;

/// Run a drop again, as `<run>-r2`, `-r3`, …: with the same data and the present document.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask rerun 20261122t183000z-ab12cd34\n  \
    cargo xtask rerun 20261122t183000z-ab12cd34 --use-case used-car-price")]
pub struct Rerun {
    /// The run, in any of its attempts
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,

    /// Whose run it is [default: looked up]
    #[arg(long, value_name = "USE-CASE")]
    use_case: Option<String>,

    #[command(flatten)]
    whom: Whom,
}

impl Rerun {
    /// Calls start-run and prints the new run.
    ///
    /// # Errors
    /// There is no such run, or start-run refuses: the text holds its reason.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let target = self.whom.target(layout).await?;
        let platform = target.platform().await?;
        let use_case = match &self.use_case {
            Some(use_case) => use_case.clone(),
            None => owner(&target, &platform, &self.run).await?,
        };
        let run_id = start_run::rerun(&target, &use_case, &self.run).await?;
        ui::say("started:");
        ui::show(&run_id.to_string());
        Ok(())
    }
}

/// The use case whose run it is.
async fn owner(target: &Target, platform: &Platform, run: &RunId) -> Result<String> {
    for use_case in target.use_cases(&platform.bucket).await? {
        let use_case = use_case.as_str();
        let run_id = &run.first();
        let key = format!("{}run.json", RunPlaces { use_case, run_id }.root());
        if target
            .s3()
            .head_object()
            .bucket(&platform.bucket)
            .key(key)
            .send()
            .await
            .is_ok()
        {
            return Ok(use_case.to_owned());
        }
    }
    bail!(
        "no use case has a run {}; `cargo xtask status` lists the last ones",
        run.first()
    )
}

pub(super) fn parse_run(text: &str) -> Result<RunId, String> {
    RunId::parse(text).ok_or_else(|| format!("`{text}` is no run id: one looks like 20261122t183000z-ab12cd34"))
}
