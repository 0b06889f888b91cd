//! `logs`: what a function, a run, a job or a local process has written.

mod events;
mod of_run;
mod sources;

use crate::{Context as Asked, ui};
use anyhow::{Context, Result, bail};
use clap::Args;
use contracts::RunId;
use events::{Line, Reader};
use jiff::{SignedDuration, Timestamp};
use sources::Source;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

/// Show the log of a function or of a run and its jobs, locally also of a process; without a name, list the logs.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain logs                                   what there is\n  \
    drivetrain logs start-run                         a function's, of the last hour\n  \
    drivetrain logs start-run --since 2d --follow\n  \
    drivetrain logs 20261122t183000z-ab12cd34         what functions and jobs have written of a run\n  \
    drivetrain --on local logs localstack             a process of the local stack\n  \
    drivetrain --on local logs deploy                 how the local stack was deployed")]
pub struct Logs {
    /// The log's name: a function or a run; locally also `localstack`, `sagemaker`, `deploy`, a job or an endpoint; a
    /// part that no other name has is enough
    #[arg(value_name = "NAME|RUN")]
    name: Option<String>,

    /// Keep showing lines as they are written
    #[arg(long, short)]
    follow: bool,

    /// How many lines to show, counted from the last
    #[arg(long, short = 'n', default_value_t = 200, value_name = "LINES")]
    lines: usize,

    /// How far back to look, as `30m`, `2h`, `3d` [default: 1h; for a run, since it began]
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    since: Option<SignedDuration>,
}

impl Logs {
    /// Prints a log.
    ///
    /// # Errors
    /// Nothing has that name, or several have.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        if context.is_local() {
            let instance = context.instance()?;
            let kept = sources::kept(&instance)?;
            if let Some(kept) = kept {
                if let Err(error) = instance.running() {
                    if kept.is_empty() {
                        return Err(error);
                    }
                    let list = if self.name.is_none() {
                        ". There are these logs:"
                    } else {
                        ""
                    };
                    ui::say(&format!("{error}{list}"));
                }
                return self.kept(context, &kept);
            }
        }
        let target = context.target().await?;
        // A deployment that failed has left logs of the local stack, but nothing of its own.
        if target.local.as_ref().is_none_or(|state| state.deployed.is_some()) {
            target.platform().await?;
        }
        if let Some(run) = self.name.as_deref().and_then(RunId::parse) {
            if self.follow {
                bail!(
                    "`--follow` goes with a function or a process; `{}` follows runs",
                    target.command("status --follow")
                );
            }
            let (lines, jobs) = of_run::look(&target, &run, self.since, self.lines).await?;
            context.show(&of_run::Found { run, lines, jobs }, of_run::Found::in_words)?;
            return Ok(());
        }
        let sources = sources::all(&target).await?;
        let Some(name) = &self.name else {
            let names: Vec<&str> = sources.iter().map(|(name, _)| name.as_str()).collect();
            return context.show(&names, |names| names.join("\n"));
        };
        match sources::select(&sources, name, &target.reach)? {
            Source::File(path) => self.file(context, path).await,
            Source::Function(function) => self.function(context, &Reader::new(&target), function).await,
        }
    }

    /// Lists the logs that a local stack leaves when it is down: those of its set-up, and those of a failed start.
    fn kept(&self, context: &Asked, kept: &[(String, Source)]) -> Result<()> {
        match &self.name {
            None => {
                let names: Vec<&str> = kept.iter().map(|(name, _)| name.as_str()).collect();
                context.show(&names, |names| names.join("\n"))
            }
            Some(name) => match sources::select(kept, name, &context.reach())? {
                Source::File(path) => context.show(&ui::tail(path, self.lines), String::clone),
                Source::Function(_) => Ok(()),
            },
        }
    }

    async fn file(&self, context: &Asked, path: &Path) -> Result<()> {
        context.show(&ui::tail(path, self.lines), String::clone)?;
        if !self.follow {
            return Ok(());
        }
        let mut file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.seek(SeekFrom::End(0))?;
        loop {
            let mut more = Vec::new();
            file.read_to_end(&mut more)?;
            ui::show_bytes(&more);
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    async fn function(&self, context: &Asked, reader: &Reader, function: &str) -> Result<()> {
        let since = self.since.unwrap_or(SignedDuration::from_hours(1));
        let mut since_ms = (Timestamp::now() - since).as_millisecond();
        let lines = reader.of_function(function, since_ms, None).await?;
        if lines.is_empty() {
            ui::say(&format!(
                "{function} has written nothing in the last {since:#}: `--since 3d` looks further back"
            ));
        }
        since_ms = after(&lines, since_ms);
        self.show(context, last(&lines, self.lines))?;
        loop {
            if !self.follow {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(if context.is_local() { 1 } else { 3 })).await;
            let lines = reader.of_function(function, since_ms, None).await?;
            since_ms = after(&lines, since_ms);
            self.show(context, &lines)?;
        }
    }

    fn show(&self, context: &Asked, lines: &[Line]) -> Result<()> {
        // One JSON object per line, so that `--follow` makes a stream.
        for line in lines {
            if context.json() {
                ui::show_json(&serde_json::to_string(line)?);
            } else {
                ui::show(line.text.trim_end());
            }
        }
        Ok(())
    }
}

/// The time after all lines that were read.
fn after(lines: &[Line], since_ms: i64) -> i64 {
    lines.iter().map(|line| line.at_ms + 1).fold(since_ms, i64::max)
}

/// The last lines.
fn last(lines: &[Line], most: usize) -> &[Line] {
    &lines[lines.len().saturating_sub(most)..]
}

/// Parses a duration such as `30m`, `2h`, `3d`.
fn parse_since(text: &str) -> Result<SignedDuration, String> {
    let wrong = || format!("`{text}` is not a duration: write it as `30m`, `2h`, `3d`");
    let (number, hours) = match text.strip_suffix('d') {
        Some(days) => (days, Some(24)),
        None => (text, None),
    };
    let duration = match hours {
        Some(hours) => number
            .parse::<u32>()
            .ok()
            .map(|days| SignedDuration::from_hours(hours * i64::from(days))),
        None => number.parse::<SignedDuration>().ok(),
    };
    duration.filter(SignedDuration::is_positive).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_not_shown_were_read_all_the_same() {
        let line = |at_ms| Line {
            at_ms,
            of: "start-run".to_owned(),
            text: String::new(),
        };
        let lines = [line(5), line(7)];
        assert!(last(&lines, 0).is_empty() && last(&lines, 1) == [line(7)] && last(&lines, 9).len() == 2);
        assert_eq!((after(&lines, 3), after(&[], 3)), (8, 3));
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(parse_since("30m"), Ok(SignedDuration::from_mins(30)));
        assert_eq!(parse_since("2h"), Ok(SignedDuration::from_hours(2)));
        assert_eq!(parse_since("3d"), Ok(SignedDuration::from_hours(72)));
        for wrong in ["", "3", "d", "-1d", "yesterday"] {
            assert!(parse_since(wrong).unwrap_err().contains("30m"), "{wrong}");
        }
    }
}
