//! What the account holds of SageMaker.

use crate::clock::Clock;
use crate::faults::Faults;
use fake_aws::FakeAws;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The account's SageMaker. Clones are the same.
#[derive(Clone)]
pub struct SageMaker {
    pub clock: Clock,
    pub faults: Faults,
    pub(super) aws: FakeAws,
    pub(super) state: Arc<Mutex<State>>,
    /// Told whenever a job ends, whichever.
    pub(super) ends: Arc<tokio::sync::Notify>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) jobs: BTreeMap<(JobKind, String), Job>,
    pub(super) models: BTreeMap<String, Value>,
    pub(super) configs: BTreeMap<String, Value>,
    pub(super) endpoints: BTreeMap<String, Endpoint>,
    /// Who scales: resource ids.
    pub(super) targets: Vec<String>,
    /// How far the next models are off, by the algorithm's image; see [`super::data::Artifact`].
    pub(super) noise: BTreeMap<String, f64>,
}

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum JobKind {
    Processing,
    Training,
    Transform,
}

impl JobKind {
    /// As SageMaker's fields begin.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Processing => "Processing",
            Self::Training => "Training",
            Self::Transform => "Transform",
        }
    }

    pub(super) fn takes(self) -> Duration {
        Duration::from_secs(match self {
            Self::Processing => 90,
            Self::Training => 300,
            Self::Transform => 120,
        })
    }
}

/// A job.
#[derive(Clone, Debug)]
pub struct Job {
    pub name: String,
    /// `InProgress`, `Completed`, `Failed`, `Stopped`.
    pub status: String,
    pub(super) request: Value,
    pub(super) failure: Option<String>,
    /// What its description has beside that.
    pub(super) found: Value,
}

/// An endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `Creating`, `Updating`, `InService`, `Failed`, `Deleting`.
    pub status: String,
    /// The configuration that answers, and that is described.
    pub config: String,
    pub(super) failure: Option<String>,
    pub(super) tags: Value,
}
