//! `drop`: puts a file into a use case's folder, as people or their exports do, and shows what becomes of it.

use crate::drops::{self, Answer, Dropped, Outcome};
use crate::follow::{self, Ended};
use crate::target::{Platform, Target};
use crate::ui::Step;
use crate::{Context as Asked, interrupt, onboarding};
use anyhow::{Context, Result, bail};
use aws_sdk_s3::primitives::ByteStream;
use clap::{Args, ValueEnum};
use contracts::{UseCase, places, words};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Drop a file for training, for scoring, or with ground truth; shows the run that it starts, or why it starts none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    drivetrain drop used-car-price listings.csv\n  \
    drivetrain drop used-car-price listings.csv --follow             until its models are decided on\n  \
    drivetrain drop used-car-price stock.csv --for scoring           see also `drivetrain score`\n  \
    drivetrain drop used-car-price sold.csv --for ground-truth       joined by the next monitoring run\n\n\
    The exit code is 1 when the file is refused, or with --follow when its run fails.")]
pub struct DropFile {
    /// The use case that the data belongs to
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The file: CSV with a header, or what the document declares in `input`
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What the file is for
    #[arg(long = "for", value_enum, default_value = "training", value_name = "KIND")]
    kind: Kind,

    /// Follow the run to its end
    #[arg(long, short)]
    follow: bool,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Rows with their target
    Training,
    /// Rows without
    Scoring,
    /// Ids of predicted rows, and what turned out to be true
    GroundTruth,
}

/// What became of a file.
#[derive(Debug, Serialize)]
struct Became {
    #[serde(flatten)]
    answer: Answer,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Ended>,
}

impl From<Kind> for places::Drop {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Training => Self::Training,
            Kind::Scoring => Self::Scoring,
            Kind::GroundTruth => Self::GroundTruth,
        }
    }
}

impl DropFile {
    /// Puts the file and waits for start-run's answer.
    ///
    /// # Errors
    /// The file can't be read, the use case is unknown, start-run refuses the file, or with `--follow` its run fails.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        let (target, platform, document) = ready(context, &self.use_case, &self.file).await?;
        let (dropped, mut answer) = drop(&target, &platform, &self.use_case, self.kind.into(), &self.file).await?;
        let mut ended = None;
        if self.follow {
            answer = until_started(&target, &platform, &self.use_case, &dropped, answer).await?;
            if answer.outcome == Outcome::Started {
                ended = Some(to_the_end(&target, &platform, &document, &dropped).await?);
            }
        }
        conclude(context, &Became { answer, ended })
    }
}

/// Checks that a file can be dropped; returns the stack to drop it to and the use case's document.
pub(super) async fn ready(context: &Asked, use_case: &str, file: &Path) -> Result<(Target, Platform, UseCase)> {
    let bytes = readable(file)?;
    let target = context.target_to_change().await?;
    let platform = target.platform().await?;
    let document = onboarding::document(&target, &platform, use_case).await?;
    small_enough(file, bytes, &document)?;
    Ok((target, platform, document))
}

/// Checks whether a file can be dropped at all, before any call of AWS; returns its size in bytes.
fn readable(file: &Path) -> Result<u64> {
    let metadata = std::fs::metadata(file).with_context(|| format!("cannot read {}", file.display()))?;
    if !metadata.is_file() {
        bail!("{} is not a file", file.display());
    }
    Ok(metadata.len())
}

/// Checks whether start-run would accept the file's size: better to know before the upload than after.
fn small_enough(file: &Path, bytes: u64, document: &UseCase) -> Result<()> {
    let most = document.drops.max_bytes;
    if bytes > most {
        bail!(
            "{} has {} bytes; the document of `{}` takes {} (`drops.max_bytes`): drop fewer rows, or raise the limit",
            file.display(),
            words::count(bytes),
            document.use_case,
            words::count(most)
        );
    }
    Ok(())
}

/// Puts a file and waits for start-run's answer.
pub(super) async fn drop(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    kind: places::Drop,
    file: &Path,
) -> Result<(Dropped, Answer)> {
    let name = file.file_name().context("name a file")?.to_string_lossy();
    let step = Step::begin("Drop");
    step.at(&format!("uploading {name}"));
    let body = ByteStream::from_path(file).await;
    let body = body.with_context(|| format!("cannot read {}", file.display()))?;
    let dropped = drops::put(target, platform, use_case, kind, &name, body).await?;
    step.done(&known(&dropped));
    if dropped.kind != places::Drop::GroundTruth {
        interrupt::goes_on(Some(follow::goes_on(use_case, &dropped.run_id)));
    }
    let waits = Step::begin_on_terminal("Wait");
    waits.at("for start-run's answer");
    let answer = drops::answer(target, platform, use_case, &dropped).await?;
    Ok((dropped, answer))
}

/// What is known as soon as a file is dropped.
fn known(dropped: &Dropped) -> String {
    let Dropped { kind, uri, run_id } = dropped;
    match kind {
        places::Drop::GroundTruth => uri.clone(),
        places::Drop::Training | places::Drop::Scoring => format!("{uri}, run {run_id}"),
    }
}

/// Waits until a run that is queued, or waits for a champion, is started or never will be.
async fn until_started(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    dropped: &Dropped,
    answer: Answer,
) -> Result<Answer> {
    if !matches!(answer.outcome, Outcome::Queued | Outcome::Waiting) {
        return Ok(answer);
    }
    let step = Step::begin("Wait");
    step.at(&answer.in_words());
    let answer = drops::started(target, platform, use_case, dropped).await?;
    step.done(&answer.in_words());
    Ok(answer)
}

/// Follows a started run.
async fn to_the_end(target: &Target, platform: &Platform, document: &UseCase, dropped: &Dropped) -> Result<Ended> {
    let (use_case, run_id) = (&document.use_case, &dropped.run_id);
    if dropped.kind == places::Drop::Scoring {
        return scored(target, platform, use_case, dropped).await;
    }
    let models: Vec<String> = document.models.iter().map(|model| model.name.clone()).collect();
    let followed = follow::follow(target, platform, use_case, run_id, &models).await?;
    Ended::of_training(target, platform, use_case, run_id, &models, followed).await
}

/// Waits for the end of a scoring run.
pub(super) async fn scored(target: &Target, platform: &Platform, use_case: &str, dropped: &Dropped) -> Result<Ended> {
    let run_id = &dropped.run_id;
    let step = Step::begin("Score");
    step.at(&format!("run {run_id}"));
    let arn = follow::execution_arn(&platform.scoring_state_machine_arn, run_id);
    let followed = follow::finished(target, platform, use_case, run_id, &arn).await?;
    step.done(&format!("run {run_id} {}", followed.status));
    Ended::of_scoring(target, platform, use_case, run_id, followed).await
}

/// Shows what became of a file; an error when that is not what the user wanted.
fn conclude(context: &Asked, became: &Became) -> Result<()> {
    let Became { answer, ended } = became;
    if context.json() {
        context.show(became, |_| String::new())?;
    }
    match (answer.outcome, ended) {
        (Outcome::Refused, _) => bail!(answer.in_words()),
        (_, Some(ended)) if !ended.is_good() => bail!(ended.in_words().trim_end().to_owned()),
        _ if context.json() => Ok(()),
        (_, Some(ended)) => context.show(became, |_| ended.in_words()),
        (_, None) => context.show(became, |it| it.answer.in_words()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_as_soon_as_its_file_is_dropped() {
        let mut dropped = Dropped {
            kind: places::Drop::Training,
            uri: "s3://b/flats/training/incoming/a.csv".to_owned(),
            run_id: contracts::RunId::parse("20261122t183000z-ab12cd34").unwrap(),
        };
        assert_eq!(
            known(&dropped),
            "s3://b/flats/training/incoming/a.csv, run 20261122t183000z-ab12cd34"
        );
        dropped.kind = places::Drop::GroundTruth;
        assert!(known(&dropped).ends_with("a.csv"), "ground truth starts no run");
        let told = follow::goes_on("flats", &dropped.run_id);
        assert!(
            told.contains("goes on") && told.contains("`drivetrain status flats --follow`"),
            "{told}"
        );
    }

    #[test]
    fn a_file_that_would_be_refused_for_its_size_is_not_uploaded() {
        let document = serde_json::json!({
            "use_case": "cars", "schema": {"columns": [{"name": "year", "type": "integer"}]}, "target": {"name": "price"},
            "models": [], "drops": {"max_bytes": 1_000_000},
        });
        let document: UseCase = serde_json::from_value(document).unwrap();
        assert!(small_enough(Path::new("a.csv"), 1_000_000, &document).is_ok());
        let error = small_enough(Path::new("a.csv"), 1_000_001, &document)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("1,000,001") && error.contains("drops.max_bytes"),
            "{error}"
        );
        assert!(readable(Path::new("/nowhere.csv")).is_err() && readable(Path::new("/")).is_err());
    }
}
