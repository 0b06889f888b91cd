//! `monitor`: monitors live data now, by a direct call of start-run.

use crate::target::{Platform, Target};
use crate::{Context, onboarding, start_run, ui};
use anyhow::{Result, bail};
use clap::Args;
use contracts::RunId;
use serde::Serialize;

/// Monitor a use case's live data now, whether due or not; prints the monitoring runs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain monitor used-car-price                 every model that has a champion\n  \
    drivetrain monitor used-car-price xgboost\n  \
    drivetrain drop used-car-price sold.csv --for ground-truth     what it then joins")]
pub struct Monitor {
    /// The use case to monitor
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The model [default: all that have a champion]
    #[arg(value_name = "MODEL")]
    model: Option<String>,
}

#[derive(Debug, Serialize)]
struct Started {
    model: String,
    run_id: RunId,
}

impl Monitor {
    /// Calls start-run for each model.
    ///
    /// # Errors
    /// There is no such use case or model; a model is not monitored, has no champion, or a monitoring run of it is under way. The others are monitored all
    /// the same.
    pub async fn run(&self, context: &Context) -> Result<()> {
        let target = context.target_to_change().await?;
        let platform = target.platform().await?;
        let document = onboarding::document(&target, &platform, &self.use_case).await?;
        let models = match &self.model {
            Some(model) => {
                let known: Vec<String> = document.models.into_iter().map(|it| it.name).collect();
                onboarding::model(&self.use_case, &known, model)?;
                vec![model.clone()]
            }
            None => champions(&target, &platform, &self.use_case).await?,
        };
        let (mut started, mut refused) = (Vec::new(), Vec::new());
        for model in models {
            match start_run::monitor(&target, &self.use_case, &model).await {
                Ok(run_id) => {
                    ui::say(&format!("{model}: run {run_id} has started"));
                    started.push(Started { model, run_id });
                }
                Err(error) => refused.push(format!("{model}: {error:#}")),
            }
        }
        context.show(&started, |all| {
            let runs = all.iter().map(|it| it.run_id.to_string());
            runs.collect::<Vec<_>>().join("\n")
        })?;
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
        bail!("no model of {use_case} has a champion yet: there is nothing to monitor");
    }
    Ok(models)
}
