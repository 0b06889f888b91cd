//! The lease of a model's endpoint, which keeps two runs from updating one endpoint at the same time.

use crate::run::RunId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Time for the work between two checks of an endpoint, including calls and their retries, and for the longest pause
/// that is not a poll: the training machine's wait for a quota ([`QUOTA_WAIT_S`]).
const WORK: SignedDuration = SignedDuration::from_mins(15);

/// Seconds that the training machine waits before it retries an endpoint that was refused because of a quota.
pub const QUOTA_WAIT_S: u32 = 300;

/// How long a lease lasts from one check, when the next one follows `poll_seconds` later. It is longer than any pause
/// between two checks, whatever the stack's `EndpointPollSeconds`, and ends on its own, so that a run that has died
/// doesn't block others.
pub fn duration(poll_seconds: u32) -> SignedDuration {
    WORK + SignedDuration::from_secs(2 * i64::from(poll_seconds))
}

/// `use-cases/<use-case>/models/<model>/lease`: held from CheckEndpoint to ExportConfig, renewed at every check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run that holds it.
    pub run_id: RunId,
    /// The time from which another run may take it over.
    pub expires_at: Timestamp,
}

impl Lease {
    /// A lease for `run_id` that starts now and lasts beyond the next check, `poll_seconds` later.
    pub fn new(run_id: RunId, now: Timestamp, poll_seconds: u32) -> Self {
        Self {
            run_id,
            expires_at: now + duration(poll_seconds),
        }
    }

    /// Whether `run_id` may take the lease: it holds it already, or the lease has expired.
    pub fn free_for(&self, run_id: &RunId, now: Timestamp) -> bool {
        self.run_id == *run_id || self.expires_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn a_lease_outlives_every_pause_between_two_looks() {
        for poll_seconds in [1, 15, 3600, u32::MAX] {
            let pause = SignedDuration::from_secs(i64::from(poll_seconds.max(QUOTA_WAIT_S)));
            assert!(
                duration(poll_seconds) > pause + SignedDuration::from_mins(9),
                "{poll_seconds}"
            );
        }
    }

    #[test]
    fn the_machine_pauses_for_a_poll_or_for_a_quota_and_for_nothing_else() {
        let machine: Value = serde_json::from_str(include_str!("../../../statemachines/training.asl.json")).unwrap();
        let states = machine["States"]["Models"]["ItemProcessor"]["States"]
            .as_object()
            .unwrap();
        let mut quota_waits = 0;
        for (name, state) in states.iter().filter(|(_, state)| state["Type"] == "Wait") {
            let quota = state["Seconds"] == QUOTA_WAIT_S;
            assert!(
                quota || state["SecondsPath"] == "$.endpoint.poll_seconds",
                "{name}: {state}"
            );
            quota_waits += usize::from(quota);
        }
        assert_eq!(quota_waits, 1);
    }
}
