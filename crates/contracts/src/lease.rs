//! The lease of a model's endpoint: two runs never update one endpoint at once.

use crate::run::RunId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Longer than any pause between two looks at an endpoint; a run that has died holds others up no longer.
pub const LEASE_DURATION: SignedDuration = SignedDuration::from_mins(15);

/// `use-cases/<use-case>/models/<model>/lease`: held from CheckEndpoint to ExportConfig, renewed at every look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run that holds it.
    pub run_id: RunId,
    /// When it may be taken over.
    pub expires_at: Timestamp,
}

impl Lease {
    /// A lease for `run_id` from now on.
    pub fn new(run_id: RunId, now: Timestamp) -> Self {
        Self {
            run_id,
            expires_at: now + LEASE_DURATION,
        }
    }

    /// Whether `run_id` may take it: it is its own, or has expired.
    pub fn free_for(&self, run_id: &RunId, now: Timestamp) -> bool {
        self.run_id == *run_id || self.expires_at <= now
    }
}
