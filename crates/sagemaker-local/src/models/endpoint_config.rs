//! CreateEndpointConfig, DescribeEndpointConfig, DeleteEndpointConfig, ListEndpointConfigs.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::model;
use crate::app::App;
use crate::dispatch::nothing;
use crate::error::ApiError;
use crate::names::epoch_seconds;
use crate::request::parse;
use crate::store::listing::{Listed, SortOrder, page};

/// What an endpoint is made from. Endpoints keep a copy: deleting a configuration does not hurt them here,
/// as it does not on AWS.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    pub name: String,
    pub arn: String,
    pub production_variants: Vec<ProductionVariant>,
    pub data_capture: Option<DataCaptureConfig>,
    created: Timestamp,
    request: Value,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProductionVariant {
    pub variant_name: String,
    pub model_name: String,
    pub initial_instance_count: u32,
    pub instance_type: String,
    #[serde(default = "even_weight")]
    pub initial_variant_weight: f64,
    /// How long a container may take until it answers `/ping`.
    pub container_startup_health_check_timeout_in_seconds: Option<u64>,
}

fn even_weight() -> f64 {
    1.0
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DataCaptureConfig {
    #[serde(default = "enabled")]
    pub enable_capture: bool,
    /// 0–100.
    pub initial_sampling_percentage: u32,
    pub destination_s3_uri: String,
    pub capture_options: Vec<CaptureOption>,
    pub capture_content_type_header: Option<CaptureContentTypeHeader>,
}

/// AWS captures unless it is told not to.
fn enabled() -> bool {
    true
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CaptureOption {
    pub capture_mode: CaptureMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum CaptureMode {
    Input,
    Output,
    InputAndOutput,
}

/// Content types whose payloads are captured as text; all others are captured as base64.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CaptureContentTypeHeader {
    #[serde(default)]
    pub csv_content_types: Vec<String>,
    #[serde(default)]
    pub json_content_types: Vec<String>,
}

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
/// AWS's answer for a configuration that does not exist.
pub fn find(app: &App, name: &str) -> Result<EndpointConfig, ApiError> {
    app.store.endpoint_configs.get(name).ok_or_else(|| missing(app, name))
}

fn name_in(request: &Value) -> &str {
    request["EndpointConfigName"].as_str().unwrap_or_default()
}

fn arn(app: &App, name: &str) -> String {
    app.arns.of("endpoint-config", name)
}

fn missing(app: &App, name: &str) -> ApiError {
    ApiError::validation(format!("Could not find endpoint configuration \"{}\".", arn(app, name)))
}
