//! `monitor`: a look at live data now, by a direct call of start-run.

use crate::aws::{Platform, Target, Whom};
use crate::layout::Layout;
use crate::{start_run, ui};
use anyhow::{Result, bail};
use clap::Args;

/// Look at a use case's live data now, due or not; prints the monitoring runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask monitor used-car-price                 every model that has a champion\n  \
    cargo xtask monitor used-car-price xgboost\n  \
    cargo xtask drop --use-case used-car-price --for ground-truth sold.csv     what it then joins")]
pub struct Monitor {
    /// Whose data it is
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// Which model [default: each that has a champion]
    #[arg(value_name = "MODEL")]
    model: Option<String>,

    #[command(flatten)]
    whom: Whom,
}

impl Monitor {
    /// Calls start-run for each model.
    ///
    /// # Errors
    /// A model is not watched, has no champion or is being looked at. The others are looked at all the same.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let target = self.whom.target(layout).await?;
        let models = match &self.model {
            Some(model) => vec![model.clone()],
            None => champions(&target, &target.platform().await?, &self.use_case).await?,
        };
        let mut refused = Vec::new();
        for model in models {
            match start_run::monitor(&target, &self.use_case, &model).await {
                Ok(run) => {
                    ui::say(&format!("{model:<14} started:"));
                    ui::show(&run.to_string());
                }
                Err(error) => refused.push(format!("{model}: {error:#}")),
            }
        }
        if !refused.is_empty() {
            bail!("{}", refused.join("\n"));
        }
        Ok(())
    }
}

/// The models of a use case that have a champion.
async fn champions(target: &Target, platform: &Platform, use_case: &str) -> Result<Vec<String>> {
    let folder = format!("use-cases/{use_case}/models/");
    let keys = target.keys(&platform.bucket, &folder).await?;
    let model = |key: &String| Some(key.strip_prefix(&folder)?.strip_suffix("/champion.json")?.to_owned());
    let models: Vec<String> = keys.iter().filter_map(model).collect();
    if models.is_empty() {
        bail!("no model of {use_case} has a champion yet: there is nothing to look at");
    }
    Ok(models)
}
