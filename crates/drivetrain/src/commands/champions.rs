//! `champions`: what serves, what has served, and what waits for a decision.

use crate::{Context, onboarding, promotions};
use anyhow::Result;
use clap::Args;
use serde::Serialize;

/// List a use case's champions, former champions and held candidates, with who promoted them and why.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain champions used-car-price\n  \
    drivetrain champions used-car-price xgboost --json")]
pub struct Champions {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The model [default: all]
    #[arg(value_name = "MODEL")]
    model: Option<String>,
}

#[derive(Debug, Serialize)]
struct OfModel {
    model: String,
    champions: Vec<promotions::Listed>,
}

impl Champions {
    /// Prints a table for each model.
    ///
    /// # Errors
    /// There is no such use case or model, or the stack can't be reached.
    pub async fn run(&self, context: &Context) -> Result<()> {
        let target = context.target().await?;
        let platform = target.platform().await?;
        let use_case = &self.use_case;
        let document = onboarding::find(&target, &platform, use_case).await?;
        let document = document.as_ref();
        let models = promotions::models(&target, &platform, use_case, document, self.model.as_deref()).await?;
        let mut all = Vec::new();
        for model in models {
            let champions = promotions::listed(&target, &platform, use_case, document, &model).await?;
            all.push(OfModel { model, champions });
        }
        context.show(&all, |all| {
            let tables = all.iter().map(|it| promotions::table(&it.model, &it.champions));
            tables.collect::<Vec<_>>().join("\n")
        })
    }
}
