//! Puts a file into a use case's folder, and reads what start-run decides about it.

use crate::target::{Platform, Reach, Target, describe};
use anyhow::{Context, Result, bail};
use aws_sdk_s3::primitives::ByteStream;
use contracts::monitoring::GroundTruthFile;
use contracts::places::{self, Drop, RunPlaces};
use contracts::queue::Trainings;
use contracts::{Manifest, RunId, RunState, run};
use jiff::Timestamp;
use serde::Serialize;
use std::time::{Duration, Instant};

/// How long start-run may take to answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(400);
/// After this many consecutive looks without a place among the runs under way, a run counts as waiting for another to
/// end.
const LOOKS_WITHOUT_PLACE: u32 = 4;

/// A file that was put into a folder for drops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The kind of drop.
    pub kind: Drop,
    /// The file's S3 URI.
    pub uri: String,
    /// The id that start-run gives its run. Ground truth starts no run, but its file is identified by this id as well.
    pub run_id: RunId,
}

/// What start-run has decided about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The use case.
    pub use_case: String,
    /// The file.
    pub file: String,
    /// The run; `None` for ground truth.
    pub run_id: Option<RunId>,
    /// The outcome.
    pub outcome: Outcome,
    /// Why nothing was started, and what to do.
    pub reason: Option<String>,
    /// The newer run that was started instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overtaken_by: Option<RunId>,
    /// How other commands reach the stack.
    #[serde(skip)]
    reach: Reach,
}

/// The outcome of a dropped file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its run is under way.
    Started,
    /// It waits for another training run to end.
    Queued,
    /// A newer file was trained on instead.
    Overtaken,
    /// It waits for a champion to score it.
    Waiting,
    /// It can't be used.
    Refused,
    /// The next monitoring run joins it.
    Accepted,
}

/// Puts a file into the folder for its kind of drop.
///
/// # Errors
/// S3 refuses.
pub async fn put(
    target: &Target,
    platform: &Platform,
    use_case: &str,
    kind: Drop,
    name: &str,
    body: ByteStream,
) -> Result<Dropped> {
    let bucket = &platform.bucket;
    let key = places::incoming(use_case, kind) + name;
    let version_id = target.put(bucket, &key, content_type(name), body).await?;
    let uri = places::uri(bucket, &key);
    let request = target.s3().head_object().bucket(bucket).key(&key);
    let head = request.version_id(&version_id).send().await;
    let head = head.map_err(|error| describe(&format!("HeadObject {uri}"), error))?;
    let modified = head.last_modified.context("S3 gave no time")?;
    let modified = Timestamp::from_second(modified.secs())?;
    let time = match kind {
        Drop::GroundTruth => modified,
        Drop::Training | Drop::Scoring => {
            run::time_in_order(modified, &before(target, bucket, &key, &version_id).await?)
        }
    };
    Ok(Dropped {
        kind,
        uri,
        run_id: RunId::for_drop(time, bucket, &key, &version_id),
    })
}

fn content_type(name: &str) -> &'static str {
    if name.to_ascii_lowercase().ends_with(".csv") {
        "text/csv"
    } else {
        "application/octet-stream"
    }
}

/// The times of the versions of a key that precede one, newest first: start-run derives the run's id from them.
async fn before(target: &Target, bucket: &str, key: &str, version_id: &str) -> Result<Vec<Timestamp>> {
    let request = target.s3().list_object_versions().bucket(bucket).prefix(key);
    let request = request.key_marker(key).version_id_marker(version_id).max_keys(100);
    let answer = request.send().await;
    let answer = answer.map_err(|error| describe(&format!("ListObjectVersions {bucket}"), error))?;
    let versions = answer.versions.unwrap_or_default().into_iter();
    let own = versions.filter(|version| version.key.as_deref() == Some(key));
    let times = own.filter_map(|version| Timestamp::from_second(version.last_modified?.secs()).ok());
    Ok(times.collect())
}

/// Waits for start-run's first answer about a dropped file.
///
/// # Errors
/// There is no answer within two minutes; the text says where to look.
pub async fn answer(target: &Target, platform: &Platform, use_case: &str, dropped: &Dropped) -> Result<Answer> {
    let deadline = Instant::now() + PATIENCE;
    let mut queued = 0;
    loop {
        match look(target, platform, use_case, dropped).await? {
            // Every training run is queued for a moment. Whether it stays queued shows in whether it gets a place.
            Some(answer) if answer.outcome == Outcome::Queued => {
                let has_place = has_place(target, platform, use_case, &dropped.run_id).await?;
                queued = if has_place { 0 } else { queued + 1 };
                if queued >= LOOKS_WITHOUT_PLACE {
                    return Ok(answer);
                }
            }
            Some(answer) => return Ok(answer),
            None => {}
        }
        if Instant::now() > deadline {
            bail!(
                "{} was dropped, and start-run has not answered within {} s: `{}` may say why, and `{}` whether its event was \
                 lost",
                dropped.uri,
                PATIENCE.as_secs(),
                target.command("logs start-run"),
                target.command("dead-letters")
            );
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Whether a training run has a place among those under way: it is about to be started.
async fn has_place(target: &Target, platform: &Platform, use_case: &str, run_id: &RunId) -> Result<bool> {
    let key = places::use_case::trainings(use_case);
    let trainings: Option<Trainings> = target.document(platform, &key).await?;
    Ok(trainings.is_some_and(|trainings| trainings.runs.contains_key(run_id)))
}

/// Waits, without a time limit, until the run has been started or never will be.
///
/// # Errors
/// The stack doesn't answer.
pub async fn started(target: &Target, platform: &Platform, use_case: &str, dropped: &Dropped) -> Result<Answer> {
    loop {
        let answer = look(target, platform, use_case, dropped).await?;
        let open = |answer: &Answer| matches!(answer.outcome, Outcome::Queued | Outcome::Waiting);
        if let Some(answer) = answer.filter(|answer| !open(answer)) {
            return Ok(answer);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(target: &Target, platform: &Platform, use_case: &str, dropped: &Dropped) -> Result<Option<Answer>> {
    let run_id = &dropped.run_id;
    if dropped.kind == Drop::GroundTruth {
        for (folder, outcome) in [
            (places::use_case::accepted_ground_truth(use_case), Outcome::Accepted),
            (places::use_case::refused_ground_truth(use_case), Outcome::Refused),
        ] {
            let key = format!("{folder}{run_id}.json");
            if let Some(judged) = target.document::<GroundTruthFile>(platform, &key).await? {
                return Ok(Some(of_ground_truth(use_case, dropped, outcome, judged)));
            }
        }
        return Ok(None);
    }
    let key = RunPlaces { use_case, run_id }.manifest();
    let manifest = target.document::<Manifest>(platform, &key).await?;
    let answer = manifest.and_then(|manifest| of_manifest(dropped, manifest));
    Ok(answer.map(|answer| Answer {
        reach: target.reach.clone(),
        ..answer
    }))
}

/// The answer that a manifest gives; `None` while start-run is still working on it.
fn of_manifest(dropped: &Dropped, manifest: Manifest) -> Option<Answer> {
    let outcome = match manifest.state {
        RunState::Claimed => return None,
        RunState::Waiting => Outcome::Waiting,
        RunState::Queued => Outcome::Queued,
        RunState::Overtaken => Outcome::Overtaken,
        RunState::Started => Outcome::Started,
        RunState::Refused => Outcome::Refused,
    };
    Some(Answer {
        use_case: manifest.use_case,
        file: dropped.uri.clone(),
        run_id: Some(manifest.run_id),
        outcome,
        reason: manifest.reason,
        overtaken_by: manifest.overtaken_by,
        reach: Reach::default(),
    })
}

fn of_ground_truth(use_case: &str, dropped: &Dropped, outcome: Outcome, judged: GroundTruthFile) -> Answer {
    let reason = judged.reason.map(|reason| {
        let remedy = judged.remedy.unwrap_or_default();
        format!("{} {reason}. {remedy}", dropped.uri).trim_end().to_owned()
    });
    Answer {
        use_case: use_case.to_owned(),
        file: dropped.uri.clone(),
        run_id: None,
        outcome,
        reason,
        overtaken_by: None,
        reach: Reach::default(),
    }
}

impl Answer {
    /// The answer in one line.
    pub fn in_words(&self) -> String {
        let run = self.run_id.as_ref().map(ToString::to_string).unwrap_or_default();
        let because = self.reason.as_deref().unwrap_or_default();
        match self.outcome {
            Outcome::Started => format!("run {run} has started"),
            Outcome::Queued => {
                format!(
                    "run {run} is queued: it starts when another training run of the use case has ended, unless a newer file \
                     overtakes it"
                )
            }
            Outcome::Overtaken => match &self.overtaken_by {
                Some(newer) => format!(
                    "run {run} was overtaken by {newer}, of a newer file; `{}` trains on it nevertheless, but a champion of the \
                     newer run supersedes it",
                    self.reach.command(&format!("rerun {run}"))
                ),
                None => format!("run {run} was overtaken by a newer file's"),
            },
            Outcome::Waiting => format!("run {run} waits: {because}. It starts by itself when a champion is exported"),
            Outcome::Refused => format!("refused: {because}"),
            Outcome::Accepted => {
                "accepted: the next monitoring run of each model joins it with its predictions".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;
    use serde_json::json;

    fn platform() -> Platform {
        let text = String::new;
        Platform {
            bucket: "bucket".to_owned(),
            topic_arn: text(),
            api_id: text(),
            api_url: text(),
            api_key_id: text(),
            training_state_machine_arn: text(),
            scoring_state_machine_arn: text(),
            monitor_state_machine_arn: text(),
            undelivered_events_url: text(),
            function_failures_url: text(),
        }
    }

    async fn drop(aws: &FakeAws, kind: Drop) -> (Target, Dropped) {
        let target = Target::with_config("dev", aws.sdk_config());
        let body = ByteStream::from_static(b"year\n2015\n");
        let dropped = put(&target, &platform(), "cars", kind, "a.csv", body).await.unwrap();
        (target, dropped)
    }

    #[tokio::test]
    async fn a_second_version_within_a_second_has_the_run_that_start_run_gives_it() {
        let aws = FakeAws::new();
        let (_, first) = drop(&aws, Drop::Training).await;
        let (_, second) = drop(&aws, Drop::Training).await;
        assert!(first.run_id.to_string().starts_with("20261122t183000z-"), "{first:?}");
        assert!(second.run_id.to_string().starts_with("20261122t183001z-"), "{second:?}");
    }

    #[tokio::test]
    async fn a_refusal_is_waited_for_and_told() {
        let aws = FakeAws::new();
        let (target, dropped) = drop(&aws, Drop::Training).await;
        let manifest = |state: &str| {
            json!({"run_id": dropped.run_id, "use_case": "cars", "state": state, "config_version": "v",
                   "reason": "s3://bucket/a.csv is empty. Drop another.", "claimed_at": "2026-11-22T18:30:02Z",
                   "source": {"bucket": "bucket", "key": "k", "version_id": "v", "bytes": 8,
                              "last_modified": "2026-11-22T18:30:00Z"}})
        };
        let key = RunPlaces {
            use_case: "cars",
            run_id: &dropped.run_id,
        }
        .manifest();
        aws.put_object("bucket", &key, manifest("claimed").to_string().as_bytes());
        let refused = manifest("refused").to_string();
        let at = key.clone();
        aws.before("GetObject", &key, |_| {});
        aws.before("GetObject", &key, move |aws| {
            aws.put_object("bucket", &at, refused.as_bytes());
        });
        let answer = answer(&target, &platform(), "cars", &dropped).await.unwrap();
        assert_eq!(answer.outcome, Outcome::Refused);
        assert_eq!(answer.in_words(), "refused: s3://bucket/a.csv is empty. Drop another.");
    }

    #[tokio::test]
    async fn a_run_that_is_queued_for_a_moment_is_told_as_started_and_one_that_waits_as_queued() {
        let aws = FakeAws::new();
        let (target, dropped) = drop(&aws, Drop::Training).await;
        let manifest = |state: &str| {
            json!({"run_id": dropped.run_id, "use_case": "cars", "state": state, "config_version": "v",
                   "claimed_at": "2026-11-22T18:30:02Z",
                   "source": {"bucket": "bucket", "key": "k", "version_id": "v", "bytes": 8,
                              "last_modified": "2026-11-22T18:30:00Z"}})
            .to_string()
        };
        let places = RunPlaces {
            use_case: "cars",
            run_id: &dropped.run_id,
        };
        aws.put_object("bucket", &places.manifest(), manifest("queued").as_bytes());
        let told = answer(&target, &platform(), "cars", &dropped).await.unwrap();
        assert_eq!(told.outcome, Outcome::Queued);

        let (key, started) = (places.manifest(), manifest("started"));
        aws.before("GetObject", "trainings.json", move |aws| {
            aws.put_object("bucket", &key, started.as_bytes());
        });
        let told = answer(&target, &platform(), "cars", &dropped).await.unwrap();
        assert_eq!(told.outcome, Outcome::Started);
    }

    #[tokio::test]
    async fn ground_truth_is_accepted_or_refused_without_a_run() {
        let aws = FakeAws::new();
        let (target, dropped) = drop(&aws, Drop::GroundTruth).await;
        let judged = json!({"format": 1, "reason": "has no column id", "remedy": "Add it.", "told": true,
                            "judged_at": "2026-11-22T18:30:00Z",
                            "object": {"bucket": "bucket", "key": "k", "version_id": "v", "bytes": 8,
                                       "last_modified": "2026-11-22T18:30:00Z"}});
        let key = format!(
            "{}{}.json",
            places::use_case::refused_ground_truth("cars"),
            dropped.run_id
        );
        aws.put_object("bucket", &key, judged.to_string().as_bytes());
        let answer = answer(&target, &platform(), "cars", &dropped).await.unwrap();
        assert_eq!((answer.outcome, &answer.run_id), (Outcome::Refused, &None));
        assert!(answer.in_words().ends_with("has no column id. Add it."), "{answer:?}");
    }

    #[tokio::test]
    async fn before_start_run_has_claimed_it_nothing_is_known() {
        let aws = FakeAws::new();
        let (target, dropped) = drop(&aws, Drop::Scoring).await;
        let looked = look(&target, &platform(), "cars", &dropped).await.unwrap();
        assert_eq!(looked, None);
    }
}
