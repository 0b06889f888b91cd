//! Retires endpoints that are no longer used: those of a former schema, of a model or use case that was removed, of a
//! run that created one and exported nothing, and those from the time before names began with `<stack>--`.

use crate::champions::Champions;
use crate::sagemaker::Refused;
use crate::{CheckEndpoint, Error, Offboarded, Reconciled, notice};
use contracts::endpoints::{Seen, Unread};
use contracts::{Champion, places};
use jiff::Timestamp;
use std::collections::BTreeSet;

impl CheckEndpoint {
    /// Deletes the endpoints of a use case whose parameters have already been removed.
    pub(crate) async fn offboard(&self, use_case: &str, now: Timestamp) -> Result<Offboarded, Error> {
        if self.use_cases.pointer(use_case).await?.is_some() {
            return Err(Error::UseCaseOnboarded(use_case.to_owned()));
        }
        let mut done = Offboarded::default();
        for name in self.endpoints.list().await? {
            let Some((owner, model)) = self.endpoints.owner(&name).await? else {
                continue;
            };
            if owner != use_case {
                continue;
            }
            let run = self.repair_run(use_case, &model, now);
            if self.leases.take(&run, now, 0).await?.is_some() {
                done.held.push(name);
                continue;
            }
            let deleted = self.delete(&name).await;
            self.leases.give_back(&run, now).await?;
            if deleted? {
                done.deleted.push(name);
            } else {
                done.held.push(name);
            }
        }
        tracing::info!(use_case, ?done, "use case removed");
        Ok(done)
    }

    /// Deletes the endpoints of a model whose use case was removed while a run held the lease; returns a sentence about
    /// it. Endpoints that SageMaker refuses to delete now are left to the tick.
    pub(crate) async fn remove(&self, use_case: &str, model: &str) -> Result<String, Error> {
        let mut stay = Vec::new();
        for name in self.endpoints.list().await? {
            let owner = self.endpoints.owner(&name).await?;
            let own = owner.is_some_and(|owner| owner == (use_case.to_owned(), model.to_owned()));
            if own && !self.delete(&name).await? {
                stay.push(name);
            }
        }
        let removed = "nothing: the use case was removed, and requests are answered `404`";
        Ok(match stay.as_slice() {
            [] => format!("{removed}; the endpoints that the model had are deleted"),
            stay => format!("{removed}; the tick deletes endpoint {} a day later", stay.join(", ")),
        })
    }

    /// Records which endpoints are unused, and deletes those that have been unused for long enough.
    pub(crate) async fn retire(
        &self,
        champions: &Champions,
        seen: &mut Seen,
        done: &mut Reconciled,
        now: Timestamp,
    ) -> Result<(), Error> {
        let read: BTreeSet<&str> = champions.read.iter().map(|it| it.endpoint_name.as_str()).collect();
        let listed = self.endpoints.list().await?;
        let mut unread = BTreeSet::new();
        for name in listed.iter().filter(|name| !read.contains(name.as_str())) {
            let known = seen.unread.get(name).map(|it| (it.use_case.clone(), it.model.clone()));
            let owner = match known {
                Some(owner) => Some(owner),
                None => self.endpoints.owner(name).await?,
            };
            // Endpoints without a tag of this stack belong to somebody else.
            let Some((use_case, model)) = owner else { continue };
            if champions.doubtful.contains(&use_case) {
                unread.extend(seen.unread.contains_key(name).then_some(name));
                continue;
            }
            unread.insert(name);
            if let Err(error) = self.unread(name, &use_case, &model, seen, done, now).await {
                tracing::error!(endpoint = name, %error, "the endpoint can't be retired");
                return Err(error);
            }
        }
        // The others are in use again, or gone.
        seen.unread.retain(|name, _| unread.contains(name));
        Ok(())
    }

    async fn unread(
        &self,
        name: &str,
        use_case: &str,
        model: &str,
        seen: &mut Seen,
        done: &mut Reconciled,
        now: Timestamp,
    ) -> Result<(), Error> {
        if seen.unread.get(name).is_some_and(|known| now < known.until()) {
            return Ok(());
        }
        let run = self.repair_run(use_case, model, now);
        // A run is working on it: it may be about to become a champion's.
        if self.leases.take(&run, now, 0).await?.is_some() {
            return Ok(());
        }
        let outcome = self.unread_and_free(name, use_case, model, seen, done, now).await;
        self.leases.give_back(&run, now).await?;
        outcome
    }

    /// Whether the endpoint is unused. The caller holds the lease, so nobody exports meanwhile.
    async fn unread_and_free(
        &self,
        name: &str,
        use_case: &str,
        model: &str,
        seen: &mut Seen,
        done: &mut Reconciled,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(known) = seen.unread.get(name) else {
            let unread = Unread {
                use_case: use_case.to_owned(),
                model: model.to_owned(),
                since: now,
            };
            self.notices.publish(&notice::unread(name, &unread)).await?;
            seen.unread.insert(name.to_owned(), unread);
            done.unread.push(name.to_owned());
            return Ok(());
        };
        if self.is_read(name, use_case, model).await? {
            return Ok(());
        }
        // The endpoint is changing: the next tick tries again.
        if !self.delete(name).await? {
            return Ok(());
        }
        self.notices.publish(&notice::retired(name, known)).await?;
        seen.unread.remove(name);
        done.retired.push(name.to_owned());
        Ok(())
    }

    /// Deletes an endpoint with its scaling; returns `false` when SageMaker refuses.
    async fn delete(&self, name: &str) -> Result<bool, Error> {
        if let Some(endpoint) = self.endpoints.describe(name).await? {
            for variant in &endpoint.variants {
                self.endpoints.deregister(name, variant).await?;
            }
        }
        match self.endpoints.delete(name).await? {
            Ok(()) => Ok(true),
            Err(Refused(why)) => {
                tracing::warn!(endpoint = name, why, "the endpoint is not deleted yet");
                Ok(false)
            }
        }
    }

    /// Whether a champion that gets requests names the endpoint, now that no run can export.
    async fn is_read(&self, name: &str, use_case: &str, model: &str) -> Result<bool, Error> {
        let named = match self.use_cases.get(use_case).await {
            Ok((document, _)) => document.model(model).is_some(),
            Err(platform::Error::UseCaseUnknown(_)) => false,
            Err(error) => return Err(error.into()),
        };
        let key = places::use_case::champion(use_case, model);
        let champion = self.documents.get::<Champion>(&key).await?;
        Ok(named && champion.is_some_and(|champion| champion.value.endpoint_name == name))
    }
}
