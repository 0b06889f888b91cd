//! Notices of findings. The last finding reported for a model is stored, so that an unchanged one is reported once a
//! day.

use crate::documents::Condition;
use crate::{Documents, Error, Notices, Versioned};
use contracts::monitoring::Finding;
use contracts::{ModelRun, Notice, RunId, places};
use jiff::{SignedDuration, Timestamp};

/// After this time an unchanged finding is reported again.
const SILENCE: SignedDuration = SignedDuration::from_hours(24);

/// How many times a finding is read again when others change it meanwhile. Two runs of a model at once are rare.
const LOOKS: u32 = 5;

/// Reports findings to people.
#[derive(Clone, Debug)]
pub struct Findings {
    documents: Documents,
    notices: Notices,
}

impl Findings {
    /// The findings stored in `documents`, reported through `notices`.
    pub fn new(documents: Documents, notices: Notices) -> Self {
        Self { documents, notices }
    }

    /// The last finding reported for a model; `None` also when it cannot be read.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn last(&self, run: &ModelRun) -> Result<Option<Finding>, Error> {
        let key = places::use_case::finding(&run.use_case, &run.model);
        Ok(self.found(&key).await?.0.map(|found| found.value))
    }

    /// Publishes the notice of a finding, unless the same was reported within a day. Returns whether it did.
    ///
    /// The finding is stored before its notice is sent, on condition that nobody else has changed it, and marked as
    /// sent afterwards: of two concurrent calls only one sends, and when a call dies in between, the next one sends.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn tell(
        &self,
        run: &ModelRun,
        fingerprint: &str,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let key = places::use_case::finding(&run.use_case, &run.model);
        self.tell_at(&key, &run.run_id, fingerprint, notice, now).await
    }

    /// The same for a use case itself: its ticks find trouble that stays until somebody fixes it.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn tell_of_use_case(
        &self,
        use_case: &str,
        run_id: &RunId,
        fingerprint: &str,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let key = places::use_case::trouble(use_case);
        self.tell_at(&key, run_id, fingerprint, notice, now).await
    }

    async fn tell_at(
        &self,
        key: &str,
        run_id: &RunId,
        fingerprint: &str,
        notice: &Notice,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let mut finding = Finding {
            fingerprint: fingerprint.to_owned(),
            run_id: run_id.clone(),
            told_at: now,
            sent: false,
        };
        let mut claim = None;
        for _ in 0..LOOKS {
            let (last, readable) = self.found(key).await?;
            if let Some(last) = &last
                && last.value.sent
                && last.value.fingerprint == fingerprint
                && now.duration_since(last.value.told_at) < SILENCE
            {
                return Ok(false);
            }
            let condition = match &last {
                Some(last) => Condition::Unchanged(&last.etag),
                None if readable => Condition::Absent,
                None => Condition::Always,
            };
            claim = self.documents.put(key, &finding, condition).await?;
            if claim.is_some() {
                break;
            }
        }
        // After the last look the notice is sent even without a claim: one notice too many is better than a lost one.
        self.notices.publish(notice).await?;
        if let Some(etag) = claim {
            finding.sent = true;
            self.documents.put(key, &finding, Condition::Unchanged(&etag)).await?;
        }
        Ok(true)
    }

    /// The stored finding, and whether the document can be read: one that can't is overwritten.
    async fn found(&self, key: &str) -> Result<(Option<Versioned<Finding>>, bool), Error> {
        match self.documents.get::<Finding>(key).await {
            Ok(found) => Ok((found, true)),
            Err(error @ Error::Document { .. }) => {
                tracing::warn!(%error, "the last finding cannot be read and is overwritten");
                Ok((None, false))
            }
            Err(error) => Err(error),
        }
    }
}
