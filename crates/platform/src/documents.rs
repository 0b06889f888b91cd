//! JSON documents in S3, read with their ETag and written on condition of it; and what is written whatever was there.

use crate::Error;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The documents of one bucket.
#[derive(Clone, Debug)]
pub struct Documents {
    client: Client,
    bucket: String,
}

/// A document, with the ETag that it had when it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Versioned<T> {
    /// The document.
    pub value: T,
    /// Its ETag, for a conditional write.
    pub etag: String,
}

/// The condition under which a document is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Unconditionally.
    Always,
    /// Only if there is no document yet (`If-None-Match: *`).
    Absent,
    /// Only if it still has this ETag (`If-Match`).
    Unchanged(&'a str),
}

impl Documents {
    /// The documents of `bucket`.
    pub fn new(client: Client, bucket: impl Into<String>) -> Self {
        Self {
            client,
            bucket: bucket.into(),
        }
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The S3 client, for calls that aren't about documents.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Reads a document; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::AwsCall`], or [`Error::Document`] when it can't be read as a `T`.
    pub async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<Versioned<T>>, Error> {
        let Some((bytes, etag)) = self.get_bytes(key, None).await? else {
            return Ok(None);
        };
        let value = serde_json::from_slice(&bytes).map_err(|error| Error::Document {
            place: self.place(key),
            reason: error.to_string(),
        })?;
        Ok(Some(Versioned { value, etag }))
    }

    /// The ETag of an object; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn etag(&self, key: &str) -> Result<Option<String>, Error> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(answer) => Ok(Some(answer.e_tag().unwrap_or_default().to_owned())),
            Err(error) if matches!(error.code(), Some("NoSuchKey" | "NotFound")) => Ok(None),
            Err(error) => Err(Error::aws_call(format!("HeadObject {}", self.place(key)), &error)),
        }
    }

    /// Reads an object's bytes and ETag, in a version or the newest; `None` when there is none.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn get_bytes(&self, key: &str, version: Option<&str>) -> Result<Option<(Vec<u8>, String)>, Error> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let answer = match request.set_version_id(version.map(str::to_owned)).send().await {
            Ok(answer) => answer,
            Err(error) if matches!(error.code(), Some("NoSuchKey" | "NoSuchVersion" | "NotFound")) => return Ok(None),
            Err(error) => return Err(Error::aws_call(format!("GetObject {}", self.place(key)), &error)),
        };
        let etag = answer.e_tag().unwrap_or_default().to_owned();
        let body = answer.body.collect().await.map_err(|error| Error::AwsCall {
            call: format!("GetObject {}", self.place(key)),
            code: "ResponseUnreadable".to_owned(),
            message: error.to_string(),
        })?;
        Ok(Some((body.to_vec(), etag)))
    }

    /// Writes a document and returns its new ETag; `None` when the condition did not hold.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn put<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        condition: Condition<'_>,
    ) -> Result<Option<String>, Error> {
        let body = serde_json::to_vec_pretty(value).map_err(|error| Error::Document {
            place: self.place(key),
            reason: error.to_string(),
        })?;
        self.put_bytes_if(key, "application/json", body, condition).await
    }

    /// Writes an object; `None` when the condition did not hold, else its new ETag.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn put_bytes_if(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
        condition: Condition<'_>,
    ) -> Result<Option<String>, Error> {
        let request = self.client.put_object().bucket(&self.bucket).key(key);
        let request = request.content_type(content_type);
        let request = match condition {
            Condition::Always => request,
            Condition::Absent => request.if_none_match("*"),
            Condition::Unchanged(etag) => request.if_match(etag),
        };
        match request.body(ByteStream::from(body)).send().await {
            Ok(answer) => Ok(Some(answer.e_tag().unwrap_or_default().to_owned())),
            // 409: another conditional write is under way, so for the caller the document has changed, too. 404: the
            // answer to If-Match when the document is gone.
            Err(error)
                if condition != Condition::Always
                    && matches!(
                        error.code(),
                        Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey" | "NotFound")
                    ) =>
            {
                Ok(None)
            }
            Err(error) => Err(Error::aws_call(format!("PutObject {}", self.place(key)), &error)),
        }
    }

    /// Writes rows as JSON lines, replacing what was there before.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn put_rows<T: Serialize>(&self, key: &str, rows: &[T]) -> Result<(), Error> {
        let mut body = Vec::new();
        for row in rows {
            serde_json::to_writer(&mut body, row).map_err(|error| Error::Document {
                place: self.place(key),
                reason: error.to_string(),
            })?;
            body.push(b'\n');
        }
        self.put_bytes(key, "application/x-ndjson", body).await
    }

    pub(crate) fn place(&self, key: &str) -> String {
        contracts::places::uri(&self.bucket, key)
    }

    /// Writes an object, whatever was there before.
    ///
    /// # Errors
    /// [`Error::AwsCall`].
    pub async fn put_bytes(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), Error> {
        self.put_bytes_if(key, content_type, body, Condition::Always).await?;
        Ok(())
    }
}
