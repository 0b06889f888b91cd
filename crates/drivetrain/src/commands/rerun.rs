//! `rerun`: repeats a run, by a direct call of start-run.

use crate::target::{Platform, Target};
use crate::{Context, onboarding, promotions, start_run, ui};
use anyhow::{Result, bail};
use clap::Args;
use contracts::places::{self, RunPlaces};
use contracts::run::{RunKind, Source};
use contracts::{Manifest, RunId, UseCase};
use serde::Serialize;

/// Run a drop again, as `<run>-r2`, `-r3`, …: with the same data and the current document.
///
/// A rerun keeps the place of its drop in time. Where the champion is of a newer run, a training run trains in full and its
/// candidate then ends `superseded`: to have the same rows judged against that champion, drop the file again.
///
/// A promotion (`approve`, `rollback`) is run again only if it failed, in the name of whoever asked for it; mails name who
/// asked for the rerun as well. For a monitoring run, the model's live data is looked at now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  drivetrain rerun 20261122t183000z-ab12cd34\n  \
    drivetrain rerun 20261122t183000z-ab12cd34 --use-case used-car-price")]
pub struct Rerun {
    /// The run: any of its attempts
    #[arg(value_name = "RUN", value_parser = parse_run)]
    run: RunId,

    /// The use case of the run [default: looked up]
    #[arg(long, value_name = "USE-CASE")]
    use_case: Option<String>,

    /// Who wants it: told in the mails of a promotion [default: $USER, or git's user.name]
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

#[derive(Debug, Serialize)]
struct Started {
    use_case: String,
    run_id: RunId,
}

impl Rerun {
    /// Calls start-run and prints the new run.
    ///
    /// # Errors
    /// There is no such run or use case, or start-run refuses: the text holds its reason.
    pub async fn run(&self, context: &Context) -> Result<()> {
        let target = context.target_to_change().await?;
        let platform = target.platform().await?;
        let use_case = match &self.use_case {
            Some(use_case) => onboarding::document(&target, &platform, use_case).await?.use_case,
            None => owner(&target, &platform, &self.run).await?,
        };
        let manifest = manifest(&target, &platform, &use_case, &self.run).await?;
        let by = match manifest.as_ref().map(|it| &it.source) {
            Some(Source::Promotion { .. }) => promotions::person(self.by.as_deref()).ok(),
            _ => None,
        };
        if manifest.is_some_and(|it| it.kind == RunKind::Training) {
            let newer = newer_champions(&target, &platform, &use_case, &self.run).await?;
            if let Some(warning) = superseded(&use_case, &newer) {
                ui::say(&warning);
            }
        }
        let run_id = start_run::rerun(&target, &use_case, &self.run, by.as_deref()).await?;
        ui::say(&format!("{use_case}: run {run_id} has started"));
        context.show(&Started { use_case, run_id }, |it| it.run_id.to_string())
    }
}

async fn manifest(target: &Target, platform: &Platform, use_case: &str, run_id: &RunId) -> Result<Option<Manifest>> {
    target
        .document(platform, &RunPlaces { use_case, run_id }.manifest())
        .await
}

/// The models whose champions are of newer runs than this drop's, each with its champion.
async fn newer_champions(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    run: &RunId,
) -> Result<Vec<(String, RunId)>> {
    let mut newer = Vec::new();
    let document: Option<UseCase> = target.document(platform, &places::use_case::config(use_case)).await?;
    for model in document.into_iter().flat_map(|document| document.models) {
        let champion = promotions::champion(target, platform, use_case, &model.name).await?;
        let champion = champion.map(|champion| champion.run_id);
        newer.extend(
            champion
                .filter(|champion| champion.first() > run.first())
                .map(|champion| (model.name, champion)),
        );
    }
    Ok(newer)
}

/// What is said before a training run that can't replace these champions.
fn superseded(use_case: &str, newer: &[(String, RunId)]) -> Option<String> {
    if newer.is_empty() {
        return None;
    }
    let champions: Vec<String> = newer.iter().map(|(model, run)| format!("{model} ({run})")).collect();
    Some(format!(
        "warning: newer than this run is the champion of {}. The rerun trains in full, and its candidates there end \
         `superseded`. To have the same rows judged against the champion, drop the file again: `drivetrain drop {use_case} \
         FILE`",
        champions.join(", ")
    ))
}

/// The use case that the run belongs to.
async fn owner(target: &Target, platform: &Platform, run: &RunId) -> Result<String> {
    for use_case in target.use_cases(&platform.bucket).await? {
        let places = RunPlaces {
            use_case: &use_case,
            run_id: &run.first(),
        };
        if target.get(&platform.bucket, &places.manifest()).await?.is_some() {
            return Ok(use_case);
        }
    }
    bail!(
        "no use case has a run {}; `{}` lists the last ones",
        run.first(),
        target.command("status")
    )
}

pub(super) fn parse_run(text: &str) -> Result<RunId, String> {
    RunId::parse(text).ok_or_else(|| format!("`{text}` is not a run id: one looks like 20261122t183000z-ab12cd34"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;
    use serde_json::json;

    fn run(text: &str) -> RunId {
        RunId::parse(text).unwrap()
    }

    #[tokio::test]
    async fn champions_of_newer_runs_are_named_before_anything_is_trained() {
        let aws = FakeAws::new();
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/used-car-price.yaml");
        let document = crate::document::read(std::path::Path::new(file)).unwrap();
        let use_case = document.use_case.clone();
        let key = places::use_case::config(&use_case);
        aws.put_object("bucket", &key, serde_json::to_string(&document).unwrap());
        let model = &document.models[0].name;
        let champion = json!({
            "use_case": use_case, "model": model, "run_id": "20261122t183000z-ab12cd34-r2", "config_version": "v",
            "image": "i", "training_job": "t", "model_name": "n", "endpoint_name": "e", "endpoint_config": "c",
            "variant_name": "AllTraffic", "schema_hash": "123456", "columns": ["year"], "holdout_rmse": 1234.5,
            "holdout_rows": 8000, "exported_at": "2026-11-22T18:30:00Z",
        });
        aws.put_object_json("bucket", &places::use_case::champion(&use_case, model), &champion);
        let target = Target::with_config("dev", aws.sdk_config());
        let platform = crate::target::Platform::of_tests("bucket");
        let newer = async |of: &str| newer_champions(&target, &platform, &use_case, &run(of)).await.unwrap();
        let found = newer("20261121t183000z-00000001").await;
        assert_eq!(found, [(model.clone(), run("20261122t183000z-ab12cd34-r2"))]);
        let warning = superseded(&use_case, &found).unwrap();
        assert!(
            warning.contains("20261122t183000z-ab12cd34-r2") && warning.contains("drop the file again"),
            "{warning}"
        );
        // A rerun of the champion's own drop is newer than the champion.
        assert_eq!(newer("20261122t183000z-ab12cd34").await, []);
        assert_eq!(superseded(&use_case, &[]), None);
    }
}
