//! A SageMaker in memory, on the virtual clock: jobs that take their time, endpoints that are created, updated and
//! rolled back. Both the machines' tasks and the functions' SDK calls end up here.
//!
//! As in the real one, names are unique, those of jobs for ever; whatever is named must exist; an endpoint that is
//! changing can't be updated or deleted, and a failed one only deleted; an update that fails leaves the endpoint in
//! service on its former configuration.

mod account;
mod analyzer;
mod api;
mod containers;
mod data;
mod endpoints;
mod folders;
mod jobs;
mod models;
mod preprocess;

pub use account::{JobKind, SageMaker};
pub use api::ApiError;
pub use data::base_price;

use crate::clock::Clock;
use crate::faults::{Effect, Faults};
use api::{arn, text};
use fake_aws::{FakeAws, Reply, Request};
use serde_json::{Value, json};
use std::sync::Arc;

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
