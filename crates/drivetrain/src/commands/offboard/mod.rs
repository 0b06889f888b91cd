//! `offboard`: takes a use case out of service; its data is deleted only on request.

mod data;
#[cfg(test)]
mod tests;

use super::runs::{self, Run};
use crate::target::{Platform, Target, describe};
use crate::{Context as Asked, check_endpoint, onboarding, subscriptions, ui};
use anyhow::{Result, bail};
use clap::Args;
use contracts::{names, places, words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::io::{BufRead, IsTerminal};

/// Take a use case out of service: remove its document, parameters, subscriptions and endpoints; its data only on
/// request.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain offboard used-car-price                         data stays: onboarding it again takes it up\n  \
    drivetrain offboard used-car-price --anyway                even if runs of it are under way\n  \
    drivetrain offboard used-car-price --delete-data           asks for the name once more, then deletes every version\n  \
    drivetrain offboard cars --profile prod --stack cars")]
pub struct Offboard {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// Go on even if runs of it are under way: they will export nothing
    #[arg(long)]
    anyway: bool,

    /// Also delete its files, runs and champions, in all their versions, and its models and endpoint configurations in
    /// SageMaker
    #[arg(long)]
    delete_data: bool,

    /// Its name once more, to skip the prompt for it
    #[arg(long, value_name = "USE-CASE", requires = "delete_data")]
    confirm: Option<String>,
}

/// The answer of check-endpoint.
#[derive(Debug, Deserialize)]
struct Endpoints {
    deleted: Vec<String>,
    held: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Offboarded<'a> {
    use_case: &'a str,
    done: &'a [String],
}

/// What was done, reported at once.
#[derive(Debug, Default)]
struct Done(Vec<String>);

impl Done {
    fn say(&mut self, line: String) {
        ui::say(&line);
        self.0.push(line);
    }
}

impl Offboard {
    /// Takes the use case out of service.
    ///
    /// # Errors
    /// It is unknown, runs of it are under way, the deletion of its data was not confirmed, or a call fails: in that
    /// case, running the same command again continues.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        let target = context.target_to_change().await?;
        let platform = target.platform().await?;
        let done = self.offboard(&target, &platform).await?;
        let offboarded = Offboarded {
            use_case: &self.use_case,
            done: &done.0,
        };
        context.show(&offboarded, |it| format!("`{}` is out of service", it.use_case))
    }

    async fn offboard(&self, target: &Target, platform: &Platform) -> Result<Done> {
        let (use_case, bucket) = (&self.use_case, &platform.bucket);
        let parameters = if names::is_id(use_case) && !names::RESERVED.contains(&use_case.as_str()) {
            parameters(target, use_case).await?
        } else {
            bail!(onboarding::unknown(target, platform, use_case).await?);
        };
        let key = places::use_case::config(use_case);
        let has_document = !target.keys(bucket, &key).await?.is_empty();
        let removed_at = if parameters.is_empty() && !has_document {
            self.removed_at(target, platform).await?
        } else {
            None
        };
        if parameters.is_empty() && !has_document && removed_at.is_none() {
            let known = target.use_cases(bucket).await?;
            // Runs that were under way may have written more after everything was deleted.
            if !known.contains(use_case) && target.keys(bucket, &format!("{use_case}/")).await?.is_empty() {
                bail!(onboarding::unknown(target, platform, use_case).await?);
            }
        }
        let in_service = !parameters.is_empty() || has_document;
        if in_service || self.delete_data {
            self.look_at_runs(target, &runs::under_way(target, platform, use_case).await?)?;
        }
        if self.delete_data {
            self.confirmed(bucket)?;
        }
        // What makes the use case known is removed first: from here on no drop, tick or request uses it.
        let mut done = Done::default();
        if !in_service {
            let when = removed_at
                .map(|at| format!(" at {}", at.strftime("%F %T UTC")))
                .unwrap_or_default();
            done.say(format!("`{use_case}` was removed already{when}"));
        }
        for line in subscriptions::bring_in_line(target, platform, use_case, &[]).await? {
            done.say(line);
        }
        for name in parameters {
            let gone = target.ssm().delete_parameter().name(&name).send().await;
            gone.map_err(|error| describe(&format!("DeleteParameter {name}"), error))?;
            done.say(format!("parameter {name} is deleted"));
        }
        // Looked up while the bucket still has the use case's document, since it names models, too.
        let resources = if self.delete_data {
            Some(data::Resources::find(target, platform, use_case).await?)
        } else {
            None
        };
        if has_document {
            let uri = places::uri(bucket, &key);
            let gone = target.s3().delete_object().bucket(bucket).key(&key).send().await;
            gone.map_err(|error| describe(&format!("DeleteObject {uri}"), error))?;
            done.say(format!("{uri} is deleted"));
        }
        let held = endpoints(target, use_case, &mut done).await?;
        let Some(resources) = resources else {
            for folder in folders(use_case) {
                done.say(format!(
                    "{} stays; `--delete-data` deletes it",
                    places::uri(bucket, &folder)
                ));
            }
            return Ok(done);
        };
        if !held.is_empty() {
            bail!(
                "`{use_case}` is out of service, and its data is still there, since endpoint {} needs it. The same command \
                 again deletes it when the run has ended",
                held.join(", ")
            );
        }
        resources.delete(target).await?;
        done.say(format!(
            "{} and {} are deleted in SageMaker",
            words::counted(resources.models.len() as u64, "model", "models"),
            words::counted(
                resources.configs.len() as u64,
                "endpoint configuration",
                "endpoint configurations"
            )
        ));
        for folder in folders(use_case) {
            let objects = data::delete_all(target, bucket, &folder).await?;
            let uri = places::uri(bucket, &folder);
            done.say(format!(
                "{uri} is deleted: {}",
                words::counted(objects as u64, "version of an object", "versions of objects")
            ));
        }
        Ok(done)
    }

    /// When its document was deleted; `None` when it never was, or when nothing is known of the use case any more.
    async fn removed_at(&self, target: &Target, platform: &Platform) -> Result<Option<Timestamp>> {
        let key = places::use_case::config(&self.use_case);
        let request = target.s3().list_object_versions().bucket(&platform.bucket).prefix(&key);
        let listed = request.send().await;
        let listed = listed.map_err(|error| describe("ListObjectVersions", error))?;
        let mut markers = listed
            .delete_markers()
            .iter()
            .filter(|it| it.key() == Some(key.as_str()));
        let latest = markers.find(|it| it.is_latest() == Some(true));
        let at = latest.and_then(|it| it.last_modified());
        Ok(at.and_then(|at| Timestamp::from_second(at.secs()).ok()))
    }

    /// An error when runs are under way, unless `--anyway` was given.
    fn look_at_runs(&self, target: &Target, runs: &[Run]) -> Result<()> {
        if runs.is_empty() {
            return Ok(());
        }
        let use_case = &self.use_case;
        let named = runs.iter().map(|run| format!("{} {}", run.kind.as_str(), run.run_id));
        let named = named.collect::<Vec<_>>().join(", ");
        let count = words::counted(runs.len() as u64, "run", "runs");
        let verb = if runs.len() == 1 { "is" } else { "are" };
        let under_way = format!("{count} of `{use_case}` {verb} under way: {named}");
        if !self.anyway {
            bail!(
                "{under_way}. Wait for the end (`{}` shows it), or add `--anyway`: no run \
                 will export anything, and training ends `failed` with UseCaseRemoved",
                target.command(&format!("status {use_case} --follow"))
            );
        }
        ui::say(&under_way);
        if self.delete_data {
            ui::say("what they still write stays: run the same command again to delete it");
        }
        Ok(())
    }

    fn confirmed(&self, bucket: &str) -> Result<()> {
        let given = match &self.confirm {
            Some(name) => name.clone(),
            None if std::io::stdin().is_terminal() => {
                ui::say(&format!(
                    "every version of every file of `{}` in {bucket} will be deleted, for good. To go on, type its name:",
                    self.use_case
                ));
                let mut line = String::new();
                std::io::stdin().lock().read_line(&mut line)?;
                line.trim().to_owned()
            }
            None => bail!(
                "deleting data asks for the name once more: add `--confirm {}`",
                self.use_case
            ),
        };
        if given != self.use_case {
            bail!("`{given}` is not `{}`: nothing was done", self.use_case);
        }
        Ok(())
    }
}

/// The parameters of a use case and its models.
async fn parameters(target: &Target, use_case: &str) -> Result<Vec<String>> {
    let config = places::parameters::config(&target.stack, use_case);
    let path = config.trim_end_matches("/config");
    let request = target.ssm().get_parameters_by_path().path(path).recursive(true);
    let mut pages = request.into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("GetParametersByPath", error))?;
        names.extend(page.parameters().iter().filter_map(|it| it.name().map(str::to_owned)));
    }
    // The pointer is deleted last: while it exists, the same command can continue an interrupted removal.
    names.sort_by_key(|name| *name == config);
    Ok(names)
}

fn folders(use_case: &str) -> [String; 2] {
    [format!("{use_case}/"), format!("{}{use_case}/", places::use_case::ALL)]
}

/// Has check-endpoint delete the endpoints: it knows which belong to the use case, and leaves alone those of a run
/// under way. Returns the endpoints that stay.
async fn endpoints(target: &Target, use_case: &str, done: &mut Done) -> Result<Vec<String>> {
    let Endpoints { deleted, held } = check_endpoint::ask(target, "offboard", use_case).await?;
    for name in &deleted {
        done.say(format!("endpoint {name} is deleted, with its scaling"));
    }
    for name in &held {
        done.say(format!(
            "endpoint {name} stays: a run works on it; the tick deletes it a day after the run, or run this command again"
        ));
    }
    if deleted.is_empty() && held.is_empty() {
        done.say("it has no endpoint".to_owned());
    }
    Ok(held)
}
