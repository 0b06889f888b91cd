//! What the plans of all kinds of runs are made of.

use crate::settings::Settings;
use contracts::RunId;
use contracts::names;
use contracts::places::{self, RunPlaces};
use contracts::use_case::{Model, UseCase};
use serde_json::{Value, json};

/// Where SageMaker puts the processing job's inputs, and takes its outputs from.
pub(super) const PROCESSING: &str = "/opt/ml/processing";

/// Which run of which version of the document.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The run.
    pub run_id: &'a RunId,
    /// The document's version.
    pub config_version: &'a str,
    /// Under which onboarding of the use case; of a run that exports nothing it doesn't matter.
    pub onboarding: Option<&'a str>,
    /// Whether drift has started it.
    pub started_by_drift: bool,
}

/// What a plan is made of.
pub(super) struct Planner<'a> {
    pub document: &'a UseCase,
    pub settings: &'a Settings,
    pub job: Job<'a>,
    pub places: RunPlaces<'a>,
}

impl<'a> Planner<'a> {
    pub fn new(document: &'a UseCase, settings: &'a Settings, job: Job<'a>) -> Self {
        Self {
            document,
            settings,
            job,
            places: RunPlaces {
                use_case: &document.use_case,
                run_id: job.run_id,
            },
        }
    }

    pub fn tags(&self, model: Option<&Model>) -> Value {
        let run_id = self.job.run_id.to_string();
        let tags = [
            (names::TAG_STACK, Some(self.settings.stack.as_str())),
            (names::TAG_USE_CASE, Some(self.document.use_case.as_str())),
            (names::TAG_MODEL, model.map(|model| model.name.as_str())),
            (names::TAG_RUN, Some(run_id.as_str())),
        ];
        tags.into_iter()
            .filter_map(|(key, value)| Some(json!({"Key": key, "Value": value?})))
            .collect()
    }

    /// A place that is read, or that readers list by: a folder's slash keeps others of the same beginning out.
    pub fn uri(&self, key: &str) -> String {
        places::uri(&self.settings.bucket, key)
    }

    /// A folder that SageMaker writes to: it adds the slash itself.
    pub fn folder_uri(&self, key: &str) -> String {
        self.uri(key.trim_end_matches('/'))
    }
}
