//! Models.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A model: one container, or the containers of an inference pipeline, in order.
#[derive(Debug, Clone)]
pub struct Model {
    pub name: String,
    pub arn: String,
    pub containers: Vec<ContainerDefinition>,
    pub created: Timestamp,
    pub request: Value,
}

/// One container of a model.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct ContainerDefinition {
    pub image: String,
    /// Address of the `model.tar.gz`; a container may have none.
    pub model_data_url: Option<String>,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    #[serde(rename = "Mode")]
    _mode: Option<ContainerMode>,
    #[serde(rename = "ContainerHostname")]
    _hostname: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
enum ContainerMode {
    SingleModel,
}
