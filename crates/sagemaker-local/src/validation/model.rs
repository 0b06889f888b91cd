//! A service model as botocore stores it: `<service>/<version>/service-2.json`, gzipped or not.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use super::check::Check;
use super::pattern::Patterns;
use super::shape::{Shape, ShapeRef};
use crate::error::ApiError;

/// The services whose operation is named in a header.
const TARGETED: [&str; 2] = ["sagemaker/2017-07-24", "application-autoscaling/2016-02-06"];
/// The service whose operation is in the path.
const RUNTIME: &str = "sagemaker-runtime/2017-05-13";

/// The services that this server implements.
#[derive(Debug)]
pub struct ServiceModels {
    targeted: Vec<Service>,
    runtime: Service,
}

/// One service: its operations, and the shapes of their requests.
#[derive(Debug)]
pub struct Service {
    definition: ServiceDefinition,
    patterns: Patterns,
}

/// Why a service model could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{path}(.gz): {source} (--service-models must name the `data` folder of an installed botocore)")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is not a service model: {source}")]
    Parse { path: PathBuf, source: serde_json::Error },
}

impl ServiceModels {
    /// Reads the models of all services from botocore's `data` folder.
    ///
    /// # Errors
    /// [`ModelError`], naming the file.
    pub fn load(data_dir: &Path) -> Result<Self, ModelError> {
        let load = |service: &str| {
            let path = data_dir.join(service).join("service-2.json");
            let text = read(&path).map_err(|source| ModelError::Read {
                path: path.clone(),
                source,
            })?;
            Service::parse(&text).map_err(|source| ModelError::Parse { path, source })
        };
        Ok(Self {
            targeted: TARGETED.into_iter().map(load).collect::<Result<_, _>>()?,
            runtime: load(RUNTIME)?,
        })
    }

    /// The JSON 1.1 service whose `X-Amz-Target` begins with this.
    pub fn by_target_prefix(&self, prefix: &str) -> Option<&Service> {
        let mut services = self.targeted.iter();
        services.find(|service| service.definition.metadata.target_prefix.as_deref() == Some(prefix))
    }

    /// SageMaker Runtime.
    pub fn runtime(&self) -> &Service {
        &self.runtime
    }
}

impl Service {
    /// Reads one model.
    ///
    /// # Errors
    /// The text is not a service model in botocore's format.
    pub fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self {
            definition: serde_json::from_slice(text)?,
            patterns: Patterns::default(),
        })
    }

    /// Checks a request against the operation's input shape.
    ///
    /// # Errors
    /// As on AWS: `UnknownOperationException`; `SerializationException` for unknown members and wrong types,
    /// naming the first; `ValidationException` for everything else, naming all.
    pub fn validate(&self, operation: &str, request: &Value) -> Result<(), ApiError> {
        let Some(operation) = self.definition.operations.get(operation) else {
            return Err(ApiError::new(
                "UnknownOperationException",
                format!("there is no operation {operation}"),
            ));
        };
        match &operation.input {
            Some(input) => Check::new(&self.definition.shapes, &self.patterns).request(&input.shape, request),
            None => Ok(()),
        }
    }
}

// Documentation makes up most of a model's bytes; serde skips everything that is not named below.

#[derive(Debug, Deserialize)]
struct ServiceDefinition {
    metadata: Metadata,
    operations: HashMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    target_prefix: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Operation {
    input: Option<ShapeRef>,
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    match std::fs::read(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let mut text = Vec::new();
            flate2::read::GzDecoder::new(File::open(path.with_extension("json.gz"))?).read_to_end(&mut text)?;
            Ok(text)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/service-models");

    #[test]
    fn services_are_found_by_target() {
        let models = ServiceModels::load(Path::new(FIXTURES)).unwrap();
        let sagemaker = models.by_target_prefix("SageMaker").unwrap();
        assert!(
            sagemaker
                .validate("DescribeModel", &serde_json::json!({"ModelName": "cars"}))
                .is_ok()
        );
        assert!(models.by_target_prefix("AnyScaleFrontendService").is_some());
        let invocation = serde_json::json!({"EndpointName": "cars", "Body": "", "InferenceId": "x".repeat(65)});
        let refused = models.runtime().validate("InvokeEndpoint", &invocation).unwrap_err();
        assert!(refused.message.contains("'inferenceId'"));
        assert!(models.by_target_prefix("").is_none());
    }

    #[test]
    fn gzipped_models_are_read_where_plain_ones_are_missing() {
        let dir = tempfile::tempdir().unwrap();
        for service in TARGETED.into_iter().chain([RUNTIME]) {
            let folder = dir.path().join(service);
            std::fs::create_dir_all(&folder).unwrap();
            let plain = std::fs::read(Path::new(FIXTURES).join(service).join("service-2.json")).unwrap();
            let file = File::create(folder.join("service-2.json.gz")).unwrap();
            let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            gzip.write_all(&plain).unwrap();
            gzip.finish().unwrap();
        }
        assert!(
            ServiceModels::load(dir.path())
                .unwrap()
                .by_target_prefix("SageMaker")
                .is_some()
        );
    }

    #[test]
    fn a_wrong_folder_is_named_with_what_to_give() {
        let error = ServiceModels::load(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/sagemaker/2017-07-24/service-2.json"));
        assert!(error.contains("--service-models"));
    }
}
