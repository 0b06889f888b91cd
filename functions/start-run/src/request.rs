//! What the function is called with.

use crate::Error;
use serde::Deserialize;
use serde_json::Value;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// A run of a dropped object version.
    Drop(Object),
    /// Another run of the version that a run was made of.
    Rerun { use_case: String, run_id: String },
}

/// An object version.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub bucket: String,
    pub key: String,
    pub version_id: String,
}

impl Request {
    pub fn parse(request: Value) -> Result<Self, Error> {
        let invalid = |error: serde_json::Error| Error::EventInvalid(error.to_string());
        if request.get("rerun").is_some() {
            let Rerun { rerun, use_case } = serde_json::from_value(request).map_err(invalid)?;
            return Ok(Self::Rerun {
                use_case,
                run_id: rerun,
            });
        }
        let event: Event = serde_json::from_value(request).map_err(invalid)?;
        if event.detail_type != "Object Created" {
            let text = format!(
                "`{}` is not `Object Created`: mend the rule's pattern",
                event.detail_type
            );
            return Err(Error::EventInvalid(text));
        }
        let Detail { bucket, object } = event.detail;
        let version_id = object.version_id.filter(|version| version != "null").ok_or_else(|| {
            Error::EventInvalid(format!(
                "it names no version of s3://{}/{}: turn the bucket's versioning on",
                bucket.name, object.key
            ))
        })?;
        Ok(Self::Drop(Object {
            bucket: bucket.name,
            key: object.key,
            version_id,
        }))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rerun {
    rerun: String,
    use_case: String,
}

/// An EventBridge event of S3. Its keys are plain, unlike those of S3's own notifications.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "detail-type")]
    detail_type: String,
    detail: Detail,
}

#[derive(Deserialize)]
struct Detail {
    bucket: Bucket,
    object: EventObject,
}

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct EventObject {
    key: String,
    #[serde(rename = "version-id")]
    version_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(request: Value) -> String {
        match Request::parse(request) {
            Err(Error::EventInvalid(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_neither_event_nor_rerun_is_refused_with_the_reason() {
        assert!(refusal(json!({})).contains("detail-type"));
        assert!(refusal(json!({"rerun": "20261122t183000z-ab12cd34"})).contains("use_case"));
        let deleted =
            json!({"detail-type": "Object Deleted", "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}}});
        assert!(refusal(deleted).contains("`Object Deleted` is not"));
        let unversioned =
            json!({"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": {"key": "k"}}});
        assert!(refusal(unversioned).contains("no version of s3://b/k"));
    }
}
