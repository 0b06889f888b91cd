//! `champions`: what serves, what has served, and what waits for somebody's word.

use crate::aws::Whom;
use crate::layout::Layout;
use crate::{promotions, ui};
use anyhow::Result;
use clap::Args;

/// List a use case's champions, former champions and held candidates, with who promoted them and why.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  cargo xtask champions used-car-price\n  \
    cargo xtask champions used-car-price xgboost\n  \
    AWS_PROFILE=prod cargo xtask champions --on aws used-car-price")]
pub struct Champions {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The model [default: each]
    #[arg(value_name = "MODEL")]
    model: Option<String>,

    #[command(flatten)]
    whom: Whom,
}

impl Champions {
    /// Prints a table for each model.
    ///
    /// # Errors
    /// There is no such use case, or the stack can't be reached.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let target = self.whom.target(layout).await?;
        let platform = target.platform().await?;
        let models = match &self.model {
            Some(model) => vec![model.clone()],
            None => promotions::models(&target, &platform, &self.use_case).await?,
        };
        for model in models {
            let listed = promotions::listed(&target, &platform, &self.use_case, &model).await?;
            ui::show(&promotions::table(&model, &listed));
        }
        Ok(())
    }
}
