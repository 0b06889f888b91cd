//! Capture files in S3 to the analyzer's input and reporting's records. How lines become rows, in pieces and in order, is
//! the crate `consolidate`'s matter.

use crate::sink::Sink;
use crate::{ConsolidateCaptures, Error};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use consolidate::{Merged, Shape};
use contracts::monitoring::SourceFile;
use contracts::places::{self, MonitoringPlaces};
use flate2::Compression;
use flate2::write::GzEncoder;
use platform::Documents;
use std::io::Write as _;
use std::sync::Arc;

impl ConsolidateCaptures {
    /// Writes `input/data/rows.csv` and `input/records/part-00000.jsonl.gz`.
    pub(crate) async fn merge(
        &self,
        places: &MonitoringPlaces<'_>,
        shape: &Arc<Shape>,
        files: &[SourceFile],
    ) -> Result<Merged, Error> {
        let data = places.input("data") + "rows.csv";
        let records = places.input("records") + "part-00000.jsonl.gz";
        let mut data = Sink::new(&self.documents, data, "text/csv");
        let mut records = Sink::new(&self.documents, records, "application/gzip");
        let source = Captures(&self.documents);
        let merged = consolidate::merge(&source, shape, files, &mut data, &mut records).await?;
        data.close().await?;
        records.close().await?;
        Ok(merged)
    }
}

/// Capture files in S3.
struct Captures<'a>(&'a Documents);

/// One that is being read.
struct Capture {
    uri: String,
    body: ByteStream,
}

impl consolidate::Source for Captures<'_> {
    type Error = Error;
    type Body = Capture;

    async fn open(&self, file: &SourceFile) -> Result<Capture, Error> {
        let uri = file.uri.clone();
        let (bucket, key) = places::parse_uri(&uri).unwrap_or_default();
        let answer = self.0.client().get_object().bucket(bucket).key(key).send().await;
        let answer = answer.map_err(|error| platform::Error::aws_call(format!("GetObject {uri}"), &error))?;
        Ok(Capture { body: answer.body, uri })
    }
}

impl consolidate::Body for Capture {
    type Error = Error;

    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.body.next().await.transpose();
        chunk.map_err(|error| {
            let (call, message) = (format!("GetObject {}", self.uri), error.to_string());
            let code = "ResponseUnreadable".to_owned();
            platform::Error::AwsCall { call, code, message }.into()
        })
    }
}

impl consolidate::Sink for Sink<'_> {
    type Error = Error;

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Sink::write(self, bytes).await
    }
}

/// gzip, as a member of its own: members one behind the other are a gzip file, too.
pub(crate) fn packed(text: &[u8]) -> Vec<u8> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 4), Compression::fast());
    // Writing into memory can't fail.
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}
