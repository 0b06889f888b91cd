//! `onboard`: checks and stores a use-case document, and subscribes its recipients.

use crate::{Context, document, onboarding};
use anyhow::Result;
use clap::Args;
use contracts::places;
use serde::Serialize;
use std::path::PathBuf;

/// Check a use-case document, store it, and subscribe its recipients; it applies from the next drop on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain onboard models/used-car-price.yaml\n  \
    drivetrain onboard models/used-car-price.yaml --profile prod --region eu-west-1 --stack cars\n\n\
    `drivetrain check` only checks it.")]
pub struct Onboard {
    /// The document, in YAML or JSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Debug, Serialize)]
struct Onboarded {
    use_case: String,
    done: Vec<String>,
    drop_here: String,
}

impl Onboard {
    /// Checks and stores the document.
    ///
    /// # Errors
    /// The document is invalid (its mistakes are printed with their lines), or the stack can't be reached.
    pub async fn run(&self, context: &Context) -> Result<()> {
        let document = document::sound(&self.file)?;
        let target = context.target_to_change().await?;
        let platform = target.platform().await?;
        let use_case = document.use_case.clone();
        let onboarded = Onboarded {
            done: onboarding::store(&target, &platform, &document).await?,
            drop_here: places::uri(&platform.bucket, &places::incoming(&use_case, places::Drop::Training)),
            use_case,
        };
        context.show(&onboarded, |it| {
            format!(
                "{}\ndrop a file: `{}`, or into {}",
                it.done.join("\n"),
                context.reach().command(&format!("drop {} FILE", it.use_case)),
                it.drop_here
            )
        })
    }
}
