//! ExportConfig: makes a verified candidate the champion.
//!
//! `champion.json` is the truth, written on condition that it is still the champion that the candidate was compared
//! with. Everything else follows from it and can be restored from it: the history, the decision, the mirror in
//! Parameter Store. So a call that died at any point is simply repeated.
//!
//! The endpoint has been deployed and verified before, under the lease, which is given back here.
//!
//! A use case that was removed while the run was under way gets no champion, since nobody could use it. Neither does
//! one that has been onboarded again since: removing a use case promises that no earlier run exports anything.

mod mirror;
mod standing;

use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::ParameterType;
use contracts::champion::Baselines;
use contracts::payload::RowWidth;
use contracts::{Champion, ModelRun, RunId, Verdict, places};
use jiff::Timestamp;
use platform::documents::Condition;
use platform::{Decisions, Documents, Leases, UseCases};
use serde::{Deserialize, Serialize};
use standing::{Standing, standing};

/// How many times a champion that others keep changing is read; each change is another run's export.
const ATTEMPTS: usize = 5;

/// The function.
#[derive(Clone, Debug)]
pub struct ExportConfig {
    documents: Documents,
    decisions: Decisions,
    leases: Leases,
    parameters: Client,
    use_cases: UseCases,
    stack: String,
}

/// The candidate to export.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    /// The model and the run.
    pub run: ModelRun,
    /// The ETag of the `champion.json` that the candidate was compared with; empty when there was none.
    pub champion_etag: String,
    /// The onboarding of the use case under which the run was planned; `None` in executions that predate onboardings.
    #[serde(default)]
    pub onboarding: Option<String>,
    /// What `champion.json` will say about the candidate.
    pub champion: Candidate,
}

/// What `champion.json` says about a candidate; see [`Champion`].
#[derive(Clone, Debug, Deserialize)]
pub struct Candidate {
    /// The version of the use-case document that the run used.
    pub config_version: String,
    /// The image of its algorithm.
    pub image: String,
    /// The name of its training job.
    pub training_job: String,
    /// The SageMaker model, an inference pipeline.
    pub model_name: String,
    /// The name of the endpoint that serves it.
    pub endpoint_name: String,
    /// The configuration that the endpoint was verified on.
    pub endpoint_config: String,
    /// The name of its production variant.
    pub variant_name: String,
    /// Hash of the raw columns.
    pub schema_hash: String,
    /// The raw columns, in the order of the pipeline's rows.
    pub columns: Vec<String>,
    /// Root mean square error on the holdout of its run, in the target's unit.
    pub holdout_rmse: f64,
    /// Number of rows in that holdout.
    pub holdout_rows: u64,
    /// The folder of the holdout on which later candidates are judged as well; `None` in executions that predate it.
    #[serde(default)]
    pub holdout: Option<String>,
    /// The RMSE on that holdout of the champion of the run that made it, in the target's unit.
    #[serde(default)]
    pub holdout_reference_rmse: Option<f64>,
    /// The baselines that its live data is compared with; `None` in executions that predate baselines.
    #[serde(default)]
    pub baselines: Option<Baselines>,
    /// The run that trained it; `None` in executions that predate promotions, which trained it themselves.
    #[serde(default)]
    pub trained_by: Option<RunId>,
}

/// What became of the candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// The outcome.
    pub decision: Outcome,
    /// The candidate's version.
    pub version: RunId,
    /// The reason, in one sentence for people.
    pub reason: String,
}

/// The outcome of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The candidate is the champion, or was until a newer one replaced it.
    Exported,
    /// A newer run's champion was there first.
    Superseded,
    /// The candidate must be compared again: the champion has changed, or another run may have changed the endpoint.
    ChampionChanged,
}

impl ExportConfig {
    /// The function with its clients.
    pub fn new(config: &SdkConfig, bucket: &str, stack: &str) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        Self {
            decisions: Decisions::new(documents.clone()),
            leases: Leases::new(documents.clone()),
            use_cases: UseCases::new(Client::new(config), documents.clone(), stack),
            documents,
            parameters: Client::new(config),
            stack: stack.to_owned(),
        }
    }

    /// Handles a request.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn handle(&self, request: Request, now: Timestamp) -> Result<Response, Error> {
        let (outcome, reason) = self.claim(&request, now).await?;
        let run = &request.run;
        tracing::info!(run_id = %run.run_id, model = run.model, ?outcome, reason, "export");
        match outcome {
            Outcome::Exported => {
                self.decide(run, Verdict::Exported, &reason, now).await?;
                self.mirror(run).await?;
            }
            Outcome::Superseded => self.decide(run, Verdict::Superseded, &reason, now).await?,
            Outcome::ChampionChanged => {}
        }
        self.leases.give_back(run, now).await?;
        Ok(Response {
            decision: outcome,
            version: request.run.run_id,
            reason,
        })
    }

    /// Makes the candidate the champion, if it may be. The history has every champion that ever was: it is added by its
    /// own export and, in case that died in between, again by the export that replaces it.
    async fn claim(&self, request: &Request, now: Timestamp) -> Result<(Outcome, String), Error> {
        let run = &request.run;
        let key = places::use_case::champion(&run.use_case, &run.model);
        for _ in 0..ATTEMPTS {
            let current = self.documents.get::<Champion>(&key).await?;
            match (
                standing(&run.run_id, &request.champion_etag, current.as_ref()),
                &current,
            ) {
                (Standing::Champion, Some(current)) => {
                    self.keep(run, &current.value).await?;
                    return Ok((Outcome::Exported, exported(&current.value)));
                }
                (Standing::Overtaken, Some(current)) => {
                    let newer = &current.value.run_id;
                    return Ok(if self.was_champion(run).await? {
                        (
                            Outcome::Exported,
                            format!("exported, and replaced by run {newer} since"),
                        )
                    } else {
                        (Outcome::Superseded, format!("the champion is of the newer run {newer}"))
                    });
                }
                (Standing::Challenger, previous) => {
                    if !self.leases.renew(run, now, 0).await? {
                        let reason = "the lease of the endpoint was lost: another run may have changed it";
                        return Ok((Outcome::ChampionChanged, reason.to_owned()));
                    }
                    let onboarding = request.onboarding.as_deref();
                    if let Some(removed) = self.use_cases.removed_since(&run.use_case, onboarding).await? {
                        return Err(Error::UseCaseRemoved(removed));
                    }
                    let previous = previous.as_ref();
                    if let Some(previous) = previous {
                        self.keep(run, &previous.value).await?;
                    }
                    let mut champion = champion(request, previous.map(|previous| previous.value.run_id.clone()), now);
                    champion.encoded_row_bytes = self.encoded_row_bytes(&champion).await?;
                    let condition = previous.map_or(Condition::Absent, |previous| Condition::Unchanged(&previous.etag));
                    if self.documents.put(&key, &champion, condition).await?.is_some() {
                        self.keep(run, &champion).await?;
                        return Ok((Outcome::Exported, exported(&champion)));
                    }
                    // Another run was faster, or the SDK repeated the write after its answer was lost: look again.
                }
                (_, Some(current)) => {
                    let reason = format!("run {} has become the champion meanwhile", current.value.run_id);
                    return Ok((Outcome::ChampionChanged, reason));
                }
                (_, None) => {
                    let reason = "the champion that the candidate was compared with is gone";
                    return Ok((Outcome::ChampionChanged, reason.to_owned()));
                }
            }
        }
        Err(Error::ChampionUnsettled(places::uri(self.documents.bucket(), &key)))
    }

    /// The width of the model's encoded rows, as counted by the run that trained it. A champion without it is sent only
    /// a few rows at a time, so it can serve even if the run doesn't say.
    async fn encoded_row_bytes(&self, champion: &Champion) -> Result<Option<u64>, Error> {
        let (use_case, run_id) = (&champion.use_case, champion.trained_by());
        let key = places::RunPlaces { use_case, run_id }.data("summary") + "summary.json";
        match self.documents.get::<RowWidth>(&key).await {
            Ok(summary) => Ok(summary.and_then(|found| found.value.bytes_per_row.encoded_max)),
            Err(error @ platform::Error::Document { .. }) => {
                tracing::warn!(%error, "the width of its encoded rows is not known");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Adds a champion to the history, if it is not there yet.
    async fn keep(&self, run: &ModelRun, champion: &Champion) -> Result<(), Error> {
        let key = places::use_case::history(&run.use_case, &run.model, &champion.run_id);
        self.documents.put(&key, champion, Condition::Absent).await?;
        Ok(())
    }

    async fn was_champion(&self, run: &ModelRun) -> Result<bool, Error> {
        let key = places::use_case::history(&run.use_case, &run.model, &run.run_id);
        Ok(self.documents.get::<Champion>(&key).await?.is_some())
    }

    async fn decide(&self, run: &ModelRun, verdict: Verdict, reason: &str, now: Timestamp) -> Result<(), Error> {
        self.decisions
            .update(run, now, |decision| {
                decision.decision = Some(verdict);
                // The gate has written why the candidate was exported, with the numbers.
                if verdict != Verdict::Exported || decision.reason.is_empty() {
                    reason.clone_into(&mut decision.reason);
                }
            })
            .await?;
        Ok(())
    }

    /// Mirrors `champion.json` and repeats that until it is unchanged afterwards: so whoever writes a parameter last
    /// has read the truth after its last change.
    async fn mirror(&self, run: &ModelRun) -> Result<(), Error> {
        let key = places::use_case::champion(&run.use_case, &run.model);
        let mut mirrored = None;
        for _ in 0..=ATTEMPTS {
            let Some(current) = self.documents.get::<Champion>(&key).await? else {
                return Ok(());
            };
            if mirrored.as_ref() == Some(&current.etag) {
                return Ok(());
            }
            for (name, value) in mirror::parameters(&self.stack, run, &current.value) {
                let request = self.parameters.put_parameter().name(&name).value(value);
                let request = request.r#type(ParameterType::String).overwrite(true);
                let written = request.send().await;
                written.map_err(|error| platform::Error::aws_call(format!("PutParameter {name}"), &error))?;
            }
            mirrored = Some(current.etag);
        }
        Err(Error::ChampionUnsettled(places::uri(self.documents.bucket(), &key)))
    }
}

fn champion(request: &Request, previous: Option<RunId>, now: Timestamp) -> Champion {
    let ModelRun {
        use_case,
        model,
        run_id,
        ..
    } = request.run.clone();
    let Candidate {
        config_version,
        image,
        training_job,
        model_name,
        endpoint_name,
        endpoint_config,
        variant_name,
        schema_hash,
        columns,
        holdout_rmse,
        holdout_rows,
        holdout,
        holdout_reference_rmse,
        baselines,
        trained_by,
    } = request.champion.clone();
    let promoted_from = trained_by.filter(|trained_by| *trained_by != run_id);
    Champion {
        use_case,
        model,
        run_id,
        config_version,
        image,
        training_job,
        model_name,
        endpoint_name,
        endpoint_config,
        variant_name,
        schema_hash,
        columns,
        holdout_rmse,
        holdout_rows,
        holdout,
        holdout_reference_rmse,
        encoded_row_bytes: None,
        baselines,
        promoted_from,
        exported_at: now,
        previous,
    }
}

fn exported(champion: &Champion) -> String {
    format!(
        "run {} is the champion, served by endpoint {} on {}",
        champion.run_id, champion.endpoint_name, champion.endpoint_config
    )
}

/// Why an export failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `ChampionUnsettled`: other runs changed the champion at every look. Worth a retry.
    #[error("{0} was changed by other runs at every look: try again once they have ended")]
    ChampionUnsettled(String),
    /// `UseCaseRemoved`: the use case was removed since the run began, and perhaps onboarded again. Holds what to do.
    #[error("{0}")]
    UseCaseRemoved(String),
    /// An error of the shared shell, `platform`.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error {
    ChampionUnsettled,
    UseCaseRemoved
});
