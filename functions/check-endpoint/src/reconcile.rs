//! The tick: compares every endpoint with its champion, and repairs what was left by a run that died, was stopped, or
//! could not repair it itself.

use crate::champions::Champions;
use crate::restore::{Standing, bring_back};
use crate::{CheckEndpoint, Error, Reconciled, notice};
use contracts::endpoints::{Astray, Seen};
use contracts::{Champion, places};
use jiff::Timestamp;
use platform::documents::Condition;
use std::collections::BTreeSet;

/// After SageMaker has rolled back this many tries, the endpoint is left to people.
const TRIES: u32 = 3;

impl CheckEndpoint {
    /// Looks at all endpoints. If one can't be looked at, the others are nevertheless, and the call fails afterwards.
    pub(crate) async fn reconcile(&self, now: Timestamp) -> Result<Reconciled, Error> {
        let before = self.documents.get::<Seen>(places::ENDPOINTS).await?;
        let mut seen = before.as_ref().map_or_else(Seen::default, |seen| seen.value.clone());
        let mut done = Reconciled::default();
        let mut failure = None;
        let champions = self.champions(&mut failure).await?;
        let names: BTreeSet<&str> = champions.read.iter().map(|it| it.endpoint_name.as_str()).collect();
        seen.astray.retain(|name, _| names.contains(name.as_str()));
        for champion in &champions.read {
            if let Err(error) = self.compare(champion, &mut seen, &mut done, now).await {
                let (use_case, model) = (&champion.use_case, &champion.model);
                tracing::error!(use_case, model, %error, "the endpoint can't be compared with its champion");
                failure.get_or_insert(error);
            }
        }
        if let Err(error) = self.retire(&champions, &mut seen, &mut done, now).await {
            tracing::error!(%error, "endpoints that nobody reads can't be retired");
            failure.get_or_insert(error);
        }
        if before.as_ref().map(|before| &before.value) != Some(&seen) && (before.is_some() || seen != Seen::default()) {
            let condition = before
                .as_ref()
                .map_or(Condition::Absent, |before| Condition::Unchanged(&before.etag));
            // If another call was faster, the next one will see again what this one has seen.
            self.documents.put(places::ENDPOINTS, &seen, condition).await?;
        }
        tracing::info!(?done, "endpoints reconciled");
        failure.map_or(Ok(done), Err)
    }

    async fn champions(&self, failure: &mut Option<Error>) -> Result<Champions, Error> {
        let mut champions = Champions::default();
        for use_case in self.documents.folders(places::use_case::ALL, None).await? {
            if let Err(error) = self.champions_of(&use_case, &mut champions).await {
                tracing::error!(use_case, %error, "it is not known which endpoints the use case uses");
                champions.doubtful.insert(use_case);
                // A document that can't be read is reported by start-run, and would make every tick fail.
                if !matches!(error, Error::Platform(platform::Error::Document { .. })) {
                    failure.get_or_insert(error);
                }
            }
        }
        Ok(champions)
    }

    /// Compares the endpoint of a champion with it, and takes the next step towards it where they differ.
    async fn compare(
        &self,
        champion: &Champion,
        seen: &mut Seen,
        done: &mut Reconciled,
        now: Timestamp,
    ) -> Result<(), Error> {
        let name = &champion.endpoint_name;
        let endpoint = self.endpoints.describe(name).await?;
        if endpoint.is_some_and(|endpoint| {
            endpoint.status.as_str() == "InService" && endpoint.config == champion.endpoint_config
        }) {
            if let Some(astray) = seen.astray.remove(name) {
                let notice = notice::back(champion, &astray);
                self.notices.publish(&notice).await?;
            }
            return Ok(());
        }
        let run = self.repair_run(&champion.use_case, &champion.model, now);
        // A run is working on the endpoint, and will leave it in order.
        if self.leases.take(&run, now, 0).await?.is_some() {
            return Ok(());
        }
        let outcome = self.mend(champion, seen, done).await;
        self.leases.give_back(&run, now).await?;
        outcome
    }

    /// Repairs the endpoint. The caller holds the lease.
    async fn mend(&self, champion: &Champion, seen: &mut Seen, done: &mut Reconciled) -> Result<(), Error> {
        let name = &champion.endpoint_name;
        let key = places::use_case::champion(&champion.use_case, &champion.model);
        let current = self.documents.get::<Champion>(&key).await?;
        if current.is_none_or(|current| current.value != *champion) {
            return Ok(());
        }
        let found = format!("{} of run {}", champion.endpoint_config, champion.run_id);
        let mut astray = seen.astray.get(name).filter(|it| it.found == found).cloned();
        let exhausted = astray.as_ref().is_some_and(|astray| astray.tries >= TRIES);
        let standing = bring_back(&self.endpoints, champion, exhausted).await?;
        let first = astray.is_none();
        let astray = astray.get_or_insert(Astray {
            found,
            tries: 0,
            given_up: false,
        });
        match standing {
            // The endpoint has reached the champion by itself meanwhile, or is about to: the next tick looks again.
            Standing::Serving(_) | Standing::Moving(_) => return Ok(()),
            Standing::Taken { reason, begun, answers } => {
                astray.tries += u32::from(begun);
                done.mended.push(name.clone());
                if first {
                    self.notices
                        .publish(&notice::mending(champion, &reason, answers))
                        .await?;
                }
            }
            Standing::Stuck(reason) => {
                done.stuck.push(name.clone());
                if !astray.given_up {
                    self.notices.publish(&notice::stuck(champion, &reason)).await?;
                    astray.given_up = true;
                }
            }
        }
        seen.astray.insert(name.clone(), astray.clone());
        Ok(())
    }
}
