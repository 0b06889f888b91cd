//! A SageMaker in memory, on the virtual clock: jobs that take their time, endpoints that are created, updated and
//! rolled back. Both the machines' tasks and the functions' SDK calls end up here.
//!
//! As in the real one, names are unique, those of jobs for ever; whatever is named must exist; an endpoint that is
//! changing can't be updated or deleted, and a failed one only deleted; an update that fails leaves the endpoint in
//! service on its former configuration.

mod analyzer;
mod containers;
mod data;
mod endpoints;
mod jobs;
mod preprocess;

pub use data::base_price;
pub use endpoints::Endpoint;
pub use jobs::{Job, JobKind};

use crate::clock::Clock;
use crate::faults::{Effect, Faults};
use fake_aws::{ACCOUNT_ID, FakeAws, REGION, Reply, Request};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// An error that answers a call.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    pub code: String,
    pub message: String,
}

impl ApiError {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
        }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }
}

/// The account's SageMaker. Clones share it.
#[derive(Clone)]
pub struct SageMaker {
    pub clock: Clock,
    pub faults: Faults,
    aws: FakeAws,
    state: Arc<Mutex<State>>,
    /// Notified when any job ends.
    ends: Arc<tokio::sync::Notify>,
}

#[derive(Default)]
struct State {
    jobs: BTreeMap<(JobKind, String), Job>,
    models: BTreeMap<String, Value>,
    configs: BTreeMap<String, Value>,
    endpoints: BTreeMap<String, Endpoint>,
    /// The scalable targets, by resource id.
    targets: Vec<String>,
    /// The noise of the next models, by the algorithm's image; see [`Artifact`].
    noise: BTreeMap<String, f64>,
}

impl SageMaker {
    pub fn new(clock: &Clock, aws: &FakeAws, faults: &Faults) -> Self {
        let sagemaker = Self {
            clock: clock.clone(),
            faults: faults.clone(),
            aws: aws.clone(),
            state: Arc::default(),
            ends: Arc::default(),
        };
        for operation in OPERATIONS {
            let service = sagemaker.clone();
            aws.on(operation, move |request: &Request| {
                match service.call(operation, &request.json()) {
                    Ok(answer) => Reply::json(200, answer),
                    Err(error) => Reply::error(400, error.code, error.message),
                }
            });
        }
        let service = sagemaker.clone();
        aws.on("InvokeEndpoint", move |request: &Request| service.invoke(request));
        sagemaker
    }

    /// Sets the noise of the models that an algorithm trains from now on, in the target's unit.
    pub fn trains_models_off_by(&self, image: &str, noise: f64) {
        self.state.lock().unwrap().noise.insert(image.to_owned(), noise);
    }

    /// Performs a call.
    pub fn call(&self, operation: &str, input: &Value) -> Result<Value, ApiError> {
        match self.faults.take(operation, &input.to_string()) {
            Some(Effect::Fails(code)) => Err(ApiError::new(&code, format!("{operation} is refused: {code}"))),
            Some(Effect::FailsAfterwards(code)) => {
                self.done(operation, input)?;
                Err(ApiError::new(&code, format!("the answer of {operation} was lost")))
            }
            _ => self.done(operation, input),
        }
    }

    fn done(&self, operation: &str, input: &Value) -> Result<Value, ApiError> {
        let name = |field: &str| text(input, field);
        match operation {
            "CreateProcessingJob" => self.create_job(JobKind::Processing, &name("ProcessingJobName")?, input),
            "CreateTrainingJob" => self.create_job(JobKind::Training, &name("TrainingJobName")?, input),
            "CreateTransformJob" => {
                self.describe_model(&name("ModelName")?)?;
                self.create_job(JobKind::Transform, &name("TransformJobName")?, input)
            }
            "DescribeProcessingJob" => self.describe_job(JobKind::Processing, &name("ProcessingJobName")?),
            "DescribeTrainingJob" => self.describe_job(JobKind::Training, &name("TrainingJobName")?),
            "DescribeTransformJob" => self.describe_job(JobKind::Transform, &name("TransformJobName")?),
            "CreateModel" => self.create_model(&name("ModelName")?, input),
            "DescribeModel" => self.describe_model(&name("ModelName")?),
            "DeleteModel" => {
                let deleted = self.state.lock().unwrap().models.remove(&name("ModelName")?);
                deleted
                    .map(|_| json!({}))
                    .ok_or_else(|| ApiError::invalid("Could not find model"))
            }
            "CreateEndpointConfig" => self.create_config(&name("EndpointConfigName")?, input),
            "DescribeEndpointConfig" => self.describe_config(&name("EndpointConfigName")?),
            "CreateEndpoint" => {
                self.create_endpoint(&name("EndpointName")?, &name("EndpointConfigName")?, &input["Tags"])
            }
            "UpdateEndpoint" => self.update_endpoint(&name("EndpointName")?, &name("EndpointConfigName")?),
            "DeleteEndpoint" => self.delete_endpoint(&name("EndpointName")?),
            "DescribeEndpoint" => self.describe_endpoint(&name("EndpointName")?),
            "ListTags" => Ok(self.list_tags(&name("ResourceArn")?)),
            "ListEndpoints" => Ok(self.list_endpoints(input)),
            "RegisterScalableTarget" => {
                self.state.lock().unwrap().targets.push(name("ResourceId")?);
                Ok(json!({}))
            }
            "PutScalingPolicy" => Ok(json!({"PolicyARN": arn("scaling-policy", &name("ResourceId")?)})),
            "DeregisterScalableTarget" => {
                let resource = name("ResourceId")?;
                let mut state = self.state.lock().unwrap();
                let before = state.targets.len();
                state.targets.retain(|it| *it != resource);
                match state.targets.len() < before {
                    true => Ok(json!({})),
                    false => Err(ApiError::new(
                        "ObjectNotFoundException",
                        "no scalable target is registered",
                    )),
                }
            }
            _ => Err(ApiError::new(
                "UnscriptedCall",
                format!("the simulation has no {operation}"),
            )),
        }
    }

    fn create_model(&self, name: &str, input: &Value) -> Result<Value, ApiError> {
        let mut state = self.state.lock().unwrap();
        let containers = input["Containers"].as_array().cloned().unwrap_or_default();
        if containers.is_empty() || containers.iter().any(|it| it["ModelDataUrl"].as_str().is_none()) {
            return Err(ApiError::invalid(format!(
                "model {name} lacks containers or their data"
            )));
        }
        unique(&state.models, name, "model")?;
        state.models.insert(name.to_owned(), input.clone());
        Ok(json!({"ModelArn": arn("model", name)}))
    }

    fn describe_model(&self, name: &str) -> Result<Value, ApiError> {
        let found = self.state.lock().unwrap().models.get(name).cloned();
        found.ok_or_else(|| ApiError::invalid(format!("Could not find model \"{}\".", arn("model", name))))
    }

    fn create_config(&self, name: &str, input: &Value) -> Result<Value, ApiError> {
        let mut state = self.state.lock().unwrap();
        unique(&state.configs, name, "endpoint configuration")?;
        for variant in input["ProductionVariants"].as_array().into_iter().flatten() {
            let model = text(variant, "ModelName")?;
            if !state.models.contains_key(&model) {
                return Err(ApiError::invalid(format!(
                    "Could not find model \"{}\".",
                    arn("model", &model)
                )));
            }
        }
        state.configs.insert(name.to_owned(), input.clone());
        Ok(json!({"EndpointConfigArn": arn("endpoint-config", name)}))
    }

    fn describe_config(&self, name: &str) -> Result<Value, ApiError> {
        let found = self.state.lock().unwrap().configs.get(name).cloned();
        let mut config = found.ok_or_else(|| {
            let arn = arn("endpoint-config", name);
            ApiError::invalid(format!("Could not find endpoint configuration \"{arn}\"."))
        })?;
        config["EndpointConfigArn"] = arn("endpoint-config", name).into();
        config["CreationTime"] = 0.into();
        Ok(config)
    }
}

/// The operations that functions may call through the SDK.
const OPERATIONS: [&str; 12] = [
    "CreateEndpoint",
    "CreateEndpointConfig",
    "DeleteEndpoint",
    "DeregisterScalableTarget",
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeModel",
    "DescribeTrainingJob",
    "DescribeTransformJob",
    "ListEndpoints",
    "ListTags",
    "UpdateEndpoint",
];

/// Checks a new name: unique, and at most 63 letters, digits and single hyphens between them, as SageMaker requires.
fn unique<T>(known: &BTreeMap<String, T>, name: &str, what: &str) -> Result<(), ApiError> {
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if name.is_empty() || name.len() > 63 || !plain || name.starts_with('-') || name.ends_with('-') {
        return Err(ApiError::invalid(format!("`{name}` is no name of a {what}")));
    }
    if known.contains_key(name) {
        return Err(ApiError::invalid(format!(
            "Cannot create already existing {what} \"{name}\"."
        )));
    }
    Ok(())
}

fn text(input: &Value, field: &str) -> Result<String, ApiError> {
    let found = input[field].as_str().map(str::to_owned);
    found.ok_or_else(|| ApiError::invalid(format!("{field} is missing in {input}")))
}

fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:sagemaker:{REGION}:{ACCOUNT_ID}:{kind}/{name}")
}
