//! The state of Application Auto Scaling.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

/// All scalable targets by resource id.
#[derive(Default)]
pub struct Autoscaling {
    targets: Mutex<BTreeMap<String, Target>>,
}

/// A scalable target.
pub struct Target {
    pub arn: String,
    pub min_capacity: u32,
    pub max_capacity: u32,
    pub role_arn: String,
    pub suspended_state: Value,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    pub policies: BTreeMap<String, Policy>,
}

/// A scaling policy.
pub struct Policy {
    pub arn: String,
    /// The request's own members: type and configuration.
    pub request: Value,
    pub created: Timestamp,
}

impl Autoscaling {
    /// Whether the variant is a scalable target.
    pub fn is_registered(&self, endpoint: &str, variant: &str) -> bool {
        self.lock().contains_key(&resource_id(endpoint, variant))
    }

    /// Removes the registrations of a deleted endpoint.
    pub fn forget_endpoint(&self, endpoint: &str) {
        let prefix = resource_id(endpoint, "");
        self.lock().retain(|id, _| !id.starts_with(&prefix));
    }

    pub fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Target>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn resource_id(endpoint: &str, variant: &str) -> String {
    format!("endpoint/{endpoint}/variant/{variant}")
}
