//! `approve`, `reject`, `rollback`: people decide which model serves.

use super::rerun::parse_run;
use crate::target::{Platform, Target};
use crate::{Context, promotions, ui};
use anyhow::Result;
use clap::Args;
use contracts::RunId;
use contracts::promotion::{Action, Word};

/// The model that is decided on.
#[derive(Debug, Args)]
struct Whose {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The model
    #[arg(value_name = "MODEL")]
    model: String,
}

impl Whose {
    /// The stack to change, once it is known to have such a use case and model.
    async fn target(&self, context: &Context) -> Result<(Target, Platform)> {
        let target = context.target_to_change().await?;
        let platform = target.platform().await?;
        promotions::check(&target, &platform, &self.use_case, &self.model).await?;
        Ok((target, platform))
    }
}

/// Who decides, and why: recorded in decisions and shown in mails.
#[derive(Debug, Args)]
struct Said {
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,

    /// Who decides [default: $USER, or git's user.name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl Said {
    fn word(&self, whose: &Whose, run_id: &RunId) -> Result<Word> {
        Ok(Word {
            use_case: whose.use_case.clone(),
            model: whose.model.clone(),
            run_id: run_id.clone(),
            by: promotions::person(self.by.as_deref())?,
            reason: self.reason.clone(),
        })
    }
}

/// Bring a held candidate into service; waits until it is verified.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  drivetrain champions used-car-price        which candidates are held\n  \
    drivetrain approve used-car-price xgboost 20261122t183000z-ab12cd34 --reason 'the new vans are real'"
)]
pub struct Approve {
    #[command(flatten)]
    whose: Whose,

    /// The run whose candidate is held
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,

    #[command(flatten)]
    said: Said,

    /// Go on even if the champion is no longer the one that the candidate was compared with
    #[arg(long)]
    anyway: bool,

    /// Don't wait for the end
    #[arg(long)]
    no_wait: bool,
}

impl Approve {
    /// Starts the promotion and follows it.
    ///
    /// # Errors
    /// It is refused or fails: the text says why.
    pub async fn run(&self, context: &Context) -> Result<()> {
        let word = self.said.word(&self.whose, &self.run)?;
        let target = self.whose.target(context).await?.0;
        let promoted = promotions::promote(&target, &word, Action::Approve, self.anyway, !self.no_wait).await?;
        context.show(&promoted, promotions::Promoted::in_words)
    }
}

/// Reject a held candidate: the present champion goes on serving.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain reject used-car-price xgboost 20261122t183000z-ab12cd34 --reason 'the file was a test'")]
pub struct Reject {
    #[command(flatten)]
    whose: Whose,

    /// The run whose candidate is held
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,

    #[command(flatten)]
    said: Said,
}

impl Reject {
    /// Records the rejection in the candidate's decision.
    ///
    /// # Errors
    /// The candidate is not held.
    pub async fn run(&self, context: &Context) -> Result<()> {
        let word = self.said.word(&self.whose, &self.run)?;
        let target = self.whose.target(context).await?.0;
        let rejected = promotions::reject(&target, &word).await?;
        context.show(&rejected, promotions::Rejected::in_words)
    }
}

/// Bring a former champion back into service; waits until it is verified.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain rollback used-car-price xgboost --reason 'prices are off since noon'      to the champion before\n  \
    drivetrain rollback used-car-price xgboost 20261122t183000z-ab12cd34 --reason 'the last good one'\n  \
    drivetrain champions used-car-price        which there were")]
pub struct Rollback {
    #[command(flatten)]
    whose: Whose,

    /// The run of the former champion [default: the one before the present]
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: Option<RunId>,

    #[command(flatten)]
    said: Said,

    /// Don't wait for the end
    #[arg(long)]
    no_wait: bool,
}

impl Rollback {
    /// Starts the promotion and follows it.
    ///
    /// # Errors
    /// It is refused or fails: the text says why.
    pub async fn run(&self, context: &Context) -> Result<()> {
        // A missing name is reported before anything is called.
        promotions::person(self.said.by.as_deref())?;
        let (target, platform) = self.whose.target(context).await?;
        let Whose { use_case, model } = &self.whose;
        let run = match &self.run {
            Some(run) => run.clone(),
            None => promotions::previous(&target, &platform, use_case, model).await?,
        };
        let word = self.said.word(&self.whose, &run)?;
        ui::say(&format!(
            "{:<12} {use_case} {model} to run {run}, for {}",
            "Rollback", word.by
        ));
        let promoted = promotions::promote(&target, &word, Action::Rollback, false, !self.no_wait).await?;
        context.show(&promoted, promotions::Promoted::in_words)
    }
}
