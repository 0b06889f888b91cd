//! Processing jobs: their requests and their states.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::inputs::{S3DataDistributionType, S3DataType};
use super::training::StoppingCondition;
use super::{Progress, StopSignal};

/// A processing job in any state.
#[derive(Debug, Clone)]
pub struct ProcessingJob {
    pub progress: Progress,
    pub stop: StopSignal,
    /// What the container left in `/opt/ml/output/message`.
    pub exit_message: Option<String>,
    pub name: String,
    pub arn: String,
    pub request: Value,
}

/// The members of CreateProcessingJob that are implemented here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateRequest {
    pub processing_job_name: String,
    #[serde(default)]
    pub processing_inputs: Vec<ProcessingInput>,
    #[serde(default)]
    pub processing_output_config: ProcessingOutputConfig,
    pub processing_resources: ProcessingResources,
    #[serde(default)]
    pub stopping_condition: StoppingCondition,
    pub app_specification: AppSpecification,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProcessingInput {
    pub input_name: String,
    pub s3_input: S3Input,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct S3Input {
    pub s3_uri: String,
    pub local_path: String,
    pub s3_data_type: S3DataType,
    #[serde(rename = "S3InputMode")]
    _input_mode: Option<OnlyFile>,
    #[serde(rename = "S3DataDistributionType")]
    _distribution: Option<S3DataDistributionType>,
    #[serde(rename = "S3CompressionType")]
    _compression: Option<OnlyNone>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum OnlyFile {
    File,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum OnlyNone {
    None,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProcessingOutputConfig {
    pub outputs: Vec<ProcessingOutput>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProcessingOutput {
    pub output_name: String,
    pub s3_output: S3Output,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct S3Output {
    pub s3_uri: String,
    pub local_path: String,
    #[serde(rename = "S3UploadMode")]
    _upload_mode: OnlyEndOfJob,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum OnlyEndOfJob {
    EndOfJob,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ProcessingResources {
    pub cluster_config: ClusterConfig,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ClusterConfig {
    pub instance_count: u32,
    pub instance_type: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AppSpecification {
    pub image_uri: String,
    #[serde(default)]
    pub container_entrypoint: Vec<String>,
    #[serde(default)]
    pub container_arguments: Vec<String>,
}
