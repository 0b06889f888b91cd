//! Data capture of a transform job: manifests that list the objects that were read and written.
//!
//! Files: `{DestinationS3Uri}/{input,output}/yyyy/mm/dd/hh/<uuid>.json`, each a list of a prefix and keys.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::join::InferenceId;
use crate::s3::{S3, S3Error, S3Uri};

/// `DataCaptureConfig` of a transform job.
#[derive(Debug, Clone)]
pub struct BatchCapture {
    /// Where the manifests are written.
    pub destination: S3Uri,
    /// Whether each output record gets an id and a time.
    pub generate_ids: bool,
}

impl BatchCapture {
    /// A new id, if ids are requested.
    pub fn new_id(&self) -> Option<InferenceId> {
        self.generate_ids.then(|| InferenceId {
            id: Uuid::new_v4().to_string(),
            time: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        })
    }

    /// Writes both manifests: `inputs` below `input`, `outputs` below `output`.
    ///
    /// # Errors
    /// [`S3Error`], naming the manifest.
    pub async fn write(
        &self,
        s3: &S3,
        (input, inputs): (&S3Uri, &[String]),
        (output, outputs): (&S3Uri, &[String]),
    ) -> Result<(), S3Error> {
        let now = Timestamp::now();
        for (side, prefix, files) in [("input", input, inputs), ("output", output, outputs)] {
            let key = format!("{side}/{}/{}.json", now.strftime("%Y/%m/%d/%H"), Uuid::new_v4());
            let manifest = manifest(prefix, files).to_string();
            s3.put(&self.destination.join(&key), Bytes::from(manifest)).await?;
        }
        Ok(())
    }
}

fn manifest(prefix: &S3Uri, files: &[String]) -> Value {
    let prefix = format!("{}/", prefix.to_string().trim_end_matches('/'));
    let mut manifest = vec![json!({ "prefix": prefix })];
    manifest.extend(files.iter().map(|file| json!(file)));
    Value::Array(manifest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_a_prefix_and_keys_below_it() {
        let prefix = S3Uri::parse("s3://b/in").unwrap();
        assert_eq!(
            manifest(&prefix, &["a.csv".into()]),
            json!([{"prefix": "s3://b/in/"}, "a.csv"])
        );
    }
}
