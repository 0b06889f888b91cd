//! ExportConfig: makes a verified candidate the champion.
//!
//! `champion.json` is the truth, written on condition that it is still the champion that the candidate was
//! compared with. Everything else follows it and can be made good from it: the history, the decision, the mirror
//! in Parameter Store. So a call that died anywhere is simply made again.
//!
//! The endpoint has been deployed and verified before, under the lease, which is given back here.
//!
//! A use case that was removed while the run was under way gets no champion: nobody could read it. Nor does one that was
//! onboarded again since: whoever removes a use case is promised that no run of before exports.

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

/// Looks at a champion that others keep changing; each change is another run's export.
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
    /// Which model of which run.
    pub run: ModelRun,
    /// Of the `champion.json` that the candidate was compared with; empty when there was none.
    pub champion_etag: String,
    /// Under which onboarding of the use case the run was planned; executions older than this don't say.
    #[serde(default)]
    pub onboarding: Option<String>,
    /// What it will say of the candidate.
    pub champion: Candidate,
}

/// What `champion.json` says of a candidate; see [`Champion`].
#[derive(Clone, Debug, Deserialize)]
pub struct Candidate {
    /// The document's version that the run went by.
    pub config_version: String,
    /// The image of its algorithm.
    pub image: String,
    /// The training job.
    pub training_job: String,
    /// The inference pipeline.
    pub model_name: String,
    /// The endpoint that serves it.
    pub endpoint_name: String,
    /// The configuration that the endpoint was verified on.
    pub endpoint_config: String,
    /// Its production variant.
    pub variant_name: String,
    /// Of the raw columns.
    pub schema_hash: String,
    /// The raw columns, in the order of the pipeline's rows.
    pub columns: Vec<String>,
    /// On the holdout of its run, in the target's unit.
    pub holdout_rmse: f64,
    /// Rows of that holdout.
    pub holdout_rows: u64,
    /// The folder of the holdout that later candidates are judged on as well; an execution older than that names none.
    #[serde(default)]
    pub holdout: Option<String>,
    /// What was reached on it by the champion of the run that made it.
    #[serde(default)]
    pub holdout_reference_rmse: Option<f64>,
    /// What its live data is compared with; an execution older than baselines names none.
    #[serde(default)]
    pub baselines: Option<Baselines>,
    /// The run that trained it; an execution older than promotions doesn't say, and trained it itself.
    #[serde(default)]
    pub trained_by: Option<RunId>,
}

/// What became of the candidate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Response {
    /// What became of it.
    pub decision: Outcome,
    /// The candidate's version.
    pub version: RunId,
    /// Why, in one sentence for people.
    pub reason: String,
}

/// What became of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is the champion, or was until a newer one replaced it.
    Exported,
    /// A newer run's champion was there first.
    Superseded,
    /// It must be compared again: the champion has changed, or another run may have changed the endpoint.
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

    /// Answers one request.
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

    /// Puts the candidate in the champion's place, if it may. The history has every champion that ever was: its
    /// own export puts it in, and so does the export that replaces it, lest the former died in between.
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
                    // Somebody was faster, or a lost answer made the SDK write twice: look again.
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

    /// What the run that trained it has counted. A champion that doesn't say is asked with few rows at once, so that one
    /// whose run says nothing serves as well.
    async fn encoded_row_bytes(&self, champion: &Champion) -> Result<Option<u64>, Error> {
        let (use_case, run_id) = (&champion.use_case, champion.trained_by());
        let key = places::RunPlaces { use_case, run_id }.data("summary") + "summary.json";
        match self.documents.get::<RowWidth>(&key).await {
            Ok(summary) => Ok(summary.and_then(|found| found.value.bytes_per_row.encoded_max)),
            Err(error @ platform::Error::Document { .. }) => {
                tracing::warn!(%error, "how wide its rows become is not known");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps a champion in the history, if it is not there yet.
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
                // What the gate wrote tells why it was exported, with the numbers.
                if verdict != Verdict::Exported || decision.reason.is_empty() {
                    reason.clone_into(&mut decision.reason);
                }
            })
            .await?;
        Ok(())
    }

    /// Mirrors what `champion.json` says, until it says the same afterwards: whoever writes a parameter last has
    /// looked at the truth after that.
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

/// Why the export has not come to an end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `ChampionUnsettled`: other runs changed the champion at every look. Worth a retry.
    #[error("{0} was changed by other runs at every look: try again once they have ended")]
    ChampionUnsettled(String),
    /// `UseCaseRemoved`: somebody has removed the use case since the run began, be it onboarded again or not. Holds what
    /// to do.
    #[error("{0}")]
    UseCaseRemoved(String),
    /// What `platform` says.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error {
    ChampionUnsettled,
    UseCaseRemoved
});
