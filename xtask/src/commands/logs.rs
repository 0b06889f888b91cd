//! `logs`: what a process, a function or a job has written.

use crate::aws::{Target, call_local, describe, http_client};
use crate::deploy;
use crate::layout::Layout;
use crate::process::tail;
use crate::stack::State;
use crate::ui;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Show a log: of a server, a function, a job or an endpoint; without a name, what there is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    cargo xtask logs                          what there is\n  \
    cargo xtask logs localstack --follow\n  \
    cargo xtask logs start-run                a function's\n  \
    cargo xtask logs train                    the jobs' whose name holds `train`, if there is only one")]
pub struct Logs {
    /// Of what: `localstack`, `sagemaker`, `deploy`, a function, a job, an endpoint; a part of the name will do
    #[arg(value_name = "NAME")]
    name: Option<String>,

    /// Go on as more is written
    #[arg(long, short)]
    follow: bool,

    /// Lines to begin with
    #[arg(long, short = 'n', default_value_t = 200, value_name = "LINES")]
    lines: usize,
}

/// Where a log is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    File(PathBuf),
    /// A function's, in CloudWatch Logs.
    Function(String),
}

impl Logs {
    /// Prints a log.
    ///
    /// # Errors
    /// Nothing has that name, or several have.
    pub async fn run(&self, layout: &Layout) -> Result<()> {
        let Some(state) = State::load(layout)? else {
            return self.kept(layout);
        };
        let sources = sources(&state).await;
        let Some(name) = &self.name else {
            for (name, _) in &sources {
                ui::show(name);
            }
            return Ok(());
        };
        match select(&sources, name)? {
            Source::File(path) => self.file(path).await,
            Source::Function(function) => self.function(&state, function).await,
        }
    }

    /// A stack that is down has left the logs of set-up, and those of a start that failed.
    fn kept(&self, layout: &Layout) -> Result<()> {
        let folder = layout.local().join("logs");
        let files = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let sources: Vec<(String, Source)> = files
            .filter_map(|file| {
                Some((
                    file.path().file_stem()?.to_string_lossy().into_owned(),
                    Source::File(file.path()),
                ))
            })
            .collect();
        match &self.name {
            None => {
                ui::show(&format!("The local stack is down. Kept in {}:", layout.shown(&folder)));
                for (name, _) in &sources {
                    ui::show(name);
                }
            }
            Some(name) => {
                if let Source::File(path) = select(&sources, name)? {
                    ui::show(&tail(path, self.lines));
                }
            }
        }
        Ok(())
    }

    async fn file(&self, path: &Path) -> Result<()> {
        ui::show(&tail(path, self.lines));
        if !self.follow {
            return Ok(());
        }
        let mut file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.seek(SeekFrom::End(0))?;
        loop {
            let mut more = Vec::new();
            file.read_to_end(&mut more)?;
            std::io::stdout().write_all(&more)?;
            std::io::stdout().flush()?;
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    async fn function(&self, state: &State, function: &str) -> Result<()> {
        let mut since_ms = 0;
        let mut events = events(state, function, since_ms).await?;
        let skipped = events.len().saturating_sub(self.lines);
        events.drain(..skipped);
        loop {
            for (at_ms, line) in &events {
                ui::show(line.trim_end());
                since_ms = since_ms.max(at_ms + 1);
            }
            if !self.follow {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            events = self::events(state, function, since_ms).await?;
        }
    }
}

/// A function's log lines from a time on, with their times.
async fn events(state: &State, function: &str, since_ms: i64) -> Result<Vec<(i64, String)>> {
    let request = serde_json::json!({"logGroupName": format!("/aws/lambda/{function}"), "startTime": since_ms});
    let request = http_client()?
        .post(state.endpoint())
        .header("x-amz-target", "Logs_20140328.FilterLogEvents")
        .header("content-type", "application/x-amz-json-1.1")
        .body(request.to_string());
    let answer = call_local(state, "logs", request).await?;
    let events = answer["events"].as_array().into_iter().flatten();
    Ok(events
        .filter_map(|event| Some((event["timestamp"].as_i64()?, event["message"].as_str()?.to_owned())))
        .collect())
}

/// Every log of a stack, by name.
async fn sources(state: &State) -> Vec<(String, Source)> {
    let mut found: Vec<(String, Source)> = state
        .processes
        .iter()
        .map(|process| (process.name.clone(), Source::File(process.log.clone())))
        .collect();
    let deploy_log = state.folder.join("logs/deploy.log");
    if deploy_log.exists() {
        found.push(("deploy".to_owned(), Source::File(deploy_log)));
    }
    // A stack that is broken has no functions to ask for, but still its files.
    let functions = functions(state).await.unwrap_or_default();
    found.extend(functions.into_iter().map(|name| (name.clone(), Source::Function(name))));
    let mut jobs = Vec::new();
    for kind in std::fs::read_dir(state.sagemaker_logs())
        .into_iter()
        .flatten()
        .flatten()
    {
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

async fn functions(state: &State) -> Result<Vec<String>> {
    let lambda = Target::local(state.clone(), deploy::STACK).lambda();
    let answer = lambda
        .list_functions()
        .send()
        .await
        .map_err(|error| describe("ListFunctions", error))?;
    Ok(answer
        .functions()
        .iter()
        .filter_map(|it| it.function_name().map(str::to_owned))
        .collect())
}

/// The log that a name means: the one so called, else the only one whose name holds it.
fn select<'a>(sources: &'a [(String, Source)], name: &str) -> Result<&'a Source> {
    if let Some((_, source)) = sources.iter().find(|(known, _)| known == name) {
        return Ok(source);
    }
    let alike: Vec<&(String, Source)> = sources.iter().filter(|(known, _)| known.contains(name)).collect();
    match alike.as_slice() {
        [(_, source)] => Ok(source),
        [] => bail!("nothing is called `{name}`; `cargo xtask logs` lists what there is"),
        several => {
            let names: Vec<&str> = several.iter().map(|(known, _)| known.as_str()).collect();
            bail!("`{name}` is a part of several names:\n  {}", names.join("\n  "))
        }
    }
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
        let is = |name: &str, wanted: &str| select(&sources, name).unwrap() == &Source::Function(wanted.to_owned());
        assert!(is("sagemaker", "sagemaker"));
        assert!(is("start-run", "drivetrain-start-run"));
        assert!(
            select(&sources, "train-0")
                .unwrap_err()
                .to_string()
                .contains("d-l-train-0")
        );
        assert!(
            select(&sources, "other")
                .unwrap_err()
                .to_string()
                .contains("cargo xtask logs")
        );
    }
}
