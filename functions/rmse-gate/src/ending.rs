//! The steps that end a model's run.

use crate::{Error, Response, RmseGate, notice};
use contracts::failure::Caught;
use contracts::{Failure, ModelRun, Verdict};
use jiff::Timestamp;

/// The error name that export-config uses.
const USE_CASE_REMOVED: &str = "UseCaseRemoved";

impl RmseGate {
    pub(crate) async fn notify_rejection(&self, run: &ModelRun, now: Timestamp) -> Result<Response, Error> {
        let decision = self.decisions.get(run).await?;
        let told = decision.and_then(|decision| match decision.decision {
            Some(
                verdict @ (Verdict::RejectedThreshold
                | Verdict::RejectedChampion
                | Verdict::RejectedNaive
                | Verdict::Held),
            ) => Some((decision, verdict)),
            _ => None,
        });
        let (decision, verdict) = told.ok_or_else(|| Error::NotRejected(run.clone()))?;
        if decision.notified_at.is_none() {
            let champion = self.current_champion(run).await?.map(|champion| champion.value);
            let notice = notice::of(&decision, verdict, champion.as_ref(), &self.stack);
            self.notices.publish(&notice).await?;
            self.decisions
                .update(run, now, |decision| decision.notified_at = Some(now))
                .await?;
        }
        Ok(Response::Ended {
            model: run.model.clone(),
            decision: verdict,
            reason: decision.reason,
        })
    }

    /// If the candidate has become the champion, the document keeps the verdict `exported`; but the answer is `failed`,
    /// so that the execution fails and somebody looks at what went wrong afterwards.
    ///
    /// If the use case was removed meanwhile, perhaps with its data, the removal counts as the cause of any failure.
    pub(crate) async fn fail(
        &self,
        run: &ModelRun,
        caught: &Caught,
        onboarding: Option<&str>,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let mut failure = Failure::readable(&caught.error, &caught.cause);
        if failure.error != USE_CASE_REMOVED
            && let Some(removed) = self.removed(run, onboarding).await
        {
            failure = Failure {
                cause: format!("{removed}. What failed then: {}: {}", failure.error, failure.cause),
                error: USE_CASE_REMOVED.to_owned(),
            };
        }
        tracing::warn!(run_id = %run.run_id, model = run.model, error = failure.error, cause = failure.cause, "failed");
        let reason = format!("{}: {}", failure.error, failure.cause);
        let champion = self.current_champion(run).await?;
        let exported = champion.is_some_and(|champion| champion.value.run_id == run.run_id);
        let decision = self
            .decisions
            .update(run, now, |decision| {
                if exported {
                    decision.decision = Some(Verdict::Exported);
                } else {
                    decision.decision = Some(Verdict::Failed);
                    decision.reason.clone_from(&reason);
                }
                decision.error = Some(failure);
            })
            .await?;
        let reason = match decision.decision {
            Some(Verdict::Exported) => format!("exported, but then {reason}"),
            _ => reason,
        };
        Ok(Response::Ended {
            model: run.model.clone(),
            decision: Verdict::Failed,
            reason,
        })
    }

    /// Why the run may not export any more; `None` also if that is unknown, so that the failure is recorded in any
    /// case.
    async fn removed(&self, run: &ModelRun, onboarding: Option<&str>) -> Option<String> {
        let onboarding = Some(onboarding?);
        let removed = self.use_cases.removed_since(&run.use_case, onboarding).await;
        removed.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether the use case was removed is not known");
            None
        })
    }

    pub(crate) async fn end(
        &self,
        run: &ModelRun,
        verdict: Verdict,
        reason: String,
        now: Timestamp,
    ) -> Result<Response, Error> {
        tracing::info!(run_id = %run.run_id, model = run.model, %verdict, reason, "ended");
        let decision = self
            .decisions
            .update(run, now, |decision| {
                decision.decision = Some(verdict);
                decision.reason = reason;
            })
            .await?;
        Ok(Response::Ended {
            model: run.model.clone(),
            decision: decision.decision.unwrap_or(verdict),
            reason: decision.reason,
        })
    }
}
