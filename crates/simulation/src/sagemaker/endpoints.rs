//! Endpoints: what they serve, and which configuration they are changing to.

use super::account::{Endpoint, SageMaker};
use super::api::{ApiError, arn, unique};
use super::data::Artifact;
use crate::faults::Effect;
use fake_aws::{Reply, Request};
use serde_json::{Value, json};
use std::time::Duration;

/// How long it takes to create or update an endpoint.
const CHANGE: Duration = Duration::from_secs(100);
const DELETION: Duration = Duration::from_secs(30);

impl SageMaker {
    /// The endpoints, by name.
    pub fn endpoints(&self) -> Vec<(String, Endpoint)> {
        let state = self.state.lock().unwrap();
        state
            .endpoints
            .iter()
            .map(|(name, it)| (name.clone(), it.clone()))
            .collect()
    }

    /// Sets an endpoint as if somebody else were updating it, or had done so long ago.
    pub fn set_endpoint(&self, name: &str, status: &str, config: &str) {
        let mut state = self.state.lock().unwrap();
        let tags = state.endpoints.get(name).map_or(Value::Null, |it| it.tags.clone());
        let endpoint = Endpoint {
            tags,
            status: status.to_owned(),
            config: config.to_owned(),
            failure: (status == "Failed").then(|| "the instances were lost".to_owned()),
        };
        state.endpoints.insert(name.to_owned(), endpoint);
    }

    pub(super) fn create_endpoint(&self, name: &str, config: &str, tags: &Value) -> Result<Value, ApiError> {
        self.describe_config(config)?;
        unique(&self.state.lock().unwrap().endpoints, name, "endpoint")?;
        self.set_endpoint(name, "Creating", config);
        if let Some(made) = self.state.lock().unwrap().endpoints.get_mut(name) {
            made.tags = tags.clone();
        }
        self.arrive(name, config, config);
        Ok(json!({"EndpointArn": arn("endpoint", name)}))
    }

    pub(super) fn update_endpoint(&self, name: &str, config: &str) -> Result<Value, ApiError> {
        self.describe_config(config)?;
        let before = {
            let mut state = self.state.lock().unwrap();
            let endpoint = state.endpoints.get_mut(name).ok_or_else(|| missing(name))?;
            if endpoint.status != "InService" {
                let text = format!("Cannot update in-progress endpoint \"{}\".", arn("endpoint", name));
                return Err(ApiError::invalid(text));
            }
            "Updating".clone_into(&mut endpoint.status);
            endpoint.config.clone()
        };
        self.arrive(name, &before, config);
        Ok(json!({"EndpointArn": arn("endpoint", name)}))
    }

    pub(super) fn delete_endpoint(&self, name: &str) -> Result<Value, ApiError> {
        {
            let mut state = self.state.lock().unwrap();
            let endpoint = state.endpoints.get_mut(name).ok_or_else(|| missing(name))?;
            if !["InService", "Failed"].contains(&endpoint.status.as_str()) {
                let text = format!("Cannot delete in-progress endpoint \"{}\".", arn("endpoint", name));
                return Err(ApiError::invalid(text));
            }
            "Deleting".clone_into(&mut endpoint.status);
        }
        let (service, name) = (self.clone(), name.to_owned());
        self.clock.spawn(async move {
            service.clock.sleep(DELETION).await;
            service.state.lock().unwrap().endpoints.remove(&name);
        });
        Ok(json!({}))
    }

    pub(super) fn describe_endpoint(&self, name: &str) -> Result<Value, ApiError> {
        let state = self.state.lock().unwrap();
        let endpoint = state.endpoints.get(name).ok_or_else(|| missing(name))?;
        let mut described = json!({
            "EndpointName": name,
            "EndpointArn": arn("endpoint", name),
            "EndpointConfigName": endpoint.config,
            "EndpointStatus": endpoint.status,
            "CreationTime": 0,
            "LastModifiedTime": 0,
        });
        if let Some(reason) = &endpoint.failure {
            described["FailureReason"] = reason.as_str().into();
        }
        Ok(described)
    }

    pub(super) fn list_tags(&self, arn: &str) -> Value {
        let name = arn.rsplit('/').next().unwrap_or_default();
        let state = self.state.lock().unwrap();
        let tags = state.endpoints.get(name).map(|it| it.tags.clone());
        json!({"Tags": tags.filter(Value::is_array).unwrap_or_else(|| json!([]))})
    }

    pub(super) fn list_endpoints(&self, input: &Value) -> Value {
        let state = self.state.lock().unwrap();
        let wanted = input["NameContains"].as_str().unwrap_or_default();
        let endpoints = state.endpoints.iter().filter(|(name, _)| name.contains(wanted));
        let listed: Vec<Value> = endpoints
            .map(|(name, it)| {
                json!({
                    "EndpointName": name,
                    "EndpointArn": arn("endpoint", name),
                    "EndpointStatus": it.status,
                    "CreationTime": 0,
                    "LastModifiedTime": 0,
                })
            })
            .collect();
        json!({"Endpoints": listed})
    }

    /// Ends a change when its time is over: on the new configuration or, if a fault says so, on the one before.
    fn arrive(&self, name: &str, before: &str, config: &str) {
        let about = format!("{name} {config}");
        let fails = match self.faults.take("endpoint", &about) {
            Some(Effect::Fails(reason)) => Some(reason),
            _ => None,
        };
        let (service, name) = (self.clone(), name.to_owned());
        let (before, config) = (before.to_owned(), config.to_owned());
        self.clock.spawn(async move {
            service.clock.sleep(CHANGE).await;
            let mut state = service.state.lock().unwrap();
            let Some(endpoint) = state.endpoints.get_mut(&name) else {
                return;
            };
            let creating = endpoint.status == "Creating";
            endpoint.failure.clone_from(&fails);
            let status = if fails.is_some() && creating {
                "Failed"
            } else {
                "InService"
            };
            status.clone_into(&mut endpoint.status);
            endpoint.config = if fails.is_some() { before } else { config };
        });
    }

    /// The artifact of a SageMaker model, by the model's name.
    pub fn artifact(&self, model: &str) -> Option<Artifact> {
        let containers = self.state.lock().unwrap().models.get(model)?["Containers"].clone();
        let url = containers[1]["ModelDataUrl"].as_str()?.to_owned();
        let (bucket, key) = contracts::places::parse_uri(&url)?;
        serde_json::from_slice(&self.aws.object(bucket, key)?).ok()
    }

    /// The configuration of an endpoint, with the model and variant that answer.
    pub fn serving(&self, endpoint: &str) -> Option<(Value, String, String)> {
        let state = self.state.lock().unwrap();
        let found = state.endpoints.get(endpoint)?;
        let config = state.configs.get(&found.config)?.clone();
        let variant = &config["ProductionVariants"][0];
        let (model, variant) = (variant["ModelName"].as_str()?, variant["VariantName"].as_str()?);
        let (model, variant) = (model.to_owned(), variant.to_owned());
        Some((config, model, variant))
    }

    /// InvokeEndpoint: answers one number per row.
    pub(super) fn invoke(&self, request: &Request) -> Reply {
        let name = request.path.split('/').nth(2).unwrap_or_default();
        if let Some(Effect::Fails(code)) = self.faults.take("InvokeEndpoint", name) {
            return Reply::error(500, code, "the model is out of order");
        }
        let Some((_, model, variant)) = self.serving(name) else {
            return Reply::error(400, "ValidationError", format!("Endpoint {name} of account not found."));
        };
        let Some(artifact) = self.artifact(&model) else {
            return Reply::error(500, "ModelError", "the model has no artifact");
        };
        let rows = request.text();
        let answers: Vec<String> = rows.lines().map(|row| artifact.predict(row).to_string()).collect();
        Reply::bytes(200, "text/csv", answers.join("\n")).header("x-Amzn-Invoked-Production-Variant", variant)
    }
}

fn missing(name: &str) -> ApiError {
    ApiError::invalid(format!("Could not find endpoint \"{}\".", arn("endpoint", name)))
}
