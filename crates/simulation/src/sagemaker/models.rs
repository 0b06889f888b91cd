//! Models, and configurations of endpoints.

use super::account::SageMaker;
use super::api::{ApiError, arn, text, unique};
use serde_json::{Value, json};

impl SageMaker {
    pub(super) fn create_model(&self, name: &str, input: &Value) -> Result<Value, ApiError> {
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

    pub(super) fn describe_model(&self, name: &str) -> Result<Value, ApiError> {
        let found = self.state.lock().unwrap().models.get(name).cloned();
        found.ok_or_else(|| ApiError::invalid(format!("Could not find model \"{}\".", arn("model", name))))
    }

    pub(super) fn create_config(&self, name: &str, input: &Value) -> Result<Value, ApiError> {
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

    pub(super) fn describe_config(&self, name: &str) -> Result<Value, ApiError> {
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
