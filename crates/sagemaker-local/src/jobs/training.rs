//! Training jobs: their requests and their states.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::inputs::{S3DataDistributionType, S3DataType};
use super::{JobStatus, Progress, StopSignal};
use crate::containers::MetricDefinition;
use crate::names::epoch_seconds;

/// A training job in any state.
#[derive(Debug, Clone)]
pub struct TrainingJob {
    pub progress: Progress,
    pub stop: StopSignal,
    /// Where `model.tar.gz` was written.
    pub model_artifacts: Option<String>,
    pub final_metrics: Vec<(String, f64)>,
    pub name: String,
    pub arn: String,
    pub request: Value,
    pub transitions: Vec<Transition>,
}

#[derive(Debug, Clone)]
pub struct Transition {
    status: &'static str,
    message: &'static str,
    started: Timestamp,
    ended: Option<Timestamp>,
}

impl TrainingJob {
    /// Moves the job to a secondary status and ends the previous one.
    pub fn enter(&mut self, status: &'static str, message: &'static str) {
        let now = Timestamp::now();
        if let Some(last) = self.transitions.last_mut() {
            last.ended = Some(now);
        }
        self.transitions.push(Transition {
            status,
            message,
            started: now,
            ended: None,
        });
        self.progress.modified = now;
    }

    /// Moves the job to its last secondary status.
    pub fn finish(&mut self, status: JobStatus, secondary: (&'static str, &'static str), failure_reason: Option<&str>) {
        self.enter(secondary.0, secondary.1);
        self.progress.ended(status, failure_reason);
        if let Some(last) = self.transitions.last_mut() {
            last.ended = self.progress.ended;
        }
    }

    pub fn secondary_status(&self) -> &'static str {
        self.transitions
            .last()
            .map_or("Starting", |transition| transition.status)
    }
}

/// The members of CreateTrainingJob that are implemented here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct CreateRequest {
    pub training_job_name: String,
    #[serde(default)]
    pub hyper_parameters: BTreeMap<String, String>,
    pub algorithm_specification: AlgorithmSpecification,
    #[serde(default)]
    pub input_data_config: Vec<Channel>,
    pub output_data_config: OutputDataConfig,
    pub resource_config: ResourceConfig,
    #[serde(default)]
    pub stopping_condition: StoppingCondition,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct AlgorithmSpecification {
    pub training_image: String,
    pub training_input_mode: InputMode,
    #[serde(default)]
    pub metric_definitions: Vec<MetricDefinition>,
}

/// Both modes give the container files; with fast file mode, they are also fetched before the start here.
#[derive(Debug, Clone, Copy, Deserialize)]
pub enum InputMode {
    File,
    FastFile,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Channel {
    pub channel_name: String,
    pub data_source: DataSource,
    pub content_type: Option<String>,
    #[serde(rename = "CompressionType")]
    _compression_type: Option<OnlyNone>,
    #[serde(rename = "RecordWrapperType")]
    _record_wrapper_type: Option<OnlyNone>,
    #[serde(rename = "InputMode")]
    _input_mode: Option<InputMode>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum OnlyNone {
    None,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct DataSource {
    pub s3_data_source: S3DataSource,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct S3DataSource {
    pub s3_data_type: S3DataType,
    pub s3_uri: String,
    #[serde(rename = "S3DataDistributionType")]
    _distribution: Option<S3DataDistributionType>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct OutputDataConfig {
    pub s3_output_path: String,
    #[serde(rename = "CompressionType")]
    _compression_type: Option<OnlyGzip>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum OnlyGzip {
    Gzip,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ResourceConfig {
    pub instance_type: String,
    pub instance_count: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct StoppingCondition {
    #[serde(default = "one_day")]
    pub max_runtime_in_seconds: u64,
}

impl Default for StoppingCondition {
    fn default() -> Self {
        Self {
            max_runtime_in_seconds: one_day(),
        }
    }
}

/// The default on AWS.
pub fn one_day() -> u64 {
    86_400
}

impl Transition {
    pub fn to_json(&self) -> Value {
        let mut transition = json!({
            "Status": self.status,
            "StatusMessage": self.message,
            "StartTime": epoch_seconds(self.started),
        });
        if let Some(ended) = self.ended {
            transition["EndTime"] = epoch_seconds(ended);
        }
        transition
    }
}
