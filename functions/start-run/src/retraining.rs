//! Drift that was found: a training run, where the document says so, on the data that it names.

use crate::check::Columns;
use crate::claims::{Claim, Wanted};
use crate::copies::AT_ONCE;
use crate::drift_notices::nothing_to_train_on;
use crate::executions::execution_arn;
use crate::retrainings::LOOKS;
use crate::{Error, Outcome, Response, StartRun};
use contracts::monitoring::{DriftDetected, Retrainings};
use contracts::places::{self, Drop, RunPlaces};
use contracts::run::{ObjectVersion, RunKind, Source};
use contracts::use_case::{Retraining, RetrainingDrops};
use contracts::{RunId, RunState, UseCase};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use platform::Listed;
use platform::documents::Condition;

/// What the cap counts in.
const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);
/// An execution that is not there after this time will not come any more: its call died, and is not made again.
const STARTING: SignedDuration = SignedDuration::from_mins(10);
/// Most dropped files that are trained on again, the newest.
const MOST_DROPS: usize = 100;
/// Most files of labelled rows, the newest: a window each.
const MOST_LABELLED: usize = 500;

impl StartRun {
    pub(crate) async fn drift(&self, found: &DriftDetected, now: Timestamp) -> Result<Response, Error> {
        let use_case = &found.use_case;
        let (document, pointer) = self.use_cases.get(use_case).await?;
        let rules = &document.retraining;
        if !rules.on_drift {
            let reason = format!("the document of `{use_case}` leaves retraining to people");
            return Ok(Response::ignored(reason));
        }
        let run_id = RunId::for_drift(found.found_at, use_case, &found.run_id);
        let list = self.retrainings(use_case).await?.0;
        if let Some(reason) = self.objection(rules, &list, &run_id, now).await? {
            return Ok(Response::ignored(reason));
        }
        let inputs = match self.manifest(use_case, &run_id).await? {
            Some(claimed) => claimed.value.inputs,
            None => self.training_data(found, &document, &pointer.version_id, now).await?,
        };
        if inputs.is_empty() {
            self.notices.publish(&nothing_to_train_on(found)).await?;
            return Ok(Response {
                reason: Some("there is nothing to train on".to_owned()),
                ..Response::of(Outcome::Refused)
            });
        }
        // After the data: what can't start counts neither for the cool-down nor for the cap.
        if let Some(reason) = self.admit(use_case, rules, &run_id, now).await? {
            return Ok(Response::ignored(reason));
        }
        let wanted = Wanted {
            use_case,
            run_id: &run_id,
            kind: RunKind::Training,
            source: Source::Drift {
                drifted_model: found.model.clone(),
                found_by: found.run_id.clone(),
                found_at: found.found_at,
                top_features: found.top_features.clone(),
                drifted_metrics: found.drifted_metrics.clone(),
            },
            inputs,
        };
        match self.claim(wanted, now).await? {
            Claim::Done(manifest) => Ok(Response::duplicate(manifest)),
            Claim::Queued(manifest) => self.go_on_queued(&manifest, now).await,
            Claim::Ours(claim) => self.launch(claim, now).await,
        }
    }

    /// Writes the run down among those that drift has started, unless it may not be: then why not. Of two models that
    /// drift at the same time, one starts a run.
    async fn admit(
        &self,
        use_case: &str,
        rules: &Retraining,
        run_id: &RunId,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        let key = places::use_case::retrainings(use_case);
        for _ in 0..LOOKS {
            let (mut list, etag) = self.retrainings(use_case).await?;
            if let Some(reason) = self.objection(rules, &list, run_id, now).await? {
                return Ok(Some(reason));
            }
            if list.runs.contains_key(&run_id.to_string()) {
                return Ok(None);
            }
            list.runs.retain(|_, started| now.duration_since(*started) < WEEK);
            list.runs.insert(run_id.to_string(), now);
            let condition = etag.as_deref().map_or(Condition::Absent, Condition::Unchanged);
            if self.documents.put(&key, &list, condition).await?.is_some() {
                return Ok(None);
            }
        }
        Err(Error::DocumentContended(places::uri(&self.settings.bucket, &key)))
    }

    /// Why a run may not be started now; nothing is said against one that is in the list.
    async fn objection(
        &self,
        rules: &Retraining,
        list: &Retrainings,
        run_id: &RunId,
        now: Timestamp,
    ) -> Result<Option<String>, Error> {
        if list.runs.contains_key(&run_id.to_string()) {
            return Ok(None);
        }
        let within_week = list.runs.iter();
        let within_week = within_week.filter(|(_, started)| now.duration_since(**started) < WEEK);
        let count = within_week.clone().count();
        let newest = within_week.max_by_key(|(_, started)| **started);
        if let Some((run, started)) = newest {
            let passed = now.duration_since(*started);
            let cooldown = SignedDuration::from_hours(i64::from(rules.cooldown_hours));
            if passed < cooldown {
                let hours = rules.cooldown_hours;
                return Ok(Some(format!(
                    "run {run}, which drift has started, is not {hours} h ago: the document's cool-down"
                )));
            }
            let arn = execution_arn(&self.settings.training_state_machine_arn, run);
            let under_way = self.runs(&arn).await?.unwrap_or(passed < STARTING);
            if under_way {
                return Ok(Some(format!("run {run}, which drift has started, is under way")));
            }
        }
        let cap = rules.max_per_week as usize;
        Ok((count >= cap).then(|| format!("drift has started {count} runs within 7 days; the document allows {cap}")))
    }

    /// The object versions that the document says to train on. Dropped files that were refused stay where they are: they
    /// are passed over.
    async fn training_data(
        &self,
        found: &DriftDetected,
        document: &UseCase,
        config_version: &str,
        now: Timestamp,
    ) -> Result<Vec<ObjectVersion>, Error> {
        let use_case = &found.use_case;
        let data = &document.retraining.data;
        let wanted = match data.drops {
            RetrainingDrops::None => 0,
            RetrainingDrops::Latest => 1,
            RetrainingDrops::All => MOST_DROPS,
        };
        let mut inputs = Vec::new();
        if wanted > 0 {
            let columns = Columns::of_training(document);
            let prefix = places::incoming(use_case, Drop::Training);
            let listed = newest(self.documents.listed(&prefix, None).await?, MOST_DROPS, Timestamp::MIN);
            let newest_first = self.in_order(listed).await?;
            let looks = newest_first
                .iter()
                .map(|key| self.to_train_on(use_case, key, &columns, config_version));
            let looks = stream::iter(looks);
            let mut looks = std::pin::pin!(looks.buffered(AT_ONCE).try_filter_map(async |found| Ok(found)));
            while inputs.len() < wanted
                && let Some(object) = looks.try_next().await?
            {
                inputs.push(object);
            }
            inputs.reverse();
        }
        if data.labelled_days > 0 {
            let since = now - SignedDuration::from_hours(24 * i64::from(data.labelled_days));
            let prefix = places::use_case::labelled(use_case, &found.model);
            let keys = newest(self.documents.listed(&prefix, None).await?, MOST_LABELLED, since);
            let looks = stream::iter(keys.iter().map(|it| self.object(&it.key, None)));
            let labelled: Vec<Option<ObjectVersion>> = looks.buffered(AT_ONCE).try_collect().await?;
            inputs.extend(labelled.into_iter().flatten());
        }
        Ok(inputs)
    }

    /// A dropped file that can be trained on. One that was deleted since it was listed, or was refused, can't.
    async fn to_train_on(
        &self,
        use_case: &str,
        key: &str,
        columns: &Columns,
        config_version: &str,
    ) -> Result<Option<ObjectVersion>, Error> {
        let Some(object) = self.object(key, None).await? else {
            return Ok(None);
        };
        if let Err(refusal) = self.check(&object, columns).await? {
            tracing::info!(key, %refusal, "the file is not trained on");
            return Ok(None);
        }
        if self.was_useless(use_case, &object, config_version).await? {
            tracing::info!(key, "the file is not trained on: Preprocess has refused it");
            return Ok(None);
        }
        Ok(Some(object))
    }

    /// Whether the last run of a dropped file, by the present document, has ended before Preprocess was done.
    async fn was_useless(&self, use_case: &str, object: &ObjectVersion, config_version: &str) -> Result<bool, Error> {
        let mut run_id = self.run_of(object).await?;
        let mut last = None;
        while let Some(manifest) = self.manifest(use_case, &run_id).await? {
            run_id = run_id.rerun();
            last = Some(manifest.value);
        }
        let tried = last.filter(|it| it.state == RunState::Started && it.config_version == config_version);
        let Some(run_id) = tried.map(|it| it.run_id) else {
            return Ok(false);
        };
        let summary = RunPlaces {
            use_case,
            run_id: &run_id,
        }
        .data("summary");
        if !self.documents.listed(&summary, None).await?.is_empty() {
            return Ok(false);
        }
        let arn = execution_arn(&self.settings.training_state_machine_arn, &run_id.to_string());
        Ok(self.runs(&arn).await? != Some(true))
    }

    /// The keys of listed drops, the newest first, those of one second in the order of their runs: what is the newest for
    /// the queue and for champions is so here.
    async fn in_order(&self, mut listed: Vec<Listed>) -> Result<Vec<String>, Error> {
        listed.reverse();
        let mut keys = Vec::with_capacity(listed.len());
        for second in listed.chunk_by(|one, other| one.last_modified == other.last_modified) {
            if let [alone] = second {
                keys.push(alone.key.clone());
                continue;
            }
            let mut runs = Vec::new();
            for it in second {
                if let Some(object) = self.object(&it.key, None).await? {
                    runs.push((self.run_of(&object).await?, object.key));
                }
            }
            runs.sort_unstable_by(|one, other| other.cmp(one));
            keys.extend(runs.into_iter().map(|(_, key)| key));
        }
        Ok(keys)
    }
}

/// The newest objects, the oldest of them first.
fn newest(mut objects: Vec<Listed>, most: usize, since: Timestamp) -> Vec<Listed> {
    // Times of objects are whole seconds.
    objects.retain(|it| !it.key.ends_with('/') && it.last_modified.as_second() >= since.as_second());
    objects.sort_by(|one, other| (one.last_modified, &one.key).cmp(&(other.last_modified, &other.key)));
    let surplus = objects.len().saturating_sub(most);
    objects.drain(..surplus);
    objects
}
