//! The gate: judges a candidate, and keeps the decision document that says how and why.
//!
//! Its questions, in the order of the training machine: is the training metric under the threshold, is the candidate
//! better than naive and than the champion, and is there doubt? The rules are in [`rules`] and in `docs/gate.md`.
//! Training, scoring and exporting belong to others; the champion is only read here.

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
        /// Which model of which run.
        run: ModelRun,
        /// The metric's name.
        metric: String,
        /// Its value in the target's unit; null when training diverged.
        value_rmse: Option<f64>,
        /// What it must be under.
        threshold_rmse: f64,
    },
    /// Whom will the candidate be compared with? Lays out what both are scored on.
    Champion {
        /// Which model of which run.
        run: ModelRun,
        /// Of the candidate's raw columns.
        schema_hash: String,
    },
    /// Is the candidate better than naive, and than the champion on the same holdouts?
    Compare(Box<Comparing>),
    /// Is there doubt, or does the document want people to be asked?
    Doubt {
        /// Which model of which run.
        run: ModelRun,
        /// What the step `champion` found.
        champion: ChampionFound,
        /// When people are asked.
        approval: Approval,
        /// Whether drift has started the run.
        started_by_drift: bool,
    },
    /// Tells people of a candidate that was rejected or held, once.
    NotifyRejection {
        /// Which model of which run.
        run: ModelRun,
    },
    /// Whom does a promoted candidate take the place of? Writes down who wants it, and why.
    Promote {
        /// Which model of which run.
        run: ModelRun,
        /// What is promoted, by whom and why.
        promotion: Box<Promotion>,
    },
    /// Ends the decision with `failed`.
    Fail {
        /// Which model of which run.
        run: ModelRun,
        /// What the machine caught.
        error: Caught,
        /// Under which onboarding of the use case the run was planned; executions older than this don't say.
        #[serde(default)]
        onboarding: Option<String>,
    },
    /// Ends the decision with `superseded`.
    Supersede {
        /// Which model of which run.
        run: ModelRun,
        /// Why.
        reason: String,
    },
}

/// What is compared.
#[derive(Clone, Debug, Deserialize)]
pub struct Comparing {
    /// Which model of which run.
    pub run: ModelRun,
    /// The candidate; its scores lie below its `scores_uri`.
    pub candidate: CandidateMade,
    /// What the step `champion` found.
    pub champion: ChampionFound,
    /// The champion's scores, below this prefix.
    pub champion_scores_uri: String,
    /// Whether the job that made them succeeded.
    pub champion_scored: bool,
    /// Why not.
    #[serde(default)]
    pub champion_error: Caught,
    /// The rules.
    pub gate: Gate,
    /// Whether drift has started the run.
    #[serde(default)]
    pub started_by_drift: bool,
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
    Champion(Box<ChampionFound>),
    /// To `compare`.
    Compare {
        /// Whether the candidate passes.
        passed: bool,
        /// Why, with the numbers.
        reason: String,
        /// The candidate's RMSE on the holdout of this run.
        candidate_rmse: f64,
        /// The champion's on the same rows; null when there is none or it could not be scored.
        champion_rmse: Option<f64>,
        /// Rows of the holdout.
        holdout_rows: u64,
        /// The folder of the holdout that later candidates will be judged on as well.
        holdout: String,
        /// What was reached on it by the champion of the run that made it.
        holdout_reference_rmse: f64,
    },
    /// To `doubt`.
    Doubt {
        /// Whether people are asked first.
        held: bool,
        /// Why.
        reason: String,
    },
    /// To `promote`.
    Replaced {
        /// Of `champion.json`, to export on condition of; empty when there is none.
        etag: String,
        /// Whether it is of a newer run: the promotion is out of date.
        superseded: bool,
        /// One sentence for people.
        reason: String,
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
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// The folder of its holdout, which both are scored on as well; empty when they are not.
    pub holdout: String,
    /// What was reached on it by the champion of the run that made it.
    pub holdout_reference_rmse: f64,
    /// The folder of the statistics of its training data; empty when it has none.
    pub data_baseline: String,
    /// The folder of its scores of the holdout of the run that trained it: where the two can't be compared, its labels
    /// tell whether the target is what it was.
    pub own_scores_uri: String,
    /// Why a comparison with it may not mean what it seems to, a sentence each.
    pub doubts: Vec<String>,
    /// One sentence for people.
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
    /// `ChampionNotScored`: the champion was not scored, and not by its own fault.
    #[error(
        "champion {champion} could not be scored, and not by its own fault: {reason}; it goes on serving, and the file can \
         be dropped again or its run be run again (`drivetrain rerun`)"
    )]
    ChampionNotScored {
        /// Its run.
        champion: String,
        /// What went wrong.
        reason: String,
    },
    /// `ScoresUriInvalid`: the plan names no place.
    #[error("`{0}` is not the URI of holdout scores: it must read s3://bucket/prefix/")]
    ScoresUriInvalid(String),
    /// `NotCompared`: there is no comparison to have doubts of.
    #[error("model {} of run {} has not been compared: there is nothing to have doubts of", .0.model, .0.run_id)]
    NotCompared(ModelRun),
    /// `NotRejected`: there is no rejection to tell people of.
    #[error("model {} of run {} has neither been rejected nor held: there is nothing to tell people", .0.model, .0.run_id)]
    NotRejected(ModelRun),
    /// `ChampionChanged`: the champion is no longer the one that a promotion was to take the place of.
    #[error(
        "the champion of {model} was {expected} when the promotion was asked for and is {found} now: look at it, then ask \
         again"
    )]
    ChampionChanged {
        /// The model.
        model: String,
        /// The champion of that time.
        expected: String,
        /// The champion of now.
        found: String,
    },
    /// What `platform` says.
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
