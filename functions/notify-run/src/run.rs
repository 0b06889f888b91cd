//! What is known about the run whose execution has ended.

use crate::event::End;
use contracts::places::RunPlaces;
use contracts::run::{RunKind, Source};
use contracts::{Manifest, ModelRun, RunId, places};

/// A run that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub end: End,
    pub bucket: String,
    /// `None` when neither the event nor the execution names it.
    pub use_case: Option<String>,
    /// `None` when the execution is not named after a run.
    pub run_id: Option<RunId>,
    /// The models of its plan.
    pub models: Vec<String>,
    /// `None` when it is missing or can't be read.
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

    /// The places of the run; `None` without use case and run id.
    pub fn places(&self) -> Option<RunPlaces<'_>> {
        Some(RunPlaces {
            use_case: self.use_case.as_ref()?,
            run_id: self.run_id.as_ref()?,
        })
    }

    pub fn use_case_or_unknown(&self) -> &str {
        self.use_case.as_deref().unwrap_or("unknown")
    }

    /// A model of the run; `None` if the run's places are unknown.
    pub fn of_model(&self, model: &str) -> Option<ModelRun> {
        Some(ModelRun {
            bucket: self.bucket.clone(),
            use_case: self.use_case.clone()?,
            model: model.to_owned(),
            run_id: self.run_id.clone()?,
        })
    }

    /// The model of a monitoring run.
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

    /// What started the run, in the words of reporting rows.
    pub fn started_by(&self) -> &'static str {
        match self.manifest.as_ref().map(|manifest| &manifest.source) {
            Some(Source::Drop(_)) => "drop",
            Some(Source::Drift { .. }) => "drift",
            Some(Source::Tick { .. }) => "tick",
            Some(Source::Promotion { .. }) => "person",
            None => "unknown",
        }
    }

    /// What the run was started for: the dropped file, the monitoring run that found drift, or the run whose candidate
    /// is promoted.
    pub fn source(&self) -> Option<String> {
        match &self.manifest.as_ref()?.source {
            Source::Drop(object) => Some(places::uri(&object.bucket, &object.key)),
            Source::Drift { found_by, .. } => Some(found_by.to_string()),
            Source::Promotion { from_run, .. } => Some(from_run.to_string()),
            Source::Tick { .. } => None,
        }
    }
}
