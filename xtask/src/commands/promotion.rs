//! `approve`, `reject`, `rollback`: people decide what serves.

use super::rerun::parse_run;
use crate::aws::Whom;
use crate::layout::Layout;
use crate::promotions::{self, Word};
use crate::ui;
use anyhow::Result;
use clap::Args;
use contracts::RunId;
use contracts::promotion::Action;

/// Who decides, and why: it stands in decisions and mails.
#[derive(Debug, Args)]
struct Said {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Who decides [default: $USER, or git's user.name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Bring a held candidate into service; waits until it has been verified.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  cargo xtask champions used-car-price        which candidates are held\n  \
    cargo xtask approve used-car-price xgboost 20261122t183000z-ab12cd34 --reason 'the new vans are real'"
)]
pub struct Approve {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The model
    #[arg(value_name = "MODEL")]
    model: String,

    /// The run whose candidate is held
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,

    #[command(flatten)]
    said: Said,

    /// Even if the champion is no longer the one that it was compared with
    #[arg(long)]
    anyway: bool,

    /// Don't wait for the end
    #[arg(long)]
    no_wait: bool,

    #[command(flatten)]
    whom: Whom,
}

impl Approve {
    /// Starts the promotion and follows it.
    ///
    /// # Errors
    /// It is refused or comes to nothing: the text says why.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let word = word(&self.use_case, &self.model, &self.run, &self.said)?;
        let target = self.whom.target(layout).await?;
        promotions::promote(&target, &word, Action::Approve, self.anyway, !self.no_wait).await
    }
}

/// Reject a held candidate: what serves goes on serving.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask reject used-car-price xgboost 20261122t183000z-ab12cd34 --reason 'the file was a test'")]
pub struct Reject {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The model
    #[arg(value_name = "MODEL")]
    model: String,

    /// The run whose candidate is held
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,

    #[command(flatten)]
    said: Said,

    #[command(flatten)]
    whom: Whom,
}

impl Reject {
    /// Writes it into the candidate's decision.
    ///
    /// # Errors
    /// It is not held.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let word = word(&self.use_case, &self.model, &self.run, &self.said)?;
        let target = self.whom.target(layout).await?;
        promotions::reject(&target, &word).await
    }
}

/// Bring a former champion back into service; waits until it has been verified.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask rollback used-car-price xgboost --reason 'prices are off since noon'      to the champion before\n  \
    cargo xtask rollback used-car-price xgboost 20261122t183000z-ab12cd34 --reason 'the last good one'\n  \
    cargo xtask champions used-car-price        which there were")]
pub struct Rollback {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The model
    #[arg(value_name = "MODEL")]
    model: String,

    /// The former champion [default: the one before the present]
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: Option<RunId>,

    #[command(flatten)]
    said: Said,

    /// Don't wait for the end
    #[arg(long)]
    no_wait: bool,

    #[command(flatten)]
    whom: Whom,
}

impl Rollback {
    /// Starts the promotion and follows it.
    ///
    /// # Errors
    /// It is refused or comes to nothing: the text says why.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let by = promotions::person(self.said.by.as_deref())?;
        let target = self.whom.target(layout).await?;
        let run = match &self.run {
            Some(run) => run.clone(),
            None => promotions::previous(&target, &target.platform().await?, &self.use_case, &self.model).await?,
        };
        ui::say(&format!(
            "{:<12} {} {} to run {run}, for {by}",
            "Rollback", self.use_case, self.model
        ));
        let word = word(&self.use_case, &self.model, &run, &self.said)?;
        promotions::promote(&target, &word, Action::Rollback, false, !self.no_wait).await
    }
}

fn word(use_case: &str, model: &str, run: &RunId, said: &Said) -> Result<Word> {
    Ok(Word {
        use_case: use_case.to_owned(),
        model: model.to_owned(),
        run: run.clone(),
        by: promotions::person(said.by.as_deref())?,
        reason: said.reason.clone(),
    })
}
