//! CreateModel, DescribeModel, DeleteModel, ListModels.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::nothing;
use crate::app::App;
use crate::containers::unmapped;
use crate::error::ApiError;
use crate::models::model::{ContainerDefinition, Model};
use crate::names::epoch_seconds;
use crate::request::parse;
use crate::s3::S3Uri;
use crate::store::listing::{Listed, SortOrder, page};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct CreateRequest {
    model_name: String,
    primary_container: Option<ContainerDefinition>,
    #[serde(default)]
    containers: Vec<ContainerDefinition>,
    #[serde(rename = "InferenceExecutionConfig")]
    _inference_execution_config: Option<InferenceExecutionConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct InferenceExecutionConfig {
    #[serde(rename = "Mode")]
    _mode: InferenceExecutionMode,
}

#[derive(Deserialize)]
enum InferenceExecutionMode {
    Serial,
}

const WITHOUT_EFFECT: &[&str] = &[
    "ExecutionRoleArn",
    "Tags",
    "VpcConfig",
    "EnableNetworkIsolation",
    "PrimaryContainer.ImageConfig",
    "Containers.ImageConfig",
];

pub async fn create(app: &Arc<App>, request: Value) -> Result<Value, ApiError> {
    let CreateRequest {
        model_name: name,
        primary_container,
        containers,
        ..
    } = parse(&request, WITHOUT_EFFECT)?;
    let containers = match (primary_container, containers) {
        (Some(primary), pipeline) if pipeline.is_empty() => vec![primary],
        (None, pipeline) if !pipeline.is_empty() => pipeline,
        (Some(_), _) => {
            return Err(ApiError::validation(
                "You cannot specify both PrimaryContainer and Containers in a request.",
            ));
        }
        (None, _) => return Err(ApiError::validation("A model needs a PrimaryContainer or Containers.")),
    };
    for container in &containers {
        if app
            .host
            .images
            .resolve(&container.image)
            .is_none_or(|commands| commands.serve.is_none())
        {
            return Err(ApiError::validation(unmapped(&container.image, "serve")));
        }
        if let Some(url) = &container.model_data_url {
            check_model_data(app, url).await?;
        }
    }
    let arn = arn(app, &name);
    let model = Model {
        name: name.clone(),
        arn: arn.clone(),
        containers,
        created: Timestamp::now(),
        request: request.clone(),
    };
    if !app.store.models.insert_new(&name, model) {
        return Err(ApiError::validation(format!(
            "Cannot create already existing model \"{arn}\"."
        )));
    }
    app.store.tags.begin(&arn, &request);
    Ok(json!({"ModelArn": arn}))
}

pub fn describe(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let model = find(app, name_in(request))?;
    let mut answer = model.request;
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("Tags");
        answer.entry("EnableNetworkIsolation").or_insert(Value::Bool(false));
    }
    answer["ModelArn"] = Value::from(model.arn);
    answer["CreationTime"] = epoch_seconds(model.created);
    Ok(answer)
}

pub fn delete(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let name = name_in(request);
    let model = app.store.models.remove(name).ok_or_else(|| missing(app, name))?;
    app.store.tags.forget(&model.arn);
    Ok(nothing())
}

pub fn list(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let items = app.store.models.all().into_iter().map(|model| Listed {
        status: None,
        created: model.created,
        modified: model.created,
        summary: json!({
            "ModelName": model.name,
            "ModelArn": model.arn,
            "CreationTime": epoch_seconds(model.created),
        }),
        name: model.name,
    });
    page(request, "Models", SortOrder::Descending, items.collect())
}

/// The model of this name.
///
/// # Errors
/// AWS's error for a model that does not exist.
pub fn find(app: &App, name: &str) -> Result<Model, ApiError> {
    app.store.models.get(name).ok_or_else(|| missing(app, name))
}

async fn check_model_data(app: &App, url: &str) -> Result<(), ApiError> {
    let uri = S3Uri::parse(url)
        .ok_or_else(|| ApiError::validation(format!("The ModelDataUrl {url} is not of the form s3://bucket/key.")))?;
    match app.host.s3.exists(&uri).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(ApiError::validation(format!("Could not find model data at {url}."))),
        Err(error) => Err(ApiError::validation(format!(
            "Could not access model data at {url}: {error}"
        ))),
    }
}

fn name_in(request: &Value) -> &str {
    request["ModelName"].as_str().unwrap_or_default()
}

fn arn(app: &App, name: &str) -> String {
    app.host.arns.of("model", name)
}

fn missing(app: &App, name: &str) -> ApiError {
    ApiError::validation(format!("Could not find model \"{}\".", arn(app, name)))
}
