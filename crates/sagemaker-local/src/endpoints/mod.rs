//! Endpoints: their statuses, their deployments, and the requests they answer.
//!
//! An endpoint answers with its live deployment. An update starts a second deployment and switches to it in one step
//! once it is healthy. A request holds the deployment that it began with, so the old one ends only after its last
//! request. The statuses are AWS's; only `OutOfService`, `SystemUpdating` and `UpdateRollbackFailed` never occur here.

pub mod deployment;
pub mod traffic;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::names::epoch_seconds;
use crate::store::listing::Listed;
use deployment::Deployment;

/// How long the server waits at its end for captured records to be written.
const CAPTURE_GRACE: Duration = Duration::from_secs(5);

/// All endpoints by name.
#[derive(Default)]
pub struct Endpoints {
    by_name: RwLock<BTreeMap<String, Endpoint>>,
    capture_writers: Mutex<Vec<JoinHandle<()>>>,
}

/// `EndpointStatus`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Creating,
    InService,
    Updating,
    RollingBack,
    Deleting,
    Failed,
}

/// An endpoint in any state.
pub struct Endpoint {
    pub arn: String,
    pub status: Status,
    pub failure_reason: Option<String>,
    /// The configuration in use, or the requested one while none is in use yet.
    pub config_name: String,
    pub live: Option<Arc<Deployment>>,
    /// During a canary or linear update, the new deployment and its percentage of the requests.
    pub shift: Option<(Arc<Deployment>, u8)>,
    pub pending: Option<Pending>,
    pub last_deployment_config: Option<Value>,
    pub created: Timestamp,
    pub modified: Timestamp,
}

/// An update under way.
#[derive(Clone)]
pub struct Pending {
    pub config_name: String,
    pub started: Timestamp,
}

impl Status {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "Creating",
            Self::InService => "InService",
            Self::Updating => "Updating",
            Self::RollingBack => "RollingBack",
            Self::Deleting => "Deleting",
            Self::Failed => "Failed",
        }
    }
}

impl Endpoints {
    /// Whether the endpoint serves a variant of this name, or is about to.
    pub fn has_variant(&self, endpoint: &str, variant: &str) -> bool {
        self.read(endpoint, |endpoint| {
            endpoint
                .live
                .as_ref()
                .is_some_and(|live| live.variant(variant).is_some())
        })
        .unwrap_or(false)
    }

    /// Ends all endpoints, and waits until their captured records are written.
    pub async fn shutdown(&self) {
        self.write_all().clear();
        let writers = std::mem::take(&mut *self.writers());
        if tokio::time::timeout(CAPTURE_GRACE, futures::future::join_all(writers))
            .await
            .is_err()
        {
            tracing::warn!("captured records were not written in time");
        }
    }

    pub fn exists(&self, name: &str) -> bool {
        self.read(name, |_| ()).is_some()
    }

    pub fn read<R>(&self, name: &str, read: impl FnOnce(&Endpoint) -> R) -> Option<R> {
        self.by_name
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
            .map(read)
    }

    pub fn listed(&self) -> Vec<Listed> {
        let by_name = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        by_name.iter().map(|(name, endpoint)| endpoint.listed(name)).collect()
    }

    pub fn change<R>(&self, name: &str, change: impl FnOnce(&mut Endpoint) -> R) -> Option<R> {
        self.write_all().get_mut(name).map(|endpoint| {
            endpoint.modified = Timestamp::now();
            change(endpoint)
        })
    }

    pub fn write_all(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Endpoint>> {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn writers(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.capture_writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn keep_writers(&self, writers: impl IntoIterator<Item = JoinHandle<()>>) {
        let mut kept = self.writers();
        kept.retain(|writer| !writer.is_finished());
        kept.extend(writers);
    }
}

impl Endpoint {
    /// An endpoint being created.
    pub fn new(arn: String, config_name: &str, deployment_config: Option<Value>) -> Self {
        let now = Timestamp::now();
        Self {
            arn,
            status: Status::Creating,
            failure_reason: None,
            config_name: config_name.to_owned(),
            live: None,
            shift: None,
            pending: None,
            last_deployment_config: deployment_config,
            created: now,
            modified: now,
        }
    }

    /// Whether an operation is under way that must end first.
    pub fn in_progress(&self) -> bool {
        matches!(
            self.status,
            Status::Creating | Status::Updating | Status::RollingBack | Status::Deleting
        )
    }

    /// The deployment that answers the next request.
    pub fn serving(&self) -> Option<Arc<Deployment>> {
        let live = self.live.as_ref()?;
        match &self.shift {
            Some((shifted, percent)) if live.next_turn_is_within(*percent) => Some(Arc::clone(shifted)),
            _ => Some(Arc::clone(live)),
        }
    }

    pub fn description(&self, name: &str) -> Value {
        let mut description = json!({
            "EndpointName": name,
            "EndpointArn": self.arn,
            "EndpointConfigName": self.config_name,
            "EndpointStatus": self.status.as_str(),
            "CreationTime": epoch_seconds(self.created),
            "LastModifiedTime": epoch_seconds(self.modified),
        });
        if let Some(live) = &self.live {
            description["ProductionVariants"] = live.description();
            if let Some(capture) = live.capture_description() {
                description["DataCaptureConfig"] = capture;
            }
        }
        if let Some(reason) = &self.failure_reason {
            description["FailureReason"] = json!(reason.chars().take(1024).collect::<String>());
        }
        if let Some(config) = &self.last_deployment_config {
            description["LastDeploymentConfig"] = config.clone();
        }
        if let Some(pending) = &self.pending {
            description["PendingDeploymentSummary"] =
                json!({"EndpointConfigName": pending.config_name, "StartTime": epoch_seconds(pending.started)});
        }
        description
    }

    pub fn listed(&self, name: &str) -> Listed {
        Listed {
            name: name.to_owned(),
            status: Some(self.status.as_str()),
            created: self.created,
            modified: self.modified,
            summary: json!({
                "EndpointName": name,
                "EndpointArn": self.arn,
                "CreationTime": epoch_seconds(self.created),
                "LastModifiedTime": epoch_seconds(self.modified),
                "EndpointStatus": self.status.as_str(),
            }),
        }
    }

    /// Returns to service, with or without a failure to report.
    pub fn settle(&mut self, failure_reason: Option<String>) {
        self.status = Status::InService;
        self.failure_reason = failure_reason;
        self.shift = None;
        self.pending = None;
    }
}
