//! Endpoint configurations.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// The configuration of an endpoint. Endpoints keep a copy, so that deleting a configuration doesn't affect them, as on
/// AWS.
#[derive(Debug, Clone)]
pub struct EndpointConfig {
    pub name: String,
    pub arn: String,
    pub production_variants: Vec<ProductionVariant>,
    pub data_capture: Option<DataCaptureConfig>,
    pub created: Timestamp,
    pub request: Value,
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
    /// Maximum time in seconds until a container answers `/ping`.
    pub container_startup_health_check_timeout_in_seconds: Option<u64>,
}

/// Without weights, all variants get the same number of requests.
pub fn even_weight() -> f64 {
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

/// AWS captures unless capture is disabled.
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
