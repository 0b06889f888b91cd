//! What an endpoint's status means for a run, before and after it deploys. No I/O here.

use aws_sdk_sagemaker::types::EndpointStatus;
use contracts::Champion;
use serde::Serialize;

/// An endpoint as SageMaker describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// Its status.
    pub status: EndpointStatus,
    /// The configuration that it is on, or changing to.
    pub config: String,
    /// Its production variants.
    pub variants: Vec<String>,
    /// The reason of its status; SageMaker gives one after failures and rollbacks.
    pub failure_reason: Option<String>,
}

impl Endpoint {
    /// Whether it answers requests, whatever it serves.
    pub fn answers(&self) -> bool {
        self.status == EndpointStatus::InService
    }
}

/// What the machine does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Create the endpoint.
    Create,
    /// Update it.
    Update,
    /// Look again later; the lease is another run's, or the endpoint is on its way somewhere.
    Wait,
    /// Delete it and look again: nothing else can be done with a Failed endpoint.
    Replace,
    /// Go on to verify: it is on the configuration already, from an earlier try.
    Verify,
    /// Compare again: the champion has changed since.
    Recompare,
    /// End the run: a newer run's champion is there.
    Superseded,
    /// Go on: it serves the configuration asked for.
    Verified,
    /// End the run as failed: SageMaker went back to the configuration before.
    RolledBack,
    /// End the run as failed.
    Fail,
    /// The way out is clear: the champion serves.
    Serving,
    /// The way out is clear: another run sees to the endpoint, there is no champion, or the use case was removed.
    Left,
    /// The way out is clear, but the endpoint doesn't serve the champion: the tick tries again, and people are told.
    Stuck,
}

/// What to do, and the sentence that explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What to do.
    pub action: Action,
    /// The reason.
    pub reason: String,
}

/// What is necessary to bring the endpoint to `wanted_config`.
///
/// SageMaker updates an endpoint only while it is not changing. According to SageMaker, a Failed endpoint can only be
/// deleted; one whose rollback failed still answers, with a mix of both configurations, and is left to people.
pub fn before_deployment(endpoint: Option<&Endpoint>, wanted_config: &str) -> Ruling {
    let Some(endpoint) = endpoint else {
        return ruling(Action::Create, "there is no such endpoint yet".to_owned());
    };
    let Endpoint {
        name, status, config, ..
    } = endpoint;
    match status {
        EndpointStatus::InService if config == wanted_config => ruling(
            Action::Verify,
            format!("endpoint {name} is InService on {wanted_config} already"),
        ),
        EndpointStatus::InService | EndpointStatus::OutOfService => {
            ruling(Action::Update, format!("endpoint {name} is {status} on {config}"))
        }
        EndpointStatus::Failed => ruling(
            Action::Replace,
            format!("endpoint {name} is Failed and can only be deleted{}", because(endpoint)),
        ),
        EndpointStatus::UpdateRollbackFailed => ruling(
            Action::Fail,
            format!(
                "endpoint {name} is UpdateRollbackFailed{}: it serves a mix of two configurations and can't be \
                 updated; delete it when it may stop answering, then run again",
                because(endpoint)
            ),
        ),
        // Creating, Updating, SystemUpdating, RollingBack, Deleting, and any that SageMaker may add.
        _ => ruling(Action::Wait, format!("endpoint {name} is {status}")),
    }
}

/// Whether the endpoint serves `wanted_config`.
pub fn after_deployment(endpoint: Option<&Endpoint>, name: &str, wanted_config: &str) -> Ruling {
    let Some(endpoint) = endpoint else {
        return ruling(
            Action::Fail,
            format!("endpoint {name} is gone: somebody deleted it; run again"),
        );
    };
    let Endpoint {
        name, status, config, ..
    } = endpoint;
    match status {
        EndpointStatus::InService if config == wanted_config => ruling(
            Action::Verified,
            format!("endpoint {name} is InService on {wanted_config}"),
        ),
        EndpointStatus::InService => ruling(
            Action::RolledBack,
            format!(
                "endpoint {name} is InService, but on {config} instead of {wanted_config}: the update was rolled \
                 back{}",
                because(endpoint)
            ),
        ),
        EndpointStatus::Failed
        | EndpointStatus::OutOfService
        | EndpointStatus::UpdateRollbackFailed
        | EndpointStatus::Deleting => ruling(
            Action::Fail,
            format!("endpoint {name} is {status} after the deployment{}", because(endpoint)),
        ),
        // Creating, Updating, SystemUpdating, RollingBack, and any that SageMaker may add.
        _ => ruling(Action::Wait, format!("endpoint {name} is {status}")),
    }
}

/// What brings an endpoint back to its champion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Back {
    /// Nothing: it serves the champion.
    Serving,
    /// Nothing now: it is changing.
    Wait,
    /// Create it.
    Create,
    /// Update it.
    Update,
    /// Delete it, then create it: a Failed endpoint allows nothing else.
    Delete,
    /// Nothing that can be done automatically: people must look.
    Stuck,
}

/// What brings the endpoint of `champion` to its configuration, with a sentence that says what serves. `begun`: whether
/// an update or creation has been begun already.
pub fn back_to_champion(endpoint: Option<&Endpoint>, champion: &Champion, begun: bool) -> (Back, String) {
    let (wanted, run) = (&champion.endpoint_config, &champion.run_id);
    let Some(endpoint) = endpoint else {
        let name = &champion.endpoint_name;
        return if begun {
            let reason = format!("endpoint {name} of champion {run} is gone, though it was just made");
            (Back::Stuck, reason)
        } else {
            (Back::Create, format!("endpoint {name} of champion {run} is gone"))
        };
    };
    let Endpoint {
        name, status, config, ..
    } = endpoint;
    let reason = format!(
        "endpoint {name} is {status} on {config} instead of {wanted}, the configuration of champion {run}{}",
        endpoint
            .failure_reason
            .as_ref()
            .map_or_else(String::new, |why| format!(" ({why})"))
    );
    match status {
        EndpointStatus::InService if config == wanted => (
            Back::Serving,
            format!("champion {run} serves: endpoint {name} is InService on {wanted}"),
        ),
        EndpointStatus::InService | EndpointStatus::OutOfService if begun => (Back::Stuck, reason),
        EndpointStatus::InService | EndpointStatus::OutOfService => (Back::Update, reason),
        EndpointStatus::Failed if begun => (Back::Stuck, reason),
        EndpointStatus::Failed => (Back::Delete, reason),
        EndpointStatus::UpdateRollbackFailed => (
            Back::Stuck,
            format!(
                "{reason}; it serves a mix of two configurations and can't be updated: delete it when it may stop \
                     answering, and it is made anew"
            ),
        ),
        // Creating, Updating, SystemUpdating, RollingBack, Deleting, and any that SageMaker may add.
        _ => (Back::Wait, format!("endpoint {name} of champion {run} is {status}")),
    }
}

fn ruling(action: Action, reason: String) -> Ruling {
    Ruling { action, reason }
}

fn because(endpoint: &Endpoint) -> String {
    match &endpoint.failure_reason {
        Some(reason) => format!(" ({reason})"),
        None => " (SageMaker gives no reason)".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(status: &str, config: &str) -> Endpoint {
        Endpoint {
            name: "cars".to_owned(),
            status: EndpointStatus::from(status),
            config: config.to_owned(),
            variants: vec![],
            failure_reason: Some("alarm went off".to_owned()),
        }
    }

    #[test]
    fn every_status_has_its_action() {
        use Action::{Fail, Replace, RolledBack, Update, Verified, Verify, Wait};
        // Status; before: on another configuration, on ours; after: on another, on ours.
        let table = [
            ("Creating", Wait, Wait, Wait, Wait),
            ("Updating", Wait, Wait, Wait, Wait),
            ("SystemUpdating", Wait, Wait, Wait, Wait),
            ("RollingBack", Wait, Wait, Wait, Wait),
            ("Deleting", Wait, Wait, Fail, Fail),
            ("InService", Update, Verify, RolledBack, Verified),
            ("OutOfService", Update, Update, Fail, Fail),
            ("Failed", Replace, Replace, Fail, Fail),
            ("UpdateRollbackFailed", Fail, Fail, Fail, Fail),
            ("Hibernating", Wait, Wait, Wait, Wait),
        ];
        for (status, before, before_ours, after, after_ours) in table {
            let actions = ["other", "ours"].map(|config| {
                let endpoint = endpoint(status, config);
                (
                    before_deployment(Some(&endpoint), "ours").action,
                    after_deployment(Some(&endpoint), "cars", "ours").action,
                )
            });
            assert_eq!(actions, [(before, after), (before_ours, after_ours)], "{status}");
        }
        for status in EndpointStatus::values() {
            assert!(
                table.iter().any(|row| row.0 == *status),
                "{status} is missing in the table"
            );
        }
        assert_eq!(before_deployment(None, "ours").action, Action::Create);
        assert_eq!(after_deployment(None, "cars", "ours").action, Fail);
    }

    #[test]
    fn reasons_carry_sagemakers_own() {
        let rolled_back = after_deployment(Some(&endpoint("InService", "other")), "cars", "ours");
        assert_eq!(
            rolled_back.reason,
            "endpoint cars is InService, but on other instead of ours: the update was rolled back (alarm went off)"
        );
        let silent = Endpoint {
            failure_reason: None,
            ..endpoint("Failed", "ours")
        };
        assert_eq!(
            after_deployment(Some(&silent), "cars", "ours").reason,
            "endpoint cars is Failed after the deployment (SageMaker gives no reason)"
        );
    }
}
