//! Application Auto Scaling: the registered variants and their policies.
//!
//! Registrations are kept, checked and described as on AWS, and survive updates of their endpoint. Nothing is ever
//! scaled: one group of processes represents all instances of a variant.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::nothing;
use crate::app::App;
use crate::autoscaling::{Policy, Target};
use crate::error::ApiError;
use crate::names::{Arns, epoch_seconds};
use crate::request::parse;

const NAMESPACE: &str = "sagemaker";
const DIMENSION: &str = "sagemaker:variant:DesiredInstanceCount";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RegisterRequest {
    service_namespace: String,
    resource_id: String,
    scalable_dimension: String,
    min_capacity: Option<u32>,
    max_capacity: Option<u32>,
    #[serde(rename = "RoleARN")]
    role_arn: Option<String>,
    suspended_state: Option<Value>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DescribeRequest {
    service_namespace: String,
    #[serde(default)]
    resource_ids: Vec<String>,
    resource_id: Option<String>,
    #[serde(default)]
    policy_names: Vec<String>,
    scalable_dimension: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TargetRequest {
    service_namespace: String,
    resource_id: String,
    scalable_dimension: String,
    #[serde(default)]
    policy_name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TagsRequest {
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    #[serde(rename = "Tags", default)]
    tags: BTreeMap<String, String>,
    #[serde(rename = "TagKeys", default)]
    tag_keys: Vec<String>,
}

pub fn register_scalable_target(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let request: RegisterRequest = parse(request, &[])?;
    check(&request.service_namespace, &request.scalable_dimension)?;
    let id = request.resource_id;
    let (endpoint, variant) = parts(&id)?;
    if !app.endpoints.has_variant(endpoint, variant) {
        return Err(ApiError::validation(format!(
            "The endpoint variant {id} does not exist, or is not in service."
        )));
    }
    let mut targets = app.autoscaling.lock();
    let known = targets.get(&id);
    let capacity = |given: Option<u32>, known: Option<u32>, member: &str| {
        given
            .or(known)
            .ok_or_else(|| ApiError::validation(format!("{member} is required for a new scalable target.")))
    };
    let min_capacity = capacity(
        request.min_capacity,
        known.map(|known| known.min_capacity),
        "MinCapacity",
    )?;
    let max_capacity = capacity(
        request.max_capacity,
        known.map(|known| known.max_capacity),
        "MaxCapacity",
    )?;
    if min_capacity > max_capacity {
        return Err(ApiError::validation(
            "Maximum capacity cannot be less than minimum capacity",
        ));
    }
    let target = targets.entry(id).or_insert_with(|| Target {
        arn: arn(app, "scalable-target", &Uuid::new_v4().simple().to_string()),
        min_capacity,
        max_capacity,
        role_arn: format!(
            "arn:aws:iam::{}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/\
             AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
            app.host.arns.account
        ),
        suspended_state: json!({
            "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false, "ScheduledScalingSuspended": false
        }),
        tags: BTreeMap::new(),
        created: Timestamp::now(),
        policies: BTreeMap::new(),
    });
    target.min_capacity = min_capacity;
    target.max_capacity = max_capacity;
    target.tags.extend(request.tags);
    if let Some(role_arn) = request.role_arn {
        target.role_arn = role_arn;
    }
    if let Some(Value::Object(suspended)) = request.suspended_state {
        for (member, value) in suspended {
            target.suspended_state[member] = value;
        }
    }
    Ok(json!({"ScalableTargetARN": target.arn}))
}

pub fn describe_scalable_targets(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let request: DescribeRequest = parse(request, &[])?;
    let targets = app.autoscaling.lock();
    let found = targets
        .iter()
        .filter(|(id, _)| request.resource_ids.is_empty() || request.resource_ids.contains(id));
    let described = found.map(|(id, target)| {
        json!({
            "ServiceNamespace": NAMESPACE,
            "ResourceId": id,
            "ScalableDimension": DIMENSION,
            "MinCapacity": target.min_capacity,
            "MaxCapacity": target.max_capacity,
            "RoleARN": target.role_arn,
            "CreationTime": epoch_seconds(target.created),
            "SuspendedState": target.suspended_state,
            "ScalableTargetARN": target.arn,
        })
    });
    request.page("ScalableTargets", described)
}

pub fn deregister_scalable_target(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let request: TargetRequest = parse(request, &[])?;
    match app.autoscaling.lock().remove(&request.resource_id) {
        Some(_) => Ok(nothing()),
        None => Err(request.no_target("found")),
    }
}

pub fn put_scaling_policy(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let target_request: TargetRequest = parse(request, &[])?;
    check(&target_request.service_namespace, &target_request.scalable_dimension)?;
    let mut targets = app.autoscaling.lock();
    let target = targets
        .get_mut(&target_request.resource_id)
        .ok_or_else(|| target_request.no_target("registered"))?;
    let name = target_request.policy_name;
    let known = target.policies.get(&name);
    let mut policy = request.clone();
    let type_of_known = known.map(|known| known.request["PolicyType"].clone());
    if policy["PolicyType"].is_null() {
        policy["PolicyType"] = type_of_known.unwrap_or_else(|| json!("StepScaling"));
    }
    let configuration = match policy["PolicyType"].as_str() {
        Some("TargetTrackingScaling") => "TargetTrackingScalingPolicyConfiguration",
        Some("StepScaling") => "StepScalingPolicyConfiguration",
        _ => return Err(ApiError::not_done("this `PolicyType`")),
    };
    if policy[configuration].is_null() {
        return Err(ApiError::validation(format!(
            "{configuration} is required by the policy type."
        )));
    }
    let (arn, created) = match known {
        Some(known) => (known.arn.clone(), known.created),
        None => {
            let resource = format!(
                "{}:resource/{NAMESPACE}/{}:policyName/{name}",
                Uuid::new_v4(),
                target_request.resource_id
            );
            let Arns { region, account } = &app.host.arns;
            (
                format!("arn:aws:autoscaling:{region}:{account}:scalingPolicy:{resource}"),
                Timestamp::now(),
            )
        }
    };
    target.policies.insert(
        name,
        Policy {
            arn: arn.clone(),
            request: policy,
            created,
        },
    );
    Ok(json!({"PolicyARN": arn, "Alarms": []}))
}

pub fn describe_scaling_policies(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let request: DescribeRequest = parse(request, &[])?;
    let targets = app.autoscaling.lock();
    let found = targets
        .iter()
        .filter(|(id, _)| request.resource_id.as_ref().is_none_or(|wanted| wanted == *id))
        .flat_map(|(_, target)| &target.policies)
        .filter(|(name, _)| request.policy_names.is_empty() || request.policy_names.contains(name));
    let described = found.map(|(_, policy)| {
        let mut described = policy.request.clone();
        described["PolicyARN"] = json!(policy.arn);
        described["CreationTime"] = epoch_seconds(policy.created);
        described["Alarms"] = json!([]);
        described
    });
    request.page("ScalingPolicies", described)
}

pub fn delete_scaling_policy(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let request: TargetRequest = parse(request, &[])?;
    let mut targets = app.autoscaling.lock();
    let policies = targets.get_mut(&request.resource_id).map(|target| &mut target.policies);
    match policies.and_then(|policies| policies.remove(&request.policy_name)) {
        Some(_) => Ok(nothing()),
        None => Err(ApiError::new(
            "ObjectNotFoundException",
            format!(
                "No scaling policy found for service namespace: {}, resource ID: {}, scalable dimension: {}, policy \
                 name: {}",
                request.service_namespace, request.resource_id, request.scalable_dimension, request.policy_name
            ),
        )),
    }
}

/// TagResource.
pub fn tag_resource(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let request: TagsRequest = parse(request, &[])?;
    with_tags(app, &request.resource_arn, |tags| {
        tags.extend(request.tags.clone());
        nothing()
    })
}

/// UntagResource.
pub fn untag_resource(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let request: TagsRequest = parse(request, &[])?;
    with_tags(app, &request.resource_arn, |tags| {
        tags.retain(|key, _| !request.tag_keys.contains(key));
        nothing()
    })
}

/// ListTagsForResource.
pub fn list_tags_for_resource(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let request: TagsRequest = parse(request, &[])?;
    with_tags(app, &request.resource_arn, |tags| json!({ "Tags": tags }))
}

fn with_tags(
    app: &App,
    arn: &str,
    work: impl FnOnce(&mut BTreeMap<String, String>) -> Value,
) -> Result<Value, ApiError> {
    let mut targets = app.autoscaling.lock();
    match targets.values_mut().find(|target| target.arn == arn) {
        Some(target) => Ok(work(&mut target.tags)),
        None => Err(ApiError::new(
            "ResourceNotFoundException",
            format!("Resource not found: {arn}"),
        )),
    }
}

impl TargetRequest {
    /// AWS's message says "found" when a target is being removed, and "registered" when one is required.
    fn no_target(&self, word: &str) -> ApiError {
        ApiError::new(
            "ObjectNotFoundException",
            format!(
                "No scalable target {word} for service namespace: {}, resource ID: {}, scalable dimension: {}",
                self.service_namespace, self.resource_id, self.scalable_dimension
            ),
        )
    }
}

impl DescribeRequest {
    /// The requested page; a token is the number of items returned so far.
    fn page(&self, key: &str, items: impl Iterator<Item = Value>) -> Result<Value, ApiError> {
        check(
            &self.service_namespace,
            self.scalable_dimension.as_deref().unwrap_or(DIMENSION),
        )?;
        let invalid = |_| ApiError::new("InvalidNextTokenException", "The next token is not valid.");
        let given = self
            .next_token
            .as_deref()
            .map_or(Ok(0), str::parse::<usize>)
            .map_err(invalid)?;
        let mut rest: Vec<Value> = items.skip(given).collect();
        let size = self.max_results.unwrap_or(50);
        let more = rest.len() > size;
        rest.truncate(size);
        let mut answer = json!({ key: rest });
        if more {
            answer["NextToken"] = json!((given + size).to_string());
        }
        Ok(answer)
    }
}

fn check(namespace: &str, dimension: &str) -> Result<(), ApiError> {
    if namespace != NAMESPACE || dimension != DIMENSION {
        return Err(ApiError::not_done(&format!(
            "scaling of {namespace}, {dimension}: only of {NAMESPACE}, {DIMENSION}"
        )));
    }
    Ok(())
}

fn parts(resource_id: &str) -> Result<(&str, &str), ApiError> {
    resource_id
        .strip_prefix("endpoint/")
        .and_then(|rest| rest.split_once("/variant/"))
        .ok_or_else(|| {
            ApiError::validation(format!(
                "{resource_id} is not of the form endpoint/NAME/variant/VARIANT"
            ))
        })
}

fn arn(app: &App, kind: &str, name: &str) -> String {
    format!(
        "arn:aws:application-autoscaling:{}:{}:{kind}/{name}",
        app.host.arns.region, app.host.arns.account
    )
}
