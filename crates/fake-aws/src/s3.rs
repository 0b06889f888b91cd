//! S3: versioned buckets. Every bucket exists and is versioned.
//!
//! An entity tag depends on the content alone, as S3's does for small objects: writing the same bytes again
//! gives a new version with the same tag.

use std::collections::BTreeMap;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::multipart::{Upload, element};
use crate::request::percent_decode;
use crate::xml::{xml_escape, xml_unescape};
use crate::{Reply, Request};

const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";

pub(crate) struct S3 {
    buckets: BTreeMap<String, BTreeMap<String, Vec<Version>>>,
    versions_made: usize,
    uploads: BTreeMap<String, Upload>,
    uploads_made: usize,
    pub(crate) page_size: usize,
}

#[derive(Clone)]
struct Version {
    id: String,
    /// `None` is a delete marker.
    content: Option<Bytes>,
    etag: String,
    modified: DateTime,
    content_type: String,
    /// The `x-amz-meta-*` headers, by their full names.
    metadata: BTreeMap<String, String>,
}

impl Default for S3 {
    fn default() -> Self {
        S3 {
            buckets: BTreeMap::new(),
            versions_made: 0,
            uploads: BTreeMap::new(),
            uploads_made: 0,
            page_size: 1000,
        }
    }
}

/// What tests read and change.
impl S3 {
    pub(crate) fn put(&mut self, bucket: &str, key: &str, content: &[u8], now: DateTime) -> String {
        let content = Bytes::copy_from_slice(content);
        self.store(
            bucket,
            key,
            Some(content),
            now,
            DEFAULT_CONTENT_TYPE.to_owned(),
            BTreeMap::new(),
        )
    }

    pub(crate) fn delete(&mut self, bucket: &str, key: &str, now: DateTime) -> String {
        self.store(bucket, key, None, now, String::new(), BTreeMap::new())
    }

    pub(crate) fn delete_version(&mut self, bucket: &str, key: &str, id: &str) {
        if let Some(versions) = self.buckets.get_mut(bucket).and_then(|keys| keys.get_mut(key)) {
            versions.retain(|version| version.id != id);
        }
    }

    pub(crate) fn content(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        self.current(bucket, key)?
            .content
            .as_ref()
            .map(|content| content.to_vec())
    }

    pub(crate) fn etag(&self, bucket: &str, key: &str) -> Option<String> {
        Some(self.current(bucket, key)?.etag.clone())
    }

    pub(crate) fn version_ids(&self, bucket: &str, key: &str) -> Vec<String> {
        let versions = self.versions(bucket, key).iter();
        versions
            .filter(|version| version.content.is_some())
            .map(|version| version.id.clone())
            .collect()
    }

    pub(crate) fn open_uploads(&self, bucket: &str) -> Vec<String> {
        let open = self.uploads.values().filter(|upload| upload.bucket == bucket);
        let mut keys: Vec<String> = open.map(|upload| upload.key.clone()).collect();
        keys.sort();
        keys
    }

    pub(crate) fn keys(&self, bucket: &str, prefix: &str) -> Vec<String> {
        self.live_objects(bucket, prefix).map(|(key, _)| key.clone()).collect()
    }
}

impl S3 {
    pub(crate) fn answer(&mut self, request: &Request, now: DateTime) -> Option<Reply> {
        let result = match request.operation.as_str() {
            "GetObject" => self.get_object(request),
            "HeadObject" => self.head_object(request),
            "PutObject" => self.put_object(request, now),
            "CopyObject" => self.copy_object(request, now),
            "DeleteObject" => self.delete_object(request, now),
            "DeleteObjects" => Ok(self.delete_objects(request, now)),
            "CreateMultipartUpload" => Ok(self.create_upload(request)),
            "UploadPart" => self.upload_part(request),
            "CompleteMultipartUpload" => self.complete_upload(request, now),
            "AbortMultipartUpload" => self.abort_upload(request),
            "ListObjectsV2" => Ok(self.list_objects(request)),
            "ListObjectVersions" => Ok(self.list_versions(request)),
            "HeadBucket" => Ok(Reply::bytes(200, "application/xml", "")),
            _ => return None,
        };
        Some(result.unwrap_or_else(|error| error))
    }

    fn get_object(&self, request: &Request) -> Result<Reply, Reply> {
        let (version, content) = self.read(request)?;
        let Some(range) = request.header("range") else {
            return Ok(describe(
                version,
                Reply::bytes(200, &version.content_type, content.clone()),
            ));
        };
        let Some((first, end)) = parse_range(range, content.len()) else {
            return Err(Reply::error(
                416,
                "InvalidRange",
                "The requested range is not satisfiable",
            ));
        };
        let reply = Reply::bytes(206, &version.content_type, content.slice(first..end));
        let content_range = format!("bytes {first}-{}/{}", end - 1, content.len());
        Ok(describe(version, reply).header("content-range", content_range))
    }

    fn head_object(&self, request: &Request) -> Result<Reply, Reply> {
        let (version, content) = self.read(request)?;
        // The answer to a HEAD request has no body, but has its length.
        Ok(describe(
            version,
            Reply::bytes(200, &version.content_type, content.clone()),
        ))
    }

    fn put_object(&mut self, request: &Request, now: DateTime) -> Result<Reply, Reply> {
        let (bucket, key) = request.bucket_and_key();
        self.check_write(request)?;
        let id = self.store(
            bucket,
            key,
            Some(request.body.clone()),
            now,
            content_type(request),
            metadata(request),
        );
        let etag = self.etag(bucket, key).unwrap_or_default();
        Ok(Reply::bytes(200, "application/xml", "")
            .header("etag", etag)
            .header("x-amz-version-id", id))
    }

    fn copy_object(&mut self, request: &Request, now: DateTime) -> Result<Reply, Reply> {
        let (bucket, key) = request.bucket_and_key();
        let source = request.header("x-amz-copy-source").unwrap_or_default();
        let (source, version_id) = match source.split_once("?versionId=") {
            Some((source, id)) => (percent_decode(source), Some(percent_decode(id))),
            None => (percent_decode(source), None),
        };
        let (source_bucket, source_key) = source.trim_start_matches('/').split_once('/').ok_or_else(|| {
            Reply::error(
                400,
                "InvalidArgument",
                "x-amz-copy-source must be of the form bucket/key",
            )
        })?;
        let (version, content) = self.find(source_bucket, source_key, version_id.as_deref())?;
        let (version, content) = (version.clone(), content.clone());
        let if_match = request.header("x-amz-copy-source-if-match");
        let if_none_match = request.header("x-amz-copy-source-if-none-match");
        if if_match.is_some_and(|tags| !tag_matches(tags, &version.etag))
            || if_none_match.is_some_and(|tags| tag_matches(tags, &version.etag))
        {
            return Err(precondition_failed());
        }
        self.check_write(request)?;
        let replaced = request.header("x-amz-metadata-directive") == Some("REPLACE");
        let (content_type, metadata) = if replaced {
            (content_type(request), metadata(request))
        } else {
            (version.content_type, version.metadata)
        };
        let id = self.store(bucket, key, Some(content), now, content_type, metadata);
        let body = format!(
            "<CopyObjectResult><ETag>{}</ETag><LastModified>{}</LastModified></CopyObjectResult>",
            version.etag,
            iso_date(&now)
        );
        Ok(Reply::bytes(200, "application/xml", body)
            .header("x-amz-version-id", id)
            .header("x-amz-copy-source-version-id", version.id))
    }

    fn delete_object(&mut self, request: &Request, now: DateTime) -> Result<Reply, Reply> {
        let (bucket, key) = request.bucket_and_key();
        if let Some(tags) = request.header("if-match") {
            match self.current(bucket, key) {
                None if tags.trim() == "*" => return Err(precondition_failed()),
                None => return Err(no_such_key()),
                Some(version) if !tag_matches(tags, &version.etag) => return Err(precondition_failed()),
                Some(_) => {}
            }
        }
        let reply = Reply::bytes(204, "application/xml", "");
        let Some(id) = request.query.get("versionId") else {
            let marker = self.delete(bucket, key, now);
            return Ok(reply
                .header("x-amz-delete-marker", "true")
                .header("x-amz-version-id", marker));
        };
        self.delete_version(bucket, key, id);
        Ok(reply.header("x-amz-version-id", id))
    }

    /// Like a request with `Quiet`: the answer lists only failures, and there are none.
    fn delete_objects(&mut self, request: &Request, now: DateTime) -> Reply {
        let (bucket, _) = request.bucket_and_key();
        for object in request.text().split("<Object>").skip(1) {
            let key = element(object, "Key").map(xml_unescape).unwrap_or_default();
            match element(object, "VersionId") {
                Some(id) => self.delete_version(bucket, &key, id),
                None => {
                    self.delete(bucket, &key, now);
                }
            }
        }
        Reply::bytes(200, "application/xml", "<DeleteResult/>")
    }

    fn create_upload(&mut self, request: &Request) -> Reply {
        let (bucket, key) = request.bucket_and_key();
        self.uploads_made += 1;
        let id = format!("upload-{:04}", self.uploads_made);
        let body = format!(
            "<InitiateMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><UploadId>{id}</UploadId>\
             </InitiateMultipartUploadResult>",
            xml_escape(bucket),
            xml_escape(key)
        );
        let upload = Upload {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            content_type: content_type(request),
            metadata: metadata(request),
            parts: BTreeMap::new(),
        };
        self.uploads.insert(id, upload);
        Reply::bytes(200, "application/xml", body)
    }

    fn upload_part(&mut self, request: &Request) -> Result<Reply, Reply> {
        let number = request.query.get("partNumber").and_then(|number| number.parse().ok());
        let number = number
            .filter(|number| (1..=10_000).contains(number))
            .ok_or_else(|| Reply::error(400, "InvalidArgument", "Part number must be between 1 and 10000"))?;
        let upload = self.upload(request)?;
        let etag = etag_of(&request.body);
        upload.parts.insert(number, (etag.clone(), request.body.clone()));
        Ok(Reply::bytes(200, "application/xml", "").header("etag", etag))
    }

    fn complete_upload(&mut self, request: &Request, now: DateTime) -> Result<Reply, Reply> {
        let (bucket, key) = request.bucket_and_key();
        let content = self.upload(request)?.completed(&request.text())?;
        self.check_write(request)?;
        let upload = self.take_upload(request)?;
        let id = self.store(bucket, key, Some(content), now, upload.content_type, upload.metadata);
        let body = format!(
            "<CompleteMultipartUploadResult><Bucket>{}</Bucket><Key>{}</Key><ETag>{}</ETag>\
             </CompleteMultipartUploadResult>",
            xml_escape(bucket),
            xml_escape(key),
            self.etag(bucket, key).unwrap_or_default()
        );
        Ok(Reply::bytes(200, "application/xml", body).header("x-amz-version-id", id))
    }

    fn abort_upload(&mut self, request: &Request) -> Result<Reply, Reply> {
        self.take_upload(request)?;
        Ok(Reply::bytes(204, "application/xml", ""))
    }

    /// The upload that a call refers to, if it is an upload of the call's key.
    fn upload(&mut self, request: &Request) -> Result<&mut Upload, Reply> {
        let (bucket, key) = request.bucket_and_key();
        let id = request.query.get("uploadId").map_or("", String::as_str);
        let found = self.uploads.get_mut(id);
        found
            .filter(|upload| (upload.bucket.as_str(), upload.key.as_str()) == (bucket, key))
            .ok_or_else(no_such_upload)
    }

    fn take_upload(&mut self, request: &Request) -> Result<Upload, Reply> {
        self.upload(request)?;
        let id = request.query.get("uploadId").map_or("", String::as_str);
        self.uploads.remove(id).ok_or_else(no_such_upload)
    }

    fn list_objects(&self, request: &Request) -> Reply {
        let (bucket, _) = request.bucket_and_key();
        let parameter = |name: &str| request.query.get(name).map_or("", String::as_str);
        let (prefix, delimiter) = (parameter("prefix"), parameter("delimiter"));
        let asked = parameter("max-keys").parse().unwrap_or(usize::MAX);
        let limit = asked.min(self.page_size);
        // A continuation token is the last key or common prefix of the page before.
        let token = parameter("continuation-token");
        let start = if token.is_empty() {
            parameter("start-after")
        } else {
            token
        };

        let mut entries: Vec<(String, Option<&Version>)> = Vec::new();
        for (key, version) in self.live_objects(bucket, prefix) {
            let rest = &key[prefix.len()..];
            let folder = (!delimiter.is_empty()).then(|| rest.find(delimiter)).flatten();
            let entry = match folder {
                Some(at) => (format!("{prefix}{}", &rest[..at + delimiter.len()]), None),
                None => (key.clone(), Some(version)),
            };
            if entry.0.as_str() > start && entries.last().is_none_or(|(last, _)| *last != entry.0) {
                entries.push(entry);
            }
        }
        let truncated = entries.len() > limit;
        entries.truncate(limit);

        let mut body = String::from("<ListBucketResult>");
        for (name, value) in [("Name", bucket), ("Prefix", prefix), ("Delimiter", delimiter)] {
            body += &format!("<{name}>{}</{name}>", xml_escape(value));
        }
        body += &format!(
            "<KeyCount>{}</KeyCount><IsTruncated>{truncated}</IsTruncated>",
            entries.len()
        );
        if let (true, Some((last, _))) = (truncated, entries.last()) {
            body += &format!("<NextContinuationToken>{}</NextContinuationToken>", xml_escape(last));
        }
        for (name, version) in &entries {
            let name = xml_escape(name);
            body += &match version {
                None => format!("<CommonPrefixes><Prefix>{name}</Prefix></CommonPrefixes>"),
                Some(version) => format!(
                    "<Contents><Key>{name}</Key><LastModified>{}</LastModified><ETag>{}</ETag><Size>{}</Size>\
                     <StorageClass>STANDARD</StorageClass></Contents>",
                    iso_date(&version.modified),
                    version.etag,
                    version.content.as_ref().map_or(0, Bytes::len),
                ),
            };
        }
        body += "</ListBucketResult>";
        Reply::bytes(200, "application/xml", body)
    }

    /// The versions of the keys that begin with a prefix, the newest of each first, after the marker; on one page.
    fn list_versions(&self, request: &Request) -> Reply {
        let (bucket, _) = request.bucket_and_key();
        let parameter = |name: &str| request.query.get(name).map_or("", String::as_str);
        let (prefix, key_marker, id_marker) = (
            parameter("prefix"),
            parameter("key-marker"),
            parameter("version-id-marker"),
        );
        let limit = parameter("max-keys").parse().unwrap_or(self.page_size);
        let keys = self.buckets.get(bucket).into_iter().flatten();
        let keys = keys.filter(|(key, _)| key.starts_with(prefix) && key.as_str() >= key_marker);
        let versions = keys.flat_map(|(key, versions)| {
            let newest_first = versions.iter().rev();
            let passed = if key != key_marker {
                0
            } else if id_marker.is_empty() {
                versions.len()
            } else {
                newest_first
                    .clone()
                    .position(|it| it.id == id_marker)
                    .map_or(0, |at| at + 1)
            };
            let latest = versions.last().map(|latest| latest.id.as_str());
            let listed = newest_first.skip(passed);
            listed.map(move |version| (key, version, latest == Some(version.id.as_str())))
        });
        let mut body = String::from("<ListVersionsResult><IsTruncated>false</IsTruncated>");
        for (key, version, is_latest) in versions.take(limit) {
            let tag = if version.content.is_some() {
                "Version"
            } else {
                "DeleteMarker"
            };
            body += &format!(
                "<{tag}><Key>{}</Key><VersionId>{}</VersionId><IsLatest>{is_latest}</IsLatest>\
                 <LastModified>{}</LastModified></{tag}>",
                xml_escape(key),
                version.id,
                iso_date(&version.modified),
            );
        }
        Reply::bytes(200, "application/xml", body + "</ListVersionsResult>")
    }

    /// The version a GetObject or HeadObject asks for, if its conditions hold.
    fn read(&self, request: &Request) -> Result<(&Version, &Bytes), Reply> {
        let (bucket, key) = request.bucket_and_key();
        let (version, content) = self.find(bucket, key, request.query.get("versionId").map(String::as_str))?;
        if request
            .header("if-match")
            .is_some_and(|tags| !tag_matches(tags, &version.etag))
        {
            return Err(precondition_failed());
        }
        if request
            .header("if-none-match")
            .is_some_and(|tags| tag_matches(tags, &version.etag))
        {
            return Err(Reply::error(304, "NotModified", "Not Modified").header("etag", &version.etag));
        }
        Ok((version, content))
    }

    fn find(&self, bucket: &str, key: &str, version_id: Option<&str>) -> Result<(&Version, &Bytes), Reply> {
        let versions = self.versions(bucket, key);
        let version = match version_id {
            None => versions.last().ok_or_else(no_such_key)?,
            Some(id) => versions
                .iter()
                .find(|version| version.id == id)
                .ok_or_else(|| Reply::error(404, "NoSuchVersion", "The specified version does not exist."))?,
        };
        match &version.content {
            Some(content) => Ok((version, content)),
            None if version_id.is_some() => Err(Reply::error(
                405,
                "MethodNotAllowed",
                "The specified method is not allowed against this resource.",
            )
            .header("x-amz-delete-marker", "true")),
            None => Err(no_such_key().header("x-amz-delete-marker", "true")),
        }
    }

    /// Whether a PutObject's or CopyObject's conditions on what it replaces hold.
    fn check_write(&self, request: &Request) -> Result<(), Reply> {
        let (bucket, key) = request.bucket_and_key();
        let current = self.current(bucket, key);
        if let Some(tags) = request.header("if-match") {
            let current = current.ok_or_else(no_such_key)?;
            if !tag_matches(tags, &current.etag) {
                return Err(precondition_failed());
            }
        }
        match request.header("if-none-match") {
            Some("*") if current.is_some() => Err(precondition_failed()),
            Some("*") | None => Ok(()),
            Some(_) => Err(Reply::error(
                501,
                "NotImplemented",
                "If-None-Match of a write takes only an asterisk.",
            )),
        }
    }

    fn store(
        &mut self,
        bucket: &str,
        key: &str,
        content: Option<Bytes>,
        modified: DateTime,
        content_type: String,
        metadata: BTreeMap<String, String>,
    ) -> String {
        self.versions_made += 1;
        let id = format!("version-{:04}", self.versions_made);
        let etag = etag_of(content.as_deref().unwrap_or_default());
        let version = Version {
            id: id.clone(),
            content,
            etag,
            modified,
            content_type,
            metadata,
        };
        self.buckets
            .entry(bucket.to_owned())
            .or_default()
            .entry(key.to_owned())
            .or_default()
            .push(version);
        id
    }

    fn versions(&self, bucket: &str, key: &str) -> &[Version] {
        self.buckets
            .get(bucket)
            .and_then(|keys| keys.get(key))
            .map_or(&[], Vec::as_slice)
    }

    fn current(&self, bucket: &str, key: &str) -> Option<&Version> {
        self.versions(bucket, key)
            .last()
            .filter(|version| version.content.is_some())
    }

    fn live_objects<'a>(
        &'a self,
        bucket: &str,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a String, &'a Version)> + use<'a> {
        let keys = self.buckets.get(bucket).into_iter().flatten();
        keys.filter(move |(key, _)| key.starts_with(prefix))
            .filter_map(|(key, versions)| Some((key, versions.last()?)))
            .filter(|(_, version)| version.content.is_some())
    }
}

fn describe(version: &Version, reply: Reply) -> Reply {
    let reply = reply
        .header("etag", &version.etag)
        .header("x-amz-version-id", &version.id)
        .header("accept-ranges", "bytes")
        // Formatting fails only beyond the year 9999.
        .header(
            "last-modified",
            version.modified.fmt(Format::HttpDate).unwrap_or_default(),
        );
    version
        .metadata
        .iter()
        .fold(reply, |reply, (name, value)| reply.header(name, value))
}

fn content_type(request: &Request) -> String {
    request
        .header("content-type")
        .unwrap_or(DEFAULT_CONTENT_TYPE)
        .to_owned()
}

fn metadata(request: &Request) -> BTreeMap<String, String> {
    let headers = request
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("x-amz-meta-"));
    headers.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn etag_of(content: &[u8]) -> String {
    let hex: String = Sha256::digest(content)[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{hex}\"")
}

/// Whether `tags`, which is `*` or a list of tags with or without quotes, matches an entity tag.
fn tag_matches(tags: &str, etag: &str) -> bool {
    tags.split(',')
        .map(str::trim)
        .any(|tag| tag == "*" || tag.trim_matches('"') == etag.trim_matches('"'))
}

/// Parses `bytes=first-last`, `bytes=first-` or `bytes=-length` into a start and an exclusive end; `None` if the range
/// is empty.
fn parse_range(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, end) = match (first.parse::<usize>().ok(), last.parse::<usize>().ok()) {
        (Some(first), Some(last)) => (first, size.min(last + 1)),
        (Some(first), None) => (first, size),
        (None, Some(length)) => (size.saturating_sub(length), size),
        (None, None) => return None,
    };
    (first < end).then_some((first, end))
}

fn iso_date(time: &DateTime) -> String {
    // Formatting fails only beyond the year 9999.
    time.fmt(Format::DateTime).unwrap_or_default()
}

fn no_such_upload() -> Reply {
    Reply::error(404, "NoSuchUpload", "The specified upload does not exist.")
}

fn no_such_key() -> Reply {
    Reply::error(404, "NoSuchKey", "The specified key does not exist.")
}

fn precondition_failed() -> Reply {
    Reply::error(
        412,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}
