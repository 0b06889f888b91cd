//! All resources, in memory: a restart forgets them.

pub mod listing;
pub mod tags;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::jobs::processing::ProcessingJob;
use crate::jobs::training::TrainingJob;
use crate::models::endpoint_config::EndpointConfig;
use crate::models::model::Model;
use crate::transform::TransformJob;
use tags::Tags;

/// One collection per resource type.
#[derive(Default)]
pub struct Store {
    pub training_jobs: Collection<TrainingJob>,
    pub processing_jobs: Collection<ProcessingJob>,
    pub transform_jobs: Collection<TransformJob>,
    pub models: Collection<Model>,
    pub endpoint_configs: Collection<EndpointConfig>,
    pub tags: Tags,
}

/// Resources of one type by name.
pub struct Collection<T> {
    by_name: Mutex<BTreeMap<String, T>>,
}

impl<T> Default for Collection<T> {
    fn default() -> Self {
        Self {
            by_name: Mutex::new(BTreeMap::new()),
        }
    }
}

impl<T: Clone> Collection<T> {
    /// Adds a new resource; returns `false` and changes nothing if the name is taken.
    #[must_use]
    pub fn insert_new(&self, name: &str, resource: T) -> bool {
        let mut by_name = self.lock();
        if by_name.contains_key(name) {
            return false;
        }
        by_name.insert(name.to_owned(), resource);
        true
    }

    pub fn get(&self, name: &str) -> Option<T> {
        self.lock().get(name).cloned()
    }

    /// Changes a resource in place, atomically; `None` if there is none of this name.
    pub fn update<R>(&self, name: &str, change: impl FnOnce(&mut T) -> R) -> Option<R> {
        self.lock().get_mut(name).map(change)
    }

    pub fn remove(&self, name: &str) -> Option<T> {
        self.lock().remove(name)
    }

    /// All resources, ordered by name.
    pub fn all(&self) -> Vec<T> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, T>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
