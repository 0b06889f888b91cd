//! Objects of the bucket that are no documents: listed and deleted.

use crate::{Documents, Error};
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Error;
use aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder;
use jiff::Timestamp;

/// At most this many versions of one key are looked at.
const MOST_VERSIONS: i32 = 100;

/// An object as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written, to the second.
    pub last_modified: Timestamp,
}

impl Documents {
    /// The objects whose keys begin with `prefix` (and come after `after`, if given), ordered by key.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn listed(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Listed>, Error> {
        let mut objects = Vec::new();
        let mut pages = self.listing(prefix, after).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.not_listed(prefix, &error))?;
            for object in page.contents.unwrap_or_default() {
                let Some(key) = object.key else { continue };
                let modified = object.last_modified;
                let modified = modified.and_then(|time| Timestamp::from_second(time.secs()).ok());
                // A guess would make files count as older or newer than they are.
                let last_modified = modified.ok_or_else(|| Error::AwsCall {
                    call: self.listing_call(prefix),
                    code: "ResponseUnreadable".to_owned(),
                    message: format!("{key} has no time"),
                })?;
                objects.push(Listed {
                    bytes: object.size.and_then(|size| size.try_into().ok()).unwrap_or_default(),
                    key,
                    last_modified,
                });
            }
        }
        Ok(objects)
    }

    /// The names of the folders directly below `prefix`, which ends in a slash, in order; with `after`, only those that
    /// come after that key.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn folders(&self, prefix: &str, after: Option<&str>) -> Result<Vec<String>, Error> {
        let mut names = Vec::new();
        let mut pages = self.listing(prefix, after).delimiter("/").into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.not_listed(prefix, &error))?;
            let folders = page.common_prefixes.unwrap_or_default().into_iter();
            let folders = folders.filter_map(|folder| folder.prefix);
            names.extend(folders.filter_map(|it| Some(it.strip_prefix(prefix)?.trim_end_matches('/').to_owned())));
        }
        Ok(names)
    }

    /// When the versions of a key that precede `version_id` were written, newest first; at most 100.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn versions_before(&self, key: &str, version_id: &str) -> Result<Vec<Timestamp>, Error> {
        let request = self.client().list_object_versions().bucket(self.bucket()).prefix(key);
        let request = request.key_marker(key).version_id_marker(version_id);
        let answer = request.max_keys(MOST_VERSIONS).send().await;
        let answer =
            answer.map_err(|error| Error::aws_call(format!("ListObjectVersions {}", self.place(key)), &error))?;
        let versions = answer.versions.unwrap_or_default().into_iter();
        // The listing is by prefix: it holds other keys that begin with this one.
        let own = versions.filter(|version| version.key.as_deref() == Some(key));
        let times = own.filter_map(|version| Timestamp::from_second(version.last_modified?.secs()).ok());
        Ok(times.collect())
    }

    /// Deletes an object: its newest version is a marker then. One that is not there is no error.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let request = self.client().delete_object().bucket(self.bucket()).key(key);
        let answer = request.send().await;
        answer.map_err(|error| Error::aws_call(format!("DeleteObject {}", self.place(key)), &error))?;
        Ok(())
    }

    fn listing(&self, prefix: &str, after: Option<&str>) -> ListObjectsV2FluentBuilder {
        let request = self.client().list_objects_v2().bucket(self.bucket()).prefix(prefix);
        request.set_start_after(after.map(str::to_owned))
    }

    fn not_listed(&self, prefix: &str, error: &SdkError<ListObjectsV2Error>) -> Error {
        Error::aws_call(self.listing_call(prefix), error)
    }

    fn listing_call(&self, prefix: &str) -> String {
        format!("ListObjectsV2 {}", self.place(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::Condition;
    use fake_aws::FakeAws;

    fn bucket(aws: &FakeAws) -> Documents {
        Documents::new(crate::s3_client(&aws.sdk_config()), "b")
    }

    #[tokio::test]
    async fn objects_and_folders_are_listed_in_order_and_after_a_key() {
        let aws = FakeAws::new();
        for key in ["cars/", "cars/2/late", "cars/1/early", "cars/note", "vans/1/other"] {
            aws.put_object("b", key, "text");
        }
        let documents = bucket(&aws);

        let listed = documents.listed("cars/", None).await.unwrap();
        let keys: Vec<&str> = listed.iter().map(|it| it.key.as_str()).collect();
        assert_eq!(keys, ["cars/", "cars/1/early", "cars/2/late", "cars/note"]);
        assert!(listed.iter().all(|it| it.bytes == 4));

        let later = documents.listed("cars/", Some("cars/2")).await.unwrap();
        assert_eq!(
            later.iter().map(|it| it.key.as_str()).collect::<Vec<_>>(),
            ["cars/2/late", "cars/note"]
        );
        assert_eq!(documents.folders("cars/", None).await.unwrap(), ["1", "2"]);
        assert_eq!(documents.folders("cars/", Some("cars/2")).await.unwrap(), ["2"]);
    }

    #[tokio::test]
    async fn versions_are_listed_from_one_back() {
        let aws = FakeAws::new();
        let at = |time: &str| time.parse::<Timestamp>().unwrap();
        let mut versions = Vec::new();
        for time in ["2026-11-22T18:30:00Z", "2026-11-22T18:30:01Z", "2026-11-22T18:30:01Z"] {
            aws.set_now(std::time::SystemTime::from(at(time)));
            versions.push(aws.put_object("b", "cars/a.csv", time));
            aws.put_object("b", "cars/a.csv.csv", time);
        }
        let documents = bucket(&aws);
        let before = async |version: &str| documents.versions_before("cars/a.csv", version).await.unwrap();
        assert_eq!(before(&versions[0]).await, []);
        assert_eq!(before(&versions[1]).await, [at("2026-11-22T18:30:00Z")]);
        assert_eq!(
            before(&versions[2]).await,
            [at("2026-11-22T18:30:01Z"), at("2026-11-22T18:30:00Z")]
        );
    }

    #[tokio::test]
    async fn bytes_are_written_on_condition_of_what_was_there() {
        let aws = FakeAws::new();
        let documents = bucket(&aws);
        let put = async |body: &str, condition: Condition<'_>| {
            let put = documents
                .put_bytes_if("page", "text/html", body.into(), condition)
                .await;
            put.unwrap()
        };
        assert_eq!(documents.etag("page").await.unwrap(), None);
        let first = put("one", Condition::Absent).await.unwrap();
        assert_eq!(documents.etag("page").await.unwrap(), Some(first.clone()));
        assert_eq!(put("two", Condition::Absent).await, None);
        assert!(put("two", Condition::Unchanged(&first)).await.is_some());
        assert_eq!(put("three", Condition::Unchanged(&first)).await, None);
        assert_eq!(aws.object("b", "page").unwrap(), b"two");
    }

    #[tokio::test]
    async fn what_is_written_can_be_read_and_deleted_more_than_once() {
        let aws = FakeAws::new();
        let documents = bucket(&aws);
        documents.put_bytes("page", "text/html", b"hello".into()).await.unwrap();
        let (bytes, _) = documents.get_bytes("page", None).await.unwrap().unwrap();
        assert_eq!(bytes, b"hello");
        documents.delete("page").await.unwrap();
        documents.delete("page").await.unwrap();
        assert_eq!(documents.get_bytes("page", None).await.unwrap(), None);
    }
}
