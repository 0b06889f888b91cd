//! CreateEndpointConfig, DescribeEndpointConfig, DeleteEndpointConfig, ListEndpointConfigs.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{model, nothing};
use crate::app::App;
use crate::error::ApiError;
use crate::models::endpoint_config::{DataCaptureConfig, EndpointConfig, ProductionVariant, even_weight};
use crate::names::epoch_seconds;
use crate::request::parse;
use crate::store::listing::{Listed, SortOrder, page};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateRequest {
    endpoint_config_name: String,
    production_variants: Vec<ProductionVariant>,
    data_capture_config: Option<DataCaptureConfig>,
}

const WITHOUT_EFFECT: &[&str] = &[
    "Tags",
    "KmsKeyId",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
    "DataCaptureConfig.KmsKeyId",
    "ProductionVariants.VolumeSizeInGB",
    "ProductionVariants.EnableSSMAccess",
    "ProductionVariants.RoutingConfig",
    "ProductionVariants.InferenceAmiVersion",
    "ProductionVariants.CoreDumpConfig",
    "ProductionVariants.ModelDataDownloadTimeoutInSeconds",
];

pub fn create(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let CreateRequest {
        endpoint_config_name: name,
        production_variants,
        data_capture_config: data_capture,
    } = parse(request, WITHOUT_EFFECT)?;
    for (index, variant) in production_variants.iter().enumerate() {
        model::find(app, &variant.model_name)?;
        if production_variants[..index]
            .iter()
            .any(|other| other.variant_name == variant.variant_name)
        {
            return Err(ApiError::validation(format!(
                "Production variant names must be unique within a configuration; {} is there twice.",
                variant.variant_name
            )));
        }
    }
    let arn = arn(app, &name);
    let config = EndpointConfig {
        name: name.clone(),
        arn: arn.clone(),
        production_variants,
        data_capture,
        created: Timestamp::now(),
        request: request.clone(),
    };
    if !app.store.endpoint_configs.insert_new(&name, config) {
        let text = format!("Cannot create already existing endpoint configuration \"{arn}\".");
        return Err(ApiError::validation(text));
    }
    app.store.tags.begin(&arn, request);
    Ok(json!({"EndpointConfigArn": arn}))
}

pub fn describe(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let config = find(app, name_in(request))?;
    let mut answer = config.request;
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("Tags");
    }
    for variant in answer["ProductionVariants"].as_array_mut().into_iter().flatten() {
        if variant["InitialVariantWeight"].is_null() {
            variant["InitialVariantWeight"] = Value::from(even_weight());
        }
    }
    answer["EndpointConfigArn"] = Value::from(config.arn);
    answer["CreationTime"] = epoch_seconds(config.created);
    Ok(answer)
}

pub fn delete(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let name = name_in(request);
    let config = app
        .store
        .endpoint_configs
        .remove(name)
        .ok_or_else(|| missing(app, name))?;
    app.store.tags.forget(&config.arn);
    Ok(nothing())
}

pub fn list(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let items = app.store.endpoint_configs.all().into_iter().map(|config| Listed {
        status: None,
        created: config.created,
        modified: config.created,
        summary: json!({
            "EndpointConfigName": config.name,
            "EndpointConfigArn": config.arn,
            "CreationTime": epoch_seconds(config.created),
        }),
        name: config.name,
    });
    page(request, "EndpointConfigs", SortOrder::Descending, items.collect())
}

/// The endpoint configuration of this name.
///
/// # Errors
/// AWS's error for a configuration that does not exist.
pub fn find(app: &App, name: &str) -> Result<EndpointConfig, ApiError> {
    app.store.endpoint_configs.get(name).ok_or_else(|| missing(app, name))
}

fn name_in(request: &Value) -> &str {
    request["EndpointConfigName"].as_str().unwrap_or_default()
}

fn arn(app: &App, name: &str) -> String {
    app.host.arns.of("endpoint-config", name)
}

fn missing(app: &App, name: &str) -> ApiError {
    ApiError::validation(format!("Could not find endpoint configuration \"{}\".", arn(app, name)))
}
