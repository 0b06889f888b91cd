//! The instance of a job.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The instance of a job.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Compute {
    /// A SageMaker instance type.
    pub instance_type: String,
    /// Disk size in GB.
    pub volume_gb: u32,
    /// The job is stopped after this many seconds.
    pub max_runtime_s: u32,
}

impl Default for Compute {
    fn default() -> Self {
        Self {
            instance_type: "ml.m5.xlarge".to_owned(),
            volume_gb: 20,
            max_runtime_s: 3600,
        }
    }
}
