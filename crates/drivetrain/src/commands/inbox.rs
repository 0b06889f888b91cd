//! `inbox`: the mails of a local stack; on AWS, the subscribers.

use crate::local::State;
use crate::mails::{self, Mail};
use crate::subscriptions::{self, Subscription};
use crate::{Context, ui};
use anyhow::Result;
use clap::Args;
use std::time::Duration;

/// Show the mails of a local stack; on AWS, where mails go to their subscribers, list the subscribers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain --on local inbox\n  \
    drivetrain --on local inbox --about 20261122t183000z-ab12cd34\n  \
    drivetrain --on local inbox --follow\n  \
    drivetrain inbox                          on AWS: who gets which mails")]
pub struct Inbox {
    /// Only mails that contain this text: a run, a use case, a file
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    about: String,

    /// How many mails to show, counted from the last
    #[arg(long, short = 'n', default_value_t = 10, value_name = "MAILS")]
    last: usize,

    /// Keep showing mails as they arrive
    #[arg(long, short)]
    follow: bool,
}

impl Inbox {
    /// Shows mails or subscribers.
    ///
    /// # Errors
    /// The stack can't be reached.
    pub async fn run(&self, context: &Context) -> Result<()> {
        let target = context.target().await?;
        // One inbox holds the mails of whatever is deployed: a stack that isn't there has none.
        let platform = target.platform().await?;
        match &target.local {
            Some(state) => self.mails(context, state).await,
            None => {
                let all = subscriptions::all(&target, &platform).await?;
                ui::say(&format!(
                    "{} keeps no mails: they went to the subscribers of {}",
                    target.title(),
                    platform.topic_arn
                ));
                context.show(&all, |all| subscribers(all))
            }
        }
    }

    async fn mails(&self, context: &Context, state: &State) -> Result<()> {
        let inbox = state.inbox();
        let mut mark = mails::mark(&inbox);
        let mut found = mails::since(&inbox, 0, &self.about);
        found.drain(..found.len().saturating_sub(self.last));
        if context.json() && !self.follow {
            return context.show(&found, |_| String::new());
        }
        if found.is_empty() {
            ui::say("no mails");
        }
        loop {
            for mail in &found {
                show(context, mail)?;
            }
            if !self.follow {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            let now = mails::mark(&inbox);
            found = mails::since(&inbox, mark, &self.about);
            mark = now;
        }
    }
}

fn show(context: &Context, mail: &Mail) -> Result<()> {
    if context.json() {
        ui::show_json(&serde_json::to_string(mail)?);
    } else {
        ui::show(&format!("  Time:    {}\n{}", mail.time, mails::shown(mail)));
    }
    Ok(())
}

fn subscribers(all: &[Subscription]) -> String {
    if all.is_empty() {
        return "Nobody is subscribed: name `recipients` in a use case's document and onboard it.\n".to_owned();
    }
    let mut rows = vec![["address", "state", "gets notices of"].map(str::to_owned).to_vec()];
    for one in all {
        let state = if one.arn.is_some() {
            "confirmed"
        } else {
            "not confirmed yet"
        };
        rows.push(vec![one.email.clone(), state.to_owned(), one.hears_of()]);
    }
    ui::table(&rows)
}
