//! The log lines that functions and jobs have written about a run.

use super::events::{Line, Reader};
use super::sources::{self, Source};
use crate::follow;
use crate::target::{Platform, Target};
use crate::ui;
use anyhow::Result;
use contracts::RunId;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
use serde::Serialize;

/// How many log groups are read at the same time.
const AT_ONCE: usize = 4;

/// Everything that was found about a run.
#[derive(Debug, Serialize)]
pub struct Found {
    /// The run.
    pub run: RunId,
    /// The lines of functions, oldest first.
    pub lines: Vec<Line>,
    /// The run's jobs, in the order in which they were started.
    pub jobs: Vec<Job>,
}

/// A job's log.
#[derive(Debug, Serialize)]
pub struct Job {
    /// Its name.
    pub name: String,
    /// Its last lines.
    pub log: Vec<String>,
}

impl Found {
    /// The result as text.
    pub fn in_words(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let at = Timestamp::from_millisecond(line.at_ms).unwrap_or_default();
            text += &format!("{} {}  {}\n", at.strftime("%T%.3f"), line.of, line.text.trim_end());
        }
        for job in &self.jobs {
            text += &format!("\njob {}\n{}\n", job.name, job.log.join("\n"));
        }
        if text.is_empty() {
            text = format!(
                "Nothing was written of run {}, or not since then: `--since 3d` looks further back.\n",
                self.run
            );
        }
        text
    }
}

/// The lines of functions that mention the run, and the last lines of its jobs.
///
/// # Errors
/// A log can't be read.
pub async fn look(
    target: &Target,
    run: &RunId,
    since: Option<SignedDuration>,
    last: usize,
) -> Result<(Vec<Line>, Vec<Job>)> {
    let platform = target.platform().await?;
    let step = ui::Step::begin_on_terminal("Logs");
    let since = since.map_or_else(|| began(run), |since| Timestamp::now() - since);
    let since_ms = since.as_millisecond();
    let reader = &Reader::new(target);
    let about = &run.to_string();
    let functions = sources::functions(target).await?;
    let reads = stream::iter(functions)
        .map(|function| async move { reader.of_function(&function, since_ms, Some(about)).await });
    let found: Vec<Vec<Line>> = reads.buffered(AT_ONCE).try_collect().await?;
    let mut lines: Vec<Line> = found.into_iter().flatten().collect();
    lines.sort_by_key(|line| line.at_ms);
    let skipped = lines.len().saturating_sub(last);
    lines.drain(..skipped);
    let mut jobs = Vec::new();
    for (kind, name) in jobs_of(target, &platform, run).await? {
        let log = match &target.local {
            Some(state) => {
                let files = sources::files(state)
                    .into_iter()
                    .filter(|(known, _)| is_of(known, &name));
                let paths = files.filter_map(|(_, source)| match source {
                    Source::File(path) => Some(path),
                    Source::Function(_) => None,
                });
                let lines: Vec<String> = paths
                    .flat_map(|path| ui::tail(&path, last).lines().map(str::to_owned).collect::<Vec<_>>())
                    .collect();
                lines
            }
            None => {
                let group = format!("/aws/sagemaker/{kind}Jobs");
                let lines = reader
                    .of_group(&group, Some(&format!("{name}/")), since_ms, None, &name)
                    .await?;
                let skipped = lines.len().saturating_sub(last);
                lines
                    .into_iter()
                    .skip(skipped)
                    .map(|line| line.text.trim_end().to_owned())
                    .collect()
            }
        };
        jobs.push(Job { name, log });
    }
    drop(step);
    Ok((lines, jobs))
}

/// Whether a local log, `<kind>/<name>`, belongs to a job. A transform job has one for each container.
fn is_of(log: &str, job: &str) -> bool {
    let rest = log.rsplit('/').next().and_then(|name| name.strip_prefix(job));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("-container-"))
}

/// The time in the run's id, less a margin. Reruns have the time of the first run.
fn began(run: &RunId) -> Timestamp {
    let text = run.to_string();
    let time = DateTime::strptime("%Y%m%dt%H%M%Sz", text.get(..16).unwrap_or_default());
    let time = time.ok().and_then(|time| time.to_zoned(TimeZone::UTC).ok());
    time.map_or(Timestamp::UNIX_EPOCH, |time| {
        time.timestamp() - SignedDuration::from_mins(1)
    })
}

/// Kind and name of the jobs that a run has started.
async fn jobs_of(target: &Target, platform: &Platform, run: &RunId) -> Result<Vec<(String, String)>> {
    for machine in [
        &platform.training_state_machine_arn,
        &platform.scoring_state_machine_arn,
        &platform.monitor_state_machine_arn,
    ] {
        let arn = follow::execution_arn(machine, run);
        if follow::exists(target, &arn).await? {
            return follow::jobs(target, &arn).await;
        }
    }
    Ok(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transform_job_has_a_log_of_each_container() {
        assert!(is_of(
            "transform-jobs/dev--cars-score-0-container-2",
            "dev--cars-score-0"
        ));
        assert!(is_of("training-jobs/dev--cars-train-1", "dev--cars-train-1"));
        assert!(!is_of("training-jobs/dev--cars-train-10", "dev--cars-train-1"));
    }

    #[test]
    fn a_run_says_when_it_began() {
        let run = RunId::parse("20261122t183000z-ab12cd34-r2").unwrap();
        assert_eq!(began(&run).to_string(), "2026-11-22T18:29:00Z");
    }

    #[test]
    fn lines_stand_in_their_order_and_jobs_below() {
        let found = Found {
            run: RunId::parse("20261122t183000z-ab12cd34").unwrap(),
            lines: vec![Line {
                at_ms: 1_795_372_200_250,
                of: "dev-start-run".to_owned(),
                text: "handled\n".to_owned(),
            }],
            jobs: vec![Job {
                name: "dev--cars-train-0".to_owned(),
                log: vec!["epoch 1".to_owned()],
            }],
        };
        assert_eq!(
            found.in_words(),
            "18:30:00.250 dev-start-run  handled\n\njob dev--cars-train-0\nepoch 1\n"
        );
        let none = Found {
            lines: Vec::new(),
            jobs: Vec::new(),
            ..found
        };
        assert!(none.in_words().contains("--since"), "{}", none.in_words());
    }
}
