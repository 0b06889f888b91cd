//! Writes an object while its content is being made: in one request if it is small, else in parts, which are uploaded
//! while the next one is made.

use crate::Error;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use platform::Documents;
use std::collections::VecDeque;
use tokio::task::JoinHandle;

/// The size of a part in bytes. S3 requires at least 5 MiB, and allows 10,000 parts.
const PART_BYTES: usize = 8 << 20;
/// How many parts are uploaded at once.
const AT_ONCE: usize = 2;

/// A growing object. It exists only once it is closed; the bucket's lifecycle rule removes the parts of one that never
/// is.
pub(crate) struct Sink<'a> {
    documents: &'a Documents,
    key: String,
    content_type: &'static str,
    waiting: Vec<u8>,
    upload: Option<String>,
    sending: VecDeque<JoinHandle<Result<CompletedPart, Error>>>,
    sent: Vec<CompletedPart>,
}

impl<'a> Sink<'a> {
    pub fn new(documents: &'a Documents, key: String, content_type: &'static str) -> Self {
        Self {
            documents,
            key,
            content_type,
            waiting: Vec::new(),
            upload: None,
            sending: VecDeque::new(),
            sent: Vec::new(),
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PART_BYTES {
            self.send().await?;
        }
        Ok(())
    }

    /// Uploads the bytes collected so far as a part.
    async fn send(&mut self) -> Result<(), Error> {
        let (client, bucket) = (self.documents.client(), self.documents.bucket());
        let upload = match &self.upload {
            Some(upload) => upload.clone(),
            None => {
                let request = client.create_multipart_upload().bucket(bucket).key(&self.key);
                let answer = request.content_type(self.content_type).send().await;
                let call = format!("CreateMultipartUpload {}", self.key);
                let answer = answer.map_err(|error| platform::Error::aws_call(call, &error))?;
                self.upload.insert(answer.upload_id.unwrap_or_default()).clone()
            }
        };
        while self.sending.len() >= AT_ONCE {
            self.wait().await?;
        }
        // At most 10,000.
        let number = i32::try_from(self.sent.len() + self.sending.len() + 1).unwrap_or(i32::MAX);
        let body = std::mem::take(&mut self.waiting);
        let request = client.upload_part().bucket(bucket).key(&self.key);
        let request = request.upload_id(upload).part_number(number);
        let call = format!("UploadPart {number} of {}", self.key);
        self.sending.push_back(tokio::spawn(async move {
            let answer = request.body(ByteStream::from(body)).send().await;
            let answer = answer.map_err(|error| platform::Error::aws_call(call, &error))?;
            let part = CompletedPart::builder().part_number(number);
            Ok(part.set_e_tag(answer.e_tag).build())
        }));
        Ok(())
    }

    /// Waits until the oldest part is uploaded.
    async fn wait(&mut self) -> Result<(), Error> {
        let Some(part) = self.sending.pop_front() else {
            return Ok(());
        };
        match part.await {
            Ok(part) => self.sent.push(part?),
            // The task can only fail by a panic, which is then continued here.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
        Ok(())
    }

    /// Completes the object.
    pub async fn close(mut self) -> Result<(), Error> {
        if self.upload.is_some() && !self.waiting.is_empty() {
            self.send().await?;
        }
        while !self.sending.is_empty() {
            self.wait().await?;
        }
        let (client, bucket) = (self.documents.client(), self.documents.bucket());
        let Some(upload) = self.upload else {
            let small = self
                .documents
                .put_bytes(&self.key, self.content_type, self.waiting)
                .await;
            return Ok(small?);
        };
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.sent)).build();
        let request = client.complete_multipart_upload().bucket(bucket).key(&self.key);
        let answer = request.upload_id(upload).multipart_upload(parts).send().await;
        let call = format!("CompleteMultipartUpload {}", self.key);
        answer.map_err(|error| platform::Error::aws_call(call, &error))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fake_aws::{FakeAws, Reply};

    fn sink<'a>(documents: &'a Documents, key: &str) -> Sink<'a> {
        Sink::new(documents, key.to_owned(), "text/csv")
    }

    #[tokio::test]
    async fn what_is_large_is_written_in_parts_and_is_whole() {
        let aws = FakeAws::new();
        let documents = Documents::new(platform::s3_client(&aws.sdk_config()), "b");
        let rows: Vec<u8> = (0..7_u8).flat_map(|row| vec![row; 5 << 20]).collect();
        let mut large = sink(&documents, "large");
        for piece in rows.chunks(3 << 20) {
            large.write(piece).await.unwrap();
            assert_eq!(aws.object("b", "large"), None, "half an object is none");
        }
        large.close().await.unwrap();
        assert!(aws.object("b", "large").unwrap() == rows);
        assert_eq!(aws.calls_of("UploadPart").len(), 4);
        assert!(aws.uploads("b").is_empty());

        let mut small = sink(&documents, "small");
        small.write(b"1,2\n").await.unwrap();
        small.close().await.unwrap();
        assert_eq!(aws.object("b", "small").unwrap(), b"1,2\n");
        assert_eq!(aws.calls_of("CreateMultipartUpload").len(), 1);
    }

    #[tokio::test]
    async fn a_part_that_is_refused_leaves_no_object() {
        let aws = FakeAws::new();
        let documents = Documents::new(platform::s3_client(&aws.sdk_config()), "b");
        aws.fail_next("UploadPart", Reply::error(403, "AccessDenied", "not now"));
        let mut sink = sink(&documents, "large");
        sink.write(&vec![0; PART_BYTES]).await.unwrap();
        let failed = sink.close().await.unwrap_err();
        assert_eq!(failed.error_type(), "AwsCallFailed");
        assert!(failed.to_string().contains("UploadPart 1 of large"), "{failed}");
        assert_eq!(aws.object("b", "large"), None);
    }
}
