//! Ticks of the clock, and looks at live data that somebody asks for: monitoring runs.

use crate::executions::execution_arn;
use crate::plan::{self, Job};
use crate::upkeep::Kept;
use crate::{Error, Outcome, Response, StartRun, Started};
use contracts::monitoring::{Bookmark, Watch};
use contracts::places::{self, RunPlaces};
use contracts::run::{RunKind, Source};
use contracts::use_case::{Model, Monitoring, UseCase};
use contracts::{Champion, ConfigPointer, Manifest, Notice, RunId, RunState, Severity};
use jiff::{SignedDuration, Timestamp};
use platform::Findings;
use platform::documents::Condition;

/// Ticks come a little early or late.
const SLACK: SignedDuration = SignedDuration::from_secs(60);

/// What became of a look at a model.
enum Looked {
    Started(RunId, String),
    /// A run of this model is under way.
    Busy,
    NotDue,
    /// There is nothing to look at yet.
    NoChampion,
}

impl StartRun {
    /// Starts what the documents say is due, and makes up for what calls have left undone.
    ///
    /// What is wrong with one use case keeps no other from its turn. People are told once a day of what stays wrong, an
    /// unsound document for one; a call of AWS that failed fails the tick after the others, and it is made again.
    pub(crate) async fn tick(&self, tick: Timestamp, now: Timestamp) -> Result<Response, Error> {
        let mut runs = Vec::new();
        let mut failure = None;
        for use_case in self.documents.folders(places::use_case::ALL, None).await? {
            let mut kept = Kept::default();
            // Boxed: nested any deeper, the compiler gives up on the future's layout.
            if let Some((document, pointer)) = Box::pin(self.upkeep(&use_case, now, &mut kept)).await {
                self.tick_of(&document, &pointer, tick, now, &mut kept).await;
            }
            kept.trouble.sort();
            kept.trouble.dedup();
            if !kept.trouble.is_empty()
                && let Err(error) = self.tell_of_trouble(&use_case, tick, &kept.trouble, now).await
            {
                kept.note(error);
            }
            runs.extend(kept.started);
            failure = failure.or(kept.failure);
        }
        match failure {
            Some(error) => Err(error),
            None => Ok(Response::several(runs, "nothing is due")),
        }
    }

    async fn tell_of_trouble(
        &self,
        use_case: &str,
        tick: Timestamp,
        trouble: &[String],
        now: Timestamp,
    ) -> Result<(), Error> {
        tracing::error!(use_case, ?trouble, "a tick can't do all of its work");
        let run_id = RunId::for_tick(tick, use_case, "");
        let notice = trouble.iter().fold(
            Notice::new(
                use_case,
                Severity::Error,
                "what is due can't be done",
                &format!(
                    "Every 15 minutes Drivetrain looks what is due. Something of use case {use_case} can't be done; it is \
                     tried again each time, and told once a day while it stays so."
                ),
            ),
            |notice, text| notice.line("error", text),
        );
        let notice = notice.line("what to do", "docs/errors.md names each error, and what to do.");
        let findings = Findings::new(self.documents.clone(), self.notices.clone());
        findings
            .tell_of_use_case(use_case, &run_id, &trouble.join("; "), &notice, now)
            .await?;
        Ok(())
    }

    /// Starts a look at a model, or at all of a use case, due or not.
    pub(crate) async fn monitor(&self, use_case: &str, model: Option<&str>, now: Timestamp) -> Result<Response, Error> {
        let (document, pointer) = self.use_cases.get(use_case).await?;
        let not_watched = |model: &str, reason: &str| Error::NotWatched {
            use_case: use_case.to_owned(),
            model: model.to_owned(),
            reason: reason.to_owned(),
        };
        let Some(rules) = &document.monitoring else {
            let all = model.unwrap_or("no model");
            return Err(not_watched(
                all,
                "its document has no `monitoring`: add it and onboard the document",
            ));
        };
        let names: Vec<&Model> = match model {
            Some(name) => vec![
                document
                    .model(name)
                    .ok_or_else(|| not_watched(name, "its document has no such model"))?,
            ],
            None => document.models.iter().collect(),
        };
        let mut runs = Vec::new();
        let mut busy = false;
        for named in names {
            let watched = Watched {
                document: &document,
                rules,
                config_version: &pointer.version_id,
                model: named,
            };
            match self.look(&watched, now, true, now).await? {
                Looked::Started(run_id, arn) if model.is_some() => return Ok(Response::started(run_id, arn)),
                Looked::Started(run_id, _) => runs.push(started(use_case, named, run_id)),
                Looked::Busy | Looked::NotDue if model.is_some() => {
                    return Ok(Response {
                        reason: Some(format!("a monitoring run of {} is under way", named.name)),
                        ..Response::of(Outcome::Busy)
                    });
                }
                Looked::NoChampion if model.is_some() => {
                    return Err(not_watched(&named.name, "it has no champion: drop a file for training"));
                }
                Looked::Busy | Looked::NotDue => busy = true,
                Looked::NoChampion => {}
            }
        }
        if !runs.is_empty() {
            return Ok(Response::several(runs, ""));
        }
        if !busy {
            return Err(not_watched("no model", "none has a champion: drop a file for training"));
        }
        Ok(Response {
            reason: Some("every model that has a champion is being looked at".to_owned()),
            ..Response::of(Outcome::Busy)
        })
    }

    /// Starts the looks that are due. One model's unreadable documents don't keep the others from being watched.
    async fn tick_of(
        &self,
        document: &UseCase,
        pointer: &ConfigPointer,
        tick: Timestamp,
        now: Timestamp,
        kept: &mut Kept,
    ) {
        let Some(rules) = &document.monitoring else {
            return;
        };
        for model in &document.models {
            let watched = Watched {
                document,
                rules,
                config_version: &pointer.version_id,
                model,
            };
            match self.look(&watched, tick, false, now).await {
                Ok(Looked::Started(run_id, _)) => kept.started.push(started(&document.use_case, model, run_id)),
                Ok(Looked::Busy | Looked::NotDue | Looked::NoChampion) => {}
                Err(error) => kept.note(error),
            }
        }
    }

    /// Starts a run of a model if it is due or `forced`, and none is under way.
    async fn look(
        &self,
        watched: &Watched<'_>,
        tick: Timestamp,
        forced: bool,
        now: Timestamp,
    ) -> Result<Looked, Error> {
        let (use_case, model) = (&watched.document.use_case, &watched.model.name);
        let champion = places::use_case::champion(use_case, model);
        if self.documents.get::<Champion>(&champion).await?.is_none() {
            return Ok(Looked::NoChampion);
        }
        let key = places::use_case::watch(use_case, model);
        let mut last = self.documents.get::<Watch>(&key).await?;
        if let Some(last) = &mut last {
            let due = forced || self.is_due(watched, &last.value, tick).await?;
            let begun = last.value.execution_arn.is_some();
            if begun && !due {
                return Ok(Looked::NotDue);
            }
            let name = last.value.run_id.to_string();
            let runs = self
                .runs(&execution_arn(&self.settings.monitor_state_machine_arn, &name))
                .await?;
            if !begun {
                // The call that claimed this run has died, or is about to start it. It is started under the same name,
                // so that it is one run whoever does.
                let Some((arn, etag)) = self.begin(watched, &last.value, &last.etag, now).await? else {
                    return Ok(Looked::Busy);
                };
                if runs.is_none() {
                    return Ok(Looked::Started(last.value.run_id.clone(), arn));
                }
                last.etag = etag;
            }
            if runs == Some(true) {
                return Ok(Looked::Busy);
            }
            if !due {
                return Ok(Looked::NotDue);
            }
        }
        let watch = Watch {
            run_id: RunId::for_tick(tick, use_case, model),
            tick,
            execution_arn: None,
        };
        let condition = last
            .as_ref()
            .map_or(Condition::Absent, |last| Condition::Unchanged(&last.etag));
        // Another call was faster: its run is under way, or will be at once.
        let Some(etag) = self.documents.put(&key, &watch, condition).await? else {
            return Ok(Looked::Busy);
        };
        Ok(match self.begin(watched, &watch, &etag, now).await? {
            Some((arn, _)) => Looked::Started(watch.run_id, arn),
            None => Looked::Busy,
        })
    }

    /// Starts the run of a watch and writes its execution down; gives that and the watch's new ETag. `None` when another
    /// call has done the same meanwhile: of two, one says that it has started the run. It can be done again.
    async fn begin(
        &self,
        watched: &Watched<'_>,
        watch: &Watch,
        etag: &str,
        now: Timestamp,
    ) -> Result<Option<(String, String)>, Error> {
        let execution_arn = self.start_watch(watched, &watch.run_id, watch.tick, now).await?;
        let begun = Watch {
            execution_arn: Some(execution_arn.clone()),
            ..watch.clone()
        };
        let key = places::use_case::watch(&watched.document.use_case, &watched.model.name);
        let etag = self.documents.put(&key, &begun, Condition::Unchanged(etag)).await?;
        Ok(etag.map(|etag| (execution_arn, etag)))
    }

    async fn start_watch(
        &self,
        watched: &Watched<'_>,
        run_id: &RunId,
        tick: Timestamp,
        now: Timestamp,
    ) -> Result<String, Error> {
        let plan = plan::monitoring(
            watched.document,
            watched.rules,
            &self.settings,
            &Job {
                run_id,
                config_version: watched.config_version,
                onboarding: None,
                started_by_drift: false,
            },
            watched.model,
            tick,
        );
        // serde_json fails on maps without text keys and on failing writers; a plan has neither.
        let text = serde_json::to_string(&plan).unwrap_or_default();
        let machine = &self.settings.monitor_state_machine_arn;
        let execution_arn = self.start(machine, &run_id.to_string(), text).await?;
        let use_case = &watched.document.use_case;
        let manifest = Manifest {
            run_id: run_id.clone(),
            use_case: use_case.clone(),
            kind: RunKind::Monitoring,
            state: RunState::Started,
            source: Source::Tick {
                watched_model: watched.model.name.clone(),
                tick,
            },
            inputs: Vec::new(),
            config_version: watched.config_version.to_owned(),
            onboarding: None,
            claimed_at: now,
            execution_arn: Some(execution_arn.clone()),
            reason: None,
            overtaken_by: None,
        };
        // The watch is the claim; this is for readers.
        let key = RunPlaces { use_case, run_id }.manifest();
        self.documents.put(&key, &manifest, Condition::Absent).await?;
        Ok(execution_arn)
    }

    async fn is_due(&self, watched: &Watched<'_>, last: &Watch, tick: Timestamp) -> Result<bool, Error> {
        if tick <= last.tick {
            return Ok(false);
        }
        let interval = SignedDuration::from_mins(i64::from(watched.rules.every_minutes));
        if tick.duration_since(last.tick) + SLACK >= interval {
            return Ok(true);
        }
        let key = places::use_case::bookmark(&watched.document.use_case, &watched.model.name);
        let bookmark = self.documents.get::<Bookmark>(&key).await?;
        Ok(bookmark.is_some_and(|bookmark| bookmark.value.more))
    }
}

/// A model that is watched, and by what.
struct Watched<'a> {
    document: &'a UseCase,
    rules: &'a Monitoring,
    config_version: &'a str,
    model: &'a Model,
}

fn started(use_case: &str, model: &Model, run_id: RunId) -> Started {
    Started {
        use_case: use_case.to_owned(),
        model: Some(model.name.clone()),
        outcome: Outcome::Started,
        run_id,
    }
}
