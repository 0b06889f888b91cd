//! AddTags, ListTags, DeleteTags, and the tags that Create operations bring.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::dispatch::nothing;
use crate::error::ApiError;
use crate::request::parse;

/// Tags by the ARN of their resource.
#[derive(Default)]
pub struct Tags {
    by_arn: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
}

impl Tags {
    /// Starts a resource's tags from the `Tags` member of its Create request.
    pub fn begin(&self, arn: &str, request: &Value) {
        let tags = request["Tags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned())));
        let tags = tags.collect();
        self.lock().insert(arn.to_owned(), tags);
    }

    /// Forgets a deleted resource's tags.
    pub fn forget(&self, arn: &str) {
        self.lock().remove(arn);
    }

    fn change<R>(&self, arn: &str, change: impl FnOnce(&mut BTreeMap<String, String>) -> R) -> Result<R, ApiError> {
        match self.lock().get_mut(&arn.to_lowercase()) {
            Some(tags) => Ok(change(tags)),
            None => Err(ApiError::validation(format!(
                "Could not find resource with ARN \"{arn}\"."
            ))),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, BTreeMap<String, String>>> {
        self.by_arn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    // A resource has at most 50 tags: one page holds them, whatever MaxResults asks for (50 at least).
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
