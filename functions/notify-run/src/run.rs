//! What is known of the run whose execution has ended.

use crate::event::End;
use contracts::places::RunPlaces;
use contracts::run::{RunKind, Source};
use contracts::{Manifest, ModelRun, RunId, places};

/// A run that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub end: End,
    pub bucket: String,
    /// None when neither event nor execution says.
    pub use_case: Option<String>,
    /// None when the execution is not named after a run.
    pub run_id: Option<RunId>,
    /// The models of its plan.
    pub models: Vec<String>,
    /// None when it is missing or does not read.
    pub manifest: Option<Manifest>,
}

impl Run {
    pub fn kind(&self) -> RunKind {
        let manifest = self.manifest.as_ref().map(|manifest| manifest.kind);
        match (self.end.kind, manifest) {
            // The training machine runs promotions as well.
            (Some(RunKind::Training) | None, Some(RunKind::Promotion)) => RunKind::Promotion,
            (of_machine, manifest) => of_machine.or(manifest).unwrap_or_default(),
        }
    }

    /// Without use case and run id there is no place of the run's.
    pub fn places(&self) -> Option<RunPlaces<'_>> {
        Some(RunPlaces {
            use_case: self.use_case.as_ref()?,
            run_id: self.run_id.as_ref()?,
        })
    }

    pub fn use_case_or_unknown(&self) -> &str {
        self.use_case.as_deref().unwrap_or("unknown")
    }

    /// One model of the run; none where the run's place is not known.
    pub fn of_model(&self, model: &str) -> Option<ModelRun> {
        Some(ModelRun {
            bucket: self.bucket.clone(),
            use_case: self.use_case.clone()?,
            model: model.to_owned(),
            run_id: self.run_id.clone()?,
        })
    }

    /// The one model of a monitoring run.
    pub fn watched(&self) -> Option<ModelRun> {
        let source = self.manifest.as_ref().map(|manifest| &manifest.source);
        let model = match (self.models.first(), source) {
            (Some(model), _)
            | (
                None,
                Some(Source::Tick {
                    watched_model: model, ..
                }),
            ) => model,
            (None, _) => return None,
        };
        self.of_model(model)
    }

    /// What started it, as reporting rows say it.
    pub fn started_by(&self) -> &'static str {
        match self.manifest.as_ref().map(|manifest| &manifest.source) {
            Some(Source::Drop(_)) => "drop",
            Some(Source::Drift { .. }) => "drift",
            Some(Source::Tick { .. }) => "tick",
            Some(Source::Promotion { .. }) => "person",
            None => "unknown",
        }
    }

    /// The dropped file, the monitoring run that has found drift, or the run whose candidate is promoted.
    pub fn source(&self) -> Option<String> {
        match &self.manifest.as_ref()?.source {
            Source::Drop(object) => Some(places::uri(&object.bucket, &object.key)),
            Source::Drift { found_by, .. } => Some(found_by.to_string()),
            Source::Promotion { from_run, .. } => Some(from_run.to_string()),
            Source::Tick { .. } => None,
        }
    }
}
