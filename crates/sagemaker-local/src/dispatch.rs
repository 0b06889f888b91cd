//! From a target header to the operation that answers it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiError;
use crate::faults::FaultKind;
use crate::store::tags;
use crate::{autoscaling, endpoints, jobs, models, transform};

/// The operations of SageMaker and Application Auto Scaling that are done here, one a line.
///
/// `None` means that the operation exists on AWS but not here.
async fn call(app: &Arc<App>, operation: &str, request: Value) -> Option<Result<Value, ApiError>> {
    Some(match operation {
        "CreateTrainingJob" => jobs::training::create(app, request),
        "DescribeTrainingJob" => jobs::training::describe(app, &request),
        "ListTrainingJobs" => jobs::training::list(app, &request),
        "StopTrainingJob" => jobs::training::stop(app, &request),

        "CreateProcessingJob" => jobs::processing::create(app, request),
        "DescribeProcessingJob" => jobs::processing::describe(app, &request),
        "ListProcessingJobs" => jobs::processing::list(app, &request),
        "StopProcessingJob" => jobs::processing::stop(app, &request),

        "CreateModel" => models::model::create(app, request).await,
        "DescribeModel" => models::model::describe(app, &request),
        "DeleteModel" => models::model::delete(app, &request),
        "ListModels" => models::model::list(app, &request),

        "CreateEndpointConfig" => models::endpoint_config::create(app, &request),
        "DescribeEndpointConfig" => models::endpoint_config::describe(app, &request),
        "DeleteEndpointConfig" => models::endpoint_config::delete(app, &request),
        "ListEndpointConfigs" => models::endpoint_config::list(app, &request),

        "CreateEndpoint" => endpoints::operations::create(app, &request),
        "UpdateEndpoint" => endpoints::operations::update(app, &request),
        "UpdateEndpointWeightsAndCapacities" => endpoints::operations::update_weights_and_capacities(app, &request),
        "DescribeEndpoint" => endpoints::operations::describe(app, &request),
        "DeleteEndpoint" => endpoints::operations::delete(app, &request),
        "ListEndpoints" => endpoints::operations::list(app, &request),

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

/// Checks a JSON 1.1 request as AWS does and answers it.
///
/// # Errors
/// Any [`ApiError`]: unknown operation, malformed or invalid request, a fault on demand, the operation's own.
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
    strike(app, operation, resource_name(&request)).await?;
    let result = call(app, operation, request)
        .await
        .unwrap_or_else(|| Err(ApiError::unsupported_operation(operation)));
    match &result {
        Ok(_) => tracing::debug!(operation, "answered"),
        Err(error) => tracing::info!(operation, %error, "refused"),
    }
    result
}

/// The faults that any operation can be struck by: a delay, a throttle, an error.
///
/// # Errors
/// The error of the fault.
pub async fn strike(app: &App, operation: &str, name: &str) -> Result<(), ApiError> {
    if let Some(fault) = app.faults.take(operation, name, FaultKind::Delay) {
        tokio::time::sleep(Duration::from_millis(fault.delay_ms.unwrap_or(1000))).await;
    }
    if app.faults.take(operation, name, FaultKind::Throttle).is_some() {
        return Err(ApiError::throttling());
    }
    if let Some(fault) = app.faults.take(operation, name, FaultKind::Error) {
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

/// The name of the resource that a request is about, for matching faults; empty when it names none.
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

/// The answer of operations that have nothing to say.
pub fn nothing() -> Value {
    json!({})
}
