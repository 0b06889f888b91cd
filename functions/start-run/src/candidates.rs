//! What a promotion is of: a held candidate or a former champion, found in the documents of an earlier run; and the run that
//! brings it into service.

use crate::check::Refusal;
use crate::plan::{self, Job};
use crate::{Error, Response, StartRun};
use aws_sdk_sagemaker::error::ProvideErrorMetadata;
use contracts::places::{self, RunPlaces};
use contracts::promotion::{Action, CandidateRecord, asked_by};
use contracts::run::Source;
use contracts::use_case::Model;
use contracts::{Champion, Decision, Manifest, Notice, Promotion, RunId, Severity, UseCase, words};
use jiff::Timestamp;
use platform::Versioned;

/// What is to be promoted, and what is known of its baselines.
pub(crate) struct Found {
    pub record: CandidateRecord,
    /// The unit of its values; none where the document that it was trained by names none, or is not there any more.
    pub unit: Option<String>,
    /// Where its baselines are, or how they are made.
    baselines: plan::Baselined,
}

impl StartRun {
    /// Starts a claimed promotion, or refuses it when what it promotes is gone by now.
    pub(crate) async fn launch_promotion(
        &self,
        claim: Versioned<Manifest>,
        document: &UseCase,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let Manifest {
            use_case,
            run_id,
            config_version,
            onboarding,
            source,
            ..
        } = &claim.value;
        let Source::Promotion {
            promoted_model,
            from_run,
            action,
            by,
            reason,
            asked_at,
            replaces,
            anyway,
            rerun_by,
        } = source
        else {
            let refusal = Refusal::new("says nothing of what it promotes", "Ask for the promotion again.");
            return self.refuse(claim, &refusal, now).await;
        };
        let found = match document.model(promoted_model) {
            None => Err(format!("can't be done: the document has no model {promoted_model}")),
            Some(model) => {
                let held = match action {
                    Action::Rollback => None,
                    Action::Approve => Some(self.held(use_case, promoted_model, from_run).await?.value),
                };
                match self.found(model, use_case, from_run, held.as_ref()).await {
                    Ok(found) => Ok((model, found)),
                    Err(error @ Error::NoSuchCandidate { .. }) => Err(format!("can't be done: {error}")),
                    Err(error) => return Err(error),
                }
            }
        };
        let (model, found) = match found {
            Ok(found) => found,
            Err(reason) => {
                let champions = self.command(&format!("champions {use_case} {promoted_model}"));
                let refusal = Refusal::new(reason, format!("Name another run of `{champions}`."));
                return self.refuse(claim, &refusal, now).await;
            }
        };
        let promotion = Promotion {
            action: *action,
            by: by.clone(),
            reason: reason.clone(),
            at: *asked_at,
            replaces: replaces.clone(),
            anyway: *anyway,
            candidate: found.record,
        };
        let job = Job {
            run_id,
            config_version,
            onboarding: onboarding.as_deref(),
            started_by_drift: false,
        };
        let notice = begun(&claim.value, model, &promotion, rerun_by.as_deref());
        let plan = plan::promotion(document, &self.settings, &job, model, promotion, found.baselines);
        // serde_json fails on maps without text keys and on failing writers; a plan has neither.
        let text = serde_json::to_string(&plan).unwrap_or_default();
        // Before it is started: told twice when the call dies in between, but not too late.
        self.notices.publish(&notice).await?;
        let machine = self.settings.training_state_machine_arn.clone();
        self.start_claimed(claim, &machine, text).await
    }

    /// The candidate of a run, whose model SageMaker still has.
    pub(crate) async fn found(
        &self,
        model: &Model,
        use_case: &str,
        from_run: &RunId,
        held: Option<&Decision>,
    ) -> Result<Found, Error> {
        let found = self.documented(model, use_case, from_run, held).await?;
        let name = &found.record.model_name;
        if self.has_model(name).await? {
            return Ok(found);
        }
        let champions = self.command(&format!("champions {use_case} {}", model.name));
        let again = self
            .trained_again(use_case, &model.name, &found.record.trained_by)
            .await?;
        Err(Error::NoSuchCandidate {
            use_case: use_case.to_owned(),
            model: model.name.clone(),
            reason: format!(
                "SageMaker has no model {name} of run {from_run} any more: somebody has deleted it. Name another run of \
                 `{champions}`, or {again}"
            ),
        })
    }

    /// What trains on a run's file again, so that its candidate can become the champion.
    async fn trained_again(&self, use_case: &str, model: &str, run_id: &RunId) -> Result<String, Error> {
        let champion = self.present_champion(use_case, model).await?;
        let newer = champion.filter(|champion| champion.run_id.first() > run_id.first());
        let Some(newer) = newer else {
            let rerun = self.command(&format!("rerun {run_id}"));
            return Ok(format!("train on the same file again: `{rerun}`"));
        };
        let manifest = self.manifest(use_case, run_id).await?;
        let object = manifest.and_then(|manifest| manifest.value.source.object().cloned());
        let file = object.map_or_else(
            || "drop a file like the one that it was trained on".to_owned(),
            |object| format!("drop {} again", places::uri(&object.bucket, &object.key)),
        );
        Ok(format!(
            "{file}: a rerun would end `superseded`, since champion {} is newer",
            newer.run_id
        ))
    }

    /// Whether SageMaker has a model of that name.
    async fn has_model(&self, name: &str) -> Result<bool, Error> {
        let Err(error) = self.sagemaker.describe_model().model_name(name).send().await else {
            return Ok(true);
        };
        match error.code() {
            _ if platform::is_missing_in_sagemaker(&error) => Ok(false),
            // One that was named before names began with `<stack>--`, and is gone or has lost its tags: the run finds out.
            Some("AccessDeniedException") => {
                tracing::warn!(model = name, %error, "it is not known whether the model is there");
                Ok(true)
            }
            _ => Err(platform::Error::aws_call(format!("DescribeModel {name}"), &error).into()),
        }
    }

    /// The candidate of a run by the documents: a former champion, or what `held` is the decision on.
    async fn documented(
        &self,
        model: &Model,
        use_case: &str,
        from_run: &RunId,
        held: Option<&Decision>,
    ) -> Result<Found, Error> {
        let unknown = |reason: String| Error::NoSuchCandidate {
            use_case: use_case.to_owned(),
            model: model.name.clone(),
            reason,
        };
        let Some(held) = held else {
            let key = places::use_case::history(use_case, &model.name, from_run);
            let former = self.documents.get::<Champion>(&key).await?.ok_or_else(|| {
                unknown(format!(
                    "run {from_run} was never its champion; `{}` lists those that were",
                    self.command(&format!("champions {use_case} {}", model.name))
                ))
            })?;
            let record = CandidateRecord::of_champion(&former.value, &self.settings.bucket);
            return Ok(Found {
                baselines: plan::Baselined::There(record.baselines.clone()),
                unit: self.unit_of(use_case, &record.trained_by).await?,
                record,
            });
        };
        let candidate = held.candidate.as_ref();
        let comparison = held.comparison.as_ref();
        let (Some(candidate), Some(comparison)) = (candidate, comparison) else {
            return Err(unknown(format!("the decision of run {from_run} names no candidate")));
        };
        let holdout_rmse = comparison
            .candidate_rmse
            .ok_or_else(|| unknown(format!("the candidate of run {from_run} has no RMSE on the holdout")))?;
        let manifest = self.manifest(use_case, from_run).await?;
        let manifest = manifest.ok_or_else(|| unknown(format!("run {from_run} has no run.json")))?;
        // Columns and image are those of the document that the run went by.
        let document = self.use_cases.version(use_case, &manifest.value.config_version).await?;
        let places = RunPlaces {
            use_case,
            run_id: from_run,
        };
        let bucket = &self.settings.bucket;
        let baselines = plan::trained(
            &document,
            &self.settings,
            from_run,
            &manifest.value.config_version,
            model,
        );
        let record = CandidateRecord {
            trained_by: from_run.clone(),
            image: self.settings.images.of(document.model(&model.name).unwrap_or(model)),
            training_job: candidate.training_job.clone(),
            model_name: candidate.model_name.clone(),
            schema_hash: document.schema_hash(),
            columns: document.columns(),
            holdout_rmse,
            holdout_rows: comparison.holdout_rows,
            holdout: candidate
                .holdout
                .clone()
                .unwrap_or_else(|| places::uri(bucket, &places.data("holdout"))),
            holdout_reference_rmse: candidate.holdout_reference_rmse.unwrap_or(holdout_rmse),
            baselines: baselines.places.clone(),
        };
        let there = self.has_baselines(&places, &model.name).await?;
        Ok(Found {
            baselines: if there {
                plan::Baselined::There(baselines.places)
            } else {
                plan::Baselined::ToMake(Box::new(baselines))
            },
            unit: document.target.unit,
            record,
        })
    }

    /// The unit of the target in the document that a run went by. What can't be read keeps no champion from coming back.
    async fn unit_of(&self, use_case: &str, run_id: &RunId) -> Result<Option<String>, Error> {
        let key = RunPlaces { use_case, run_id }.code() + "use-case.json";
        match self.documents.get::<UseCase>(&key).await {
            Ok(found) => Ok(found.and_then(|found| found.value.target.unit)),
            Err(error @ platform::Error::Document { .. }) => {
                tracing::warn!(%error, "the unit of its values is not known");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the run that trained a candidate has made its baselines.
    async fn has_baselines(&self, places: &RunPlaces<'_>, model: &str) -> Result<bool, Error> {
        for of in ["data", "quality"] {
            let key = places.baseline(model, of) + "constraints.json";
            if self.object(&key, None).await?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(crate) async fn present_champion(&self, use_case: &str, model: &str) -> Result<Option<Champion>, Error> {
        let key = places::use_case::champion(use_case, model);
        Ok(self.documents.get(&key).await?.map(|champion| champion.value))
    }
}

/// A run, or none.
pub(crate) fn named(run: Option<&RunId>) -> String {
    run.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// What people are told when a promotion begins.
fn begun(manifest: &Manifest, model: &Model, promotion: &Promotion, rerun_by: Option<&str>) -> Notice {
    let Promotion {
        by,
        reason,
        candidate,
        replaces,
        ..
    } = promotion;
    let (model, by) = (&model.name, words::name(by));
    let trained_by = &candidate.trained_by;
    let (headline, what) = match promotion.action {
        Action::Approve => (
            format!("{by} has approved the held candidate of {model}"),
            format!("the candidate of run {trained_by}"),
        ),
        Action::Rollback => (
            format!("{by} rolls {model} back to run {trained_by}"),
            format!("the former champion of run {trained_by}"),
        ),
    };
    let text = format!(
        "Run {} brings {what} into service as {model} of use case {}, without training. What serves goes on serving until \
         the endpoint has been verified on it; the run's end is told as well.",
        manifest.run_id, manifest.use_case
    );
    let rmse = format!(
        "{} on the {} of its holdout",
        words::number(candidate.holdout_rmse),
        words::counted(candidate.holdout_rows, "row", "rows")
    );
    let mut notice = Notice::new(&manifest.use_case, Severity::Info, &headline, &text)
        .line("asked for by", asked_by(&promotion.by, rerun_by))
        .line("because", reason)
        .line("in place of", named(replaces.as_ref()))
        .line("its RMSE", rmse);
    if candidate.baselines.is_none() {
        notice = notice.line(
            "baselines",
            "it has none: its live data can't be compared with anything",
        );
    }
    notice.line("run", &manifest.run_id)
}
