//! The step `promote`: finds the champion that a promoted candidate replaces, and records who requested it and why.

use crate::rules::number;
use crate::{Error, Response, RmseGate};
use contracts::decision::Approval;
use contracts::promotion::Action;
use contracts::{Champion, ModelRun, Promotion, Verdict};
use jiff::Timestamp;
use platform::Versioned;

impl RmseGate {
    pub(crate) async fn promote(
        &self,
        run: &ModelRun,
        promotion: &Promotion,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let current = self.current_champion(run).await?;
        let champion = current.as_ref().map(|current| &current.value);
        let superseded = champion.filter(|champion| champion.run_id > run.run_id);
        let reason = match superseded {
            Some(newer) => format!(
                "{}, but the champion is of the newer run {}",
                story(promotion),
                newer.run_id
            ),
            None => story(promotion),
        };
        tracing::info!(run_id = %run.run_id, model = run.model, reason, "promotion");
        let candidate = &promotion.candidate;
        self.decisions
            .update(run, now, |decision| {
                decision.decision = superseded.map(|_| Verdict::Superseded);
                decision.reason.clone_from(&reason);
                decision.approval = Some(Approval {
                    action: promotion.action.into(),
                    by: promotion.by.clone(),
                    reason: promotion.reason.clone(),
                    at: promotion.at,
                    run_id: Some(run.run_id.clone()),
                });
                decision.promoted = Some(candidate.clone());
            })
            .await?;
        if superseded.is_none()
            && let Some(found) = unexpected(run, promotion, champion)
        {
            return Err(Error::ChampionChanged {
                model: run.model.clone(),
                expected: named(promotion.replaces.as_ref()),
                found,
            });
        }
        Ok(Response::Replaced {
            etag: current
                .as_ref()
                .map_or_else(String::new, |Versioned { etag, .. }| etag.clone()),
            superseded: superseded.is_some(),
            reason,
        })
    }
}

/// The present champion, if it matters that it is not the one from when the promotion was requested.
fn unexpected(run: &ModelRun, promotion: &Promotion, champion: Option<&Champion>) -> Option<String> {
    let found = champion.map(|champion| &champion.run_id);
    // An earlier try of this run has already exported it.
    let expected = promotion.anyway || found == promotion.replaces.as_ref() || found == Some(&run.run_id);
    (!expected).then(|| named(found))
}

fn named(run: Option<&contracts::RunId>) -> String {
    run.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// What was requested, by whom and why, in one sentence for people.
fn story(promotion: &Promotion) -> String {
    let candidate = &promotion.candidate;
    let what = match promotion.action {
        Action::Approve => "approved",
        Action::Rollback => "rolled back to",
    };
    let replaced = match &promotion.replaces {
        Some(replaced) => format!("in the place of champion {replaced}"),
        None => "as the first champion".to_owned(),
    };
    format!(
        "{} {what} the model of run {} {replaced} (RMSE {} on the {} rows of its holdout): {}",
        promotion.by,
        candidate.trained_by,
        number(candidate.holdout_rmse),
        candidate.holdout_rows,
        promotion.reason
    )
}
