//! Turns capture files in S3 into the analyzer's input and the records for reporting. How lines become rows, in pieces
//! and in order, is up to the crate `consolidate`.

use crate::records::Reading;
use crate::sink::Sink;
use crate::{ConsolidateCaptures, Error};
use bytes::Bytes;
use consolidate::{Merged, Shape};
use contracts::monitoring::SourceFile;
use contracts::places::MonitoringPlaces;
use platform::Documents;
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

impl consolidate::Source for Captures<'_> {
    type Error = Error;
    type Body = Reading;

    async fn open(&self, file: &SourceFile) -> Result<Reading, Error> {
        let reading = Reading::open(self.0, &file.uri).await?;
        // The file was deleted since it was listed: the call is repeated, and lists again.
        Ok(reading.ok_or_else(|| platform::Error::AwsCall {
            call: format!("GetObject {}", file.uri),
            code: "NoSuchKey".to_owned(),
            message: "it was there when the folder was listed".to_owned(),
        })?)
    }
}

impl consolidate::Body for Reading {
    type Error = Error;

    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        Reading::chunk(self).await
    }
}

impl consolidate::Sink for Sink<'_> {
    type Error = Error;

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Sink::write(self, bytes).await
    }
}
