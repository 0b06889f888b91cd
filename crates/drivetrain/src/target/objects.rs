//! Objects of the stack's bucket.

use super::{Platform, Target, describe};
use crate::output;
use anyhow::{Context, Result, anyhow};
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::primitives::ByteStream;
use contracts::places;
use serde::de::DeserializeOwned;
use std::io::Write;
use std::path::Path;

impl Target {
    /// Puts an object into the versioned bucket; returns its version id.
    ///
    /// # Errors
    /// S3 refuses, or versioning is off.
    pub async fn put(&self, bucket: &str, key: &str, content_type: &str, body: ByteStream) -> Result<String> {
        let put = self.s3().put_object().bucket(bucket).key(key);
        let put = put.content_type(content_type).body(body).send().await;
        put.map_err(|error| describe(&format!("PutObject {}", places::uri(bucket, key)), error))?
            .version_id
            .context("the bucket keeps no versions: turn its versioning on")
    }

    /// An object of the bucket; `None` when it isn't there.
    ///
    /// # Errors
    /// It can't be read.
    pub async fn get(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>> {
        match self.s3().get_object().bucket(bucket).key(key).send().await {
            Ok(object) => Ok(Some(object.body.collect().await?.to_vec())),
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => Ok(None),
            Err(error) => Err(describe(&format!("GetObject {}", places::uri(bucket, key)), error)),
        }
    }

    /// Downloads an object of the bucket to a file, atomically; returns whether the object exists.
    ///
    /// # Errors
    /// It can't be read, or the file can't be written.
    pub async fn download(&self, bucket: &str, key: &str, to: &Path) -> Result<bool> {
        let mut object = match self.s3().get_object().bucket(bucket).key(key).send().await {
            Ok(object) => object,
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => return Ok(false),
            Err(error) => return Err(describe(&format!("GetObject {}", places::uri(bucket, key)), error)),
        };
        let mut file = output::beside(to)?;
        while let Some(bytes) = object.body.try_next().await? {
            file.write_all(&bytes).with_context(|| output::cannot_write(to))?;
        }
        output::persist(file, to)?;
        Ok(true)
    }

    /// A JSON document of the bucket; `None` when it isn't there.
    ///
    /// # Errors
    /// It can't be read or is damaged: the text says what to do.
    pub async fn document<T: DeserializeOwned>(&self, platform: &Platform, key: &str) -> Result<Option<T>> {
        let Some(bytes) = self.get(&platform.bucket, key).await? else {
            return Ok(None);
        };
        let document = serde_json::from_slice(&bytes);
        document.map(Some).map_err(|error| {
            let uri = places::uri(&platform.bucket, key);
            anyhow!("{uri} is not what it should be ({error}): {}", self.remedy(key))
        })
    }

    /// The use cases with data in the bucket, in order.
    ///
    /// # Errors
    /// S3 refuses.
    pub async fn use_cases(&self, bucket: &str) -> Result<Vec<String>> {
        self.folders(bucket, places::use_case::ALL).await
    }

    /// The names of the folders directly below `folder`, in order.
    ///
    /// # Errors
    /// S3 refuses.
    pub async fn folders(&self, bucket: &str, folder: &str) -> Result<Vec<String>> {
        let request = self.s3().list_objects_v2().bucket(bucket).prefix(folder);
        let mut pages = request.delimiter("/").into_paginator().send();
        let mut names = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| describe(&format!("ListObjectsV2 {bucket}"), error))?;
            let found = page.common_prefixes.unwrap_or_default().into_iter();
            let found = found.filter_map(|it| it.prefix);
            names.extend(found.filter_map(|it| Some(it.strip_prefix(folder)?.trim_end_matches('/').to_owned())));
        }
        Ok(names)
    }

    /// The keys that begin with `prefix`, in order.
    ///
    /// # Errors
    /// S3 refuses.
    pub async fn keys(&self, bucket: &str, prefix: &str) -> Result<Vec<String>> {
        let request = self.s3().list_objects_v2().bucket(bucket).prefix(prefix);
        let mut pages = request.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| describe(&format!("ListObjectsV2 {bucket}"), error))?;
            keys.extend(page.contents.unwrap_or_default().into_iter().filter_map(|it| it.key));
        }
        Ok(keys)
    }
}

impl Target {
    /// What to do when a document is damaged.
    fn remedy(&self, key: &str) -> String {
        match key
            .strip_prefix(places::use_case::ALL)
            .and_then(|rest| rest.split_once('/'))
        {
            Some((_, "config.json")) => {
                let command = self.command("onboard DOCUMENT");
                return format!("store the document again with `{command}`");
            }
            Some((_, rest)) if rest.ends_with("/champion.json") => {
                "replace it by the newest document of the folder history/ beside it"
            }
            _ => "the bucket keeps its former versions: restore the one before",
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;

    #[tokio::test]
    async fn what_is_there_is_fetched_and_what_is_not_leaves_no_file() {
        let aws = FakeAws::new();
        aws.put_object("bucket", "cars/scored/r/a.csv", b"year\n2015\n");
        let target = Target::with_config("dev", aws.sdk_config());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.csv");
        assert!(!target.download("bucket", "cars/scored/r/b.csv", &file).await.unwrap());
        assert!(!file.exists());
        assert!(target.download("bucket", "cars/scored/r/a.csv", &file).await.unwrap());
        assert_eq!(std::fs::read(&file).unwrap(), b"year\n2015\n");
    }

    #[tokio::test]
    async fn a_damaged_document_is_named_with_what_to_do() {
        let aws = FakeAws::new();
        let target = Target::with_config("dev", aws.sdk_config());
        let platform = Platform::of_tests("bucket");
        for (key, to_do) in [
            (places::use_case::config("cars"), "`drivetrain onboard DOCUMENT`"),
            (places::use_case::champion("cars", "m"), "history/"),
            ("cars/runs/r/run.json".to_owned(), "former versions"),
        ] {
            aws.put_object("bucket", &key, b"{\"use_case\": 3");
            let error = target
                .document::<contracts::UseCase>(&platform, &key)
                .await
                .unwrap_err();
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("s3://bucket/{key} is not what it should be (")),
                "{text}"
            );
            assert!(text.contains("line 1") && text.contains(to_do), "{text}");
        }
    }

    #[tokio::test]
    async fn folders_are_told_from_keys() {
        let aws = FakeAws::new();
        for key in [
            "use-cases/cars/config.json",
            "use-cases/cars/x/y",
            "use-cases/vans/config.json",
            "other",
        ] {
            aws.put_object("bucket", key, b"{}");
        }
        let target = Target::with_config("dev", aws.sdk_config());
        assert_eq!(target.use_cases("bucket").await.unwrap(), ["cars", "vans"]);
        assert_eq!(target.keys("bucket", "use-cases/cars/").await.unwrap().len(), 2);
    }
}
