//! Notices of findings: what people were last told of a model, so that they hear of an unchanged finding once a day.

use crate::documents::Condition;
use crate::{Documents, Error, Notices, Versioned};
use contracts::monitoring::Finding;
use contracts::{ModelRun, Notice, RunId, places};
use jiff::{SignedDuration, Timestamp};

/// An unchanged finding is told again after this time.
const SILENCE: SignedDuration = SignedDuration::from_hours(24);

/// How often a finding that others change meanwhile is looked at again. Two runs of a model at once are rare.
const LOOKS: u32 = 5;

/// Tells people of findings.
#[derive(Clone, Debug)]
pub struct Findings {
    documents: Documents,
    notices: Notices,
}

impl Findings {
    /// The findings kept among `documents`, told through `notices`.
    pub fn new(documents: Documents, notices: Notices) -> Self {
        Self { documents, notices }
    }

    /// What people were last told of a model; `None` also when that doesn't read.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn last(&self, run: &ModelRun) -> Result<Option<Finding>, Error> {
        let key = places::use_case::finding(&run.use_case, &run.model);
        Ok(self.found(&key).await?.0.map(|found| found.value))
    }

    /// Publishes the notice of a finding, unless people were told the same within a day; whether it did.
    ///
    /// The finding is written down before its notice is sent, on condition that it is as it was found, and marked as
    /// sent afterwards: of two calls at once one sends, and a call that died in between is made up for by the next.
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

    /// The same for a use case itself, whose ticks find trouble that stays until somebody sees to it.
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
        // Told without a claim, too, once there have been enough looks: a notice lost is worse than one doubled.
        self.notices.publish(notice).await?;
        if let Some(etag) = claim {
            finding.sent = true;
            self.documents.put(key, &finding, Condition::Unchanged(&etag)).await?;
        }
        Ok(true)
    }

    /// The finding, and whether what is there reads: what doesn't is written over.
    async fn found(&self, key: &str) -> Result<(Option<Versioned<Finding>>, bool), Error> {
        match self.documents.get::<Finding>(key).await {
            Ok(found) => Ok((found, true)),
            Err(error @ Error::Document { .. }) => {
                tracing::warn!(%error, "the last finding does not read and is written over");
                Ok((None, false))
            }
            Err(error) => Err(error),
        }
    }
}
