//! The decision document of a model in a run: reading, changing and writing it.

use crate::documents::Condition;
use crate::{Documents, Error};
use contracts::{Decision, ModelRun, Verdict};
use jiff::Timestamp;

/// Reads and updates decision documents.
///
/// Only the execution of a run writes its decisions, one step after the other, so writes need no condition.
#[derive(Clone, Debug)]
pub struct Decisions {
    documents: Documents,
}

impl Decisions {
    /// The decisions stored in `documents`.
    pub fn new(documents: Documents) -> Self {
        Self { documents }
    }

    /// The decision so far; `None` before the run's first question is asked.
    ///
    /// # Errors
    /// [`Error::AwsCall`] or [`Error::Document`].
    pub async fn get(&self, run: &ModelRun) -> Result<Option<Decision>, Error> {
        let key = run.places().decision(&run.model);
        Ok(self.documents.get(&key).await?.map(|decision| decision.value))
    }

    /// Changes the decision, keeping what earlier steps stored, and returns it.
    ///
    /// The verdict `exported` and its reason are final: whatever fails afterwards, the candidate is the champion. A
    /// change without effect writes nothing.
    ///
    /// # Errors
    /// [`Error::AwsCall`] or [`Error::Document`].
    pub async fn update(
        &self,
        run: &ModelRun,
        now: Timestamp,
        change: impl FnOnce(&mut Decision),
    ) -> Result<Decision, Error> {
        let before = self.get(run).await?;
        let mut decision = before.clone().unwrap_or_else(|| Decision {
            run: run.clone(),
            decision: None,
            reason: String::new(),
            threshold: None,
            comparison: None,
            candidate: None,
            approval: None,
            promoted: None,
            error: None,
            serves: None,
            notified_at: None,
            decided_at: now,
        });
        change(&mut decision);
        if let Some(exported) = before
            .as_ref()
            .filter(|before| before.decision == Some(Verdict::Exported))
        {
            decision.decision = exported.decision;
            decision.reason.clone_from(&exported.reason);
        }
        if before.as_ref() != Some(&decision) {
            decision.decided_at = now;
            let key = run.places().decision(&run.model);
            self.documents.put(&key, &decision, Condition::Always).await?;
        }
        Ok(decision)
    }
}
