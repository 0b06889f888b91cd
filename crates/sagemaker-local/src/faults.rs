//! Faults on demand: what should go wrong, for which operation and resource, how many times.
//!
//! A test registers a fault over the local control route; code that could fail that way on AWS asks for it with
//! [`Faults::take`]. Nothing fails unless it was requested.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::ApiError;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The operation is refused with `ThrottlingException`.
    Throttle,
    /// The operation is refused with `code` and `message`.
    Error,
    /// The operation answers `delay_ms` later.
    Delay,
    /// The job ends Failed with `reason`; its container does not run.
    FailJob,
    /// The job ends Completed, but its output is not written.
    MissingOutput,
    /// The endpoint's new configuration fails, and the update is rolled back with `reason`.
    RollbackUpdate,
    /// The endpoint's creation fails with `reason`.
    FailCreateEndpoint,
    /// The endpoint's serving processes are killed before the request is sent on.
    KillServing,
    /// The endpoint answers a request `delay_ms` later.
    SlowServing,
}

/// A registered fault that has not happened yet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub kind: FaultKind,
    /// The affected operation, for example `CreateTrainingJob`; if absent, any operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The affected resources: those whose name contains this text; if absent, any resource.
    #[serde(default, rename = "match")]
    pub name_contains: String,
    /// How many more times it happens.
    #[serde(default = "once")]
    pub times: u32,
    /// Delay in milliseconds, for `delay` and `slow-serving`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The text of a failure, for `fail-job`, `rollback-update` and `fail-create-endpoint`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Error code, for `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Error message, for `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// HTTP status, for `error`; 400 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

fn once() -> u32 {
    1
}

/// The registry of pending faults.
#[derive(Debug, Default)]
pub struct Faults {
    waiting: Mutex<Vec<Fault>>,
}

impl Faults {
    /// Takes one occurrence of the first pending fault of this kind that matches the operation and the name.
    pub fn take(&self, operation: &str, name: &str, kind: FaultKind) -> Option<Fault> {
        let mut waiting = self.lock();
        let position = waiting.iter().position(|fault| {
            fault.kind == kind
                && fault.operation.as_deref().is_none_or(|wanted| wanted == operation)
                && name.contains(&fault.name_contains)
        })?;
        waiting[position].times = waiting[position].times.saturating_sub(1);
        let taken = waiting[position].clone();
        if taken.times == 0 {
            waiting.remove(position);
        }
        tracing::info!(operation, name, ?kind, "a fault on demand strikes");
        Some(taken)
    }

    pub fn add(&self, fault: Fault) {
        if fault.times > 0 {
            self.lock().push(fault);
        }
    }

    pub fn list(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Applies the faults that can happen to any operation: a delay, a throttle, an error.
    ///
    /// # Errors
    /// The error of the fault.
    pub async fn strike(&self, operation: &str, name: &str) -> Result<(), ApiError> {
        if let Some(fault) = self.take(operation, name, FaultKind::Delay) {
            tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(1000))).await;
        }
        if self.take(operation, name, FaultKind::Throttle).is_some() {
            return Err(ApiError::throttling());
        }
        if let Some(fault) = self.take(operation, name, FaultKind::Error) {
            let code = fault.code.as_deref().unwrap_or("InternalFailure");
            let message = fault.message.as_deref().unwrap_or("a fault on demand");
            let status = fault.status.and_then(|status| http::StatusCode::from_u16(status).ok());
            return Err(ApiError {
                status: status.unwrap_or(http::StatusCode::BAD_REQUEST),
                ..ApiError::new(code, message)
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_fault_strikes_as_often_as_asked_and_only_where_it_fits() {
        let faults = Faults::default();
        faults.add(fault(
            r#"{"operation":"CreateTrainingJob","match":"cars","kind":"throttle","times":2}"#,
        ));

        assert_eq!(faults.take("CreateTrainingJob", "boats", FaultKind::Throttle), None);
        assert_eq!(faults.take("CreateModel", "cars", FaultKind::Throttle), None);
        assert_eq!(faults.take("CreateTrainingJob", "cars", FaultKind::FailJob), None);
        assert!(
            faults
                .take("CreateTrainingJob", "used-cars-1", FaultKind::Throttle)
                .is_some()
        );
        assert!(
            faults
                .take("CreateTrainingJob", "used-cars-2", FaultKind::Throttle)
                .is_some()
        );
        assert_eq!(
            faults.take("CreateTrainingJob", "used-cars-3", FaultKind::Throttle),
            None
        );
        assert!(faults.list().is_empty());
    }

    #[test]
    fn without_operation_and_match_it_strikes_anything_once() {
        let faults = Faults::default();
        faults.add(fault(r#"{"kind":"delay","delay_ms":5}"#));
        assert_eq!(
            faults.take("X", "y", FaultKind::Delay).and_then(|fault| fault.delay_ms),
            Some(5)
        );
        assert!(faults.list().is_empty());
    }

    #[test]
    fn a_misspelt_field_is_refused() {
        assert!(serde_json::from_str::<Fault>(r#"{"kind":"delay","delay":5}"#).is_err());
    }
}
