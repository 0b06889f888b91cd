//! What a tick makes up for: runs that calls have claimed and not started, files that wait for a champion, queued runs
//! whose turn has come, and what people are yet to be told.

use crate::queue::{GIVEN_UP, Look, REMOVED, STARTING};
use crate::{Error, StartRun, Started};
use contracts::queue::Why;
use contracts::run::RunKind;
use contracts::{ConfigPointer, Manifest, RunId, RunState, UseCase, places};
use jiff::Timestamp;
use platform::Versioned;
use platform::documents::Condition;

/// What one use case's part of a tick has come to.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub started: Vec<Started>,
    /// What stays wrong until somebody sees to it: people are told once a day.
    pub trouble: Vec<String>,
    /// A call of AWS that failed: the tick is called again.
    pub failure: Option<Error>,
}

impl Kept {
    /// Keeps what went wrong: calls of AWS are worth another try, documents need somebody.
    pub fn note(&mut self, error: Error) {
        match error {
            Error::Platform(platform::Error::AwsCall { .. }) | Error::DocumentContended(_) => {
                tracing::error!(%error, "a part of the tick failed");
                self.failure.get_or_insert(error);
            }
            other => self.trouble.push(other.to_string()),
        }
    }
}

impl StartRun {
    /// Does all of it for a use case. Nothing that goes wrong keeps the rest from being done. Gives the use case's document:
    /// none of a folder that is nobody's, or where it doesn't read.
    pub(crate) async fn upkeep(
        &self,
        use_case: &str,
        now: Timestamp,
        kept: &mut Kept,
    ) -> Option<(UseCase, ConfigPointer)> {
        if let Err(error) = self.sweep(use_case, now, kept).await {
            kept.note(error);
        }
        let found = match self.use_cases.get(use_case).await {
            Ok((document, pointer)) => {
                match self.take_up_what_waits(use_case, &document, now).await {
                    Ok(taken) => {
                        kept.started.extend(taken.runs);
                        kept.trouble.extend(taken.failures.iter().map(ToString::to_string));
                    }
                    Err(error) => kept.note(error),
                }
                self.advance_at_tick(use_case, document.drops.max_concurrent_runs, now, kept)
                    .await;
                Some((document, pointer))
            }
            Err(platform::Error::UseCaseUnknown(_)) => {
                self.advance_at_tick(use_case, REMOVED, now, kept).await;
                None
            }
            Err(error) => {
                kept.note(error.into());
                None
            }
        };
        for why in [Why::Refused, Why::Overtaken] {
            if let Err(error) = self.tell_if_any(use_case, why, now).await {
                kept.note(error);
            }
        }
        found
    }

    async fn advance_at_tick(&self, use_case: &str, limit: u32, now: Timestamp, kept: &mut Kept) {
        match self.advance(use_case, limit, Look::Tick, now).await {
            Ok(started) => kept.started.extend(started),
            // Tried again at the next tick.
            Err(error) => kept.trouble.push(not_started(&error)),
        }
    }

    async fn tell_if_any(&self, use_case: &str, why: Why, now: Timestamp) -> Result<(), Error> {
        let folder = places::use_case::untold(use_case, why);
        if self.documents.listed(&folder, None).await?.is_empty() {
            return Ok(());
        }
        self.tell(use_case, why, true, now).await
    }

    /// Carries on the runs that calls have left claimed.
    async fn sweep(&self, use_case: &str, now: Timestamp, kept: &mut Kept) -> Result<(), Error> {
        let folder = places::use_case::claimed(use_case);
        for marker in self.documents.listed(&folder, None).await? {
            // Its call may be at it still.
            if now.duration_since(marker.last_modified) < STARTING {
                continue;
            }
            match self.left_behind(use_case, &folder, &marker.key).await {
                Ok(None) => self.documents.delete(&marker.key).await?,
                Ok(Some(claim)) => {
                    tracing::warn!(run = %claim.value.run_id, "a run that was claimed and not started is carried on");
                    self.carry_on(claim, now, kept).await;
                }
                Err(error) => kept.note(error),
            }
        }
        Ok(())
    }

    /// The run that a marker stands for, if it is claimed still. The call may have died before it wrote the manifest.
    async fn left_behind(
        &self,
        use_case: &str,
        folder: &str,
        marker: &str,
    ) -> Result<Option<Versioned<Manifest>>, Error> {
        let Some(run_id) = marker.strip_prefix(folder).and_then(RunId::parse) else {
            return Ok(None);
        };
        if let Some(found) = self.manifest(use_case, &run_id).await? {
            return Ok(Some(found).filter(|found| found.value.state == RunState::Claimed));
        }
        let Some(wanted) = self.documents.get::<Manifest>(marker).await? else {
            return Ok(None);
        };
        let key = places::RunPlaces {
            use_case,
            run_id: &run_id,
        }
        .manifest();
        let etag = self.documents.put(&key, &wanted.value, Condition::Absent).await?;
        let claim = etag.map(|etag| Versioned {
            value: wanted.value,
            etag,
        });
        Ok(claim)
    }

    async fn carry_on(&self, claim: Versioned<Manifest>, now: Timestamp, kept: &mut Kept) {
        let manifest = claim.value.clone();
        if !matches!(manifest.kind, RunKind::Training | RunKind::Scoring) {
            return;
        }
        let given_up = now.duration_since(manifest.claimed_at) > GIVEN_UP;
        let answer = match self.launch(claim, now).await {
            Err(error) if given_up => self.give_up(&manifest.use_case, &manifest.run_id, &error, now).await,
            answer => answer,
        };
        match answer {
            Ok(answer) => kept.started.push(Started {
                use_case: manifest.use_case,
                model: None,
                outcome: answer.outcome,
                run_id: manifest.run_id,
            }),
            // Tried again at the next tick.
            Err(error) => kept.trouble.push(not_started(&error)),
        }
    }
}

/// The same words wherever a run fails to start, so that they are told once.
fn not_started(error: &Error) -> String {
    format!("a run can't be started: {error}")
}
