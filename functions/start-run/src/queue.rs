//! The queue of a use case's training runs: no more run at once than its document allows, and the newest wins.
//!
//! A run takes a place in `trainings.json`, which is written on condition, and is started then. Whoever finds no place is
//! queued: a marker of its own, so that a flood of drops doesn't wait for one document. When a run ends, and at every tick,
//! the newest queued drop takes the place, and what is older is overtaken. A queued run of drift is overtaken by any newer
//! drop, and overtakes none. What people ask for by name, reruns and promotions, is never queued or overtaken.

use crate::check::Refusal;
use crate::copies::AT_ONCE;
use crate::executions::execution_arn;
use crate::{Error, Outcome, Response, StartRun, Started};
use contracts::places;
use contracts::queue::{Training, Trainings, Untold, Why};
use contracts::run::Source;
use contracts::{Manifest, RunId, RunState};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use platform::Versioned;
use platform::documents::Condition;
use serde_json::json;

/// Longer than a call may take: an execution that is not there by then was to be started by a call that died.
pub(crate) const STARTING: SignedDuration = SignedDuration::from_mins(6);
/// A run that can't be started so long after its claim is given up.
pub(crate) const GIVEN_UP: SignedDuration = SignedDuration::from_hours(24);
/// The limit of a use case that was removed: whatever is queued gets its turn, and is refused.
pub(crate) const REMOVED: u32 = u32::MAX;
/// Looks at a document that other calls change.
const LOOKS: u32 = 20;

/// What a look at the queue is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Look<'a> {
    /// A run has just been queued: it, or a newer one, is started if there is room.
    Queued(&'a RunId),
    /// A training run has ended.
    Ended(&'a RunId),
    /// A tick: places whose run has ended or was never started are found.
    Tick,
}

impl StartRun {
    /// Queues a claimed run that was checked, and starts it if there is room.
    pub(crate) async fn enqueue(
        &self,
        claim: Versioned<Manifest>,
        limit: u32,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let (use_case, run_id) = (claim.value.use_case.clone(), claim.value.run_id.clone());
        let marker = places::use_case::queued(&use_case) + &run_id.to_string();
        self.documents.put(&marker, &json!({}), Condition::Always).await?;
        let manifest = Manifest {
            state: RunState::Queued,
            reason: Some("waits for a training run of the use case to end".to_owned()),
            ..claim.value.clone()
        };
        // When it has changed, another call has carried the same run on.
        self.settle(&claim.value, &manifest, &claim.etag).await?;
        self.go_on(&use_case, &run_id, limit, now).await
    }

    /// Goes on with a queued run: says what has become of it.
    pub(crate) async fn go_on(
        &self,
        use_case: &str,
        run_id: &RunId,
        limit: u32,
        now: Timestamp,
    ) -> Result<Response, Error> {
        self.advance(use_case, limit, Look::Queued(run_id), now).await?;
        let Some(found) = self.manifest(use_case, run_id).await? else {
            return Ok(Response::ignored(format!("run {run_id} was deleted meanwhile")));
        };
        let outcome = match found.value.state {
            RunState::Started => Outcome::Started,
            RunState::Overtaken => Outcome::Overtaken,
            RunState::Refused => Outcome::Refused,
            RunState::Claimed | RunState::Queued | RunState::Waiting => Outcome::Queued,
        };
        Ok(Response {
            outcome,
            ..Response::duplicate(found.value)
        })
    }

    /// Starts what is queued and may run, and lets what is older be overtaken.
    pub(crate) async fn advance(
        &self,
        use_case: &str,
        limit: u32,
        look: Look<'_>,
        now: Timestamp,
    ) -> Result<Vec<Started>, Error> {
        let mut started = Vec::new();
        for _ in 0..LOOKS {
            let (before, etag) = self.trainings(use_case).await?;
            let mut trainings = before.clone();
            let mut next = match look {
                Look::Queued(_) => {
                    if trainings.runs.len() >= limit as usize {
                        self.leave_out_ended(&mut trainings).await;
                    }
                    Vec::new()
                }
                Look::Ended(run) => {
                    trainings.runs.remove(run);
                    Vec::new()
                }
                Look::Tick => self.looked_through(use_case, &mut trainings, now).await?,
            };
            let room = (limit as usize).saturating_sub(trainings.runs.len());
            if room > 0 {
                for claim in self.newest_queued(use_case, room).await? {
                    trainings
                        .runs
                        .insert(claim.value.run_id.clone(), place(&claim.value, now));
                    next.push(claim);
                }
            }
            if !self
                .put_trainings(use_case, &before, &trainings, etag.as_deref())
                .await?
            {
                continue;
            }
            let mut vacated = false;
            for claim in next {
                let (run_id, claimed_at) = (claim.value.run_id.clone(), claim.value.claimed_at);
                let answer = match self.start_queued(claim, now).await {
                    Err(error) if now.duration_since(claimed_at) > GIVEN_UP => {
                        self.give_up(use_case, &run_id, &error, now).await
                    }
                    answer => answer,
                };
                match &answer {
                    Ok(answer) if answer.outcome == Outcome::Started => {}
                    // Refused: another may have its place.
                    Ok(_) => {
                        self.vacate(use_case, &run_id).await?;
                        vacated = true;
                    }
                    // Unless it was started after all, this call's retry goes on with it.
                    Err(_) => {
                        let arn = execution_arn(&self.settings.training_state_machine_arn, &run_id.to_string());
                        if self.runs(&arn).await? != Some(true) {
                            self.vacate(use_case, &run_id).await?;
                        }
                    }
                }
                started.push(Started {
                    use_case: use_case.to_owned(),
                    model: None,
                    outcome: answer?.outcome,
                    run_id,
                });
            }
            if vacated {
                continue;
            }
            match look {
                // Other calls see to theirs.
                Look::Queued(run) => self.overtake(use_case, run, &trainings, now).await?,
                Look::Ended(_) | Look::Tick => self.overtake_all(use_case, &trainings, now).await?,
            }
            return Ok(started);
        }
        match look {
            // It stands in the queue, and who has changed the document so often goes on with it, or the next tick.
            Look::Queued(_) => Ok(started),
            Look::Ended(_) | Look::Tick => Err(Error::DocumentContended(places::uri(
                &self.settings.bucket,
                &places::use_case::trainings(use_case),
            ))),
        }
    }

    /// Takes a place for a run that somebody has asked for by name, whether there is room or not: drops wait for it.
    pub(crate) async fn occupy(&self, manifest: &Manifest, now: Timestamp) -> Result<(), Error> {
        let insert = |trainings: &mut Trainings| {
            trainings
                .runs
                .entry(manifest.run_id.clone())
                .or_insert_with(|| place(manifest, now));
        };
        self.change_trainings(&manifest.use_case, insert).await
    }

    /// Whether a training run of the use case is under way.
    pub(crate) async fn trains(&self, use_case: &str) -> Result<bool, Error> {
        Ok(!self.trainings(use_case).await?.0.runs.is_empty())
    }

    /// Whether a run has a place.
    pub(crate) async fn has_place(&self, use_case: &str, run_id: &RunId) -> Result<bool, Error> {
        Ok(self.trainings(use_case).await?.0.runs.contains_key(run_id))
    }

    async fn vacate(&self, use_case: &str, run_id: &RunId) -> Result<(), Error> {
        self.change_trainings(use_case, |trainings| {
            trainings.runs.remove(run_id);
        })
        .await
    }

    async fn change_trainings(&self, use_case: &str, change: impl Fn(&mut Trainings)) -> Result<(), Error> {
        for _ in 0..LOOKS {
            let (before, etag) = self.trainings(use_case).await?;
            let mut trainings = before.clone();
            change(&mut trainings);
            if self
                .put_trainings(use_case, &before, &trainings, etag.as_deref())
                .await?
            {
                return Ok(());
            }
        }
        let key = places::use_case::trainings(use_case);
        Err(Error::DocumentContended(places::uri(&self.settings.bucket, &key)))
    }

    async fn trainings(&self, use_case: &str) -> Result<(Trainings, Option<String>), Error> {
        let found = self
            .documents
            .get::<Trainings>(&places::use_case::trainings(use_case))
            .await?;
        Ok(found.map_or_else(Default::default, |found| (found.value, Some(found.etag))))
    }

    /// Whether it stands there now: false when another call has changed it.
    async fn put_trainings(
        &self,
        use_case: &str,
        before: &Trainings,
        trainings: &Trainings,
        etag: Option<&str>,
    ) -> Result<bool, Error> {
        if before == trainings {
            return Ok(true);
        }
        let key = places::use_case::trainings(use_case);
        let condition = etag.map_or(Condition::Absent, Condition::Unchanged);
        Ok(self.documents.put(&key, trainings, condition).await?.is_some())
    }

    /// Takes out the runs that have ended, as far as can be told: in a flood of drops Step Functions may not answer all.
    async fn leave_out_ended(&self, trainings: &mut Trainings) {
        for run in trainings.runs.keys().cloned().collect::<Vec<_>>() {
            let arn = execution_arn(&self.settings.training_state_machine_arn, &run.to_string());
            match self.runs(&arn).await {
                Ok(Some(false)) => drop(trainings.runs.remove(&run)),
                Ok(_) => {}
                Err(error) => tracing::warn!(%run, %error, "whether the run has ended can't be told"),
            }
        }
    }

    /// Takes out the runs that have ended; gives those that were never started, to start them now.
    async fn looked_through(
        &self,
        use_case: &str,
        trainings: &mut Trainings,
        now: Timestamp,
    ) -> Result<Vec<Versioned<Manifest>>, Error> {
        let mut unstarted = Vec::new();
        for (run, of) in trainings.runs.clone() {
            let arn = execution_arn(&self.settings.training_state_machine_arn, &run.to_string());
            match self.runs(&arn).await? {
                // Started by a call that died before it could say so.
                Some(true) => unstarted.extend(self.manifest(use_case, &run).await?.filter(is_open)),
                Some(false) => drop(trainings.runs.remove(&run)),
                None if now.duration_since(of.since) < STARTING => {}
                None => match self.manifest(use_case, &run).await?.filter(is_open) {
                    Some(claim) => unstarted.push(claim),
                    None => drop(trainings.runs.remove(&run)),
                },
            }
        }
        Ok(unstarted)
    }

    /// The queued runs that come next, at most `room`: drops before drift, the newest first.
    async fn newest_queued(&self, use_case: &str, room: usize) -> Result<Vec<Versioned<Manifest>>, Error> {
        let (mut drops, mut by_drift) = (Vec::new(), Vec::new());
        for run in self.queued(use_case).await? {
            let Some(found) = self.manifest(use_case, &run).await? else {
                continue;
            };
            match found.value.state {
                RunState::Queued if is_by_drift(&found.value) => by_drift.push(found),
                RunState::Queued => drops.push(found),
                // Its call is at it.
                RunState::Claimed | RunState::Overtaken => {}
                RunState::Started | RunState::Refused | RunState::Waiting => self.unqueue(use_case, &run).await?,
            }
            if drops.len() == room {
                break;
            }
        }
        drops.extend(by_drift);
        drops.truncate(room);
        Ok(drops)
    }

    /// The runs in the queue, the newest first.
    async fn queued(&self, use_case: &str) -> Result<Vec<RunId>, Error> {
        let folder = places::use_case::queued(use_case);
        let listed = self.documents.listed(&folder, None).await?;
        let runs = listed
            .iter()
            .filter_map(|it| RunId::parse(it.key.strip_prefix(&folder)?));
        let mut runs: Vec<RunId> = runs.collect();
        runs.sort_unstable_by(|one, other| other.cmp(one));
        Ok(runs)
    }

    pub(crate) async fn start_queued(&self, claim: Versioned<Manifest>, now: Timestamp) -> Result<Response, Error> {
        match self.document(&claim.value).await? {
            Ok(document) => self.start_training(claim, &document, now).await,
            Err(refusal) => self.refuse(claim, &refusal, now).await,
        }
    }

    /// Refuses a run that can't be started, and was claimed long ago.
    pub(crate) async fn give_up(
        &self,
        use_case: &str,
        run_id: &RunId,
        error: &Error,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let refusal = Refusal::new(
            format!("could not be started: {error}"),
            "Mend what the reason names, then drop the file again.",
        );
        match self.manifest(use_case, run_id).await?.filter(is_open) {
            Some(claim) => self.refuse(claim, &refusal, now).await,
            None => Ok(Response::ignored(format!("run {run_id} is not open any more"))),
        }
    }

    async fn overtake_all(&self, use_case: &str, trainings: &Trainings, now: Timestamp) -> Result<(), Error> {
        let queued = self.queued(use_case).await?;
        let calls = stream::iter(queued.iter().map(|run| self.overtake(use_case, run, trainings, now)));
        calls.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Lets a queued run be overtaken if a newer one is under way. It can be done again.
    async fn overtake(&self, use_case: &str, run: &RunId, trainings: &Trainings, now: Timestamp) -> Result<(), Error> {
        // By what overtakes the most, the run needs no look at.
        if trainings.overtaker(run, true).is_none() {
            return Ok(());
        }
        let Some(found) = self.manifest(use_case, run).await? else {
            return Ok(());
        };
        let manifest = match found.value.state {
            RunState::Queued => {
                let Some(by) = trainings.overtaker(run, is_by_drift(&found.value)) else {
                    return Ok(());
                };
                let overtaken = Manifest {
                    state: RunState::Overtaken,
                    reason: Some(format!("run {by} was started while it was queued")),
                    overtaken_by: Some(by.clone()),
                    ..found.value
                };
                if self.store(&overtaken, &found.etag).await?.is_none() {
                    return Ok(());
                }
                overtaken
            }
            // The call that did that has died before it was done.
            RunState::Overtaken => found.value,
            RunState::Claimed | RunState::Waiting | RunState::Started | RunState::Refused => return Ok(()),
        };
        if is_by_drift(&manifest) {
            self.forget_retraining(use_case, run).await?;
        }
        self.write_down(
            use_case,
            Why::Overtaken,
            &run.to_string(),
            &overtaken(&manifest, &self.command("rerun <run>"), now),
        )
        .await?;
        self.unqueue(use_case, run).await
    }

    async fn unqueue(&self, use_case: &str, run: &RunId) -> Result<(), Error> {
        let marker = places::use_case::queued(use_case) + &run.to_string();
        Ok(self.documents.delete(&marker).await?)
    }
}

fn is_open(claim: &Versioned<Manifest>) -> bool {
    matches!(claim.value.state, RunState::Claimed | RunState::Queued)
}

fn is_by_drift(manifest: &Manifest) -> bool {
    matches!(manifest.source, Source::Drift { .. })
}

fn place(manifest: &Manifest, since: Timestamp) -> Training {
    Training {
        since,
        by_drift: is_by_drift(manifest),
    }
}

/// `rerun`: the command that trains on one all the same.
fn overtaken(manifest: &Manifest, rerun: &str, at: Timestamp) -> Untold {
    let object = manifest.source.object();
    let by = manifest
        .overtaken_by
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    Untold {
        subject: object.map_or_else(
            || format!("the retraining {}", manifest.run_id),
            |object| places::uri(&object.bucket, &object.key),
        ),
        version: object.map(|object| object.version_id.clone()),
        run_id: Some(manifest.run_id.clone()),
        kind: Some(manifest.kind),
        reason: format!("was overtaken by run {by}"),
        remedy: format!(
            "The newest file was trained on. `{rerun}` trains on one of these all the same, but a champion of the newer run \
             supersedes it; `drops.max_concurrent_runs` in the document lets more runs run at once."
        ),
        at,
    }
}
