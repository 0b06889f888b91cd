//! An object that is written while it is made: in one request when it is small, else in parts.

use crate::Error;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use platform::Documents;

/// S3 wants parts of at least 5 MiB, and takes 10,000 of them.
const PART_BYTES: usize = 16 << 20;

/// An object that grows. It is there only once it is closed.
pub(crate) struct Sink<'a> {
    documents: &'a Documents,
    key: String,
    content_type: &'static str,
    waiting: Vec<u8>,
    upload: Option<String>,
    parts: Vec<CompletedPart>,
}

impl<'a> Sink<'a> {
    pub fn new(documents: &'a Documents, key: String, content_type: &'static str) -> Self {
        Self {
            documents,
            key,
            content_type,
            waiting: Vec::new(),
            upload: None,
            parts: Vec::new(),
        }
    }

    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= PART_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
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
        // At most 10,000.
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let body = std::mem::take(&mut self.waiting);
        let request = client.upload_part().bucket(bucket).key(&self.key);
        let request = request.upload_id(upload).part_number(number);
        let answer = request.body(ByteStream::from(body)).send().await;
        let call = format!("UploadPart {number} of {}", self.key);
        let answer = answer.map_err(|error| platform::Error::aws_call(call, &error))?;
        self.parts.push(
            CompletedPart::builder()
                .part_number(number)
                .set_e_tag(answer.e_tag)
                .build(),
        );
        Ok(())
    }

    /// Ends the object.
    pub async fn close(mut self) -> Result<(), Error> {
        if self.upload.is_some() && !self.waiting.is_empty() {
            self.flush().await?;
        }
        let (client, bucket) = (self.documents.client(), self.documents.bucket());
        let Some(upload) = self.upload else {
            let request = client.put_object().bucket(bucket).key(&self.key);
            let request = request.content_type(self.content_type);
            let answer = request.body(ByteStream::from(self.waiting)).send().await;
            let call = format!("PutObject {}", self.key);
            answer.map_err(|error| platform::Error::aws_call(call, &error))?;
            return Ok(());
        };
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts)).build();
        let request = client.complete_multipart_upload().bucket(bucket).key(&self.key);
        let answer = request.upload_id(upload).multipart_upload(parts).send().await;
        let call = format!("CompleteMultipartUpload {}", self.key);
        answer.map_err(|error| platform::Error::aws_call(call, &error))?;
        Ok(())
    }
}
