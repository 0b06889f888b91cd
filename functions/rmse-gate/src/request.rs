//! What the gate is asked, a form for each step.

use crate::response::ChampionFound;
use contracts::decision::CandidateMade;
use contracts::failure::Caught;
use contracts::use_case::{Approval, Gate};
use contracts::{ModelRun, Promotion};
use serde::Deserialize;

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
        /// Hash of the candidate's raw columns.
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
