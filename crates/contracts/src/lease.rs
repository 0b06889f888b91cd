//! The lease of a model's endpoint: two runs never update one endpoint at once.

use crate::run::RunId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What is done between two looks at an endpoint, calls and their retries included, and the longest pause that is not a
/// poll: the training machine's wait for a quota ([`QUOTA_WAIT_S`]).
const WORK: SignedDuration = SignedDuration::from_mins(15);

/// How long the training machine waits before it tries an endpoint again that a quota has refused.
pub const QUOTA_WAIT_S: u32 = 300;

/// How long a lease holds from a look on, when the next one comes `poll_seconds` later: longer than any pause between two
/// looks, whatever the stack's `EndpointPollSeconds`. A run that has died holds others up no longer.
pub fn duration(poll_seconds: u32) -> SignedDuration {
    WORK + SignedDuration::from_secs(2 * i64::from(poll_seconds))
}

/// `use-cases/<use-case>/models/<model>/lease`: held from CheckEndpoint to ExportConfig, renewed at every look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The run that holds it.
    pub run_id: RunId,
    /// When it may be taken over.
    pub expires_at: Timestamp,
}

impl Lease {
    /// A lease for `run_id` from now on, until after the next look `poll_seconds` later.
    pub fn new(run_id: RunId, now: Timestamp, poll_seconds: u32) -> Self {
        Self {
            run_id,
            expires_at: now + duration(poll_seconds),
        }
    }

    /// Whether `run_id` may take it: it is its own, or has expired.
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
