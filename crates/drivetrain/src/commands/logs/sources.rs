//! The available logs, by name.

use crate::local::{Instance, State};
use crate::target::{Reach, Target, describe};
use anyhow::{Result, bail};
use std::path::PathBuf;

/// Most names shown of those that are alike.
const SHOWN: usize = 10;

/// Where a log can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A file on this machine.
    File(PathBuf),
    /// A function, whose log is in CloudWatch Logs.
    Function(String),
}

/// The logs of a stack: those of its functions, and locally also those of processes, jobs and endpoints.
///
/// # Errors
/// Lambda refuses.
pub async fn all(target: &Target) -> Result<Vec<(String, Source)>> {
    let mut found = target.local.as_ref().map(files).unwrap_or_default();
    let functions = functions(target).await?;
    let functions = functions.into_iter().map(|name| (name.clone(), Source::Function(name)));
    // Processes come first and jobs last, since there are many jobs.
    let jobs = found.split_off(
        found
            .iter()
            .position(|(name, _)| name.contains('/'))
            .unwrap_or(found.len()),
    );
    found.extend(functions);
    found.extend(jobs);
    Ok(found)
}

/// The functions of a stack.
///
/// # Errors
/// Lambda refuses.
pub async fn functions(target: &Target) -> Result<Vec<String>> {
    let prefix = format!("{}-", target.stack);
    let mut pages = target.lambda().list_functions().into_paginator().send();
    let mut names = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe("ListFunctions", error))?;
        let found = page.functions.unwrap_or_default().into_iter();
        names.extend(
            found
                .filter_map(|it| it.function_name)
                .filter(|name| name.starts_with(&prefix)),
        );
    }
    names.sort();
    Ok(names)
}

/// The logs left by a local stack that is down or broken; `None` when it is up.
///
/// # Errors
/// Its state file can't be read.
pub fn kept(instance: &Instance) -> Result<Option<Vec<(String, Source)>>> {
    match instance.state()? {
        Some(state) if state.is_up() => Ok(None),
        Some(state) => Ok(Some(files(&state))),
        None => {
            let files = std::fs::read_dir(instance.local().join("logs"))
                .into_iter()
                .flatten()
                .flatten();
            let mut found: Vec<(String, Source)> = files
                .filter_map(|file| {
                    let name = file.path().file_stem()?.to_string_lossy().into_owned();
                    Some((name, Source::File(file.path())))
                })
                .collect();
            found.sort_by(|one, other| one.0.cmp(&other.0));
            Ok(Some(found))
        }
    }
}

/// Finds a log by its full name, or by a part of the name that only one log has.
///
/// # Errors
/// No log matches, or several do.
pub fn select<'a>(sources: &'a [(String, Source)], name: &str, reach: &Reach) -> Result<&'a Source> {
    if let Some((_, source)) = sources.iter().find(|(known, _)| known == name) {
        return Ok(source);
    }
    let alike: Vec<&(String, Source)> = sources.iter().filter(|(known, _)| known.contains(name)).collect();
    match alike.as_slice() {
        [(_, source)] => Ok(source),
        [] => bail!(
            "nothing is called `{name}`; `{}` lists what there is",
            reach.command("logs")
        ),
        several => {
            let shown = several.iter().take(SHOWN);
            let names: Vec<&str> = shown.map(|(known, _)| known.as_str()).collect();
            let more = match several.len().saturating_sub(SHOWN) {
                0 => String::new(),
                more => format!(
                    "\n  and {more} more: give more of the name; `{}` lists all",
                    reach.command("logs")
                ),
            };
            bail!(
                "`{name}` is a part of {} names:\n  {}{more}",
                several.len(),
                names.join("\n  ")
            )
        }
    }
}

/// The files of a local stack: processes, the deployment, then jobs and endpoints as `<kind>/<name>`.
pub fn files(state: &State) -> Vec<(String, Source)> {
    let mut found: Vec<(String, Source)> = state
        .processes
        .iter()
        .map(|process| (process.name.clone(), Source::File(process.log.clone())))
        .collect();
    let deploy_log = state.folder.join("logs/deploy.log");
    if deploy_log.exists() {
        found.push(("deploy".to_owned(), Source::File(deploy_log)));
    }
    let mut jobs = Vec::new();
    let kinds = std::fs::read_dir(state.sagemaker_logs())
        .into_iter()
        .flatten()
        .flatten();
    for kind in kinds {
        for file in std::fs::read_dir(kind.path()).into_iter().flatten().flatten() {
            if let Some(name) = file.path().file_stem() {
                let name = format!("{}/{}", kind.file_name().display(), name.display());
                jobs.push((name, Source::File(file.path())));
            }
        }
    }
    jobs.sort_by(|one, other| one.0.cmp(&other.0));
    found.extend(jobs);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_means_itself_or_the_only_one_that_holds_it() {
        let sources: Vec<(String, Source)> = [
            "sagemaker",
            "drivetrain-start-run",
            "training/d-x-train-0",
            "training/d-l-train-0",
        ]
        .iter()
        .map(|name| ((*name).to_owned(), Source::Function((*name).to_owned())))
        .collect();
        let select = |name: &str| super::select(&sources, name, &Reach::default());
        let is = |name: &str, wanted: &str| select(name).unwrap() == &Source::Function(wanted.to_owned());
        assert!(is("sagemaker", "sagemaker"));
        assert!(is("start-run", "drivetrain-start-run"));
        let several = select("train-0").unwrap_err().to_string();
        assert!(several.contains("d-l-train-0"), "{several}");
        let many: Vec<(String, Source)> = (0..190)
            .map(|job| {
                (
                    format!("training/drivetrain--cars-train-{job}"),
                    Source::Function(job.to_string()),
                )
            })
            .collect();
        let many = super::select(&many, "train", &Reach::default())
            .unwrap_err()
            .to_string();
        assert!(
            many.lines().count() == 12 && many.contains("190 names") && many.contains("and 180 more"),
            "{many}"
        );
        let none = select("other").unwrap_err().to_string();
        assert!(none.contains("drivetrain logs"), "{none}");
    }
}
