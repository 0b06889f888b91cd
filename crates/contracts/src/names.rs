//! Names of SageMaker resources: at most 63 characters of letters, digits and hyphens.
//!
//! `<stack ≤14>-<use case ≤14>-<model ≤14>-<8 hex of the run>-<step ≤5>-<retry>`; the state machine appends
//! the retry. Endpoints are named after the schema, not the run: they outlive runs.

use crate::run::RunId;

/// The steps of a run that make something in SageMaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The training job.
    Train,
    /// The model (inference pipeline).
    Model,
    /// The transform job that scores the holdout with the candidate.
    Candidate,
    /// The transform job that scores the holdout with the champion.
    Champion,
    /// The processing job that makes the baseline of the raw columns.
    DataBaseline,
    /// The processing job that makes the baseline of the predictions.
    QualityBaseline,
    /// The endpoint configuration.
    Config,
    /// The transform job of a scoring run.
    Score,
    /// The processing job that compares live data with its baseline.
    DataDrift,
    /// The processing job that compares live errors with their baseline.
    ModelDrift,
}

impl Step {
    fn as_str(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Model => "model",
            Self::Candidate => "cand",
            Self::Champion => "champ",
            Self::DataBaseline => "data",
            Self::QualityBaseline => "qual",
            Self::Config => "conf",
            Self::Score => "score",
            Self::DataDrift => "ddrif",
            Self::ModelDrift => "mdrif",
        }
    }
}

/// The name of a model's resource in a run, without the retry.
pub fn model_step(stack: &str, use_case: &str, model: &str, run: &RunId, step: Step) -> String {
    format!("{stack}-{use_case}-{model}-{}-{}", run.short(), step.as_str())
}

/// The name of a run's preprocessing job, without the retry.
pub fn preprocess_job(stack: &str, use_case: &str, run: &RunId) -> String {
    format!("{stack}-{use_case}-{}-prep", run.short())
}

/// The name of the job that combines what a scoring run's models answered, without the retry.
pub fn combine_job(stack: &str, use_case: &str, run: &RunId) -> String {
    format!("{stack}-{use_case}-{}-comb", run.short())
}

/// The name of a model's endpoint for one schema.
pub fn endpoint(stack: &str, use_case: &str, model: &str, schema_hash: &str) -> String {
    format!("{stack}-{use_case}-{model}-{schema_hash}")
}

/// The most characters of a stack's, use case's or model's id: SageMaker names have 63, and the rest is taken by run,
/// step and retry.
pub const MAX_ID: usize = 14;

/// Whether `id` can be part of a name: lower-case letters, digits and single hyphens, beginning with a letter.
pub fn is_id(id: &str) -> bool {
    id.starts_with(|c: char| c.is_ascii_lowercase())
        && !id.ends_with('-')
        && !id.contains("--")
        && id
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_fits_sagemaker() {
        let run = RunId::parse("20261122t183000z-ab12cd34-r12").unwrap();
        let name = model_step("abcdefghijklmn", "used-car-price", "linear-learner", &run, Step::Train);
        // The machine appends a round and a retry, a digit each.
        assert!(format!("{name}-99").len() <= 63, "{name}");
    }

    #[test]
    fn a_rerun_has_names_of_its_own() {
        let first = RunId::parse("20261122t183000z-ab12cd34").unwrap();
        let again = RunId::parse("20261122t183000z-ab12cd34-r2").unwrap();
        assert_ne!(preprocess_job("s", "u", &first), preprocess_job("s", "u", &again));
    }
}
