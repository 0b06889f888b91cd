//! Reads objects from S3 in pieces or whole lines, compressed or not, whatever the size of the object.

use crate::Error;
use aws_sdk_s3::error::ProvideErrorMetadata as _;
use aws_sdk_s3::primitives::ByteStream;
use contracts::places;
use flate2::write::MultiGzDecoder;
use platform::Documents;
use serde::Deserialize;
use std::borrow::Cow;
use std::io::Write as _;

/// An object that is being read.
pub(crate) struct Reading {
    uri: String,
    body: ByteStream,
}

impl Reading {
    /// Opens an object; `None` when there is none.
    pub async fn open(documents: &Documents, uri: &str) -> Result<Option<Self>, Error> {
        Self::open_version(documents, uri, None).await
    }

    /// Opens a version of an object, or the newest.
    pub async fn open_version(documents: &Documents, uri: &str, version: Option<&str>) -> Result<Option<Self>, Error> {
        let (bucket, key) = places::parse_uri(uri).unwrap_or_default();
        let call = || format!("GetObject {uri}");
        let request = documents.client().get_object().bucket(bucket).key(key);
        match request.set_version_id(version.map(str::to_owned)).send().await {
            Ok(answer) => Ok(Some(Self {
                body: answer.body,
                uri: uri.to_owned(),
            })),
            Err(error) if matches!(error.code(), Some("NoSuchKey" | "NoSuchVersion" | "NotFound")) => Ok(None),
            Err(error) => Err(platform::Error::aws_call(call(), &error).into()),
        }
    }

    /// The next bytes; `None` at the end.
    pub async fn chunk(&mut self) -> Result<Option<bytes::Bytes>, Error> {
        let chunk = self.body.next().await.transpose();
        chunk.map_err(|error| {
            let (call, message) = (format!("GetObject {}", self.uri), error.to_string());
            let code = "ResponseUnreadable".to_owned();
            platform::Error::AwsCall { call, code, message }.into()
        })
    }
}

/// The lines of an object compressed with gzip.
pub(crate) struct PackedLines {
    reading: Reading,
    /// `None` once the object has ended.
    unpacking: Option<MultiGzDecoder<Vec<u8>>>,
    begun: bool,
}

impl PackedLines {
    /// Opens an object; `None` when there is none.
    pub async fn open(documents: &Documents, uri: &str) -> Result<Option<Self>, Error> {
        let reading = Reading::open(documents, uri).await?;
        Ok(reading.map(|reading| Self {
            reading,
            unpacking: Some(MultiGzDecoder::new(Vec::new())),
            begun: false,
        }))
    }

    /// The next whole lines; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        while let Some(unpacking) = &mut self.unpacking {
            if let Some(chunk) = self.reading.chunk().await? {
                self.begun |= !chunk.is_empty();
                unpacking
                    .write_all(&chunk)
                    .map_err(|error| unreadable(&self.reading.uri, &error))?;
                let text = unpacking.get_mut();
                if let Some(end) = memchr::memrchr(b'\n', text) {
                    let rest = text.split_off(end + 1);
                    return Ok(Some(std::mem::replace(text, rest)));
                }
            } else if let Some(unpacking) = self.unpacking.take().filter(|_| self.begun) {
                let rest = unpacking
                    .finish()
                    .map_err(|error| unreadable(&self.reading.uri, &error))?;
                return Ok(Some(rest).filter(|rest| !rest.is_empty()));
            }
        }
        Ok(None)
    }
}

fn unreadable(uri: &str, error: &std::io::Error) -> Error {
    let (place, reason) = (uri.to_owned(), error.to_string());
    platform::Error::Document { place, reason }.into()
}

/// The id in a line of the reporting files.
pub(crate) fn id(line: &[u8]) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Id<'a> {
        #[serde(borrow)]
        id: Cow<'a, str>,
    }

    // Both writers put the id second, after the model, and it rarely has an escape.
    let quick = || {
        let start = memchr::memmem::find(line.get(..256).unwrap_or(line), b",\"id\":\"")? + 7;
        let end = start + memchr::memchr(b'"', &line[start..])?;
        let id = std::str::from_utf8(&line[start..end]).ok()?;
        // A quote in the model's name could be mistaken for the name's end, and an escape for the end of the id.
        (memchr::memchr(b'\\', &line[..end]).is_none()).then_some(Cow::Borrowed(id))
    };
    quick().or_else(|| serde_json::from_slice::<Id>(line).ok().map(|record| record.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::FakeAws;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn ids_are_found_wherever_they_stand() {
        for (line, expected) in [
            (r#"{"model":"m","id":"r#0","time":"t"}"#, Some("r#0")),
            (r#"{"id":"r#0","model":"m"}"#, Some("r#0")),
            (r#"{"model":"m","id":"a\"b"}"#, Some("a\"b")),
            (r#"{"model":"x\",\"id\":\"no","id":"r#0"}"#, Some("r#0")),
            (r#"{"model":"m","id":"é#1"}"#, Some("é#1")),
            (r#"{"model":"m"}"#, None),
            ("", None),
        ] {
            assert_eq!(id(line.as_bytes()).as_deref(), expected, "{line}");
        }
    }

    #[tokio::test]
    async fn packed_lines_come_whole() {
        let aws = FakeAws::new();
        let documents = Documents::new(platform::s3_client(&aws.sdk_config()), "b");
        let two = [packed(b"one\ntwo\nthr"), packed(b"ee\nfour")].concat();
        aws.put_object("b", "two", &two);
        aws.put_object("b", "none", b"");
        aws.put_object("b", "half", &two[..two.len() - 3]);
        assert!(PackedLines::open(&documents, "s3://b/missing").await.unwrap().is_none());

        let mut lines = PackedLines::open(&documents, "s3://b/two").await.unwrap().unwrap();
        let mut text = Vec::new();
        while let Some(whole) = lines.next().await.unwrap() {
            assert!(text.last().is_none_or(|last| *last == b'\n'));
            text.extend(whole);
        }
        assert_eq!(text, b"one\ntwo\nthree\nfour");
        let mut none = PackedLines::open(&documents, "s3://b/none").await.unwrap().unwrap();
        assert_eq!(none.next().await.unwrap(), None);
        let mut half = PackedLines::open(&documents, "s3://b/half").await.unwrap().unwrap();
        let failed = loop {
            match half.next().await {
                Ok(Some(_)) => {}
                other => break other,
            }
        };
        assert_eq!(failed.unwrap_err().error_type(), "DocumentInvalid");
    }
}
