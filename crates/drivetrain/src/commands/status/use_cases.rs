//! How a use case stands: who serves, what was decided last, what waits for somebody's word, what was refused, what live
//! data looked like.

use super::reads::READS;
use super::runs::Execution;
use crate::promotions::{self, Came};
use crate::target::{Platform, Target, describe};
use anyhow::Result;
use contracts::champion::OtherColumns;
use contracts::drift::Outcome;
use contracts::monitoring::{GroundTruthFile, Payload};
use contracts::places::{self, MonitoringPlaces, RunPlaces};
use contracts::reporting::{DriftRow, drift_rows};
use contracts::{Champion, Decision, Manifest, RunId, RunState, UseCase, Verdict, Window};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// Runs older than this are not looked for.
const DAYS: i64 = 30;
/// Training runs whose decisions are looked at.
const TRAINING_RUNS: usize = 20;
/// Runs among which refused ones are looked for, the newest.
const MANIFESTS: usize = 200;
/// Refusals that are told.
const REFUSALS: usize = 5;
/// Monitoring runs among which one with an outcome is looked for.
const WINDOWS: usize = 12;

/// How a use case stands.
#[derive(Debug, Serialize)]
pub struct UseCaseStatus {
    /// Its name.
    pub use_case: String,
    /// Whether a document is stored: data of one that was offboarded may be there still.
    pub onboarded: bool,
    /// Its models.
    pub models: Vec<ModelStatus>,
    /// The last files that were refused, the newest first.
    pub refused: Vec<Refused>,
    /// Its runs of the last days, of every kind.
    #[serde(skip)]
    pub runs: BTreeSet<RunId>,
}

/// How a model stands.
#[derive(Debug, Serialize)]
pub struct ModelStatus {
    /// Its name.
    pub model: String,
    /// The version that serves.
    pub champion: Option<RunId>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// How the columns that it was trained on differ from the document's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_columns: Option<OtherColumns>,
    /// Its endpoint.
    pub endpoint: Option<String>,
    /// What the last training run has decided.
    pub decision: Option<LastDecision>,
    /// The runs whose candidates wait for somebody's word.
    pub held: Vec<RunId>,
    /// What the last look at live data has found.
    pub monitoring: Option<LastLook>,
}

/// A decision.
#[derive(Debug, Serialize)]
pub struct LastDecision {
    /// The run.
    pub run_id: RunId,
    /// In a word.
    pub decision: Verdict,
    /// In a sentence.
    pub reason: String,
}

/// A look at live data.
#[derive(Debug, Serialize)]
pub struct LastLook {
    /// The run.
    pub run_id: RunId,
    /// When.
    pub at: Timestamp,
    /// The version whose answers were looked at: another than the present champion's until its first window is made.
    pub champion: Option<RunId>,
    /// In a word.
    pub outcome: Outcome,
    /// In a sentence.
    pub reason: String,
}

/// A file that can't be used.
#[derive(Debug, Serialize)]
pub struct Refused {
    /// When.
    pub at: Timestamp,
    /// Its run; none of ground truth.
    pub run_id: Option<RunId>,
    /// Which file, why, and what to do.
    pub reason: String,
}

impl ModelStatus {
    /// Whether the last look at live data was at what a former champion has answered.
    pub fn looked_at_another(&self) -> bool {
        let seen = self.monitoring.as_ref().and_then(|it| it.champion.as_ref());
        seen.is_some_and(|seen| Some(seen) != self.champion.as_ref())
    }
}

impl UseCaseStatus {
    /// The endpoints of its champions.
    pub fn endpoints(&self) -> impl Iterator<Item = &str> {
        self.models.iter().filter_map(|model| model.endpoint.as_deref())
    }
}

/// How a use case stands now.
///
/// # Errors
/// The bucket can't be read.
pub async fn look(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    executions: &[Execution],
) -> Result<UseCaseStatus> {
    let reader = Reader {
        target,
        platform,
        use_case,
    };
    let document: Option<UseCase> = target.document(platform, &places::use_case::config(use_case)).await?;
    let Some(document) = document else {
        return Ok(UseCaseStatus {
            use_case: use_case.to_owned(),
            onboarded: false,
            models: Vec::new(),
            refused: Vec::new(),
            runs: BTreeSet::new(),
        });
    };
    // The newest first.
    let mut runs = reader.runs_of(&format!("{use_case}/runs/")).await?;
    runs.sort_unstable_by(|one, other| other.cmp(one));
    let mut trainings: Vec<RunId> = executions.iter().filter_map(Execution::training_run).collect();
    trainings.retain(|run| runs.contains(run));
    trainings.sort_unstable_by(|one, other| other.cmp(one));
    trainings.truncate(TRAINING_RUNS);
    let mut models = Vec::new();
    for model in &document.models {
        models.push(reader.model(&document, &model.name, &trainings).await?);
    }
    let newest = &runs[..runs.len().min(MANIFESTS)];
    Ok(UseCaseStatus {
        use_case: use_case.to_owned(),
        onboarded: true,
        models,
        refused: reader.refused(newest).await?,
        runs: runs.into_iter().collect(),
    })
}

struct Reader<'a> {
    target: &'a Target,
    platform: &'a Platform,
    use_case: &'a str,
}

impl Reader<'_> {
    /// The runs whose folders lie in `folder`, of the last days.
    async fn runs_of(&self, folder: &str) -> Result<Vec<RunId>> {
        let since = Timestamp::now() - SignedDuration::from_hours(24 * DAYS);
        // Run ids begin with their day.
        let after = format!("{folder}{}", since.strftime("%Y%m%d"));
        let request = self.target.s3().list_objects_v2().bucket(&self.platform.bucket);
        let request = request.prefix(folder).delimiter("/").start_after(after);
        let mut pages = request.into_paginator().send();
        let mut runs = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| describe("ListObjectsV2", error))?;
            let folders = page.common_prefixes().iter().filter_map(|it| it.prefix());
            runs.extend(folders.filter_map(|it| RunId::parse(it.strip_prefix(folder)?.trim_end_matches('/'))));
        }
        Ok(runs)
    }

    /// Documents of the bucket, several at a time; those that are not there are left out.
    async fn documents<T: DeserializeOwned>(&self, keys: Vec<String>) -> Result<Vec<T>> {
        let reads = stream::iter(keys).map(|key| async move { self.target.document::<T>(self.platform, &key).await });
        let found: Vec<Option<T>> = reads.buffered(READS).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    async fn model(&self, document: &UseCase, model: &str, trainings: &[RunId]) -> Result<ModelStatus> {
        let key = places::use_case::champion(self.use_case, model);
        let champion: Option<Champion> = self.target.document(self.platform, &key).await?;
        let places = |run_id| RunPlaces {
            use_case: self.use_case,
            run_id,
        };
        let decisions = trainings.iter().map(|run_id| places(run_id).decision(model));
        let decisions: Vec<Decision> = self.documents(decisions.collect()).await?;
        let held = self.held(&decisions).await?;
        Ok(ModelStatus {
            model: model.to_owned(),
            champion: champion.as_ref().map(|it| it.run_id.clone()),
            since: champion.as_ref().map(|it| it.exported_at),
            other_columns: champion.as_ref().and_then(|it| it.other_columns(document)),
            endpoint: champion.map(|it| it.endpoint_name),
            held,
            decision: last(decisions),
            monitoring: self.watched(model).await?,
        })
    }

    /// The runs whose candidates wait for somebody's word, also after an approval that came to nothing.
    async fn held(&self, decisions: &[Decision]) -> Result<Vec<RunId>> {
        let mut held = Vec::new();
        for decision in decisions.iter().filter(|it| it.decision == Some(Verdict::Held)) {
            let came = promotions::came(self.target, self.platform, decision).await?;
            if matches!(came, None | Some(Came::Nothing(_))) {
                held.push(decision.run.run_id.clone());
            }
        }
        Ok(held)
    }

    /// The last look at a model that has come to an outcome.
    async fn watched(&self, model: &str) -> Result<Option<LastLook>> {
        let mut runs = self
            .runs_of(&places::use_case::monitoring(self.use_case, model))
            .await?;
        runs.sort_unstable_by(|one, other| other.cmp(one));
        for run_id in runs.iter().take(WINDOWS) {
            let places = MonitoringPlaces {
                use_case: self.use_case,
                model,
                run_id,
            };
            let window: Option<Window> = self.target.document(self.platform, &places.window()).await?;
            let Some(window) = window.filter(|it| it.payload == Payload::Ready) else {
                continue;
            };
            let rows = self.target.get(&self.platform.bucket, &drift_rows(&window)).await?;
            let rows = String::from_utf8(rows.unwrap_or_default()).unwrap_or_default();
            let rows: Vec<DriftRow> = rows
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
                .collect();
            if let Some((outcome, reason)) = worst(&rows) {
                return Ok(Some(LastLook {
                    run_id: window.run.run_id,
                    at: window.to,
                    champion: window.champion,
                    outcome,
                    reason,
                }));
            }
        }
        Ok(None)
    }

    async fn refused(&self, runs: &[RunId]) -> Result<Vec<Refused>> {
        let use_case = self.use_case;
        let keys = runs.iter().map(|run_id| RunPlaces { use_case, run_id }.manifest());
        let manifests: Vec<Manifest> = self.documents(keys.collect()).await?;
        let refused = manifests.into_iter().filter(|it| it.state == RunState::Refused);
        let mut found: Vec<Refused> = refused
            .map(|manifest| Refused {
                at: manifest.claimed_at,
                run_id: Some(manifest.run_id),
                reason: manifest.reason.unwrap_or_default(),
            })
            .collect();
        let folder = places::use_case::refused_ground_truth(use_case);
        let mut keys = self.target.keys(&self.platform.bucket, &folder).await?;
        // They are named by their time.
        let keys = keys.split_off(keys.len().saturating_sub(REFUSALS));
        let files: Vec<GroundTruthFile> = self.documents(keys).await?;
        found.extend(files.into_iter().map(|file| Refused {
            at: file.judged_at,
            run_id: None,
            reason: format!(
                "{} {}. {}",
                places::uri(&file.object.bucket, &file.object.key),
                file.reason.unwrap_or_default(),
                file.remedy.unwrap_or_default()
            ),
        }));
        found.sort_by_key(|it| std::cmp::Reverse(it.at));
        found.truncate(REFUSALS);
        Ok(found)
    }
}

/// The newest decision that has come to an end; decisions come the newest first.
fn last(decisions: Vec<Decision>) -> Option<LastDecision> {
    decisions.into_iter().find_map(|it| {
        Some(LastDecision {
            decision: it.decision?,
            run_id: it.run.run_id,
            reason: it.reason,
        })
    })
}

/// The worst outcome of a window's analyses, and why.
fn worst(rows: &[DriftRow]) -> Option<(Outcome, String)> {
    let worst_first = [
        Outcome::Error,
        Outcome::Drifted,
        Outcome::Clean,
        Outcome::InsufficientData,
    ];
    worst_first.into_iter().find_map(|outcome| {
        let row = rows.iter().find(|row| row.outcome == outcome.as_str())?;
        Some((outcome, row.reason.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;
    use serde_json::json;

    fn decision(run: &str, verdict: Option<&str>, approved_as: Option<&str>) -> Decision {
        let approval = approved_as.map(|run| {
            json!({"action": "approve", "by": "kim", "reason": "good", "at": "2026-11-24T08:00:00Z", "run_id": run})
        });
        serde_json::from_value(json!({
            "bucket": "b", "use_case": "cars", "model": "m", "run_id": run, "decision": verdict, "reason": "because",
            "decided_at": "2026-11-23T18:40:00Z", "approval": approval,
        }))
        .unwrap()
    }

    #[tokio::test]
    async fn a_candidate_is_held_until_an_approval_has_come_to_something() {
        let aws = FakeAws::new();
        let exported = "20261125t193000z-00000009";
        let failed = "20261125t193100z-00000009";
        for (run, verdict) in [(exported, "exported"), (failed, "failed")] {
            let written = json!(decision(run, Some(verdict), None));
            aws.put_object_json("bucket", &format!("cars/runs/{run}/decisions/m.json"), &written);
        }
        let decisions = vec![
            decision("20261125t183000z-00000001", None, None),
            decision("20261124t183000z-00000001", Some("held"), None),
            decision("20261123t183000z-00000001", Some("held"), Some(exported)),
            decision("20261122t183000z-00000001", Some("held"), Some(failed)),
        ];
        let target = Target::with_config("dev", aws.sdk_config());
        let reader = Reader {
            target: &target,
            platform: &Platform::of_tests("bucket"),
            use_case: "cars",
        };
        let held = reader.held(&decisions).await.unwrap();
        let held: Vec<String> = held.iter().map(ToString::to_string).collect();
        assert_eq!(held, ["20261124t183000z-00000001", "20261122t183000z-00000001"]);
        let last = last(decisions).unwrap();
        assert_eq!(
            last.decision,
            Verdict::Held,
            "a run that has not come to an end decides nothing"
        );
        assert_eq!(last.run_id.to_string(), "20261124t183000z-00000001");
    }
}
