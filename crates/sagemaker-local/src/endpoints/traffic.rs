//! `DeploymentConfig`: how an update shifts requests to the new deployment. Pure.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::request::parse;

/// A step in which a share of the requests goes to the new deployment for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Percentage of the requests.
    pub percent: u8,
    /// Time until the next step, or until all requests go there.
    pub wait: Duration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeploymentConfig {
    blue_green_update_policy: Option<BlueGreenUpdatePolicy>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct BlueGreenUpdatePolicy {
    traffic_routing_configuration: TrafficRoutingConfiguration,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct TrafficRoutingConfiguration {
    r#type: RoutingType,
    wait_interval_in_seconds: u64,
    canary_size: Option<CapacitySize>,
    linear_step_size: Option<CapacitySize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RoutingType {
    AllAtOnce,
    Canary,
    Linear,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CapacitySize {
    r#type: CapacityType,
    value: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum CapacityType {
    InstanceCount,
    CapacityPercent,
}

const WITHOUT_EFFECT: &[&str] = &[
    "BlueGreenUpdatePolicy.TerminationWaitInSeconds",
    "BlueGreenUpdatePolicy.MaximumExecutionTimeoutInSeconds",
];

/// The steps before all requests go to the new deployment of `instances` instances; no steps means an immediate switch.
///
/// # Errors
/// `ValidationException` for a policy that contradicts itself or is not implemented (rolling updates, alarms).
pub fn steps(deployment_config: Option<&Value>, instances: u32) -> Result<Vec<Step>, ApiError> {
    let Some(config) = deployment_config else {
        return Ok(Vec::new());
    };
    let DeploymentConfig {
        blue_green_update_policy,
    } = parse(config, WITHOUT_EFFECT)?;
    let Some(policy) = blue_green_update_policy else {
        return Ok(Vec::new());
    };
    let routing = policy.traffic_routing_configuration;
    let wait = Duration::from_secs(routing.wait_interval_in_seconds);
    match routing.r#type {
        RoutingType::AllAtOnce => Ok(Vec::new()),
        RoutingType::Canary => Ok(vec![Step {
            percent: percent(routing.canary_size, "CanarySize", instances)?,
            wait,
        }]),
        RoutingType::Linear => {
            let percent = percent(routing.linear_step_size, "LinearStepSize", instances)?;
            Ok((1..)
                .map(|step| percent.saturating_mul(step))
                .take_while(|sum| *sum < 100)
                .map(|sum| Step { percent: sum, wait })
                .collect())
        }
    }
}

fn percent(size: Option<CapacitySize>, member: &str, instances: u32) -> Result<u8, ApiError> {
    let size =
        size.ok_or_else(|| ApiError::validation(format!("{member} is required by the traffic routing type.")))?;
    if instances < 2 {
        return Err(ApiError::validation(format!(
            "{member}: traffic can be shifted step by step only with at least 2 instances, the endpoint has {instances}."
        )));
    }
    let percent = match size.r#type {
        CapacityType::CapacityPercent => size.value,
        CapacityType::InstanceCount => size.value.saturating_mul(100) / instances,
    };
    u8::try_from(percent)
        .ok()
        .filter(|percent| (1..=50).contains(percent))
        .ok_or_else(|| {
            ApiError::validation(format!(
                "{member} must be more than 0 and at most 50 percent of the endpoint's capacity."
            ))
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(routing: &Value) -> Value {
        json!({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": 60}})
    }

    fn percents(routing: &Value, instances: u32) -> Result<Vec<u8>, String> {
        let steps = steps(Some(&config(routing)), instances).map_err(|error| error.message)?;
        assert!(steps.iter().all(|step| step.wait == Duration::from_secs(7)));
        Ok(steps.iter().map(|step| step.percent).collect())
    }

    #[test]
    fn steps_of_the_policies() {
        let size = |value: u32| json!({"Type": "CAPACITY_PERCENT", "Value": value});
        let canary = |value| json!({"Type": "CANARY", "WaitIntervalInSeconds": 7, "CanarySize": size(value)});
        let linear = |size| json!({"Type": "LINEAR", "WaitIntervalInSeconds": 7, "LinearStepSize": size});
        assert_eq!(steps(None, 1), Ok(vec![]));
        assert_eq!(
            percents(&json!({"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 7}), 1),
            Ok(vec![])
        );
        assert_eq!(percents(&canary(30), 2), Ok(vec![30]));
        assert_eq!(percents(&linear(size(40)), 2), Ok(vec![40, 80]));
        assert_eq!(
            percents(&linear(json!({"Type": "INSTANCE_COUNT", "Value": 1})), 4),
            Ok(vec![25, 50, 75])
        );
        assert!(percents(&canary(30), 1).unwrap_err().contains("at least 2 instances"));
        assert!(percents(&canary(51), 2).unwrap_err().contains("at most 50 percent"));
    }

    #[test]
    fn what_is_not_done_is_refused() {
        let alarms = json!({"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}});
        assert!(
            steps(Some(&alarms), 2)
                .unwrap_err()
                .message
                .contains("`AutoRollbackConfiguration`")
        );
    }
}
