//! The step `champion`: finds the champion that the candidate is compared with, and prepares the rows that both are
//! scored on.

use crate::{ChampionFound, Error, Response, RmseGate};
use contracts::payload::{self, RowWidth};
use contracts::places::{self, HOLDOUT_FILE, HOLDOUT_NEW, RunPlaces, holdout_of};
use contracts::use_case::{Cleaning, Otherwise, Rule};
use contracts::{Champion, ModelRun, RunId, UseCase, Verdict};
use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;

/// How many objects are deleted at once.
const DELETED_AT_ONCE: usize = 16;

impl RmseGate {
    pub(crate) async fn champion(&self, run: &ModelRun, schema_hash: &str, now: Timestamp) -> Result<Response, Error> {
        let Some(current) = self.current_champion(run).await? else {
            self.lay_out(run, None).await?;
            return Ok(Response::Champion(Box::new(ChampionFound {
                reason: "there is no champion yet".to_owned(),
                ..ChampionFound::default()
            })));
        };
        let champion = current.value;
        let mut found = ChampionFound {
            found: true,
            comparable: champion.schema_hash == schema_hash,
            etag: current.etag,
            model_name: champion.model_name.clone(),
            run_id: champion.run_id.to_string(),
            superseded: champion.run_id > run.run_id,
            data_baseline: champion
                .baselines
                .as_ref()
                .map_or_else(String::new, |it| it.data.clone()),
            own_scores_uri: places::uri(
                &run.bucket,
                &trained_in(&champion).holdout_scores(&champion.model, "candidate"),
            ),
            reason: format!("the champion is of run {}", champion.run_id),
            ..ChampionFound::default()
        };
        if found.superseded {
            found.reason = format!("the champion is of the newer run {}", champion.run_id);
            self.end(run, Verdict::Superseded, found.reason.clone(), now).await?;
            return Ok(Response::Champion(Box::new(found)));
        }
        if !found.comparable {
            found.reason = format!("champion {} has another schema and can't be compared", champion.run_id);
        }
        let before = self.document(&run.use_case, champion.trained_by()).await?;
        let own = self.document(&run.use_case, &run.run_id).await?;
        found.doubts = doubts(&champion, found.comparable, before.as_ref(), own.as_ref());
        let holdout = holdout(run, &champion);
        if !found.comparable {
            self.lay_out(run, None).await?;
        } else if self.lay_out(run, Some((&champion, &holdout))).await? {
            found.holdout_reference_rmse = champion.holdout_reference_rmse.unwrap_or(champion.holdout_rmse);
            found.holdout = holdout;
        } else {
            found.doubts.push(format!(
                "the holdout of champion {} is not there any more ({holdout}): whether the candidate is as good in the \
                 champion's world can't be said",
                champion.run_id
            ));
        }
        Ok(Response::Champion(Box::new(found)))
    }

    /// Copies the holdouts to where the transform jobs read them, in files with as few rows as the wider of the two
    /// models accepts at once. Returns whether the champion's holdout exists.
    async fn lay_out(&self, run: &ModelRun, champion: Option<(&Champion, &str)>) -> Result<bool, Error> {
        let places = run.places();
        let folder = places.judged(&run.model);
        // An earlier round may have prepared other holdouts, or other files.
        self.clear(&folder).await?;
        for by in ["candidate", "champion"] {
            self.clear(&places.holdout_scores(&run.model, by)).await?;
        }
        let widths = [
            Some(self.encoded_row_bytes(run).await?),
            champion.map(|(it, _)| it.encoded_row_bytes),
        ];
        let rows = payload::rows_per_request(widths.into_iter().flatten());
        let (own, new) = (places.holdout(), folder.clone() + HOLDOUT_NEW);
        if !self.documents.copy_in_parts(&run.bucket, &own, &new, rows).await? {
            return Err(Error::HoldoutUnusable {
                place: places::uri(&run.bucket, &own),
                reason: "there is no holdout".to_owned(),
            });
        }
        let Some((champion, holdout)) = champion else {
            return Ok(false);
        };
        match places::parse_uri(holdout) {
            Some((bucket, prefix)) => {
                let key = format!("{prefix}{HOLDOUT_FILE}");
                let name = folder + &holdout_of(&champion.run_id);
                Ok(self.documents.copy_in_parts(bucket, &key, &name, rows).await?)
            }
            None => Ok(false),
        }
    }

    /// The most bytes that the candidate's pipeline makes of a row; `None` if its run doesn't say.
    async fn encoded_row_bytes(&self, run: &ModelRun) -> Result<Option<u64>, Error> {
        let key = run.places().data("summary") + "summary.json";
        let summary = self.documents.get::<RowWidth>(&key).await?;
        Ok(summary.and_then(|summary| summary.value.bytes_per_row.encoded_max))
    }

    async fn clear(&self, folder: &str) -> Result<(), Error> {
        let there = self.documents.listed(folder, None).await?;
        let mut deleting = stream::iter(there)
            .map(|object| async move { self.documents.delete(&object.key).await })
            .buffer_unordered(DELETED_AT_ONCE);
        while let Some(deleted) = deleting.next().await {
            deleted?;
        }
        Ok(())
    }

    /// The document that a run used; `None` if it is gone or can't be read any more.
    async fn document(&self, use_case: &str, run_id: &RunId) -> Result<Option<UseCase>, Error> {
        let key = RunPlaces { use_case, run_id }.code() + "use-case.json";
        match self.documents.get::<UseCase>(&key).await {
            Ok(found) => Ok(found.map(|found| found.value)),
            Err(platform::Error::Document { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The folder of a champion's holdout. Champions of earlier versions don't name it; theirs is in the folder of their
/// run.
fn holdout(run: &ModelRun, champion: &Champion) -> String {
    let places = trained_in(champion);
    champion
        .holdout
        .clone()
        .unwrap_or_else(|| places::uri(&run.bucket, &places.data("holdout")))
}

/// The places of the run that trained a champion.
fn trained_in(champion: &Champion) -> RunPlaces<'_> {
    RunPlaces {
        use_case: &champion.use_case,
        run_id: champion.trained_by(),
    }
}

/// Doubts about a comparison that follow from the documents of both runs.
fn doubts(champion: &Champion, comparable: bool, before: Option<&UseCase>, own: Option<&UseCase>) -> Vec<String> {
    let mut doubts = Vec::new();
    let (Some(before), Some(own)) = (before, own) else {
        if comparable {
            doubts.push(format!(
                "the document that champion {} was trained by is not there any more: whether it predicts the same target, \
                 and was trained on other rows than those of the holdouts, can't be said",
                champion.run_id
            ));
        }
        return doubts;
    };
    if before.target.name != own.target.name {
        doubts.push(format!(
            "the target has changed from `{}` to `{}`",
            before.target.name, own.target.name
        ));
    } else if let (Some(was), Some(is)) = (&before.target.unit, &own.target.unit)
        && was != is
    {
        doubts.push(format!("the unit of the target has changed from {was} to {is}"));
    }
    if comparable && !deals_alike(before, own) {
        doubts.push(format!(
            "`split` or `cleaning` of the document has changed since champion {} was trained: rows of its holdout may be \
             among those that the candidate was trained on",
            champion.run_id
        ));
    }
    doubts
}

/// Whether rows of one document's holdout are also in the other's. Rules that drop rows don't change how rows are
/// split; rules that change their text, or what identifies a row, do.
fn deals_alike(before: &UseCase, now: &UseCase) -> bool {
    let changing = |document: &UseCase| -> Vec<Rule> {
        let rules = document.cleaning.rules.iter();
        let missing =
            rules.filter(|rule| rule.column != document.target.name && rule.otherwise != Some(Otherwise::Drop));
        missing.cloned().collect()
    };
    let identity = |cleaning: &Cleaning| (cleaning.drop_duplicates, cleaning.duplicate_columns.clone());
    before.split.salt == now.split.salt
        && before.split.holdout <= now.split.holdout
        && identity(&before.cleaning) == identity(&now.cleaning)
        && changing(before) == changing(now)
}
