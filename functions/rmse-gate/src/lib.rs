//! The gate: judges a candidate, and keeps the decision document that says how and why.
//!
//! Two questions, in the order of the training machine: is the training metric under the threshold, and is the
//! candidate better than the champion on the same holdout? The rules are in [`rules`] and in `docs/gate.md`.
//! Training, scoring and exporting belong to others; the champion is only read here.

mod holdout;
mod rejection;
pub mod rules;
pub mod scores;

use aws_config::SdkConfig;
use contracts::decision::{CandidateMade, Comparison, ThresholdCheck};
use contracts::use_case::Gate;
use contracts::{Champion, Failure, ModelRun, RunId, Verdict, places};
use jiff::Timestamp;
use platform::{Decisions, Documents, Notices, Versioned};
use rules::Opponent;
use serde::{Deserialize, Serialize};

/// The function.
#[derive(Clone, Debug)]
pub struct RmseGate {
    documents: Documents,
    decisions: Decisions,
    notices: Notices,
}

/// One step of the gate.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Request {
    /// Is the metric under the threshold?
    Threshold {
        /// Which model of which run.
        run: ModelRun,
        /// The metric's name.
        metric: String,
        /// Its value in the target's unit; null when training diverged.
        value_rmse: Option<f64>,
        /// What it must be under.
        threshold_rmse: f64,
    },
    /// Whom will the candidate be compared with?
    Champion {
        /// Which model of which run.
        run: ModelRun,
        /// Of the candidate's raw columns.
        schema_hash: String,
    },
    /// Is the candidate better than the champion on the same holdout?
    Compare {
        /// Which model of which run.
        run: ModelRun,
        /// The candidate, with its scores.
        candidate: CandidateMade,
        /// What the step `champion` found.
        champion: ChampionFound,
        /// The champion's scores, below this prefix.
        champion_scores_uri: String,
        /// Whether the job that made them succeeded.
        champion_scored: bool,
        /// The rules.
        gate: Gate,
    },
    /// Tells people of a rejection, once.
    NotifyRejection {
        /// Which model of which run.
        run: ModelRun,
    },
    /// Ends the decision with `failed`.
    Fail {
        /// Which model of which run.
        run: ModelRun,
        /// What the machine caught.
        error: CaughtError,
    },
    /// Ends the decision with `superseded`.
    Supersede {
        /// Which model of which run.
        run: ModelRun,
        /// Why.
        reason: String,
    },
}

/// What a Catch puts into the state's data.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct CaughtError {
    /// The error's name.
    pub error: String,
    /// Text or JSON; States.Timeout, for one, has none.
    pub cause: String,
}

/// The answer, a form for each step. Every key is always there, so that every path of the machine exists.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// To `threshold`.
    Threshold {
        /// Whether the candidate passes.
        passed: bool,
        /// Why, with the numbers.
        reason: String,
    },
    /// To `champion`.
    Champion(ChampionFound),
    /// To `compare`.
    Compare {
        /// Whether the candidate passes.
        passed: bool,
        /// Why, with the numbers.
        reason: String,
        /// The candidate's RMSE on the holdout.
        candidate_rmse: f64,
        /// The champion's on the same rows; null when there is none or it could not be scored.
        champion_rmse: Option<f64>,
        /// Rows of the holdout.
        holdout_rows: u64,
        /// The folder of the holdout that later candidates will be judged on as well.
        holdout: String,
        /// What the candidate has reached on it.
        holdout_reference_rmse: f64,
    },
    /// To the steps that end a model's run.
    Ended {
        /// The model.
        model: String,
        /// Its decision.
        decision: Verdict,
        /// Why.
        reason: String,
    },
}

/// The champion as a run has found it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChampionFound {
    /// Whether there is one.
    pub found: bool,
    /// Whether it can score the candidate's holdout: there is one, with the same raw columns.
    pub comparable: bool,
    /// Of `champion.json`, to export on condition of; empty when there is none.
    pub etag: String,
    /// Its inference pipeline; empty when there is none.
    pub model_name: String,
    /// Its run; empty when there is none.
    pub run_id: String,
    /// Whether it is of a newer run: the candidate is out of date.
    pub superseded: bool,
    /// One sentence for people.
    pub reason: String,
}

impl RmseGate {
    /// The function with its clients.
    pub fn new(config: &SdkConfig, bucket: &str, topic_arn: &str) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        Self {
            decisions: Decisions::new(documents.clone()),
            notices: Notices::new(aws_sdk_sns::Client::new(config), topic_arn),
            documents,
        }
    }

    /// Answers one request.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn handle(&self, request: Request, now: Timestamp) -> Result<Response, Error> {
        match request {
            Request::Threshold {
                run,
                metric,
                value_rmse,
                threshold_rmse,
            } => {
                let judgement = rules::threshold(&metric, value_rmse, threshold_rmse);
                let check = ThresholdCheck {
                    metric,
                    value_rmse,
                    threshold_rmse,
                    passed: judgement.passed,
                };
                self.threshold(&run, check, judgement.reason, now).await
            }
            Request::Champion { run, schema_hash } => self.champion(&run, &schema_hash, now).await,
            Request::Compare {
                run,
                candidate,
                champion,
                champion_scores_uri,
                champion_scored,
                gate,
            } => {
                let champion_scores_uri = champion_scored.then_some(champion_scores_uri.as_str());
                let contest = self
                    .contest(&candidate.scores_uri, &champion, champion_scores_uri)
                    .await?;
                self.compare(&run, candidate, &contest, &gate, now).await
            }
            Request::NotifyRejection { run } => self.notify_rejection(&run, now).await,
            Request::Fail { run, error } => self.fail(&run, &error, now).await,
            Request::Supersede { run, reason } => self.end(&run, Verdict::Superseded, reason, now).await,
        }
    }

    async fn threshold(
        &self,
        run: &ModelRun,
        check: ThresholdCheck,
        reason: String,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let passed = check.passed;
        tracing::info!(run_id = %run.run_id, model = run.model, passed, reason, "threshold");
        self.decisions
            .update(run, now, |decision| {
                decision.decision = (!passed).then_some(Verdict::RejectedThreshold);
                decision.reason.clone_from(&reason);
                decision.threshold = Some(check);
            })
            .await?;
        Ok(Response::Threshold { passed, reason })
    }

    async fn champion(&self, run: &ModelRun, schema_hash: &str, now: Timestamp) -> Result<Response, Error> {
        let Some(current) = self.current_champion(run).await? else {
            return Ok(Response::Champion(ChampionFound {
                found: false,
                comparable: false,
                etag: String::new(),
                model_name: String::new(),
                run_id: String::new(),
                superseded: false,
                reason: "there is no champion yet".to_owned(),
            }));
        };
        let champion = current.value;
        let superseded = champion.run_id > run.run_id;
        let comparable = champion.schema_hash == schema_hash;
        let reason = if superseded {
            format!("the champion is of the newer run {}", champion.run_id)
        } else if comparable {
            format!("the champion is of run {}", champion.run_id)
        } else {
            format!("champion {} has another schema and can't be compared", champion.run_id)
        };
        if superseded {
            self.end(run, Verdict::Superseded, reason.clone(), now).await?;
        }
        Ok(Response::Champion(ChampionFound {
            found: true,
            comparable,
            etag: current.etag,
            model_name: champion.model_name,
            run_id: champion.run_id.to_string(),
            superseded,
            reason,
        }))
    }

    /// Reads both scores; an error when they can't be compared for a reason that is not the champion's.
    async fn contest(
        &self,
        candidate_scores_uri: &str,
        champion: &ChampionFound,
        champion_scores_uri: Option<&str>,
    ) -> Result<Contest, Error> {
        let s3 = self.documents.client();
        let unusable = |reason: String| Error::HoldoutUnusable {
            place: candidate_scores_uri.to_owned(),
            reason,
        };
        let candidate = holdout::read(s3, candidate_scores_uri).await?.map_err(unusable)?;
        if candidate.rows() == 0 {
            return Err(unusable("there are no scores".to_owned()));
        }
        let candidate_rmse = candidate.rmse();
        if !candidate_rmse.is_finite() {
            return Err(unusable("predictions are not all finite numbers".to_owned()));
        }
        let contest = |opponent| Contest {
            candidate_rmse,
            holdout_rows: candidate.rows(),
            opponent,
        };
        // The run id was parsed when the champion was read: only "no champion" has none.
        let Some(run) = RunId::parse(&champion.run_id).filter(|_| champion.found) else {
            return Ok(contest(Opponent::None));
        };
        if !champion.comparable {
            return Ok(contest(Opponent::OtherSchema(run)));
        }
        let Some(champion_scores_uri) = champion_scores_uri else {
            let reason = "its transform job failed".to_owned();
            return Ok(contest(Opponent::NotScored(run, reason)));
        };
        let scores = match holdout::read(s3, champion_scores_uri).await? {
            Ok(scores) => scores,
            Err(reason) => return Ok(contest(Opponent::NotScored(run, reason))),
        };
        if !scores.are_of_the_rows_of(&candidate) {
            return Err(Error::HoldoutMismatch {
                candidate: candidate_scores_uri.to_owned(),
                candidate_rows: candidate.rows(),
                champion: champion_scores_uri.to_owned(),
                champion_rows: scores.rows(),
            });
        }
        Ok(contest(if scores.rmse().is_finite() {
            Opponent::Scored(run, scores.rmse())
        } else {
            Opponent::NotScored(run, "its predictions are not all finite numbers".to_owned())
        }))
    }

    async fn compare(
        &self,
        run: &ModelRun,
        candidate: CandidateMade,
        contest: &Contest,
        gate: &Gate,
        now: Timestamp,
    ) -> Result<Response, Error> {
        let Contest {
            candidate_rmse,
            holdout_rows,
            ref opponent,
        } = *contest;
        let judgement = rules::comparison(candidate_rmse, opponent, gate.min_improvement);
        let (champion_run_id, champion_rmse) = match opponent {
            Opponent::None => (None, None),
            Opponent::OtherSchema(run) | Opponent::NotScored(run, _) => (Some(run.clone()), None),
            Opponent::Scored(run, rmse) => (Some(run.clone()), Some(*rmse)),
        };
        let rules::Judgement { passed, reason } = judgement;
        tracing::info!(run_id = %run.run_id, model = run.model, passed, reason, "comparison");
        self.decisions
            .update(run, now, |decision| {
                decision.decision = (!passed).then_some(Verdict::RejectedChampion);
                decision.reason.clone_from(&reason);
                decision.comparison = Some(Comparison {
                    candidate_rmse: Some(candidate_rmse),
                    champion_rmse,
                    champion_run_id,
                    holdout_rows,
                    min_improvement: gate.min_improvement,
                    passed,
                });
                decision.candidate = Some(candidate);
            })
            .await?;
        Ok(Response::Compare {
            passed,
            reason,
            candidate_rmse,
            champion_rmse,
            holdout_rows,
            holdout: places::uri(&run.bucket, &run.places().data("holdout")),
            holdout_reference_rmse: candidate_rmse,
        })
    }

    async fn notify_rejection(&self, run: &ModelRun, now: Timestamp) -> Result<Response, Error> {
        let decision = self.decisions.get(run).await?;
        let rejection = decision.and_then(|decision| match decision.decision {
            Some(verdict @ (Verdict::RejectedThreshold | Verdict::RejectedChampion)) => Some((decision, verdict)),
            _ => None,
        });
        let (decision, verdict) = rejection.ok_or_else(|| Error::NotRejected(run.clone()))?;
        if decision.notified_at.is_none() {
            let champion = self.current_champion(run).await?.map(|champion| champion.value);
            let notice = rejection::notice(&decision, verdict, champion.as_ref());
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

    /// The document keeps the verdict `exported` where the candidate has become the champion; the answer is
    /// `failed` all the same, so that the execution fails and somebody looks at what went wrong after it.
    async fn fail(&self, run: &ModelRun, caught: &CaughtError, now: Timestamp) -> Result<Response, Error> {
        let failure = Failure::readable(&caught.error, &caught.cause);
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

    async fn current_champion(&self, run: &ModelRun) -> Result<Option<Versioned<Champion>>, Error> {
        let key = places::use_case::champion(&run.use_case, &run.model);
        Ok(self.documents.get(&key).await?)
    }

    async fn end(&self, run: &ModelRun, verdict: Verdict, reason: String, now: Timestamp) -> Result<Response, Error> {
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

/// Candidate and opponent on the same holdout.
struct Contest {
    candidate_rmse: f64,
    holdout_rows: u64,
    opponent: Opponent,
}

/// Why there is no judgement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `HoldoutUnusable`: the candidate's scores judge nothing.
    #[error("the candidate's holdout scores in {place} can't be used: {reason}; look at its transform job")]
    HoldoutUnusable {
        /// Where they lie.
        place: String,
        /// What is wrong with them.
        reason: String,
    },
    /// `HoldoutMismatch`: both were scored, but not on the same rows.
    #[error(
        "candidate and champion were not scored on the same rows: {candidate_rows} rows in {candidate}, \
         {champion_rows} in {champion}; look at both transform jobs"
    )]
    HoldoutMismatch {
        /// Where the candidate's scores lie.
        candidate: String,
        /// How many they are.
        candidate_rows: u64,
        /// Where the champion's scores lie.
        champion: String,
        /// How many they are.
        champion_rows: u64,
    },
    /// `ScoresUriInvalid`: the plan names no place.
    #[error("`{0}` is not the URI of holdout scores: it must read s3://bucket/prefix/")]
    ScoresUriInvalid(String),
    /// `NotRejected`: there is no rejection to tell people of.
    #[error("model {} of run {} has not been rejected: there is nothing to tell people", .0.model, .0.run_id)]
    NotRejected(ModelRun),
    /// What `platform` says.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

impl Error {
    /// The name that state machines match.
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::HoldoutUnusable { .. } => "HoldoutUnusable",
            Self::HoldoutMismatch { .. } => "HoldoutMismatch",
            Self::ScoresUriInvalid(_) => "ScoresUriInvalid",
            Self::NotRejected(_) => "NotRejected",
            Self::Platform(error) => error.error_type(),
        }
    }
}

platform::diagnostic!(Error);
