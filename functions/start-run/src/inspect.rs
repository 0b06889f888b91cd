//! A look at a file as it lies in S3: its size, and its first bytes.

use crate::check::{self, Columns, Refusal};
use crate::{Error, StartRun, copies};
use aws_sdk_s3::error::ProvideErrorMetadata;
use contracts::places;
use contracts::run::ObjectVersion;

impl StartRun {
    /// Whether an object's size and first bytes will do.
    pub(crate) async fn check(&self, object: &ObjectVersion, columns: &Columns) -> Result<Result<(), Refusal>, Error> {
        if let Err(refusal) = check::size(object.bytes, columns.max_bytes) {
            return Ok(Err(refusal));
        }
        let request = self.documents.client().get_object();
        let request = request
            .bucket(&object.bucket)
            .key(&object.key)
            .version_id(&object.version_id);
        let call = || format!("GetObject {}", places::uri(&object.bucket, &object.key));
        let answer = match request
            .range(format!("bytes=0-{}", check::WINDOW_BYTES - 1))
            .send()
            .await
        {
            Ok(answer) => answer,
            Err(error) if copies::is_gone(error.code()) => return Ok(Err(copies::vanished(&object.version_id))),
            Err(error) => return Err(platform::Error::aws_call(call(), &error).into()),
        };
        let head = answer.body.collect().await.map_err(|error| platform::Error::AwsCall {
            call: call(),
            code: "ResponseUnreadable".to_owned(),
            message: error.to_string(),
        })?;
        Ok(check::head(&head.to_vec(), object.bytes, columns))
    }
}
