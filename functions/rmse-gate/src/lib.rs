//! The gate: judges a candidate, and keeps the decision document that says how and why.
//!
//! Its questions, in the order of the training machine: is the training metric under the threshold, is the candidate
//! better than a naive baseline and than the champion, and is there doubt? The rules are in [`rules`] and in
//! `docs/gate.md`. Training, scoring and exporting are done elsewhere; the champion is only read here.

pub mod chance;
mod compare;
mod contest;
mod doubt;
mod ending;
pub mod fault;
pub mod labels;
mod notice;
mod opponent;
pub mod pairs;
mod promotion;
pub mod rules;
pub mod scores;

use aws_config::SdkConfig;
use contracts::decision::{CandidateMade, ThresholdCheck};
use contracts::failure::Caught;
use contracts::use_case::{Approval, Gate};
use contracts::{Champion, ModelRun, Promotion, Verdict, places};
use jiff::Timestamp;
use platform::{Decisions, Documents, Notices, UseCases, Versioned};
use serde::{Deserialize, Serialize};

/// The function.
#[derive(Clone, Debug)]
pub struct RmseGate {
    documents: Documents,
    decisions: Decisions,
    notices: Notices,
    use_cases: UseCases,
    stack: String,
}

/// One step of the gate.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Request {
    /// Is the metric under the threshold?
    Threshold {
        /// The model and the run.
        run: ModelRun,
        /// The metric's name.
        metric: String,
        /// Its value in the target's unit; null when training diverged.
        value_rmse: Option<f64>,
        /// The value that it must be under.
        threshold_rmse: f64,
    },
    /// Which champion will the candidate be compared with? Prepares the rows that both are scored on.
    Champion {
        /// The model and the run.
        run: ModelRun,
        /// Hash of the candidate's raw columns.
        schema_hash: String,
    },
    /// Is the candidate better than the naive baseline, and than the champion on the same holdouts?
    Compare(Box<Comparing>),
    /// Is there doubt, or does the document require approval?
    Doubt {
        /// The model and the run.
        run: ModelRun,
        /// The answer of the step `champion`.
        champion: ChampionFound,
        /// When approval is required.
        approval: Approval,
        /// Whether drift has started the run.
        started_by_drift: bool,
    },
    /// Notifies people, once, of a candidate that was rejected or held.
    NotifyRejection {
        /// The model and the run.
        run: ModelRun,
    },
    /// Which champion does a promoted candidate replace? Records who requested the promotion, and why.
    Promote {
        /// The model and the run.
        run: ModelRun,
        /// What is promoted, by whom and why.
        promotion: Box<Promotion>,
    },
    /// Ends the decision with `failed`.
    Fail {
        /// The model and the run.
        run: ModelRun,
        /// The error that the machine caught.
        error: Caught,
        /// The onboarding of the use case under which the run was planned; `None` in executions that predate
        /// onboardings.
        #[serde(default)]
        onboarding: Option<String>,
    },
    /// Ends the decision with `superseded`.
    Supersede {
        /// The model and the run.
        run: ModelRun,
        /// The reason.
        reason: String,
    },
}

/// What is compared, and how.
#[derive(Clone, Debug, Deserialize)]
pub struct Comparing {
    /// The model and the run.
    pub run: ModelRun,
    /// The candidate; its scores are below its `scores_uri`.
    pub candidate: CandidateMade,
    /// The answer of the step `champion`.
    pub champion: ChampionFound,
    /// The prefix of the champion's scores.
    pub champion_scores_uri: String,
    /// Whether the job that scored the champion succeeded.
    pub champion_scored: bool,
    /// Why it did not.
    #[serde(default)]
    pub champion_error: Caught,
    /// The rules of the gate in the use-case document.
    pub gate: Gate,
    /// Whether drift has started the run.
    #[serde(default)]
    pub started_by_drift: bool,
}

/// The answer; each step has a form of its own. Every key is always present, so that every path that the machine uses
/// exists.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Response {
    /// The answer to `threshold`.
    Threshold {
        /// Whether the candidate passes.
        passed: bool,
        /// The reason, with the numbers.
        reason: String,
    },
    /// The answer to `champion`.
    Champion(Box<ChampionFound>),
    /// The answer to `compare`.
    Compare {
        /// Whether the candidate passes.
        passed: bool,
        /// The reason, with the numbers.
        reason: String,
        /// The candidate's RMSE on the holdout of this run, in the target's unit.
        candidate_rmse: f64,
        /// The champion's RMSE on the same rows; null when there is no champion or it could not be scored.
        champion_rmse: Option<f64>,
        /// Number of rows in the holdout.
        holdout_rows: u64,
        /// The folder of the holdout that later candidates will be judged on as well.
        holdout: String,
        /// The RMSE on that holdout of the champion of the run that made it.
        holdout_reference_rmse: f64,
    },
    /// The answer to `doubt`.
    Doubt {
        /// Whether approval is required first.
        held: bool,
        /// The reason.
        reason: String,
    },
    /// The answer to `promote`.
    Replaced {
        /// The ETag of `champion.json` on whose condition to export; empty when there is none.
        etag: String,
        /// Whether the champion comes from a newer run, so that the promotion is out of date.
        superseded: bool,
        /// The reason, in one sentence for people.
        reason: String,
    },
    /// The answer to the steps that end a model's run.
    Ended {
        /// The model.
        model: String,
        /// Its decision.
        decision: Verdict,
        /// The reason.
        reason: String,
    },
}

/// The champion as a run has found it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChampionFound {
    /// Whether there is a champion.
    pub found: bool,
    /// Whether it can score the candidate's holdout: it exists and has the same raw columns.
    pub comparable: bool,
    /// The ETag of `champion.json` on whose condition to export; empty when there is none.
    pub etag: String,
    /// Its SageMaker model, an inference pipeline; empty when there is none.
    pub model_name: String,
    /// The id of its run; empty when there is none.
    pub run_id: String,
    /// Whether it comes from a newer run, so that the candidate is out of date.
    pub superseded: bool,
    /// The folder of its holdout, on which both are scored as well; empty when they are not.
    pub holdout: String,
    /// The RMSE on that holdout of the champion of the run that made it.
    pub holdout_reference_rmse: f64,
    /// The folder of the statistics of its training data; empty when it has none.
    pub data_baseline: String,
    /// The folder of its scores of the holdout of the run that trained it: if the two can't be compared, the labels in
    /// it tell whether the target has changed.
    pub own_scores_uri: String,
    /// Reasons why a comparison with it may be misleading, one sentence each.
    pub doubts: Vec<String>,
    /// What was found, in one sentence for people.
    pub reason: String,
}

impl RmseGate {
    /// The function with its clients.
    pub fn new(config: &SdkConfig, stack: &str, bucket: &str, topic_arn: &str) -> Self {
        let documents = Documents::new(platform::s3_client(config), bucket);
        Self {
            decisions: Decisions::new(documents.clone()),
            notices: Notices::new(aws_sdk_sns::Client::new(config), topic_arn),
            use_cases: UseCases::new(aws_sdk_ssm::Client::new(config), documents.clone(), stack),
            documents,
            stack: stack.to_owned(),
        }
    }

    /// Handles a request.
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
            Request::Compare(comparing) => self.compare(*comparing, now).await,
            Request::Doubt {
                run,
                champion,
                approval,
                started_by_drift,
            } => self.doubt(&run, &champion, approval, started_by_drift, now).await,
            Request::NotifyRejection { run } => self.notify_rejection(&run, now).await,
            Request::Promote { run, promotion } => self.promote(&run, &promotion, now).await,
            Request::Fail { run, error, onboarding } => self.fail(&run, &error, onboarding.as_deref(), now).await,
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

    async fn current_champion(&self, run: &ModelRun) -> Result<Option<Versioned<Champion>>, Error> {
        let key = places::use_case::champion(&run.use_case, &run.model);
        Ok(self.documents.get(&key).await?)
    }
}

/// Why there is no judgement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `HoldoutUnusable`: the candidate's scores can't be used to judge it.
    #[error("the candidate's holdout scores in {place} can't be used: {reason}; look at its transform job")]
    HoldoutUnusable {
        /// The place of the scores.
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
        /// The place of the candidate's scores.
        candidate: String,
        /// The number of rows in them.
        candidate_rows: u64,
        /// The place of the champion's scores.
        champion: String,
        /// The number of rows in them.
        champion_rows: u64,
    },
    /// `ChampionNotScored`: the champion was not scored, and its own model is not the cause.
    #[error(
        "champion {champion} could not be scored, and not by its own fault: {reason}; it goes on serving, and the file can \
         be dropped again or its run be run again (`drivetrain rerun`)"
    )]
    ChampionNotScored {
        /// The champion's run.
        champion: String,
        /// What went wrong.
        reason: String,
    },
    /// `ScoresUriInvalid`: the plan names no valid place.
    #[error("`{0}` is not the URI of holdout scores: it must read s3://bucket/prefix/")]
    ScoresUriInvalid(String),
    /// `NotCompared`: there is no comparison that could be doubted.
    #[error("model {} of run {} has not been compared: there is nothing to have doubts of", .0.model, .0.run_id)]
    NotCompared(ModelRun),
    /// `NotRejected`: there is no rejection to notify people of.
    #[error("model {} of run {} has neither been rejected nor held: there is nothing to tell people", .0.model, .0.run_id)]
    NotRejected(ModelRun),
    /// `ChampionChanged`: the champion is no longer the one that a promotion was meant to replace.
    #[error(
        "the champion of {model} was {expected} when the promotion was asked for and is {found} now: look at it, then ask \
         again"
    )]
    ChampionChanged {
        /// The model.
        model: String,
        /// The champion when the promotion was requested.
        expected: String,
        /// The present champion.
        found: String,
    },
    /// An error of the shared shell, `platform`.
    #[error(transparent)]
    Platform(#[from] platform::Error),
}

platform::error_types!(Error {
    HoldoutUnusable,
    HoldoutMismatch,
    ChampionNotScored,
    ScoresUriInvalid,
    NotCompared,
    NotRejected,
    ChampionChanged,
});
