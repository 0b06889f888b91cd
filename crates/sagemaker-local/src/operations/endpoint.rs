//! CreateEndpoint, UpdateEndpoint, UpdateEndpointWeightsAndCapacities, DeleteEndpoint, DescribeEndpoint, ListEndpoints,
//! and the background work that they start.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::{endpoint_config, model, nothing};
use crate::app::App;
use crate::endpoints::deployment::{Capacity, Deployment, Plan, VariantPlan};
use crate::endpoints::traffic::{self, Step};
use crate::endpoints::{Endpoint, Pending, Status};
use crate::error::ApiError;
use crate::faults::FaultKind;
use crate::request::parse;
use crate::store::listing::{SortOrder, page};

/// Minimum duration of `RollingBack` and `Updating`, so that clients that poll can see them.
const SETTLE: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateRequest {
    endpoint_name: String,
    endpoint_config_name: String,
    deployment_config: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct UpdateRequest {
    endpoint_name: String,
    endpoint_config_name: String,
    #[serde(default)]
    retain_all_variant_properties: bool,
    #[serde(default)]
    exclude_retained_variant_properties: Vec<VariantProperty>,
    deployment_config: Option<Value>,
    #[serde(default)]
    retain_deployment_config: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct VariantProperty {
    variant_property_type: VariantPropertyType,
}

#[derive(Deserialize, PartialEq)]
enum VariantPropertyType {
    DesiredInstanceCount,
    DesiredWeight,
    DataCaptureConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WeightsRequest {
    endpoint_name: String,
    desired_weights_and_capacities: Vec<DesiredWeightAndCapacity>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DesiredWeightAndCapacity {
    variant_name: String,
    desired_weight: Option<f64>,
    desired_instance_count: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct NameRequest {
    endpoint_name: String,
}

pub fn create(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let CreateRequest {
        endpoint_name: name,
        endpoint_config_name,
        deployment_config,
    } = parse(request, &["Tags"])?;
    let plan = plan(app, &endpoint_config_name)?;
    traffic::steps(deployment_config.as_ref(), plan.instance_count())?;
    let arn = app.host.arns.of("endpoint", &name);
    {
        let mut endpoints = app.endpoints.write_all();
        if endpoints.contains_key(&name) {
            return Err(ApiError::validation(format!(
                "Cannot create already existing endpoint \"{arn}\"."
            )));
        }
        endpoints.insert(
            name.clone(),
            Endpoint::new(arn.clone(), &endpoint_config_name, deployment_config),
        );
    }
    app.store.tags.begin(&arn, request);
    tokio::spawn(run_create(Arc::clone(app), name, plan));
    Ok(json!({"EndpointArn": arn}))
}

async fn run_create(app: Arc<App>, name: String, plan: Plan) {
    let started = match app.faults.take("CreateEndpoint", &name, FaultKind::FailCreateEndpoint) {
        Some(fault) => Err(fault
            .reason
            .unwrap_or_else(|| "A fault on demand failed the creation.".to_owned())),
        None => start(&app, &name, plan).await,
    };
    app.endpoints.change(&name, |endpoint| match started {
        Ok(deployment) => {
            endpoint.live = Some(deployment);
            endpoint.status = Status::InService;
        }
        Err(reason) => {
            tracing::warn!(endpoint = name, reason, "an endpoint's creation failed");
            endpoint.failure_reason = Some(reason);
            endpoint.status = Status::Failed;
        }
    });
}

pub fn update(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let request: UpdateRequest = parse(request, &[])?;
    let name = request.endpoint_name;
    let arn = app.host.arns.of("endpoint", &name);
    let excluded = |property| {
        request
            .exclude_retained_variant_properties
            .iter()
            .any(|excluded| excluded.variant_property_type == property)
    };
    if !request.retain_all_variant_properties && !request.exclude_retained_variant_properties.is_empty() {
        return Err(ApiError::validation(
            "ExcludeRetainedVariantProperties can only be given when RetainAllVariantProperties is true.",
        ));
    }
    if !app.endpoints.exists(&name) {
        return Err(not_found(app, &name));
    }
    let mut plan = plan(app, &request.endpoint_config_name)?;
    let steps = {
        let mut endpoints = app.endpoints.write_all();
        let endpoint = endpoints.get_mut(&name).ok_or_else(|| not_found(app, &name))?;
        if endpoint.in_progress() {
            return Err(in_progress(&arn));
        }
        let Some(live) = &endpoint.live else {
            return Err(ApiError::validation(format!(
                "Cannot update endpoint \"{arn}\" in Failed state; delete it."
            )));
        };
        keep_scalable_targets(app, &name, live, &plan)?;
        if request.retain_all_variant_properties {
            plan.retain(
                live,
                !excluded(VariantPropertyType::DesiredInstanceCount),
                !excluded(VariantPropertyType::DesiredWeight),
                !excluded(VariantPropertyType::DataCaptureConfig),
            );
        }
        let deployment_config = match request.retain_deployment_config {
            true => endpoint.last_deployment_config.clone(),
            false => request.deployment_config,
        };
        let steps = traffic::steps(deployment_config.as_ref(), plan.instance_count())?;
        let now = Timestamp::now();
        endpoint.status = Status::Updating;
        endpoint.failure_reason = None;
        endpoint.pending = Some(Pending {
            config_name: plan.config_name.clone(),
            started: now,
        });
        endpoint.last_deployment_config = deployment_config;
        endpoint.modified = now;
        steps
    };
    tokio::spawn(run_update(Arc::clone(app), name, plan, steps));
    Ok(json!({"EndpointArn": arn}))
}

async fn run_update(app: Arc<App>, name: String, plan: Plan, steps: Vec<Step>) {
    let config_name = plan.config_name.clone();
    match shift(&app, &name, plan, steps).await {
        Ok(deployment) => {
            // The old deployment ends when the last request that holds it has ended.
            app.endpoints.change(&name, |endpoint| {
                endpoint.live = Some(deployment);
                endpoint.config_name = config_name;
                endpoint.settle(None);
            });
        }
        Err(reason) => {
            tracing::warn!(endpoint = name, reason, "an endpoint's update rolls back");
            app.endpoints.change(&name, |endpoint| {
                endpoint.shift = None;
                endpoint.status = Status::RollingBack;
            });
            sleep(SETTLE).await;
            app.endpoints.change(&name, |endpoint| endpoint.settle(Some(reason)));
        }
    }
}

/// Starts the new deployment and shifts requests to it, except for the last step.
async fn shift(app: &Arc<App>, name: &str, plan: Plan, steps: Vec<Step>) -> Result<Arc<Deployment>, String> {
    let deployment = start(app, name, plan).await?;
    for Step { percent, wait } in steps {
        app.endpoints.change(name, |endpoint| {
            endpoint.shift = Some((Arc::clone(&deployment), percent));
        });
        sleep(wait).await;
    }
    match app.faults.take("UpdateEndpoint", name, FaultKind::RollbackUpdate) {
        Some(fault) => Err(fault
            .reason
            .unwrap_or_else(|| "A fault on demand rolled the update back.".to_owned())),
        None => Ok(deployment),
    }
}

async fn start(app: &Arc<App>, name: &str, plan: Plan) -> Result<Arc<Deployment>, String> {
    let (deployment, writers) = Deployment::start(&app.host, name, plan).await?;
    app.endpoints.keep_writers(writers);
    Ok(Arc::new(deployment))
}

pub fn update_weights_and_capacities(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let WeightsRequest {
        endpoint_name: name,
        desired_weights_and_capacities: desired,
    } = parse(request, &[])?;
    let arn = app.host.arns.of("endpoint", &name);
    let live = app
        .endpoints
        .change(&name, |endpoint| match &endpoint.live {
            Some(live) if endpoint.status == Status::InService => {
                if let Some(missing) = desired
                    .iter()
                    .find(|wanted| live.variant(&wanted.variant_name).is_none())
                {
                    let variant = &missing.variant_name;
                    return Err(ApiError::validation(format!(
                        "The variant name(s) \"{variant}\" is/are not present within endpoint configuration \"{}\".",
                        endpoint.config_name
                    )));
                }
                let live = Arc::clone(live);
                endpoint.status = Status::Updating;
                Ok(live)
            }
            _ => Err(in_progress(&arn)),
        })
        .unwrap_or_else(|| Err(not_found(app, &name)))?;
    let app = Arc::clone(app);
    tokio::spawn(async move {
        sleep(SETTLE).await;
        for wanted in &desired {
            let Some(variant) = live.variant(&wanted.variant_name) else {
                continue;
            };
            let current = variant.capacity();
            variant.set_capacity(Capacity {
                weight: wanted.desired_weight.unwrap_or(current.weight),
                instance_count: wanted.desired_instance_count.unwrap_or(current.instance_count),
            });
        }
        drop(live);
        app.endpoints.change(&name, |endpoint| endpoint.settle(None));
    });
    Ok(json!({"EndpointArn": arn}))
}

pub fn delete(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let NameRequest { endpoint_name: name } = parse(request, &[])?;
    let arn = app.host.arns.of("endpoint", &name);
    let live = app
        .endpoints
        .change(&name, |endpoint| {
            if endpoint.in_progress() {
                return Err(in_progress(&arn));
            }
            endpoint.status = Status::Deleting;
            Ok(endpoint.live.take())
        })
        .unwrap_or_else(|| Err(not_found(app, &name)))?;
    app.store.tags.forget(&arn);
    app.autoscaling.forget_endpoint(&name);
    let app = Arc::clone(app);
    tokio::spawn(async move {
        if let Some(live) = live {
            let ended = live.ended();
            drop(live);
            ended.await;
        }
        app.endpoints.write_all().remove(&name);
    });
    Ok(nothing())
}

pub fn describe(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let NameRequest { endpoint_name: name } = parse(request, &[])?;
    app.endpoints
        .read(&name, |endpoint| endpoint.description(&name))
        .ok_or_else(|| not_found(app, &name))
}

pub fn list(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    page(request, "Endpoints", SortOrder::Descending, app.endpoints.listed())
}

/// The plan for a configuration, with the models as they are now, so that later deletions have no effect.
fn plan(app: &App, config_name: &str) -> Result<Plan, ApiError> {
    let config = endpoint_config::find(app, config_name)?;
    let variants = config.production_variants.into_iter().map(|settings| {
        let containers = model::find(app, &settings.model_name)?.containers;
        Ok(VariantPlan { settings, containers })
    });
    Ok(Plan {
        config_name: config_name.to_owned(),
        variants: variants.collect::<Result<_, ApiError>>()?,
        capture: config.data_capture,
    })
}

/// A variant that is a scalable target must keep its name and instance type until it is deregistered.
fn keep_scalable_targets(app: &App, name: &str, live: &Deployment, plan: &Plan) -> Result<(), ApiError> {
    let kept = |variant: &str, instance_type: &str| {
        plan.variants
            .iter()
            .any(|planned| planned.settings.variant_name == variant && planned.settings.instance_type == instance_type)
    };
    let lost = live.variants().iter().find(|variant| {
        app.autoscaling.is_registered(name, &variant.name) && !kept(&variant.name, &variant.instance_type)
    });
    match lost {
        None => Ok(()),
        Some(variant) => Err(ApiError::validation(format!(
            "The variant(s) \"[{}]\" must be deregistered as scalable targets with AWS Auto Scaling before they can be \
             deleted or have their instance type updated.",
            variant.name
        ))),
    }
}

fn not_found(app: &App, name: &str) -> ApiError {
    ApiError::validation(format!(
        "Could not find endpoint \"{}\".",
        app.host.arns.of("endpoint", name)
    ))
}

fn in_progress(arn: &str) -> ApiError {
    ApiError::validation(format!("Cannot update in-progress endpoint \"{arn}\"."))
}
