//! Tags of resources, including those given in Create requests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::error::ApiError;

/// Tags by the ARN of their resource.
#[derive(Default)]
pub struct Tags {
    by_arn: Mutex<BTreeMap<String, BTreeMap<String, String>>>,
}

impl Tags {
    /// Sets a new resource's tags from the `Tags` member of its Create request.
    pub fn begin(&self, arn: &str, request: &Value) {
        let tags = request["Tags"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tag| Some((tag["Key"].as_str()?.to_owned(), tag["Value"].as_str()?.to_owned())));
        let tags = tags.collect();
        self.lock().insert(arn.to_owned(), tags);
    }

    /// Removes a deleted resource's tags.
    pub fn forget(&self, arn: &str) {
        self.lock().remove(arn);
    }

    /// Reads or changes a resource's tags.
    ///
    /// # Errors
    /// AWS's error for a resource that does not exist.
    pub fn change<R>(&self, arn: &str, change: impl FnOnce(&mut BTreeMap<String, String>) -> R) -> Result<R, ApiError> {
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
