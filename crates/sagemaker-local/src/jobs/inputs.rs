//! Copies the data that a job reads from S3 to a folder of its container.

use std::path::Path;

use serde::Deserialize;

use crate::s3::{S3, S3Uri};

/// What an S3 address refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum S3DataType {
    /// All objects whose keys begin with it.
    S3Prefix,
    /// A JSON list: `{"prefix": …}` first, then keys relative to it.
    ManifestFile,
}

/// With one instance, that instance gets all of the data in either case, so both mean the same.
#[derive(Debug, Clone, Copy, Deserialize)]
pub enum S3DataDistributionType {
    FullyReplicated,
    ShardedByS3Key,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ManifestEntry {
    Prefix { prefix: String },
    Key(String),
}

/// Copies a job's data into `dir`, which is created.
///
/// # Errors
/// The job's `FailureReason`.
pub async fn fetch(s3: &S3, data_type: S3DataType, uri: &str, dir: &Path) -> Result<(), String> {
    let address =
        S3Uri::parse(uri).ok_or_else(|| download_failed(format!("{uri} is not of the form s3://bucket/key")))?;
    let count = match data_type {
        S3DataType::S3Prefix => s3.download_prefix(&address, dir).await.map_err(download_failed)?,
        S3DataType::ManifestFile => fetch_manifest(s3, &address, dir).await?,
    };
    if count == 0 {
        return Err(download_failed(format!(
            "No S3 objects found under S3 URL \"{uri}\" given in input data source. Please ensure that the bucket \
             exists and that objects exist under that S3 prefix."
        )));
    }
    Ok(())
}

async fn fetch_manifest(s3: &S3, uri: &S3Uri, dir: &Path) -> Result<usize, String> {
    let text = s3.get(uri).await.map_err(download_failed)?;
    let files = manifest_files(&text).map_err(|what| download_failed(format!("the manifest {uri} {what}")))?;
    for (address, relative) in &files {
        s3.download_file(address, &dir.join(relative))
            .await
            .map_err(download_failed)?;
    }
    Ok(files.len())
}

/// The objects of a manifest, with their paths below the prefix.
fn manifest_files(text: &[u8]) -> Result<Vec<(S3Uri, String)>, String> {
    let entries: Vec<ManifestEntry> =
        serde_json::from_slice(text).map_err(|error| format!("is not a list of a prefix and keys: {error}"))?;
    let mut entries = entries.into_iter();
    let Some(ManifestEntry::Prefix { prefix }) = entries.next() else {
        return Err("does not begin with {\"prefix\": \"s3://…\"}".to_owned());
    };
    let begin = S3Uri::parse(&prefix).ok_or_else(|| format!("has a prefix that is not an S3 address: {prefix}"))?;
    entries
        .map(|entry| match entry {
            ManifestEntry::Key(key)
                if key.is_empty() || key.starts_with('/') || key.split('/').any(|part| part == "..") =>
            {
                Err(format!("names a key that leaves its prefix: {key}"))
            }
            // AWS adds no slash between prefix and key.
            ManifestEntry::Key(key) => Ok((
                S3Uri {
                    bucket: begin.bucket.clone(),
                    key: format!("{}{key}", begin.key),
                },
                key,
            )),
            ManifestEntry::Prefix { .. } => Err("has a second prefix".to_owned()),
        })
        .collect()
}

fn download_failed(what: impl std::fmt::Display) -> String {
    format!("ClientError: Data download failed: {what}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_names_keys_below_its_prefix() {
        let files = manifest_files(br#"[{"prefix": "s3://b/data/"}, "a.csv", "x/b.csv"]"#).unwrap();
        let keys: Vec<_> = files
            .iter()
            .map(|(uri, relative)| (uri.to_string(), relative.as_str()))
            .collect();
        assert_eq!(
            keys,
            [
                ("s3://b/data/a.csv".into(), "a.csv"),
                ("s3://b/data/x/b.csv".into(), "x/b.csv")
            ]
        );
    }

    #[test]
    fn mistakes_in_a_manifest_are_told() {
        for wrong in [
            r#"{}"#,
            r#"["a"]"#,
            r#"[{"prefix": "b"}]"#,
            r#"[{"prefix": "s3://b/"}, "../a"]"#,
        ] {
            assert!(manifest_files(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
