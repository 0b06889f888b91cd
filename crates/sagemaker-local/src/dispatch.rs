//! Dispatch from a target header to the implementation of the operation.

use std::sync::Arc;

use serde_json::Value;

use crate::app::App;
use crate::error::ApiError;
use crate::operations::{autoscaling, endpoint, endpoint_config, model, processing, tags, training, transform};

/// Calls an implemented operation of SageMaker or Application Auto Scaling, one on each line.
///
/// `None` means that the operation exists on AWS but is not implemented here.
async fn call(app: &Arc<App>, operation: &str, request: Value) -> Option<Result<Value, ApiError>> {
    Some(match operation {
        "CreateTrainingJob" => training::create(app, request),
        "DescribeTrainingJob" => training::describe(app, &request),
        "ListTrainingJobs" => training::list(app, &request),
        "StopTrainingJob" => training::stop(app, &request),

        "CreateProcessingJob" => processing::create(app, request),
        "DescribeProcessingJob" => processing::describe(app, &request),
        "ListProcessingJobs" => processing::list(app, &request),
        "StopProcessingJob" => processing::stop(app, &request),

        "CreateModel" => model::create(app, request).await,
        "DescribeModel" => model::describe(app, &request),
        "DeleteModel" => model::delete(app, &request),
        "ListModels" => model::list(app, &request),

        "CreateEndpointConfig" => endpoint_config::create(app, &request),
        "DescribeEndpointConfig" => endpoint_config::describe(app, &request),
        "DeleteEndpointConfig" => endpoint_config::delete(app, &request),
        "ListEndpointConfigs" => endpoint_config::list(app, &request),

        "CreateEndpoint" => endpoint::create(app, &request),
        "UpdateEndpoint" => endpoint::update(app, &request),
        "UpdateEndpointWeightsAndCapacities" => endpoint::update_weights_and_capacities(app, &request),
        "DescribeEndpoint" => endpoint::describe(app, &request),
        "DeleteEndpoint" => endpoint::delete(app, &request),
        "ListEndpoints" => endpoint::list(app, &request),

        "CreateTransformJob" => transform::create(app, &request),
        "DescribeTransformJob" => transform::describe(app, &request),
        "ListTransformJobs" => transform::list(app, &request),
        "StopTransformJob" => transform::stop(app, &request),

        "RegisterScalableTarget" => autoscaling::register_scalable_target(app, &request),
        "DescribeScalableTargets" => autoscaling::describe_scalable_targets(app, &request),
        "DeregisterScalableTarget" => autoscaling::deregister_scalable_target(app, &request),
        "PutScalingPolicy" => autoscaling::put_scaling_policy(app, &request),
        "DescribeScalingPolicies" => autoscaling::describe_scaling_policies(app, &request),
        "DeleteScalingPolicy" => autoscaling::delete_scaling_policy(app, &request),
        "TagResource" => autoscaling::tag_resource(app, &request),
        "UntagResource" => autoscaling::untag_resource(app, &request),
        "ListTagsForResource" => autoscaling::list_tags_for_resource(app, &request),

        "AddTags" => tags::add(app, &request),
        "ListTags" => tags::list(app, &request),
        "DeleteTags" => tags::delete(app, &request),

        _ => return None,
    })
}

/// Checks a JSON 1.1 request as AWS does, and answers it.
///
/// # Errors
/// Any [`ApiError`]: unknown operation, malformed or invalid request, an injected fault, or an error of the
/// operation.
pub async fn answer(app: &Arc<App>, target: &str, body: &[u8]) -> Result<Value, ApiError> {
    let unknown = || {
        ApiError::new(
            "UnknownOperationException",
            format!("the header X-Amz-Target names no operation of a known service: `{target}`"),
        )
    };
    let (prefix, operation) = target.split_once('.').ok_or_else(unknown)?;
    let service = app.service_models.by_target_prefix(prefix).ok_or_else(unknown)?;
    let body: &[u8] = if body.trim_ascii().is_empty() { b"{}" } else { body };
    let request: Value = serde_json::from_slice(body)
        .map_err(|error| ApiError::serialization(format!("the body is not JSON: {error}")))?;
    service.validate(operation, &request)?;
    app.faults.strike(operation, resource_name(&request)).await?;
    let result = call(app, operation, request)
        .await
        .unwrap_or_else(|| Err(ApiError::unsupported_operation(operation)));
    match &result {
        Ok(_) => tracing::debug!(operation, "answered"),
        Err(error) => tracing::info!(operation, %error, "refused"),
    }
    result
}

/// Name of the resource that a request is about, for matching faults; empty if it names none.
fn resource_name(request: &Value) -> &str {
    [
        "TrainingJobName",
        "ProcessingJobName",
        "TransformJobName",
        "EndpointName",
        "EndpointConfigName",
        "ModelName",
        "ResourceId",
    ]
    .iter()
    .find_map(|key| request.get(key).and_then(Value::as_str))
    .unwrap_or_default()
}
