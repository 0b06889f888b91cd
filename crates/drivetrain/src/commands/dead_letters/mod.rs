//! `dead-letters`: events that could not be delivered and calls that failed for good; lists, shows and redrives them.
//!
//! Two queues of the template keep them for 14 days: events that EventBridge could not deliver, whose body is the event
//! itself, and calls that failed at every attempt, whose body is Lambda's record of the call.

mod content;
mod mailbox;
#[cfg(test)]
mod tests;

pub(crate) use mailbox::count;

use crate::interrupt::{self, Interrupt};
use crate::target::{Target, describe};
use crate::{Context as Asked, ui};
use anyhow::{Context, Result, anyhow, bail};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use clap::{Args, Subcommand};
use contracts::words::counted;
use mailbox::{HIDDEN_S, Letter, Mailbox, Missing, Taken};
use std::process::ExitCode;
use std::time::Duration;

/// After a signal, how long the answer under way, and giving back the letters, may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// List, show and redrive events that could not be delivered and calls that failed for good.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain dead-letters                        all of them, the oldest first\n  \
    drivetrain dead-letters show 3f0c              what it holds, by the beginning of its id\n  \
    drivetrain dead-letters redrive 3f0c           call its function again, and remove it\n  \
    drivetrain dead-letters redrive --all\n  \
    drivetrain dead-letters purge 3f0c             remove it: nothing is called")]
pub struct DeadLetters {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all, oldest first
    List,
    /// Show one completely
    Show {
        /// Its id, or how it begins
        id: String,
    },
    /// Call the function again with the same event, asynchronously, and remove the letter
    Redrive(Chosen),
    /// Remove without calling anything
    Purge(Chosen),
}

#[derive(Debug, Args)]
struct Chosen {
    /// Its id, or how it begins
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
}

/// What is printed once the letters are given back.
#[derive(Debug)]
enum Answer {
    All(Vec<Letter>, Missing),
    One(Box<Letter>),
    /// The letters that were handled, what was done with them, and the letters missing.
    Moved(Vec<Letter>, &'static str, Missing),
}

impl DeadLetters {
    /// Runs the action. It handles signals itself, because the letters must be given back first.
    ///
    /// # Errors
    /// The stack can't be reached, no letter has that id, there are letters but none could be received, or a function
    /// can't be called: letters whose function was not called stay.
    pub async fn run(&self, context: &Asked) -> Result<ExitCode> {
        let prepared = async {
            let target = match &self.action {
                None | Some(Action::List | Action::Show { .. }) => context.target().await?,
                Some(Action::Redrive(_) | Action::Purge(_)) => context.target_to_change().await?,
            };
            let platform = target.platform().await?;
            anyhow::Ok((target, platform))
        };
        let (target, platform) = tokio::select! {
            prepared = prepared => prepared?,
            signal = interrupt::received() => return Ok(signal.exit_code()),
        };
        match self
            .answer(&Mailbox::new(&target, &platform), interrupt::received)
            .await?
        {
            Ok(answer) => {
                answer.show(context)?;
                Ok(ExitCode::SUCCESS)
            }
            Err(signal) => Ok(signal.exit_code()),
        }
    }

    /// What is to be printed, or the signal that interrupted it. Either way the letters are given back.
    async fn answer<S>(&self, mailbox: &Mailbox<'_>, signal: impl Fn() -> S) -> Result<Result<Answer, Interrupt>>
    where
        S: Future<Output = Interrupt>,
    {
        let work = async {
            let answer = self.act(mailbox).await;
            mailbox.give_back().await;
            answer
        };
        tokio::pin!(work);
        let interrupt = tokio::select! {
            answer = &mut work => return answer.map(Ok),
            interrupt = signal() => interrupt,
        };
        mailbox.stop();
        // The answer under way is waited for, since it may hold letters. A second signal ends the wait as well.
        let given_back = tokio::select! {
            ended = tokio::time::timeout(PATIENCE, work) => ended.is_ok(),
            _ = signal() => false,
        };
        if !given_back {
            ui::say(&format!("letters may be hidden for another {HIDDEN_S} s"));
        }
        Ok(Err(interrupt))
    }

    async fn act(&self, mailbox: &Mailbox<'_>) -> Result<Answer> {
        let taken = mailbox.take_all().await?;
        match &self.action {
            None | Some(Action::List) => Ok(Answer::All(taken.letters, taken.missing)),
            Some(Action::Show { id }) => Ok(Answer::One(Box::new(one(mailbox.target, &taken, id)?))),
            Some(Action::Redrive(chosen)) => {
                let letters = chosen.of(mailbox.target, &taken)?;
                for letter in &letters {
                    if mailbox.is_stopped() {
                        bail!("interrupted");
                    }
                    mailbox.keep(letter).await?;
                    redrive(mailbox.target, letter).await?;
                    mailbox.remove(letter).await?;
                    ui::say(&format!("{} called again: {}", letter.id, letter.content.what));
                }
                Ok(Answer::Moved(letters, "called again", chosen.left(taken.missing)))
            }
            Some(Action::Purge(chosen)) => {
                let letters = chosen.of(mailbox.target, &taken)?;
                for letter in &letters {
                    if mailbox.is_stopped() {
                        bail!("interrupted");
                    }
                    mailbox.remove(letter).await?;
                    ui::say(&format!("{} removed: {}", letter.id, letter.content.what));
                }
                Ok(Answer::Moved(letters, "removed", chosen.left(taken.missing)))
            }
        }
    }
}

impl Answer {
    fn show(&self, context: &Asked) -> Result<()> {
        match self {
            Self::All(letters, missing) => {
                // The queues are empty, or no letter could be received.
                if let Some(missing) = missing.in_words() {
                    ui::say(&missing);
                }
                context.show(letters, |letters| table(letters, *missing))
            }
            Self::One(letter) => {
                let event = serde_json::to_string_pretty(&letter.content.event)?;
                context.show(letter, |it| format!("{}\n{}\n\n{event}", it.id, it.content.reason))
            }
            Self::Moved(letters, how, missing) => {
                if let Some(missing) = missing.in_words() {
                    ui::say(&format!("{missing}; the same command again takes them"));
                }
                context.show(letters, |all| match all.len() {
                    0 => "No dead letters.".to_owned(),
                    count => format!("{} {how}", counted(count as u64, "dead letter", "dead letters")),
                })
            }
        }
    }
}

impl Chosen {
    /// The letters that the options select.
    ///
    /// # Errors
    /// None has that id, or there are letters but none could be received.
    fn of(&self, target: &Target, taken: &Taken) -> Result<Vec<Letter>> {
        match (&self.id, taken.missing.in_words()) {
            (Some(id), _) => Ok(vec![one(target, taken, id)?]),
            (None, Some(missing)) if taken.letters.is_empty() => bail!("nothing was done: {missing}"),
            (None, _) => Ok(taken.letters.clone()),
        }
    }

    /// The missing letters that the options may have selected.
    fn left(&self, missing: Missing) -> Missing {
        if self.all { missing } else { Missing::default() }
    }
}

fn one(target: &Target, taken: &Taken, id: &str) -> Result<Letter> {
    let mut found = taken.letters.iter().filter(|letter| letter.id.starts_with(id));
    match (found.next(), found.next()) {
        (Some(letter), None) => Ok(letter.clone()),
        (None, _) => {
            let none = format!("no dead letter has an id that begins with `{id}`");
            Err(match taken.missing.in_words() {
                Some(missing) => anyhow!("{none} among those that could be read; {missing}"),
                None => anyhow!("{none}; `{}` lists them", target.command("dead-letters")),
            })
        }
        (Some(_), Some(_)) => bail!("several dead letters have ids that begin with `{id}`: give more of it"),
    }
}

fn table(letters: &[Letter], missing: Missing) -> String {
    if letters.is_empty() {
        let none = if missing.letters == 0 {
            "No dead letters.\n"
        } else {
            "No dead letter could be read.\n"
        };
        return none.to_owned();
    }
    let mut rows = vec![
        ["id", "since", "function", "event", "reason"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for letter in letters {
        let content = &letter.content;
        let function = content.function.as_deref().and_then(|arn| arn.split(':').nth(6));
        let reason = contracts::notice::plain(&content.reason).chars().take(80).collect();
        rows.push(vec![
            letter.id.chars().take(8).collect(),
            letter.sent_at.clone(),
            function.unwrap_or("unknown").to_owned(),
            content.what.clone(),
            reason,
        ]);
    }
    ui::table(&rows)
}

async fn redrive(target: &Target, letter: &Letter) -> Result<()> {
    let function = letter.content.function.as_deref();
    let function = function.with_context(|| format!("letter {} names no function: purge it", letter.id))?;
    let call = target.lambda().invoke().function_name(function);
    let call = call.invocation_type(InvocationType::Event);
    let answer = call.payload(Blob::new(letter.content.event.to_string())).send().await;
    answer.map_err(|error| describe(&format!("Invoke {function}"), error))?;
    Ok(())
}
