//! The lease of a model's endpoint, as a document in S3 written on condition.

use crate::documents::Condition;
use crate::{Documents, Error};
use contracts::{Lease, ModelRun, places};
use jiff::Timestamp;

/// Takes, renews and gives back leases.
#[derive(Clone, Debug)]
pub struct Leases {
    documents: Documents,
}

impl Leases {
    /// The leases kept among `documents`.
    pub fn new(documents: Documents) -> Self {
        Self { documents }
    }

    /// Takes or renews the lease for somebody who looks again after `poll_seconds`; `Some` names the run that holds it instead.
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
        // Somebody was faster. If nobody holds it any more, the next look takes it.
        let winner = self.documents.get::<Lease>(&key).await?.map(|held| held.value);
        Ok(Some(winner.unwrap_or(Lease {
            run_id: run.run_id.clone(),
            expires_at: now,
        }))
        .filter(|winner| *winner != wanted))
    }

    /// Renews the lease if it is still the run's own, be it expired; `false` when it is another's or nobody's:
    /// then somebody may have changed the endpoint meanwhile. The next look comes after `poll_seconds`.
    ///
    /// # Errors
    /// [`Error::AwsCall`] or [`Error::Document`].
    pub async fn renew(&self, run: &ModelRun, now: Timestamp, poll_seconds: u32) -> Result<bool, Error> {
        let key = places::use_case::lease(&run.use_case, &run.model);
        let held = match self.documents.get::<Lease>(&key).await? {
            Some(held) if held.value.run_id == run.run_id => held,
            _ => return Ok(false),
        };
        let wanted = Lease::new(run.run_id.clone(), now, poll_seconds);
        let condition = Condition::Unchanged(&held.etag);
        if self.documents.put(&key, &wanted, condition).await?.is_some() {
            return Ok(true);
        }
        // Taken over right now, or a lost answer made the SDK write twice.
        let winner = self.documents.get::<Lease>(&key).await?;
        Ok(winner.is_some_and(|winner| winner.value == wanted))
    }

    /// Gives the lease back, if it is the run's: it expires now. It is written on condition as when it was taken, and
    /// not deleted, since not every S3 deletes on condition.
    ///
    /// # Errors
    /// [`Error::AwsCall`] or [`Error::Document`].
    pub async fn give_back(&self, run: &ModelRun, now: Timestamp) -> Result<(), Error> {
        let key = places::use_case::lease(&run.use_case, &run.model);
        let Some(held) = self.documents.get::<Lease>(&key).await? else {
            return Ok(());
        };
        if held.value.run_id == run.run_id && held.value.expires_at > now {
            let given_back = Lease {
                expires_at: now,
                ..held.value
            };
            // When it has changed, it is another's.
            self.documents
                .put(&key, &given_back, Condition::Unchanged(&held.etag))
                .await?;
        }
        Ok(())
    }
}
