//! The lease of a model's endpoint: a document in S3, written conditionally.

use crate::documents::Condition;
use crate::{Documents, Error, Versioned};
use contracts::{Lease, ModelRun, places};
use jiff::Timestamp;

/// Takes, renews and gives back leases.
#[derive(Clone, Debug)]
pub struct Leases {
    documents: Documents,
}

impl Leases {
    /// The leases stored in `documents`.
    pub fn new(documents: Documents) -> Self {
        Self { documents }
    }

    /// Takes or renews the lease for a run that looks again after `poll_seconds`. `Some` is the run that holds it
    /// instead.
    ///
    /// # Errors
    /// [`Error::AwsCall`] or [`Error::Document`].
    pub async fn take(&self, run: &ModelRun, now: Timestamp, poll_seconds: u32) -> Result<Option<Lease>, Error> {
        let key = places::use_case::lease(&run.use_case, &run.model);
        let wanted = Lease::new(run.run_id.clone(), now, poll_seconds);
        let held = self.documents.get::<Lease>(&key).await?;
        let condition = match &held {
            None => Condition::Absent,
            Some(held) if held.value.free_for(&run.run_id, now) => Condition::Unchanged(&held.etag),
            Some(held) => return Ok(Some(held.value.clone())),
        };
        if self.documents.put(&key, &wanted, condition).await?.is_some() {
            return Ok(None);
        }
        // Another run was faster. If it has already given the lease back, the next look takes it.
        let winner = self.documents.get::<Lease>(&key).await?.map(|held| held.value);
        Ok(Some(winner.unwrap_or(Lease {
            run_id: run.run_id.clone(),
            expires_at: now,
        }))
        .filter(|winner| *winner != wanted))
    }

    /// Renews the lease if it is still the run's own, even if it has expired. `false` when it is another run's or
    /// nobody's: then the endpoint may have been changed meanwhile. The next look comes after `poll_seconds`.
    ///
    /// # Errors
    /// [`Error::AwsCall`] or [`Error::Document`].
    pub async fn renew(&self, run: &ModelRun, now: Timestamp, poll_seconds: u32) -> Result<bool, Error> {
        let key = places::use_case::lease(&run.use_case, &run.model);
        let Some(held) = self.of(run).await? else {
            return Ok(false);
        };
        let wanted = Lease::new(run.run_id.clone(), now, poll_seconds);
        let condition = Condition::Unchanged(&held.etag);
        if self.documents.put(&key, &wanted, condition).await?.is_some() {
            return Ok(true);
        }
        // Either another run has just taken the lease, or the SDK repeated the write after its answer was lost.
        let winner = self.documents.get::<Lease>(&key).await?;
        Ok(winner.is_some_and(|winner| winner.value == wanted))
    }

    /// Gives the lease back, if it is the run's own, by having it expire now. It is written conditionally, as it is
    /// when it is taken, and not deleted, since not every S3 supports conditional deletes.
    ///
    /// # Errors
    /// [`Error::AwsCall`] or [`Error::Document`].
    pub async fn give_back(&self, run: &ModelRun, now: Timestamp) -> Result<(), Error> {
        match self.of(run).await? {
            Some(held) if held.value.expires_at > now => self.end(run, held, now).await,
            _ => Ok(()),
        }
    }

    /// The lease, if it names the run, even if it has expired or was given back.
    ///
    /// # Errors
    /// [`Error::AwsCall`] or [`Error::Document`].
    pub async fn of(&self, run: &ModelRun) -> Result<Option<Versioned<Lease>>, Error> {
        let key = places::use_case::lease(&run.use_case, &run.model);
        let lease = self.documents.get::<Lease>(&key).await?;
        Ok(lease.filter(|lease| lease.value.run_id == run.run_id))
    }

    /// Makes a lease of the run expire now, unless it has changed since it was read.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn end(&self, run: &ModelRun, held: Versioned<Lease>, now: Timestamp) -> Result<(), Error> {
        let key = places::use_case::lease(&run.use_case, &run.model);
        let ended = Lease {
            expires_at: now,
            ..held.value
        };
        self.documents
            .put(&key, &ended, Condition::Unchanged(&held.etag))
            .await?;
        Ok(())
    }
}
