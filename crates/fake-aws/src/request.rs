//! A call as the account sees it: with service and operation identified, path and query decoded, body unframed.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use serde_json::Value;

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The name the call was signed for: `s3`, `ssm`, `sns`, `states`, `sagemaker` (SageMaker Runtime too),
    /// `lambda`, `events`, …
    pub service: String,
    /// The API's name of the operation; `METHOD /path` if it is unknown.
    pub operation: String,
    /// `GET`, `POST`, …
    pub method: String,
    /// The decoded path; for S3 always `/bucket/key`.
    pub path: String,
    /// The decoded query.
    pub query: BTreeMap<String, String>,
    /// The headers; names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, without the framing of streamed uploads.
    pub body: Bytes,
}

impl Request {
    /// The body as JSON; a form's fields as an object of strings; `Null` if it is neither.
    pub fn json(&self) -> Value {
        if self.is_form() {
            return self
                .form()
                .into_iter()
                .map(|(name, value)| (name, Value::String(value)))
                .collect();
        }
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body as text; invalid UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Whether the call's subject contains `matching`, as described at the scripts of [`crate::FakeAws`].
    pub(crate) fn is_about(&self, matching: &str) -> bool {
        self.path.contains(matching) || (self.service != "s3" && self.text().contains(matching))
    }

    /// The bucket and key of an S3 call; the key is empty in a call about the bucket.
    pub(crate) fn bucket_and_key(&self) -> (&str, &str) {
        let path = self.path.strip_prefix('/').unwrap_or(&self.path);
        path.split_once('/').unwrap_or((path, ""))
    }

    /// The fields of a form body.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        parse_pairs(&self.text().replace('+', " "))
    }

    fn is_form(&self) -> bool {
        self.header("content-type")
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    }

    /// Reads a request off the wire.
    pub(crate) fn parse(method: &str, uri: &str, headers: BTreeMap<String, String>, body: Bytes) -> Request {
        let uri = uri.parse::<http::Uri>().unwrap_or_default();
        let host = uri.host().unwrap_or_default();
        let service = signed_service(&headers).unwrap_or_else(|| host.split('.').next().unwrap_or_default().to_owned());
        let mut path = percent_decode(uri.path());
        if service == "s3"
            && let Some((bucket, _)) = host.split_once(".s3.")
        {
            path = format!("/{bucket}{path}");
        }
        let body = if is_aws_chunked(&headers) { unframe(&body) } else { body };
        let query = parse_pairs(uri.query().unwrap_or_default());
        let operation = String::new();
        let mut request = Request {
            service,
            operation,
            method: method.to_owned(),
            path,
            query,
            headers,
            body,
        };
        request.operation = request.find_operation();
        request
    }

    fn find_operation(&self) -> String {
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit('.').next().unwrap_or(target).to_owned();
        }
        if self.is_form()
            && let Some(action) = self.form().remove("Action")
        {
            return action;
        }
        let rest = match self.service.as_str() {
            "s3" => self.s3_operation(),
            _ => self.rest_operation(),
        };
        rest.map_or_else(|| format!("{} {}", self.method, self.path), str::to_owned)
    }

    fn s3_operation(&self) -> Option<&str> {
        let (_, key) = self.bucket_and_key();
        let subresource = [
            "tagging",
            "acl",
            "uploads",
            "uploadId",
            "versions",
            "versioning",
            "delete",
            "attributes",
        ]
        .into_iter()
        .any(|name| self.query.contains_key(name));
        let upload = self.query.contains_key("uploadId");
        let known = match (self.method.as_str(), key.is_empty()) {
            ("POST", false) if self.query.contains_key("uploads") => Some("CreateMultipartUpload"),
            ("PUT", false) if upload && !self.headers.contains_key("x-amz-copy-source") => Some("UploadPart"),
            ("POST", false) if upload => Some("CompleteMultipartUpload"),
            ("DELETE", false) if upload => Some("AbortMultipartUpload"),
            ("GET", true) if self.query.contains_key("versions") => Some("ListObjectVersions"),
            ("POST", true) if self.query.contains_key("delete") => Some("DeleteObjects"),
            _ if subresource => None,
            ("GET", true) if self.query.contains_key("list-type") => Some("ListObjectsV2"),
            ("HEAD", true) => Some("HeadBucket"),
            ("GET", false) => Some("GetObject"),
            ("HEAD", false) => Some("HeadObject"),
            ("PUT", false) if self.headers.contains_key("x-amz-copy-source") => Some("CopyObject"),
            ("PUT", false) => Some("PutObject"),
            ("DELETE", false) => Some("DeleteObject"),
            _ => None,
        };
        known.or_else(|| self.query.get("x-id").map(String::as_str))
    }

    fn rest_operation(&self) -> Option<&'static str> {
        let parts: Vec<&str> = self.path.trim_matches('/').split('/').collect();
        match (self.service.as_str(), self.method.as_str(), parts.as_slice()) {
            ("sagemaker", "POST", ["endpoints", _, "invocations"]) => Some("InvokeEndpoint"),
            ("sagemaker", "POST", ["endpoints", _, "async-invocations"]) => Some("InvokeEndpointAsync"),
            ("lambda", "POST", [_, "functions", _, "invocations"]) => Some("Invoke"),
            ("lambda", "GET", [_, "functions", _]) => Some("GetFunction"),
            ("lambda", "GET", [_, "functions", _, "configuration"]) => Some("GetFunctionConfiguration"),
            _ => None,
        }
    }
}

/// `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, …`
fn signed_service(headers: &BTreeMap<String, String>) -> Option<String> {
    let (_, credential) = headers.get("authorization")?.split_once("Credential=")?;
    let scope = credential.split(',').next()?;
    scope.rsplit('/').nth(1).map(str::to_owned)
}

fn parse_pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(name), percent_decode(value))
        })
        .collect()
}

/// Replaces every `%XX`; invalid sequences stay as they are.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let byte = hex
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn is_aws_chunked(headers: &BTreeMap<String, String>) -> bool {
    let encoding = headers
        .get("content-encoding")
        .is_some_and(|encoding| encoding.contains("aws-chunked"));
    encoding
        || headers
            .get("x-amz-content-sha256")
            .is_some_and(|hash| hash.starts_with("STREAMING-"))
}

/// Extracts the data from `SIZE[;extension]\r\n DATA \r\n … 0\r\n trailers`. Sizes are hexadecimal.
fn unframe(mut framed: &[u8]) -> Bytes {
    let mut data = BytesMut::new();
    while let Some(end) = framed.windows(2).position(|pair| pair == b"\r\n") {
        let line = String::from_utf8_lossy(&framed[..end]);
        let size = line.split(';').next().unwrap_or_default();
        let Ok(size @ 1..) = usize::from_str_radix(size.trim(), 16) else {
            break;
        };
        let chunk = framed.get(end + 2..end + 2 + size).unwrap_or_default();
        data.extend_from_slice(chunk);
        framed = framed.get(end + 2 + size + 2..).unwrap_or_default();
    }
    data.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(method: &str, uri: &str, headers: &[(&str, &str)]) -> Request {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Request::parse(method, uri, headers, Bytes::new())
    }

    #[test]
    fn both_styles_of_s3_address_give_the_same_path() {
        let virtual_hosted = parse(
            "GET",
            "https://b.s3.us-east-1.amazonaws.com/a%20b/c?x-id=GetObject",
            &[],
        );
        let authorization = [(
            "authorization",
            "AWS4 Credential=K/20261122/us-east-1/s3/aws4_request, Signed",
        )];
        let virtual_hosted_signed = parse("GET", "https://b.s3.us-east-1.amazonaws.com/a%20b/c", &authorization);
        let path_style = parse("GET", "https://s3.us-east-1.amazonaws.com/b/a%20b/c", &authorization);
        assert_eq!(
            virtual_hosted.service, "b",
            "without a signature only the host is known"
        );
        assert_eq!(virtual_hosted_signed.bucket_and_key(), ("b", "a b/c"));
        assert_eq!(path_style.bucket_and_key(), ("b", "a b/c"));
        assert_eq!(path_style.operation, "GetObject");
    }

    #[test]
    fn operations_are_found_by_target_and_by_path() {
        let sagemaker = (
            "authorization",
            "AWS4 Credential=K/20261122/us-east-1/sagemaker/aws4_request, Signed",
        );
        let target = parse(
            "POST",
            "https://api.sagemaker.us-east-1.amazonaws.com/",
            &[sagemaker, ("x-amz-target", "SageMaker.DescribeEndpoint")],
        );
        let runtime = parse(
            "POST",
            "https://runtime.sagemaker.us-east-1.amazonaws.com/endpoints/e/invocations",
            &[sagemaker],
        );
        let unknown = parse(
            "POST",
            "https://runtime.sagemaker.us-east-1.amazonaws.com/elsewhere",
            &[sagemaker],
        );
        assert_eq!(target.operation, "DescribeEndpoint");
        assert_eq!(runtime.operation, "InvokeEndpoint");
        assert_eq!(unknown.operation, "POST /elsewhere");
    }

    #[test]
    fn chunk_framing_is_taken_off() {
        let framed = b"4;chunk-signature=x\r\nwiki\r\n5\r\npedia\r\n0\r\nx-amz-checksum-crc32:AAAA==\r\n\r\n";
        assert_eq!(unframe(framed), "wikipedia");
        assert_eq!(unframe(b"0\r\n\r\n"), "");
    }
}
