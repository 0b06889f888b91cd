//! The client for the S3 that jobs read from and write to.

use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};

use aws_credential_types::Credentials;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Region, RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

/// Number of objects that are transferred at the same time.
const CONCURRENCY: usize = 8;

/// `s3://bucket/key`; the key may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Uri {
    pub bucket: String,
    pub key: String,
}

impl S3Uri {
    /// Parses an address; `None` if the text is not an S3 address.
    pub fn parse(text: &str) -> Option<Self> {
        let (bucket, key) = text.strip_prefix("s3://")?.split_once('/').unwrap_or((&text[5..], ""));
        (!bucket.is_empty()).then(|| Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// This address followed by `/` and `relative`.
    pub fn join(&self, relative: &str) -> Self {
        let key = match self.key.trim_end_matches('/') {
            "" => relative.to_owned(),
            prefix => format!("{prefix}/{relative}"),
        };
        Self {
            bucket: self.bucket.clone(),
            key,
        }
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "s3://{}/{}", self.bucket, self.key)
    }
}

/// An object under a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Object {
    pub key: String,
    pub size_bytes: u64,
    /// The path below the prefix, as SageMaker lays it out in a channel.
    pub relative: String,
}

/// What went wrong with which object.
#[derive(Debug, thiserror::Error)]
pub enum S3Error {
    #[error("{uri}: {code}: {message}")]
    Service { uri: S3Uri, code: String, message: String },
    #[error("{uri}: {source}")]
    Io { uri: S3Uri, source: io::Error },
    #[error("{uri}: the key leaves its prefix with `..`")]
    Traversal { uri: S3Uri },
}

/// A client of one S3 endpoint.
#[derive(Debug, Clone)]
pub struct S3 {
    client: Client,
}

impl S3 {
    /// A client that uses the credentials of the environment, or `test` if there are none.
    pub fn new(endpoint: &str, region: &str) -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_else(|_| "test".to_owned());
        let credentials = Credentials::from_keys(
            variable("AWS_ACCESS_KEY_ID"),
            variable("AWS_SECRET_ACCESS_KEY"),
            std::env::var("AWS_SESSION_TOKEN").ok(),
        );
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(credentials)
            .endpoint_url(endpoint)
            .force_path_style(true)
            .region(Region::new(region.to_owned()))
            // Sends plain bodies: checksums in trailers are of no use between two processes on one machine.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }

    /// A whole object.
    ///
    /// # Errors
    /// [`S3Error`], with the code `NoSuchKey` or `NoSuchBucket` if it doesn't exist.
    pub async fn get(&self, uri: &S3Uri) -> Result<Bytes, S3Error> {
        let body = self
            .open(uri)
            .await?
            .collect()
            .await
            .map_err(|error| io_error(uri, error))?;
        Ok(body.into_bytes())
    }

    pub async fn put(&self, uri: &S3Uri, body: impl Into<Bytes>) -> Result<(), S3Error> {
        self.put_stream(uri, ByteStream::from(body.into())).await
    }

    /// Whether an object exists at this address.
    ///
    /// # Errors
    /// [`S3Error`] if S3 doesn't answer.
    pub async fn exists(&self, uri: &S3Uri) -> Result<bool, S3Error> {
        match self.client.head_object().bucket(&uri.bucket).key(&uri.key).send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|response| response.status().as_u16() == 404) =>
            {
                Ok(false)
            }
            Err(error) => Err(service_error(uri, &error)),
        }
    }

    /// All objects whose key begins with the address's key, without folder markers, ordered by key.
    ///
    /// # Errors
    /// [`S3Error`]. An empty list is not an error.
    pub async fn list(&self, prefix: &S3Uri) -> Result<Vec<S3Object>, S3Error> {
        let mut pages = self
            .client
            .list_objects_v2()
            .bucket(&prefix.bucket)
            .set_prefix((!prefix.key.is_empty()).then(|| prefix.key.clone()))
            .into_paginator()
            .send();
        let mut objects = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| service_error(prefix, &error))?;
            objects.extend(page.contents.unwrap_or_default().into_iter().filter_map(|object| {
                let key = object.key.filter(|key| !key.ends_with('/'))?;
                let relative = relative(&prefix.key, &key);
                let size_bytes = object
                    .size
                    .and_then(|size| u64::try_from(size).ok())
                    .unwrap_or_default();
                Some(S3Object {
                    key,
                    size_bytes,
                    relative,
                })
            }));
        }
        Ok(objects)
    }

    /// Copies all objects under a prefix into `dir`, which is created; returns their number.
    ///
    /// # Errors
    /// [`S3Error`], naming the object.
    pub async fn download_prefix(&self, prefix: &S3Uri, dir: &Path) -> Result<usize, S3Error> {
        std::fs::create_dir_all(dir).map_err(|error| io_error(prefix, error))?;
        let objects = self.list(prefix).await?;
        let count = objects.len();
        futures::stream::iter(objects)
            .map(|object| async move {
                let uri = S3Uri {
                    bucket: prefix.bucket.clone(),
                    key: object.key,
                };
                let plain = Path::new(&object.relative)
                    .components()
                    .all(|part| matches!(part, Component::Normal(_)));
                if !plain {
                    return Err(S3Error::Traversal { uri });
                }
                self.download_file(&uri, &dir.join(&object.relative)).await
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect::<()>()
            .await?;
        Ok(count)
    }

    /// Copies one object to a file, whose folder is created.
    ///
    /// # Errors
    /// [`S3Error`], naming the object.
    pub async fn download_file(&self, uri: &S3Uri, path: &Path) -> Result<(), S3Error> {
        let fail = |error| io_error(uri, error);
        let mut body = self.open(uri).await?.into_async_read();
        if let Some(folder) = path.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(fail)?;
        }
        let mut file = tokio::fs::File::create(path).await.map_err(fail)?;
        tokio::io::copy(&mut body, &mut file).await.map_err(fail)?;
        tokio::io::AsyncWriteExt::flush(&mut file).await.map_err(fail)
    }

    /// Copies all files below `dir` to the prefix; returns their number.
    ///
    /// # Errors
    /// [`S3Error`], naming the object.
    pub async fn upload_dir(&self, dir: &Path, prefix: &S3Uri) -> Result<usize, S3Error> {
        let files = files_below(dir).map_err(|error| io_error(prefix, error))?;
        let count = files.len();
        futures::stream::iter(files)
            .map(|relative| async move {
                let key: Vec<_> = relative
                    .components()
                    .map(|part| part.as_os_str().to_string_lossy())
                    .collect();
                self.upload_file(&dir.join(&relative), &prefix.join(&key.join("/")))
                    .await
            })
            .buffer_unordered(CONCURRENCY)
            .try_collect::<()>()
            .await?;
        Ok(count)
    }

    /// Copies one file to an object.
    ///
    /// # Errors
    /// [`S3Error`], naming the object.
    pub async fn upload_file(&self, path: &Path, uri: &S3Uri) -> Result<(), S3Error> {
        let body = ByteStream::from_path(path)
            .await
            .map_err(|error| io_error(uri, error))?;
        self.put_stream(uri, body).await
    }

    async fn open(&self, uri: &S3Uri) -> Result<ByteStream, S3Error> {
        let answer = self.client.get_object().bucket(&uri.bucket).key(&uri.key).send().await;
        Ok(answer.map_err(|error| service_error(uri, &error))?.body)
    }

    async fn put_stream(&self, uri: &S3Uri, body: ByteStream) -> Result<(), S3Error> {
        let answer = self
            .client
            .put_object()
            .bucket(&uri.bucket)
            .key(&uri.key)
            .body(body)
            .send()
            .await;
        answer.map(|_| ()).map_err(|error| service_error(uri, &error))
    }
}

/// The path of an object below the folder that corresponds to a prefix.
///
/// A prefix is not always a folder: `data/train` also selects `data/train-2.csv`, which keeps its own name.
fn relative(prefix: &str, key: &str) -> String {
    let from_last_folder = prefix.rfind('/').map_or(0, |slash| slash + 1);
    let below = match key.strip_prefix(prefix) {
        Some("") | None => &key[from_last_folder.min(key.len())..],
        Some(rest) if prefix.is_empty() || prefix.ends_with('/') => rest,
        Some(rest) => rest.strip_prefix('/').unwrap_or(&key[from_last_folder..]),
    };
    below.to_owned()
}

/// Paths of all files below a folder, relative to it, sorted.
fn files_below(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(dir.join(&folder))? {
            let entry = entry?;
            let relative = folder.join(entry.file_name());
            // Links to files are followed, as in uploads; a link to a folder might lead in a circle.
            match entry.file_type()? {
                kind if kind.is_dir() => folders.push(relative),
                kind if kind.is_file() => files.push(relative),
                _ if entry.path().is_file() => files.push(relative),
                _ => {}
            }
        }
    }
    files.sort();
    Ok(files)
}

fn io_error(uri: &S3Uri, error: impl Into<io::Error>) -> S3Error {
    S3Error::Io {
        uri: uri.clone(),
        source: error.into(),
    }
}

fn service_error<E>(uri: &S3Uri, error: &E) -> S3Error
where
    E: ProvideErrorMetadata + std::error::Error,
{
    let code = error.code().unwrap_or("Unreachable").to_owned();
    let message = error
        .message()
        .map_or_else(|| DisplayErrorContext(error).to_string(), ToOwned::to_owned);
    S3Error::Service {
        uri: uri.clone(),
        code,
        message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let uri = S3Uri::parse("s3://b/a/c.csv").unwrap();
        assert_eq!((uri.bucket.as_str(), uri.key.as_str()), ("b", "a/c.csv"));
        assert_eq!(uri.to_string(), "s3://b/a/c.csv");
        assert_eq!(S3Uri::parse("s3://b").unwrap().join("x").to_string(), "s3://b/x");
        assert_eq!(S3Uri::parse("s3://b/p/").unwrap().join("x").key, "p/x");
        assert_eq!(S3Uri::parse("s3:///x"), None);
        assert_eq!(S3Uri::parse("https://b/x"), None);
    }

    #[test]
    fn objects_land_where_sagemaker_puts_them() {
        assert_eq!(relative("data/train/", "data/train/a/b.csv"), "a/b.csv");
        assert_eq!(relative("data/train", "data/train/b.csv"), "b.csv");
        assert_eq!(relative("data/train", "data/train-2.csv"), "train-2.csv");
        assert_eq!(relative("data/b.csv", "data/b.csv"), "b.csv");
        assert_eq!(relative("b.csv", "b.csv"), "b.csv");
        assert_eq!(relative("", "a/b.csv"), "a/b.csv");
    }

    #[test]
    fn files_of_all_depths_are_found() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("x/y")).unwrap();
        for name in ["b", "x/a", "x/y/c"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert_eq!(
            files_below(dir.path()).unwrap(),
            ["b", "x/a", "x/y/c"].map(PathBuf::from)
        );
    }
}
