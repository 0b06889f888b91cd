//! Promotions: a held candidate that somebody approves, a former champion that somebody goes back to; and candidates that
//! somebody rejects. What is promoted was trained and judged by an earlier run: its documents say all there is to know.

use crate::candidates::named;
use crate::claims::{Claim, Wanted};
use crate::people::LOOKS;
use crate::request::Promote;
use crate::{Error, Response, StartRun};
use contracts::places::{self, RunPlaces};
use contracts::promotion::{Action, PromotionClaim, Word};
use contracts::run::{RunKind, Source};
use contracts::{Decision, Manifest, RunId, Verdict};
use jiff::{SignedDuration, Timestamp};
use platform::documents::Condition;

/// By then the call that has claimed a promotion has started it, or has died: another's carries it on.
const CARRIED_OUT: SignedDuration = SignedDuration::from_mins(5);

impl StartRun {
    /// Starts a promotion, or says why it may not be.
    pub(crate) async fn promote(&self, asked: &Promote, now: Timestamp) -> Result<Response, Error> {
        let Promote {
            word,
            action,
            anyway,
            rerun_by,
        } = asked;
        let Word {
            use_case,
            model,
            run_id: from_run,
            ..
        } = word;
        let (document, _) = self.use_cases.get(use_case).await?;
        let known = document.model(model).ok_or_else(|| Error::NoSuchCandidate {
            use_case: use_case.clone(),
            model: model.clone(),
            reason: "the use case's document has no such model".to_owned(),
        })?;
        let champion = self.present_champion(use_case, model).await?;
        let replaces = champion.as_ref().map(|champion| champion.run_id.clone());
        let held = match action {
            Action::Rollback => None,
            Action::Approve => {
                let held = self.held(use_case, model, from_run).await?;
                if let Some(manifest) = self.carried_out(&held.value).await? {
                    return under_way(manifest, word);
                }
                let compared_with = held.value.comparison.as_ref().and_then(|it| it.champion_run_id.clone());
                if compared_with != replaces && !anyway {
                    return Err(Error::ChampionChanged {
                        model: model.clone(),
                        run_id: from_run.clone(),
                        expected: named(compared_with.as_ref()),
                        found: named(replaces.as_ref()),
                    });
                }
                Some(held.value)
            }
        };
        let found = self.found(known, use_case, from_run, held.as_ref()).await?;
        if let Some(champion) = champion.filter(|champion| champion.model_name == found.record.model_name) {
            return Err(Error::AlreadyChampion {
                model: model.clone(),
                run_id: from_run.clone(),
                champion: champion.run_id,
            });
        }
        if found.record.schema_hash != document.schema_hash() {
            return Err(Error::SchemaChanged {
                model: model.clone(),
                run_id: from_run.clone(),
                reason: "it was trained on other raw columns than those of the document".to_owned(),
            });
        }
        if let (Some(was), Some(is)) = (&found.unit, &document.target.unit)
            && was != is
        {
            return Err(Error::SchemaChanged {
                model: model.clone(),
                run_id: from_run.clone(),
                reason: format!(
                    "its values are in {was}, and those of `{}` are in {is} by the document",
                    document.target.name
                ),
            });
        }
        let claim = self.claim_promotion(asked, replaces, now).await?;
        // Of two people at once one's word is carried out, whoever's call does it.
        let carried = match &claim.word {
            Some(said) if said != word => Promote {
                word: said.clone(),
                action: *action,
                anyway: claim.anyway,
                rerun_by: rerun_by.clone(),
            },
            _ => asked.clone(),
        };
        if carried.word != *word && now.duration_since(claim.at) < CARRIED_OUT {
            return Err(of_another(&carried.word, *action, claim.at, &claim.run_id));
        }
        let run_id = claim.run_id.clone();
        if held.is_some() {
            self.write_approval(&carried, &run_id, claim.at).await?;
        }
        let wanted = Wanted {
            use_case,
            run_id: &run_id,
            kind: RunKind::Promotion,
            source: Source::Promotion {
                promoted_model: model.clone(),
                from_run: from_run.clone(),
                action: *action,
                by: carried.word.by.clone(),
                reason: carried.word.reason.clone(),
                asked_at: claim.at,
                replaces: claim.replaces,
                anyway: carried.anyway,
                rerun_by: carried.rerun_by.filter(|again| *again != carried.word.by),
            },
            inputs: Vec::new(),
        };
        let response = match self.claim(wanted, now).await? {
            Claim::Ours(claim) => self.launch(claim, now).await?,
            Claim::Queued(manifest) | Claim::Done(manifest) => return under_way(manifest, word),
        };
        if carried.word == *word {
            Ok(response)
        } else {
            Err(of_another(&carried.word, *action, claim.at, &run_id))
        }
    }

    /// Asks again for a promotion that has failed, as it was asked for. One that has come to any other end stays what it
    /// is: whoever wants the same once more says so in their own name.
    pub(crate) async fn promote_again(
        &self,
        manifest: &Manifest,
        rerun_by: Option<String>,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let Manifest { use_case, run_id, .. } = manifest;
        let Source::Promotion {
            promoted_model,
            from_run,
            action,
            by,
            reason,
            asked_at,
            replaces,
            anyway,
            ..
        } = &manifest.source
        else {
            return Err(Error::EventInvalid(format!("run {run_id} is no promotion")));
        };
        let word = Word {
            use_case: use_case.clone(),
            model: promoted_model.clone(),
            run_id: from_run.clone(),
            by: by.clone(),
            reason: reason.clone(),
        };
        let own = self.command(&format!("{action} {use_case} {promoted_model} {from_run} --reason '…'"));
        let stays = |ended: String| Error::AlreadyDecided {
            model: word.model.clone(),
            run_id: from_run.clone(),
            story: format!(
                "{by} has said `{action}` at {asked_at}: {reason}; {ended}. Only a promotion that has failed is run again, in \
                 the name of whoever asked for it: to decide the same now, say so in your own name: `{own}`"
            ),
        };
        if self.has_ended(use_case, run_id).await? {
            let places = RunPlaces { use_case, run_id };
            let decision = self.documents.get::<Decision>(&places.decision(promoted_model)).await?;
            let verdict = decision.and_then(|it| it.value.decision);
            if let Some(verdict) = verdict.filter(|verdict| *verdict != Verdict::Failed) {
                return Err(stays(format!("run {run_id} has ended `{verdict}`")));
            }
            // What was asked for was to replace one champion, and not whichever serves by now.
            let champion = self.present_champion(use_case, promoted_model).await?;
            let champion = champion.map(|champion| champion.run_id);
            if champion != *replaces && !anyway {
                return Err(stays(format!(
                    "that was to replace champion {}, and the champion is {} now",
                    named(replaces.as_ref()),
                    named(champion.as_ref())
                )));
            }
        }
        let asked = Promote {
            word,
            action: *action,
            anyway: *anyway,
            rerun_by,
        };
        Box::pin(self.promote(&asked, now)).await
    }

    /// The run of a promotion: that of the same promotion where it has been asked for and has not ended.
    async fn claim_promotion(
        &self,
        asked: &Promote,
        replaces: Option<RunId>,
        now: Timestamp,
    ) -> Result<PromotionClaim, Error> {
        let Word {
            use_case,
            model,
            run_id,
            ..
        } = &asked.word;
        let key = places::use_case::promotion(use_case, model);
        for _ in 0..LOOKS {
            let last = self.documents.get::<PromotionClaim>(&key).await?;
            if let Some(last) = &last {
                let claim = &last.value;
                let same = claim.action == asked.action && claim.from_run == *run_id && claim.replaces == replaces;
                if same && !self.has_ended(use_case, &claim.run_id).await? {
                    return Ok(last.value.clone());
                }
            }
            let claim = PromotionClaim {
                action: asked.action,
                from_run: run_id.clone(),
                replaces: replaces.clone(),
                run_id: RunId::for_promotion(now, use_case, model, run_id),
                at: now,
                word: Some(asked.word.clone()),
                anyway: asked.anyway,
            };
            let condition = last
                .as_ref()
                .map_or(Condition::Absent, |last| Condition::Unchanged(&last.etag));
            if self.documents.put(&key, &claim, condition).await?.is_some() {
                return Ok(claim);
            }
        }
        Err(Error::DocumentContended(places::uri(&self.settings.bucket, &key)))
    }
}

/// A promotion that is under way: the answer to whoever has asked for it, and an error to anybody else, whose word is kept
/// nowhere.
fn under_way(manifest: Manifest, asked: &Word) -> Result<Response, Error> {
    if let Source::Promotion {
        action,
        by,
        reason,
        asked_at,
        ..
    } = &manifest.source
        && (by, reason) != (&asked.by, &asked.reason)
    {
        let said = Word {
            by: by.clone(),
            reason: reason.clone(),
            ..asked.clone()
        };
        return Err(of_another(&said, *action, *asked_at, &manifest.run_id));
    }
    Ok(Response::duplicate(manifest))
}

fn of_another(said: &Word, action: Action, at: Timestamp, run_id: &RunId) -> Error {
    let Word { by, reason, .. } = said;
    let at = at.strftime("%F %T UTC");
    Error::AlreadyDecided {
        model: said.model.clone(),
        run_id: said.run_id.clone(),
        story: format!("{by} has said `{action}` at {at}: {reason}; run {run_id} carries that out, and no other word"),
    }
}
