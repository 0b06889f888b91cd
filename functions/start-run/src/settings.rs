//! What the template tells the function.

use contracts::use_case::{Algorithm, Model};

/// The function's settings; fields are named after their environment variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The stack's short name: the first part of every name.
    pub stack: String,
    /// The stack's bucket.
    pub bucket: String,
    /// The stack's topic.
    pub topic_arn: String,
    /// The training machine.
    pub training_state_machine_arn: String,
    /// The batch-scoring machine.
    pub scoring_state_machine_arn: String,
    /// The monitoring machine.
    pub monitor_state_machine_arn: String,
    /// Seconds between two looks at an endpoint that is being made or updated.
    pub endpoint_poll_seconds: u32,
    /// Images of the region.
    pub images: Images,
}

/// The platform's images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    /// XGBoost.
    pub xgboost: String,
    /// Linear Learner.
    pub linear_learner: String,
    /// Runs preprocess.py; serves transformer and normaliser.
    pub sklearn: String,
    /// The analyzer, which makes baselines and judges live data by them, and drivetrain-combine.
    pub monitor: String,
}

impl Images {
    /// That of a model's algorithm. A sound document names an image where it names no algorithm.
    pub(crate) fn of(&self, model: &Model) -> String {
        match model.algorithm {
            Some(Algorithm::Xgboost) => self.xgboost.clone(),
            Some(Algorithm::LinearLearner) => self.linear_learner.clone(),
            None => model.image.clone().unwrap_or_default(),
        }
    }
}

impl Settings {
    /// Reads the environment.
    ///
    /// # Errors
    /// [`platform::Error::Settings`] names the variable that is missing.
    pub fn from_env() -> Result<Self, platform::Error> {
        Ok(Self {
            stack: platform::setting("STACK")?,
            bucket: platform::setting("BUCKET")?,
            topic_arn: platform::setting("TOPIC_ARN")?,
            training_state_machine_arn: platform::setting("TRAINING_STATE_MACHINE_ARN")?,
            scoring_state_machine_arn: platform::setting("SCORING_STATE_MACHINE_ARN")?,
            monitor_state_machine_arn: platform::setting("MONITOR_STATE_MACHINE_ARN")?,
            endpoint_poll_seconds: number("ENDPOINT_POLL_SECONDS")?,
            images: Images {
                xgboost: platform::setting("XGBOOST_IMAGE")?,
                linear_learner: platform::setting("LINEAR_LEARNER_IMAGE")?,
                sklearn: platform::setting("SKLEARN_IMAGE")?,
                monitor: platform::setting("MONITOR_IMAGE")?,
            },
        })
    }
}

fn number(name: &'static str) -> Result<u32, platform::Error> {
    let number = platform::setting(name)?.parse().ok().filter(|number| *number > 0);
    number.ok_or(platform::Error::Settings(name))
}
