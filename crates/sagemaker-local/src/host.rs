//! What a container is started with: the machine's settings, its images and processes, and S3.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::containers::{Containers, Images};
use crate::names::Arns;
use crate::s3::S3;
use crate::settings::Settings;

/// The machine in the role of an AWS account.
pub struct Host {
    pub settings: Settings,
    pub arns: Arns,
    pub images: Images,
    pub containers: Containers,
    pub s3: S3,
}

impl Host {
    /// The variables that every container gets: those of AWS, pointing to the local endpoint, so that a program that
    /// calls AWS itself stays on this machine.
    pub fn base_environment(&self) -> BTreeMap<String, String> {
        let credentials = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
            .map(|name| (name, std::env::var(name).unwrap_or_else(|_| "test".to_owned())));
        [
            ("AWS_REGION", self.settings.region.clone()),
            ("AWS_DEFAULT_REGION", self.settings.region.clone()),
            ("AWS_ENDPOINT_URL", self.settings.s3_endpoint.clone()),
        ]
        .into_iter()
        .chain(credentials)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
    }

    /// Where a container of this kind and name keeps its `/opt/ml`.
    pub fn container_dir(&self, kind: &str, name: &str) -> PathBuf {
        self.settings.data_dir.join("containers").join(kind).join(name)
    }

    /// Where a container of this kind and name writes its output.
    pub fn log_path(&self, kind: &str, name: &str) -> PathBuf {
        self.settings
            .data_dir
            .join("logs")
            .join(kind)
            .join(format!("{name}.log"))
    }
}
