//! Files that wait for a champion.

use crate::copies::AT_ONCE;
use crate::{Error, Outcome, Response, StartRun, Started};
use contracts::places;
use contracts::{RunId, RunState, UseCase};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;

/// What came of the files that wait for a champion.
#[derive(Debug, Default)]
pub(crate) struct TakenUp {
    pub runs: Vec<Started>,
    /// Why files go on waiting.
    pub failures: Vec<Error>,
}

impl StartRun {
    /// Tries the files again that wait for a champion of a use case, one that was exported just now.
    ///
    /// A training run exports its models one by one: files wait for its end, to be scored by all of them. Promotions are
    /// of one model.
    pub(crate) async fn take_up_waiting(&self, use_case: &str, now: Timestamp) -> Result<Response, Error> {
        if self.trains(use_case).await? {
            let reason = "a training run is under way: files that wait for a champion are taken up when it has ended";
            return Ok(Response::ignored(reason.to_owned()));
        }
        let taken = self.take_up_all(use_case, now).await?;
        match taken.failures.into_iter().next() {
            // The others have gone on.
            Some(failure) => Err(failure),
            None => Ok(Response::several(taken.runs, "no file waits for a champion")),
        }
    }

    /// The same when a training run has ended, and at a tick, where there are champions that suffice: an event may have been
    /// lost, or a call with it.
    pub(crate) async fn take_up_what_waits(
        &self,
        use_case: &str,
        document: &UseCase,
        now: Timestamp,
    ) -> Result<TakenUp, Error> {
        let waiting = places::use_case::waiting(use_case);
        if self.documents.listed(&waiting, None).await?.is_empty() {
            return Ok(TakenUp::default());
        }
        let champions = self.champions(document).await?;
        if !combine::suffices(document, |model| champions.contains_key(model)) {
            return Ok(TakenUp::default());
        }
        self.take_up_all(use_case, now).await
    }

    /// Tries each waiting file: what goes wrong with one keeps none of the others waiting.
    async fn take_up_all(&self, use_case: &str, now: Timestamp) -> Result<TakenUp, Error> {
        let waiting = places::use_case::waiting(use_case);
        let markers = self.documents.listed(&waiting, None).await?;
        let calls = stream::iter(markers.iter().map(|it| self.take_up(use_case, &it.key, now)));
        let answers: Vec<_> = calls.buffered(AT_ONCE).collect().await;
        let mut taken = TakenUp::default();
        for answer in answers {
            match answer {
                Ok(run) => taken.runs.extend(run),
                Err(error) => {
                    tracing::error!(use_case, %error, "a waiting file can't be taken up");
                    taken.failures.push(error);
                }
            }
        }
        Ok(taken)
    }

    async fn take_up(&self, use_case: &str, marker: &str, now: Timestamp) -> Result<Option<Started>, Error> {
        let name = marker.rsplit('/').next().unwrap_or_default();
        let manifest = match RunId::parse(name) {
            Some(run_id) => self.manifest(use_case, &run_id).await?,
            None => None,
        };
        let open = |state: RunState| matches!(state, RunState::Claimed | RunState::Waiting);
        let Some(mut claim) = manifest.filter(|claim| open(claim.value.state)) else {
            self.documents.delete(marker).await?;
            return Ok(None);
        };
        // The champion is of the present document; so is the run then.
        if let Some(pointer) = self.use_cases.pointer(use_case).await? {
            claim.value.config_version = pointer.version_id;
            claim.value.onboarding = pointer.onboarding;
        }
        let answer = self.launch(claim, now).await?;
        if answer.outcome != Outcome::Waiting {
            self.documents.delete(marker).await?;
        }
        Ok(answer.run_id.map(|run_id| Started {
            use_case: use_case.to_owned(),
            model: None,
            outcome: answer.outcome,
            run_id,
        }))
    }
}
