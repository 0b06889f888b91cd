//! `offboard`: a use case taken out of service; its data goes only where that is asked for.

use crate::target::{Target, describe};
use crate::{Context as Asked, subscriptions, ui};
use anyhow::{Context, Result, bail};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use clap::Args;
use contracts::{names, places};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, IsTerminal};

/// Take a use case out of service: its document, parameters, subscriptions and endpoints; its data only on request.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain offboard used-car-price                         data stays: onboarding it again takes it up\n  \
    drivetrain offboard used-car-price --delete-data           asks for the name once more, then deletes every version\n  \
    drivetrain offboard cars --profile prod --stack cars")]
pub struct Offboard {
    /// The use case
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// Delete its files, runs, models and champions too, in all their versions
    #[arg(long)]
    delete_data: bool,

    /// Its name once more, instead of being asked for it
    #[arg(long, value_name = "USE-CASE", requires = "delete_data")]
    confirm: Option<String>,
}

/// What check-endpoint says.
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

/// What was done, told as it is.
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
    /// It is unknown, the deletion of its data was not confirmed, or a call fails: then the same command goes on.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        let use_case = &self.use_case;
        if !names::is_id(use_case) || names::RESERVED.contains(&use_case.as_str()) {
            bail!("`{use_case}` is no use case's name");
        }
        let target = context.target_to_change().await?;
        let platform = target.platform().await?;
        let known = target.use_cases(&platform.bucket).await?.contains(use_case);
        let parameters = parameters(&target, use_case).await?;
        if !known && parameters.is_empty() {
            bail!("`{use_case}` is unknown to {}", target.title());
        }
        if self.delete_data {
            self.confirmed(&platform.bucket)?;
        }
        // First what makes it known: from here on no drop, tick or request takes it up.
        let mut done = Done::default();
        for line in subscriptions::bring_in_line(&target, &platform, use_case, &[]).await? {
            done.say(line);
        }
        for name in parameters {
            let gone = target.ssm().delete_parameter().name(&name).send().await;
            gone.map_err(|error| describe(&format!("DeleteParameter {name}"), error))?;
            done.say(format!("parameter {name} is deleted"));
        }
        let key = places::use_case::config(use_case);
        let uri = places::uri(&platform.bucket, &key);
        let gone = target
            .s3()
            .delete_object()
            .bucket(&platform.bucket)
            .key(&key)
            .send()
            .await;
        gone.map_err(|error| describe(&format!("DeleteObject {uri}"), error))?;
        done.say(format!("{uri} is deleted"));
        endpoints(&target, use_case, &mut done).await?;
        for folder in [format!("{use_case}/"), format!("{}{use_case}/", places::use_case::ALL)] {
            let uri = places::uri(&platform.bucket, &folder);
            if self.delete_data {
                let objects = delete_all(&target, &platform.bucket, &folder).await?;
                done.say(format!("{uri} is deleted: {objects} versions of objects"));
            } else {
                done.say(format!("{uri} stays; `--delete-data` deletes it"));
            }
        }
        let offboarded = Offboarded {
            use_case,
            done: &done.0,
        };
        context.show(&offboarded, |it| format!("`{}` is out of service", it.use_case))
    }

    fn confirmed(&self, bucket: &str) -> Result<()> {
        let given = match &self.confirm {
            Some(name) => name.clone(),
            None if std::io::stdin().is_terminal() => {
                ui::say(&format!(
                    "every version of every file of `{}` in {bucket} will be deleted; nothing brings them back. Its name, to go on:",
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
    // The pointer last: as long as it is there, the same command goes on where it was cut short.
    names.sort_by_key(|name| *name == config);
    Ok(names)
}

/// check-endpoint deletes them: it knows whose they are, and keeps off a run's.
async fn endpoints(target: &Target, use_case: &str, done: &mut Done) -> Result<()> {
    let request = serde_json::json!({"mode": "offboard", "use_case": use_case});
    let function = format!("{}-check-endpoint", target.stack);
    let invoke = target.lambda().invoke().function_name(&function);
    let answer = invoke.payload(Blob::new(request.to_string())).send().await;
    let answer = answer.map_err(|error| describe("Invoke", error))?;
    let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
    if answer.function_error().is_some() {
        bail!("{function}: {}", String::from_utf8_lossy(payload));
    }
    let Endpoints { deleted, held } = serde_json::from_slice(payload).context("check-endpoint's answer")?;
    for name in &deleted {
        done.say(format!("endpoint {name} is deleted, with its scaling"));
    }
    for name in &held {
        done.say(format!(
            "endpoint {name} stays: a run is at work on it; a day after the run the tick deletes it, or this command again"
        ));
    }
    if deleted.is_empty() && held.is_empty() {
        done.say("it has no endpoint".to_owned());
    }
    Ok(())
}

/// Deletes every version of the objects below `prefix`; gives how many there were.
async fn delete_all(target: &Target, bucket: &str, prefix: &str) -> Result<usize> {
    let s3 = target.s3();
    let mut deleted = 0;
    loop {
        let listed = s3.list_object_versions().bucket(bucket).prefix(prefix).send().await;
        let listed = listed.map_err(|error| describe("ListObjectVersions", error))?;
        let versions = listed.versions().iter().map(|it| (it.key(), it.version_id()));
        let markers = listed.delete_markers().iter().map(|it| (it.key(), it.version_id()));
        let mut objects = Vec::new();
        for (key, version) in versions.chain(markers) {
            let object = ObjectIdentifier::builder().set_version_id(version.map(str::to_owned));
            objects.push(object.key(key.unwrap_or_default()).build()?);
        }
        if objects.is_empty() {
            return Ok(deleted);
        }
        let found = objects.len();
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build()?;
        let answer = s3.delete_objects().bucket(bucket).delete(delete).send().await;
        let answer = answer.map_err(|error| describe("DeleteObjects", error))?;
        if let Some(error) = answer.errors().first() {
            bail!(
                "{} could not be deleted: {}",
                error.key().unwrap_or_default(),
                error.message().unwrap_or_default()
            );
        }
        deleted += found;
    }
}
