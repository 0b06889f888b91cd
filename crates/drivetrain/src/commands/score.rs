//! `score`: has the champions score a file, from the drop to fetching the scored file.

use super::drop::{drop, ready, scored};
use crate::drops::Outcome;
use crate::follow::{Ended, Scored};
use crate::target::{Platform, Target};
use crate::{Context as Asked, output, ui};
use anyhow::{Context, Result, bail};
use clap::Args;
use contracts::places;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Score a file with the champions: drop it, wait for its run, and fetch the results.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain score used-car-price stock.csv\n  \
    drivetrain score used-car-price stock.csv --output scored.csv     rejected rows go to scored.rejects.csv")]
pub struct Score {
    /// The use case whose champions score the file
    #[arg(value_name = "USE-CASE")]
    use_case: String,

    /// The file: CSV with a header, or what the document declares in `input`
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Where to write the scored file
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// The file of rejected rows, beside the scored file.
const REJECTS: &str = "rejects.csv";
const SUMMARY: &str = "summary.json";

#[derive(Debug, Serialize)]
struct Came {
    #[serde(flatten)]
    ended: Ended,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<PathBuf>,
}

impl Score {
    /// Drops the file, waits for its run and fetches the results.
    ///
    /// # Errors
    /// The file is refused, waits for a champion, or its run fails.
    pub async fn run(&self, context: &Asked) -> Result<()> {
        if let Some(file) = &self.output {
            // A file that can't be written is reported before its run.
            output::prepare(file)?;
        }
        let (target, platform, _) = ready(context, &self.use_case, &self.file).await?;
        let (dropped, answer) = drop(&target, &platform, &self.use_case, places::Drop::Scoring, &self.file).await?;
        if answer.outcome != Outcome::Started {
            bail!(answer.in_words());
        }
        let ended = scored(&target, &platform, &self.use_case, &dropped).await?;
        if !ended.is_good() {
            bail!(ended.in_words().trim_end().to_owned());
        }
        let files = match (&self.output, &ended.scoring) {
            (Some(file), Some(scored)) => {
                let fetched = fetch(&target, &platform, &self.use_case, scored, file).await;
                fetched.with_context(|| left_in(scored))?
            }
            (Some(_), None) => bail!(
                "run {} has ended without a summary: nothing can be fetched",
                ended.run_id
            ),
            (None, _) => Vec::new(),
        };
        let came = Came { ended, files };
        context.show(&came, |it| {
            let files = it.files.iter().map(|file| format!("fetched {}\n", file.display()));
            it.ended.in_words() + &files.collect::<String>()
        })
    }
}

/// Where a scored file lies that could not be fetched.
fn left_in(scored: &Scored) -> String {
    let folder = &scored.folder;
    format!("the file is scored, but not fetched: `aws s3 cp --recursive {folder} .` fetches what lies in {folder}")
}

/// Fetches the scored file, and the rejected rows if there are any.
async fn fetch(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    scored: &Scored,
    output: &Path,
) -> Result<Vec<PathBuf>> {
    let folder = places::use_case::scored(use_case, &scored.summary.run_id);
    let keys = target.keys(&platform.bucket, &folder).await?;
    let names: Vec<&str> = keys.iter().filter_map(|key| key.strip_prefix(&folder)).collect();
    let Some(name) = scored_name(&names) else {
        bail!("there is no scored file in {}", places::uri(&platform.bucket, &folder));
    };
    let mut wanted = vec![(name, output.to_path_buf())];
    if scored.summary.rejected > 0 {
        wanted.push((REJECTS, output.with_extension("rejects.csv")));
    }
    let mut fetched = Vec::new();
    for (name, file) in wanted {
        let step = ui::Step::begin("Fetch");
        let key = format!("{folder}{name}");
        if !target.download(&platform.bucket, &key, &file).await? {
            bail!("{} is not there", places::uri(&platform.bucket, &key));
        }
        step.done(&file.display().to_string());
        fetched.push(file);
    }
    Ok(fetched)
}

/// The name of the scored file among the names in its folder.
fn scored_name<'a>(names: &[&'a str]) -> Option<&'a str> {
    names.iter().copied().find(|name| ![REJECTS, SUMMARY].contains(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;

    #[tokio::test]
    async fn a_target_that_can_not_be_written_is_refused_before_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let rows = folder.path().join("rows.csv");
        std::fs::write(&rows, "year\n2015\n").unwrap();
        let rows = rows.to_str().unwrap();
        let words = [
            "drivetrain",
            "score",
            "cars",
            rows,
            "--output",
            folder.path().to_str().unwrap(),
        ];
        let refused = crate::cli::Cli::try_parse_from(words).unwrap().run().await.unwrap_err();
        assert!(
            refused.to_string().ends_with("is a folder: name a file in it"),
            "{refused}"
        );
    }

    #[test]
    fn a_scored_file_that_is_not_fetched_is_told_by_its_place() {
        let summary = serde_json::json!({
            "run_id": "20261122t183000z-ab12cd34", "file": "a.csv", "rows": 1, "scored": 1, "rejected": 0, "reasons": [],
            "models": {}, "absent": [],
        });
        let folder = "s3://bucket/cars/scored/20261122t183000z-ab12cd34/".to_owned();
        let told = left_in(&Scored {
            folder: folder.clone(),
            summary: serde_json::from_value(summary).unwrap(),
        });
        assert!(told.contains(&format!("`aws s3 cp --recursive {folder} .`")), "{told}");
    }

    #[test]
    fn the_scored_file_is_the_one_that_is_neither_rejects_nor_summary() {
        assert_eq!(
            scored_name(&["rejects.csv", "stock.csv", "summary.json"]),
            Some("stock.csv")
        );
        assert_eq!(scored_name(&["rejects.csv", "summary.json"]), None);
    }
}
