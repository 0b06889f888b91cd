//! What people have decided on a held candidate: it stands in the candidate's own decision document.

use crate::request::Promote;
use crate::{Error, Outcome, Response, StartRun};
use contracts::decision::{Approval, ApprovalAction};
use contracts::places::{self, RunPlaces, Table};
use contracts::promotion::Word;
use contracts::reporting::{RunRow, day};
use contracts::run::RunKind;
use contracts::{Decision, Manifest, ModelRun, Notice, RunId, RunState, Severity, Verdict, words};
use jiff::Timestamp;
use platform::Versioned;
use platform::documents::Condition;

/// Looks at a document that other calls change.
pub(crate) const LOOKS: u32 = 5;

impl StartRun {
    /// Ends a held candidate with `rejected-by-person`, and tells people.
    pub(crate) async fn reject(&self, asked: &Word, now: Timestamp) -> Result<Response, Error> {
        let Word {
            use_case,
            model,
            run_id,
            by,
            reason,
        } = asked;
        let key = decision_key(use_case, model, run_id);
        for _ in 0..LOOKS {
            let Versioned { value: decision, etag } = self.decision(use_case, model, run_id).await?;
            let mine = |it: &&Approval| it.action == ApprovalAction::Reject && it.by == *by && it.reason == *reason;
            if decision.approval.as_ref().filter(mine).is_some() {
                // A call that died may have told nobody: twice is better than not at all.
                self.tell_rejected(&decision, asked).await?;
                return Ok(Response {
                    reason: Some(decision.reason),
                    ..Response::of(Outcome::Duplicate)
                });
            }
            open(&decision)?;
            if let Some(manifest) = self.carried_out(&decision).await? {
                return Err(already(&decision, &format!("; run {} is under way", manifest.run_id)));
            }
            let ended = Decision {
                decision: Some(Verdict::RejectedByPerson),
                reason: format!("{by} has rejected it: {reason} (it was held: {})", decision.reason),
                approval: Some(Approval {
                    action: ApprovalAction::Reject,
                    by: by.clone(),
                    reason: reason.clone(),
                    at: now,
                    run_id: None,
                }),
                decided_at: now,
                ..decision
            };
            if self
                .documents
                .put(&key, &ended, Condition::Unchanged(&etag))
                .await?
                .is_some()
            {
                self.tell_rejected(&ended, asked).await?;
                return Ok(Response {
                    reason: Some(ended.reason),
                    ..Response::of(Outcome::Rejected)
                });
            }
        }
        Err(Error::DocumentContended(places::uri(&self.settings.bucket, &key)))
    }

    /// Writes the row of a rejection, beside that of the run that trained the candidate, and tells people.
    async fn tell_rejected(&self, decision: &Decision, asked: &Word) -> Result<(), Error> {
        let at = decision.decided_at;
        let run_id = &asked.run_id;
        let row = RunRow {
            model: asked.model.clone(),
            source: Some(run_id.to_string()),
            started_at: Some(at),
            stopped_at: Some(at),
            decision: decision.decision.map(|verdict| verdict.to_string()),
            reason: Some(decision.reason.clone()),
            ..RunRow::new(run_id.clone(), RunKind::Promotion.as_str(), "person", "SUCCEEDED").judged_by(decision)
        };
        let name = format!("{run_id}-rejected.jsonl");
        let key = Table::Runs.key(&asked.use_case, &asked.model, day(at), &name);
        self.documents.put_rows(&key, &[row]).await?;
        self.notices.publish(&rejected(decision, asked)).await?;
        Ok(())
    }

    /// The decision on a candidate that is held and still waits for somebody's word, or whose approval came to nothing.
    pub(crate) async fn held(&self, use_case: &str, model: &str, run_id: &RunId) -> Result<Versioned<Decision>, Error> {
        let decision = self.decision(use_case, model, run_id).await?;
        open(&decision.value)?;
        Ok(decision)
    }

    /// The promotion that an approved candidate is being brought into service by; an error when it has been. None when
    /// nobody has approved it, or when that came to nothing: it may be asked for again.
    pub(crate) async fn carried_out(&self, decision: &Decision) -> Result<Option<Manifest>, Error> {
        let ModelRun { use_case, model, .. } = &decision.run;
        let Some(run_id) = decision.approval.as_ref().and_then(|approval| approval.run_id.as_ref()) else {
            return Ok(None);
        };
        let key = decision_key(use_case, model, run_id);
        let of_promotion = self.documents.get::<Decision>(&key).await?;
        if of_promotion.is_some_and(|it| it.value.decision == Some(Verdict::Exported)) {
            return Err(already(
                decision,
                &format!("; run {run_id} has exported it (`rollback` goes back to it)"),
            ));
        }
        match self.manifest(use_case, run_id).await? {
            Some(manifest) if manifest.value.state == contracts::RunState::Started => {
                let ended = self.has_ended(use_case, run_id).await?;
                Ok((!ended).then_some(manifest.value))
            }
            // A call that died before it has started it: it is gone on with.
            _ => Ok(None),
        }
    }

    /// Writes down who has approved a held candidate, unless somebody has decided otherwise meanwhile.
    pub(crate) async fn write_approval(&self, asked: &Promote, run_id: &RunId, at: Timestamp) -> Result<(), Error> {
        let word = &asked.word;
        let key = decision_key(&word.use_case, &word.model, &word.run_id);
        for _ in 0..LOOKS {
            let Versioned { value: decision, etag } = self.decision(&word.use_case, &word.model, &word.run_id).await?;
            open(&decision)?;
            let before = decision.approval.as_ref().and_then(|approval| approval.run_id.as_ref());
            if before == Some(run_id) {
                return Ok(());
            }
            let approved = Decision {
                approval: Some(Approval {
                    action: ApprovalAction::Approve,
                    by: word.by.clone(),
                    reason: word.reason.clone(),
                    at,
                    run_id: Some(run_id.clone()),
                }),
                ..decision
            };
            if self
                .documents
                .put(&key, &approved, Condition::Unchanged(&etag))
                .await?
                .is_some()
            {
                return Ok(());
            }
        }
        Err(Error::DocumentContended(places::uri(&self.settings.bucket, &key)))
    }

    async fn decision(&self, use_case: &str, model: &str, run_id: &RunId) -> Result<Versioned<Decision>, Error> {
        let key = decision_key(use_case, model, run_id);
        let decision = self.documents.get::<Decision>(&key).await?;
        decision.ok_or_else(|| Error::NoSuchCandidate {
            use_case: use_case.to_owned(),
            model: model.to_owned(),
            reason: format!(
                "run {run_id} has no decision on it; `{}` lists what is held",
                self.command(&format!("champions {use_case}"))
            ),
        })
    }

    /// Whether a promotion has come to an end; one that its call has not yet begun has not.
    pub(crate) async fn has_ended(&self, use_case: &str, run_id: &RunId) -> Result<bool, Error> {
        let manifest = self.manifest(use_case, run_id).await?.map(|manifest| manifest.value);
        match manifest {
            Some(Manifest {
                state: RunState::Started,
                execution_arn: Some(arn),
                ..
            }) => Ok(self.runs(&arn).await? != Some(true)),
            Some(manifest) => Ok(manifest.state == RunState::Refused),
            None => Ok(false),
        }
    }
}

/// Whether somebody's word is wanted on a candidate.
fn open(decision: &Decision) -> Result<(), Error> {
    let run = &decision.run;
    let not_held = |reason: String| Error::NotHeld {
        model: run.model.clone(),
        run_id: run.run_id.clone(),
        reason,
    };
    match decision.decision {
        // The step that tells people writes the document last: nobody else may before that.
        Some(Verdict::Held) if decision.notified_at.is_none() => Err(not_held(
            "people are just being told of it: ask again in a moment".to_owned(),
        )),
        Some(Verdict::Held) => Ok(()),
        Some(Verdict::RejectedByPerson) => Err(already(decision, "")),
        Some(verdict) => Err(not_held(format!("its decision is `{verdict}`: {}", decision.reason))),
        None => Err(not_held("its run has not come to a decision".to_owned())),
    }
}

fn already(decision: &Decision, more: &str) -> Error {
    let story = match &decision.approval {
        Some(approval) => format!(
            "{} has said `{}` at {}: {}{more}",
            approval.by,
            approval.action,
            approval.at.strftime("%F %T UTC"),
            approval.reason
        ),
        None => decision.reason.clone(),
    };
    Error::AlreadyDecided {
        model: decision.run.model.clone(),
        run_id: decision.run.run_id.clone(),
        story,
    }
}

fn decision_key(use_case: &str, model: &str, run_id: &RunId) -> String {
    RunPlaces { use_case, run_id }.decision(model)
}

fn rejected(decision: &Decision, asked: &Word) -> Notice {
    let Word {
        use_case,
        model,
        run_id,
        by,
        reason,
    } = asked;
    let by = words::name(by);
    let text = format!("The held candidate of {model} of run {run_id} was rejected. What serves goes on serving.");
    Notice::new(
        use_case,
        Severity::Info,
        &format!("{by} has rejected the held candidate of {model}"),
        &text,
    )
    .line("asked for by", by)
    .line("because", reason)
    .line("run", run_id)
    .line(
        "details",
        places::uri(&decision.run.bucket, &decision.run.places().decision(model)),
    )
}
