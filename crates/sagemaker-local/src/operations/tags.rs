//! AddTags, ListTags, DeleteTags.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::nothing;
use crate::app::App;
use crate::error::ApiError;
use crate::request::parse;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct AddRequest {
    resource_arn: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ListRequest {
    resource_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct DeleteRequest {
    resource_arn: String,
    tag_keys: Vec<String>,
}

pub fn add(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let AddRequest { resource_arn, tags } = parse(request, &[])?;
    app.store.tags.change(&resource_arn, |kept| {
        kept.extend(tags.into_iter().map(|tag| (tag.key, tag.value)));
        json!({"Tags": to_json(kept)})
    })
}

pub fn list(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    // A resource has at most 50 tags, so they fit in one page whatever MaxResults is (50 at least).
    let ListRequest { resource_arn } = parse(request, &["MaxResults"])?;
    app.store
        .tags
        .change(&resource_arn, |kept| json!({"Tags": to_json(kept)}))
}

pub fn delete(app: &Arc<App>, request: &Value) -> Result<Value, ApiError> {
    let DeleteRequest { resource_arn, tag_keys } = parse(request, &[])?;
    app.store.tags.change(&resource_arn, |kept| {
        kept.retain(|key, _| !tag_keys.contains(key));
        nothing()
    })
}

fn to_json(tags: &BTreeMap<String, String>) -> Vec<Value> {
    tags.iter()
        .map(|(key, value)| json!({"Key": key, "Value": value}))
        .collect()
}
